import type { Offering } from "./offerings.ts";

/** What the fleet needs of EC2. The adapter is shared/aws/ec2.ts; tests have a fake that behaves (test/support/memory-ec2.ts); one contract suite runs on all. */
export interface Ec2 {
	/** Every instance with our tag, the terminated ones as long as EC2 shows them. Strangers with our tag are among them. */
	describe(): Promise<Ec2Instance[]>;
	/**
	 * Launches up to `count` (at least 1) instances of an offering. A repeat with the same `clientToken` gives the same instances.
	 * @throws Ec2Error
	 */
	launch(request: { clientToken: string; offering: Offering; count: number }): Promise<Ec2Instance[]>;
	/** Starts stopped instances, all or none; those that run or are about to are left as they are. @throws Ec2Error */
	start(instanceIds: string[]): Promise<void>;
	/** Stops, or terminates, instances; those that EC2 does not know any more are left out. @throws Ec2Error */
	stop(instanceIds: string[]): Promise<void>;
	terminate(instanceIds: string[]): Promise<void>;
	/** Elastic IPs of the pool; empty where no pool is set. */
	addresses(): Promise<Ec2Address[]>;
	associate(allocationId: string, instanceId: string): Promise<void>;
}

export type Ec2State = "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";

export interface Ec2Instance {
	instanceId: string;
	state: Ec2State;
	type: string;
	subnet: string;
	imageId: string;
	account: string;
	/** Value of the tag `burst-dialer:launch`; absent: not ours by intent. */
	launchId?: string;
	/** ms since 1970, of the last start. */
	launchedAt: number;
	market: "on-demand" | "spot";
}
export interface Ec2Address {
	allocationId: string;
	publicAddress: string;
	/** Absent: free. */
	instanceId?: string;
}

/**
 * What EC2's refusal means: `throttled` ask later; `noCapacity` another type or zone; `quota` our account's limit, not more of this;
 * `configuration` a person must mend it; `notFound` the instance is gone; `unknown` nobody knows whether it was carried out.
 */
export type Ec2ErrorKind = "throttled" | "noCapacity" | "quota" | "configuration" | "notFound" | "unknown";

export class Ec2Error extends Error {
	override readonly name = "Ec2Error";
	readonly kind: Ec2ErrorKind;
	/** EC2's own, for example InsufficientInstanceCapacity. */
	readonly code: string;
	constructor(kind: Ec2ErrorKind, code: string, message: string, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.kind = kind;
		this.code = code;
	}
}

/** Tags of every instance that we launch. IAM lets us start, stop and terminate only what carries the first with our stack's name. */
export const STACK_TAG = "burst-dialer:stack";
export const LAUNCH_TAG = "burst-dialer:launch";

/** A burst host is named by its instance: nothing can give one instance two hosts. */
export const hostIdOf = (instanceId: string): string => `burst-${instanceId.replace(/^i-/, "")}`;

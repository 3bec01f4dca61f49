/** What the emulated EC2 is made of, and what it runs on its instances. */

/** What an instance knows of itself: what its metadata service tells. */
export interface MachineIdentity {
	instanceId: string;
	imageId: string;
	instanceType: string;
	account: string;
	region: string;
	zone: string;
	/** Of this start, ms since 1970: the identity document's `pendingTime`. */
	pendingAt: number;
	/** From the launch template. */
	userData: string;
	/** Elastic IP, where one is associated. */
	publicAddress?: string;
}
// The object that a machine was given is kept up to date while it runs: an address that is associated later is seen in it.

/** The computer behind one instance. Its disk stays from one start to the next. */
export interface Machine {
	/** Power on; resolves when what runs on it has been started. Called `bootSec` after the instance was started or launched. */
	on(identity: MachineIdentity): Promise<void>;
	/** Power off, within moments: everything on it is killed, also what is just being started. Harmless when it is off. */
	off(): Promise<void>;
	/** The disk is gone too (terminated). */
	destroy(): Promise<void>;
}

export interface Machines {
	create(instanceId: string): Machine;
}

/** Faults that the emulated EC2 can be told to have. All are off at first. */
export interface Ec2Faults {
	/** Offerings out of capacity: `type/subnet`, `type/*` or `*\/subnet`. */
	noCapacity: string[];
	/** Offerings of which only so many more can be had, named as above: a launch of more gets fewer, a start of more none. */
	room: Record<string, number>;
	/** Offerings that do not exist, named as above: refused with Unsupported. */
	notOffered: string[];
	/** The account may have so many pending or running; a launch of more gets fewer, one beyond it VcpuLimitExceeded. */
	quota: number;
	/** The next so many calls are refused with RequestLimitExceeded. */
	throttle: number;
	/** The next so many calls of an action are refused so. */
	throttleAction: Record<string, number>;
	/** Instances so numbered (1 is the next to boot) never boot: they run and nothing happens on them. */
	neverBoot: number[];
	/** DescribeInstances and events tell a change so much later, ms. */
	lateMs: number;
	/** Each event is sent so many times more. */
	duplicateEvents: number;
	/** Calls that are refused with UnauthorizedOperation, by action. */
	refuse: string[];
	/** The next so many calls are carried out and their answers lost: the connection breaks. */
	loseAnswers: number;
}

/** A change of state, as EventBridge tells it. */
export interface Ec2Event {
	detailType:
		| "EC2 Instance State-change Notification"
		| "EC2 Spot Instance Interruption Warning"
		| "EC2 Instance Rebalance Recommendation";
	/** ms since 1970. */
	at: number;
	instanceId: string;
	detail: Record<string, unknown>;
}

export interface EmulatedEc2 {
	/** Of the query API. */
	endpoint: string;
	setFaults(faults: Partial<Ec2Faults>): void;
	/** The instance is gone at once, as when its hardware fails: EC2 says terminated (or, with `forgotten`, does not know it). */
	lose(instanceId: string, options?: { forgotten?: boolean }): Promise<void>;
	/** A spot instance is given notice; it is terminated after `noticeMs` (AWS: two minutes). */
	interrupt(instanceId: string, noticeMs: number): Promise<void>;
	/** A spot instance is said to be at risk; nothing else happens. */
	recommendRebalance(instanceId: string): void;
	/** An instance that somebody else started with our tag. */
	addStranger(tags: Record<string, string>): Promise<string>;
	/** All that ever was: when it began and ceased to run (be billed), for audits and bills. */
	history(): InstanceHistory[];
	/** Counts of API calls by action. */
	calls(): Record<string, number>;
	stop(): Promise<void>;
}
export interface InstanceHistory {
	instanceId: string;
	type: string;
	subnet: string;
	market: "on-demand" | "spot";
	state: string;
	/** Stretches that are billed (running), ms since 1970; the last one without an end while it runs. */
	billed: { fromMs: number; toMs?: number }[];
}

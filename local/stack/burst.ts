import { DEFAULT_TYPES } from "../../shared/config/burst-settings.ts";
import type { Log } from "../../shared/log.ts";
import { type Definitions, LOCAL_ACCOUNT } from "../aws/definitions.ts";
import type { EventBus } from "../aws/event-bus.ts";
import { startEc2 } from "../ec2/server.ts";
import type { EmulatedEc2 } from "../ec2/types.ts";
import { LocalMachines, type MachinesOptions } from "../machine/machines.ts";
import { type DocumentSigner, makeSigner } from "../machine/metadata.ts";
import { type BurstGiven, burstGiven, IMAGE_ID, type LocalEc2 } from "./burst-env.ts";
import type { BurstOptions } from "./options.ts";

const TEMPLATE_ID = "lt-00000000000000001";
const DEFAULT_SUBNETS = ["subnet-0000000000000000a", "subnet-0000000000000000b"];
/** Addresses for documentation, which nobody has. */
const ELASTIC_NETWORK = "198.51.100";
/** The machines say it themselves: the control plane's address is not known yet when EC2 is started. */
const USER_DATA = "";
/** The launch template of the deployment. */
const TEMPLATE = "BurstLaunchTemplate";

/** What burst hosts will be made of. */
export interface BurstPlan {
	options: BurstOptions;
	signer: DocumentSigner;
	types: string;
	subnets: string[];
	addresses: { allocationId: string; publicAddress: string }[];
	given: BurstGiven;
}

/** Settles what the deployment's definition is given. */
export const planBurst = async (
	burst: BurstOptions & { capacity: number },
	env: Record<string, string | undefined>,
	paramNames: readonly string[],
): Promise<BurstPlan> => {
	const signer = await makeSigner();
	const { subnets = DEFAULT_SUBNETS, types = DEFAULT_TYPES } = burst;
	const addresses = Array.from({ length: burst.addresses ?? 0 }, (_, i) => ({
		allocationId: `eipalloc-${String(i + 1).padStart(17, "0")}`,
		publicAddress: `${ELASTIC_NETWORK}.${i + 1}`,
	}));
	const ec2: LocalEc2 = {
		launchTemplate: TEMPLATE_ID,
		types,
		subnets,
		addressPool: addresses.map(({ allocationId }) => allocationId),
		identityKey: signer.publicKey,
		channelsPerHost: burst.capacity,
	};
	const given = burstGiven(burst, ec2, env, paramNames);
	return { options: burst, signer, types, subnets, addresses, given };
};

export interface Burst {
	ec2: EmulatedEc2;
	machines: LocalMachines;
	/** Every machine is off then. */
	stop(): Promise<void>;
}

/** Starts what burst hosts are made of: the emulated EC2, and machines for its instances. */
export const startBurst = async (
	plan: BurstPlan,
	options: {
		definitions: Definitions;
		region: string;
		machines: Omit<MachinesOptions, "signer">;
		/** Takes EC2's events. */
		bus: EventBus;
		log: Log;
	},
): Promise<Burst> => {
	const { region, definitions, bus, log } = options;
	const { signer, subnets, addresses } = plan;
	const machines = new LocalMachines({ ...options.machines, signer });
	const ec2 = await startEc2({
		region,
		account: LOCAL_ACCOUNT,
		machines,
		bootSec: plan.options.bootSec,
		template: {
			id: definitions.exists(TEMPLATE) ? String(definitions.resolve({ Ref: TEMPLATE }, TEMPLATE)) : TEMPLATE_ID,
			imageId: IMAGE_ID,
			userData: USER_DATA,
		},
		subnets: subnets.map((id, i) => ({ id, zone: `${region}${String.fromCharCode("a".charCodeAt(0) + i)}` })),
		types: plan.types.split(",").map((type) => type.split("=")[0]?.trim() ?? ""),
		addresses,
		onEvent: ({ detailType, at, instanceId, detail }) => {
			const resources = [`arn:aws:ec2:${region}:${LOCAL_ACCOUNT}:instance/${instanceId}`];
			bus
				.put({ source: "aws.ec2", detailType, at, resources, detail })
				.catch((error: unknown) => log.error("ec2.eventNotSent", { instanceId, detail, error }));
		},
		log,
	});
	return {
		ec2,
		machines,
		stop: async () => {
			await ec2.stop();
			await machines.stop();
		},
	};
};

import { put } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { priceOf } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import { type Ec2Instance, hostIdOf } from "./ec2.ts";

/** Until the instance has said in which region it is. */
const REGION_UNKNOWN = "aws";

/**
 * The item of an instance that was launched, unless there is one: a launch that is repeated changes nothing.
 * @returns whether it is new
 */
export const putNewHost = async (
	deps: FleetDeps,
	tenant: string,
	instance: Ec2Instance,
	launchId: string,
	startedAt: number,
): Promise<boolean> => {
	const { instanceId, type, subnet, market, imageId, account } = instance;
	const hostId = hostIdOf(instanceId);
	const item: HostItem = {
		tenant,
		hostId,
		tier: "burst",
		region: REGION_UNKNOWN,
		state: "launching",
		cap: deps.burst.channelsPerHost,
		epoch: 0,
		seq: 0,
		ans: [],
		held: {},
		acc: {},
		low: 1,
		live: 0,
		lastSeenAt: 0,
		createdAt: deps.now(),
		inst: {
			instanceId,
			launchId,
			type,
			subnet,
			market,
			usdPerHour: priceOf(deps.burst, type),
			imageId,
			account,
			// The first start of an instance is its launch.
			startId: launchId,
			startedAt,
		},
	};
	const { ok } = await put<HostItem>(
		deps.db,
		{ TableName: deps.tables.hosts, Item: item, ConditionExpression: "attribute_not_exists(hostId)" },
		{ tenant, hostId },
	);
	if (ok) deps.log.info("host.launched", { hostId, instanceId, type, subnet, market, launchId });
	return ok;
};

import type { FleetItem, HostItem } from "../store/items.ts";
import { burstHosts } from "./counting.ts";
import type { Decision } from "./decision.ts";
import type { FleetDeps } from "./deps.ts";

/** While the fleet is awake it is looked at every few seconds. */

/** Whether something is under way: a host that is neither stopped nor gone, an open intent, a difference to what is wanted, work to be done. */
export const isUnderWay = (hosts: HostItem[], intents: FleetItem["intents"], decision: Decision): boolean =>
	burstHosts(hosts).some(({ state }) => state !== "stopped" && state !== "terminated") ||
	Object.keys(intents).length > 0 ||
	decision.wanted.onDemand !== decision.up.onDemand ||
	decision.wanted.spot !== decision.up.spot ||
	decision.demand.channels > 0;

const MINUTE_SEC = 60;

/** The looks for the rest of the minute, until the tick sends them. One that cannot be sent is made up for by the tick. */
export const askForMoreLooks = async (deps: FleetDeps, tenant: string, why: string): Promise<void> => {
	const delays: number[] = [];
	for (let at = deps.burst.lookSec; at < MINUTE_SEC; at += deps.burst.lookSec) delays.push(at);
	if (delays.length === 0) return;
	const body = { tenant, why: `awake: ${why}`, chain: true };
	try {
		await deps.queues.send(
			"fleet",
			delays.map((delaySec) => ({ body, delaySec })),
		);
		deps.log.info("fleet.awake", { why, looks: delays.length });
	} catch (error) {
		deps.log.warn("fleet.nudgeFailed", { why, error });
	}
};

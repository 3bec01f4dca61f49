import type { ApiDeps } from "../contacts/ports.ts";
import { getItem } from "../store/db.ts";
import { DEFAULT_TENANT, FLEET_STATE_ID, type FleetItem } from "../store/items.ts";
import { listOpen } from "./open-campaigns.ts";

/** The period of the tick, seconds. */
const MINUTE_SEC = 60;

/** Delays of messages spread over the minute: 0, one period, two periods … below a minute. Whole seconds, as SQS has them. */
export const minuteDelays = (periodSec: number): number[] => {
	const period = Math.max(1, periodSec);
	const delays: number[] = [];
	for (let at = 0; at < MINUTE_SEC; at += period) delays.push(Math.round(at));
	return delays.filter((delay) => delay < MINUTE_SEC);
};

/** Whether something is under way in the fleet. Where that cannot be read, one look a minute has to do. */
const isAwake = async (deps: ApiDeps, tenant: string): Promise<boolean> => {
	try {
		const key = { tenant, id: FLEET_STATE_ID };
		return (await getItem<FleetItem>(deps.db, deps.tables.fleet, key))?.awake ?? false;
	} catch (error) {
		deps.log.error("tick.fleetUnread", { error });
		return false;
	}
};

/** Asks for looks at the fleet: one at once, and every few seconds while something is under way there. @returns how many */
const askForLooks = async (deps: ApiDeps, tenant: string, lookSec: () => number): Promise<number> => {
	const delays = (await isAwake(deps, tenant)) ? minuteDelays(lookSec()) : [0];
	await deps.queues.send(
		"fleet",
		delays.map((delaySec) => ({ body: { tenant, why: "tick" }, delaySec })),
	);
	return delays.length;
};

/**
 * Once a minute: asks for the recovery of lost hosts, several times spread over the minute, for the care of every open campaign, and for looks at
 * the fleet. What fails keeps nothing else from being asked for.
 * @param lookSec while the fleet is awake it is looked at so often
 */
export const tick = async (deps: ApiDeps, lookSec: () => number): Promise<void> => {
	const tenant = DEFAULT_TENANT;
	// First and independent of all else: a dead host's calls wait for it.
	const delays = minuteDelays(deps.settings.recoveryPeriodSec);
	await deps.queues.send(
		"recovery",
		delays.map((delaySec) => ({ body: { tenant }, delaySec })),
	);
	const tend = async (): Promise<number> => {
		const open = await listOpen(deps, tenant);
		await deps.queues.send(
			"sweeps",
			open.map(({ kind, createdAt }) => ({ body: { tenant, campaignId: kind, markedAt: createdAt } })),
		);
		return open.length;
	};
	const [looks, open] = await Promise.allSettled([askForLooks(deps, tenant, lookSec), tend()]);
	const failures = [looks, open].flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
	if (failures.length > 0) throw new AggregateError(failures, "the tick could not ask for everything");
	deps.log.info("tick", {
		recoveries: delays.length,
		looks: looks.status === "fulfilled" ? looks.value : 0,
		openCampaigns: open.status === "fulfilled" ? open.value : 0,
	});
};

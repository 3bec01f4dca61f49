import type { ApiDeps } from "../contacts/ports.ts";
import { DEFAULT_TENANT } from "../store/items.ts";
import { listOpen } from "./open-campaigns.ts";

/** The period of the tick, seconds. */
const MINUTE_SEC = 60;

/** Delays of the minute's recovery messages: 0, one period, two periods … below a minute. Whole seconds, as SQS has them. */
export const recoveryDelays = (periodSec: number): number[] => {
	const period = Math.max(1, periodSec);
	const delays: number[] = [];
	for (let at = 0; at < MINUTE_SEC; at += period) delays.push(Math.round(at));
	return delays.filter((delay) => delay < MINUTE_SEC);
};

/** Once a minute: asks for the recovery of lost hosts, several times spread over the minute, and for the care of every open campaign. */
export const tick = async (deps: ApiDeps): Promise<void> => {
	const tenant = DEFAULT_TENANT;
	// First and independent of all else: a dead host's calls wait for it.
	const delays = recoveryDelays(deps.settings.recoveryPeriodSec);
	await deps.queues.send(
		"recovery",
		delays.map((delaySec) => ({ body: { tenant }, delaySec })),
	);
	const open = await listOpen(deps, tenant);
	await deps.queues.send(
		"sweeps",
		open.map(({ kind, createdAt }) => ({ body: { tenant, campaignId: kind, markedAt: createdAt } })),
	);
	deps.log.info("tick", { recoveries: delays.length, openCampaigns: open.length });
};

import { completeIfDone } from "../campaigns/complete.ts";
import { campaignOfLane } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import type { HostItem } from "../store/items.ts";
import { type Counted, copyStats } from "./counters.ts";
import { heldOf } from "./lanes.ts";
import type { Settled } from "./settle.ts";

/** Campaigns that one sync looks at: the host waits for its answer meanwhile, and the minute's tick looks at all. */
const MAX_COMPLETED_CAMPAIGNS = 3;

/**
 * What may be done after the commit and may be lost: the next copy, or the minute's tick, does it again. Counters are
 * copied every few syncs, and a campaign is looked at when the host has finished its last call of it.
 */
export const afterCommit = async (
	deps: Deps,
	host: HostItem,
	settled: Settled[],
	suppressed: readonly Counted[] = [],
): Promise<void> => {
	if (host.seq % deps.settings.statsEverySyncs === 0) {
		// Those at rest were copied before, or are when they are forgotten.
		const moving = new Set([
			...Object.keys(host.held).map(campaignOfLane),
			...settled.map(({ ref }) => ref.campaignId),
			...suppressed.map(({ campaignId }) => campaignId),
		]);
		for (const [campaignId, counts] of Object.entries(host.acc)) {
			if (moving.has(campaignId)) await copyStats(deps, host, campaignId, counts);
		}
	}
	const ended = new Set([
		...settled.flatMap(({ counted, ref }) => (counted?.final ? [ref.campaignId] : [])),
		...suppressed.map(({ campaignId }) => campaignId),
	]);
	const maybeComplete = [...ended].filter((campaignId) => heldOf(host.held, campaignId) === 0);
	for (const campaignId of maybeComplete.slice(0, MAX_COMPLETED_CAMPAIGNS)) {
		await completeIfDone(deps, host.tenant, campaignId);
	}
};

import { completeIfDone } from "../campaigns/complete.ts";
import type { Deps } from "../deps.ts";
import type { HostItem } from "../store/items.ts";
import { copyStats } from "./counters.ts";
import type { Settled } from "./settle.ts";

/**
 * What may be done after the commit and may be lost: the next copy, or the minute's tick, does it again. Counters are
 * copied every few syncs, and a campaign is looked at when the host has finished its last call of it.
 */
export const afterCommit = async (deps: Deps, host: HostItem, settled: Settled[]): Promise<void> => {
	if (host.seq % deps.settings.statsEverySyncs === 0) {
		for (const [campaignId, counts] of Object.entries(host.acc)) await copyStats(deps, host, campaignId, counts);
	}
	const ended = new Set(settled.flatMap(({ counted, ref }) => (counted?.final ? [ref.campaignId] : [])));
	for (const campaignId of ended) {
		if ((host.held[campaignId] ?? 0) === 0) await completeIfDone(deps, host.tenant, campaignId);
	}
};

import type { Deps } from "../deps.ts";
import { queryAll } from "../store/db.ts";
import {
	type CampaignItem,
	type Counts,
	campaignKey,
	type HostItem,
	type ImportChunkItem,
	type ImportItem,
	type StatsItem,
} from "../store/items.ts";
import { asOf } from "../sync/counters.ts";
import { heldOf } from "../sync/lanes.ts";

export interface CampaignCounts {
	total: number;
	pending: number;
	inProgress: number;
	done: number;
	/** Contacts finished, by the outcome of their last attempt. */
	outcomes: Record<string, number>;
	/** Attempts that ended. */
	attempts: number;
	/** Channel time of those whose beginning and end are known, ms, and their number. */
	channelMs: number;
	timed: number;
}

/** All items of one campaign: META, STATS, IMPORT. */
export interface CampaignItems {
	meta: CampaignItem | undefined;
	stats: StatsItem[];
	imports: ImportItem[];
	chunks: ImportChunkItem[];
}

export const readCampaignItems = async (deps: Deps, tenant: string, campaignId: string): Promise<CampaignItems> => {
	const items = await queryAll<Record<string, unknown> & { kind: string }>(deps.db, {
		TableName: deps.tables.campaigns,
		ConsistentRead: true,
		KeyConditionExpression: "campaign = :campaign",
		ExpressionAttributeValues: { ":campaign": campaignKey(tenant, campaignId).campaign },
	});
	return {
		meta: items.find((item) => item.kind === "META") as CampaignItem | undefined,
		stats: items.filter((item) => item.kind.startsWith("STATS#")) as unknown as StatsItem[],
		imports: items.filter((item) => /^IMPORT#[^#]+$/.test(item.kind)) as unknown as ImportItem[],
		chunks: items.filter((item) => /^IMPORT#[^#]+#CHUNK#/.test(item.kind)) as unknown as ImportChunkItem[],
	};
};

/** All hosts of the tenant (their inventories are left out). */
export const readHosts = async (deps: Deps, tenant: string): Promise<HostItem[]> => {
	const items = await queryAll<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	return items.filter((item) => !item.hostId.includes("#"));
};

/** Counters that the hosts contributed to a campaign: of each the newer of its own item and its STATS copy. Pure. */
export const newestCounts = (campaignId: string, stats: StatsItem[], hosts: HostItem[]): Counts[] => {
	const newest = new Map<string, { at: number; counts: Counts }>();
	for (const copy of stats) newest.set(copy.hostId, { at: copy.asOf, counts: copy.counts });
	for (const host of hosts) {
		const counts = host.acc[campaignId];
		const at = asOf(host);
		if (counts && at >= (newest.get(host.hostId)?.at ?? -1)) newest.set(host.hostId, { at, counts });
	}
	return [...newest.values()].map(({ counts }) => counts);
};

/** Calls of a campaign that are granted and not settled, by all hosts. */
export const inProgressOf = (campaignId: string, hosts: HostItem[]): number =>
	hosts.reduce((n, host) => n + heldOf(host.held, campaignId), 0);

/** Counters of a campaign. Pure. */
export const countsFrom = (campaignId: string, items: CampaignItems, hosts: HostItem[]): CampaignCounts => {
	const inProgress = inProgressOf(campaignId, hosts);
	const total = items.chunks.reduce((n, chunk) => n + chunk.accepted, 0);
	const outcomes: Record<string, number> = {};
	let attempts = 0;
	let done = 0;
	let channelMs = 0;
	let timed = 0;
	for (const counts of newestCounts(campaignId, items.stats, hosts)) {
		attempts += counts["a"] ?? 0;
		done += counts["f"] ?? 0;
		channelMs += counts["h"] ?? 0;
		timed += counts["m"] ?? 0;
		for (const [key, n] of Object.entries(counts)) {
			if (key.startsWith("o_")) outcomes[key.slice(2)] = (outcomes[key.slice(2)] ?? 0) + n;
		}
	}
	// The sweep of a cancelled campaign counts nothing: when it is over, whoever was not called is cancelled.
	if (items.meta?.sweptAt !== undefined && total > done) {
		outcomes["cancelled"] = total - done;
		done = total;
	}
	const pending = Math.max(0, total - done - inProgress);
	return { total, pending, inProgress, done, outcomes, attempts, channelMs, timed };
};

export const campaignCounts = async (deps: Deps, tenant: string, campaignId: string): Promise<CampaignCounts> => {
	const [items, hosts] = await Promise.all([readCampaignItems(deps, tenant, campaignId), readHosts(deps, tenant)]);
	return countsFrom(campaignId, items, hosts);
};

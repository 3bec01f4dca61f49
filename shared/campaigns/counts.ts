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

export interface CampaignCounts {
	total: number;
	pending: number;
	inProgress: number;
	done: number;
	/** Contacts finished, by the outcome of their last attempt. */
	outcomes: Record<string, number>;
	/** Attempts that ended. */
	attempts: number;
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

/** Counters of a campaign: of each host the newer of its own item and its STATS copy. Pure. */
export const countsFrom = (campaignId: string, items: CampaignItems, hosts: HostItem[]): CampaignCounts => {
	const newest = new Map<string, { at: number; counts: Counts }>();
	for (const stats of items.stats) newest.set(stats.hostId, { at: stats.asOf, counts: stats.counts });
	let inProgress = 0;
	for (const host of hosts) {
		inProgress += host.held[campaignId] ?? 0;
		const counts = host.acc[campaignId];
		const at = asOf(host);
		if (counts && at >= (newest.get(host.hostId)?.at ?? -1)) newest.set(host.hostId, { at, counts });
	}
	const total = items.chunks.reduce((n, chunk) => n + chunk.accepted, 0);
	const outcomes: Record<string, number> = {};
	let attempts = 0;
	let done = 0;
	for (const { counts } of newest.values()) {
		attempts += counts["a"] ?? 0;
		done += counts["f"] ?? 0;
		for (const [key, n] of Object.entries(counts)) {
			if (key.startsWith("o_")) outcomes[key.slice(2)] = (outcomes[key.slice(2)] ?? 0) + n;
		}
	}
	// The sweep of a cancelled campaign counts nothing: when it is over, whoever was not called is cancelled.
	if (items.meta?.sweptAt !== undefined && total > done) {
		outcomes["cancelled"] = total - done;
		done = total;
	}
	return { total, pending: Math.max(0, total - done - inProgress), inProgress, done, outcomes, attempts };
};

export const campaignCounts = async (deps: Deps, tenant: string, campaignId: string): Promise<CampaignCounts> => {
	const [items, hosts] = await Promise.all([readCampaignItems(deps, tenant, campaignId), readHosts(deps, tenant)]);
	return countsFrom(campaignId, items, hosts);
};

import { QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { inProgressOf, newestCounts } from "../campaigns/counts.ts";
import { meanHoldSec } from "../campaigns/hold.ts";
import type { BurstSettings } from "../config/burst-settings.ts";
import { laneOf } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { batchGet, queryAll } from "../store/db.ts";
import {
	type CampaignItem,
	campaignKey,
	type HostItem,
	type ImportChunkItem,
	type InventoryItem,
	inventoryKey,
	type StatsItem,
	shardKey,
	type TrunkItem,
} from "../store/items.ts";
import { callingRules } from "../suppression/calling-policy.ts";
import { blockedByList } from "../suppression/suppressed-by.ts";
import { pacedCps } from "../sync/campaign-rate.ts";
import { hostHas } from "../sync/choose.ts";
import { trunkIndexOf, trunksOf } from "../sync/lanes.ts";
import { cpsAt } from "../sync/trunk-pace.ts";
import { readCampaigns, readTrunks } from "../sync/world.ts";
import type { CampaignDemand, Demand, TrunkDemand } from "./demand.ts";

/** Scheduled campaigns are read so long before hosts must be started for them: who looks once a minute knows of the next start. */
const AHEAD_SEC = 60;
/** Contacts are counted for so much longer than until a host started now is up and has paid: the next look finds some too. */
const COUNT_AHEAD_SEC = 60;
/** An index shows new contacts within this time; until then the import's own count is believed. */
const INDEX_LAG_SEC = 30;

export interface DemandInput {
	/** Every host of the tenant, whatever its state. */
	hosts: HostItem[];
	/** From the start of a host to its first hello, seconds. */
	bootSec: number;
	burst: Pick<BurstSettings, "channelsPerHost" | "maxHosts" | "minUseSec">;
	/** Campaigns for which no host is started or kept, and why. Absent: none. */
	stops?: ReadonlyMap<string, string>;
	/** Whether the fleet has a pool of Elastic IPs. */
	hasAddressPool: boolean;
}

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** Channels of lost hosts' calls that may still be up: of one campaign, or of all. */
const setAside = (trunk: TrunkItem, now: number, campaignId?: string): number =>
	sumOf(
		Object.values(trunk.z)
			.filter(({ until }) => until >= now)
			.flatMap(({ n }) => (campaignId === undefined ? Object.values(n) : [n[campaignId] ?? 0])),
	);

/** Counts a shard's contacts that are due until a moment, up to `most`. */
const countShard = async (deps: Deps, shard: string, until: number, most: number): Promise<number> => {
	let count = 0;
	let start: QueryCommandInput["ExclusiveStartKey"];
	do {
		const answer = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.contacts,
				IndexName: "due",
				Select: "COUNT",
				KeyConditionExpression: "shardKey = :shard AND dueAt <= :until",
				ExpressionAttributeValues: { ":shard": shard, ":until": until },
				Limit: most - count,
				...(start ? { ExclusiveStartKey: start } : {}),
			}),
		);
		count += answer.Count ?? 0;
		start = answer.LastEvaluatedKey;
	} while (start && count < most);
	return count;
};

/**
 * Contacts due until a moment, by the index. Read up to `most` of them: a list of a million costs no more than one of some thousands. Contacts are
 * spread evenly over the shards, so each is read up to its part.
 */
const countDue = async (
	deps: Deps,
	campaign: CampaignItem,
	until: number,
	most: number,
): Promise<{ due: number; dueIsBound: boolean }> => {
	const perShard = Math.max(1, Math.ceil(most / campaign.shards));
	const counts = await Promise.all(
		Array.from({ length: campaign.shards }, (_, shard) =>
			countShard(deps, shardKey(campaign.tenant, campaign.campaignId, shard), until, perShard),
		),
	);
	return { due: sumOf(counts), dueIsBound: counts.some((count) => count >= perShard) };
};

const readStats = (deps: Deps, campaign: CampaignItem): Promise<StatsItem[]> =>
	queryAll<StatsItem>(deps.db, {
		TableName: deps.tables.campaigns,
		KeyConditionExpression: "campaign = :campaign AND begins_with(kind, :stats)",
		ExpressionAttributeValues: {
			":campaign": campaignKey(campaign.tenant, campaign.campaignId).campaign,
			":stats": "STATS#",
		},
	});

/** Contacts that were accepted, by the imports' own count. */
const readAccepted = async (deps: Deps, campaign: CampaignItem, consistent: boolean): Promise<number> => {
	const chunks = await queryAll<ImportChunkItem>(deps.db, {
		TableName: deps.tables.campaigns,
		ConsistentRead: consistent,
		KeyConditionExpression: "campaign = :campaign AND begins_with(kind, :import)",
		ExpressionAttributeValues: {
			":campaign": campaignKey(campaign.tenant, campaign.campaignId).campaign,
			":import": "IMPORT#",
		},
	});
	// An import counts what its chunks count, once it is done.
	return sumOf(chunks.filter(({ kind }) => /^IMPORT#[^#]+#CHUNK#/.test(kind)).map(({ accepted }) => accepted));
};

/** Whether a campaign's contacts count now, or will soon. */
const isOpen = ({ state, startAt }: CampaignItem, now: number, bootSec: number): boolean =>
	state === "running" || (state === "scheduled" && (startAt ?? 0) <= now + (bootSec + AHEAD_SEC) * 1_000);

/** Why no burst host can carry the calls of a campaign; undefined: one can. */
const whyNotOnBurst = (
	campaign: CampaignItem,
	{ trunk }: TrunkItem,
	inventories: InventoryItem[],
	{ hosts, hasAddressPool }: DemandInput,
): string | undefined => {
	if (trunk.hosts === "steady") return `trunk ${trunk.id} is for steady hosts only`;
	if (trunk.hosts !== "all" && !hosts.some(({ tier, hostId }) => tier === "burst" && trunk.hosts.includes(hostId))) {
		return `trunk ${trunk.id} names its hosts, and none of them is a burst host`;
	}
	if (trunk.addresses === "known" && !hasAddressPool) {
		return `the carrier of trunk ${trunk.id} must know the address, and there is no pool of Elastic IPs`;
	}
	if (inventories.length === 0 || inventories.some((inventory) => hostHas(campaign, inventory))) return undefined;
	return "play" in campaign.then
		? `no burst host has the sound ${campaign.then.play}`
		: `no burst host has the context ${"context" in campaign.then ? campaign.then.context : ""}`;
};

/** What burst hosts said they have. Terminated ones may have had another image. */
const burstInventories = (deps: Deps, tenant: string, hosts: HostItem[]): Promise<InventoryItem[]> =>
	batchGet<InventoryItem>(
		deps.db,
		deps.tables.hosts,
		hosts
			.filter(({ tier, state }) => tier === "burst" && state !== "terminated")
			.map(({ hostId }) => inventoryKey(tenant, hostId)),
	);

/** The part of a campaign's calls that goes through a trunk. */
const partOf = (campaign: CampaignItem, trunkId: string): number => {
	const trunks = trunksOf(campaign);
	return (trunks.find(({ id }) => id === trunkId)?.weight ?? 0) / sumOf(trunks.map(({ weight }) => weight));
};

/** Demand of a campaign on one of its trunks. */
const demandOf = async (
	deps: Deps,
	campaign: CampaignItem,
	trunk: TrunkItem,
	inventories: InventoryItem[],
	input: DemandInput,
): Promise<CampaignDemand> => {
	const { hosts, bootSec, burst } = input;
	const now = deps.now();
	const { campaignId } = campaign;
	const counts = newestCounts(campaignId, await readStats(deps, campaign), hosts);
	const inProgress = inProgressOf(campaignId, hosts);
	const { holdSec, holdMeasured } = meanHoldSec(
		counts,
		inProgress,
		campaign,
		(now - (campaign.startedAt ?? now)) / 1_000,
	);
	const cps = pacedCps(campaign, trunk.trunkId);
	const paced = cps === undefined ? Number.POSITIVE_INFINITY : Math.ceil(cps * holdSec);
	const room = Math.min(trunk.c[campaignId]?.cap ?? trunk.cap, trunk.cap, paced);
	const cap = Math.max(0, room - setAside(trunk, now, campaignId));
	const part = partOf(campaign, trunk.trunkId);

	// More than the whole fleet could dial in the time makes no difference.
	const steady = sumOf(hosts.filter(({ tier }) => tier === "steady").map((host) => host.cap));
	const reach = Math.min(cap, steady + burst.maxHosts * burst.channelsPerHost);
	const turns = Math.max(1, (bootSec + burst.minUseSec + COUNT_AHEAD_SEC) / holdSec);
	const startAt = campaign.state === "scheduled" ? campaign.startAt : undefined;
	// A second after its start: the rows of a list are due one after the other within it.
	const until = Math.max(now + bootSec * 1_000, startAt === undefined ? 0 : startAt + 1_000);
	let { due, dueIsBound } = await countDue(deps, campaign, until, Math.ceil(reach * turns));

	const deadline = campaign.deadline !== undefined && campaign.deadline > now ? campaign.deadline : undefined;
	const attempts = sumOf(counts.map((each) => each["a"] ?? 0));
	const begins = startAt !== undefined || now - (campaign.startedAt ?? now) < INDEX_LAG_SEC * 1_000;
	const mayBeBehind = begins && attempts === 0 && !dueIsBound;
	let pending: number | undefined;
	if (deadline !== undefined || dueIsBound || mayBeBehind) {
		const finished = sumOf(counts.map((each) => each["f"] ?? 0));
		pending = Math.max(0, (await readAccepted(deps, campaign, mayBeBehind)) - finished - inProgress);
		if (mayBeBehind) {
			// What waits for its calling window is in the index with its time; only what is not there yet may be due.
			const indexed = await countDue(deps, campaign, Number.MAX_SAFE_INTEGER, Math.ceil(reach * turns));
			if (!indexed.dueIsBound) due += Math.max(0, pending - indexed.due);
		}
	}
	const notOnBurst = input.stops?.get(campaignId) ?? whyNotOnBurst(campaign, trunk, inventories, input);
	const lane = laneOf({ campaignId, trunkIndex: Math.max(0, trunkIndexOf(campaign, trunk.trunkId)) });
	return {
		campaignId: lane,
		name: campaign.name,
		trunkId: trunk.trunkId,
		cap,
		due: Math.ceil(due * part),
		dueIsBound,
		inProgress: sumOf(hosts.map(({ held }) => held[lane] ?? 0)),
		holdSec,
		holdMeasured,
		...(startAt === undefined ? {} : { startAt }),
		...(deadline === undefined ? {} : { deadline }),
		...(pending === undefined ? {} : { pending: Math.ceil(pending * part) }),
		...(campaign.priority === undefined ? {} : { priority: campaign.priority }),
		allowDroppedCalls: campaign.allowDroppedCalls ?? false,
		...(notOnBurst === undefined ? {} : { notOnBurst }),
	};
};

/**
 * What the tenant's campaigns could use of the fleet now and until a host started now would be at work. Throws where something cannot be read: then
 * nothing is decided upon a part.
 */
export const readDemand = async (deps: Deps, tenant: string, input: DemandInput): Promise<Demand> => {
	const { trunks } = await readTrunks(deps, tenant);
	// Nobody is called for a campaign whose do-not-call list cannot be relied on: no host is started for it.
	const { lists } = await callingRules(deps, tenant);
	const now = deps.now();
	const campaigns = await readCampaigns(
		deps,
		tenant,
		[...trunks.values()].flatMap((trunk) => Object.keys(trunk.c)),
	);
	const open = [...campaigns.values()]
		.filter((campaign) => isOpen(campaign, now, input.bootSec) && !blockedByList(lists, campaign, now))
		.sort((a, b) => (a.campaignId < b.campaignId ? -1 : 1));
	const asksHosts = open.some(({ then }) => !("wait" in then));
	const inventories = asksHosts ? await burstInventories(deps, tenant, input.hosts) : [];
	return {
		campaigns: await Promise.all(
			open.flatMap((campaign) =>
				trunksOf(campaign).flatMap(({ id }) => {
					const trunk = trunks.get(id);
					return trunk?.c[campaign.campaignId] ? [demandOf(deps, campaign, trunk, inventories, input)] : [];
				}),
			),
		),
		trunks: [...trunks.values()].map(
			(item): TrunkDemand => ({
				trunkId: item.trunkId,
				cap: Math.max(0, item.cap - setAside(item, now)),
				maxCps: cpsAt(item, now),
				hosts: item.trunk.hosts,
				addresses: item.trunk.addresses,
			}),
		),
	};
};

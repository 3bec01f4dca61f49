import type { Deps } from "../deps.ts";
import { isCampaignBooked } from "../ledger/book-use.ts";
import { dayOf } from "../ledger/days.ts";
import { getItem, put } from "../store/db.ts";
import {
	type CampaignItem,
	type Counts,
	campaignKey,
	type HistoryEntry,
	type HostItem,
	type StatsItem,
} from "../store/items.ts";
import { heldOf } from "./lanes.ts";
import { longestHoldSec } from "./retry.ts";
import type { Settled } from "./settle.ts";
import type { World } from "./world.ts";

/** One ended attempt, as counted. */
export interface Counted {
	campaignId: string;
	outcome: string;
	final: boolean;
	/** False: the contact ended without a call. Absent: a call was placed, or lost with its host. */
	placed?: boolean;
	/** How long it had a channel; absent: nobody knows. */
	channelMs?: number | undefined;
	/** Of an answered call: how long it was up, and what it sent meanwhile. */
	talk?: Talk | undefined;
}

/** From the answer to the end of a call. */
export interface Talk {
	ms: number;
	/** The first that its trunk allows: the agent does not say which was agreed upon. */
	codec: string;
}

/** Steps in which carriers bill the talk of a call, seconds, and the counter of each: whole seconds, a tenth of a minute, whole minutes. */
export const BILLED_STEPS = { 1: "s", 6: "s6", 60: "s60" } as const;

const MS_PER_SEC = 1_000;

type CallLimits = Pick<CampaignItem, "ringTimeoutSec" | "maxCallSec">;

/**
 * Time from one moment of a call's record to another; undefined where one of both is not known. A host's clock may have jumped between the two: never below 0, nor
 * longer than any call may be.
 */
const spanMs = (from: number | undefined, to: number | undefined, campaign: CallLimits): number | undefined =>
	from === undefined || to === undefined
		? undefined
		: Math.min(Math.max(0, to - from), longestHoldSec(campaign) * MS_PER_SEC);

/** How long an attempt had its channel, by its record: from the originate to the end. */
export const channelMsOf = ({ t0, t3 }: Pick<HistoryEntry, "t0" | "t3">, campaign: CallLimits): number | undefined =>
	spanMs(t0, t3, campaign);

/** How long an answered call was up, by its record; undefined: it was not answered, or that is not known. */
export const talkMsOf = ({ t2, t3 }: Pick<HistoryEntry, "t2" | "t3">, campaign: CallLimits): number | undefined =>
	spanMs(t2, t3, campaign);

/** Counts the talk of one call: its length, and what a carrier bills for it, which rounds each call up by itself. */
const addTalk = (counts: Counts, { ms, codec }: Talk): void => {
	const add = (name: string, n: number): void => {
		counts[name] = (counts[name] ?? 0) + n;
	};
	add("n", 1);
	add(`t_${codec}`, ms);
	for (const [step, name] of Object.entries(BILLED_STEPS)) {
		const stepSec = Number(step);
		add(name, Math.ceil(ms / (stepSec * MS_PER_SEC)) * stepSec);
	}
};

/** Adds ended attempts to counters; returns the new absolute counters of the campaigns that changed. */
export const addCounted = (acc: Record<string, Counts>, counted: Counted[]): Record<string, Counts> => {
	const changed: Record<string, Counts> = {};
	for (const { campaignId, outcome, final, placed = true, channelMs, talk } of counted) {
		const counts = { ...(changed[campaignId] ?? acc[campaignId] ?? {}) };
		if (placed) counts["a"] = (counts["a"] ?? 0) + 1;
		if (final) {
			counts["f"] = (counts["f"] ?? 0) + 1;
			counts[`o_${outcome}`] = (counts[`o_${outcome}`] ?? 0) + 1;
		}
		if (channelMs !== undefined) {
			counts["h"] = (counts["h"] ?? 0) + channelMs;
			counts["m"] = (counts["m"] ?? 0) + 1;
		}
		if (talk) addTalk(counts, talk);
		changed[campaignId] = counts;
	}
	return changed;
};

export const addCounts = (acc: Record<string, Counts>, settled: Settled[]): Record<string, Counts> =>
	addCounted(
		acc,
		settled.flatMap(({ ref, counted }) => (counted ? [{ campaignId: ref.campaignId, ...counted }] : [])),
	);

/** Order of two states of one host's counters: by epoch, then seq. A seq has at most 6 base-36 digits, below 2³². */
export const asOf = (host: Pick<HostItem, "epoch" | "seq">): number => host.epoch * 2 ** 32 + host.seq;

export const statsKind = (hostId: string): string => `STATS#${hostId}`;

/** Copies one campaign's counters of a host to its STATS item, unless a newer copy is there. */
export const copyStats = async (
	deps: Deps,
	host: Pick<HostItem, "tenant" | "hostId" | "epoch" | "seq">,
	campaignId: string,
	counts: Counts,
): Promise<void> => {
	const key = campaignKey(host.tenant, campaignId, statsKind(host.hostId));
	const item: StatsItem = { ...key, hostId: host.hostId, asOf: asOf(host), counts };
	await put<StatsItem>(
		deps.db,
		{
			TableName: deps.tables.campaigns,
			Item: item,
			ConditionExpression: "attribute_not_exists(asOf) OR asOf < :asOf",
			ExpressionAttributeValues: { ":asOf": item.asOf },
		},
		key,
	);
};

const equalCounts = (a: Counts, b: Counts): boolean =>
	[...Object.keys(a), ...Object.keys(b)].every((key) => (a[key] ?? 0) === (b[key] ?? 0));

/** Whether nothing can be added to a campaign's counters any more. */
export const isOver = (campaign: { state: string; sweptAt?: number } | undefined): boolean =>
	campaign === undefined ||
	campaign.state === "completed" ||
	(campaign.state === "cancelled" && campaign.sweptAt !== undefined);

/** Campaigns looked at by one sync for {@link forgettable}: the others have their turn later. */
const MAX_FORGET = 10;

/** Campaigns that are over and whose counters are safe in STATS and in the ledger: they leave the host's item, so that it stays small. */
export const forgettable = async (
	deps: Deps,
	host: HostItem,
	world: World,
	held: Record<string, number>,
	settled: Settled[],
	seq: number,
): Promise<string[]> => {
	if (seq % deps.settings.statsEverySyncs !== 0) return [];
	const touched = new Set(settled.map(({ ref }) => ref.campaignId));
	const forget: string[] = [];
	let looked = 0;
	for (const [campaignId, counts] of Object.entries(host.acc)) {
		if (looked >= MAX_FORGET) break;
		if (touched.has(campaignId) || heldOf(held, campaignId) > 0) continue;
		const campaign =
			world.campaigns.get(campaignId) ??
			(await getItem<{ state: string; sweptAt?: number } & Record<string, unknown>>(
				deps.db,
				deps.tables.campaigns,
				campaignKey(host.tenant, campaignId),
			));
		if (!isOver(campaign)) continue;
		looked++;
		const stats = await getItem<StatsItem>(
			deps.db,
			deps.tables.campaigns,
			campaignKey(host.tenant, campaignId, statsKind(host.hostId)),
		);
		if (!stats || !equalCounts(stats.counts, counts)) await copyStats(deps, host, campaignId, counts);
		else if (await isCampaignBooked(deps, host, campaignId, counts, dayOf(deps.now()))) forget.push(campaignId);
	}
	return forget;
};

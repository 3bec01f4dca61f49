import type { Then } from "../../contract/call.ts";
import type { Amd, CalleeLimit, CampaignState, From, Retry } from "../../contract/campaign.ts";
import type { Trunk } from "../../contract/trunk.ts";
import type { Purpose, Window } from "../../contract/window.ts";

// Table campaigns: key (campaign, kind); index `list` (tenant, campaignId), only META items, keys only

export const campaignKey = (tenant: string, campaignId: string, kind = "META") => ({
	campaign: `${tenant}#${campaignId}`,
	kind,
});

/** Key `META`. */
export interface CampaignItem extends Record<string, unknown> {
	campaign: string;
	kind: "META";
	tenant: string;
	campaignId: string;
	/** Who made it: `campaign`, or `call` for one test call (not listed among campaigns). */
	origin: "campaign" | "call";
	name: string;
	state: CampaignState;
	/** Absent in items of earlier versions: `informational`, as nothing was asked of them. */
	purpose?: Purpose;
	/** Of its trunks: private numbers have no place. Absent: `e164`. */
	numbering?: Trunk["numbering"];
	/** Rules of law that were not applied to a call because of its purpose: when first, ms. Only where a purpose is exempt from some. */
	exemptions?: Record<string, { at: number; tokenId?: string }>;
	/** The first of its trunks. */
	trunk: string;
	/** All its trunks, the first included, in an order that never changes: callIds name them by index. Absent: the one. */
	trunks?: { id: string; weight: number }[];
	/** As given; absent: the trunk's. */
	callerIds?: string[];
	window?: Window;
	calleeLimit?: CalleeLimit;
	suppressionLists?: string[];
	amd?: Amd;
	maxCps?: number;
	/** How `maxChannels` is divided over several trunks: see shared/campaigns/division.ts. */
	division?: { v: number; caps: Record<string, number> };
	/** Absent: {@link DEFAULT_PRIORITY}. */
	priority?: number;
	/** The token that made it: an exemption from a rule is recorded with it. */
	tokenId?: string;
	callerId?: string;
	/** Its list is made of another campaign's contacts. */
	from?: From;
	then: Then;
	/** Milliseconds since 1970, as are all times in the tables. */
	startAt?: number;
	/** When it should be done. */
	deadline?: number;
	/** Spot hosts may carry its calls. */
	allowDroppedCalls?: boolean;
	/** Absent: the trunk's. */
	maxChannels?: number;
	ringTimeoutSec: number;
	maxCallSec: number;
	retry: Retry;
	shards: number;
	createdAt: number;
	/** First became `running`. */
	startedAt?: number;
	finishedAt?: number;
	/** State to go back to at resume. */
	pausedFrom?: "importing" | "scheduled" | "running";
	/** Imports begun and not finished: the campaign is not complete before this is 0. */
	openImports: number;
	/** Raised by every import begun, so that completion cannot overtake one. */
	importVersion: number;
	/** Cancelled, and every contact is done. */
	sweptAt?: number;
	/** Why it failed. */
	failure?: string;
}

/** Key `STATS#hostId`: the counters one host contributed, absolute values; `asOf` = epoch·2³² + seq of the host's item then. */
export interface StatsItem extends Record<string, unknown> {
	campaign: string;
	kind: string;
	hostId: string;
	asOf: number;
	counts: Counts;
}

/**
 * Counters of one campaign by one host: `a` attempts that ended (placed, or lost with the host); `f` contacts finished;
 * `o_<outcome>` contacts finished with that outcome; `h` channel time of the ended attempts, ms, and `m` the attempts whose time is in it; `n` answered
 * attempts whose talk is known, `t_<codec>` that talk, ms, and `s`, `s6`, `s60` seconds of it, each call rounded up to whole steps of 1, 6 and 60.
 */
export type Counts = Record<string, number>;

/** Key `IMPORT#importId`: one list being added. */
export interface ImportItem extends Record<string, unknown> {
	campaign: string;
	kind: string;
	importId: string;
	state: "open" | "uploading" | "done" | "failed";
	createdAt: number;
	finishedAt?: number;
	/** Chunks known so far; `chunks` is final once `split` is true. */
	chunks: number;
	split: boolean;
	/** Set when the import is done. */
	accepted?: number;
	duplicates?: number;
	rejectedCount?: number;
	failure?: string;
}

/** Key `IMPORT#importId#CHUNK#n`: the result of one chunk, written once. */
export interface ImportChunkItem extends Record<string, unknown> {
	campaign: string;
	kind: string;
	accepted: number;
	duplicates: number;
	rejectedCount: number;
	/** The first few, for the report; the rest is counted. */
	rejected: { line: number; number: string; reason: string }[];
}

import type { AmdResult, Then } from "../contract/call.ts";
import type {
	Amd,
	CalleeLimit,
	CampaignState,
	Consent,
	ContactNumber,
	ContactState,
	From,
	Retry,
} from "../contract/campaign.ts";
import type { ScheduleInput } from "../contract/fleet.ts";
import type { Inventory } from "../contract/host.ts";
import type { Outcome } from "../contract/outcome.ts";
import type { CallingPolicy, SuppressionScope } from "../contract/suppression.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { Purpose, Window } from "../contract/window.ts";
import type { Decision } from "../fleet/decision.ts";
import type { HostState } from "../fleet/life.ts";

import type { Refusals } from "../sync/trunk-pace.ts";

export type { HostState } from "../fleet/life.ts";

/**
 * What the tables hold. Every key begins with the tenant (tokens excepted: the tenant is found by the token).
 * Field names are short where the item is written for every call; each has its meaning here.
 */

/** The only tenant for now. */
export const DEFAULT_TENANT = "default";

/** Shards of a campaign's contacts: each is a partition of 1,000 write units a second. */
export const CONTACT_SHARDS = 4;

// ---- campaigns: key (campaign, kind); index `list` (tenant, campaignId), only META items, keys only -----------------

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
 * `o_<outcome>` contacts finished with that outcome; `h` channel time of the ended attempts, ms, and `m` the attempts whose time is in it.
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

// ---- contacts: key (shardKey, contactKey); index `due` (shardKey, dueAt), keys only, only while pending ---------------

export const shardKey = (tenant: string, campaignId: string, shard: number): string =>
	`${tenant}#${campaignId}#${shard}`;

/** The shard of a contact: from its key, which is evenly spread. */
export const shardOf = (contactKey: string, shards: number): number => {
	let value = 0;
	for (const char of contactKey.slice(0, 4)) value = value * 36 + Number.parseInt(char, 36);
	return value % shards;
};

export interface ContactItem extends Record<string, unknown> {
	shardKey: string;
	contactKey: string;
	contactId: string;
	/** The number to dial next. */
	number: string;
	/** All its numbers in order, where there are several; `ni`: which of them is `number`. */
	nums?: ContactNumber[];
	ni?: number;
	/** What `number` is, where it is the only one and that was given. */
	kind?: string;
	/** The callee's zone as given with the contact. */
	tz?: string;
	consent?: Consent;
	vars?: Record<string, string>;
	state: ContactState;
	/** The attempt under way or next; 1 at first. */
	attempt: number;
	/** Raised by every change of state. */
	ver: number;
	/** `hostId#epoch#seq` of the sync that claimed it; only while claimed. */
	lease?: string;
	/** Only while pending: ms since 1970, with a fraction that keeps the order of the list. */
	dueAt?: number;
	/** By attempt; absent before the first ends. */
	hist?: Record<string, HistoryEntry>;
	/** How the contact ended; only when done. */
	outcome?: Outcome;
	/** Only while pending and due later for another reason than a retry: what it waits for. */
	wait?: { for: "window" | "calleeLimit"; rule: string };
	/** Only when it ended without being called: why, and the lease of the sync that ended it. */
	sup?: { by: string; why: string };
	/** The next attempt is to go through another trunk than this one, by index, where there is one that can take it. */
	not?: number;
	/** `importId#row` of the import that brought it: tells a repeated chunk from a duplicate. */
	imp: string;
}

/** One attempt. */
export interface HistoryEntry {
	o: Outcome;
	/** `hostId#epoch#seq` of the sync that settled it, or `reap#hostId#epoch`. */
	by: string;
	/** The lease it was called under: `hostId#epoch#seq`. */
	lease: string;
	/** The contact's version under that lease: with it the callId can be rebuilt. */
	ver: number;
	/** Whether the contact was finished by it. */
	fin: boolean;
	/** Which of the contact's numbers, and which of the campaign's trunks, where there are several. */
	n?: number;
	tr?: number;
	/** Q.850 cause and SIP status. */
	cause?: number;
	sip?: number;
	/** Started, ringing, answered, ended: ms since 1970. */
	t0?: number;
	t1?: number;
	t2?: number;
	t3?: number;
	vars?: Record<string, string>;
	/** Answering machines: verdict, cause, ms from the answer to the verdict, ms until the greeting was over, and how that was noticed. */
	amd?: {
		v: AmdResult["verdict"];
		c?: string;
		d?: number;
		g?: number;
		e?: NonNullable<AmdResult["greetingEnd"]>;
	};
	/** A report that came after the call had been recovered: kept, changes nothing. */
	late?: Outcome;
}

// ---- hosts: key (tenant, hostId) ------------------------------------------------------------------------------------

export interface HostItem extends Record<string, unknown> {
	tenant: string;
	hostId: string;
	tier: "steady" | "burst";
	region: string;
	state: HostState;
	/** Channels. */
	cap: number;
	/** 0 before the first hello. */
	epoch: number;
	/** Nonce of the hello that got the epoch. */
	boot?: string;
	seq: number;
	/** Indexes of the candidates granted by `seq`. */
	ans: number[];
	/** Which agent sent `seq`. */
	agent?: string;
	/** Calls held of this epoch (granted, neither completed nor returned), by campaign and trunk: see laneOf in shared/contract/ids.ts. */
	held: Record<string, number>;
	/** Counters by campaign. */
	acc: Record<string, Counts>;
	/** Oldest seq of this epoch with an unsettled call. */
	low: number;
	/** Channels up, as the host last said. */
	live: number;
	lastSeenAt: number;
	createdAt: number;
	/** Epoch and seq that a loss ended. */
	lostE?: number;
	lostS?: number;
	/** An operator's drain: the host is to be drained after its recovery or restart too. */
	drainWanted?: boolean;
	/** Only while draining or drained: since when, by whom, and the moment after which its calls are ended (absent: never). */
	drainAt?: number;
	drainBy?: DrainBy;
	drainUntil?: number;
	/** Syncs one after the other, of this epoch and while draining, with nothing live and nothing unsettled. */
	quiet?: number;
	/** Asterisk and agent, as the last sync said. */
	health?: "up" | "asteriskDown" | "stopping";
	/** Trunks whose carrier does not answer this host, as it last said; absent: it never said. */
	deadTrunks?: string[];
	/** What its calls came to lately, by trunk, where some were refused. */
	refusals?: Record<string, Refusals>;
	/** Only for a burst host: since when its syncs leave channels free to hosts before it that do not take them; see shared/sync/precedence.ts. */
	leavesSince?: number;
	/** Only for a burst host. */
	inst?: Instance;
}

/** Who drains a host: a person, the fleet (not needed any more), a spot interruption, or a fault of the host. */
export type DrainBy = "operator" | "fleet" | "spot" | "fault";

/** The EC2 instance of a burst host. Times are ms since 1970. */
export interface Instance {
	instanceId: string;
	/** The intent that launched it: its ClientToken, and a tag of the instance. */
	launchId: string;
	/** As {@link Offering}. */
	type: string;
	subnet: string;
	market: "on-demand" | "spot";
	/** Price of the instance and its public address. */
	usdPerHour: number;
	/** As EC2 said when it was launched: an identity document must say the same. */
	imageId: string;
	account: string;
	/** Names this start: drawn anew whenever it is launched or started. */
	startId: string;
	/** EC2 was asked to launch or start it. */
	startedAt: number;
	/** First hello of this start. */
	readyAt?: number;
	/** The start that was enrolled, SHA-256 of the nonce that enrolled it, and the hash of the token it got. */
	enrolledStart?: string;
	enrolledBy?: string;
	tokenHash?: string;
	/** EC2 was asked to stop or terminate it, why, and which of both. */
	stopAt?: number;
	stopReason?: string;
	end?: "stop" | "terminate";
	/** Why this start failed. */
	failure?: string;
	/** Elastic IP from the pool, where one was associated. */
	addressId?: string;
	publicAddress?: string;
}

/** Key (`tenant#inventory`, hostId): apart, so that neither a sync nor a list of hosts pays for it. */
export interface InventoryItem extends Inventory, Record<string, unknown> {
	tenant: string;
	hostId: string;
}
export const inventoryKey = (tenant: string, hostId: string) => ({ tenant: `${tenant}#inventory`, hostId });

// ---- grants: key (host, grant), TTL `ttl` (seconds since 1970) --------------------------------------------------------

export const hostKey = (tenant: string, hostId: string): string => `${tenant}#${hostId}`;
/** Zero-padded, so that grants of an epoch are in order. */
export const grantKey = (epoch: number, seq: number): string =>
	`${String(epoch).padStart(7, "0")}#${String(seq).padStart(10, "0")}`;
export const leaseOf = (hostId: string, epoch: number, seq: number): string => `${hostId}#${epoch}#${seq}`;

export interface Candidate {
	/** Campaign, contactKey, attempt, version before the claim; index of the trunk, where it is not the campaign's first. */
	c: string;
	k: string;
	a: number;
	v: number;
	t?: number;
	/** It is not called: it ends so, for this reason. */
	x?: { o: Outcome; why: string };
}
export interface GrantItem extends Record<string, unknown> {
	host: string;
	grant: string;
	cands: Candidate[];
	/** Put by the recovery: this sync must not go on. */
	tomb?: boolean;
	ttl: number;
}

// ---- trunks: key (tenant, trunkId); `#config` holds the version of all configuration ----------------------------------

export const CONFIG_ID = "#config";
export interface ConfigItem extends Record<string, unknown> {
	tenant: string;
	trunkId: typeof CONFIG_ID;
	version: number;
	/** The last time that somebody opted out, ms: a sync that sees a recent one looks again at the calls that are granted and not dialed. */
	optOutAt?: number;
}

export interface TrunkItem extends Record<string, unknown> {
	tenant: string;
	trunkId: string;
	/** As shown by the API. */
	trunk: Trunk;
	/** The channel cap that `free` was computed with. */
	cap: number;
	/** Channels of the trunk that no host holds; negative after the cap was lowered. */
	free: number;
	/**
	 * Campaigns that may dial through the trunk: cap and free channels of each; no call of a campaign with a rate of its own may start before `next`;
	 * `v`: the version of the campaign's division over its trunks that `cap` comes from.
	 */
	c: Record<string, { cap: number; free: number; next?: number; v?: number }>;
	/** ms since 1970: no call may start before it. */
	nextDialAt: number;
	/** Only after it refused calls: the part of its rate that it is used with, and since when; see shared/sync/trunk-pace.ts. */
	pace?: { f: number; at: number };
	/** Shares by host. */
	a: Record<string, ShareEntry>;
	/** Channels of lost hosts' calls that may still be up, by `hostId#epoch`. */
	z: Record<string, { n: Record<string, number>; until: number }>;
}
export interface ShareEntry {
	/** Epoch and seq of the sync that wrote it. */
	e: number;
	s: number;
	/** Channels by campaign, absolute. */
	n: Record<string, number>;
	/** First slot granted by that sync and how many; their distance and validity, ms: the trunk's rate may change meanwhile. */
	at: number;
	k: number;
	gap: number;
	valid: number;
	/** The moments of campaigns with a rate of their own, ms. */
	p?: Record<string, number[]>;
}

// ---- tokens: key (tokenHash); index `byTenant` (tenant, createdAt) ----------------------------------------------------

export interface TokenItem extends Record<string, unknown> {
	/** SHA-256 of the token, hex. */
	tokenHash: string;
	tokenId: string;
	tenant: string;
	kind: "operator" | "host";
	/** Only for a host's token. */
	hostId?: string;
	name: string;
	createdAt: number;
	expiresAt?: number;
	revokedAt?: number;
}

// ---- idempotency: key (id) = tenant#method path#key, TTL `ttl` ------------------------------------------------------

export interface IdempotencyItem extends Record<string, unknown> {
	id: string;
	/** SHA-256 of the request's body. */
	bodyHash: string;
	/** Identity drawn for what the request creates: a repeat after a crash creates the same. */
	resourceId: string;
	/** The first answer, once it was made. */
	status?: number;
	body?: string;
	createdAt: number;
	ttl: number;
}

// ---- fleet: key (tenant, id): `#state`, `#floor`, `schedule#<name>` ---------------------------------------------------

export const FLEET_STATE_ID = "#state";
export const FLEET_FLOOR_ID = "#floor";
export const scheduleId = (name: string): string => `schedule#${name}`;

/**
 * Something that EC2 is asked for, written before it is asked: counted as capacity from then on, and asked again by the next run if this one dies.
 * The same intent never starts more: a launch has its id as ClientToken, a start names its hosts.
 */
export type Intent = LaunchIntent | StartIntent;
export interface LaunchIntent {
	kind: "launch";
	/** Key of the {@link Offering}. */
	offering: string;
	count: number;
	at: number;
	lease?: number;
}
export interface StartIntent {
	kind: "start";
	hosts: string[];
	/** The new startId of each host. */
	startId: string;
	at: number;
	/** A look is carrying it out until then; afterwards, or without it, another may go on with it. */
	lease?: number;
}

/** Key `#state`: what the fleet's runs remember. Every change is on condition of `version`, so of two runs at once one wins and the other looks again. */
export interface FleetItem extends Record<string, unknown> {
	tenant: string;
	id: typeof FLEET_STATE_ID;
	version: number;
	/** By intent id. */
	intents: Record<string, Intent>;
	/** Moments of the hosts started in the last minute, one for each. */
	starts: number[];
	/** Offerings that were out of capacity, until when they are not asked for. */
	noCapacity: Record<string, number>;
	/** EC2 asked us to slow down: nothing is asked before. `throttles`: how often one after the other. */
	throttledUntil: number;
	throttles?: number;
	/** EC2 refused for a reason that only a person can mend; tried again after `until`. */
	halted?: { reason: string; at: number; until: number };
	/**
	 * Starts that failed one after the other; none before `notBefore`. `at`: the last failure; `counted`: the starts (hostId/startId) that are in it;
	 * `trunks`: those that failed last did so because these carriers answered nobody, steady hosts neither.
	 */
	failed: { count: number; notBefore: number; reason: string; at?: number; counted?: string[]; trunks?: string[] };
	/** Instances with our tag that are nobody's, and hosts that EC2 does not know: first sighting. */
	strangers: Record<string, number>;
	ghosts: Record<string, number>;
	/** Active hosts that can carry no call, because no trunk answers or Asterisk is down: since when. */
	noTrunk?: Record<string, number>;
	/** What was wanted lately, newest last; each holds until the next. Reaches back over the idle time. */
	recent: { at: number; onDemand: number; spot: number }[];
	/** Seconds from the start to the first hello, of the last starts, newest last. */
	boots: number[];
	/** The starts (hostId/startId) that are in `boots`, or were, as long as their hosts are there. */
	booted?: string[];
	/** Elastic IPs: of the pool, free, and running hosts that wait for one. */
	addresses?: { pool: number; free: number; missing: number };
	/** Whether something is under way: then the tick asks for a look every few seconds. */
	awake: boolean;
	decision?: Decision;
}

/** Key `#floor`: `POST /v1/fleet/scale`. */
export interface FloorItem extends Record<string, unknown> {
	tenant: string;
	id: typeof FLEET_FLOOR_ID;
	min: number;
	until: number;
	setAt: number;
	tokenId: string;
}

/** Key `schedule#<name>`: `PUT /v1/fleet/schedules/{name}`. */
export interface ScheduleItem extends Record<string, unknown>, ScheduleInput {
	tenant: string;
	id: string;
	name: string;
	updatedAt: number;
}

// ---- suppression: key (callee): a number as `tenant#number`; `tenant#lists`, `tenant#policy` --------------------------

export const calleeKey = (tenant: string, number: string) => ({ callee: `${tenant}#${number}` });
export const suppressionListsKey = (tenant: string) => ({ callee: `${tenant}#lists` });
export const callingPolicyKey = (tenant: string) => ({ callee: `${tenant}#policy` });

/**
 * A number that is, or was, on a list. It has an attribute for each list, named by {@link onListAttribute}, so that adding to a list is one write without a
 * condition, whatever else the item holds.
 */
export interface SuppressedItem extends Record<string, unknown> {
	callee: string;
}
/** How a number is on a list. */
export interface OnList {
	at: number;
	/** The token that put it there. */
	by: string;
	/** Of an opt-out. */
	campaignId?: string;
	note?: string;
}
export const onListAttribute = (listId: string): string => `on_${listId}`;

/** Key `tenant#lists`: an attribute for each list, named by {@link listAttribute}. */
export interface SuppressionListsItem extends Record<string, unknown> {
	callee: string;
}
export const LIST_ATTRIBUTE_PREFIX = "list_";
export const listAttribute = (name: string): string => `${LIST_ATTRIBUTE_PREFIX}${name}`;
export interface SuppressionListEntry {
	/** Drawn anew whenever a list of that name is made: what is left of a deleted list counts for nothing. */
	id: string;
	scope: SuppressionScope;
	kind: "own" | "register";
	/** Only of a register. */
	maxAgeDays?: number;
	/** Numbers added less those removed; a request that was cut off can leave it too low. */
	count: number;
	createdAt: number;
	/** The last time that numbers were added to the end; absent: never. */
	updatedAt?: number;
}

/** Key `tenant#policy`: `PUT /v1/calling-policy`. */
export interface CallingPolicyItem extends Record<string, unknown>, CallingPolicy {
	callee: string;
	updatedAt: number;
	tokenId: string;
}

// ---- callees: key (callee), as above; TTL `ttl` (seconds since 1970) --------------------------------------------------

/** Calls to one number. Stays below 1 KB, so that a call noted is one write unit. */
export interface CalleeItem extends Record<string, unknown> {
	callee: string;
	/** When each call was granted, ms, by the hash of its tag. */
	calls: Record<string, number>;
	/** The youngest call that was dropped to keep the item small, ms. */
	cut?: number;
	/** Raised by every change. */
	ver: number;
	ttl: number;
}

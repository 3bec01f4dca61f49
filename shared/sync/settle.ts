import type { AmdResult, CompletedCall } from "../contract/call.ts";
import { type CallRef, parseCallId } from "../contract/ids.ts";
import type { Outcome } from "../contract/outcome.ts";
import type { Deps } from "../deps.ts";
import { update, type WriteResult } from "../store/db.ts";
import {
	type CampaignItem,
	type ContactItem,
	type HistoryEntry,
	leaseOf,
	shardKey,
	shardOf,
	type TrunkItem,
} from "../store/items.ts";
import { releaseUndialed } from "./claim-within-limits.ts";
import { channelMsOf, type Talk, talkMsOf } from "./counters.ts";
import { trunkIdAt, trunksOf } from "./lanes.ts";
import { type AfterAttempt, afterAttempt, needsContact, retryRule } from "./retry.ts";
import { readClaimed, seenWithSeveralNumbers } from "./settle-reads.ts";
import { alignToOpening } from "./vet.ts";
import type { World } from "./world.ts";

/** What became of one completion or return. */
export interface Settled {
	callId: string;
	ref: CallRef;
	/** Counted by this sync: it, or a twin or earlier try of it, settled the contact. */
	counted?: { outcome: Outcome; final: boolean; channelMs?: number | undefined; talk?: Talk | undefined };
	/** The host no longer holds the call: it leaves the host's `held` if it was granted in this epoch. */
	gone: boolean;
	/** Why it could not be applied. */
	refused?: string;
}

const millis = (iso: string | null | undefined): number | undefined => (iso ? Date.parse(iso) : undefined);

/** A history entry without members that are undefined. */
const entryOf = (entry: { [K in keyof HistoryEntry]: HistoryEntry[K] | undefined }): HistoryEntry =>
	Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as unknown as HistoryEntry;

/** The verdict on answering machines as the history keeps it. */
const amdEntryOf = (amd: AmdResult | null | undefined): HistoryEntry["amd"] =>
	amd
		? {
				v: amd.verdict,
				...(amd.cause ? { c: amd.cause } : {}),
				...(typeof amd.decidedMs === "number" ? { d: amd.decidedMs } : {}),
				...(typeof amd.greetingMs === "number" ? { g: amd.greetingMs } : {}),
				...(amd.greetingEnd ? { e: amd.greetingEnd } : {}),
			}
		: undefined;

const contactKeyOfRef = (tenant: string, campaign: CampaignItem, ref: CallRef) => ({
	shardKey: shardKey(tenant, ref.campaignId, shardOf(ref.contactKey, campaign.shards)),
	contactKey: ref.contactKey,
});

/**
 * Ends an attempt of a claimed contact, by its exact lease: an outcome is true whoever reports it, but only for the
 * call that was granted under that lease.
 */
export const settleContact = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	ref: Pick<CallRef, "attempt" | "trunkIndex">,
	campaign: CampaignItem,
	entry: Omit<HistoryEntry, "fin">,
): Promise<WriteResult<ContactItem> & { fin: boolean }> => {
	const several = seenWithSeveralNumbers(deps);
	// Most lists have one number a contact, and without a rule for the outcome that one is done: no need to look.
	const finalIfSingle = retryRule(campaign.retry, entry.o) === undefined && !several.has(campaign.campaignId);
	const result = await endAttempt(deps, key, ref, campaign, entry, finalIfSingle);
	const hasOthers =
		!result.ok &&
		result.item?.nums !== undefined &&
		result.item.state === "claimed" &&
		result.item.lease === entry.lease;
	if (!finalIfSingle || !hasOthers) return result;
	several.add(campaign.campaignId);
	return endAttempt(deps, key, ref, campaign, entry, false);
};

/**
 * One try of {@link settleContact}.
 * @param finalIfSingle the attempt is the contact's last if it has one number, which the write's condition asks; otherwise the contact is read where that matters
 */
const endAttempt = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	ref: Pick<CallRef, "attempt" | "trunkIndex">,
	campaign: CampaignItem,
	entry: Omit<HistoryEntry, "fin">,
	finalIfSingle: boolean,
): Promise<WriteResult<ContactItem> & { fin: boolean }> => {
	const trunks = trunksOf(campaign).length;
	let after: AfterAttempt = { final: true };
	let numberIndex: number | undefined;
	let callee: Pick<ContactItem, "number" | "tz"> = { number: "" };
	const mayHaveOthers = needsContact(campaign.retry, entry.o);
	if (mayHaveOthers && !finalIfSingle) {
		const contact = await readClaimed(deps, key, entry);
		if (contact?.nums) numberIndex = contact.ni ?? 0;
		if (contact) callee = contact;
		if (contact && campaign.state !== "cancelled") {
			after = afterAttempt({
				retry: campaign.retry,
				outcome: entry.o,
				attempt: ref.attempt,
				contact,
				trunkIndex: ref.trunkIndex ?? 0,
				trunks,
				campaign,
				now: deps.now(),
			});
		}
	}
	const whole = entryOf({
		...entry,
		fin: after.final,
		n: numberIndex,
		tr: trunks > 1 ? (ref.trunkIndex ?? 0) : undefined,
	});
	const next = after.final ? undefined : after;
	// Due within its calling window: otherwise it would have to be put off when its time has come.
	const dueAt = next && alignToOpening(campaign, { ...callee, ...next.number }, next.dueAt);
	const single = mayHaveOthers && finalIfSingle;
	// Before the first attempt ended there is no history to add to.
	const first = ref.attempt === 1;
	const result = await update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: key,
		ConditionExpression: `#state = :claimed AND #lease = :lease AND #attempt = :this${single ? " AND attribute_not_exists(#nums)" : ""}`,
		UpdateExpression: `SET ${first ? "#hist = :hist" : "#hist.#a = :entry"}, #ver = #ver + :one, #state = :next, ${
			after.final ? "#outcome = :outcome" : "#attempt = :following, #dueAt = :dueAt"
		}${next?.number ? ", #number = :number, #ni = :ni" : ""}${next?.not === undefined ? "" : ", #not = :not"} REMOVE #lease${next?.not === undefined && trunks > 1 ? ", #not" : ""}`,
		ExpressionAttributeNames: {
			"#state": "state",
			"#lease": "lease",
			"#hist": "hist",
			"#ver": "ver",
			...(first ? {} : { "#a": String(ref.attempt) }),
			...(single ? { "#nums": "nums" } : {}),
			"#attempt": "attempt",
			...(after.final ? { "#outcome": "outcome" } : { "#dueAt": "dueAt" }),
			...(next?.number ? { "#number": "number", "#ni": "ni" } : {}),
			...(next?.not !== undefined || trunks > 1 ? { "#not": "not" } : {}),
		},
		ExpressionAttributeValues: {
			":claimed": "claimed",
			...(next?.number ? { ":number": next.number.number, ":ni": next.number.index } : {}),
			...(next?.not === undefined ? {} : { ":not": next.not }),
			":lease": entry.lease,
			":this": ref.attempt,
			":one": 1,
			...(first ? { ":hist": { "1": whole } } : { ":entry": whole }),
			...(after.final
				? { ":next": "done", ":outcome": entry.o }
				: { ":next": "pending", ":following": ref.attempt + 1, ":dueAt": dueAt }),
		},
	});
	return { ...result, fin: after.final };
};

/** A report for a call that was recovered meanwhile: kept in its history, changes no state and no counter. */
const fileLate = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	attempt: number,
	lease: string,
	outcome: Outcome,
): Promise<void> => {
	await update(deps.db, {
		TableName: deps.tables.contacts,
		Key: key,
		ConditionExpression: "#hist.#a.#lease = :lease AND attribute_not_exists(#hist.#a.#late)",
		UpdateExpression: "SET #hist.#a.#late = :outcome",
		ExpressionAttributeNames: { "#hist": "hist", "#a": String(attempt), "#lease": "lease", "#late": "late" },
		ExpressionAttributeValues: { ":lease": lease, ":outcome": outcome },
	});
};

/** Of a trunk that is gone the heaviest codec is counted: a cost is never too small for that. */
const CODEC_UNKNOWN = "ulaw";

/** The talk of an ended attempt, and the codec of its trunk. */
export const talkOf = (
	entry: HistoryEntry,
	campaign: CampaignItem,
	trunkIndex: number | undefined,
	trunks: ReadonlyMap<string, TrunkItem>,
): Talk | undefined => {
	const ms = talkMsOf(entry, campaign);
	const trunk = trunks.get(trunkIdAt(campaign, trunkIndex) ?? "")?.trunk;
	return ms === undefined ? undefined : { ms, codec: trunk?.codecs[0] ?? CODEC_UNKNOWN };
};

/** Settles one completion that host `hostId` reports in the sync whose lease is `me`. */
export const settleCompleted = async (
	deps: Deps,
	tenant: string,
	hostId: string,
	epoch: number,
	me: string,
	call: CompletedCall,
	{ campaigns, trunks }: Pick<World, "campaigns" | "trunks">,
): Promise<Settled> => {
	const ref = parseCallId(call.callId);
	const refuse = (reason: string): Settled => ({
		callId: call.callId,
		ref: ref ?? { campaignId: "", contactKey: "", attempt: 0, ver: 0, epoch: 0, seq: 0 },
		gone: false,
		refused: reason,
	});
	if (!ref) return refuse("not a callId");
	const campaign = campaigns.get(ref.campaignId);
	if (!campaign) return refuse("there is no such campaign");
	const key = contactKeyOfRef(tenant, campaign, ref);
	const lease = leaseOf(hostId, ref.epoch, ref.seq);
	const entry = entryOf({
		o: call.outcome,
		by: me,
		lease,
		ver: ref.ver,
		fin: undefined,
		cause: call.cause ?? undefined,
		sip: call.sipCode ?? undefined,
		t0: millis(call.startedAt),
		t1: millis(call.ringingAt),
		t2: millis(call.answeredAt),
		t3: millis(call.endedAt),
		vars: call.vars && Object.keys(call.vars).length > 0 ? call.vars : undefined,
		amd: amdEntryOf(call.amd),
		late: undefined,
	});
	const result = await settleContact(deps, key, ref, campaign, entry);
	const settled = { callId: call.callId, ref };
	const counted = (end: HistoryEntry) => ({
		...settled,
		counted: {
			outcome: end.o,
			final: end.fin,
			channelMs: channelMsOf(end, campaign),
			talk: talkOf(end, campaign, ref.trunkIndex, trunks),
		},
		gone: true,
	});
	if (result.ok) return counted({ ...entry, fin: result.fin });
	const past = result.item?.hist?.[String(ref.attempt)];
	if (past?.by === me) return counted(past);
	if (past?.lease !== lease) return refuse("this host does not hold the call");
	if (past.by.startsWith(`${hostId}#${epoch}#`)) return refuse("the call was reported before");
	await fileLate(deps, key, ref.attempt, lease, call.outcome);
	deps.log.warn("call.late", { callId: call.callId, hostId, outcome: call.outcome, recordedAs: past.o });
	return { ...settled, gone: true };
};

/** Puts a claimed contact back as pending, same attempt, by its exact lease. A cancelled campaign's is finished. */
export const giveBack = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	lease: string,
	cancelled: boolean,
): Promise<WriteResult<ContactItem>> =>
	update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: key,
		ConditionExpression: "#state = :claimed AND #lease = :lease",
		UpdateExpression: `SET #state = :next, #ver = #ver + :one, ${cancelled ? "#outcome = :cancelled" : "#dueAt = :now"} REMOVE #lease`,
		ExpressionAttributeNames: {
			"#state": "state",
			"#lease": "lease",
			"#ver": "ver",
			...(cancelled ? { "#outcome": "outcome" } : { "#dueAt": "dueAt" }),
		},
		ReturnValues: "ALL_NEW",
		ExpressionAttributeValues: {
			":claimed": "claimed",
			":lease": lease,
			":one": 1,
			...(cancelled ? { ":next": "done", ":cancelled": "cancelled" } : { ":next": "pending", ":now": deps.now() }),
		},
	});

/** Takes one call back that the host never originated. */
export const settleReturned = async (
	deps: Deps,
	tenant: string,
	hostId: string,
	callId: string,
	campaigns: Map<string, CampaignItem>,
): Promise<Settled> => {
	const ref = parseCallId(callId);
	const campaign = ref && campaigns.get(ref.campaignId);
	if (!ref || !campaign) {
		const none = { campaignId: "", contactKey: "", attempt: 0, ver: 0, epoch: 0, seq: 0 };
		return { callId, ref: ref ?? none, gone: false, refused: ref ? "there is no such campaign" : "not a callId" };
	}
	const key = contactKeyOfRef(tenant, campaign, ref);
	const result = await giveBack(deps, key, leaseOf(hostId, ref.epoch, ref.seq), campaign.state === "cancelled");
	if (result.ok && result.item) await releaseUndialed(deps, tenant, campaign, result.item, ref.attempt, ref.ver - 1);
	// Not claimed under that lease any more: a twin or an earlier try of this sync gave it back.
	const known = result.ok || (result.item !== undefined && result.item.ver > ref.ver);
	return known
		? { callId, ref, gone: true }
		: { callId, ref, gone: false, refused: "this host does not hold the call" };
};

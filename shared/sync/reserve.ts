import type { Deps } from "../deps.ts";
import { getItem, update } from "../store/db.ts";
import type { HostItem, TrunkItem } from "../store/items.ts";
import type { PacedAsk } from "./campaign-slots.ts";
import { type Laid, laySlots, READ_ROUNDING_MS } from "./lay-slots.ts";
import {
	type ByCampaign,
	callsWithinShare,
	decideShare,
	type Leave,
	leavesUnused,
	type ShareDecision,
	type ShareInput,
	sum,
} from "./shares.ts";
import { SLOT_HORIZON_MS, TIGHT_SLOT_VALID_MS, wholeMicros } from "./slots.ts";
import { cpsAt, lowered } from "./trunk-pace.ts";

/** What a sync holds of one trunk after its reservation. */
export interface Reservation {
	trunk: TrunkItem;
	/** Calls that may be granted, by campaign. */
	calls: ByCampaign;
	/** Channels were left to others that these have not taken so far. */
	unused: boolean;
}

export interface ReserveInput {
	host: HostItem;
	epoch: number;
	seq: number;
	/** Calls the host holds on this trunk after its report. */
	base: ByCampaign;
	/** Candidates by campaign. */
	candidates: ByCampaign;
	hostRoom: number;
	want: number;
	prefetch: number;
	leave?: Leave;
	/** Of the calls that the host holds, on all trunks, those that it has still to dial; absent: not known. */
	waiting?: number;
	/** Slots asked for, and how far ahead short ones must begin. */
	slots: number;
	slotLeadMs: number;
	/** What campaigns are entitled to in proportion. Absent: alike. */
	weights?: ByCampaign;
	/** Campaigns with rates of their own, and whether only such are dialed through the trunk. */
	paced?: readonly PacedAsk[];
	pacedAlone?: boolean;
	/** The trunk refuses calls: its pace is to be lowered. */
	slow?: boolean;
}

/** Another sync of the host is newer: this one must not go on. */
export class Superseded extends Error {
	override readonly name = "Superseded";
}

/** Campaigns whose share one write may change: an expression may be 4,096 bytes long, and each takes some 45. */
export const MAX_CHANGED_CAMPAIGNS = 60;

/** Tries against other hosts' writes; each lost try costs one write unit. */
const MAX_TRIES = 6;

const olderThan = (e: number, s: number, epoch: number, seq: number): boolean => e < epoch || (e === epoch && s < seq);

const sameShare = (a: ByCampaign, b: ByCampaign): boolean =>
	[...Object.keys(a), ...Object.keys(b)].every((c) => (a[c] ?? 0) === (b[c] ?? 0));

/** Leaves shares beyond the first {@link MAX_CHANGED_CAMPAIGNS} as they are; a later sync changes them. */
const limitChanges = (decision: ShareDecision, shareNow: ByCampaign, base: ByCampaign): ShareDecision => {
	const changed = [...new Set([...Object.keys(shareNow), ...Object.keys(decision.share)])].filter(
		(c) => (decision.share[c] ?? 0) !== (shareNow[c] ?? 0),
	);
	if (changed.length <= MAX_CHANGED_CAMPAIGNS) return decision;
	const share = { ...decision.share };
	const calls = { ...decision.calls };
	for (const c of changed.slice(MAX_CHANGED_CAMPAIGNS)) {
		const stays = shareNow[c] ?? 0;
		if (stays > 0) share[c] = stays;
		else delete share[c];
		const fits = Math.min(calls[c] ?? 0, Math.max(0, stays - (base[c] ?? 0)));
		if (fits > 0) calls[c] = fits;
		else delete calls[c];
	}
	return { share, calls };
};

interface Wanted {
	share: ByCampaign;
	laid: Laid;
	pace: { f: number; at: number } | undefined;
}

/** The conditional write of one try; undefined where the condition failed. */
const writeShare = async (
	deps: Deps,
	input: ReserveInput,
	trunk: TrunkItem,
	{ share, laid, pace }: Wanted,
): Promise<TrunkItem | undefined> => {
	const { hostId } = input.host;
	const standing = trunk.a[hostId];
	const shareNow = standing?.n ?? {};
	const names: Record<string, string> = { "#a": "a", "#h": hostId, "#free": "free" };
	const values: Record<string, unknown> = {};
	const conditions: string[] = [];
	const sets: string[] = [];
	const removes: string[] = [];

	const delta = sum(share) - sum(shareNow);
	sets.push("#free = #free - :dT");
	values[":dT"] = delta;
	if (delta > 0) conditions.push("#free >= :dT");
	const campaigns = [...new Set([...Object.keys(share), ...Object.keys(shareNow)])];
	for (const [i, c] of campaigns.entries()) {
		const d = (share[c] ?? 0) - (shareNow[c] ?? 0);
		// A campaign that has left the trunk has no entry to give back to.
		if (d === 0 || !trunk.c[c]) continue;
		names["#c"] = "c";
		names[`#c${i}`] = c;
		values[`:d${i}`] = d;
		sets.push(`#c.#c${i}.#free = #c.#c${i}.#free - :d${i}`);
		conditions.push(d > 0 ? `#c.#c${i}.#free >= :d${i}` : `attribute_exists(#c.#c${i})`);
	}

	if (pace) {
		names["#pace"] = "pace";
		values[":pace"] = pace;
		sets.push("#pace = :pace");
	}
	const { slots, from, at, gap, own, hasOwn } = laid;
	const valid = laid.valid === TIGHT_SLOT_VALID_MS ? undefined : laid.valid;
	const step = wholeMicros(gap * slots);
	if (slots > 0 || hasOwn) names["#next"] = "nextDialAt";
	for (const [i, [c, granted]] of Object.entries(own.slots).entries()) {
		const before = trunk.c[c]?.next;
		Object.assign(names, { "#c": "c", [`#pc${i}`]: c, "#cnext": "next" });
		values[`:pn${i}`] = own.after[c] ?? 0;
		sets.push(`#c.#pc${i}.#cnext = :pn${i}`);
		if (before === undefined)
			conditions.push(`attribute_exists(#c.#pc${i}) AND attribute_not_exists(#c.#pc${i}.#cnext)`);
		else {
			values[`:pa${i}`] = (granted[0] ?? 0) + READ_ROUNDING_MS;
			conditions.push(`#c.#pc${i}.#cnext <= :pa${i}`);
		}
	}
	if (standing) {
		Object.assign(names, { "#e": "e", "#s": "s", "#n": "n", "#at": "at", "#k": "k", "#gap": "gap" });
		Object.assign(values, { ":eRead": standing.e, ":sRead": standing.s });
		conditions.push("#a.#h.#e = :eRead", "#a.#h.#s = :sRead");
		sets.push("#a.#h.#e = :e", "#a.#h.#s = :s", "#a.#h.#n = :n", "#a.#h.#k = :k", "#a.#h.#gap = :gap");
		if (valid !== undefined || standing.valid !== undefined) names["#valid"] = "valid";
		if (valid !== undefined) {
			values[":valid"] = valid;
			sets.push("#a.#h.#valid = :valid");
		} else if (standing.valid !== undefined) removes.push("#a.#h.#valid");
		sets.push("#a.#h.#at = :at");
		Object.assign(values, {
			":e": input.epoch,
			":s": input.seq,
			":n": share,
			":k": slots,
			":gap": gap,
			":at": 0,
		});
		if (hasOwn || standing.p) names["#p"] = "p";
		if (hasOwn) {
			conditions.push("#next <= :at");
			sets.push("#next = :after", "#a.#h.#p = :own");
			Object.assign(values, { ":at": at, ":after": own.next, ":own": own.slots });
		} else if (standing.p) removes.push("#a.#h.#p");
		if (hasOwn) {
			// Its own slots lie behind these.
		} else if (slots > 0 && trunk.nextDialAt >= from) {
			// Form 1: behind what others were granted meanwhile, as long as that is not too far ahead.
			conditions.push("#next >= :from", "#next <= :horizon");
			sets.pop();
			sets.push("#a.#h.#at = #next", "#next = #next + :step");
			delete values[":at"];
			Object.assign(values, { ":from": from, ":horizon": wholeMicros(from + SLOT_HORIZON_MS), ":step": step });
		} else if (slots > 0) {
			conditions.push("#next < :from");
			sets.push("#next = :after");
			Object.assign(values, { ":from": from, ":after": wholeMicros(from + step), ":at": from });
		}
	} else {
		conditions.push("attribute_not_exists(#a.#h)");
		sets.push("#a.#h = :entry");
		values[":entry"] = {
			e: input.epoch,
			s: input.seq,
			n: share,
			at: slots > 0 ? at : 0,
			k: slots,
			gap,
			...(valid === undefined ? {} : { valid }),
			...(hasOwn ? { p: own.slots } : {}),
		};
		if (slots > 0 || hasOwn) {
			conditions.push("#next <= :at");
			sets.push("#next = :after");
			Object.assign(values, { ":at": at, ":after": hasOwn ? own.next : wholeMicros(at + step) });
		}
	}
	const result = await update<TrunkItem>(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: input.host.tenant, trunkId: trunk.trunkId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `SET ${sets.join(", ")}${removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : ""}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
		ReturnValues: "ALL_NEW",
	});
	return result.ok ? result.item : undefined;
};

/**
 * Takes share and slots of one trunk for a sync, in one conditional write. The share is absolute and stamped with
 * (epoch, seq): a repeat or a twin of the sync finds it and uses it.
 */
export const reserve = async (deps: Deps, input: ReserveInput, trunkRead: TrunkItem): Promise<Reservation> => {
	const { hostId } = input.host;
	let trunk: TrunkItem | undefined = trunkRead;
	for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
		if (attempt > 0) {
			trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, {
				tenant: input.host.tenant,
				trunkId: trunkRead.trunkId,
			});
		}
		if (!trunk) break;
		const standing = trunk.a[hostId];
		if (standing && olderThan(input.epoch, input.seq, standing.e, standing.s)) throw new Superseded();
		const shareInput: ShareInput = {
			trunkFree: trunk.free,
			campaignFree: Object.fromEntries(Object.entries(trunk.c).map(([c, entry]) => [c, entry.free])),
			shareNow: standing?.n ?? {},
			base: input.base,
			candidates: input.candidates,
			hostRoom: input.hostRoom,
			want: input.want,
			prefetch: input.prefetch,
			allocated: Object.fromEntries(Object.entries(trunk.c).map(([c, entry]) => [c, entry.cap - entry.free])),
			...(input.weights ? { weights: input.weights } : {}),
			...(input.leave ? { leave: input.leave } : {}),
		};
		if (standing && standing.e === input.epoch && standing.s === input.seq) {
			return { trunk, calls: callsWithinShare(shareInput, standing.n), unused: false };
		}
		const decision = limitChanges(decideShare(shareInput), shareInput.shareNow, input.base);
		const unused = leavesUnused(shareInput, decision);
		const granted = sum(decision.calls);
		// A slot that nobody uses is lost to all.
		const laid = laySlots(input, trunk, decision, deps.now());
		const pace = input.slow ? lowered(trunk, deps.now()) : undefined;
		if (granted === 0 && laid.slots === 0 && !laid.hasOwn && !pace && sameShare(decision.share, standing?.n ?? {}))
			return { trunk, calls: {}, unused };
		const written = await writeShare(deps, input, trunk, { share: decision.share, laid, pace });
		if (written && pace)
			deps.log.warn("trunk.slowed", { trunkId: trunk.trunkId, hostId, pace: pace.f, cps: cpsAt(written, deps.now()) });
		if (written) return { trunk: written, calls: decision.calls, unused };
	}
	deps.log.warn("reserve.contended", { hostId, trunkId: trunkRead.trunkId, tries: MAX_TRIES });
	return { trunk: trunk ?? trunkRead, calls: {}, unused: false };
};

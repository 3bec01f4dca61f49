import type { CampaignItem, HostItem, TrunkItem } from "../store/items.ts";
import { trunkIdAt } from "./lanes.ts";
import type { Settled } from "./settle.ts";

/**
 * A trunk that refuses calls is slowed and tried again: its rate is halved, and doubles by itself as time passes. Every host counts what its own calls on a
 * trunk came to; one that sees too many refusals lowers the trunk's pace for all. Pure.
 */

/** What a host's calls on a trunk came to lately: attempts and refusals, fading. Kept only while there are refusals. */
export interface Refusals {
	n: number;
	/** Congestion. */
	r: number;
	/** Trunk failures; absent: none. */
	f?: number;
	/** ms since 1970. */
	at: number;
	/** The host dials nothing through the trunk before, ms. */
	offUntil?: number;
}

/** The host as it may dial now: trunks that it left for a while count as those whose carrier does not answer. */
export const withTrunksOff = <T extends Pick<HostItem, "refusals" | "deadTrunks">>(host: T, now: number): T => {
	const off = Object.entries(host.refusals ?? {}).flatMap(([id, { offUntil = 0 }]) => (offUntil > now ? [id] : []));
	return off.length === 0 ? host : { ...host, deadTrunks: [...new Set([...(host.deadTrunks ?? []), ...off])] };
};

/** A carrier that is over its limit says so: it is slowed for all hosts. */
const SLOWS = "congestion";
/**
 * No reply, or not accepted: where all calls of one host end so, it may be that host alone (its address, its password), so that host leaves the trunk for a while, and
 * the others go on.
 */
const TURNS_OFF = "trunkFailure";
const OFF_PART = 0.8;
const OFF_MS = 30_000;
/** Counts lose half of their weight in this time: the trunk of half a minute ago is not the trunk of now. */
const FADE_MS = 10_000;
/** Single callees are behind congested networks; a trunk that is over its limit refuses many: three in a few seconds, less what fades meanwhile. */
const LEAST_REFUSALS = 2.5;
const REFUSED_PART = 0.2;
/** Below this nothing is remembered. */
const FORGOTTEN = 0.5;

/** The pace is lowered at most so often: what was dialed before the last time says nothing of it. */
const LOWER_EVERY_MS = 2_000;
/** It stays for so long, then doubles in so long. */
const HOLD_MS = 5_000;
const DOUBLE_MS = 5_000;
/** A trunk that takes nothing is tried with a call every five seconds. */
const LEAST_CPS = 0.2;

/** The part of its rate that a trunk is used with now: 1 where it refused nothing lately. */
export const paceAt = (trunk: Pick<TrunkItem, "pace">, now: number): number => {
	if (!trunk.pace) return 1;
	const grownMs = Math.max(0, now - trunk.pace.at - HOLD_MS);
	return Math.min(1, trunk.pace.f * 2 ** (grownMs / DOUBLE_MS));
};

/** When it is used with its whole rate again, ms, if it refuses nothing more. */
export const fullPaceAt = ({ pace }: Pick<TrunkItem, "pace">): number =>
	pace ? pace.at + HOLD_MS + Math.max(0, Math.log2(1 / pace.f)) * DOUBLE_MS : 0;

/** Calls per second that the trunk is used with now. */
export const cpsAt = (trunk: Pick<TrunkItem, "pace" | "trunk">, now: number): number =>
	Math.max(Math.min(LEAST_CPS, trunk.trunk.maxCps), trunk.trunk.maxCps * paceAt(trunk, now));

/** The lower pace after refusals; undefined where it was lowered just now. */
export const lowered = (
	trunk: Pick<TrunkItem, "pace" | "trunk">,
	now: number,
): { f: number; at: number } | undefined =>
	trunk.pace && now - trunk.pace.at < LOWER_EVERY_MS
		? undefined
		: { f: Math.max(LEAST_CPS / trunk.trunk.maxCps, paceAt(trunk, now) / 2), at: now };

export interface Observed {
	/** By trunk; undefined where nothing is remembered. */
	refusals: Record<string, Refusals> | undefined;
	/** Trunks whose pace is to be lowered. */
	slow: string[];
	/** Trunks that this host leaves for a while. */
	off: string[];
}

/** Adds what a sync settled to what the host remembers. */
export const observe = (
	before: Readonly<Record<string, Refusals>> | undefined,
	settled: readonly Settled[],
	campaigns: ReadonlyMap<string, Pick<CampaignItem, "trunk" | "trunks">>,
	now: number,
): Observed => {
	const ended = new Map<string, { n: number; r: number; f: number }>();
	for (const { counted, ref } of settled) {
		const campaign = campaigns.get(ref.campaignId);
		const trunkId = campaign && trunkIdAt(campaign, ref.trunkIndex);
		if (!counted || trunkId === undefined) continue;
		const count = ended.get(trunkId) ?? { n: 0, r: 0, f: 0 };
		count.n++;
		if (counted.outcome === SLOWS) count.r++;
		if (counted.outcome === TURNS_OFF) count.f++;
		ended.set(trunkId, count);
	}
	const refusals: Record<string, Refusals> = {};
	const slow: string[] = [];
	const off: string[] = [];
	for (const trunkId of new Set([...Object.keys(before ?? {}), ...ended.keys()])) {
		const last = before?.[trunkId];
		const fresh = ended.get(trunkId);
		if (!fresh && last) {
			// Left as it is, so that nothing is written: it fades when it is looked at next.
			if ((last.offUntil ?? now) >= now) refusals[trunkId] = last;
			continue;
		}
		const kept = last ? 0.5 ** ((now - last.at) / FADE_MS) : 0;
		const n = (last?.n ?? 0) * kept + (fresh?.n ?? 0);
		const r = (last?.r ?? 0) * kept + (fresh?.r ?? 0);
		const f = (last?.f ?? 0) * kept + (fresh?.f ?? 0);
		if (r >= LEAST_REFUSALS && r / n >= REFUSED_PART) slow.push(trunkId);
		else if (f >= LEAST_REFUSALS && f / n >= OFF_PART) {
			off.push(trunkId);
			refusals[trunkId] = { n: 0, r: 0, at: now, offUntil: now + OFF_MS };
		} else if (r >= FORGOTTEN || f >= FORGOTTEN) {
			const still = (last?.offUntil ?? 0) > now ? { offUntil: last?.offUntil ?? 0 } : {};
			refusals[trunkId] = { n, r, ...(f >= FORGOTTEN ? { f } : {}), at: now, ...still };
		}
	}
	return { refusals: Object.keys(refusals).length > 0 ? refusals : undefined, slow, off };
};

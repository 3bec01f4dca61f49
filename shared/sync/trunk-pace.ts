import type { CampaignItem, TrunkItem } from "../store/items.ts";
import { trunkIdAt } from "./lanes.ts";
import type { Settled } from "./settle.ts";

/**
 * A trunk that refuses calls is slowed and tried again: its rate is halved, and doubles by itself as time passes. Every host counts what its own calls on a
 * trunk came to; one that sees too many refusals lowers the trunk's pace for all. Pure.
 */

/** What a host's calls on a trunk came to lately: attempts and refusals, fading. Kept only while there are refusals. */
export interface Refusals {
	n: number;
	r: number;
	/** ms since 1970. */
	at: number;
}

/** `congestion`: 5xx. `trunkFailure`: no reply, not accepted. Both are the trunk's, not the callee's. */
const REFUSALS = new Set(["congestion", "trunkFailure"]);
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
const DOUBLE_MS = 10_000;
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
}

/** Adds what a sync settled to what the host remembers. */
export const observe = (
	before: Readonly<Record<string, Refusals>> | undefined,
	settled: readonly Settled[],
	campaigns: ReadonlyMap<string, Pick<CampaignItem, "trunk" | "trunks">>,
	now: number,
): Observed => {
	const ended = new Map<string, { n: number; r: number }>();
	for (const { counted, ref } of settled) {
		const campaign = campaigns.get(ref.campaignId);
		const trunkId = campaign && trunkIdAt(campaign, ref.trunkIndex);
		if (!counted || trunkId === undefined) continue;
		const count = ended.get(trunkId) ?? { n: 0, r: 0 };
		count.n++;
		if (REFUSALS.has(counted.outcome)) count.r++;
		ended.set(trunkId, count);
	}
	const refusals: Record<string, Refusals> = {};
	const slow: string[] = [];
	for (const trunkId of new Set([...Object.keys(before ?? {}), ...ended.keys()])) {
		const last = before?.[trunkId];
		const fresh = ended.get(trunkId);
		if (!fresh && last) {
			// Left as it is, so that nothing is written: it fades when it is looked at next.
			refusals[trunkId] = last;
			continue;
		}
		const kept = last ? 0.5 ** ((now - last.at) / FADE_MS) : 0;
		const n = (last?.n ?? 0) * kept + (fresh?.n ?? 0);
		const r = (last?.r ?? 0) * kept + (fresh?.r ?? 0);
		if (r < FORGOTTEN) continue;
		if (r >= LEAST_REFUSALS && r / n >= REFUSED_PART) slow.push(trunkId);
		else refusals[trunkId] = { n, r, at: now };
	}
	return { refusals: Object.keys(refusals).length > 0 ? refusals : undefined, slow };
};

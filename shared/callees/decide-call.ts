import { MAX_CALLEE_CALLS, MAX_CALLEE_HOURS } from "../contract/campaign.ts";

/** What may be called how often: all limits hold at once. */
export interface CalleeLimits {
	/** At most `max` calls in any `perHours` hours; `rule` says whose limit it is. */
	limits: { max: number; perHours: number; rule: string }[];
	/** From one call's start to the next, seconds. */
	minGapSec?: number;
}

/** A call that was reserved: when, ms since 1970, and by which name. */
export interface NotedCall {
	at: number;
	tag: string;
}

/** Whether a call may be placed; else the moment from which it may, ms since 1970, and the rule that stands longest in the way. */
export type CallDecision = { ok: true } | { ok: false; waitUntil: number; rule: string };

/**
 * How much later than it is reserved a call may reach the carrier: a call is reserved within the sync that grants it, and the agent gives back what it has
 * held undialed for 20 s (its `holdLimitMs`); the rest is for the sync's own time, the wait for a slot (2 s ahead) and clocks that differ. Two calls that are
 * reserved a window plus this apart are therefore a window apart at the carrier, however soon the one and however late the other is dialed.
 */
export const DIAL_DELAY_MS = 30_000;

export const MIN_GAP_RULE = "minGap";
const HOUR_MS = 3_600_000;

/**
 * The limits as spacings: between a call and the `max`-th one before it lie at least so many ms.
 * @throws RangeError for a limit that cannot be told from what is remembered: nobody may be called by it
 */
const spacingsOf = ({ limits, minGapSec }: CalleeLimits): { max: number; ms: number; rule: string }[] => {
	const all = limits.map(({ max, perHours, rule }) => ({ max, ms: perHours * HOUR_MS, rule }));
	if (minGapSec !== undefined) all.push({ max: 1, ms: minGapSec * 1_000, rule: MIN_GAP_RULE });
	return all.map(({ max, ms, rule }) => {
		if (!(max >= 1 && max <= MAX_CALLEE_CALLS && ms > 0 && ms <= MAX_CALLEE_HOURS * HOUR_MS)) {
			throw new RangeError(
				`The limit ${rule} (${max} calls in ${ms / HOUR_MS} h) cannot be kept: 1 to ${MAX_CALLEE_CALLS} calls in at most ${MAX_CALLEE_HOURS} h can`,
			);
		}
		return { max, ms: ms + DIAL_DELAY_MS, rule };
	});
};

/**
 * Whether the call `tag` may be placed, by the calls that were reserved before; one that is among them already may. Calls that lie ahead of `now`, by another
 * clock, count as well.
 * @param cut the youngest call that is not remembered any more: it stands for those that are missing. No limit asks for more calls than are remembered, so
 *   it matters only where some were released since; then nobody knows how many there were, and the call waits until they are out of the window
 */
export const decideCall = (
	calls: readonly NotedCall[],
	limits: CalleeLimits,
	tag: string,
	now: number,
	cut = Number.NEGATIVE_INFINITY,
): CallDecision => {
	if (calls.some((call) => call.tag === tag)) return { ok: true };
	const newestFirst = calls.map(({ at }) => at).sort((a, b) => b - a);
	let decision: CallDecision = { ok: true };
	for (const { max, ms, rule } of spacingsOf(limits)) {
		const waitUntil = (newestFirst[max - 1] ?? cut) + ms;
		if (waitUntil > now && (decision.ok || waitUntil > decision.waitUntil)) decision = { ok: false, waitUntil, rule };
	}
	return decision;
};

import type { Then } from "../contract/call.ts";
import type { CampaignItem, Counts } from "../store/items.ts";
import { longestHoldSec } from "../sync/retry.ts";

/**
 * How long an attempt holds its channel and how many are answered: as measured, and as assumed before. The fleet and the forecast ask here, so that
 * both speak of the same calls.
 */

/** An attempt before anything was measured: the part that is answered, and seconds. Campaigns to private numbers are near it; each measures its own. */
export const ASSUMED_CALL = {
	answerRate: 0.35,
	/** Ringing of a call that is answered. */
	ringSec: 12,
	talkSec: 30,
	/** Ringing of a call that nobody answers. */
	unansweredSec: 25,
} as const;

/** So many attempts make a measurement; of fewer, the missing ones are taken for assumed ones. */
export const MEASURED_FROM = 50;
/** No call is shorter in the mean: a division by next to nothing would ask for any number of channels. */
const MIN_HOLD_SEC = 1;

/** What bounds the length of a campaign's calls. */
export type CallLimits = Pick<CampaignItem, "ringTimeoutSec" | "maxCallSec"> & { then?: Then | undefined };

/** How long an answered call may last, seconds: `maxCallSec`, or what `then.wait` says. */
const mostTalkSec = ({ then, maxCallSec }: CallLimits): number =>
	then && "wait" in then ? Math.min(then.wait, maxCallSec) : maxCallSec;

/** How long an attempt may hold its channel, seconds. */
export const mostHoldSec = (limits: CallLimits): number => limits.ringTimeoutSec + mostTalkSec(limits);

/** Channel time of an attempt that nobody answers, seconds. */
export const unansweredSec = ({ ringTimeoutSec }: Pick<CallLimits, "ringTimeoutSec">): number =>
	Math.min(ASSUMED_CALL.unansweredSec, ringTimeoutSec);

/** Mean channel time of an attempt of which nothing was measured, seconds; some 31 s for a campaign that sets no limits. */
export const assumedHoldSec = (limits: CallLimits): number => {
	const ring = Math.min(ASSUMED_CALL.ringSec, limits.ringTimeoutSec);
	const talk = Math.min(ASSUMED_CALL.talkSec, mostTalkSec(limits));
	return ASSUMED_CALL.answerRate * (ring + talk) + (1 - ASSUMED_CALL.answerRate) * unansweredSec(limits);
};

/**
 * So many attempts must have ended for a measurement. Those that end first are the short ones: as many must have ended as are in progress.
 */
export const enoughMeasured = (inProgress: number): number => Math.max(MEASURED_FROM, inProgress);

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/**
 * Mean channel time of a campaign's attempts. Until enough have ended the missing ones are taken for calls of the assumed time, or of the time since the
 * start: when fewer have ended than are up, not even one turn is over.
 * @param elapsedSec since the campaign's start
 */
export const meanHoldSec = (
	counts: Counts[],
	inProgress: number,
	limits: CallLimits,
	elapsedSec: number,
): { holdSec: number; holdMeasured: boolean } => {
	const ms = sumOf(counts.map((each) => each["h"] ?? 0));
	const timed = sumOf(counts.map((each) => each["m"] ?? 0));
	const missing = Math.max(0, enoughMeasured(inProgress) - timed);
	const longest = longestHoldSec(limits);
	const assumed = assumedHoldSec(limits);
	// Of a few calls some may wait for long; many that last so long are the rule.
	const each = inProgress > MEASURED_FROM ? Math.max(assumed, elapsedSec) : assumed;
	const mean = (ms / 1_000 + missing * Math.min(each, longest)) / (timed + missing);
	return { holdSec: Math.min(longest, Math.max(MIN_HOLD_SEC, mean)), holdMeasured: missing === 0 };
};

/** Part of the attempts that a person or a machine answers, 0 to 1; blended with the assumption as the channel time is. */
export const answerRateOf = (answered: number, attempts: number, inProgress: number): number => {
	const missing = Math.max(0, enoughMeasured(inProgress) - attempts);
	return Math.min(1, (answered + missing * ASSUMED_CALL.answerRate) / (attempts + missing));
};

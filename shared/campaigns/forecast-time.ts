import { slotSpacingMs } from "../sync/slots.ts";
import type { Round } from "./forecast-attempts.ts";

/** How long so many attempts take on so many channels. Pure. */

/** Of the calls per second of a cap, those that its slots let through: they are spaced for any rolling second. */
export const CPS_PART = 1_000 / slotSpacingMs(1);
/** Talking times are about exponential: of n calls the longest lasts about ln(1 + 1.78·n) times the mean (1.78 = e^γ). */
const LONGEST_OF = 1.78;
/** What the time depends on besides the caps. */
export interface Work {
	/** Those in which somebody is likely to be, and their attempts. */
	rounds: Round[];
	attempts: number;
	/** With those of the other rounds. */
	attemptsLeft: number;
	holdSec: number;
	/** Mean channel time of an answered call, and part of the channels that such calls have. */
	answeredSec: number;
	answeredPart: number;
	mostSec: number;
	openShare: number;
	/** When the first contacts of the round under way and the last of all are due, seconds from the start; 0: they are. */
	firstDueSec: number;
	lastDueSec: number;
}

/** How long the calls that are up when the last one was placed take to end. */
const lastCallsSec = (work: Work, calls: number): number => {
	const longest = work.answeredSec * Math.log(1 + LONGEST_OF * calls * work.answeredPart);
	return Math.min(work.mostSec, Math.max(work.holdSec, longest));
};

/**
 * From the start to the end of the last call, seconds. Channels take the attempts one after the other, so the last begins when all but a channel's worth of them
 * is done, and when the calls per second have let it through; then the calls that are up end. No retry begins sooner than it is due.
 */
export const timeSec = (work: Work, channels: number, cps: number): number => {
	const { rounds, attempts, holdSec, openShare } = work;
	if (rounds.length === 0) return 0;
	const perSec = cps * CPS_PART;
	if (channels <= 0 || perSec <= 0 || openShare <= 0) return Number.POSITIVE_INFINITY;
	const lastStart = (count: number, used: number): number => (Math.max(0, count - used) * holdSec) / used / openShare;
	const lastOf = (count: number): number => Math.max(count / perSec / openShare, lastStart(count, channels));
	const used = Math.min(
		channels,
		// As many as calls come at that rate: with so many channels the last call begins when that rate has let it through.
		(perSec * holdSec * attempts) / (attempts + perSec * holdSec),
		// More would shorten nothing: then the longest calls decide.
		(attempts * holdSec) / Math.max(holdSec, work.answeredSec),
	);
	let count = 0;
	let lastRetry = work.lastDueSec;
	rounds.forEach((round, i) => {
		count += round.attempts;
		const due = i === 0 ? Math.min(work.lastDueSec, work.firstDueSec + lastOf(round.from)) : 0;
		lastRetry = Math.max(lastRetry, Math.max(lastOf(count), due) + round.restSec);
	});
	return Math.max(lastStart(attempts, used) + lastCallsSec(work, used), lastRetry + holdSec);
};

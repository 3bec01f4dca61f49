import type { Retry } from "../contract/campaign.ts";
import { DEADLINE_MARGIN } from "../fleet/decide-campaigns.ts";
import { isLikely, type Round, roundsLeft, rulesOf } from "./forecast-attempts.ts";
import { CPS_PART, timeSec, type Work } from "./forecast-time.ts";
import { forecastWords } from "./forecast-words.ts";
import { answerRateOf, type CallLimits, enoughMeasured, meanHoldSec, mostHoldSec, unansweredSec } from "./hold.ts";

/**
 * When a campaign will be done, and what it would need to be done by its deadline. Pure. All caps are taken to stay as they are, and the attempts to go on
 * as they did; decision 0021 has the model and what it leaves out.
 */

export interface ForecastInput {
	/** ms since 1970, as are all moments here. */
	now: number;
	/** Contacts. */
	pending: number;
	inProgress: number;
	done: number;
	/** Attempts that ended, and how many of them a person or a machine answered. */
	attempts: number;
	answered: number;
	/** Channel time of the attempts whose beginning and end are known, ms, and their number. */
	channelMs: number;
	timed: number;
	limits: CallLimits;
	retry: Retry;
	/** Channels that it may use; `limit`: what makes it no more, in words. */
	channels: number;
	limit?: string | undefined;
	/** Of these, channels of hosts that are there; the others are started only as far as a deadline needs them. Absent: all. */
	channelsNow?: number | undefined;
	/** Calls per second that it may use, as the caps say it. */
	cps: number;
	/** When it starts, or started; absent: now. */
	startAt?: number | undefined;
	deadline?: number | undefined;
	paused?: boolean | undefined;
	/** Why nothing can be said at all: it has no list yet. */
	unknown?: string | undefined;
	/** Part of the time in which its window is open, 0 to 1. Default: 1. */
	openShare?: number | undefined;
	/** When the last of the pending contacts is due, where that was looked up: only retries are due later than now. */
	lastDueAt?: number | undefined;
}

/** What the deadline would need; a figure is absent where even the largest does not help, or where it is not known. */
export interface Needs {
	channels?: number;
	cps?: number;
	/** A deadline that would be met. */
	deadline?: number;
}

export interface DeadlineForecast {
	at: number;
	/** Of a paused campaign: if it were resumed now. */
	meets: boolean;
	/** So many seconds early, or late; absent where the finish is not known. */
	bySec?: number;
	/** Only where it is not met. */
	needs?: Needs;
}

export interface Forecast {
	/** When the last contact is done; absent: not known. */
	finishAt?: number;
	/** Why `finishAt` is not known. */
	why?: string;
	/** Time that it still takes from its start, or from now, or once it is resumed, seconds. */
	leftSec?: number;
	/** `measured`: enough of its own attempts have ended; else the missing ones are assumed. */
	basis: "measured" | "assumed";
	/** Part of the attempts that is answered, 0 to 1. */
	answerRate: number;
	/** Mean channel time of an attempt, seconds. */
	meanHoldSec: number;
	/** Attempts that its contacts still need, those in progress included. */
	attemptsLeft: number;
	/** What it may use. */
	channels: number;
	cps: number;
	/** What it needs to be done by the deadline; absent without one, and where no figure is enough. */
	channelsNeeded?: number;
	cpsNeeded?: number;
	/** What keeps it from being done sooner. `retries`: their delays; `none`: no more than the length of its calls. */
	binding: "channels" | "cps" | "retries" | "none";
	deadline?: DeadlineForecast;
	/** All of it for people, times in UTC. */
	words: string;
}

/** A mean hold and an answer rate give the length of answered calls; with few answered, a small error of the one makes a large one of that. */
const MOST_OF_MEAN = 4;
/** The most that a need is looked for: eight trunks of the largest kind. More is not said to be enough. */
const MOST_CHANNELS = 80_000;
const MOST_CPS = 8_000;
/** Beyond ten years no moment is named. */
const FARTHEST_SEC = 10 * 365 * 86_400;
/** A finish that would come less than so much sooner is not held up. */
const NOTABLE = 0.01;

/** The least whole number from 1 to `most` that is enough; more is never worse. */
const least = (most: number, isEnough: (n: number) => boolean): number | undefined => {
	if (!isEnough(most)) return undefined;
	let low = 1;
	let high = most;
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		if (isEnough(middle)) high = middle;
		else low = middle + 1;
	}
	return high;
};

const attemptsOf = (rounds: Round[]): number => rounds.reduce((sum, { attempts }) => sum + attempts, 0);

const workOf = (input: ForecastInput, holdSec: number, answerRate: number, begin: number): Work => {
	const { limits, inProgress, pending } = input;
	const all = roundsLeft({
		rules: rulesOf(input.retry, limits.ringTimeoutSec + limits.maxCallSec),
		contactsLeft: pending + inProgress,
		contactsDone: input.done,
		attempts: input.attempts,
		enough: enoughMeasured(inProgress),
		holdSec,
	});
	const rounds = all.filter((round, i) => i === 0 || isLikely(round.attempts));
	const byMean = answerRate > 0 ? (holdSec - (1 - answerRate) * unansweredSec(limits)) / answerRate : 0;
	const answeredSec = Math.min(MOST_OF_MEAN * holdSec, Math.max(holdSec, byMean));
	return {
		rounds,
		attempts: attemptsOf(rounds),
		attemptsLeft: attemptsOf(all),
		holdSec,
		answeredSec,
		answeredPart: Math.min(1, (answerRate * answeredSec) / holdSec),
		mostSec: mostHoldSec(limits),
		openShare: Math.min(1, Math.max(0, input.openShare ?? 1)),
		firstDueSec: Math.max(0, (input.startAt ?? begin) - begin + (rounds[0]?.sinceSec ?? 0) * 1_000) / 1_000,
		lastDueSec: Math.max(0, (input.lastDueAt ?? begin) - begin) / 1_000,
	};
};

const bindingOf = (work: Work, channels: number, cps: number): Forecast["binding"] => {
	const sec = timeSec(work, channels, cps);
	const withoutCaps = timeSec(work, MOST_CHANNELS, MOST_CPS);
	const atOnce = { ...work, lastDueSec: 0, rounds: work.rounds.map((round) => ({ ...round, restSec: 0 })) };
	const byCaps = sec - withoutCaps;
	const byRetries = sec - timeSec(atOnce, channels, cps);
	const narrower = channels <= cps * CPS_PART * work.holdSec ? "channels" : "cps";
	if (!Number.isFinite(sec)) return channels <= 0 ? "channels" : cps <= 0 ? "cps" : "none";
	if (Math.max(byCaps, byRetries) <= sec * NOTABLE) return "none";
	return byRetries > byCaps ? "retries" : narrower;
};

const whyUnknown = (input: ForecastInput, work: Work): string => {
	if (input.channels <= 0) return `it may use no channel now${input.limit ? ` (${input.limit})` : ""}`;
	if (input.cps <= 0) return "it may start no call";
	if (work.openShare <= 0) return "its calling window is never open";
	return "it would take more than ten years";
};

const isNumber = (value: number): number => (Number.isFinite(value) ? Math.max(0, value) : 0);
/** Figures that are none, or below 0, count as 0. */
const tidy = (input: ForecastInput): ForecastInput => ({
	...input,
	pending: isNumber(input.pending),
	inProgress: isNumber(input.inProgress),
	done: isNumber(input.done),
	attempts: isNumber(input.attempts),
	answered: isNumber(input.answered),
	channelMs: isNumber(input.channelMs),
	timed: isNumber(input.timed),
	channels: isNumber(input.channels),
	cps: isNumber(input.cps),
	...(input.openShare === undefined ? {} : { openShare: isNumber(input.openShare) }),
});

/** Figures of a deadline, without the words. */
const deadlineOf = (
	input: ForecastInput,
	work: Work,
	begin: number,
	leftSec: number | undefined,
): { deadline?: DeadlineForecast; channelsNeeded?: number; cpsNeeded?: number } => {
	const at = input.deadline;
	if (at === undefined || input.unknown !== undefined) return {};
	const withinSec = (at - begin) / 1_000;
	const meets = leftSec !== undefined && leftSec <= withinSec;
	// What it has of the one counts where it is enough; only what is missing is asked for.
	const channelsFor = (cps: number) =>
		least(MOST_CHANNELS, (channels) => timeSec(work, channels, Math.max(cps, input.cps)) <= withinSec);
	const cpsNeeded = least(MOST_CPS, (cps) => timeSec(work, meets ? input.channels : MOST_CHANNELS, cps) <= withinSec);
	const channelsNeeded = cpsNeeded === undefined ? undefined : channelsFor(cpsNeeded);
	const figures = {
		...(channelsNeeded === undefined ? {} : { channelsNeeded }),
		...(cpsNeeded === undefined ? {} : { cpsNeeded }),
	};
	const finishAt = leftSec === undefined ? undefined : begin + leftSec * 1_000;
	return {
		...figures,
		deadline: {
			at,
			meets,
			...(finishAt === undefined ? {} : { bySec: Math.abs(at - finishAt) / 1_000 }),
			...(meets
				? {}
				: {
						needs: {
							...(channelsNeeded === undefined ? {} : { channels: channelsNeeded }),
							...(cpsNeeded === undefined ? {} : { cps: cpsNeeded }),
							...(finishAt === undefined ? {} : { deadline: Math.ceil(finishAt / 60_000) * 60_000 }),
						},
					}),
		},
	};
};

/** Channels that it will use: hosts that are still to be started are, for a deadline, only as far as it needs them. */
const pacedChannels = (input: ForecastInput, work: Work, begin: number): number => {
	const { channels, channelsNow, cps, deadline } = input;
	if (deadline === undefined || channelsNow === undefined || channelsNow >= channels) return channels;
	const needed = least(MOST_CHANNELS, (n) => timeSec(work, n, cps) * 1_000 <= deadline - begin);
	if (needed === undefined) return channels;
	return Math.min(channels, Math.max(channelsNow, Math.ceil(needed * DEADLINE_MARGIN)));
};

/** See {@link Forecast}. No figure of the answer is ever NaN or infinite. */
export const forecast = (raw: ForecastInput): Forecast => {
	const input = tidy(raw);
	const { now, inProgress, attempts, timed, channels, cps } = input;
	const begin = Math.max(now, input.startAt ?? now);
	const { holdSec, holdMeasured } = meanHoldSec(
		[{ h: input.channelMs, m: timed }],
		inProgress,
		input.limits,
		Math.max(0, now - (input.startAt ?? now)) / 1_000,
	);
	const answerRate = answerRateOf(input.answered, attempts, inProgress);
	const work = workOf(input, holdSec, answerRate, begin);
	const sec = input.unknown === undefined ? timeSec(work, pacedChannels(input, work, begin), cps) : undefined;
	const leftSec = sec !== undefined && sec <= FARTHEST_SEC ? sec : undefined;
	const why =
		input.unknown ?? (leftSec === undefined ? whyUnknown(input, work) : input.paused ? "it is paused" : undefined);
	const figures: Omit<Forecast, "words"> = {
		...(leftSec === undefined || why !== undefined ? {} : { finishAt: Math.round(begin + leftSec * 1_000) }),
		...(why === undefined ? {} : { why }),
		...(leftSec === undefined ? {} : { leftSec }),
		basis: holdMeasured && attempts >= enoughMeasured(inProgress) ? "measured" : "assumed",
		answerRate,
		meanHoldSec: holdSec,
		attemptsLeft: work.attemptsLeft,
		channels,
		cps,
		binding: input.unknown === undefined ? bindingOf(work, channels, cps) : "none",
		...deadlineOf(input, work, begin, leftSec),
	};
	return { ...figures, words: forecastWords(figures, input) };
};

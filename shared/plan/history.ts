import { MAX_STEPS } from "./profile.ts";

/** What recorded calls say of a demand: how many channels were busy when, and what a call is like. Pure. */

/** A call that was dialed and has ended, ms since 1970. */
export interface RecordedCall {
	startedMs: number;
	/** undefined: nobody answered. */
	answeredMs: number | undefined;
	endedMs: number;
}

/** Part of a step in which more channels may have been busy than are planned. */
export const SHARE_ABOVE = 0.01;

/** A history that no plan can be made of. */
export class HistoryError extends Error {
	override readonly name = "HistoryError";
}

/** Channels in each step, counted from the first call on. */
export interface BusyChannels {
	/** When the first step begins, ms since 1970: at a whole multiple of the step, UTC. */
	fromMs: number;
	/**
	 * The least number that was enough for 99 % of the step's time, and no less than the mean. The mean itself is exceeded half of the time; the highest may have been
	 * reached for a moment.
	 */
	busy: number[];
	mean: number[];
	highest: number[];
}

/** The level that `share` of the time at most was above; `times` is ms by level. */
const levelFor = (times: ReadonlyMap<number, number>, stepMs: number, share: number): number => {
	const levels = [...times.entries()].sort(([a], [b]) => b - a);
	let above = 0;
	for (const [level, ms] of levels) {
		above += ms;
		if (above > share * stepMs) return level;
	}
	return 0;
};

/** Counts busy channels exactly, from change to change. @param stepSec whole seconds. Throws {@link HistoryError}. */
export const busyChannels = (calls: readonly RecordedCall[], stepSec: number): BusyChannels => {
	const stepMs = stepSec * 1_000;
	const first = calls.reduce((least, { startedMs }) => Math.min(least, startedMs), Number.POSITIVE_INFINITY);
	const last = calls.reduce((most, { endedMs }) => Math.max(most, endedMs), Number.NEGATIVE_INFINITY);
	if (!(last > first)) throw new HistoryError("There is no call in it that took any time.");
	const fromMs = Math.floor(first / stepMs) * stepMs;
	const steps = Math.ceil((last - fromMs) / stepMs);
	if (steps > MAX_STEPS) {
		throw new HistoryError(
			`From the first to the last call there are ${steps.toLocaleString("en-US")} steps; at most ${MAX_STEPS.toLocaleString("en-US")} can be planned at once.`,
		);
	}
	const starts = calls.map(({ startedMs }) => startedMs).sort((a, b) => a - b);
	const ends = calls.map(({ endedMs }) => endedMs).sort((a, b) => a - b);
	const result: BusyChannels = { fromMs, busy: [], mean: [], highest: [] };
	let [s, e, level] = [0, 0, 0];
	for (let step = 0; step < steps; step++) {
		const end = fromMs + (step + 1) * stepMs;
		const times = new Map<number, number>();
		let channelMs = 0;
		for (let now = fromMs + step * stepMs; now < end; ) {
			while ((starts[s] ?? Number.POSITIVE_INFINITY) <= now) {
				level++;
				s++;
			}
			while ((ends[e] ?? Number.POSITIVE_INFINITY) <= now) {
				level--;
				e++;
			}
			const next = Math.min(end, starts[s] ?? end, ends[e] ?? end);
			times.set(level, (times.get(level) ?? 0) + next - now);
			channelMs += level * (next - now);
			now = next;
		}
		const mean = channelMs / stepMs;
		result.mean.push(mean);
		result.highest.push(Math.max(...times.keys()));
		result.busy.push(Math.max(Math.ceil(mean), levelFor(times, stepMs, SHARE_ABOVE)));
	}
	return result;
};

/** What the calls were like, seconds in the mean. */
export interface MeasuredCalls {
	calls: number;
	answered: number;
	/** Part of the calls that was answered. */
	answerRate: number;
	/** Ringing of answered calls, their talk, and of others all of their time; 0 where there is none. */
	ringSec: number;
	talkSec: number;
	noAnswerRingSec: number;
	/** Time of a call on its channel, and the part of it with talk. */
	holdSec: number;
	talkShare: number;
	/** All of it. */
	channelSec: number;
	allTalkSec: number;
}

const thousandths = (value: number): number => Math.round(value * 1_000) / 1_000;
const millionths = (value: number): number => Math.round(value * 1_000_000) / 1_000_000;

export const measureCalls = (calls: readonly RecordedCall[]): MeasuredCalls => {
	let [answered, ringMs, talkMs, missedMs] = [0, 0, 0, 0];
	for (const { startedMs, answeredMs, endedMs } of calls) {
		if (answeredMs === undefined) missedMs += endedMs - startedMs;
		else {
			answered += 1;
			ringMs += answeredMs - startedMs;
			talkMs += endedMs - answeredMs;
		}
	}
	const channelMs = ringMs + talkMs + missedMs;
	const mean = (ms: number, of: number): number => (of === 0 ? 0 : thousandths(ms / 1_000 / of));
	return {
		calls: calls.length,
		answered,
		answerRate: calls.length === 0 ? 0 : millionths(answered / calls.length),
		ringSec: mean(ringMs, answered),
		talkSec: mean(talkMs, answered),
		noAnswerRingSec: mean(missedMs, calls.length - answered),
		holdSec: mean(channelMs, calls.length),
		talkShare: channelMs === 0 ? 0 : millionths(talkMs / channelMs),
		channelSec: channelMs / 1_000,
		allTalkSec: talkMs / 1_000,
	};
};

/** A recorded demand, as a split is planned with it. */
export interface RecordedDemand {
	/** When the first step begins, ISO 8601. */
	from: string;
	channels: number[];
	measured: MeasuredCalls;
	/**
	 * Hold and talk of a channel that is reserved: the channels that are planned with are more than were busy in the mean, and what is idle among them sends nothing and
	 * makes no attempt. So traffic and attempts are those that were recorded.
	 */
	holdSec: number;
	talkShare: number;
}

/** The demand that calls made. Throws {@link HistoryError}. */
export const recordedDemand = (calls: readonly RecordedCall[], stepSec: number): RecordedDemand => {
	const { fromMs, busy } = busyChannels(calls, stepSec);
	const measured = measureCalls(calls);
	const reservedSec = busy.reduce((a, b) => a + b, 0) * stepSec;
	return {
		from: new Date(fromMs).toISOString(),
		channels: busy,
		measured,
		holdSec: millionths(reservedSec / calls.length),
		talkShare: millionths(measured.allTalkSec / reservedSec),
	};
};

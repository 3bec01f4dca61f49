import { momentWords, spanWords } from "../shared/campaigns/forecast-words.ts";
import { count, duration, NONE, percent, plain } from "./format.ts";
import type { ForecastView } from "./views.ts";

/** Rates are taken over this much of the past: long enough to be calm, short enough to follow a pause. */
export const RATE_WINDOW_MS = 30_000;
const BAR_CHARS = 20;

/** One look at a campaign. */
export interface Sample {
	/** Milliseconds since 1970. */
	atMs: number;
	/** Contacts finished. */
	done: number;
	/** Calls that ended, plus those under way: rises when a call is granted. */
	calls: number;
}

/** The samples that count for a rate at the newest one's time: those of the window and the last one before it. */
export const keepRecent = (samples: Sample[], windowMs = RATE_WINDOW_MS): Sample[] => {
	const newest = samples.at(-1);
	if (!newest) return [];
	const first = samples.findIndex((sample) => sample.atMs >= newest.atMs - windowMs);
	return samples.slice(Math.max(0, first - 1));
};

/** Change per second between the oldest and the newest sample; undefined with fewer than two, or a clock that stood. */
export const ratePerSec = (samples: Sample[], of: "done" | "calls"): number | undefined => {
	const first = samples[0];
	const last = samples.at(-1);
	if (!first || !last || last.atMs <= first.atMs) return undefined;
	return Math.max(0, ((last[of] - first[of]) * 1_000) / (last.atMs - first.atMs));
};

/** Seconds until all are done at the present rate; undefined where nothing moves. */
export const timeLeftSec = (total: number, done: number, donePerSec: number | undefined): number | undefined => {
	if (done >= total) return 0;
	return donePerSec ? (total - done) / donePerSec : undefined;
};

export interface ProgressInput {
	name: string;
	state: string;
	total: number;
	done: number;
	liveChannels: number | undefined;
	channelCap: number | undefined;
	samples: Sample[];
	forecast?: ForecastView | null | undefined;
}

/** `done about 16:20 UTC, 20 min late`; `` where it is not known. Times are in UTC, as everywhere here. */
export const forecastText = (forecast: ForecastView | null | undefined, nowMs: number): string => {
	const finishMs = forecast?.finishAt ? new Date(forecast.finishAt).getTime() : Number.NaN;
	if (Number.isNaN(finishMs)) return "";
	const { deadline } = forecast ?? {};
	const isLate = deadline?.meets === false && deadline.bySec !== undefined && deadline.bySec !== null;
	return `done about ${momentWords(finishMs, nowMs)}${isLate ? `, ${spanWords(deadline.bySec ?? 0)} late` : ""}`;
};

/** `[####......]  120/300 done (40 %)  60/60 channels  12.3 calls/s  0:15 min left  done about 16:20 UTC` */
export const progressText = (input: ProgressInput, options: { bar: boolean }): string => {
	const callsPerSec = ratePerSec(input.samples, "calls");
	const left = timeLeftSec(input.total, input.done, ratePerSec(input.samples, "done"));
	const filled = input.total > 0 ? Math.floor((input.done / input.total) * BAR_CHARS) : 0;
	const parts = [
		plain(input.name),
		input.state,
		...(options.bar ? [`[${"#".repeat(filled)}${".".repeat(BAR_CHARS - filled)}]`] : []),
		`${count(input.done)}/${count(input.total)} done (${percent(input.done, input.total)})`,
		`${input.liveChannels === undefined ? NONE : count(input.liveChannels)}${
			input.channelCap === undefined ? "" : `/${count(input.channelCap)}`
		} channels`,
		`${callsPerSec === undefined ? NONE : callsPerSec.toFixed(1)} calls/s`,
	];
	if (input.state === "running") parts.push(left === undefined ? "time left unknown" : `${duration(left)} left`);
	const forecast = forecastText(input.forecast, input.samples.at(-1)?.atMs ?? 0);
	if (forecast) parts.push(forecast);
	return parts.join("  ");
};

/** Cut to the terminal's width, so that one line stays one line. */
export const cutToWidth = (text: string, columns: number | undefined): string => {
	if (columns === undefined || columns < 2) return text;
	const chars = [...text];
	return chars.length < columns ? text : `${chars.slice(0, columns - 2).join("")}…`;
};

import type { Forecast, ForecastInput } from "./forecast.ts";

/** What a forecast says, in words for people: the only place that rounds its figures. */

const DAY_SEC = 86_400;

/** `16:20 UTC`; with its date where it is another day than `now`. */
export const momentWords = (at: number, now: number): string => {
	const text = new Date(Math.round(at / 60_000) * 60_000).toISOString();
	const today = new Date(now).toISOString().slice(0, 10);
	const day = text.slice(0, 10);
	return `${day === today ? "" : `${day} `}${text.slice(11, 16)} UTC`;
};

/** `45 s`, `20 min`, `3 h 20 min`, `3 d 4 h`. */
export const spanWords = (sec: number): string => {
	if (sec < 90) return `${Math.round(sec)} s`;
	const minutes = Math.round(sec / 60);
	if (minutes < 120) return `${minutes} min`;
	if (sec < 2 * DAY_SEC) return `${Math.floor(minutes / 60)} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ""}`;
	const hours = Math.round(sec / 3_600);
	return `${Math.floor(hours / 24)} d${hours % 24 > 0 ? ` ${hours % 24} h` : ""}`;
};

const figure = (value: number): string =>
	(value < 10 ? Math.round(value * 10) / 10 : Math.floor(value)).toLocaleString("en-US");

type Figures = Omit<Forecast, "words">;

const basisWords = ({ basis, answerRate, meanHoldSec }: Figures, { attempts }: ForecastInput): string => {
	const what =
		basis === "measured"
			? "measured"
			: attempts === 0
				? "assumed"
				: `${figure(attempts)} ${attempts === 1 ? "attempt" : "attempts"} measured, the rest assumed`;
	return `${what}: ${Math.round(answerRate * 100)} % answer, ${Math.round(meanHoldSec)} s a call`;
};

const finishWords = (figures: Figures, input: ForecastInput): string => {
	const { finishAt, leftSec, why } = figures;
	if (input.unknown === undefined && figures.attemptsLeft === 0) return "all contacts are done";
	const basis = basisWords(figures, input);
	if (finishAt !== undefined) return `done about ${momentWords(finishAt, input.now)} (${basis})`;
	if (leftSec !== undefined) return `paused; once resumed it takes about ${spanWords(leftSec)} (${basis})`;
	return `when it will be done is not known: ${why}`;
};

/** `needs 140 channels (has 100, its cap) and 12 calls/s (has 10), or a deadline of 16:20 UTC`. */
const needsWords = (figures: Figures, input: ForecastInput): string => {
	const { needs } = figures.deadline ?? {};
	if (!needs) return "";
	const parts: string[] = [];
	if (needs.channels !== undefined && needs.channels > input.channels) {
		const limit = input.limit ? `, ${input.limit}` : "";
		parts.push(`${figure(needs.channels)} channels (has ${figure(input.channels)}${limit})`);
	}
	if (needs.cps !== undefined && needs.cps > input.cps) {
		parts.push(`${figure(needs.cps)} calls/s (has ${figure(input.cps)})`);
	}
	const later = needs.deadline === undefined ? "" : `a deadline of ${momentWords(needs.deadline, input.now)}`;
	const first = parts.join(" and ");
	if (first) return `: needs ${first}${later ? `, or ${later}` : ""}`;
	if (!later) return "";
	if (figures.binding === "retries") return `: its retries wait for so long; needs shorter ones, or ${later}`;
	return `: no number of channels is enough; needs ${later}`;
};

const deadlineWords = (figures: Figures, input: ForecastInput): string => {
	const { deadline } = figures;
	if (!deadline) return "";
	const { at, meets, bySec } = deadline;
	const by = bySec === undefined ? "" : meets ? `, ${spanWords(bySec)} early` : ` by ${spanWords(bySec)}`;
	const past = `${meets ? "met" : bySec === undefined ? "not met" : "missed"}${by}`;
	const verb = input.paused ? `would be ${past} if it were resumed now` : `is ${past}`;
	return `; the deadline ${momentWords(at, input.now)} ${verb}${needsWords(figures, input)}`;
};

export const forecastWords = (figures: Figures, input: ForecastInput): string =>
	`${finishWords(figures, input)}${deadlineWords(figures, input)}`;

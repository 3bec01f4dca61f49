import { DAY_MS, dayOf, MINUTE_MS, offsetAt } from "../time/clock.ts";

/** From `start` on, no more at `end`. */
export interface Span {
	start: number;
	end: number;
}

/** The spans of which all lists have a part. Each list is sorted and its spans do not touch. */
export const intersect = (one: readonly Span[], other: readonly Span[]): Span[] => {
	const common: Span[] = [];
	let i = 0;
	let j = 0;
	for (let a = one[i], b = other[j]; a && b; a = one[i], b = other[j]) {
		const start = Math.max(a.start, b.start);
		const end = Math.min(a.end, b.end);
		if (start < end) common.push({ start, end });
		if (a.end < b.end) i++;
		else j++;
	}
	return common;
};

/** Sorted, and spans that touch or overlap made one. */
export const joined = (spans: readonly Span[]): Span[] => {
	const all: Span[] = [];
	for (const span of [...spans].sort((a, b) => a.start - b.start)) {
		const last = all.at(-1);
		if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
		else all.push({ ...span });
	}
	return all;
};

/** A time in which a zone's clocks are not changed. */
interface Steady extends Span {
	/** How far they are ahead of UTC, ms. */
	offset: number;
}

/** The first moment after `low` at which the offset is another one; it is at `high`. Clocks are changed at a full minute. */
const changeBetween = (low: number, high: number, offset: number, timeZone: string): number => {
	let before = low / MINUTE_MS;
	let after = high / MINUTE_MS;
	while (after - before > 1) {
		const middle = Math.floor((before + after) / 2);
		if (offsetAt(middle * MINUTE_MS, timeZone) === offset) before = middle;
		else after = middle;
	}
	return after * MINUTE_MS;
};

/**
 * The times between a zone's clock changes. No zone changes its clocks twice within a day.
 * @param from at a full minute, as is `until`
 */
export const steadyTimes = (timeZone: string, { start, end }: Span): Steady[] => {
	const times: Steady[] = [{ start, end, offset: offsetAt(start, timeZone) }];
	for (let at = start; at < end; at += DAY_MS) {
		const last = times.at(-1) as Steady;
		const next = Math.min(at + DAY_MS, end);
		const offset = offsetAt(next, timeZone);
		if (offset === last.offset) continue;
		last.end = changeBetween(at, next, last.offset, timeZone);
		if (last.end < end) times.push({ start: last.end, end, offset });
	}
	return times;
};

/**
 * When the clocks of a zone show a time of the daily spans: by what they show, so a time that they show twice is there twice, and one that they jump
 * over is not.
 * @param spansOf spans of a local day (UTC midnight), minutes since its midnight; sorted, not touching
 * @param range at full minutes
 */
export const whenClocksShow = (timeZone: string, range: Span, spansOf: (day: number) => readonly Span[]): Span[] => {
	const spans: Span[] = [];
	for (const { start, end, offset } of steadyTimes(timeZone, range)) {
		for (let day = dayOf(start + offset); day < end + offset; day += DAY_MS) {
			for (const span of spansOf(day)) {
				const opens = Math.max(start, day + span.start * MINUTE_MS - offset);
				const closes = Math.min(end, day + span.end * MINUTE_MS - offset);
				if (opens < closes) spans.push({ start: opens, end: closes });
			}
		}
	}
	return joined(spans);
};

import type { Window } from "../contract/window.ts";
import { minutesOf, weekdayOf } from "../time/clock.ts";
import { type Holiday, holidaysOf } from "./holidays.ts";
import type { Hours, Rule } from "./rule-book.ts";
import { joined, type Span } from "./spans.ts";

const DAY_MINUTES = 1_440;
const WHOLE_DAY: readonly Span[] = [{ start: 0, end: DAY_MINUTES }];
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];

/** When somebody lets calls be made, in local time, and who it is. */
export interface LocalHours {
	/** For messages: `rule us-fl-hours (Fla. Stat. 501.616(6)(a))`, `the campaign's window`. */
	name: string;
	/** Spans of a local day (UTC midnight), minutes since its midnight. */
	on(day: number): readonly Span[];
}

const spanOf = ({ from, to }: Pick<Hours, "from" | "to">): Span => ({
	start: minutesOf(from),
	end: to === "00:00" ? DAY_MINUTES : minutesOf(to),
});

/** Spans by ISO weekday, from index 1. */
const week = (hours: readonly Hours[]): Span[][] => [
	[],
	...WEEKDAYS.map((weekday) => joined(hours.filter(({ days }) => days.includes(weekday)).map(spanOf))),
];

const holidayTest = (holidays: readonly Holiday[]): ((day: number) => boolean) => {
	const years = new Map<number, Set<number>>();
	return (day) => {
		if (holidays.length === 0) return false;
		const year = new Date(day).getUTCFullYear();
		const days = years.get(year) ?? holidaysOf(holidays, year);
		years.set(year, days);
		return days.has(day);
	};
};

export const hoursOfRule = (rule: Rule): LocalHours => {
	const byWeekday = rule.hours && week(rule.hours);
	const isHoliday = holidayTest(rule.holidays);
	return {
		name: `rule ${rule.id} (${rule.source.law})`,
		on: (day) => (isHoliday(day) ? [] : byWeekday ? (byWeekday[weekdayOf(day)] ?? []) : WHOLE_DAY),
	};
};

export const hoursOfWindow = (window: Window): LocalHours => {
	const byWeekday = week([window]);
	const holidays = new Set(window.holidays.map((date) => Date.parse(`${date}T00:00:00Z`)));
	return {
		name: "the campaign's window",
		on: (day) => (holidays.has(day) ? [] : (byWeekday[weekdayOf(day)] ?? [])),
	};
};

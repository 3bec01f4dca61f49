import { z } from "zod";
import { DAY_MS, weekdayOf } from "../time/clock.ts";

/**
 * What else is closed when a holiday of a fixed date falls on a weekend; the date itself always is.
 * `nearest`: the Friday before a Saturday, the Monday after a Sunday. `following`: the next weekday that is no holiday itself.
 * `afterSunday`: the Monday after a Sunday only.
 */
const SUBSTITUTES = ["nearest", "following", "afterSunday"] as const;

const month = z.int().min(1).max(12);
const holidaySchema = z.union([
	z
		.strictObject({
			name: z.string().min(1),
			month,
			day: z.int().min(1).max(31),
			substitute: z.enum(SUBSTITUTES).optional(),
		})
		// A day that a leap year has is a day.
		.refine((holiday) => new Date(Date.UTC(2024, holiday.month - 1, holiday.day)).getUTCDate() === holiday.day, {
			message: "is no day of that month",
			path: ["day"],
		}),
	z.strictObject({
		name: z.string().min(1),
		month,
		/** ISO weekday, 1 is Monday. */
		weekday: z.int().min(1).max(7),
		/** The first such weekday on or after this day of the month: 15 for the third of its kind, 25 for the last of May. */
		onOrAfter: z.int().min(1).max(31),
		/** `even`: every other year, as elections are. */
		years: z.literal("even").optional(),
	}),
	z.strictObject({
		name: z.string().min(1),
		/** Days after Easter Sunday (western); before it where negative. */
		easter: z.int().min(-60).max(60),
	}),
]);
export type Holiday = z.infer<typeof holidaySchema>;

export const calendarSchema = z.strictObject({
	/** Calendars whose holidays belong to this one too. */
	include: z.array(z.string()).default([]),
	days: z.array(holidaySchema).min(1),
});

/** Easter Sunday of the western churches as UTC midnight (Meeus, Jones and Butcher's algorithm). */
export const easterOf = (year: number): number => {
	const a = year % 19;
	const b = Math.floor(year / 100);
	const c = year % 100;
	const d = Math.floor(b / 4);
	const e = b % 4;
	const f = Math.floor((b + 8) / 25);
	const g = Math.floor((b - f + 1) / 3);
	const h = (19 * a + b - d - g + 15) % 30;
	const i = Math.floor(c / 4);
	const k = c % 4;
	const l = (32 + 2 * e + 2 * i - h - k) % 7;
	const m = Math.floor((a + 11 * h + 22 * l) / 451);
	const n = h + l - 7 * m + 114;
	return Date.UTC(year, Math.floor(n / 31) - 1, (n % 31) + 1);
};

const SATURDAY = 6;
const SUNDAY = 7;

const dateOf = (holiday: Holiday, year: number): number | undefined => {
	if ("easter" in holiday) return easterOf(year) + holiday.easter * DAY_MS;
	if ("day" in holiday) return Date.UTC(year, holiday.month - 1, holiday.day);
	if (holiday.years === "even" && year % 2 !== 0) return undefined;
	const first = Date.UTC(year, holiday.month - 1, holiday.onOrAfter);
	return first + ((holiday.weekday - weekdayOf(first) + 7) % 7) * DAY_MS;
};

/**
 * The days on which a calendar's holidays are kept, with their substitutes, as UTC midnights.
 * @param year those of the year, and substitutes of the next year's first day
 */
export const holidaysOf = (holidays: readonly Holiday[], year: number): Set<number> => {
	const days = new Set<number>();
	const substituted: { date: number; how: (typeof SUBSTITUTES)[number] }[] = [];
	for (const holiday of holidays) {
		for (const y of [year, year + 1]) {
			const date = dateOf(holiday, y);
			if (date === undefined) continue;
			days.add(date);
			if ("day" in holiday && holiday.substitute) substituted.push({ date, how: holiday.substitute });
		}
	}
	// After all dates themselves are known: a substitute goes round them.
	for (const { date, how } of substituted.sort((a, b) => a.date - b.date)) {
		const weekday = weekdayOf(date);
		if (weekday < SATURDAY || (weekday === SATURDAY && how === "afterSunday")) continue;
		if (how === "nearest") {
			days.add(weekday === SUNDAY ? date + DAY_MS : date - DAY_MS);
			continue;
		}
		let next = date + DAY_MS;
		while (weekdayOf(next) >= SATURDAY || (how === "following" && days.has(next))) next += DAY_MS;
		days.add(next);
	}
	return new Set([...days].filter((day) => new Date(day).getUTCFullYear() === year));
};

import type { ScheduleInput } from "../contract/fleet.ts";
import type { FloorItem, ScheduleItem } from "../store/items.ts";
import { clockAt, DAY_MS, dayOf, MINUTE_MS, minutesOf, offsetAt, weekdayOf } from "../time/clock.ts";

/** A number of burst hosts that are to be there whatever the demand is, and what says so. */
export interface Floor {
	hosts: number;
	/** `schedule evening`, `scale` or `none`. */
	from: string;
}

/** The moments between which a schedule is in force, ms since 1970: from `start` on, no more at `end`. */
export interface Span {
	start: number;
	end: number;
}

/**
 * The moment at which the clocks of a zone show a local time. Where they show it twice (clocks put back), the `first` or the `last` of the
 * two; where they never do (clocks put forward), the moment at which they jump over it.
 * @param local the local time as if it were UTC, ms since 1970
 */
export const momentOf = (local: number, timeZone: string, which: "first" | "last"): number => {
	// A zone is at most 14 h from UTC, and clocks are not changed twice within two days: these are the offsets before and after.
	const before = local - offsetAt(local - DAY_MS, timeZone);
	const after = local - offsetAt(local + DAY_MS, timeZone);
	const shown = [before, after].filter((at) => clockAt(at, timeZone) === local);
	if (shown.length > 0) return which === "first" ? Math.min(...shown) : Math.max(...shown);
	// In the gap: `after` is before the jump, `before` after it.
	let low = after;
	let high = before;
	while (high - low > 1) {
		const middle = Math.floor((low + high) / 2);
		if (clockAt(middle, timeZone) < local) low = middle;
		else high = middle;
	}
	return high;
};

/**
 * When a schedule is in force around a moment: every span that begins from two days before to one day after. It belongs to the local day on
 * which it begins. On the day of a clock change it begins with the first and ends with the last showing of its times; times that the
 * clocks jump over count as the moment of the jump, so a schedule that lies wholly in the gap is left out that day.
 */
export const spansAround = (schedule: ScheduleInput, now: number): Span[] => {
	const { timeZone } = schedule;
	const today = dayOf(clockAt(now, timeZone));
	const from = minutesOf(schedule.from) * MINUTE_MS;
	const to = minutesOf(schedule.to) * MINUTE_MS;
	const spans: Span[] = [];
	for (let n = -2; n <= 1; n++) {
		const day = today + n * DAY_MS;
		if (!schedule.days.includes(weekdayOf(day))) continue;
		const start = momentOf(day + from, timeZone, "first");
		const end = momentOf(day + to + (to < from ? DAY_MS : 0), timeZone, "last");
		if (end > start) spans.push({ start, end });
	}
	return spans;
};

/**
 * The largest of the schedules in force and of the floor by hand, until its end.
 * @param leadSec how long before its `from` a schedule counts: its hosts are to be ready then, not started
 */
export const floorOf = (
	schedules: Pick<ScheduleItem, keyof ScheduleInput | "name">[],
	floor: Pick<FloorItem, "min" | "until"> | undefined,
	now: number,
	leadSec = 0,
): Floor => {
	let largest: Floor = { hosts: 0, from: "none" };
	// By name: of two with the same floor always the same one is named.
	for (const schedule of [...schedules].sort((a, b) => (a.name < b.name ? -1 : 1))) {
		if (schedule.floor <= largest.hosts) continue;
		const inForce = spansAround(schedule, now).some(({ start, end }) => start - leadSec * 1_000 <= now && now < end);
		if (inForce) largest = { hosts: schedule.floor, from: `schedule ${schedule.name}` };
	}
	if (floor && now < floor.until && floor.min > largest.hosts) {
		largest = { hosts: floor.min, from: "scale" };
	}
	return largest;
};

/** The next moment after now, within a day or so, at which the floor may become another one by time alone. */
export const nextFloorChange = (
	schedules: Pick<ScheduleItem, keyof ScheduleInput>[],
	floor: Pick<FloorItem, "min" | "until"> | undefined,
	now: number,
	leadSec = 0,
): number | undefined => {
	const edges = schedules
		.flatMap((schedule) => spansAround(schedule, now))
		.flatMap(({ start, end }) => [start - leadSec * 1_000, end]);
	if (floor) edges.push(floor.until);
	const ahead = edges.filter((at) => at > now);
	return ahead.length > 0 ? Math.min(...ahead) : undefined;
};

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ScheduleInput } from "../../../shared/contract/fleet.ts";
import { floorOf, momentOf, nextFloorChange, spansAround } from "../../../shared/fleet/floors.ts";

const ALL_DAYS = [1, 2, 3, 4, 5, 6, 7];
const schedule = (over: Partial<ScheduleInput> & { name?: string } = {}) => ({
	name: "evening",
	floor: 4,
	days: ALL_DAYS,
	from: "18:00",
	to: "22:00",
	timeZone: "Europe/Berlin",
	...over,
});
const at = (text: string): number => Date.parse(text);
const hosts = (over: Parameters<typeof schedule>[0], when: string, leadSec = 0): number =>
	floorOf([schedule(over)], undefined, at(when), leadSec).hosts;

describe("a schedule", () => {
	test.each([
		["begins at its local time", {}, "2026-11-02T17:00:00Z", 4],
		["not a second before", {}, "2026-11-02T16:59:59Z", 0],
		["holds until its end", {}, "2026-11-02T20:59:59Z", 4],
		["and no longer", {}, "2026-11-02T21:00:00Z", 0],
		["follows daylight saving time", {}, "2026-07-01T16:00:00Z", 4],
		["is for its days only", { days: [2] }, "2026-11-02T18:00:00Z", 0],
		["a day is the local one", { days: [2], from: "00:00", to: "01:00" }, "2026-11-02T23:30:00Z", 4],
		[
			"over midnight belongs to the day on which it begins",
			{ days: [1], from: "22:00", to: "02:00" },
			"2026-11-03T00:30:00Z",
			4,
		],
		["… not to the one on which it ends", { days: [2], from: "22:00", to: "02:00" }, "2026-11-03T00:30:00Z", 0],
		["over midnight of Sunday", { days: [7], from: "22:00", to: "06:00" }, "2026-11-02T04:59:00Z", 4],
		["of nearly a day", { days: [1], from: "10:00", to: "09:59" }, "2026-11-03T08:58:00Z", 4],
		[
			"east of everybody",
			{ days: [2], from: "00:00", to: "01:00", timeZone: "Pacific/Kiritimati" },
			"2026-11-02T10:30:00Z",
			4,
		],
		[
			"west of everybody",
			{ days: [1], from: "23:00", to: "23:30", timeZone: "Pacific/Pago_Pago" },
			"2026-11-03T10:15:00Z",
			4,
		],
		[
			"in a zone with a quarter of an hour",
			{ from: "12:00", to: "12:01", timeZone: "Asia/Kathmandu" },
			"2026-11-02T06:15:30Z",
			4,
		],
	])("%s", (_sentence, over, when, floor) => {
		expect(hosts(over, when)).toBe(floor);
	});
	test("is ready at its begin: it counts so much earlier, also over midnight", () => {
		expect(hosts({}, "2026-11-02T16:59:00Z", 60)).toBe(4);
		expect(hosts({}, "2026-11-02T16:58:59Z", 60)).toBe(0);
		expect(hosts({ days: [2], from: "00:00", to: "01:00" }, "2026-11-02T22:59:30Z", 60)).toBe(4);
		// The end is not moved.
		expect(hosts({}, "2026-11-02T21:00:00Z", 60)).toBe(0);
	});
});

describe("on the day the clocks are put forward", () => {
	// Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
	test.each([
		["a begin in the gap is the moment of the jump", { from: "02:30", to: "05:00" }, "2026-03-29T01:00:00Z", 4],
		["… and not before", { from: "02:30", to: "05:00" }, "2026-03-29T00:59:59Z", 0],
		["an end in the gap is the moment of the jump", { from: "01:00", to: "02:30" }, "2026-03-29T00:59:59Z", 4],
		["… and not after", { from: "01:00", to: "02:30" }, "2026-03-29T01:00:00Z", 0],
		["a schedule wholly in the gap is left out", { from: "02:10", to: "02:50" }, "2026-03-29T01:00:00Z", 0],
		["the next day it is as ever", { from: "02:10", to: "02:50" }, "2026-03-30T00:15:00Z", 4],
		["an hour is shorter, its end stays", { from: "01:30", to: "03:30" }, "2026-03-29T01:29:59Z", 4],
		["… its end stays", { from: "01:30", to: "03:30" }, "2026-03-29T01:30:00Z", 0],
	])("%s", (_sentence, over, when, floor) => {
		expect(hosts(over, when)).toBe(floor);
	});
});

describe("on the day the clocks are put back", () => {
	// New York, 2026-11-01: 02:00 becomes 01:00 at 06:00 UTC.
	const zone = { timeZone: "America/New_York" };
	test.each([
		["a begin that is shown twice is the first", { from: "01:30", to: "03:00" }, "2026-11-01T05:30:00Z", 4],
		["an end that is shown twice is the last", { from: "00:30", to: "01:30" }, "2026-11-01T06:29:59Z", 4],
		["… and not after", { from: "00:30", to: "01:30" }, "2026-11-01T06:30:00Z", 0],
		["it holds between the two", { from: "01:10", to: "01:20" }, "2026-11-01T05:50:00Z", 4],
		["an hour is longer", { from: "00:00", to: "02:00" }, "2026-11-01T06:59:59Z", 4],
	])("%s", (_sentence, over, when, floor) => {
		expect(hosts({ ...over, ...zone }, when)).toBe(floor);
	});
});

test("a day that a zone left out altogether is the moment of the jump", () => {
	// Samoa had no 30 December 2011: from UTC-10 to UTC+14 at 10:00 UTC.
	expect(momentOf(Date.UTC(2011, 11, 30, 12), "Pacific/Apia", "first")).toBe(at("2011-12-30T10:00:00Z"));
});

describe("of several floors", () => {
	const list = [
		schedule({ name: "b", floor: 3 }),
		schedule({ name: "a", floor: 3 }),
		schedule({ name: "c", days: [7], floor: 9 }),
	];
	const now = at("2026-11-02T18:00:00Z");
	test("the largest in force counts, and is named", () => {
		expect(floorOf(list, undefined, now)).toEqual({ hosts: 3, from: "schedule a" });
		expect(floorOf(list, { min: 2, until: now + 1 }, now)).toEqual({ hosts: 3, from: "schedule a" });
		expect(floorOf(list, { min: 5, until: now + 1 }, now)).toEqual({ hosts: 5, from: "scale" });
		expect(floorOf(list, { min: 5, until: now }, now)).toEqual({ hosts: 3, from: "schedule a" });
		expect(floorOf([], { min: 0, until: now + 1 }, now)).toEqual({ hosts: 0, from: "none" });
	});
	test("the next change is the next edge or the end by hand", () => {
		expect(nextFloorChange(list, undefined, now)).toBe(at("2026-11-02T21:00:00Z"));
		expect(nextFloorChange(list, { min: 1, until: now + 5 }, now)).toBe(now + 5);
		expect(nextFloorChange([schedule()], undefined, at("2026-11-02T16:00:00Z"), 90)).toBe(at("2026-11-02T16:58:30Z"));
		expect(nextFloorChange([], { min: 1, until: now }, now)).toBeUndefined();
	});
});

describe("whatever the zone", () => {
	const zones = fc.constantFrom(
		"Europe/Berlin",
		"America/New_York",
		"America/St_Johns",
		"Australia/Lord_Howe",
		"Asia/Kolkata",
		"Africa/Casablanca",
		"Pacific/Chatham",
		"America/Santiago",
		"UTC",
	);
	const times = fc.integer({ min: at("2024-01-01T00:00:00Z"), max: at("2029-01-01T00:00:00Z") });
	const clock = (zone: string, when: number): string =>
		new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(when);
	test("the moment of what the clocks show is a moment at which they show it", () => {
		fc.assert(
			fc.property(zones, times, (zone, time) => {
				const when = Math.floor(time / 60_000) * 60_000;
				const local = at(`${clock(zone, when).replace(" ", "T")}Z`);
				const first = momentOf(local, zone, "first");
				const last = momentOf(local, zone, "last");
				expect([first, last]).toContain(when);
				expect(first).toBeLessThanOrEqual(last);
				expect(clock(zone, first)).toBe(clock(zone, when));
				expect(clock(zone, last)).toBe(clock(zone, when));
			}),
			{ numRuns: 1_000, seed: 20_261_123 },
		);
	});
	const minutes = fc.integer({ min: 0, max: 1_439 });
	const text = (n: number): string =>
		`${String(Math.floor(n / 60)).padStart(2, "0")}:${String(n % 60).padStart(2, "0")}`;
	test("every day has one span, spans are in order, and none is longer than a day and what clocks are put back", () => {
		fc.assert(
			fc.property(zones, times, minutes, minutes, (timeZone, now, from, to) => {
				if (from === to) return;
				const spans = spansAround(schedule({ from: text(from), to: text(to), timeZone }), now);
				expect(spans.length).toBeGreaterThanOrEqual(3);
				for (const [i, { start, end }] of spans.entries()) {
					expect(end).toBeGreaterThan(start);
					expect(end - start).toBeLessThanOrEqual(25 * 3_600_000);
					expect(start).toBeGreaterThan(spans[i - 1]?.start ?? 0);
				}
				const inside = spans.some(({ start, end }) => start <= now && now < end);
				expect(floorOf([schedule({ from: text(from), to: text(to), timeZone })], undefined, now).hosts).toBe(
					inside ? 4 : 0,
				);
			}),
			{ numRuns: 500, seed: 20_261_123 },
		);
	});
});

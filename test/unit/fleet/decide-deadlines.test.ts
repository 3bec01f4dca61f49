import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { byTurns, channelsInTime, type Runner } from "../../../shared/fleet/decide-deadlines.ts";

const runner = (campaignId: string, over: Partial<Runner> = {}): Runner => ({
	campaignId,
	most: 1_000,
	work: 60_000,
	sec: 600,
	priority: 5,
	...over,
});

describe("turns", () => {
	test.each<[string, [most: number, priority: number][], number, number[]]>([
		[
			"alike",
			[
				[100, 5],
				[100, 5],
			],
			80,
			[40, 40],
		],
		[
			"in proportion to priorities",
			[
				[100, 8],
				[100, 2],
			],
			80,
			[64, 16],
		],
		[
			"what one cannot use the others have",
			[
				[10, 5],
				[100, 5],
				[100, 5],
			],
			90,
			[10, 40, 40],
		],
		[
			"no more than all can use",
			[
				[10, 5],
				[20, 5],
			],
			90,
			[10, 20],
		],
		["nothing", [[10, 5]], 0, [0]],
	])("%s", (_what, takers, amount, shares) => {
		const given = byTurns(
			takers.map(([most, priority]) => ({ most, priority })),
			amount,
		);
		expect(given.map((share) => Math.round(share * 1e6) / 1e6)).toEqual(shares);
	});
});

describe("channels that hold all deadlines", () => {
	test.each<[string, Runner[], number]>([
		["none for nothing", [], 0],
		["one: its work in its time", [runner("a")], 100],
		["two at the same time: the sum", [runner("a"), runner("b")], 200],
		// 100 each for 600 s, then the other one alone.
		["one that may take longer takes its turns all the same", [runner("a"), runner("b", { sec: 6_000 })], 200],
		["… less once it is done", [runner("a"), runner("b", { work: 6_000, sec: 6_000 })], 110],
		[
			"… and less with a lower priority",
			[runner("a", { priority: 10 }), runner("b", { sec: 6_000, priority: 1 })],
			110,
		],
		["… or a cap", [runner("a"), runner("b", { sec: 6_000, most: 20 })], 120],
		["the second has the first one's when that is done", [runner("a", { sec: 300 }), runner("b", { sec: 900 })], 400],
	])("%s", (_what, runners, channels) => {
		expect(channelsInTime(runners)).toBe(channels);
	});
	const some = fc.array(
		fc
			.record({
				most: fc.integer({ min: 1, max: 500 }),
				part: fc.integer({ min: 0, max: 1_000 }),
				sec: fc.integer({ min: 10, max: 10_000 }),
				priority: fc.integer({ min: 1, max: 10 }),
			})
			// Each could be in time alone.
			.map(({ part, ...rest }) => ({ ...rest, work: (part / 1_000) * rest.most * rest.sec })),
		{ minLength: 1, maxLength: 6 },
	);
	const named = (list: Omit<Runner, "campaignId">[]): Runner[] =>
		list.map((each, i) => ({ ...each, campaignId: `c${i}` }));
	test("no fewer than each needs, no more than all can use", () => {
		fc.assert(
			fc.property(some, (list) => {
				const channels = channelsInTime(named(list));
				for (const { work, sec } of list) expect(channels).toBeGreaterThanOrEqual(Math.floor(work / sec - 1e-6));
				expect(channels).toBeLessThanOrEqual(list.reduce((n, { most }) => n + most, 0));
			}),
		);
	});
	test("more time for one, or less work, never needs more", () => {
		fc.assert(
			fc.property(some, fc.nat(), fc.integer({ min: 1, max: 5_000 }), (list, which, more) => {
				const at = which % list.length;
				const later = list.map((each, i) => (i === at ? { ...each, sec: each.sec + more } : each));
				const less = list.map((each, i) => (i === at ? { ...each, work: each.work / 2 } : each));
				const channels = channelsInTime(named(list));
				expect(channelsInTime(named(later))).toBeLessThanOrEqual(channels);
				expect(channelsInTime(named(less))).toBeLessThanOrEqual(channels);
			}),
		);
	});
});

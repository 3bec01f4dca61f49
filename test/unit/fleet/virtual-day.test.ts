import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { costOf, planDay } from "../../support/fleet/planner.ts";
import { generateProfile, holdTimes, KEPT_PROFILES, meanHoldSec, type Profile } from "../../support/fleet/profile.ts";
import { VirtualDay } from "../../support/fleet/virtual-day.ts";

/** A day of the fleet in virtual time against what somebody would have paid who knew the day beforehand. */

const kept = (name: string): Profile =>
	JSON.parse(readFileSync(new URL(`../../support/fleet/${name}`, import.meta.url), "utf8")) as Profile;

describe("the profiles that are kept", () => {
	test.each(Object.entries(KEPT_PROFILES))("%s is what the generator makes of its seed", (name, options) => {
		expect(kept(name)).toEqual(generateProfile(options));
	});
	test("a day has 40 bursts of 10 to 60 minutes, another one 40 of 5 minutes", () => {
		const minutes = kept("profile-day.json").bursts.map((burst) => burst.minutes);
		expect(minutes).toHaveLength(40);
		expect(Math.min(...minutes)).toBeGreaterThanOrEqual(10);
		expect(Math.max(...minutes)).toBeLessThanOrEqual(60);
		expect(kept("profile-short.json").bursts.map((burst) => burst.minutes)).toEqual(Array(40).fill(5));
	});
	test("calls hold their channels as long as is said on average", () => {
		const mix = { answerRate: 0.4, ringSec: 12, talkSec: 40, unansweredSec: 25, maxCallSec: 180 };
		const next = holdTimes(mix, 7);
		const times = Array.from({ length: 50_000 }, next);
		expect(times.reduce((a, b) => a + b) / times.length).toBeCloseTo(meanHoldSec(mix), 0);
		expect(Math.max(...times)).toBeLessThanOrEqual(180);
	});
});

describe("the planner who knew", () => {
	const seconds = (...parts: [number, number][]): number[] =>
		parts.flatMap(([length, hosts]) => Array(length).fill(hosts));
	test("pays for the boot and for as long as a host is needed", () => {
		expect(costOf(seconds([10, 0], [300, 2], [100, 1], [5, 0]), 55)).toEqual({
			hostSeconds: 2 * 55 + 700,
			starts: 2,
			most: 2,
		});
	});
	test("pays for a minute at least", () => {
		expect(costOf(seconds([2, 1]), 55)).toEqual({ hostSeconds: 60, starts: 1, most: 1 });
	});
	test("keeps a host where that costs less than another boot, and no longer", () => {
		expect(costOf(seconds([100, 1], [55, 0], [100, 1]), 55)).toEqual({ hostSeconds: 55 + 255, starts: 1, most: 1 });
		expect(costOf(seconds([100, 1], [56, 0], [100, 1]), 55)).toEqual({ hostSeconds: 2 * 155, starts: 2, most: 1 });
	});
	test("needs no burst host for what the steady hosts can carry", () => {
		const profile = generateProfile({ seed: 1, bursts: 3, minutes: [10, 10] });
		const { fixed, movable } = planDay({ ...profile, steady: { hosts: 10, channelsPerHost: 1_000 } });
		expect([fixed.hostSeconds, movable.hostSeconds]).toEqual([0, 0]);
	});
	test("pays no less for calls that stay where they are than for calls that could be moved", () => {
		const { fixed, movable } = planDay(kept("profile-short.json"));
		expect(fixed.hostSeconds).toBeGreaterThan(movable.hostSeconds);
		expect(fixed.most).toBeGreaterThanOrEqual(movable.most);
	});
	test("one burst: its hosts are paid for from their boot until their last calls end", () => {
		const calls = { answerRate: 0, ringSec: 12, talkSec: 30, unansweredSec: 30, maxCallSec: 60 };
		const profile: Profile = {
			...generateProfile({ seed: 1, bursts: 0, minutes: [5, 5] }),
			steady: { hosts: 1, channelsPerHost: 100 },
			trunk: { maxChannels: 1_000, maxCps: 1_000 },
			base: [{ fromSec: 0, channels: 40 }],
			baseCalls: calls,
			// 60 calls fit on the steady host, 240 fill two hosts; ten turns of 30 s.
			bursts: [{ id: "burst01", startSec: 600, minutes: 5, channels: 300, contacts: 3_000, calls }],
		};
		const { fixed, movable, endSec } = planDay(profile);
		expect(endSec["burst01"]).toBe(900);
		expect(fixed).toEqual({ hostSeconds: 2 * (300 + 55), starts: 2, most: 2 });
		expect(movable).toEqual(fixed);
	});
});

describe("a day of the fleet", () => {
	test.each([
		["profile-day.json", 1.1],
		["profile-short.json", 1.25],
	])(
		"%s: host-seconds are at most %s of what the planner pays",
		async (name, most) => {
			const result = await new VirtualDay(kept(name)).run();
			const { hostSeconds, planned, ideal } = result;
			const ratio = hostSeconds / ideal.hostSeconds;
			const staying = hostSeconds / planned.hostSeconds;
			process.stderr.write(
				`${name}: ${ratio.toFixed(3)} of the lower bound, ${staying.toFixed(3)} with calls that stay: ${JSON.stringify(result)}\n`,
			);
			expect(result).toMatchObject({ undone: 0, stillRunning: 0 });
			// Nobody makes the same calls for less: something would not be counted.
			expect(ratio).toBeGreaterThan(0.95);
			expect(ratio).toBeLessThanOrEqual(most);
			// Bursts end later than with hosts there at once: by about a boot.
			expect(result.late.mean).toBeLessThan(2 * kept(name).boot.meanSec);
		},
		240_000,
	);
});

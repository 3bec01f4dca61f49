import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	cutToWidth,
	forecastText,
	keepRecent,
	progressText,
	ratePerSec,
	type Sample,
	timeLeftSec,
} from "../../../cli/progress.ts";

const sample = (sec: number, done: number, calls = done): Sample => ({ atMs: sec * 1_000, done, calls });

describe("rates", () => {
	test("are taken between the oldest and the newest look", () => {
		expect(ratePerSec([sample(0, 0), sample(5, 20), sample(10, 100)], "done")).toBe(10);
	});

	test("are unknown after one look, or where the clock stood", () => {
		expect(ratePerSec([], "done")).toBeUndefined();
		expect(ratePerSec([sample(0, 5)], "done")).toBeUndefined();
		expect(ratePerSec([sample(1, 5), sample(1, 6)], "done")).toBeUndefined();
	});

	test("never go below zero, as when calls were given back", () => {
		expect(ratePerSec([sample(0, 0, 10), sample(1, 0, 5)], "calls")).toBe(0);
	});

	test("only the window counts, and one look before it, so that a pause shows", () => {
		const looks = Array.from({ length: 100 }, (_, sec) => sample(sec, Math.min(sec, 50)));
		const kept = keepRecent(looks, 30_000);
		expect(kept[0]).toEqual(looks[68]);
		expect(ratePerSec(kept, "done")).toBe(0);
	});

	test("a window with a single look keeps the one before it", () => {
		expect(keepRecent([sample(0, 0), sample(100, 1)], 30_000)).toHaveLength(2);
		expect(keepRecent([], 30_000)).toEqual([]);
	});
});

describe("time left", () => {
	test.each([
		[300, 100, 10, 20],
		[300, 300, undefined, 0],
		[300, 300, 5, 0],
		[300, 100, undefined, undefined],
		[300, 100, 0, undefined],
	])("of %s contacts %s done at %s a second: %s", (total, done, rate, left) => {
		expect(timeLeftSec(total, done, rate)).toBe(left);
	});

	test("is never negative and never infinite", () => {
		fc.assert(
			fc.property(
				fc.nat(1e6),
				fc.nat(1e6),
				fc.option(fc.double({ min: 0, max: 1e4, noNaN: true })),
				(total, done, rate) => {
					const left = timeLeftSec(total, done, rate ?? undefined);
					return left === undefined || left >= 0;
				},
			),
		);
	});
});

describe("the progress line", () => {
	const input = {
		name: "storm warning",
		state: "running",
		total: 300,
		done: 120,
		liveChannels: 58,
		channelCap: 60,
		samples: [sample(0, 100, 150), sample(10, 120, 270)],
	};

	test("has contacts done, live channels, calls per second and time left", () => {
		expect(progressText(input, { bar: true })).toBe(
			"storm warning  running  [########............]  120/300 done (40 %)  58/60 channels  12.0 calls/s  1:30 min left",
		);
	});

	test("says that the time left is unknown rather than guessing", () => {
		expect(progressText({ ...input, samples: [] }, { bar: false })).toContain("- calls/s  time left unknown");
	});

	test("promises nothing of a campaign that does not run", () => {
		expect(progressText({ ...input, state: "paused" }, { bar: false })).not.toContain("left");
	});

	test("an empty campaign divides by nothing", () => {
		expect(progressText({ ...input, total: 0, done: 0 }, { bar: true })).toContain(
			"[....................]  0/0 done (-)",
		);
	});

	test("fits into the terminal, always below its last column", () => {
		fc.assert(
			fc.property(fc.string(), fc.integer({ min: 2, max: 200 }), (text, columns) => {
				return [...cutToWidth(text, columns)].length < columns;
			}),
		);
		expect(cutToWidth("abcdef", undefined)).toBe("abcdef");
	});
});

describe("when it will be done", () => {
	const NOW = Date.parse("2026-12-01T14:00:00Z");
	test.each<[string, Parameters<typeof forecastText>[0], string]>([
		["nothing is said", undefined, ""],
		["it is over", null, ""],
		["it is not known", { finishAt: null, words: "x" }, ""],
		["it is no time", { finishAt: "soon", words: "x" }, ""],
		["today", { finishAt: "2026-12-01T16:19:40Z", words: "x" }, "done about 16:20 UTC"],
		["another day", { finishAt: "2026-12-02T01:00:00Z", words: "x" }, "done about 2026-12-02 01:00 UTC"],
		[
			"in time",
			{ finishAt: "2026-12-01T16:20:00Z", deadline: { meets: true, bySec: 60 }, words: "x" },
			"done about 16:20 UTC",
		],
		[
			"late",
			{ finishAt: "2026-12-01T16:20:00Z", deadline: { meets: false, bySec: 1_200 }, words: "x" },
			"done about 16:20 UTC, 20 min late",
		],
	])("%s", (_what, forecast, text) => {
		expect(forecastText(forecast, NOW)).toBe(text);
	});
	test("stands at the end of the progress", () => {
		const input = { name: "storm", state: "running", total: 10, done: 5, liveChannels: 1, channelCap: 2 };
		const samples = [{ atMs: NOW, done: 5, calls: 5 }];
		const forecast = { finishAt: "2026-12-01T16:20:00Z", words: "x" };
		expect(progressText({ ...input, samples, forecast }, { bar: false })).toMatch(/ {2}done about 16:20 UTC$/);
	});
});

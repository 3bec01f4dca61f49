import { describe, expect, test } from "@jest/globals";
import { type CalleeLimits, DIAL_DELAY_MS, decideCall, MIN_GAP_RULE } from "../../../shared/callees/decide-call.ts";
import { limitsFor } from "../../../shared/callees/limits.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 23, 12);
const calls = (...hoursAgo: number[]) => hoursAgo.map((hours, i) => ({ at: NOW - hours * HOUR, tag: `t${i}` }));
const THREE_A_DAY: CalleeLimits = { limits: [{ max: 3, perHours: 24, rule: "FL" }] };

describe("a call", () => {
	test("is placed while the window has room", () => {
		expect(decideCall([], THREE_A_DAY, "x", NOW)).toEqual({ ok: true });
		expect(decideCall(calls(1, 2), THREE_A_DAY, "x", NOW)).toEqual({ ok: true });
		expect(decideCall(calls(1, 2, 25), THREE_A_DAY, "x", NOW)).toEqual({ ok: true });
	});
	test("waits until the third last one has left the window, the delay of dialing included", () => {
		const waitUntil = NOW - 5 * HOUR + 24 * HOUR + DIAL_DELAY_MS;
		expect(decideCall(calls(1, 2, 5, 9), THREE_A_DAY, "x", NOW)).toEqual({ ok: false, waitUntil, rule: "FL" });
		expect(decideCall(calls(1, 2, 5, 9), THREE_A_DAY, "x", waitUntil - 1).ok).toBe(false);
		expect(decideCall(calls(1, 2, 5, 9), THREE_A_DAY, "x", waitUntil)).toEqual({ ok: true });
	});
	test("that was noted is placed whatever the limits", () => {
		expect(decideCall(calls(1, 2, 3), THREE_A_DAY, "t1", NOW)).toEqual({ ok: true });
	});
	test("keeps its distance from the last one", () => {
		const limits = { limits: [], minGapSec: 7_200 };
		const waitUntil = NOW + HOUR + DIAL_DELAY_MS;
		expect(decideCall(calls(1, 9), limits, "x", NOW)).toEqual({ ok: false, waitUntil, rule: MIN_GAP_RULE });
		expect(decideCall(calls(1, 9), limits, "x", waitUntil)).toEqual({ ok: true });
	});
	test("waits for the limit that stands longest in its way", () => {
		const limits = {
			limits: [
				{ max: 2, perHours: 3, rule: "short" },
				{ max: 4, perHours: 168, rule: "long" },
			],
			minGapSec: 4 * 3_600,
		};
		const long = NOW - 100 * HOUR + 168 * HOUR + DIAL_DELAY_MS;
		expect(decideCall(calls(1, 2, 90, 100), limits, "x", NOW)).toEqual({ ok: false, waitUntil: long, rule: "long" });
	});
	test("of a clock that is ahead counts", () => {
		expect(decideCall(calls(-0.01, 1, 2), THREE_A_DAY, "x", NOW).ok).toBe(false);
	});
	test("that is not remembered any more counts where too few are remembered", () => {
		const cut = NOW - 20 * HOUR;
		const waitUntil = cut + 24 * HOUR + DIAL_DELAY_MS;
		expect(decideCall(calls(1, 2), THREE_A_DAY, "x", NOW, cut)).toEqual({ ok: false, waitUntil, rule: "FL" });
		expect(decideCall(calls(1, 2), THREE_A_DAY, "x", waitUntil, cut)).toEqual({ ok: true });
	});
	test.each([
		{ max: 0, perHours: 24 },
		{ max: 51, perHours: 24 },
		{ max: 3, perHours: 721 },
		{ max: 3, perHours: 0 },
		{ max: Number.NaN, perHours: 24 },
	])("by a limit of %j, which cannot be kept, is an error", (limit) => {
		expect(() => decideCall([], { limits: [{ ...limit, rule: "odd" }] }, "x", NOW)).toThrow(/The limit odd/);
	});
});

describe("what holds for a call", () => {
	test("nothing: then nothing is to be written", () => {
		expect(limitsFor(undefined, undefined, [])).toBeUndefined();
		expect(limitsFor({}, undefined, [])).toBeUndefined();
	});
	test("policy, campaign and places together, and the longer gap", () => {
		expect(
			limitsFor({ calleeLimit: { max: 5, perHours: 24, minGapSec: 60 } }, { minGapSec: 90 }, [
				{ rule: "US-FL", max: 3, perHours: 24 },
			]),
		).toEqual({
			limits: [
				{ max: 5, perHours: 24, rule: "calling-policy" },
				{ max: 3, perHours: 24, rule: "US-FL" },
			],
			minGapSec: 90,
		});
	});
	test("only a gap, only a campaign", () => {
		expect(limitsFor({ calleeLimit: { minGapSec: 60 } }, undefined, [])).toEqual({ limits: [], minGapSec: 60 });
		expect(limitsFor({}, { max: 1, perHours: 1 }, [])).toEqual({
			limits: [{ max: 1, perHours: 1, rule: "campaign" }],
		});
	});
});

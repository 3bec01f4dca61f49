import { describe, expect, test } from "@jest/globals";
import { type Forecast, type ForecastInput, forecast } from "../../../shared/campaigns/forecast.ts";
import { slotSpacingMs } from "../../../shared/sync/slots.ts";
import { inMinutes, input, measured, NOW } from "./forecast-fixtures.ts";

const minutes = ({ leftSec }: Forecast): number => (leftSec ?? Number.NaN) / 60;
const RETRY_NEXT_HOUR = { noAnswer: { afterSec: 3_600, max: 1 } };

/** Of a cap, what slots let through: they are spaced by so much of a second / maxCps. */
const SPACING = slotSpacingMs(1) / 1_000;

describe("when it is done", () => {
	test("channels bind: attempts times their mean, over the channels, and the last calls", () => {
		const found = forecast(input({ ...measured(1_000, 350, 30), pending: 9_000 }));
		expect(found).toMatchObject({ binding: "channels", basis: "measured", attemptsLeft: 9_000, meanHoldSec: 30 });
		// 9,000 · 30 s / 100 channels are 45 min; the last calls take some minutes at most.
		expect(minutes(found)).toBeGreaterThan(45);
		expect(minutes(found)).toBeLessThan(49);
		expect(found.finishAt).toBe(Math.round(NOW + (found.leftSec ?? 0) * 1_000));
	});
	test("calls per second bind; slots let 97 % of them through", () => {
		const found = forecast(input({ ...measured(1_000, 350, 30), pending: 9_000, cps: 1 }));
		expect(found.binding).toBe("cps");
		expect(minutes(found)).toBeGreaterThan((9_000 * SPACING) / 60);
		expect(minutes(found)).toBeLessThan((9_000 * SPACING) / 60 + 3);
	});
	test("retries bind: the last contact's retry comes an hour after its first attempt", () => {
		const found = forecast(input({ retry: RETRY_NEXT_HOUR }));
		expect(found.binding).toBe("retries");
		const first = minutes(forecast(input()));
		expect(minutes(found)).toBeGreaterThan(60 + first - 4);
		expect(minutes(found)).toBeLessThan(60 + first + 4);
		// 1,000, and those of 65 % · 70 % that nobody answers.
		expect(found.attemptsLeft).toBeCloseTo(1_455, 0);
	});
	test("growing delays, several outcomes: the longest that somebody is likely to have", () => {
		const retry = { busy: { afterSec: 60, max: 3, growth: 10 }, noAnswer: { afterSec: 1_800, max: 1 } };
		const found = forecast(input({ retry, pending: 100_000, channels: 10_000, cps: 1_000 }));
		// 100,000 · (65 % · 12 %)³ are 47: somebody is busy three times, 60, 600 and 6,000 s; of those some do not answer besides.
		expect(minutes(found)).toBeGreaterThan((60 + 600 + 6_000 + 1_800) / 60);
		expect(minutes(found)).toBeLessThan((60 + 600 + 6_000 + 1_800) / 60 + 15);
	});
	test("nothing binds: the length of the calls", () => {
		const found = forecast(input({ pending: 3 }));
		expect(found.binding).toBe("none");
		expect(found.leftSec).toBeGreaterThan(30);
		expect(found.leftSec).toBeLessThan(120);
	});
	test("with rounds behind it a contact that waits for its last try needs that one only", () => {
		const tried = { pending: 20, done: 980, attempts: 1_440, answered: 400, channelMs: 43_200_000, timed: 1_440 };
		const found = forecast(
			input({ ...tried, retry: RETRY_NEXT_HOUR, startAt: inMinutes(-60), lastDueAt: inMinutes(20) }),
		);
		expect(found.attemptsLeft).toBeCloseTo(20, 5);
		expect(minutes(found)).toBeGreaterThan(20);
		expect(minutes(found)).toBeLessThan(22);
	});
	test("a window that is open a third of the time takes three times as long", () => {
		const whole = forecast(input({ pending: 100_000 }));
		const third = forecast(input({ pending: 100_000, openShare: 1 / 3 }));
		expect(minutes(third) / minutes(whole)).toBeGreaterThan(2.9);
		expect(minutes(third) / minutes(whole)).toBeLessThan(3.1);
	});
	test("all contacts done, or none", () => {
		for (const done of [0, 500]) {
			const found = forecast(input({ pending: 0, done, attempts: done, deadline: inMinutes(5) }));
			expect(found).toMatchObject({ finishAt: NOW, leftSec: 0, attemptsLeft: 0, binding: "none" });
			expect(found.words).toBe("all contacts are done; the deadline 10:05 UTC is met, 5 min early");
		}
	});
	test.each<[string, Partial<ForecastInput>, RegExp, string]>([
		["no channel", { channels: 0, limit: "no host can dial for it" }, /no channel now \(no host can dial/, "channels"],
		["no call per second", { cps: 0 }, /may start no call/, "cps"],
		["a window that is never open", { openShare: 0 }, /never open/, "none"],
		["a list for ever", { pending: 1e12, channels: 1 }, /more than ten years/, "channels"],
		["tiny rates", { cps: 1e-9 }, /more than ten years/, "cps"],
		["no list", { pending: 0, unknown: "it has no list yet" }, /has no list yet/, "none"],
	])("is not known with %s, and it is said why", (_what, over, why, binding) => {
		const found = forecast(input({ ...over, deadline: inMinutes(60) }));
		expect(found).not.toHaveProperty("finishAt");
		expect(found).not.toHaveProperty("leftSec");
		expect(found.why).toMatch(why);
		expect(found.binding).toBe(binding);
		expect(found.words).toMatch(/^when it will be done is not known: /);
	});
	test("of a paused campaign the time is told, not the moment", () => {
		const found = forecast(input({ paused: true, deadline: inMinutes(1) }));
		expect(found).not.toHaveProperty("finishAt");
		expect(found).toMatchObject({ why: "it is paused", deadline: { meets: false } });
		expect(found.leftSec).toBe(forecast(input()).leftSec);
		expect(found.words).toMatch(/^paused; once resumed it takes about 8 min \(assumed: 35 % answer, 31 s a call\); /);
		expect(found.words).toMatch(/the deadline 10:01 UTC would be missed by 7 min if it were resumed now: /);
	});
	test("a scheduled one begins at its time, also on another day", () => {
		const found = forecast(input({ startAt: inMinutes(24 * 60) }));
		expect(found.finishAt).toBe(inMinutes(24 * 60) + (forecast(input()).finishAt ?? 0) - NOW);
		expect(found.words).toBe("done about 2026-11-03 10:08 UTC (assumed: 35 % answer, 31 s a call)");
	});
	test("figures that are none count as nothing", () => {
		const found = forecast(
			input({ pending: Number.NaN, inProgress: -3, channelMs: Number.POSITIVE_INFINITY, attempts: -1 }),
		);
		expect(found).toMatchObject({ finishAt: NOW, attemptsLeft: 0 });
	});
});

describe("what it is based on", () => {
	test("before anything was measured: what the campaign's limits allow of an assumed call", () => {
		expect(forecast(input())).toMatchObject({ basis: "assumed", answerRate: 0.35 });
		expect(forecast(input({ limits: { ringTimeoutSec: 30, maxCallSec: 3_600, then: { wait: 5 } } })).meanHoldSec).toBe(
			0.35 * 17 + 0.65 * 25,
		);
	});
	test("the first calls move it a little, fifty are a measurement", () => {
		const before = forecast(input());
		const one = forecast(input({ ...measured(1, 1, 300), pending: 999 }));
		expect(one.basis).toBe("assumed");
		expect(Math.abs(one.answerRate - before.answerRate)).toBeLessThan(0.02);
		expect((one.leftSec ?? 0) / (before.leftSec ?? 1)).toBeLessThan(1.3);
		expect(one.words).toMatch(/1 attempt measured, the rest assumed: 36 % answer, 36 s a call/);
		const fifty = forecast(input({ ...measured(50, 50, 300), pending: 950 }));
		expect(fifty).toMatchObject({ basis: "measured", answerRate: 1, meanHoldSec: 300 });
		expect(fifty.words).toMatch(/\(measured: 100 % answer, 300 s a call\)/);
	});
	test("those that end first are the short ones: as many must have ended as are up", () => {
		const found = forecast(input({ ...measured(60, 0, 2), inProgress: 100, pending: 840 }));
		expect(found.basis).toBe("assumed");
		expect(found.meanHoldSec).toBeGreaterThan(10);
	});
});

describe("the deadline", () => {
	test("is met, so many minutes early", () => {
		const found = forecast(input({ deadline: inMinutes(60) }));
		expect(found.deadline).toMatchObject({ at: inMinutes(60), meets: true });
		expect(found.deadline).not.toHaveProperty("needs");
		expect(found.channelsNeeded).toBeLessThan(20);
		expect(found.words).toMatch(/; the deadline 11:00 UTC is met, 52 min early$/);
	});
	test("is missed: how many channels and calls per second it needs, what it has, and which deadline would do", () => {
		const found = forecast(input({ ...measured(1_000, 380, 31), pending: 20_000, deadline: inMinutes(30), cps: 10 }));
		expect(found.deadline?.meets).toBe(false);
		expect(found.words).toMatch(
			/^done about 11:4\d UTC \(measured: 38 % answer, 31 s a call\); the deadline 10:30 UTC is missed by 7\d min: needs \d{3} channels \(has 100, its cap\) and 1\d calls\/s \(has 10\), or a deadline of 11:4\d UTC$/,
		);
	});
	test("only what is missing is asked for", () => {
		const channels = forecast(input({ pending: 5_000, channels: 20, deadline: inMinutes(60), cps: 100 }));
		expect(channels.words).toMatch(/: needs 4\d channels \(has 20, its cap\), or a deadline of/);
		const cps = forecast(input({ pending: 5_000, channels: 5_000, deadline: inMinutes(60), cps: 1 }));
		expect(cps.words).toMatch(/: needs 2 calls\/s \(has 1\), or a deadline of/);
	});
	test("that retries hold up: no cap helps", () => {
		const found = forecast(input({ retry: RETRY_NEXT_HOUR, deadline: inMinutes(50) }));
		expect(found).not.toHaveProperty("channelsNeeded");
		expect(found.deadline?.needs).toEqual({ deadline: expect.any(Number) });
		expect(found.words).toMatch(
			/missed by 1\d min: its retries wait for so long; needs shorter ones, or a deadline of/,
		);
	});
	test("that has passed is missed, and only a later one helps", () => {
		const found = forecast(input({ deadline: NOW - 60_000 }));
		expect(found.deadline).toMatchObject({ meets: false, needs: { deadline: expect.any(Number) } });
		expect(found.words).toMatch(/missed by 9 min: no number of channels is enough; needs a deadline of 10:08 UTC$/);
	});
	test("the deadline that it names would be met", () => {
		const over = { pending: 20_000, retry: RETRY_NEXT_HOUR };
		const later = forecast(input({ ...over, deadline: inMinutes(10) })).deadline?.needs?.deadline;
		expect(forecast(input({ ...over, deadline: later })).deadline?.meets).toBe(true);
	});
	test("without any channel it says how many", () => {
		const found = forecast(input({ channels: 0, limit: "no host can dial for it", deadline: inMinutes(60) }));
		expect(found.deadline).toMatchObject({ meets: false, needs: { channels: found.channelsNeeded } });
		expect(found.deadline).not.toHaveProperty("bySec");
		expect(found.words).toMatch(/is not met: needs 9 channels \(has 0, no host can dial for it\)$/);
	});
	test("hosts are started only as far as it needs them, so it is nearer than at full use", () => {
		const full = forecast(input({ pending: 20_000, channels: 1_000, cps: 100 }));
		const paced = forecast(
			input({ pending: 20_000, channels: 1_000, channelsNow: 10, cps: 100, deadline: inMinutes(60) }),
		);
		expect(paced.deadline?.meets).toBe(true);
		expect(minutes(paced)).toBeGreaterThan(2 * minutes(full));
		expect(minutes(paced)).toBeLessThan(60);
		// Those that are there are used.
		expect(
			minutes(
				forecast(input({ pending: 20_000, channels: 1_000, channelsNow: 900, cps: 100, deadline: inMinutes(60) })),
			),
		).toBeLessThan(1.2 * minutes(full));
	});
});

describe("spans and figures in words", () => {
	test.each([
		[{ pending: 1 }, /\b10:01 UTC/],
		[{ pending: 1_000_000, deadline: inMinutes(600) }, /missed by 3 d 4 h: .*\(has 10\), or a deadline of 2026-11-06 /],
		[{ pending: 200_000, deadline: inMinutes(60) }, /missed by 16 h/],
		[{ pending: 2_000_000, deadline: inMinutes(600) }, /needs \d,\d{3} channels \(has 100, its cap\)/],
	])("%j", (over, words) => {
		expect(forecast(input(over)).words).toMatch(words);
	});
});

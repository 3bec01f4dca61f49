import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type ForecastInput, forecast } from "../../../shared/campaigns/forecast.ts";
import { RETRYABLE_OUTCOMES } from "../../../shared/contract/outcome.ts";
import { NOW } from "./forecast-fixtures.ts";

const RUNS = { numRuns: 400, seed: 20_261_128 };
/** Finishes are compared to the millisecond, of years at most. */
const NEAR_MS = 2;

const rule = fc.record(
	{
		afterSec: fc.integer({ min: 1, max: 7 * 86_400 }),
		max: fc.integer({ min: 0, max: 9 }),
		growth: fc.double({ min: 1, max: 10, noNaN: true }),
	},
	{ requiredKeys: ["afterSec", "max"] },
);
const retry = fc
	.array(fc.tuple(fc.constantFrom(...RETRYABLE_OUTCOMES), rule), { maxLength: 4 })
	.map((rules): ForecastInput["retry"] => Object.fromEntries(rules));

const rarelyNone = (figure: fc.Arbitrary<number>): fc.Arbitrary<number> =>
	fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 19, arbitrary: figure });

/** Figures as counters have them: attempts are at least the contacts done, and so on. */
const anyInput = fc
	.record({
		pending: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 2_000_000 })),
		inProgress: fc.integer({ min: 0, max: 2_000 }),
		done: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500_000 })),
		triedAgain: fc.double({ min: 0, max: 1.5, noNaN: true }),
		answered: fc.double({ min: 0, max: 1, noNaN: true }),
		meanSec: fc.double({ min: 0, max: 600, noNaN: true }),
		ringTimeoutSec: fc.integer({ min: 1, max: 120 }),
		maxCallSec: fc.integer({ min: 1, max: 14_400 }),
		waitSec: fc.option(fc.integer({ min: 1, max: 3_600 }), { nil: undefined }),
		retry,
		channels: rarelyNone(fc.integer({ min: 1, max: 12_000 })),
		channelsNow: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
		cps: rarelyNone(fc.double({ min: 0.1, max: 1_000, noNaN: true })),
		startsInSec: fc.integer({ min: -100_000, max: 100_000 }),
		deadlineInSec: fc.option(fc.integer({ min: -1_000, max: 1_000_000 }), { nil: undefined }),
		openShare: fc.option(rarelyNone(fc.double({ min: 0.05, max: 1, noNaN: true })), { nil: undefined }),
		lastDueInSec: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
		paused: fc.boolean(),
	})
	.map((drawn): ForecastInput => {
		const attempts = drawn.done + Math.floor(drawn.triedAgain * (drawn.done + drawn.pending));
		return {
			now: NOW,
			pending: drawn.pending,
			inProgress: drawn.inProgress,
			done: drawn.done,
			attempts,
			answered: Math.floor(drawn.answered * drawn.done),
			channelMs: attempts * drawn.meanSec * 1_000,
			timed: attempts,
			limits: {
				ringTimeoutSec: drawn.ringTimeoutSec,
				maxCallSec: drawn.maxCallSec,
				then: drawn.waitSec === undefined ? { play: "hello" } : { wait: drawn.waitSec },
			},
			retry: drawn.retry,
			channels: drawn.channels,
			channelsNow: drawn.channelsNow,
			cps: drawn.cps,
			startAt: NOW + drawn.startsInSec * 1_000,
			deadline: drawn.deadlineInSec === undefined ? undefined : NOW + drawn.deadlineInSec * 1_000,
			openShare: drawn.openShare,
			lastDueAt: drawn.lastDueInSec === undefined ? undefined : NOW + drawn.lastDueInSec * 1_000,
			paused: drawn.paused,
		};
	});

const times = fc.double({ min: 1, max: 50, noNaN: true });
/** Unknown is later than anything. */
const finish = (input: ForecastInput): number =>
	forecast({ ...input, paused: false }).finishAt ?? Number.POSITIVE_INFINITY;

/** With a deadline that is over some time before it is done. */
const missed = fc.tuple(anyInput, fc.double({ min: 0.01, max: 0.999, noNaN: true })).map(([drawn, part]) => {
	const input = { ...drawn, deadline: undefined };
	const begin = Math.max(NOW, input.startAt ?? NOW);
	const at = finish(input);
	return { ...input, deadline: Number.isFinite(at) ? begin + (at - begin) * part : begin + 3_600_000 };
});

const numbersOf = (value: unknown): number[] =>
	typeof value === "number"
		? [value]
		: typeof value === "object" && value !== null
			? Object.values(value).flatMap(numbersOf)
			: [];

describe("whatever the figures are", () => {
	test("every figure is a number, none negative, and there are words without NaN", () => {
		fc.assert(
			fc.property(anyInput, (input) => {
				const found = forecast(input);
				for (const value of numbersOf(found)) {
					expect(Number.isFinite(value)).toBe(true);
					expect(value).toBeGreaterThanOrEqual(0);
				}
				expect(found.words).not.toMatch(/NaN|Infinity|undefined|null/);
				expect(found.finishAt === undefined).toBe(found.why !== undefined);
				expect(found.answerRate).toBeLessThanOrEqual(1);
				if (found.finishAt !== undefined) expect(found.finishAt).toBeGreaterThanOrEqual(NOW);
			}),
			RUNS,
		);
	});
	test("every contact that is left needs an attempt, and none more than its rules allow", () => {
		fc.assert(
			fc.property(anyInput, (input) => {
				const left = input.pending + input.inProgress;
				const most = Object.values(input.retry).reduce((sum, each) => sum + (each?.max ?? 0), 0);
				const { attemptsLeft } = forecast(input);
				expect(attemptsLeft).toBeGreaterThanOrEqual(left * (1 - 1e-9));
				expect(attemptsLeft).toBeLessThanOrEqual(left * (1 + most) * (1 + 1e-9));
			}),
			RUNS,
		);
	});
	test("more channels never finish later", () => {
		fc.assert(
			fc.property(anyInput, times, (input, n) => {
				const more = { ...input, channels: Math.ceil(input.channels * n) };
				expect(finish(more)).toBeLessThanOrEqual(finish(input) + NEAR_MS);
			}),
			RUNS,
		);
	});
	test("more calls per second or a longer window never finish later, the deadline apart, which paces the hosts", () => {
		fc.assert(
			fc.property(anyInput, times, (drawn, n) => {
				const input = { ...drawn, deadline: undefined };
				const before = finish(input) + NEAR_MS;
				expect(finish({ ...input, cps: input.cps * n })).toBeLessThanOrEqual(before);
				const openShare = Math.min(1, (input.openShare ?? 1) * n);
				expect(finish({ ...input, openShare })).toBeLessThanOrEqual(before);
			}),
			RUNS,
		);
	});
	test("more contacts never finish earlier", () => {
		fc.assert(
			fc.property(anyInput, fc.integer({ min: 1, max: 100_000 }), (drawn, more) => {
				const input = { ...drawn, deadline: undefined };
				expect(finish({ ...input, pending: input.pending + more })).toBeGreaterThanOrEqual(finish(input) - NEAR_MS);
			}),
			RUNS,
		);
	});
	test("with the channels and the calls per second that it needs the deadline is met", () => {
		let asked = 0;
		fc.assert(
			fc.property(missed, (input) => {
				const needs = forecast(input).deadline?.needs;
				if (needs?.channels === undefined || needs.cps === undefined) return;
				const enough = {
					...input,
					channels: Math.max(input.channels, needs.channels),
					channelsNow: undefined,
					cps: Math.max(input.cps, needs.cps),
				};
				expect(forecast(enough).deadline?.meets).toBe(true);
				// One channel less is not enough, nor is one call per second less.
				if (needs.channels > Math.max(1, input.channels)) {
					expect(forecast({ ...enough, channels: needs.channels - 1 }).deadline?.meets).toBe(false);
				}
				if (needs.cps - 1 > input.cps) {
					expect(forecast({ ...enough, channels: 1e9, cps: needs.cps - 1 }).deadline?.meets).toBe(false);
				}
				asked++;
			}),
			RUNS,
		);
		expect(asked).toBeGreaterThan(100);
	});
	test("the later deadline that it names is met", () => {
		let named = 0;
		fc.assert(
			fc.property(missed, (input) => {
				const later = forecast(input).deadline?.needs?.deadline;
				if (later === undefined) return;
				expect(forecast({ ...input, deadline: later }).deadline?.meets).toBe(true);
				named++;
			}),
			RUNS,
		);
		expect(named).toBeGreaterThan(100);
	});
});

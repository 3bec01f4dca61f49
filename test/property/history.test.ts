import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	busyChannels,
	measureCalls,
	type RecordedCall,
	recordedDemand,
	SHARE_ABOVE,
} from "../../shared/plan/history.ts";

const RUNS = 500;
/** A multiple of every step below. */
const ORIGIN = 1_800_000_000_000;

const callArbitrary: fc.Arbitrary<RecordedCall> = fc
	.record({
		start: fc.integer({ min: 0, max: 20_000 }),
		ring: fc.integer({ min: 0, max: 3_000 }),
		talk: fc.option(fc.integer({ min: 0, max: 6_000 }), { nil: undefined }),
	})
	.map(({ start, ring, talk }) => ({
		startedMs: ORIGIN + start,
		answeredMs: talk === undefined ? undefined : ORIGIN + start + ring,
		endedMs: ORIGIN + start + ring + (talk ?? 0),
	}));
const callsArbitrary = fc
	.array(callArbitrary, { minLength: 1, maxLength: 40 })
	.filter((calls) => calls.some(({ startedMs, endedMs }) => endedMs > startedMs));
const stepArbitrary = fc.constantFrom(1, 2, 5, 10);

/** Busy channels at every millisecond, counted by asking every call. */
const everyMs = (calls: readonly RecordedCall[], fromMs: number, ms: number): number[] =>
	Array.from({ length: ms }, (_, i) => {
		const now = fromMs + i;
		return calls.filter(({ startedMs, endedMs }) => startedMs <= now && now < endedMs).length;
	});

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("a demand from recorded calls", () => {
	test("its mean adds up to the time of all calls; what is planned is between mean and highest", () => {
		fc.assert(
			fc.property(callsArbitrary, stepArbitrary, (calls, stepSec) => {
				const { fromMs, busy, mean, highest } = busyChannels(calls, stepSec);
				expect(sum(mean) * stepSec).toBeCloseTo(measureCalls(calls).channelSec, 6);
				expect(fromMs % (stepSec * 1_000)).toBe(0);
				busy.forEach((each, i) => {
					expect(each).toBeGreaterThanOrEqual(mean[i] ?? Number.NaN);
					expect(each).toBeLessThanOrEqual(highest[i] ?? Number.NaN);
					expect(Number.isInteger(each)).toBe(true);
				});
			}),
			{ numRuns: RUNS },
		);
	});

	test("what is planned is the least that is enough for 99 % of each step, and for the mean", () => {
		fc.assert(
			fc.property(callsArbitrary, stepArbitrary, (calls, stepSec) => {
				const { fromMs, busy, highest } = busyChannels(calls, stepSec);
				const stepMs = stepSec * 1_000;
				const levels = everyMs(calls, fromMs, busy.length * stepMs);
				busy.forEach((each, i) => {
					const inStep = levels.slice(i * stepMs, (i + 1) * stepMs);
					const enough = (channels: number): boolean =>
						inStep.filter((level) => level > channels).length <= SHARE_ABOVE * stepMs &&
						sum(inStep) <= channels * stepMs;
					expect(enough(each)).toBe(true);
					if (each > 0) expect(enough(each - 1)).toBe(false);
					expect(Math.max(...inStep)).toBe(highest[i]);
				});
			}),
			{ numRuns: 100 },
		);
	});

	test("the order of the calls does not matter, and attempts and talk are those of the calls", () => {
		fc.assert(
			fc.property(callsArbitrary, stepArbitrary, (calls, stepSec) => {
				const demand = recordedDemand(calls, stepSec);
				expect(recordedDemand(calls.toReversed(), stepSec)).toEqual(demand);
				const reservedSec = sum(demand.channels) * stepSec;
				// Both are rounded to a millionth.
				expect(demand.holdSec * calls.length).toBeCloseTo(reservedSec, 3);
				expect(demand.talkShare * reservedSec).toBeCloseTo(demand.measured.allTalkSec, 2);
				expect(demand.talkShare).toBeLessThanOrEqual(1);
			}),
			{ numRuns: RUNS },
		);
	});
});

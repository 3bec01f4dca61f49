import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parsePhoneNumberFromString } from "libphonenumber-js";
import { AUDIO_KINDS } from "../../../local/voice/carrier/audio.ts";
import { BENCH_MIX, numbersOf, REALISTIC_MIX, seededRandom } from "../../../local/voice/carrier/mix.ts";
import {
	type Behaviour,
	type BehaviourKind,
	behaviourOf,
	e164Capacity,
	e164Number,
	FINAL_STATUS,
	idealHoldMs,
	privateNumber,
} from "../../../local/voice/carrier/numbers.ts";

const kinds = Object.keys(FINAL_STATUS) as BehaviourKind[];
const isHeard = (kind: BehaviourKind): boolean => (AUDIO_KINDS as readonly string[]).includes(kind);
const ms = fc.integer({ min: 0, max: 99_999 });
const behaviours: fc.Arbitrary<Behaviour> = fc.oneof(
	fc.record({ kind: fc.constant("answer" as const), ringMs: ms, talkMs: ms }),
	fc.record({ kind: fc.constant("answerAndWait" as const), ringMs: fc.integer({ min: 0, max: 89_999 }) }),
	fc.record({ kind: fc.constantFrom(...AUDIO_KINDS), ringMs: ms }),
	fc.constantFrom(
		...kinds
			.filter((kind) => kind !== "answer" && kind !== "answerAndWait" && !isHeard(kind))
			.map((kind) => ({ kind }) as Behaviour),
	),
);

describe("the number plan", () => {
	test("a private number says its behaviour, and fits a private trunk", () => {
		fc.assert(
			fc.property(behaviours, fc.integer({ min: 0, max: 9_999_999 }), (behaviour, serial) => {
				const number = privateNumber(behaviour, serial);
				expect(number).toMatch(/^[0-9]{1,32}$/);
				expect(behaviourOf(number)).toEqual(behaviour);
			}),
		);
	});

	test("what does not fit into the digits is refused", () => {
		expect(() => privateNumber({ kind: "answer", ringMs: 100_000, talkMs: 0 }, 0)).toThrow(RangeError);
		expect(() => privateNumber({ kind: "answer", ringMs: 0.5, talkMs: 0 }, 0)).toThrow(RangeError);
		expect(() => privateNumber({ kind: "busy" }, 10_000_000)).toThrow(RangeError);
		// 99… says something else.
		expect(() => privateNumber({ kind: "answerAndWait", ringMs: 90_000 }, 0)).toThrow(RangeError);
		for (const kind of AUDIO_KINDS) expect(() => e164Number(kind, 0)).toThrow(RangeError);
		expect(() => e164Number("busy", e164Capacity())).toThrow(RangeError);
		expect(() => e164Number("busy", -1)).toThrow(RangeError);
	});

	test("E.164 numbers are valid ones of the United States, reserved for fiction, and mean the same without +", () => {
		for (const kind of kinds.filter((each) => !isHeard(each)))
			for (const serial of [0, 9, 10, e164Capacity() - 1]) {
				const number = e164Number(kind, serial);
				const parsed = parsePhoneNumberFromString(number);
				expect([number, parsed?.isValid(), parsed?.country]).toEqual([number, true, "US"]);
				expect(number).toMatch(/^\+1\d{3}55501\d\d$/);
				expect(behaviourOf(number).kind).toBe(kind);
				expect(behaviourOf(number.slice(1))).toEqual(behaviourOf(number));
			}
		expect(e164Capacity()).toBeGreaterThan(1_000);
	});

	test("numbers outside the plan are not found", () => {
		for (const number of [
			"+442079460123",
			"+12025557777",
			"1234",
			"9123",
			"",
			"*99",
			"990001000",
			"9910010",
			"994001000",
		])
			expect(behaviourOf(number)).toEqual({ kind: "notFound" });
	});

	test("ideal hold times", () => {
		const habits = { ringTimeoutMs: 3_000 };
		const hold = (behaviour: Behaviour, more = {}): number =>
			idealHoldMs(privateNumber(behaviour, 1), { ...habits, ...more });
		expect(hold({ kind: "answer", ringMs: 1_500, talkMs: 4_000 })).toBe(5_500);
		expect(hold({ kind: "answer", ringMs: 3_500, talkMs: 4_000 })).toBe(3_000);
		expect(hold({ kind: "answer", ringMs: 500, talkMs: 4_000 }, { talkMs: 1_000 })).toBe(1_500);
		expect(hold({ kind: "answerAndWait", ringMs: 500 })).toBe(Number.POSITIVE_INFINITY);
		expect(hold({ kind: "answerAndWait", ringMs: 500 }, { talkMs: 2_000 })).toBe(2_500);
		for (const kind of AUDIO_KINDS) expect(hold({ kind, ringMs: 500 }, { talkMs: 2_000 })).toBe(2_500);
		expect(hold({ kind: "ring" })).toBe(3_000);
		expect(hold({ kind: "silent" })).toBe(3_000);
		expect(hold({ kind: "unavailable" })).toBe(300);
		for (const kind of ["busy", "notFound", "incomplete", "congestion", "declined"] as const)
			expect(hold({ kind })).toBe(0);
	});
});

describe("lists of numbers", () => {
	test("the bench's list has its exact proportions, no number twice, and is the same for the same seed", () => {
		const numbers = numbersOf(BENCH_MIX, { count: 1_000, seed: 1 });
		expect(new Set(numbers).size).toBe(1_000);
		expect(numbersOf(BENCH_MIX, { count: 1_000, seed: 1 })).toEqual(numbers);
		expect(numbersOf(BENCH_MIX, { count: 1_000, seed: 2 })).not.toEqual(numbers);
		const counts = new Map<string, number>();
		for (const number of numbers) {
			const { kind } = behaviourOf(number);
			counts.set(kind, (counts.get(kind) ?? 0) + 1);
		}
		expect(counts.get("answer")).toBe(300);
		expect(counts.get("busy")).toBe(150);
		expect(counts.get("ring")).toBe(250);
		const several = ["notFound", "unavailable", "incomplete"].map((kind) => counts.get(kind) ?? 0);
		expect(several.reduce((sum, each) => sum + each)).toBe(200);
		expect(Math.max(...several) - Math.min(...several)).toBeLessThanOrEqual(1);
		expect(counts.get("congestion")).toBe(50);
		expect(counts.get("declined")).toBe(50);
	});

	test("any count, also in E.164", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 500 }), fc.integer(), (count, seed) => {
				for (const numbering of ["private", "e164"] as const)
					expect(new Set(numbersOf(REALISTIC_MIX, { count, seed, numbering })).size).toBe(count);
			}),
			{ numRuns: 20 },
		);
	});

	test("the source of randomness is even and stays in range", () => {
		const random = seededRandom(7);
		const values = Array.from({ length: 10_000 }, random);
		expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
		expect(Math.max(...values)).toBeLessThan(1);
		expect(values.reduce((sum, value) => sum + value) / values.length).toBeCloseTo(0.5, 1);
	});
});

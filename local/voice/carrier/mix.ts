import { type Behaviour, type BehaviourKind, e164Number, privateNumber } from "./numbers.ts";

/** A behaviour and its part of a list; parts are relative to their sum. */
export interface Share {
	behaviour: Behaviour;
	parts: number;
}

/** 30 % answered (ring 1.5 s, talk 4 s), 15 % busy, 25 % ring until the caller gives up, 20 % 404, 480 and 484, 5 % 503, 5 % 603. */
export const BENCH_MIX: readonly Share[] = [
	{ behaviour: { kind: "answer", ringMs: 1_500, talkMs: 4_000 }, parts: 90 },
	{ behaviour: { kind: "busy" }, parts: 45 },
	{ behaviour: { kind: "ring" }, parts: 75 },
	{ behaviour: { kind: "notFound" }, parts: 20 },
	{ behaviour: { kind: "unavailable" }, parts: 20 },
	{ behaviour: { kind: "incomplete" }, parts: 20 },
	{ behaviour: { kind: "congestion" }, parts: 15 },
	{ behaviour: { kind: "declined" }, parts: 15 },
];

/** The bench's mix with talks of different lengths, from a word to a message heard to its end. */
export const REALISTIC_MIX: readonly Share[] = [
	{ behaviour: { kind: "answer", ringMs: 800, talkMs: 1_000 }, parts: 6 },
	{ behaviour: { kind: "answer", ringMs: 1_500, talkMs: 4_000 }, parts: 14 },
	{ behaviour: { kind: "answer", ringMs: 2_400, talkMs: 7_000 }, parts: 10 },
	{ behaviour: { kind: "busy" }, parts: 15 },
	{ behaviour: { kind: "ring" }, parts: 25 },
	{ behaviour: { kind: "notFound" }, parts: 7 },
	{ behaviour: { kind: "unavailable" }, parts: 7 },
	{ behaviour: { kind: "incomplete" }, parts: 6 },
	{ behaviour: { kind: "congestion" }, parts: 5 },
	{ behaviour: { kind: "declined" }, parts: 5 },
];

/** Calls of half a minute and more, so that a thousand of them can be up at once at a rate that one machine dials. */
export const LONG_MIX: readonly Share[] = [
	{ behaviour: { kind: "answer", ringMs: 1_000, talkMs: 32_000 }, parts: 40 },
	{ behaviour: { kind: "answer", ringMs: 2_000, talkMs: 36_000 }, parts: 45 },
	{ behaviour: { kind: "busy" }, parts: 8 },
	{ behaviour: { kind: "notFound" }, parts: 4 },
	{ behaviour: { kind: "declined" }, parts: 3 },
];

/** As {@link LONG_MIX}, of a minute and a half: for thousands of channels. */
export const LONGEST_MIX: readonly Share[] = [
	{ behaviour: { kind: "answer", ringMs: 1_000, talkMs: 85_000 }, parts: 40 },
	{ behaviour: { kind: "answer", ringMs: 2_000, talkMs: 95_000 }, parts: 50 },
	{ behaviour: { kind: "busy" }, parts: 5 },
	{ behaviour: { kind: "notFound" }, parts: 5 },
];

/** Where the ring of {@link PLANNED_MIX} is given up. */
export const PLANNED_RING_TIMEOUT_SEC = 25;

/**
 * The calls that the planner's example assumes (docs/plan.md): 35 % answered after 12 s, 30 s of talk in the mean, 25 s of ringing otherwise. A call holds its
 * channel for {@link PLANNED_HOLD_SEC} in the mean.
 */
export const PLANNED_MIX: readonly Share[] = [
	...[10_000, 20_000, 30_000, 40_000, 50_000].map(
		(talkMs): Share => ({
			behaviour: { kind: "answer", ringMs: 12_000, talkMs },
			parts: 7,
		}),
	),
	{ behaviour: { kind: "ring" }, parts: 65 },
];

/** How long a call of {@link PLANNED_MIX} holds its channel in the mean, seconds. */
export const PLANNED_HOLD_SEC = 0.35 * (12 + 30) + 0.65 * PLANNED_RING_TIMEOUT_SEC;

/** A repeatable source of numbers 0 ≤ x < 1 (mulberry32). For lists, not for secrets. */
export const seededRandom = (seed: number): (() => number) => {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};

/** How many of `count` each share gets: exact to one, by largest remainder. */
const countsOf = (mix: readonly Share[], count: number): number[] => {
	const sum = mix.reduce((total, { parts }) => total + parts, 0);
	const exact = mix.map(({ parts }) => (count * parts) / sum);
	const counts = exact.map(Math.floor);
	const missing = count - counts.reduce((total, each) => total + each, 0);
	const byRemainder = exact.map((value, index) => ({ index, rest: value - Math.floor(value) }));
	byRemainder.sort((a, b) => b.rest - a.rest || a.index - b.index);
	for (const { index } of byRemainder.slice(0, missing)) counts[index] = (counts[index] ?? 0) + 1;
	return counts;
};

/**
 * A list of `count` different numbers in the mix's proportions, shuffled: the same for the same seed.
 * @param firstSerial lists with serials apart share no number
 * @param numbering `e164` uses that plan's fixed times instead of the mix's own
 */
export const numbersOf = (
	mix: readonly Share[],
	{
		count,
		seed,
		numbering = "private",
		firstSerial = 0,
	}: { count: number; seed: number; numbering?: "private" | "e164"; firstSerial?: number },
): string[] => {
	const counts = countsOf(mix, count);
	const used = new Map<BehaviourKind, number>();
	const numbers = mix.flatMap(({ behaviour }, index) =>
		Array.from({ length: counts[index] ?? 0 }, () => {
			const serial = used.get(behaviour.kind) ?? firstSerial;
			used.set(behaviour.kind, serial + 1);
			return numbering === "private" ? privateNumber(behaviour, serial) : e164Number(behaviour.kind, serial);
		}),
	);
	const random = seededRandom(seed);
	for (let index = numbers.length - 1; index > 0; index--) {
		const other = Math.floor(random() * (index + 1));
		[numbers[index], numbers[other]] = [numbers[other] as string, numbers[index] as string];
	}
	return numbers;
};

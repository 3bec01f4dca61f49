import { Exact } from "../plan/exact.ts";

/**
 * Amounts that are shared out: whole billionths of a US dollar. A fraction could be divided exactly, but the sum of hundreds of such parts has a
 * denominator of hundreds of digits; whole numbers, the last ones given to the largest remainders, add up to the same amount by construction.
 */

const NANO = 1_000_000_000;
const MICRO_PER_NANO = 1_000;

/** US dollars as whole billionths, rounded. */
export const nanosOf = (usd: Exact): bigint => usd.times(MICRO_PER_NANO).micros();
export const sumOf = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((a, b) => a + b, 0n);
/** As US dollars, rounded to a millionth. */
export const usdOf = (nanos: bigint): number => Exact.of(nanos).by(NANO).toNumber();

/**
 * Divides an amount in proportion to weights. The parts add up to the amount.
 * @param weights not negative; all 0 or none: nobody has a part
 */
export const shareOut = (total: bigint, weights: ReadonlyMap<string, number>): Map<string, bigint> => {
	const whole = [...weights].map(([key, weight]) => ({ key, weight: BigInt(Math.round(weight)) }));
	const sum = whole.reduce((n, { weight }) => n + weight, 0n);
	if (sum === 0n) return new Map();
	const parts = whole.map(({ key, weight }) => ({
		key,
		part: (total * weight) / sum,
		rest: (total * weight) % sum,
	}));
	let left = total - parts.reduce((n, { part }) => n + part, 0n);
	// By name where the remainders are the same: the same input gives the same parts.
	const byRest = [...parts].sort((a, b) => (a.rest === b.rest ? (a.key < b.key ? -1 : 1) : a.rest > b.rest ? -1 : 1));
	for (const each of byRest) {
		if (left === 0n) break;
		each.part += 1n;
		left -= 1n;
	}
	return new Map(parts.map(({ key, part }) => [key, part]));
};

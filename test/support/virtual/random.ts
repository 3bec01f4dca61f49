/** A seeded generator (mulberry32): the same seed, the same run. */
export class Random {
	#state: number;
	constructor(seed: number) {
		this.#state = seed | 0;
	}
	/** 0 ≤ x < 1. */
	readonly next = (): number => {
		this.#state = (this.#state + 0x6d2b79f5) | 0;
		let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
	/** An integer, both ends included. */
	int(low: number, high: number): number {
		return low + Math.floor(this.next() * (high - low + 1));
	}
	chance(probability: number): boolean {
		return this.next() < probability;
	}
	pick<T>(list: readonly T[]): T {
		return list[Math.floor(this.next() * list.length)] as T;
	}
	/** One of the list with a chance in proportion to its weight. */
	weighted<T extends { weight: number }>(list: readonly T[]): T {
		let rest = this.next() * list.reduce((sum, each) => sum + each.weight, 0);
		for (const each of list) {
			rest -= each.weight;
			if (rest <= 0) return each;
		}
		return list.at(-1) as T;
	}
}

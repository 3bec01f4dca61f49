import type { FaultCounts } from "./plan.ts";

/** Draws which faults strike, and counts those that did. */
export class FaultDraws {
	readonly #random: () => number;
	readonly #counts: FaultCounts;

	/** @param names the faults there are: a fault that never struck is counted too, with 0 */
	constructor(random: () => number, names: readonly string[]) {
		this.#random = random;
		this.#counts = Object.fromEntries(names.map((name) => [name, 0]));
	}

	get counts(): FaultCounts {
		return { ...this.#counts };
	}

	/** @param rate probability, 0 to 1; with 0 no number is drawn */
	chance(rate: number): boolean {
		return rate > 0 && this.#random() < rate;
	}

	count(name: string, times = 1): void {
		this.#counts[name] = (this.#counts[name] ?? 0) + times;
	}

	/** As {@link FaultDraws.chance}; counted where it strikes. */
	strikes(rate: number, name: string): boolean {
		if (!this.chance(rate)) return false;
		this.count(name);
		return true;
	}
}

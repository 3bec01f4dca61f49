/** The time, and what is to happen later. */
export interface Timers {
	/** ms since 1970. */
	now(): number;
	/** @returns what calls it off */
	after(ms: number, run: () => void): () => void;
}

export const realTimers = (now: () => number = Date.now): Timers => ({
	now,
	after: (ms, run) => {
		const timer = setTimeout(run, ms);
		return () => clearTimeout(timer);
	},
});

/** Timers of one owner, all of which can be called off together. */
export class OwnTimers {
	readonly #timers: Timers;
	readonly #waiting = new Set<() => void>();
	constructor(timers: Timers) {
		this.#timers = timers;
	}

	after(ms: number, run: () => void): void {
		const cancel = this.#timers.after(ms, () => {
			this.#waiting.delete(cancel);
			run();
		});
		this.#waiting.add(cancel);
	}

	clear(): void {
		for (const cancel of this.#waiting) cancel();
		this.#waiting.clear();
	}
}

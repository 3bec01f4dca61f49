import type { Clock, Timer } from "./ports.ts";

/** The promise's result, or a failure after so long. */
export const withinTime = <T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> =>
	new Promise((resolve, reject) => {
		const timer = clock.setTimer(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
		promise.then(
			(value) => {
				clock.clearTimer(timer);
				resolve(value);
			},
			(error: unknown) => {
				clock.clearTimer(timer);
				reject(error);
			},
		);
	});

/** Things that are done again and again until it is stopped. */
export class Ticker {
	readonly #clock: Clock;
	readonly #timers = new Set<Timer>();
	#stopped = false;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	every(periodMs: number, run: () => void): void {
		const timer = this.#clock.setTimer(periodMs, () => {
			this.#timers.delete(timer);
			if (this.#stopped) return;
			this.every(periodMs, run);
			run();
		});
		this.#timers.add(timer);
	}

	stop(): void {
		this.#stopped = true;
		for (const timer of this.#timers) this.#clock.clearTimer(timer);
	}
}

/** Time constant of the mean: long enough to smooth single calls, short enough to follow a campaign's start and end. */
const TAU_MS = 5_000;

/** Completions per second, exponentially weighted. */
export class RateMeter {
	#weight = 0;
	#age = 0;
	#atMs: number | undefined;

	#decayTo(nowMs: number): void {
		if (this.#atMs !== undefined) {
			const elapsed = Math.max(0, nowMs - this.#atMs);
			const factor = Math.exp(-elapsed / TAU_MS);
			this.#weight *= factor;
			this.#age = this.#age * factor + (1 - factor);
		}
		this.#atMs = nowMs;
	}

	count(nowMs: number, n = 1): void {
		this.#decayTo(nowMs);
		this.#weight += n;
	}

	/** Corrected for the short history after the start; 0 before anything was counted. */
	perSecond(nowMs: number): number {
		this.#decayTo(nowMs);
		if (this.#weight === 0) return 0;
		return ((this.#weight / TAU_MS) * 1_000) / Math.max(this.#age, MIN_AGE);
	}
}

/** Below this share of the time constant the correction would multiply chance. */
const MIN_AGE = 0.1;

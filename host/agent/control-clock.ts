interface Sample {
	offsetMs: number;
	rttMs: number;
	atMs: number;
}

/** Older samples are dropped: at 50 ppm of drift they would be wrong by 3 ms. */
const MAX_AGE_MS = 60_000;
const MAX_SAMPLES = 32;

/**
 * The control plane's clock as seen from here: each answer says `now`, the middle of the request's way. The sample with the
 * shortest round trip of the recent ones is believed, for it can be wrong by the least.
 */
export class ControlClock {
	#samples: Sample[] = [];

	/**
	 * @param sentMs @param receivedMs monotonic
	 * @param controlNowMs the answer's `now`
	 */
	observe(sentMs: number, receivedMs: number, controlNowMs: number): void {
		const rttMs = receivedMs - sentMs;
		this.#samples.push({ offsetMs: controlNowMs - (sentMs + rttMs / 2), rttMs, atMs: receivedMs });
		const oldest = receivedMs - MAX_AGE_MS;
		this.#samples = this.#samples.filter((sample) => sample.atMs >= oldest).slice(-MAX_SAMPLES);
	}

	#best(): Sample | undefined {
		return this.#samples.reduce<Sample | undefined>(
			(best, sample) => (best === undefined || sample.rttMs < best.rttMs ? sample : best),
			undefined,
		);
	}

	get known(): boolean {
		return this.#samples.length > 0;
	}

	/** The control plane's time at a moment of our monotonic clock; the wall clock where no answer has come yet. */
	at(monotonicMs: number, wallMs: number): number {
		const best = this.#best();
		return best === undefined ? wallMs : monotonicMs + best.offsetMs;
	}

	/** What a request takes, ms: the median of the recent ones. */
	get rttMs(): number {
		if (this.#samples.length === 0) return DEFAULT_RTT_MS;
		const sorted = this.#samples.map((sample) => sample.rttMs).sort((a, b) => a - b);
		return sorted[Math.floor(sorted.length / 2)] ?? DEFAULT_RTT_MS;
	}

	/** How far ahead a slot must begin to be of use here, ms: nine of ten recent round trips, and the journal. */
	get slotLeadMs(): number {
		if (this.#samples.length === 0) return DEFAULT_RTT_MS + JOURNAL_MS;
		const sorted = this.#samples.map((sample) => sample.rttMs).sort((a, b) => a - b);
		return (sorted[Math.floor(sorted.length * 0.9)] ?? DEFAULT_RTT_MS) + JOURNAL_MS;
	}
}

/** An answer is journalled before its calls are dialed: one flush of the disk. */
const JOURNAL_MS = 10;
/** Before the first answer: an API on another continent. */
const DEFAULT_RTT_MS = 150;

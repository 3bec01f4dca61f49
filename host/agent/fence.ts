import type { Clock } from "./ports.ts";
import type { Instant } from "./records.ts";

/**
 * A host without an answer for a while originates nothing more. Counted from the FIRST send of the last request whose answer this process has
 * accepted: the control plane may have heard of us no later than that.
 */
export class Fence {
	#from: Instant | undefined;
	readonly #clock: Clock;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	now(): Instant {
		const { bootId } = this.#clock;
		return { bootId, monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
	}

	/** An answer was accepted. A first send before the machine's last boot is too old in any case. */
	accepted(firstSend: Instant): void {
		if (firstSend.bootId === this.#clock.bootId) this.#from = firstSend;
	}

	close(): void {
		this.#from = undefined;
	}

	/** By both clocks: the monotonic one may stand still while the machine sleeps, the wall clock may be set back. */
	isOpen(fenceSec: number): boolean {
		const fenceMs = fenceSec * 1_000;
		return (
			this.#from !== undefined &&
			this.#clock.monotonicMs() < this.#from.monotonicMs + fenceMs &&
			this.#clock.wallMs() < this.#from.wallMs + fenceMs
		);
	}
}

import type { FaultCounts, MessageFaults } from "./plan.ts";

/** When a received message is given to its function: after so many ms, for each time. */
export type Deliveries = number[];

/** The fault layer between a queue and its function. */
export class FaultyMessages {
	faults: MessageFaults;
	readonly #random: () => number;
	readonly #counts: FaultCounts = { duplicatedMessages: 0, reorderedMessages: 0 };

	constructor(faults: MessageFaults, random: () => number) {
		this.faults = faults;
		this.#random = random;
	}

	get counts(): FaultCounts {
		return { ...this.#counts };
	}

	#strikes(rate: number, name: string): boolean {
		if (rate <= 0 || this.#random() >= rate) return false;
		this.#counts[name] = (this.#counts[name] ?? 0) + 1;
		return true;
	}

	/** The first delivery rules whether the message is deleted; later ones are duplicates. */
	deliveries(): Deliveries {
		const late = () => this.#random() * this.faults.maxDelayMs;
		const first = this.#strikes(this.faults.reorderRate, "reorderedMessages") ? late() : 0;
		return this.#strikes(this.faults.duplicateRate, "duplicatedMessages") ? [first, first + late()] : [first];
	}
}

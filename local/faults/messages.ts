import { FaultDraws } from "./draws.ts";
import type { FaultCounts, MessageFaults } from "./plan.ts";

/** When a received message is given to its function: after so many ms, for each time. */
export type Deliveries = number[];

/** The fault layer between a queue and its function. */
export class FaultyMessages {
	faults: MessageFaults;
	readonly #random: () => number;
	readonly #draws: FaultDraws;

	constructor(faults: MessageFaults, random: () => number) {
		this.faults = faults;
		this.#random = random;
		this.#draws = new FaultDraws(random, ["duplicatedMessages", "reorderedMessages"]);
	}

	get counts(): FaultCounts {
		return this.#draws.counts;
	}

	/** The first delivery rules whether the message is deleted; later ones are duplicates. */
	deliveries(): Deliveries {
		const late = () => this.#random() * this.faults.maxDelayMs;
		const first = this.#draws.strikes(this.faults.reorderRate, "reorderedMessages") ? late() : 0;
		return this.#draws.strikes(this.faults.duplicateRate, "duplicatedMessages") ? [first, first + late()] : [first];
	}
}

import type { Ec2Faults } from "./types.ts";

export const noFaults = (): Ec2Faults => ({
	noCapacity: [],
	room: {},
	notOffered: [],
	quota: Number.POSITIVE_INFINITY,
	throttle: 0,
	throttleAction: {},
	neverBoot: [],
	lateMs: 0,
	duplicateEvents: 0,
	refuse: [],
	loseAnswers: 0,
});

/** Whether `type/subnet`, with `*` for either, names this offering. */
const names = (pattern: string, type: string, subnet: string): boolean => {
	const [ofType, ofSubnet] = pattern.split("/");
	return (ofType === "*" || ofType === type) && (ofSubnet === "*" || ofSubnet === subnet);
};

/** What the cloud has left of each offering, as its faults say. */
export class Capacity {
	readonly #faults: Ec2Faults;
	constructor(faults: Ec2Faults) {
		this.#faults = faults;
	}

	offered(type: string, subnet: string): boolean {
		return !this.#faults.notOffered.some((pattern) => names(pattern, type, subnet));
	}

	/** How many more of an offering can be had. */
	left(type: string, subnet: string): number {
		if (this.#faults.noCapacity.some((pattern) => names(pattern, type, subnet))) return 0;
		const rooms = Object.entries(this.#faults.room).filter(([pattern]) => names(pattern, type, subnet));
		return Math.min(...rooms.map(([, room]) => room), Number.POSITIVE_INFINITY);
	}

	take(type: string, subnet: string, count: number): void {
		for (const [pattern, room] of Object.entries(this.#faults.room)) {
			if (names(pattern, type, subnet)) this.#faults.room[pattern] = room - count;
		}
	}
}

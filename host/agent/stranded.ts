import { freeWithin, type Usage } from "./usage.ts";

/**
 * Held calls that keep channels idle: those that their campaign's share leaves no channel for, beyond `prefetch`, where the host has channels free that no
 * other held call could take. They fill the room that calls of another campaign could have. The newest are named: they have the longest to wait.
 */
export const strandedCalls = (
	usage: Usage,
	laneShare: Readonly<Record<string, number>>,
	hostFree: number,
	prefetch: number,
): string[] => {
	const left = freeWithin(laneShare, usage.byLane);
	const beyond: string[] = [];
	for (const { callId, lane } of usage.held) {
		const free = left[lane] ?? 0;
		if (free > 0) left[lane] = free - 1;
		else beyond.push(callId);
	}
	const idle = hostFree - (usage.held.length - beyond.length);
	const count = Math.min(beyond.length - prefetch, idle);
	return count > 0 ? beyond.slice(-count) : [];
};

/** Remembers what was stranded at the last look: only what still is, is given back. A share that is about to change strands calls for a moment. */
export class Stranded {
	#before: ReadonlySet<string> = new Set();

	/** @returns the calls to give back */
	look(stranded: readonly string[]): string[] {
		const still = stranded.filter((callId) => this.#before.has(callId));
		this.#before = new Set(stranded);
		return still;
	}
}

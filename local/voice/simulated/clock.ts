/** Time as the simulation sees it: the machine's, or a virtual one that a test moves. */
export interface SimClock {
	/** Milliseconds since 1970, with a fraction where the clock has one. */
	now(): number;
	/** Calls `fire` once, not before `delayMs` have passed. @returns a handle for {@link SimClock.clearTimer} */
	setTimer(delayMs: number, fire: () => void): unknown;
	clearTimer(timer: unknown): void;
}

/** This machine's time. `keepAlive` says whether a pending timer keeps the process running. */
export const machineClock = (keepAlive = false): SimClock => ({
	now: () => performance.timeOrigin + performance.now(),
	setTimer: (delayMs, fire) => {
		const timer = setTimeout(fire, delayMs);
		if (!keepAlive) timer.unref();
		return timer;
	},
	clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
});

/**
 * Random numbers that are the same for the same seed (mulberry32).
 * @param seed any integer
 * @returns a function drawing 0 ≤ x < 1
 */
export const seededRandom = (seed: number): (() => number) => {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
};

/** Text to a seed (FNV-1a), so that each host has delays of its own from one common seed. */
export const seedOf = (text: string): number => {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
};

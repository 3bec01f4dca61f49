import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Time and everything that waits, in the hands of a test: nothing goes on by itself. A thing that waits (a statement of a handler, a
 * message on its way, a write to a disk, a timer) goes on when the test runs it; time moves when the test moves it, but never past the
 * deadline of something that waits.
 */

export interface Waiting {
	readonly id: number;
	/** What it is, for choosing: `db`, `request`, `answer`, `disk`, `originate`, `event`, `timer` … */
	readonly kind: string;
	/** Whose it is: things of one owner are dropped together. */
	readonly owner: string;
	/** For the story. */
	readonly label: string;
	/** Time cannot pass this before it has gone on; undefined: it may wait for ever. */
	deadline: number | undefined;
	/** Timers: not before this. */
	readonly notBefore: number;
	readonly run: () => void;
	/** More that a test wants to know about it. */
	readonly detail?: unknown;
}

/** What a virtual clock starts at: an arbitrary moment, ms since 1970. */
export const START_MS = Date.UTC(2026, 10, 23, 12);

export class Scheduler {
	#now = START_MS;
	#nextId = 1;
	readonly #waiting = new Map<number, Waiting>();
	/** What happened, if it is to be told: a run is repeated with its story where it failed. Cut from the front where it grows too long. */
	readonly story: string[] = [];
	readonly #tells: boolean;
	/** Steps run so far. */
	steps = 0;

	/** @param tells whether a story is kept */
	constructor(tells = true) {
		this.#tells = tells;
	}

	get now(): number {
		return this.#now;
	}
	get waiting(): Iterable<Waiting> {
		return this.#waiting.values();
	}
	find(test: (waiting: Waiting) => boolean): Waiting | undefined {
		for (const waiting of this.#waiting.values()) if (test(waiting)) return waiting;
		return undefined;
	}

	tell(line: string | (() => string)): void {
		if (!this.#tells) return;
		const text = typeof line === "string" ? line : line();
		this.story.push(`${((this.#now - START_MS) / 1_000).toFixed(3).padStart(9)} ${text}`);
		if (this.story.length > MAX_STORY_LINES) this.story.splice(0, MAX_STORY_LINES / 2);
	}

	/** Adds something that waits. */
	add(waiting: Partial<Waiting> & Pick<Waiting, "kind" | "owner" | "label" | "run">): Waiting {
		const added: Waiting = { deadline: undefined, notBefore: 0, ...waiting, id: this.#nextId++ };
		this.#waiting.set(added.id, added);
		return added;
	}
	remove(waiting: Waiting): boolean {
		return this.#waiting.delete(waiting.id);
	}
	/** Forgets all that waits for an owner: it is dead. */
	drop(owner: string): void {
		for (const waiting of this.#waiting.values()) if (waiting.owner === owner) this.#waiting.delete(waiting.id);
	}

	/** Lets one thing go on, and all that follows from it without waiting. */
	async run(waiting: Waiting): Promise<void> {
		if (!this.#waiting.delete(waiting.id)) throw new Error(`ran twice: ${waiting.label}`);
		this.steps++;
		waiting.run();
		await this.settle();
	}
	/** Until everything that can go on without waiting has done so. */
	async settle(): Promise<void> {
		await nextTurn();
	}

	/** The latest time that can be moved to now. */
	get limit(): number {
		let limit = Number.POSITIVE_INFINITY;
		for (const { deadline } of this.#waiting.values()) if (deadline !== undefined && deadline < limit) limit = deadline;
		return limit;
	}
	/** When the next timer may fire; infinite without one. */
	get nextTimer(): number {
		let next = Number.POSITIVE_INFINITY;
		for (const { notBefore } of this.#waiting.values()) if (notBefore > this.#now && notBefore < next) next = notBefore;
		return next;
	}
	/** Moves time on, at most to the limit. */
	moveTo(at: number): void {
		this.#now = Math.max(this.#now, Math.min(at, this.limit));
	}
	/** Moves time on regardless of deadlines: a test that directs everything itself. */
	jumpTo(at: number): void {
		this.#now = Math.max(this.#now, at);
	}
}

/** Enough to tell how a run came to its end. */
const MAX_STORY_LINES = 4_000;

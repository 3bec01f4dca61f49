import { MAX_ATTEMPTS, type Retry, type RetryRule } from "../../shared/contract/campaign.ts";
import type { Outcome } from "../../shared/contract/outcome.ts";
import { Random } from "./virtual/random.ts";

/**
 * List scheduling by itself: channels take what is due, the longest due first; calls start at least so far apart. Nothing of the dialer's own code, and no
 * delays of its own, so that a forecast can be held against it.
 */
export interface SimulatedCalls {
	seed: number;
	contacts: number;
	channels: number;
	/** Least distance of two starts, seconds. */
	spacingSec: number;
	retry: Retry;
	/** How an attempt ends, and how long it held its channel, seconds. */
	draw: (random: Random) => { outcome: Outcome; holdSec: number };
}

export interface Looked {
	atSec: number;
	pending: number;
	inProgress: number;
	done: number;
	attempts: number;
	answered: number;
	channelMs: number;
	timed: number;
	/** When the last pending contact is due; undefined: none is pending. */
	lastDueSec: number | undefined;
}

interface Waiting {
	dueSec: number;
	order: number;
	tries: Partial<Record<Outcome, number>>;
}
const triesOf = ({ tries }: Waiting): number => Object.values(tries).reduce((sum, n) => sum + n, 0);

interface Call {
	contact: Waiting;
	endSec: number;
	outcome: Outcome;
	holdSec: number;
}

/** Smallest first; equal ones as they came. */
class Heap<T> {
	readonly #items: T[] = [];
	readonly #before: (a: T, b: T) => boolean;
	constructor(before: (a: T, b: T) => boolean) {
		this.#before = before;
	}
	get items(): readonly T[] {
		return this.#items;
	}
	get first(): T | undefined {
		return this.#items[0];
	}
	push(item: T): void {
		let at = this.#items.push(item) - 1;
		while (at > 0) {
			const up = (at - 1) >> 1;
			if (!this.#before(this.#items[at] as T, this.#items[up] as T)) return;
			this.#swap(at, up);
			at = up;
		}
	}
	pop(): T | undefined {
		const first = this.#items[0];
		const last = this.#items.pop();
		if (this.#items.length > 0 && last !== undefined) {
			this.#items[0] = last;
			let at = 0;
			for (;;) {
				let least = at;
				for (const down of [2 * at + 1, 2 * at + 2]) {
					if (down < this.#items.length && this.#before(this.#items[down] as T, this.#items[least] as T)) least = down;
				}
				if (least === at) break;
				this.#swap(at, least);
				at = least;
			}
		}
		return first;
	}
	#swap(a: number, b: number): void {
		[this.#items[a], this.#items[b]] = [this.#items[b] as T, this.#items[a] as T];
	}
}

/**
 * Dials a list to its end.
 * @param lookWhen asked after each attempt that ends: what is to be remembered
 */
export const simulateList = (
	calls: SimulatedCalls,
	lookWhen: (look: Looked) => boolean,
): { endSec: number; looks: Looked[] } => {
	const random = new Random(calls.seed);
	const waiting = new Heap<Waiting>((a, b) => a.dueSec < b.dueSec || (a.dueSec === b.dueSec && a.order < b.order));
	for (let i = 0; i < calls.contacts; i++) waiting.push({ dueSec: 0, order: i, tries: {} });
	const up = new Heap<Call>((a, b) => a.endSec < b.endSec);
	const looks: Looked[] = [];
	const seen = { done: 0, attempts: 0, answered: 0, channelMs: 0, timed: 0 };
	let order = calls.contacts;
	let nextStartSec = 0;
	let nowSec = 0;

	const end = ({ contact, outcome, holdSec, endSec }: Call): void => {
		nowSec = endSec;
		seen.attempts++;
		seen.timed++;
		seen.channelMs += holdSec * 1_000;
		if (outcome === "answered" || outcome === "machine") seen.answered++;
		const rule = (calls.retry as Partial<Record<Outcome, RetryRule>>)[outcome];
		const before = contact.tries[outcome] ?? 0;
		const made = triesOf(contact) + 1;
		if (rule && before < rule.max && made < MAX_ATTEMPTS) {
			const delaySec = rule.afterSec * (rule.growth ?? 1) ** before;
			waiting.push({
				dueSec: nowSec + delaySec,
				order: order++,
				tries: { ...contact.tries, [outcome]: before + 1 },
			});
		} else seen.done++;
		const look: Looked = {
			...seen,
			atSec: nowSec,
			pending: waiting.items.length,
			inProgress: up.items.length,
			lastDueSec: undefined,
		};
		if (lookWhen(look)) {
			const due = waiting.items.map(({ dueSec }) => dueSec);
			looks.push({ ...look, lastDueSec: due.length > 0 ? Math.max(...due) : undefined });
		}
	};

	for (;;) {
		const next = waiting.first;
		const startSec = next && Math.max(nowSec, next.dueSec, nextStartSec);
		const free = up.items.length < calls.channels;
		if (startSec !== undefined && free && startSec <= (up.first?.endSec ?? Number.POSITIVE_INFINITY)) {
			waiting.pop();
			nowSec = startSec;
			nextStartSec = startSec + calls.spacingSec;
			const { outcome, holdSec } = calls.draw(random);
			up.push({ contact: next as Waiting, endSec: startSec + holdSec, outcome, holdSec });
			continue;
		}
		const call = up.pop();
		if (!call) return { endSec: nowSec, looks };
		end(call);
	}
};

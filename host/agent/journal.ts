import type { AgentPorts, Timer } from "./ports.ts";
import type { JournalRecord, JournalState } from "./records.ts";
import { applyRecord, emptyState } from "./state.ts";

/** Pause before a failed write is tried again: a full disk is not emptied faster by asking more often. */
const RETRY_MS = 1_000;

/**
 * The agent's state and its journal. A record changes the state at once and is written in order, together with whatever else waits
 * (one flush for all of it). What has effects outside waits for {@link durable}.
 */
export class Journal {
	readonly state: JournalState = emptyState();
	readonly #ports: Pick<AgentPorts, "journal" | "clock" | "log">;
	readonly #onChange: () => void;
	#unsaved: JournalRecord[] = [];
	#waiters: { upTo: number; resolve: () => void }[] = [];
	/** Records made and records saved, counted since the start. */
	#made = 0;
	#saved = 0;
	#writing = false;
	#failing = false;
	#retryTimer: Timer | undefined;

	/** @param onChange called when writing begins to fail or works again */
	constructor(ports: Pick<AgentPorts, "journal" | "clock" | "log">, onChange: () => void) {
		this.#ports = ports;
		this.#onChange = onChange;
	}

	/** Reads what an earlier agent left. */
	async load(): Promise<void> {
		for (const record of await this.#ports.journal.load()) applyRecord(this.state, record);
	}

	/** False while the disk takes nothing: nothing new may be originated. */
	get healthy(): boolean {
		return !this.#failing;
	}

	/** Changes the state and queues the record. */
	record(record: JournalRecord): void {
		applyRecord(this.state, record);
		this.#unsaved.push(record);
		this.#made++;
		this.#write();
	}

	/** Resolves once everything recorded so far is on disk; while the disk is full that lasts as long as it takes. */
	durable(): Promise<void> {
		if (this.#saved >= this.#made) return Promise.resolve();
		const upTo = this.#made;
		return new Promise((resolve) => this.#waiters.push({ upTo, resolve }));
	}

	stop(): void {
		if (this.#retryTimer !== undefined) this.#ports.clock.clearTimer(this.#retryTimer);
		this.#retryTimer = undefined;
	}

	#write(): void {
		if (this.#writing || this.#retryTimer !== undefined || this.#unsaved.length === 0) return;
		this.#writing = true;
		const batch = this.#unsaved;
		this.#unsaved = [];
		// Everything recorded in the same turn joins the batch: one flush for all of it.
		queueMicrotask(() => {
			batch.push(...this.#unsaved);
			this.#unsaved = [];
			this.#ports.journal.append(batch).then(
				() => this.#written(batch.length),
				(error: unknown) => this.#failed(batch, error),
			);
		});
	}

	#written(count: number): void {
		this.#writing = false;
		this.#saved += count;
		if (this.#failing) {
			this.#failing = false;
			this.#ports.log.info("journalWorksAgain", {});
			this.#onChange();
		}
		const ready = this.#waiters.filter((waiter) => waiter.upTo <= this.#saved);
		this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > this.#saved);
		for (const waiter of ready) waiter.resolve();
		if (this.#ports.journal.size() > this.#ports.journal.compactAt && this.#unsaved.length === 0) this.#compact();
		else this.#write();
	}

	#failed(batch: JournalRecord[], error: unknown): void {
		this.#writing = false;
		this.#unsaved = [...batch, ...this.#unsaved];
		if (!this.#failing) {
			this.#failing = true;
			this.#ports.log.error("journalWriteFailed", {
				error,
				consequence: "no call is originated and nothing is reported until the journal can be written",
				remedy: "free space on the disk of stateDir, or mend it",
			});
			this.#onChange();
		}
		this.#retryTimer = this.#ports.clock.setTimer(RETRY_MS, () => {
			this.#retryTimer = undefined;
			this.#write();
		});
	}

	/** Only with nothing unsaved, so that the snapshot says no more than the journal does. */
	#compact(): void {
		this.#writing = true;
		const snapshot: JournalRecord = { t: "snapshot", state: structuredClone(this.state) };
		const done = (): void => {
			this.#writing = false;
			this.#write();
		};
		this.#ports.journal
			.compact(() => [snapshot])
			.then(done, (error: unknown) => {
				this.#ports.log.warn("journalNotCompacted", { error: error instanceof Error ? error.message : String(error) });
				done();
			});
	}
}

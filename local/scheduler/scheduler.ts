import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Log } from "../../shared/log.ts";
import { nextFiring, readCron } from "./cron.ts";
import type { Entry, ScheduleBody } from "./entries.ts";

/** Timers of Node reach no further than 24 days; entries that come later are looked at again. */
const LONGEST_SLEEP_MS = 3_600_000;

/** An answer other than success, as the service gives it. */
export class SchedulerRefusal extends Error {
	override readonly name = "SchedulerRefusal";
	readonly status: number;
	readonly code: string;
	constructor(status: number, code: string, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

/** Time as the scheduler sees it; tests have a virtual one. */
export interface SchedulerClock {
	/** ms since 1970. */
	now(): number;
	/** @returns what takes it back */
	after(ms: number, run: () => void): () => void;
}

export const machineClock: SchedulerClock = {
	now: Date.now,
	after: (ms, run) => {
		const timer = setTimeout(run, ms);
		return () => clearTimeout(timer);
	},
};

export interface SchedulerOptions {
	clock: SchedulerClock;
	/** Groups besides `default`. */
	groups: readonly string[];
	/** Names of the queues that there are. */
	queues: readonly string[];
	/** Sends an entry's input to its queue. */
	send: (queue: string, input: string) => Promise<void>;
	/** Keeps the entries for the next start. */
	file?: string;
	log: Log;
}

/** EventBridge Scheduler: entries that fire at moments of a local clock. */
export class SchedulerCore {
	readonly #options: SchedulerOptions;
	/** By group and name. */
	readonly #entries = new Map<string, Entry>();
	/** All up to this moment has been fired. */
	#firedUntil: number;
	#cancel: () => void = () => {};
	readonly #sending = new Set<Promise<void>>();
	#stopped = false;

	constructor(options: SchedulerOptions) {
		this.#options = options;
		this.#firedUntil = options.clock.now();
		for (const entry of options.file === undefined ? [] : readEntries(options.file)) {
			this.#entries.set(keyOf(entry.GroupName, entry.Name), entry);
		}
		this.#arm();
	}

	create(name: string, body: ScheduleBody): void {
		if (this.#entries.has(keyOf(body.GroupName, name)))
			throw new SchedulerRefusal(409, "ConflictException", `Schedule ${name} already exists.`);
		this.#put(name, body, this.#options.clock.now());
	}

	update(name: string, body: ScheduleBody): void {
		this.#put(name, body, this.get(body.GroupName, name).createdAt);
	}

	get(group: string, name: string): Entry {
		const entry = this.#entries.get(keyOf(group, name));
		if (!entry) throw new SchedulerRefusal(404, "ResourceNotFoundException", `Schedule ${name} does not exist.`);
		return entry;
	}

	delete(group: string, name: string): void {
		this.get(group, name);
		this.#entries.delete(keyOf(group, name));
		this.#changed();
	}

	list(): Entry[] {
		return [...this.#entries.values()];
	}

	/** Resolves when what fired has been sent. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#cancel();
		await Promise.all(this.#sending);
	}

	#put(name: string, body: ScheduleBody, createdAt: number): void {
		const { groups, queues, clock } = this.#options;
		const { ClientToken: _, ...kept } = body;
		if (body.GroupName !== "default" && !groups.includes(body.GroupName))
			throw new SchedulerRefusal(404, "ResourceNotFoundException", `Schedule group ${body.GroupName} does not exist.`);
		// AWS finds out when it fires; here it is said at once.
		if (!queues.includes(queueOf(body)))
			throw new SchedulerRefusal(400, "ValidationException", `There is no queue ${body.Target.Arn} here.`);
		this.#entries.set(keyOf(body.GroupName, name), { Name: name, ...kept, createdAt, changedAt: clock.now() });
		this.#changed();
	}

	#changed(): void {
		const { file } = this.#options;
		if (file !== undefined) {
			writeFileSync(`${file}.new`, JSON.stringify(this.list()), { mode: 0o600 });
			renameSync(`${file}.new`, file);
		}
		this.#arm();
	}

	/** When each entry that is on fires next. */
	#next(): { entry: Entry; at: number }[] {
		return this.list().flatMap((entry) => {
			if (entry.State !== "ENABLED") return [];
			// A new or changed entry does not make up for what was before.
			const after = Math.max(this.#firedUntil, entry.changedAt);
			const at = nextFiring(readCron(entry.ScheduleExpression), entry.ScheduleExpressionTimezone, after);
			return at === undefined ? [] : [{ entry, at }];
		});
	}

	#arm(): void {
		this.#cancel();
		if (this.#stopped) return;
		const { clock } = this.#options;
		const soonest = Math.min(...this.#next().map(({ at }) => at), clock.now() + LONGEST_SLEEP_MS);
		this.#cancel = clock.after(Math.max(0, soonest - clock.now()), () => this.#fire());
	}

	#fire(): void {
		const now = this.#options.clock.now();
		const due = this.#next().filter(({ at }) => at <= now);
		this.#firedUntil = now;
		for (const { entry } of due) {
			const sending = this.#send(entry);
			this.#sending.add(sending);
			sending.finally(() => this.#sending.delete(sending));
		}
		this.#arm();
	}

	async #send(entry: Entry): Promise<void> {
		const { log, send } = this.#options;
		try {
			await send(queueOf(entry), entry.Target.Input ?? "{}");
			log.info("scheduler.fired", { name: entry.Name, queue: queueOf(entry) });
		} catch (error) {
			log.error("scheduler.notSent", { name: entry.Name, queue: queueOf(entry), error });
		}
	}
}

const keyOf = (group: string, name: string): string => `${group}/${name}`;
const queueOf = ({ Target: { Arn } }: Pick<Entry, "Target">): string => Arn.slice(Arn.lastIndexOf(":") + 1);

const readEntries = (file: string): Entry[] => {
	try {
		return JSON.parse(readFileSync(file, "utf8")) as Entry[];
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw new Error(`${file} is damaged. Remove it: schedules are then made anew when they are next set.`, {
			cause: error,
		});
	}
};

import { ProvisionedThroughputExceededException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import { parseSettings, type Settings } from "../../../shared/config/settings.ts";
import { ApiError } from "../../../shared/contract/errors.ts";
import type { Deps } from "../../../shared/deps.ts";
import type { Log } from "../../../shared/log.ts";
import {
	type Input,
	MemoryDynamo,
	PROJECT_TABLE_NAMES,
	PROJECT_TABLES,
	type Result,
	type Statement,
} from "../memory-dynamo.ts";
import type { Random } from "./random.ts";
import type { Scheduler, Waiting } from "./scheduler.ts";

/** A handler under way: it waits before each statement until the test lets it go on, or for ever. */
export interface Execution {
	readonly id: string;
	/** undefined while it runs. */
	ended: { ok: true; value: unknown } | { ok: false; error: unknown } | undefined;
	killed: boolean;
	/** Statements carried out. */
	statements: number;
}

/** Weakens one condition of the protocol, to see what it is for. `hits` tells that it applied. */
export interface Mutation {
	hits: number;
	rewrite?(
		statement: Statement,
		execution: Execution,
		dynamo: MemoryDynamo,
	): Statement | { instead: Result } | undefined;
	rewriteResult?(statement: Statement, result: Result, execution: Execution, dynamo: MemoryDynamo): Result | undefined;
	/** Updates that the handler makes after all else, before it answers. */
	afterwards?(execution: Execution): Input[];
}

/** What a scheduler knows of a statement that waits. */
export interface StatementDetail {
	execution: Execution;
	statement: Statement;
	/** `before`: to be carried out; `after`: carried out, its result on the way. */
	phase: "before" | "after";
	/** Fails it without carrying it out. */
	throttle(): void;
}

export interface ControlPlaneOptions {
	settings?: Partial<Settings>;
	mutation?: Mutation;
	/** Deadline of each statement, from now, ms; default none. */
	latency?: () => number | undefined;
	/** Whether a statement's result is held up, as something of its own to be scheduled. */
	holdResult?: () => boolean;
}

const describe = ({ name, input }: Statement): string => {
	const table =
		(input["TableName"] as string | undefined) ??
		Object.keys((input["RequestItems"] as object | undefined) ?? {}).join();
	const index = input["IndexName"] === undefined ? "" : `.${String(input["IndexName"])}`;
	const key = input["Key"] === undefined ? "" : ` ${Object.values(input["Key"] as object).join(" ")}`;
	return `${name} ${table}${index}${key}`;
};

/** The control plane's own code on tables in memory; every statement of every handler is a step of the scheduler. */
export class VirtualControlPlane {
	readonly dynamo: MemoryDynamo;
	readonly settings: Settings;
	readonly executions = new Map<string, Execution>();
	/** Executions that ended with an error that is no answer to the caller. */
	readonly faults: { execution: Execution; error: unknown }[] = [];
	readonly #scheduler: Scheduler;
	readonly #random: Random;
	readonly #options: ControlPlaneOptions;
	#count = 0;

	constructor(scheduler: Scheduler, random: Random, options: ControlPlaneOptions = {}) {
		this.#scheduler = scheduler;
		this.#random = random;
		this.#options = options;
		this.settings = { ...parseSettings({}), ...options.settings };
		this.dynamo = new MemoryDynamo(PROJECT_TABLES, { indexLag: "manual", now: () => scheduler.now });
	}

	/** Not through the scheduler: for setting things up and for looking at them. */
	get directDeps(): Deps {
		return this.#deps(this.dynamo.client());
	}

	#deps(db: Deps["db"], tellAs?: string): Deps {
		const tell = (event: string, fields: object = {}): void => {
			if (tellAs !== undefined) this.#scheduler.tell(() => `${tellAs}: ${event} ${brief(fields)}`);
		};
		const log: Log = { info: tell, warn: tell, error: tell };
		return {
			db,
			tables: PROJECT_TABLE_NAMES,
			now: () => this.#scheduler.now,
			random: this.#random.next,
			log,
			settings: this.settings,
			// Messages are asked for again by the minute's tick, and so may be lost.
			queues: { send: async () => {} },
		};
	}

	/** Begins a handler. It has gone as far as its first statement when the scheduler has settled. */
	start(what: string, run: (deps: Deps) => Promise<unknown>, onEnd?: (execution: Execution) => void): Execution {
		const execution: Execution = { id: `${what}.${++this.#count}`, ended: undefined, killed: false, statements: 0 };
		this.executions.set(execution.id, execution);
		const { mutation } = this.#options;
		const db = this.dynamo.client({
			before: (statement) => {
				if (execution.killed) return new Promise(() => {});
				return new Promise((resolve, reject) => {
					const label = `${execution.id}: ${describe(statement)}`;
					const latency = this.#options.latency?.();
					const detail: StatementDetail = {
						execution,
						statement,
						phase: "before",
						throttle: () => {
							this.#scheduler.remove(waiting);
							reject(
								new ProvisionedThroughputExceededException({
									message: "The level of configured provisioned throughput for the table was exceeded.",
									$metadata: {},
								}),
							);
						},
					};
					const waiting: Waiting = this.#scheduler.add({
						kind: "db",
						owner: execution.id,
						label,
						deadline: latency === undefined ? undefined : this.#scheduler.now + latency,
						detail,
						run: () => {
							execution.statements++;
							resolve();
						},
					});
				});
			},
			...(mutation?.rewrite
				? { rewrite: (statement) => mutation.rewrite?.(statement, execution, this.dynamo) ?? statement }
				: {}),
			...(mutation?.rewriteResult
				? {
						rewriteResult: (statement, result) =>
							mutation.rewriteResult?.(statement, result, execution, this.dynamo) ?? result,
					}
				: {}),
			after: (statement) => {
				if (execution.killed) return new Promise(() => {});
				if (!this.#options.holdResult?.()) return;
				return new Promise((resolve, reject) => {
					const latency = this.#options.latency?.();
					const detail: StatementDetail = {
						execution,
						statement,
						phase: "after",
						throttle: () => {
							this.#scheduler.remove(waiting);
							reject(Object.assign(new Error("no answer from the table in time"), { name: "TimeoutError" }));
						},
					};
					const waiting: Waiting = this.#scheduler.add({
						kind: "db",
						owner: execution.id,
						label: `${execution.id}: result of ${describe(statement)}`,
						deadline: latency === undefined ? undefined : this.#scheduler.now + latency,
						detail,
						run: resolve,
					});
				});
			},
		});
		const end = (ended: NonNullable<Execution["ended"]>): void => {
			if (execution.killed) return;
			execution.ended = ended;
			this.executions.delete(execution.id);
			if (!ended.ok && !(ended.error instanceof ApiError)) this.faults.push({ execution, error: ended.error });
			onEnd?.(execution);
		};
		const whole = async (): Promise<unknown> => {
			const value = await run(this.#deps(db, execution.id));
			for (const input of mutation?.afterwards?.(execution) ?? [])
				await db.send(new UpdateCommand(input as UpdateCommandInput));
			return value;
		};
		whole().then(
			(value) => end({ ok: true, value }),
			(error: unknown) => end({ ok: false, error }),
		);
		return execution;
	}

	/** The function's process is gone: nothing more of it happens. */
	kill(execution: Execution): void {
		execution.killed = true;
		this.executions.delete(execution.id);
		this.#scheduler.drop(execution.id);
	}
}

const brief = (fields: object): string =>
	Object.entries(fields)
		.map(
			([name, value]) =>
				`${name}=${value instanceof Error ? `${value.name}(${value.message})` : JSON.stringify(value)}`,
		)
		.join(" ");

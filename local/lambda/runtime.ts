import { Worker } from "node:worker_threads";
import {
	type CrashPlan,
	execute,
	type FunctionDefinition,
	FunctionFailure,
	type Handler,
	loadHandler,
} from "./execute.ts";
import { watchRequests } from "./invocation.ts";
import type { WorkerAnswer, WorkerRequest } from "./worker.ts";

export interface RuntimeOptions {
	functions: FunctionDefinition[];
	/**
	 * `shared`: all functions in this process, with the variables of all. `apart`: each in a thread of its own with its own
	 * variables only, as in Lambda; slower to start.
	 */
	isolation: "shared" | "apart";
	/** Variables that every function gets, whatever its own say: region, keys, endpoints, settings. */
	commonEnv: Record<string, string>;
}

/** Runs the functions. */
export interface Runtime {
	/** @returns the function's result. Throws a {@link FunctionFailure}. */
	invoke(functionName: string, event: unknown): Promise<unknown>;
	/** Loads every function now; throws the first failure. */
	warm(): Promise<void>;
	setCrashPlan(plan: CrashPlan | undefined): void;
	/** How many invocations the plan has killed. */
	deaths(): number;
	/** Invocations so far, by function. */
	invocations(): Record<string, number>;
	stop(): Promise<void>;
}

interface Runner {
	ready(): Promise<unknown>;
	run(event: unknown, crash: CrashPlan | undefined): Promise<unknown>;
	stop(): Promise<void>;
}

const sharedRunner = (definition: FunctionDefinition): Runner => {
	let loading: Promise<Handler> | undefined;
	const ready = () => {
		loading ??= loadHandler(definition);
		return loading;
	};
	return {
		ready,
		run: async (event, crash) => execute(definition, await ready(), event, crash),
		stop: async () => {},
	};
};

const WORKER_MODULE = new URL("./worker.ts", import.meta.url);

const apartRunner = (definition: FunctionDefinition, commonEnv: Record<string, string>): Runner => {
	let worker: Worker | undefined;
	let lastId = 0;
	const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
	const start = (): Worker => {
		if (worker) return worker;
		const started = new Worker(WORKER_MODULE, {
			workerData: definition,
			env: { ...definition.env, ...commonEnv, AWS_LAMBDA_FUNCTION_NAME: definition.name },
			execArgv: [],
		});
		started.on("message", ({ id, result, failure }: WorkerAnswer) => {
			const call = waiting.get(id);
			waiting.delete(id);
			if (failure) call?.reject(new FunctionFailure(failure.kind, failure.message, failure.stack));
			else call?.resolve(result);
		});
		started.on("error", (error) => {
			for (const { reject } of waiting.values())
				reject(new FunctionFailure("thrown", `${definition.name}: ${error}`, error));
			waiting.clear();
			worker = undefined;
		});
		worker = started;
		return started;
	};
	return {
		ready: async () => start(),
		run: (event, crash) =>
			new Promise((resolve, reject) => {
				const id = ++lastId;
				waiting.set(id, { resolve, reject });
				start().postMessage({ id, event, ...(crash ? { crash } : {}) } satisfies WorkerRequest);
			}),
		stop: async () => {
			await worker?.terminate();
		},
	};
};

export const createRuntime = (options: RuntimeOptions): Runtime => {
	watchRequests();
	if (options.isolation === "shared") {
		Object.assign(process.env, ...options.functions.map((definition) => definition.env), options.commonEnv);
	}
	const runners = new Map(
		options.functions.map((definition) => [
			definition.name,
			options.isolation === "shared" ? sharedRunner(definition) : apartRunner(definition, options.commonEnv),
		]),
	);
	let crashPlan: CrashPlan | undefined;
	let deaths = 0;
	const invocations: Record<string, number> = {};
	const planFor = (functionName: string, event: unknown): CrashPlan | undefined => {
		if (crashPlan?.functionName !== functionName || deaths >= crashPlan.times) return undefined;
		if (crashPlan.eventContains && !JSON.stringify(event).includes(crashPlan.eventContains)) return undefined;
		return crashPlan;
	};
	return {
		invoke: async (functionName, event) => {
			const runner = runners.get(functionName);
			if (!runner) throw new FunctionFailure("load", `There is no function ${functionName}.`);
			invocations[functionName] = (invocations[functionName] ?? 0) + 1;
			try {
				return await runner.run(event, planFor(functionName, event));
			} catch (error) {
				if (error instanceof FunctionFailure && error.kind === "died") deaths++;
				throw error;
			}
		},
		warm: async () => {
			await Promise.all([...runners.values()].map((runner) => runner.ready()));
		},
		setCrashPlan: (plan) => {
			crashPlan = plan;
			deaths = 0;
		},
		deaths: () => deaths,
		invocations: () => ({ ...invocations }),
		stop: async () => {
			await Promise.all([...runners.values()].map((runner) => runner.stop()));
		},
	};
};

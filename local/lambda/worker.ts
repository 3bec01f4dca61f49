/** One function in a thread of its own, which sees no environment but the function's. */
import { parentPort, workerData } from "node:worker_threads";
import { type CrashPlan, execute, type FunctionDefinition, FunctionFailure, loadHandler } from "./execute.ts";

export interface WorkerRequest {
	id: number;
	event: unknown;
	crash?: CrashPlan;
}
export interface WorkerAnswer {
	id: number;
	result?: unknown;
	failure?: { kind: FunctionFailure["kind"]; message: string; stack?: string };
}

const definition = workerData as FunctionDefinition;
const loading = loadHandler(definition);
loading.catch(() => {});

parentPort?.on("message", async ({ id, event, crash }: WorkerRequest) => {
	const answer: WorkerAnswer = { id };
	try {
		answer.result = await execute(definition, await loading, event, crash);
	} catch (error) {
		const kind = error instanceof FunctionFailure ? error.kind : "thrown";
		const { message, stack } = ((error as Error).cause ?? error) as Error;
		answer.failure = { kind, message, ...(stack === undefined ? {} : { stack }) };
	}
	parentPort?.postMessage(answer);
});

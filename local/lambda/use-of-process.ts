import { type Logging, linesOfInvocation, ownLineBytes } from "../metering/lambda-log.ts";
import { emptyUse, type SourceUse } from "../metering/use.ts";
import type { FunctionDefinition } from "./execute.ts";

/** Counts what the functions of this process use. */
const sources: Record<string, SourceUse> = {};

const of = (source: string): SourceUse => {
	sources[source] ??= emptyUse();
	return sources[source];
};

/** Requests that belong to no invocation: those of the queues' pollers. */
export const PROCESS_SOURCE = "pollers";

export const countInvocation = (source: string, definition: FunctionDefinition, ms: number): void => {
	const use = of(source);
	use.invocations++;
	use.ms += ms;
	use.memoryMb = definition.memoryMb;
	const added = linesOfInvocation(definition.logging);
	use.logLines += added.lines;
	use.logBytes += added.bytes;
};

/** @param operation with its service, for example `SQS SendMessage` */
export const countRequest = (source: string, operation: string): void => {
	const { requests } = of(source);
	requests[operation] = (requests[operation] ?? 0) + 1;
};

/** One write of a function's code to its output: each line becomes an event of the log. */
export const countLog = (source: string, text: string, logging: Logging): void => {
	const use = of(source);
	const lines = text.split("\n").filter((line) => line !== "");
	use.logLines += lines.length;
	for (const line of lines) use.logBytes += ownLineBytes(line, logging);
};

export const useOfProcess = (): Record<string, SourceUse> => structuredClone(sources);

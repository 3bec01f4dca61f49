import { AsyncLocalStorage } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { Logging } from "../metering/lambda-log.ts";
import { SOURCE_HEADER } from "../metering/use.ts";
import { countLog, countRequest, PROCESS_SOURCE } from "./use-of-process.ts";

/** One execution of a function, as far as its requests to AWS go. */
export interface Invocation {
	functionName: string;
	/** As in local/metering/use.ts. */
	source: string;
	logging: Logging;
	requestId: string;
	/** Writes to AWS that it has begun. */
	writes: number;
	/** Set when it is to do nothing more: timed out, or killed by a crash plan. */
	dead: boolean;
	/** Whether it dies instead of making its next write; `writeNo` counts from 1. */
	diesBefore: (writeNo: number, operation: string) => boolean;
	/** Told when it dies by `diesBefore`. */
	onDeath: () => void;
}

const current = new AsyncLocalStorage<Invocation>();

/** Runs a function's code so that its requests are known to be its own. */
export const runAs = <T>(invocation: Invocation, run: () => T): T => current.run(invocation, run);

const WRITE_OPERATIONS = new Set([
	...["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"],
	...["SendMessage", "SendMessageBatch"],
]);
const WRITE_METHODS = new Set(["PUT", "DELETE"]);

/** The service and operation of an AWS request, and whether it writes. */
const describe = (request: ClientRequest): { service: string; operation: string; isWrite: boolean } => {
	const target = request.getHeader("x-amz-target");
	// S3 is the only one of the services that says it by method and path.
	if (typeof target !== "string") {
		return { service: "S3", operation: request.method, isWrite: WRITE_METHODS.has(request.method) };
	}
	const operation = target.slice(target.indexOf(".") + 1);
	const service = target.startsWith("DynamoDB_") ? "DynamoDB" : target.startsWith("AmazonSQS") ? "SQS" : target;
	return { service, operation, isWrite: WRITE_OPERATIONS.has(operation) };
};

const requests: Record<string, number> = {};
/** Requests of this process to AWS so far, repeats included, by service. */
export const requestCounts = (): Record<string, number> => ({ ...requests });

let watching = false;
/**
 * Watches the requests of this process. A dead invocation makes none any more, as the process of a Lambda that was
 * killed makes none: its code may run on here, but nothing it does reaches AWS.
 */
export const watchRequests = (): void => {
	if (watching) return;
	watching = true;
	const write = process.stdout.write.bind(process.stdout) as (...args: unknown[]) => boolean;
	process.stdout.write = (...args: unknown[]): boolean => {
		const invocation = current.getStore();
		if (invocation && typeof args[0] === "string") countLog(invocation.source, args[0], invocation.logging);
		return write(...args);
	};
	diagnostics.subscribe("http.client.request.created", (message) => {
		const { request } = message as { request: ClientRequest };
		const { service, operation, isWrite } = describe(request);
		requests[service] = (requests[service] ?? 0) + 1;
		const invocation = current.getStore();
		countRequest(invocation?.source ?? PROCESS_SOURCE, `${service} ${operation}`);
		if (!invocation) return;
		// DynamoDB's meter knows then whose units it counts.
		if (service === "DynamoDB") request.setHeader(SOURCE_HEADER, invocation.source);
		if (!invocation.dead && isWrite) {
			invocation.writes++;
			if (invocation.diesBefore(invocation.writes, operation)) {
				invocation.dead = true;
				invocation.onDeath();
			}
		}
		if (invocation.dead) request.destroy(new Error(`The function ${invocation.functionName} is dead.`));
	});
};

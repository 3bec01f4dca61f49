import { randomUUID } from "node:crypto";
import type { Logging } from "../metering/lambda-log.ts";
import { sourceOf } from "../metering/use.ts";
import { type Invocation, runAs, watchRequests } from "./invocation.ts";
import { countInvocation } from "./use-of-process.ts";

export type Handler = (event: unknown, context: unknown) => unknown;

/** A function as serverless.yml defines it. */
export interface FunctionDefinition {
	name: string;
	/** Path of the module and name of the export. */
	modulePath: string;
	exportName: string;
	timeoutSec: number;
	memoryMb: number;
	logging: Logging;
	/** Its own variables only. */
	env: Record<string, string>;
}

/** Why an invocation brought no result. */
export class FunctionFailure extends Error {
	override readonly name = "FunctionFailure";
	/** `thrown`: by the function's code; `timeout`; `died`: killed by a crash plan; `load`: the module could not be loaded. */
	readonly kind: "thrown" | "timeout" | "died" | "load";
	constructor(kind: FunctionFailure["kind"], message: string, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.kind = kind;
	}
}

/** The function dies before its nth write of any invocation that matches; for tests of crashes between two writes. */
export interface CrashPlan {
	functionName: string;
	/** 1: before the first write. */
	beforeWrite: number;
	/** Only invocations whose event, as JSON, contains this. */
	eventContains?: string;
	/** How many invocations die so. */
	times: number;
}

/** Runs one invocation of a handler in this process, with its time limit. */
export const execute = async (
	definition: FunctionDefinition,
	handler: Handler,
	event: unknown,
	crash?: CrashPlan,
): Promise<unknown> => {
	watchRequests();
	const requestId = randomUUID();
	const source = sourceOf(definition.name, event);
	const startedMs = performance.now();
	const deadline = Date.now() + definition.timeoutSec * 1000;
	let giveUp: (failure: FunctionFailure) => void = () => {};
	const givenUp = new Promise<never>((_, reject) => {
		giveUp = reject;
	});
	const invocation: Invocation = {
		functionName: definition.name,
		source,
		logging: definition.logging,
		requestId,
		writes: 0,
		dead: false,
		diesBefore: (writeNo) => crash !== undefined && writeNo >= crash.beforeWrite,
		onDeath: () =>
			giveUp(new FunctionFailure("died", `${definition.name} was killed before its write ${invocation.writes}.`)),
	};
	const timer = setTimeout(() => {
		invocation.dead = true;
		giveUp(new FunctionFailure("timeout", `${definition.name} timed out after ${definition.timeoutSec} s.`));
	}, definition.timeoutSec * 1000);
	const context = {
		awsRequestId: requestId,
		functionName: definition.name,
		functionVersion: "$LATEST",
		invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${definition.name}`,
		memoryLimitInMB: String(definition.memoryMb),
		logGroupName: `/aws/lambda/${definition.name}`,
		logStreamName: "local",
		callbackWaitsForEmptyEventLoop: false,
		getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
	};
	const run = async (): Promise<unknown> => {
		try {
			// The event is copied, as it would be by a real invocation.
			return await runAs(invocation, () => handler(structuredClone(event), context));
		} catch (error) {
			throw new FunctionFailure("thrown", `${definition.name} failed: ${(error as Error)?.message ?? error}`, error);
		}
	};
	const running = run();
	// The loser of the race is awaited by nobody.
	running.catch(() => {});
	try {
		return await Promise.race([running, givenUp]);
	} finally {
		clearTimeout(timer);
		countInvocation(source, definition, performance.now() - startedMs);
	}
};

/** Loads a function's module. */
export const loadHandler = async (definition: FunctionDefinition): Promise<Handler> => {
	let exported: unknown;
	try {
		const loaded = (await import(definition.modulePath)) as Record<string, unknown>;
		exported = loaded[definition.exportName];
	} catch (cause) {
		throw new FunctionFailure("load", `${definition.name}: ${definition.modulePath} cannot be loaded: ${cause}`, cause);
	}
	if (typeof exported !== "function") {
		throw new FunctionFailure(
			"load",
			`${definition.name}: ${definition.modulePath} exports no ${definition.exportName}.`,
		);
	}
	return exported as Handler;
};

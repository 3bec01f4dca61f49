import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Definitions } from "../aws/definitions.ts";
import type { ServerlessFile } from "../aws/serverless-file.ts";
import { TemplateError } from "../aws/template-error.ts";
import type { Logging } from "../metering/lambda-log.ts";
import type { FunctionDefinition } from "./execute.ts";

/** Lambda's and Serverless' own defaults, where serverless.yml says nothing. */
const DEFAULT_TIMEOUT_SEC = 6;
const DEFAULT_MEMORY_MB = 1024;
const DEFAULT_SQS_BATCH = 10;
/** SQS gives one poller at most this many at once; larger batches would need a batching window. */
const MAX_RECEIVE = 10;
/** Where serverless.yml names no maximum: what Lambda begins with. */
const DEFAULT_SQS_CONCURRENCY = 5;

export interface Route {
	/** `*` for all. */
	method: string;
	/** As in serverless.yml, for example `/v1/hosts/{hostId}`; `*` for all. */
	path: string;
	functionName: string;
}
export interface QueueMapping {
	queueName: string;
	queueArn: string;
	functionName: string;
	batchSize: number;
	maximumConcurrency: number;
	/** Whether the function's answer names the messages that failed. */
	partial: boolean;
}
export interface Schedule {
	functionName: string;
	everySec: number;
	input?: unknown;
}
export interface Triggers {
	routes: Route[];
	queues: QueueMapping[];
	schedules: Schedule[];
}

const RATE = /^rate\((\d+) (minute|hour|day)s?\)$/;
const UNIT_SEC: Record<string, number> = { minute: 60, hour: 3_600, day: 86_400 };

const scheduleOf = (functionName: string, value: unknown): Schedule => {
	const { rate, input } = (typeof value === "string" ? { rate: value } : value) as { rate: unknown; input?: unknown };
	const match = RATE.exec(String([rate].flat()[0]));
	if (!match)
		throw new TemplateError(`${functionName}: the local stack knows schedules like rate(1 minute), not ${rate}`);
	return {
		functionName,
		everySec: Number(match[1]) * (UNIT_SEC[match[2] ?? ""] ?? 0),
		...(input === undefined ? {} : { input }),
	};
};

const queueOf = (functionName: string, value: unknown): QueueMapping => {
	const options = (typeof value === "string" ? { arn: value } : value) as Record<string, unknown>;
	const known = ["arn", "batchSize", "maximumConcurrency", "functionResponseType", "enabled"];
	const strange = Object.keys(options).filter((key) => !known.includes(key));
	if (strange.length > 0) {
		throw new TemplateError(`${functionName}: the local stack does not know sqs.${strange.join(", sqs.")}`);
	}
	const batchSize = Number(options["batchSize"] ?? DEFAULT_SQS_BATCH);
	if (batchSize > MAX_RECEIVE)
		throw new TemplateError(`${functionName}: sqs.batchSize above ${MAX_RECEIVE} is not known here`);
	const queueArn = String(options["arn"]);
	return {
		queueName: queueArn.slice(queueArn.lastIndexOf(":") + 1),
		queueArn,
		functionName,
		batchSize,
		maximumConcurrency: Number(options["maximumConcurrency"] ?? DEFAULT_SQS_CONCURRENCY),
		partial: options["functionResponseType"] === "ReportBatchItemFailures",
	};
};

const routeOf = (functionName: string, value: unknown): Route => {
	if (value === "*") return { method: "*", path: "*", functionName };
	const [method = "", path = ""] =
		typeof value === "string"
			? value.trim().split(/\s+/)
			: [(value as Record<string, string>)["method"], (value as Record<string, string>)["path"]];
	return { method: method.toUpperCase(), path, functionName };
};

/** Lambda's defaults where nothing is said. */
const loggingOf = (logs: unknown): Logging => {
	const { logFormat = "Text", systemLogLevel = "INFO" } = (logs ?? {}) as Record<string, string | undefined>;
	return { format: logFormat as Logging["format"], systemLevel: systemLogLevel as Logging["systemLevel"] };
};

/** The functions of serverless.yml, and what starts them. */
export const readFunctions = (
	file: ServerlessFile,
	definitions: Definitions,
): { functions: FunctionDefinition[]; triggers: Triggers } => {
	const functions: FunctionDefinition[] = [];
	const triggers: Triggers = { routes: [], queues: [], schedules: [] };
	for (const [name, raw] of Object.entries(file.functions)) {
		const resolve = (value: unknown) => definitions.resolve(value, `functions.${name}`);
		const handler = String(raw["handler"]);
		const dot = handler.lastIndexOf(".");
		const base = join(file.root, handler.slice(0, dot));
		const path = [".ts", ".mjs", ".js"].map((ending) => base + ending).find((candidate) => existsSync(candidate));
		if (!path) throw new TemplateError(`functions.${name}: there is no ${base}.ts`);
		const env = resolve({
			...(file.provider["environment"] as object | undefined),
			...(raw["environment"] as object | undefined),
		}) as Record<string, unknown>;
		functions.push({
			name,
			modulePath: pathToFileURL(path).href,
			exportName: handler.slice(dot + 1),
			timeoutSec: Number(raw["timeout"] ?? file.provider["timeout"] ?? DEFAULT_TIMEOUT_SEC),
			memoryMb: Number(raw["memorySize"] ?? file.provider["memorySize"] ?? DEFAULT_MEMORY_MB),
			logging: loggingOf(raw["logs"] ?? (file.provider["logs"] as { lambda?: unknown } | undefined)?.lambda),
			env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)])),
		});
		for (const event of resolve(raw["events"] ?? []) as Record<string, unknown>[]) {
			const [kind = "", value] = Object.entries(event)[0] ?? [];
			if (kind === "httpApi") triggers.routes.push(routeOf(name, value));
			else if (kind === "sqs") triggers.queues.push(queueOf(name, value));
			else if (kind === "schedule") triggers.schedules.push(scheduleOf(name, value));
			else throw new TemplateError(`functions.${name}: the local stack does not know events of type ${kind}`);
		}
	}
	return { functions, triggers };
};

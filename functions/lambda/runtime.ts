import { dynamoDb } from "../../shared/aws/clients.ts";
import { tableNames } from "../../shared/config/resources.ts";
import { parseSettings } from "../../shared/config/settings.ts";
import type { ApiDeps } from "../../shared/contacts/ports.ts";
import { jsonLog } from "../../shared/log.ts";
import { s3Objects } from "./objects.ts";
import { sqsQueues } from "./queues.ts";

/** Gives a handler what it works with; called at every invocation, so it must be cheap after the first. */
export type Runtime = () => ApiDeps;

let built: ApiDeps | undefined;

/** The deployed runtime: built once per cold start from the environment. */
export const fromEnvironment: Runtime = () => {
	built ??= {
		db: dynamoDb(),
		tables: tableNames(process.env),
		now: Date.now,
		random: Math.random,
		log: jsonLog((line) => process.stdout.write(`${line}\n`), {
			function: process.env["AWS_LAMBDA_FUNCTION_NAME"] ?? "local",
		}),
		settings: parseSettings(process.env),
		queues: sqsQueues(process.env),
		objects: s3Objects(process.env),
	};
	return built;
};

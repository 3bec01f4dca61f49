import { ConfigError } from "./config-error.ts";

/** Environment variable of each table; serverless.yml gives a function only those it uses. */
export const TABLE_ENV = {
	campaigns: "TABLE_CAMPAIGNS",
	contacts: "TABLE_CONTACTS",
	hosts: "TABLE_HOSTS",
	grants: "TABLE_GRANTS",
	trunks: "TABLE_TRUNKS",
	tokens: "TABLE_TOKENS",
	idempotency: "TABLE_IDEMPOTENCY",
	fleet: "TABLE_FLEET",
	suppression: "TABLE_SUPPRESSION",
	callees: "TABLE_CALLEES",
	ledger: "TABLE_LEDGER",
} as const;
export type TableName = keyof typeof TABLE_ENV;

/** Environment variable of each queue's URL and of the bucket's name. */
export const QUEUE_ENV = {
	imports: "QUEUE_IMPORTS",
	sweeps: "QUEUE_SWEEPS",
	recovery: "QUEUE_RECOVERY",
	fleet: "QUEUE_FLEET",
} as const;
export type QueueName = keyof typeof QUEUE_ENV;
export const BUCKET_ENV = "BUCKET_UPLOADS";

/** Name of a resource that a function was given; asking for one that it was not given is a fault of the deployment. */
const required = (env: Record<string, string | undefined>, name: string): string => {
	const value = env[name];
	if (!value) throw new ConfigError([`${name}: is missing`]);
	return value;
};

/** Physical names by logical name, read when first used so that a function needs only its own. */
export const tableNames = (env: Record<string, string | undefined>): Record<TableName, string> => {
	const names = {} as Record<TableName, string>;
	for (const [key, variable] of Object.entries(TABLE_ENV)) {
		Object.defineProperty(names, key, { enumerable: true, get: () => required(env, variable) });
	}
	return names;
};
export const queueUrl = (env: Record<string, string | undefined>, queue: QueueName): string =>
	required(env, QUEUE_ENV[queue]);
export const bucketName = (env: Record<string, string | undefined>): string => required(env, BUCKET_ENV);

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DynamoFaults, FaultCounts } from "../faults/plan.ts";
import { NO_FAULTS } from "../faults/plan.ts";
import type { MeterTotals } from "../metering/write-units.ts";
import { type Child, startChild } from "../stack/child.ts";
import { type AwsClients, connect } from "./connect.ts";
import type { DynamoServerOptions } from "./dynamodb/server.ts";
import type { SqsS3Info, SqsS3Options } from "./sqs-s3-process.ts";

/** Region and keys of emulators: they check none. */
export const LOCAL_REGION = "us-east-1";
const LOCAL_KEY = "local";

type Env = Record<string, string | undefined>;

/** `--aws external` cannot work with what the environment says. Remedy: set what the message names. */
export class ExternalAwsError extends Error {
	override readonly name = "ExternalAwsError";
}

export interface AwsOptions {
	kind: "embedded" | "external";
	/** Folder of all data. */
	dir: string;
	/** Whether the data is meant to be found again by a later start. */
	keep: boolean;
	/** Where AWS_* variables of `external` come from. */
	env: Env;
	/** With `external`, asking for faults or for metering puts the layer before DynamoDB. */
	faults?: DynamoFaults;
	seed?: number;
	/** Counts what DynamoDB would charge. */
	meter?: boolean;
	onOutput: (text: string) => void;
}

/** AWS as the stack uses it. */
export interface Aws {
	region: string;
	sqsEndpoint: string;
	/** AWS_* variables for every process that uses it. */
	env: Record<string, string>;
	children: Child<unknown>[];
	clients: AwsClients;
	/** What the layer before DynamoDB injected; empty where there is none. */
	faultCounts(): Promise<FaultCounts>;
	setFaults(faults: DynamoFaults): Promise<void>;
	/** By table and operation, since the start; empty where nothing is metered. */
	meterTotals(): Promise<MeterTotals>;
	/** The same by the function and route that asked. */
	meterTotalsBySource(): Promise<Record<string, MeterTotals>>;
	stop(): Promise<void>;
}

const DYNAMO_MODULE = new URL("./dynamodb-process.ts", import.meta.url);
const SQS_S3_MODULE = new URL("./sqs-s3-process.ts", import.meta.url);

const startDynamo = (options: AwsOptions, more: Partial<DynamoServerOptions>) =>
	startChild<{ endpoint: string }>({
		name: "DynamoDB",
		module: DYNAMO_MODULE,
		options: {
			faults: options.faults ?? NO_FAULTS.dynamo,
			seed: options.seed ?? NO_FAULTS.seed,
			meter: options.meter ?? false,
			...more,
		} satisfies DynamoServerOptions,
		onOutput: options.onOutput,
	});

const assemble = (
	env: Record<string, string>,
	sqsEndpoint: string,
	children: Child<unknown>[],
	dynamo: Child<unknown> | undefined,
): Aws => {
	const clients = connect(env);
	return {
		region: env["AWS_REGION"] as string,
		sqsEndpoint,
		env,
		children,
		clients,
		meterTotals: async () => (dynamo ? dynamo.call<MeterTotals>("meterTotals") : {}),
		meterTotalsBySource: async () => (dynamo ? dynamo.call<Record<string, MeterTotals>>("meterTotalsBySource") : {}),
		faultCounts: async () => (dynamo ? dynamo.call<FaultCounts>("faultCounts") : {}),
		setFaults: async (faults) => {
			if (!dynamo) throw new ExternalAwsError("Faults need the layer before DynamoDB: start with faults.");
			await dynamo.call("setFaults", faults);
		},
		stop: async () => {
			for (const client of Object.values(clients)) client.destroy();
			await Promise.all(children.map((child) => child.stop()));
		},
	};
};

const startEmbedded = async (options: AwsOptions): Promise<Aws> => {
	const folder = (name: string): string => {
		const path = join(options.dir, name);
		mkdirSync(path, { recursive: true });
		return path;
	};
	const sqsS3Options: SqsS3Options = {
		region: LOCAL_REGION,
		s3Dir: folder("s3"),
		secret: LOCAL_KEY,
		...(options.keep ? { sqsPath: folder("sqs") } : {}),
	};
	const starting = [
		startDynamo(options, options.keep ? { path: folder("dynamodb") } : {}),
		startChild<SqsS3Info>({
			name: "SQS and S3",
			module: SQS_S3_MODULE,
			options: sqsS3Options,
			onOutput: options.onOutput,
		}),
	] as const;
	const settled = await Promise.allSettled(starting);
	const failed = settled.find((result) => result.status === "rejected");
	if (failed) {
		await Promise.all(settled.map((result) => (result.status === "fulfilled" ? result.value.stop() : undefined)));
		throw failed.reason;
	}
	const [dynamo, sqsS3] = await Promise.all(starting);
	const env = {
		AWS_REGION: LOCAL_REGION,
		AWS_ACCESS_KEY_ID: LOCAL_KEY,
		AWS_SECRET_ACCESS_KEY: LOCAL_KEY,
		AWS_ENDPOINT_URL_DYNAMODB: dynamo.info.endpoint,
		AWS_ENDPOINT_URL_SQS: sqsS3.info.sqsEndpoint,
		AWS_ENDPOINT_URL_S3: sqsS3.info.s3Endpoint,
		// Nothing of the user's own AWS configuration may be used by mistake.
		AWS_CONFIG_FILE: "/dev/null",
		AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
		AWS_EC2_METADATA_DISABLED: "true",
	};
	return assemble(env, sqsS3.info.sqsEndpoint, [dynamo, sqsS3], dynamo);
};

const startExternal = async (options: AwsOptions): Promise<Aws> => {
	const env: Record<string, string> = {};
	for (const [name, value] of Object.entries(options.env)) {
		if (name.startsWith("AWS_") && value) env[name] = value;
	}
	const endpoint = (service: string): string => {
		const url = env[`AWS_ENDPOINT_URL_${service}`] || env["AWS_ENDPOINT_URL"];
		if (url && URL.canParse(url)) return url.replace(/\/+$/, "");
		throw new ExternalAwsError(
			`--aws external: set AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_${service}, to the address of the service${url ? ` ("${url}" is none)` : ""}.`,
		);
	};
	const [dynamoEndpoint, sqsEndpoint] = [endpoint("DYNAMODB"), endpoint("SQS")];
	endpoint("S3");
	env["AWS_REGION"] ??= env["AWS_DEFAULT_REGION"] ?? LOCAL_REGION;
	if (!env["AWS_ACCESS_KEY_ID"] && !env["AWS_PROFILE"]) {
		env["AWS_ACCESS_KEY_ID"] = LOCAL_KEY;
		env["AWS_SECRET_ACCESS_KEY"] = LOCAL_KEY;
	}
	if (!options.faults && !options.meter) return assemble(env, sqsEndpoint, [], undefined);
	const dynamo = await startDynamo(options, { external: dynamoEndpoint });
	return assemble({ ...env, AWS_ENDPOINT_URL_DYNAMODB: dynamo.info.endpoint }, sqsEndpoint, [dynamo], dynamo);
};

/** Emulated AWS in processes of its own, or what AWS_ENDPOINT_URL* name. */
export const startAws = (options: AwsOptions): Promise<Aws> =>
	options.kind === "external" ? startExternal(options) : startEmbedded(options);

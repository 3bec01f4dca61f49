import {
	CreateTableCommand,
	DescribeTableCommand,
	type DynamoDBClient,
	ResourceInUseException,
	UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { BucketAlreadyExists, BucketAlreadyOwnedByYou, CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, QueueNameExists, SetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Log } from "../../shared/log.ts";
import type { AwsClients } from "./connect.ts";
import type { BucketDefinition, Definitions, QueueDefinition, TableDefinition } from "./definitions.ts";

/** Between two looks at a table that is being made. */
const TABLE_POLL_MS = 50;
/** Emulators take milliseconds, AWS some ten seconds. */
const TABLE_TIMEOUT_MS = 120_000;

const createTable = async (dynamo: DynamoDBClient, table: TableDefinition, log: Log): Promise<void> => {
	try {
		await dynamo.send(new CreateTableCommand(table.create));
	} catch (error) {
		if (!(error instanceof ResourceInUseException)) throw error;
	}
	const name = table.create.TableName;
	const until = Date.now() + TABLE_TIMEOUT_MS;
	for (;;) {
		const { Table: found } = await dynamo.send(new DescribeTableCommand({ TableName: name }));
		const indexes = found?.GlobalSecondaryIndexes ?? [];
		if (found?.TableStatus === "ACTIVE" && indexes.every((index) => index.IndexStatus === "ACTIVE")) break;
		if (Date.now() > until)
			throw new Error(`The table ${name} is still ${found?.TableStatus} after ${TABLE_TIMEOUT_MS} ms.`);
		await new Promise((resolve) => setTimeout(resolve, TABLE_POLL_MS));
	}
	if (!table.ttl) return;
	try {
		await dynamo.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification: table.ttl }));
	} catch (error) {
		// Emulators without expiry say that they do not know the operation; AWS refuses what is already so.
		const known = ["UnknownOperationException", "ValidationException"].includes((error as Error).name);
		if (!known) throw error;
		log.info("table.noExpiry", { table: name, reason: (error as Error).name });
	}
};

const createQueue = async (sqs: SQSClient, queue: QueueDefinition): Promise<string> => {
	try {
		const made = await sqs.send(new CreateQueueCommand({ QueueName: queue.name, Attributes: queue.attributes }));
		return String(made.QueueUrl);
	} catch (error) {
		if (!(error instanceof QueueNameExists)) throw error;
	}
	// It exists with other attributes: those of the definition rule.
	const made = await sqs.send(new CreateQueueCommand({ QueueName: queue.name }));
	await sqs.send(new SetQueueAttributesCommand({ QueueUrl: made.QueueUrl, Attributes: queue.attributes }));
	return String(made.QueueUrl);
};

const createBucket = async (s3: S3Client, bucket: BucketDefinition): Promise<void> => {
	try {
		await s3.send(new CreateBucketCommand({ Bucket: bucket.name }));
	} catch (error) {
		if (!(error instanceof BucketAlreadyOwnedByYou || error instanceof BucketAlreadyExists)) throw error;
	}
};

/**
 * Creates every table, queue and bucket of the definitions where they are not there yet.
 * @returns the queues' URLs by name, as the service gives them
 */
export const createResources = async (
	clients: AwsClients,
	definitions: Definitions,
	log: Log,
): Promise<Record<string, string>> => {
	const urls: Record<string, string> = {};
	const queues = async () => {
		// One after the other: a queue comes after its dead-letter queue.
		for (const queue of definitions.queues) urls[queue.name] = await createQueue(clients.sqs, queue);
	};
	await Promise.all([
		...definitions.tables.map((table) => createTable(clients.dynamo, table, log)),
		queues(),
		...definitions.buckets.map((bucket) => createBucket(clients.s3, bucket)),
	]);
	return urls;
};

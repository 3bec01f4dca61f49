import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client, type EC2ClientConfig } from "@aws-sdk/client-ec2";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/**
 * The AWS clients, one of each per process so that connections are reused between invocations. All honour
 * AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>, which the SDK reads by itself, at first use.
 */

/** A connection within a region takes milliseconds; one that takes a second will not come. */
const CONNECT_TIMEOUT_MS = 1_000;
/** DynamoDB answers within tens of milliseconds; after this the attempt is given up and made again. */
const DYNAMODB_TIMEOUT_MS = 3_000;
/** Sending a batch; nothing here polls. */
const SQS_TIMEOUT_MS = 5_000;
/** To the first byte and through one whole small object; streams of large ones are bounded by the function's own timeout. */
const S3_IDLE_TIMEOUT_MS = 20_000;
/** A launch of many instances takes EC2 some seconds. */
const EC2_TIMEOUT_MS = 10_000;
/** The first and three repeats with jittered back-off: bridges a throttled partition, and leaves time to answer 503. */
const MAX_ATTEMPTS = 4;
/** Parallel requests of one process: an import's puts; the SDK's own default. */
const MAX_SOCKETS = 50;

const requestHandler = (requestTimeoutMs: number) => ({
	connectionTimeout: CONNECT_TIMEOUT_MS,
	requestTimeout: requestTimeoutMs,
	throwOnRequestTimeout: true,
	httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
	httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
});

let dynamo: DynamoDBDocumentClient | undefined;
/** The process's DynamoDB document client. */
export const dynamoDb = (): DynamoDBDocumentClient => {
	dynamo ??= DynamoDBDocumentClient.from(
		new DynamoDBClient({ maxAttempts: MAX_ATTEMPTS, requestHandler: requestHandler(DYNAMODB_TIMEOUT_MS) }),
		{ marshallOptions: { removeUndefinedValues: true } },
	);
	return dynamo;
};

let sqs: SQSClient | undefined;
/** The process's SQS client. Requests go to the configured endpoint, not to the host named in a queue's URL. */
export const sqsClient = (): SQSClient => {
	sqs ??= new SQSClient({
		maxAttempts: MAX_ATTEMPTS,
		useQueueUrlAsEndpoint: false,
		requestHandler: requestHandler(SQS_TIMEOUT_MS),
	});
	return sqs;
};

let s3: S3Client | undefined;
/** The process's S3 client. At a custom endpoint the bucket is in the path: no host name is made up for it. */
export const s3Client = (env: Record<string, string | undefined> = process.env): S3Client => {
	const custom = Boolean(env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"]);
	s3 ??= new S3Client({
		maxAttempts: MAX_ATTEMPTS,
		forcePathStyle: custom,
		requestHandler: {
			...requestHandler(0),
			// A stream may take as long as it flows: only silence is a failure.
			socketTimeout: S3_IDLE_TIMEOUT_MS,
		},
	});
	return s3;
};

/**
 * A request without any answer is repeated once, at once: all that we ask of EC2 can be repeated, and a connection kept alive through
 * a pause of the function is often dead. What EC2 refuses is not repeated here: the fleet knows what each refusal means and when to ask again.
 */
const repeatUnanswered = {
	acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
	refreshRetryTokenForRetry: async (token, { error }) => {
		if (error?.$metadata?.httpStatusCode !== undefined || token.getRetryCount() >= 1) throw error;
		return { getRetryCount: () => 1, getRetryDelay: () => 0 };
	},
	recordSuccess: () => undefined,
} satisfies EC2ClientConfig["retryStrategy"];

let ec2: EC2Client | undefined;
/** The process's EC2 client. */
export const ec2Client = (): EC2Client => {
	ec2 ??= new EC2Client({ retryStrategy: repeatUnanswered, requestHandler: requestHandler(EC2_TIMEOUT_MS) });
	return ec2;
};

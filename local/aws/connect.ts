import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";

export interface AwsClients {
	dynamo: DynamoDBClient;
	sqs: SQSClient;
	s3: S3Client;
}

/** Clients of the stack's own, by the AWS_* variables of `env` rather than of this process. */
export const connect = (env: Record<string, string>): AwsClients => {
	const common = {
		region: env["AWS_REGION"] as string,
		...(env["AWS_ACCESS_KEY_ID"]
			? {
					credentials: {
						accessKeyId: env["AWS_ACCESS_KEY_ID"],
						secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
						...(env["AWS_SESSION_TOKEN"] ? { sessionToken: env["AWS_SESSION_TOKEN"] } : {}),
					},
				}
			: {}),
	};
	const endpoint = (service: string) => {
		const url = env[`AWS_ENDPOINT_URL_${service}`] || env["AWS_ENDPOINT_URL"];
		return url ? { endpoint: url } : {};
	};
	return {
		dynamo: new DynamoDBClient({ ...common, ...endpoint("DYNAMODB") }),
		sqs: new SQSClient({ ...common, ...endpoint("SQS"), useQueueUrlAsEndpoint: false }),
		s3: new S3Client({ ...common, ...endpoint("S3"), forcePathStyle: "endpoint" in endpoint("S3") }),
	};
};

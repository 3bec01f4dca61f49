import type { SQSRecord } from "aws-lambda";
import type { Ec2Instance } from "../../../shared/fleet/ec2.ts";

/** A message of the fleet's queue as Lambda gets it. */
export const fleetRecord = (messageId: string, body: Record<string, unknown>, sentMs: number): SQSRecord => ({
	messageId,
	receiptHandle: messageId,
	body: JSON.stringify(body),
	attributes: {
		ApproximateReceiveCount: "1",
		SentTimestamp: String(sentMs),
		SenderId: "AIDAEXAMPLE",
		ApproximateFirstReceiveTimestamp: String(sentMs),
	},
	messageAttributes: {},
	md5OfBody: "",
	eventSource: "aws:sqs",
	eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:fleet",
	awsRegion: "us-east-1",
});

/** What EventBridge says of an instance's state; `time` to the second, as it has it. */
export const stateChange = ({ instanceId, state, account }: Ec2Instance, at: number): Record<string, unknown> => ({
	version: "0",
	id: `${instanceId}-${state}-${at}`,
	"detail-type": "EC2 Instance State-change Notification",
	source: "aws.ec2",
	account,
	time: `${new Date(at).toISOString().slice(0, 19)}Z`,
	region: "us-east-1",
	resources: [`arn:aws:ec2:us-east-1:${account}:instance/${instanceId}`],
	detail: { "instance-id": instanceId, state },
});

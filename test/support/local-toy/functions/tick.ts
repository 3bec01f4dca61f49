import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { sqsClient } from "../../../../shared/aws/clients.ts";
import { note } from "./things.ts";

export const handler = async (event: { "detail-type"?: string }) => {
	await note("tick", { type: event["detail-type"] });
	await sqsClient().send(new SendMessageCommand({ QueueUrl: process.env["QUEUE_WORK"], MessageBody: "from the tick" }));
};

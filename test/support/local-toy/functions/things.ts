import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { dynamoDb } from "../../../../shared/aws/clients.ts";

/** Counts in the table that something happened, and remembers what. */
export const note = async (id: string, what: Record<string, unknown> = {}): Promise<void> => {
	await dynamoDb().send(
		new UpdateCommand({
			TableName: process.env["TABLE_THINGS"],
			Key: { id },
			UpdateExpression: "ADD #n :one SET #what = :what, #group = :group, #at = :at",
			ExpressionAttributeNames: { "#n": "n", "#what": "what", "#group": "group", "#at": "at" },
			ExpressionAttributeValues: { ":one": 1, ":what": what, ":group": "notes", ":at": Date.now() },
		}),
	);
};

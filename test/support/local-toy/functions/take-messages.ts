import { note } from "./things.ts";

interface Record {
	messageId: string;
	body: string;
	attributes: { ApproximateReceiveCount: string };
}

/** Messages that say so fail, the others of their batch do not. */
export const handler = async (event: { Records: Record[] }) => {
	const batchItemFailures: { itemIdentifier: string }[] = [];
	for (const { messageId, body, attributes } of event.Records) {
		await note(`message ${body}`, { receives: attributes.ApproximateReceiveCount, batch: event.Records.length });
		if (body.startsWith("fail")) batchItemFailures.push({ itemIdentifier: messageId });
	}
	return { batchItemFailures };
};

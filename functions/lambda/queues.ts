import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { sqsClient } from "../../shared/aws/clients.ts";
import { queueUrl } from "../../shared/config/resources.ts";
import type { Queues } from "../../shared/contacts/ports.ts";

/** Most messages of one SendMessageBatch. */
const BATCH = 10;
/** Batches on their way at once. */
const PARALLEL = 5;

/** SQS could not take messages; the caller's own repetition sends them again. */
export class QueueError extends Error {
	override readonly name = "QueueError";
}

/** The queues named in the environment. */
export const sqsQueues = (env: Record<string, string | undefined>): Queues => ({
	async send(queue, messages) {
		const url = queueUrl(env, queue);
		const batches = Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, i) =>
			messages.slice(i * BATCH, (i + 1) * BATCH),
		);
		for (let i = 0; i < batches.length; i += PARALLEL) {
			const answers = await Promise.all(
				batches.slice(i, i + PARALLEL).map((batch) =>
					sqsClient().send(
						new SendMessageBatchCommand({
							QueueUrl: url,
							Entries: batch.map((message, n) => ({
								Id: String(n),
								MessageBody: JSON.stringify(message.body),
								...(message.delaySec ? { DelaySeconds: message.delaySec } : {}),
							})),
						}),
					),
				),
			);
			const failed = answers.flatMap((answer) => answer.Failed ?? []);
			if (failed.length > 0) {
				throw new QueueError(
					`${failed.length} message(s) to ${queue} were refused: ${failed[0]?.Code} ${failed[0]?.Message}`,
				);
			}
		}
	},
});

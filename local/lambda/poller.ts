import { setTimeout as sleep } from "node:timers/promises";
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Log } from "../../shared/log.ts";
import type { FaultyMessages } from "../faults/messages.ts";
import type { QueueMapping } from "./functions.ts";
import type { Runtime } from "./runtime.ts";

/** SQS waits so long for a message; an idle queue costs one request in this time. */
const LONG_POLL_SEC = 20;
/** After a failed receive, so that a queue that is away is not asked in a tight loop. */
const AFTER_ERROR_MS = 1_000;

const record = (mapping: QueueMapping, region: string, message: Message) => ({
	messageId: message.MessageId,
	receiptHandle: message.ReceiptHandle,
	body: message.Body,
	attributes: message.Attributes ?? {},
	messageAttributes: message.MessageAttributes ?? {},
	md5OfBody: message.MD5OfBody,
	eventSource: "aws:sqs",
	eventSourceARN: mapping.queueArn,
	awsRegion: region,
});

/** Which messages were handled, by Lambda's rules for partial batch responses. */
export const handledOf = (mapping: Pick<QueueMapping, "partial">, messages: Message[], result: unknown): Message[] => {
	if (!mapping.partial || result === null || result === undefined) return messages;
	const failures = (result as { batchItemFailures?: { itemIdentifier?: unknown }[] | null }).batchItemFailures ?? [];
	const failed = failures.map(({ itemIdentifier }) => itemIdentifier);
	// An answer that names a message that was not in the batch cannot be trusted: all are taken as failed.
	if (failed.some((id) => !messages.some((message) => message.MessageId === id))) return [];
	return messages.filter((message) => !failed.includes(message.MessageId));
};

export interface Poller {
	stop(): Promise<void>;
}

/** An event source mapping: takes messages from a queue, gives them to a function, deletes what was handled. */
export const startPoller = (options: {
	mapping: QueueMapping;
	queueUrl: string;
	region: string;
	sqs: SQSClient;
	runtime: Runtime;
	faults: FaultyMessages;
	log: Log;
}): Poller => {
	const { mapping, queueUrl: QueueUrl, sqs, runtime, faults, log } = options;
	const stopping = new AbortController();
	const running = new Set<Promise<void>>();

	const invoke = (messages: Message[]): Promise<unknown> =>
		runtime.invoke(mapping.functionName, {
			Records: messages.map((message) => record(mapping, options.region, message)),
		});

	const deliver = async (messages: Message[], afterMs: number): Promise<void> => {
		try {
			// A held message that is not delivered because all ends comes again after its visibility timeout.
			if (afterMs > 0) await sleep(afterMs, undefined, { signal: stopping.signal });
			const handled = handledOf(mapping, messages, await invoke(messages));
			if (handled.length === 0) return;
			const Entries = handled.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
			await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
		} catch (error) {
			if (!stopping.signal.aborted) log.error("queue.deliveryFailed", { queue: mapping.queueName, error });
		}
	};
	const repeat = async (message: Message, afterMs: number): Promise<void> => {
		try {
			await sleep(afterMs, undefined, { signal: stopping.signal });
			await invoke([message]);
		} catch (error) {
			if (!stopping.signal.aborted) log.error("queue.duplicateFailed", { queue: mapping.queueName, error });
		}
	};
	const track = (work: Promise<void>): void => {
		running.add(work);
		work.finally(() => running.delete(work));
	};
	const take = (messages: Message[]): void => {
		const now: Message[] = [];
		for (const message of messages) {
			const [first = 0, ...again] = faults.deliveries();
			if (first === 0) now.push(message);
			else track(deliver([message], first));
			for (const afterMs of again) track(repeat(message, afterMs));
		}
		if (now.length > 0) track(deliver(now, 0));
	};

	const poll = async (): Promise<void> => {
		while (!stopping.signal.aborted) {
			if (running.size >= mapping.maximumConcurrency) {
				await Promise.race(running);
				continue;
			}
			try {
				const received = await sqs.send(
					new ReceiveMessageCommand({
						QueueUrl,
						MaxNumberOfMessages: mapping.batchSize,
						WaitTimeSeconds: LONG_POLL_SEC,
						MessageSystemAttributeNames: ["All"],
						MessageAttributeNames: ["All"],
					}),
					{ abortSignal: stopping.signal },
				);
				take(received.Messages ?? []);
			} catch (error) {
				if (stopping.signal.aborted) return;
				log.error("queue.receiveFailed", { queue: mapping.queueName, error });
				await sleep(AFTER_ERROR_MS, undefined, { signal: stopping.signal }).catch(() => {});
			}
		}
	};
	const polling = poll();
	return {
		stop: async () => {
			stopping.abort();
			await polling;
			await Promise.all(running);
		},
	};
};

import { randomUUID } from "node:crypto";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type EventRule, matchesEvent } from "./event-rules.ts";

/** An event of an AWS service, without what EventBridge adds. */
export interface ServiceEvent {
	source: string;
	detailType: string;
	/** ms since 1970. */
	at: number;
	resources: string[];
	detail: Record<string, unknown>;
}

/** EventBridge's default bus: events of services go to the queues of the rules that match. */
export interface EventBus {
	/** Rejects where a queue cannot take the event. */
	put(event: ServiceEvent): Promise<void>;
}

export const startEventBus = (options: {
	rules: readonly EventRule[];
	queueUrl: (name: string) => string;
	sqs: SQSClient;
	account: string;
	region: string;
}): EventBus => ({
	put: async ({ source, detailType, at, resources, detail }) => {
		const event = {
			version: "0",
			id: randomUUID(),
			"detail-type": detailType,
			source,
			account: options.account,
			// EventBridge tells whole seconds.
			time: new Date(at).toISOString().replace(/\.\d+Z$/, "Z"),
			region: options.region,
			resources,
			detail,
		};
		const queues = options.rules.filter(({ pattern }) => matchesEvent(pattern, event)).flatMap((rule) => rule.queues);
		const MessageBody = JSON.stringify(event);
		await Promise.all(
			queues.map((name) => options.sqs.send(new SendMessageCommand({ QueueUrl: options.queueUrl(name), MessageBody }))),
		);
	},
});

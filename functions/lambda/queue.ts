import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { ApiDeps } from "../../shared/contacts/ports.ts";
import { fromEnvironment, type Runtime } from "./runtime.ts";

/** Time kept for the answer and the log after a handler's own deadline, ms. */
const MARGIN_MS = 5_000;
/** Where no Lambda says how long it may run. */
const DEFAULT_BUDGET_MS = 45_000;

/** What a handler of messages is given beside the message. */
export interface Work {
	deps: ApiDeps;
	/** By the clock of `deps`, ms since 1970: work that is not done by then is left to a later message. */
	deadline: number;
}

/**
 * The Lambda handler of a queue: every message on its own; a failed one is reported, so that it alone comes again.
 * @param run must be repeatable: a message can come twice
 */
export const queueFunction =
	(name: string, run: (body: unknown, work: Work) => Promise<void>, runtime: Runtime = fromEnvironment) =>
	async (event: SQSEvent, context?: Context): Promise<SQSBatchResponse> => {
		const deps = runtime();
		const startedAt = deps.now();
		const remaining = context?.getRemainingTimeInMillis?.() ?? DEFAULT_BUDGET_MS + MARGIN_MS;
		const deadline = startedAt + Math.max(0, remaining - MARGIN_MS);
		const failed: string[] = [];
		for (const record of event.Records) {
			try {
				await run(JSON.parse(record.body), { deps, deadline });
			} catch (error) {
				deps.log.error(`${name}.failed`, {
					messageId: record.messageId,
					received: record.attributes.ApproximateReceiveCount,
					error,
				});
				failed.push(record.messageId);
			}
		}
		deps.log.info(name, { messages: event.Records.length, failed: failed.length, ms: deps.now() - startedAt });
		return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
	};

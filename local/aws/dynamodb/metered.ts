import { SOURCE_HEADER } from "../../metering/use.ts";
import type { Meter } from "../../metering/write-units.ts";
import type { DynamoAnswer, DynamoRequest, Upstream } from "./upstream.ts";

/** Operations whose answers say what they used, if asked. */
const DATA_OPERATIONS = new Set([
	...["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"],
]);

/** Observes what really reaches the service: repeats included, refusals by the fault layer not. */
export const metered = (upstream: Upstream, meter: Meter): Upstream => ({
	send: async (request: DynamoRequest): Promise<DynamoAnswer> => {
		const input = JSON.parse(request.body || "{}");
		const asks = DATA_OPERATIONS.has(request.operation);
		const answer = await upstream.send(
			asks ? { ...request, body: JSON.stringify({ ...input, ReturnConsumedCapacity: "INDEXES" }) } : request,
		);
		const output = answer.body === "" ? {} : JSON.parse(answer.body);
		const refused = String(output.__type).endsWith("#ConditionalCheckFailedException");
		// A table that was there before is learnt too, from the attempt to create it again.
		const stands = request.operation === "CreateTable" && String(output.__type).endsWith("#ResourceInUseException");
		const source = request.headers[SOURCE_HEADER];
		const seen = answer.status === 200 || stands ? output : undefined;
		meter.observe(request.operation, input, seen, refused, typeof source === "string" ? source : undefined);
		return answer;
	},
	close: () => upstream.close(),
});

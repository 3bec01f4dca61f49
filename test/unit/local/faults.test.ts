import { describe, expect, test } from "@jest/globals";
import type { DynamoAnswer, DynamoRequest, Upstream } from "../../../local/aws/dynamodb/upstream.ts";
import { FaultyApi } from "../../../local/faults/api.ts";
import { FaultyDynamo } from "../../../local/faults/dynamodb.ts";
import { FaultyMessages } from "../../../local/faults/messages.ts";
import { type DynamoFaults, mergeFaults, NO_FAULTS } from "../../../local/faults/plan.ts";
import { seededRandom } from "../../../local/faults/random.ts";
import type { HttpAnswer, HttpEvent } from "../../../local/lambda/http-event.ts";

const always = () => 0;

describe("the random sequence", () => {
	test("is the same for the same seed, another for another, and evenly spread", () => {
		const take = (seed: number) => Array.from({ length: 1_000 }, seededRandom(seed));
		expect(take(7)).toEqual(take(7));
		expect(take(7)).not.toEqual(take(8));
		const values = take(7);
		expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
		expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
	});
});

describe("before DynamoDB", () => {
	const layer = (faults: Partial<DynamoFaults>, output: unknown = {}) => {
		const done: DynamoRequest[] = [];
		const upstream: Upstream = {
			send: async (request): Promise<DynamoAnswer> => {
				done.push(request);
				return { status: 200, headers: { "x-amz-crc32": "1" }, body: JSON.stringify(output) };
			},
			close: async () => {},
		};
		const noCopy = () => Promise.reject(new Error("no copy is wanted"));
		return { done, dynamo: new FaultyDynamo(upstream, { ...NO_FAULTS.dynamo, ...faults }, always, noCopy) };
	};
	const request = (operation: string, input: unknown = { TableName: "t" }): DynamoRequest => ({
		operation,
		headers: {},
		body: JSON.stringify(input),
	});

	test("nothing is changed without faults", async () => {
		const { dynamo, done } = layer({});
		expect(await dynamo.send(request("PutItem"))).toMatchObject({ kind: "answer", answer: { status: 200 } });
		expect(done).toHaveLength(1);
	});

	test("a throttled request is not done", async () => {
		const { dynamo, done } = layer({ throttleRate: 1 });
		const delivered = await dynamo.send(request("GetItem"));
		expect(delivered).toMatchObject({ kind: "answer", answer: { status: 400 } });
		expect(JSON.stringify(delivered)).toContain("ProvisionedThroughputExceededException");
		expect(done).toHaveLength(0);
		expect(dynamo.counts).toMatchObject({ throttled: 1 });
	});

	test.each([
		["cutAfterWriteRate", "cut", "cutAfterWrite"],
		["hangAfterWriteRate", "hang", "hungAfterWrite"],
	] as const)("%s: the write is done, the answer does not come", async (rate, kind, count) => {
		const { dynamo, done } = layer({ [rate]: 1 });
		expect(await dynamo.send(request("UpdateItem"))).toEqual({ kind });
		expect(done).toHaveLength(1);
		expect(dynamo.counts).toMatchObject({ [count]: 1 });
		// Reads are not touched: their repeat changes nothing.
		expect(await dynamo.send(request("GetItem"))).toMatchObject({ kind: "answer" });
	});

	test("operations on tables are never touched", async () => {
		const { dynamo } = layer({ throttleRate: 1, cutAfterWriteRate: 1 });
		expect(await dynamo.send(request("CreateTable"))).toMatchObject({ kind: "answer", answer: { status: 200 } });
	});

	test("a batch is done in part, and what is missing comes back", async () => {
		const { dynamo, done } = layer({ unprocessedRate: 1 }, { Responses: { t: [] }, UnprocessedKeys: {} });
		const Keys = [{ id: { S: "1" } }, { id: { S: "2" } }, { id: { S: "3" } }];
		const delivered = await dynamo.send(
			request("BatchGetItem", { RequestItems: { t: { Keys, ConsistentRead: true } } }),
		);
		expect(JSON.parse(done[0]?.body ?? "")).toEqual({
			RequestItems: { t: { Keys: Keys.slice(0, 2), ConsistentRead: true } },
		});
		const answer = delivered.kind === "answer" ? delivered.answer : undefined;
		expect(JSON.parse(answer?.body ?? "")).toEqual({
			Responses: { t: [] },
			UnprocessedKeys: { t: { Keys: Keys.slice(2), ConsistentRead: true } },
		});
		expect(answer?.headers).toEqual({});
	});

	test("a batch of one is done whole: otherwise it would never end", async () => {
		const { dynamo, done } = layer({ unprocessedRate: 1 });
		const input = { RequestItems: { t: [{ PutRequest: { Item: {} } }] } };
		await dynamo.send(request("BatchWriteItem", input));
		expect(JSON.parse(done[0]?.body ?? "")).toEqual(input);
		expect(dynamo.counts).toMatchObject({ unprocessed: 0 });
	});
});

describe("before the functions", () => {
	const sync = (seq: number) =>
		({
			routeKey: "POST /v1/hosts/{hostId}/sync",
			pathParameters: { hostId: "h" },
			body: JSON.stringify({ seq }),
			requestContext: { http: { method: "POST" } },
		}) as unknown as HttpEvent;
	const answer: HttpAnswer = { status: 200, headers: {}, body: Buffer.from("{}") };
	const run = async (faults: object, events: HttpEvent[]) => {
		const executed: string[] = [];
		const api = new FaultyApi({ ...NO_FAULTS.api, ...faults }, always);
		const delivered = [];
		for (const event of events) {
			delivered.push(
				await api.handle(event, async ({ body }) => {
					executed.push(body ?? "");
					return answer;
				}),
			);
		}
		return { executed: executed.map((body) => JSON.parse(body).seq), delivered, counts: api.counts };
	};

	test("a sync is executed twice at once", async () => {
		const { executed, delivered, counts } = await run({ twinRate: 1 }, [sync(1)]);
		expect(executed).toEqual([1, 1]);
		expect(delivered).toEqual([answer]);
		expect(counts).toMatchObject({ twins: 1 });
	});

	test("an older seq comes after a newer one", async () => {
		const { executed, counts } = await run({ olderSeqRate: 1 }, [sync(1), sync(2), sync(3)]);
		expect(executed).toEqual([1, 2, 1, 3, 2]);
		expect(counts).toMatchObject({ olderSeqs: 2 });
	});

	test("an answer is lost after the work was done; a reader's never", async () => {
		const { executed, delivered } = await run({ lostAnswerRate: 1 }, [sync(1)]);
		expect(executed).toEqual([1]);
		expect(delivered).toEqual(["cut"]);
		const read = {
			...sync(1),
			routeKey: "GET /x",
			requestContext: { http: { method: "GET" } },
		} as unknown as HttpEvent;
		expect((await run({ lostAnswerRate: 1 }, [read])).delivered).toEqual([answer]);
	});

	test("a refused request is not executed", async () => {
		const { executed, delivered } = await run({ refuseRate: 1 }, [sync(1)]);
		expect(executed).toEqual([]);
		expect(delivered).toMatchObject([{ status: 503 }]);
	});
});

describe("between queues and functions", () => {
	test("messages are repeated and held back as planned", () => {
		const half = () => 0.5;
		const messages = (changes: object) =>
			new FaultyMessages({ ...NO_FAULTS.messages, maxDelayMs: 1_000, ...changes }, half).deliveries();
		expect(messages({})).toEqual([0]);
		expect(messages({ duplicateRate: 1 })).toEqual([0, 500]);
		expect(messages({ reorderRate: 1 })).toEqual([500]);
		expect(messages({ duplicateRate: 1, reorderRate: 1 })).toEqual([500, 1_000]);
	});
});

test("faults that are not named stay as they were", () => {
	expect(mergeFaults(NO_FAULTS, { dynamo: { throttleRate: 0.5 } })).toEqual({
		...NO_FAULTS,
		dynamo: { ...NO_FAULTS.dynamo, throttleRate: 0.5 },
	});
});

import { fileURLToPath } from "node:url";
import { ConditionalCheckFailedException, CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type DynamoServer, startDynamoServer } from "../../local/aws/dynamodb/server.ts";
import { type DynamoFaults, NO_FAULTS } from "../../local/faults/plan.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { eventually } from "../support/local-toy/eventually.ts";

const TOY = fileURLToPath(new URL("../support/local-toy/serverless.yml", import.meta.url));
const CREDENTIALS = { accessKeyId: "local", secretAccessKey: "local" };
const LAG_MS = 600;

describe("the layer before DynamoDB", () => {
	let server: DynamoServer;
	let client: DynamoDBClient;
	let db: DynamoDBDocumentClient;
	beforeAll(async () => {
		server = await startDynamoServer({ faults: NO_FAULTS.dynamo, seed: 1, meter: false });
		client = new DynamoDBClient({
			endpoint: server.endpoint,
			region: "us-east-1",
			credentials: CREDENTIALS,
			maxAttempts: 4,
			requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
		});
		db = DynamoDBDocumentClient.from(client);
		await client.send(
			new CreateTableCommand({
				TableName: "things",
				BillingMode: "PAY_PER_REQUEST",
				AttributeDefinitions: [
					{ AttributeName: "id", AttributeType: "S" },
					{ AttributeName: "group", AttributeType: "S" },
				],
				KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
				GlobalSecondaryIndexes: [
					{
						IndexName: "byGroup",
						KeySchema: [{ AttributeName: "group", KeyType: "HASH" }],
						Projection: { ProjectionType: "ALL" },
					},
				],
			}),
		);
	});
	afterAll(async () => {
		client.destroy();
		await server.stop();
	});
	beforeEach(() => server.setFaults(NO_FAULTS.dynamo));

	const faults = (changes: Partial<DynamoFaults>) => server.setFaults({ ...NO_FAULTS.dynamo, ...changes });
	const put = (id: string, more: object = {}, condition = "attribute_not_exists(id)") =>
		db.send(new PutCommand({ TableName: "things", Item: { id, ...more }, ConditionExpression: condition }));
	const get = async (id: string) =>
		(await db.send(new GetCommand({ TableName: "things", Key: { id }, ConsistentRead: true }))).Item;
	const inGroup = async (group: string): Promise<Record<string, unknown>[]> => {
		const answer = await db.send(
			new QueryCommand({
				TableName: "things",
				IndexName: "byGroup",
				KeyConditionExpression: "#group = :group",
				ExpressionAttributeNames: { "#group": "group" },
				ExpressionAttributeValues: { ":group": group },
			}),
		);
		return answer.Items ?? [];
	};

	test("without faults an index shows a write at once, as the emulator does", async () => {
		await put("0", { group: "calm" });
		expect(await inGroup("calm")).toHaveLength(1);
	});

	test("an index is behind, then right; what was there before the faults shows", async () => {
		faults({ indexLagMs: LAG_MS });
		const before = server.faultCounts()["staleReads"] ?? 0;
		expect(await inGroup("calm")).toHaveLength(1);
		// Of many writes with random lags, some cannot show at once.
		await Promise.all(Array.from({ length: 20 }, (_, i) => put(`lag-${i}`, { group: "lagging" })));
		expect((await inGroup("lagging")).length).toBeLessThan(20);
		expect(await get("lag-19")).toMatchObject({ group: "lagging" });
		expect(server.faultCounts()["staleReads"]).toBeGreaterThan(before);
		await eventually(async () => expect(await inGroup("lagging")).toHaveLength(20));
		// A changed and a deleted item are behind in the same way: the last state of each key wins.
		for (let version = 1; version <= 5; version++) {
			await put("lag-0", { group: "lagging", version }, "attribute_exists(id)");
		}
		await eventually(async () =>
			expect((await inGroup("lagging")).find(({ id }) => id === "lag-0")?.["version"]).toBe(5),
		);
	});

	test("a throttled caller tries again, and says so when it goes on", async () => {
		faults({ throttleRate: 1 });
		await expect(put("throttled")).rejects.toMatchObject({ name: "ProvisionedThroughputExceededException" });
		faults({});
		expect(await get("throttled")).toBeUndefined();
	});

	test.each(["cutAfterWriteRate", "hangAfterWriteRate"] as const)(
		"%s: the write was done, so its repeat meets its own item",
		async (rate) => {
			faults({ [rate]: 1 });
			const id = `repeat ${rate}`;
			await expect(put(id)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
			faults({});
			expect(await get(id)).toEqual({ id });
		},
	);
});

describe("messages and requests", () => {
	let stack: Stack;
	beforeAll(async () => {
		stack = await startStack({
			steady: 0,
			carrier: "none",
			serverlessFile: TOY,
			faults: {
				messages: { duplicateRate: 1, reorderRate: 1, maxDelayMs: 50 },
				api: { twinRate: 1, olderSeqRate: 1 },
			},
		});
	}, 60_000);
	afterAll(async () => {
		await stack?.stop();
	}, 30_000);

	const countOf = async (id: string): Promise<number | undefined> => {
		const db = DynamoDBDocumentClient.from(stack.aws.clients.dynamo);
		const answer = await db.send(new GetCommand({ TableName: "toy-local-things", Key: { id }, ConsistentRead: true }));
		return answer.Item?.["n"];
	};

	test("a message is handled twice", async () => {
		const QueueUrl = `${stack.aws.sqsEndpoint}/000000000000/toy-local-work`;
		await stack.aws.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "once" }));
		await eventually(async () => expect(await countOf("message once")).toBe(2));
		expect(await stack.faultCounts()).toMatchObject({ duplicatedMessages: 2, reorderedMessages: 2 });
	});

	test("a sync runs twice at once, and again after a newer one", async () => {
		const sync = (seq: number) => stack.client.request("POST", "/v1/hosts/h/sync", { seq });
		await sync(1);
		await sync(2);
		// Twins go on by themselves after the answer.
		await eventually(async () => expect(await countOf('sync {"seq":1}')).toBe(3));
		await eventually(async () => expect(await countOf('sync {"seq":2}')).toBe(2));
		expect(await stack.faultCounts()).toMatchObject({ twins: 2, olderSeqs: 1 });
	});

	test("an answer is lost, the work is done", async () => {
		await stack.setFaults({ api: { lostAnswerRate: 1 } });
		await expect(stack.client.request("POST", "/three/lost")).rejects.toThrow();
		expect(await countOf("lost third")).toBe(1);
		await stack.setFaults({});
		expect((await stack.client.request("POST", "/three/lost")).status).toBe(204);
		expect(await stack.faultCounts()).toMatchObject({ lostAnswers: 1 });
	});
});

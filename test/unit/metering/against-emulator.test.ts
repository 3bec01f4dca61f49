import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { dynaliteUpstream, type Upstream } from "../../../local/aws/dynamodb/upstream.ts";
import type { WireItem } from "../../../local/metering/item-size.ts";
import { Meter, sumTotals, type Totals } from "../../../local/metering/write-units.ts";

/** What the emulator says of a table's own units is right: the meter's estimate without it must come to the same. */

const TABLE = {
	TableName: "table",
	BillingMode: "PAY_PER_REQUEST",
	KeySchema: [
		{ AttributeName: "p", KeyType: "HASH" },
		{ AttributeName: "s", KeyType: "RANGE" },
	],
	AttributeDefinitions: [
		{ AttributeName: "p", AttributeType: "S" },
		{ AttributeName: "s", AttributeType: "S" },
	],
};

let dynamo: Upstream;
const call = async (operation: string, input: object): Promise<{ status: number; output: Record<string, unknown> }> => {
	const answer = await dynamo.send({
		operation,
		headers: {
			"x-amz-target": `DynamoDB_20120810.${operation}`,
			"content-type": "application/x-amz-json-1.0",
			"x-amz-date": "20261123T063313Z",
			authorization:
				"AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=local",
		},
		body: JSON.stringify(input),
	});
	return { status: answer.status, output: JSON.parse(answer.body) };
};

beforeAll(async () => {
	dynamo = await dynaliteUpstream();
	expect(await call("CreateTable", TABLE)).toMatchObject({ status: 200 });
	for (let status = ""; status !== "ACTIVE"; ) {
		const { output } = await call("DescribeTable", { TableName: "table" });
		status = (output["Table"] as { TableStatus: string }).TableStatus;
	}
});
afterAll(() => dynamo.close());

const key = (n: number): WireItem => ({ p: { S: "p" }, s: { S: `item-${n}` } });
/** Items around the steps of 1 KB and 4 KB. */
const SIZES = [0, 500, 990, 1_003, 1_004, 1_050, 2_100, 4_050, 4_075, 4_076, 4_200, 9_000];
const item = (n: number): WireItem => ({
	...key(n),
	flag: { BOOL: true },
	when: { N: "1795415593860" },
	less: { N: "-12.5" },
	list: { L: [{ S: "a" }, { M: { k: { N: "7" } } }] },
	text: { S: "x".repeat(SIZES[n] ?? 0) },
});

/** Sends a request and observes it twice: with what the emulator says of units, and without. */
const compare = async (requests: [string, object][]): Promise<{ said: Totals; estimated: Totals }> => {
	const said = new Meter([TABLE]);
	const estimated = new Meter([TABLE]);
	for (const [operation, input] of requests) {
		const { status, output } = await call(operation, { ...input, ReturnConsumedCapacity: "INDEXES" });
		expect({ operation, status, output }).toMatchObject({ status: 200 });
		said.observe(operation, input, output, false);
		const { ConsumedCapacity: _, ...silent } = output;
		estimated.observe(operation, input, silent, false);
	}
	return { said: sumTotals(said.totals()), estimated: sumTotals(estimated.totals()) };
};
const puts = SIZES.map((_, n): [string, object] => ["PutItem", { TableName: "table", Item: item(n) }]);

describe("estimates", () => {
	test.each(SIZES.map((size, n) => [size, n]))("put, get and delete of an item with %d more bytes", async (_, n) => {
		for (const ConsistentRead of [true, false]) {
			const { said, estimated } = await compare([
				["PutItem", { TableName: "table", Item: item(n) }],
				["GetItem", { TableName: "table", Key: key(n), ConsistentRead }],
				["DeleteItem", { TableName: "table", Key: key(n) }],
				["GetItem", { TableName: "table", Key: key(n), ConsistentRead }],
			]);
			expect(estimated).toEqual(said);
		}
	});

	test("a small item over a large one, and back", async () => {
		const { said, estimated } = await compare([
			["PutItem", { TableName: "table", Item: item(11) }],
			["PutItem", { TableName: "table", Item: { ...item(0), ...key(11) } }],
			["PutItem", { TableName: "table", Item: item(11) }],
		]);
		expect(estimated).toEqual(said);
	});

	test("a batch of reads, some of nothing", async () => {
		const Keys = [...SIZES.map((_, n) => key(n)), key(100), key(101)];
		const { said, estimated } = await compare([
			...puts,
			["BatchGetItem", { RequestItems: { table: { Keys, ConsistentRead: true } } }],
			["BatchGetItem", { RequestItems: { table: { Keys } } }],
		]);
		expect(estimated).toEqual(said);
	});

	test("an update that is read back whole", async () => {
		const update = {
			TableName: "table",
			Key: key(1),
			UpdateExpression: "SET #t = :text",
			ExpressionAttributeNames: { "#t": "text" },
			ExpressionAttributeValues: { ":text": { S: "y".repeat(3_000) } },
			ReturnValues: "ALL_NEW",
		};
		const { said, estimated } = await compare([...puts, ["UpdateItem", update]]);
		expect(estimated).toEqual(said);
	});

	test("an update of which nothing is read is never too low", async () => {
		const update = (bytes: number) => ({
			TableName: "table",
			Key: key(2),
			UpdateExpression: "SET #t = :text",
			ExpressionAttributeNames: { "#t": "text" },
			ExpressionAttributeValues: { ":text": { S: "y".repeat(bytes) } },
		});
		const { said, estimated } = await compare([
			...puts,
			["UpdateItem", update(3_000)],
			["UpdateItem", update(10)],
			["UpdateItem", update(700)],
		]);
		expect(estimated.writeUnits).toBeGreaterThanOrEqual(said.writeUnits);
	});
});

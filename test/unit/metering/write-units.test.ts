import { describe, expect, test } from "@jest/globals";
import type { WireItem } from "../../../local/metering/item-size.ts";
import { Meter, sumTotals, totalsBetween } from "../../../local/metering/write-units.ts";

const TABLES = [
	{
		TableName: "contacts",
		KeySchema: [{ AttributeName: "shardKey" }, { AttributeName: "contactKey" }],
		GlobalSecondaryIndexes: [
			{
				IndexName: "due",
				KeySchema: [{ AttributeName: "shardKey" }, { AttributeName: "dueAt" }],
				Projection: { ProjectionType: "KEYS_ONLY" },
			},
		],
	},
	{
		TableName: "campaigns",
		KeySchema: [{ AttributeName: "campaign" }, { AttributeName: "kind" }],
		GlobalSecondaryIndexes: [
			{
				IndexName: "list",
				KeySchema: [{ AttributeName: "tenant" }, { AttributeName: "campaignId" }],
				Projection: { ProjectionType: "KEYS_ONLY" },
			},
		],
	},
	{
		TableName: "tokens",
		KeySchema: [{ AttributeName: "tokenHash" }],
		GlobalSecondaryIndexes: [
			{
				IndexName: "byTenant",
				KeySchema: [{ AttributeName: "tenant" }, { AttributeName: "createdAt" }],
				Projection: { ProjectionType: "ALL" },
			},
		],
	},
	{ TableName: "hosts", KeySchema: [{ AttributeName: "tenant" }, { AttributeName: "hostId" }] },
	{ TableName: "trunks", KeySchema: [{ AttributeName: "tenant" }, { AttributeName: "trunkId" }] },
	{ TableName: "grants", KeySchema: [{ AttributeName: "host" }, { AttributeName: "grant" }] },
];

const contactKey = (n: number): WireItem => ({ shardKey: { S: "default#c#0" }, contactKey: { S: `contact-${n}` } });
const contact = (n: number): WireItem => ({
	...contactKey(n),
	number: { S: "+12025550123" },
	state: { S: "pending" },
	ver: { N: "0" },
	dueAt: { N: `1795415593860.${n}` },
});

const putContact = (n: number) => ({
	TableName: "contacts",
	Item: contact(n),
	ConditionExpression: "attribute_not_exists(#k)",
	ExpressionAttributeNames: { "#k": "contactKey" },
});
const updateContact = (n: number, UpdateExpression: string, values: WireItem = {}) => ({
	TableName: "contacts",
	Key: contactKey(n),
	UpdateExpression,
	ConditionExpression: "#state = :before",
	ExpressionAttributeNames: { "#state": "state" },
	ExpressionAttributeValues: { ":before": { S: "pending" }, ":one": { N: "1" }, ...values },
});
const claim = (n: number) =>
	updateContact(n, "SET #state = :claimed, lease = :lease, ver = ver + :one REMOVE dueAt", {
		":claimed": { S: "claimed" },
		":lease": { S: "host-1#1#1" },
	});
const settle = (n: number) =>
	updateContact(n, "SET hist = :h, #state = :done, outcome = :o, ver = ver + :one REMOVE lease", {
		":h": { M: {} },
		":done": { S: "done" },
		":o": { S: "answered" },
	});
const retry = (n: number, dueAt: string) =>
	updateContact(n, "SET #state = :pending, dueAt = :due, ver = ver + :one REMOVE lease", {
		":pending": { S: "pending" },
		":due": { N: dueAt },
	});

/** Units of what `statements` does, table and index. */
const costOf = (meter: Meter, statements: (meter: Meter) => void): { table: number; index: number } => {
	const before = meter.totals();
	statements(meter);
	const { writeUnits, indexWriteUnits } = sumTotals(totalsBetween(before, meter.totals()));
	return { table: writeUnits, index: indexWriteUnits };
};
const withContact = (n = 1): Meter => {
	const meter = new Meter(TABLES);
	meter.observe("PutItem", putContact(n), {}, false);
	return meter;
};

describe("index writes", () => {
	test("a contact that is put due costs one for the table and one for the index", () => {
		const cost = costOf(new Meter(TABLES), (meter) => meter.observe("PutItem", putContact(1), {}, false));
		expect(cost).toEqual({ table: 1, index: 1 });
	});

	test("a claim takes it out of the index: one more", () => {
		const cost = costOf(withContact(), (meter) => meter.observe("UpdateItem", claim(1), {}, false));
		expect(cost).toEqual({ table: 1, index: 1 });
	});

	test("settling changes nothing that the index holds", () => {
		const meter = withContact();
		meter.observe("UpdateItem", claim(1), {}, false);
		const cost = costOf(meter, () => meter.observe("UpdateItem", settle(1), {}, false));
		expect(cost).toEqual({ table: 1, index: 0 });
	});

	test("a retry puts it back: one more", () => {
		const meter = withContact();
		meter.observe("UpdateItem", claim(1), {}, false);
		const cost = costOf(meter, () => meter.observe("UpdateItem", retry(1, "2"), {}, false));
		expect(cost).toEqual({ table: 1, index: 1 });
	});

	test("moving dueAt is a delete and a put; setting the same value is neither", () => {
		const meter = withContact();
		expect(costOf(meter, () => meter.observe("UpdateItem", retry(1, "2"), {}, false))).toEqual({ table: 1, index: 2 });
		expect(costOf(meter, () => meter.observe("UpdateItem", retry(1, "2"), {}, false))).toEqual({ table: 1, index: 0 });
	});

	test("raising ver while it stays pending touches no index", () => {
		const cost = costOf(withContact(), (meter) =>
			meter.observe("UpdateItem", updateContact(1, "SET ver = ver + :one"), {}, false),
		);
		expect(cost).toEqual({ table: 1, index: 0 });
	});

	test("of an item never seen, what costs more is assumed", () => {
		const meter = new Meter(TABLES);
		expect(costOf(meter, () => meter.observe("UpdateItem", claim(7), {}, false))).toEqual({ table: 1, index: 1 });
		expect(costOf(meter, () => meter.observe("UpdateItem", retry(8, "2"), {}, false))).toEqual({ table: 1, index: 2 });
	});

	test("an item that was read is known", () => {
		const meter = new Meter(TABLES);
		const { dueAt: _, ...claimed } = contact(8);
		meter.observe("GetItem", { TableName: "contacts", Key: contactKey(8) }, { Item: claimed }, false);
		expect(costOf(meter, () => meter.observe("UpdateItem", retry(8, "2"), {}, false))).toEqual({ table: 1, index: 1 });
	});

	test("a deleted item leaves the index", () => {
		const meter = withContact();
		const input = { TableName: "contacts", Key: contactKey(1) };
		expect(costOf(meter, () => meter.observe("DeleteItem", input, {}, false))).toEqual({ table: 1, index: 1 });
	});

	test("a campaign is listed once; its other items and later changes cost the index nothing", () => {
		const meter = new Meter(TABLES);
		const Key = { campaign: { S: "default#c" }, kind: { S: "META" } };
		const Item = { ...Key, tenant: { S: "default" }, campaignId: { S: "c" } };
		const put = () => meter.observe("PutItem", { TableName: "campaigns", Item }, {}, false);
		expect(costOf(meter, put)).toEqual({ table: 1, index: 1 });
		const change = {
			TableName: "campaigns",
			Key,
			UpdateExpression: "SET #s = :s",
			ExpressionAttributeNames: { "#s": "state" },
			ExpressionAttributeValues: { ":s": { S: "paused" } },
		};
		expect(costOf(meter, () => meter.observe("UpdateItem", change, {}, false))).toEqual({ table: 1, index: 0 });
		const stats = { TableName: "campaigns", Item: { campaign: { S: "default#c" }, kind: { S: "STATS#h" } } };
		expect(costOf(meter, () => meter.observe("PutItem", stats, {}, false))).toEqual({ table: 1, index: 0 });
	});

	test("an index that carries all attributes is written at every change", () => {
		const meter = new Meter(TABLES);
		const revoke = {
			TableName: "tokens",
			Key: { tokenHash: { S: "h" } },
			UpdateExpression: "SET revokedAt = :t",
			ExpressionAttributeValues: { ":t": { N: "1" } },
		};
		// Never seen: it may be in the index.
		expect(costOf(meter, () => meter.observe("UpdateItem", revoke, {}, false))).toEqual({ table: 1, index: 1 });
		const Item = { tokenHash: { S: "i" }, tenant: { S: "default" }, createdAt: { N: "1" } };
		meter.observe("PutItem", { TableName: "tokens", Item }, {}, false);
		const second = { ...revoke, Key: { tokenHash: { S: "i" } } };
		expect(costOf(meter, () => meter.observe("UpdateItem", second, {}, false))).toEqual({ table: 1, index: 1 });
	});

	test("tables created while it observes are known", () => {
		const meter = new Meter();
		expect(() => meter.observe("PutItem", putContact(1), {}, false)).toThrow("not told of the table contacts");
		meter.observe("CreateTable", TABLES[0], {}, false);
		expect(costOf(meter, () => meter.observe("PutItem", putContact(1), {}, false))).toEqual({ table: 1, index: 1 });
	});
});

describe("the table's own units", () => {
	const big = (kb: number): WireItem => ({ ...contact(1), note: { S: "x".repeat(kb * 1024) } });

	test("a failed condition costs what the larger item would, and no index", () => {
		const meter = withContact();
		expect(costOf(meter, () => meter.observe("UpdateItem", claim(1), undefined, true))).toEqual({ table: 1, index: 0 });
		const put = { ...putContact(1), Item: big(2) };
		expect(costOf(meter, () => meter.observe("PutItem", put, undefined, true))).toEqual({ table: 3, index: 0 });
		expect(sumTotals(meter.totals()).failedConditions).toBe(2);
	});

	test("what the service says goes before the estimate, and index units are not counted twice", () => {
		const meter = withContact();
		const ConsumedCapacity = {
			TableName: "contacts",
			CapacityUnits: 4,
			Table: { CapacityUnits: 3 },
			GlobalSecondaryIndexes: { due: { CapacityUnits: 1 } },
		};
		const cost = costOf(meter, () => meter.observe("UpdateItem", claim(1), { ConsumedCapacity }, false));
		expect(cost).toEqual({ table: 3, index: 1 });
	});

	test("an item replaced by a smaller one costs the larger", () => {
		const meter = new Meter(TABLES);
		meter.observe("PutItem", { TableName: "contacts", Item: big(3) }, {}, false);
		const cost = costOf(meter, () => meter.observe("PutItem", { TableName: "contacts", Item: contact(1) }, {}, false));
		expect(cost).toEqual({ table: 4, index: 0 });
	});

	test("a request that failed otherwise costs nothing, but is counted", () => {
		const meter = new Meter(TABLES);
		for (const [operation, input] of [
			["PutItem", putContact(1)],
			["GetItem", { TableName: "contacts", Key: contactKey(1) }],
			["Query", { TableName: "contacts" }],
			["BatchGetItem", { RequestItems: { contacts: { Keys: [contactKey(1)] } } }],
			["BatchWriteItem", { RequestItems: { contacts: [{ DeleteRequest: { Key: contactKey(1) } }] } }],
		] as const) {
			meter.observe(operation, input, undefined, false);
		}
		expect(sumTotals(meter.totals())).toMatchObject({ requests: 5, writeUnits: 0, readUnits: 0 });
	});

	test("an operation that it does not know is refused; one that is free is not", () => {
		const meter = new Meter(TABLES);
		expect(() => meter.observe("TransactWriteItems", {}, {}, false)).toThrow("TransactWriteItems");
		meter.observe("DescribeTable", {}, {}, false);
		expect(meter.totals()).toEqual({});
	});

	test("each write of a batch is a write; what was not processed is none", () => {
		const meter = new Meter(TABLES);
		const writes = [{ PutRequest: { Item: contact(1) } }, { PutRequest: { Item: contact(2) } }];
		const answer = { UnprocessedItems: { contacts: [writes[1]] } };
		const input = { RequestItems: { contacts: writes } };
		expect(costOf(meter, () => meter.observe("BatchWriteItem", input, answer, false))).toEqual({ table: 1, index: 1 });
		expect(sumTotals(meter.totals())).toMatchObject({ requests: 1, items: 1 });
	});
});

describe("reads", () => {
	const readUnitsOf = (operation: string, input: object, output: object): number => {
		const meter = new Meter(TABLES);
		meter.observe(operation, input, output, false);
		return sumTotals(meter.totals()).readUnits;
	};
	const large: WireItem = { ...contact(1), note: { S: "x".repeat(4096) } };

	test("an item, strongly or not, there or not", () => {
		const strong = { TableName: "contacts", Key: contactKey(1), ConsistentRead: true };
		expect(readUnitsOf("GetItem", strong, { Item: contact(1) })).toBe(1);
		expect(readUnitsOf("GetItem", strong, { Item: large })).toBe(2);
		expect(readUnitsOf("GetItem", { ...strong, ConsistentRead: false }, {})).toBe(0.5);
	});

	test("a batch is rounded by item, and missing items cost too", () => {
		const Keys = [contactKey(1), contactKey(2), contactKey(3), contactKey(4)];
		const output = {
			Responses: { contacts: [contact(1), contact(2)] },
			UnprocessedKeys: { contacts: { Keys: [contactKey(4)] } },
		};
		expect(readUnitsOf("BatchGetItem", { RequestItems: { contacts: { Keys, ConsistentRead: true } } }, output)).toBe(3);
		expect(readUnitsOf("BatchGetItem", { RequestItems: { contacts: { Keys } } }, output)).toBe(1.5);
	});

	test("a query is summed, then rounded", () => {
		const Items = Array.from({ length: 10 }, (_, n) => contact(n));
		expect(readUnitsOf("Query", { TableName: "contacts", ConsistentRead: true }, { Items })).toBe(1);
		expect(readUnitsOf("Query", { TableName: "contacts", IndexName: "due" }, { Items: [] })).toBe(0.5);
	});
});

describe("a contact done in one attempt", () => {
	const sync = (meter: Meter, seq: number, calls: number): void => {
		const lease = `${seq}`;
		meter.observe(
			"UpdateItem",
			{
				TableName: "trunks",
				Key: { tenant: { S: "default" }, trunkId: { S: "t" } },
				UpdateExpression: "SET a.#h.n = :n, #free = #free - :d",
				ExpressionAttributeNames: { "#h": "host-1", "#free": "free" },
				ExpressionAttributeValues: { ":n": { M: {} }, ":d": { N: "1" } },
			},
			{ ConsumedCapacity: { TableName: "trunks", CapacityUnits: 1 } },
			false,
		);
		meter.observe(
			"PutItem",
			{
				TableName: "grants",
				Item: { host: { S: "default#host-1" }, grant: { S: lease }, cands: { L: [] } },
				ConditionExpression: "attribute_not_exists(host)",
			},
			{},
			false,
		);
		for (let n = 0; n < calls; n++) meter.observe("UpdateItem", claim(seq * calls + n), {}, false);
		meter.observe(
			"UpdateItem",
			{
				TableName: "hosts",
				Key: { tenant: { S: "default" }, hostId: { S: "host-1" } },
				UpdateExpression: "SET seq = :s",
				ExpressionAttributeValues: { ":s": { N: lease } },
			},
			{ ConsumedCapacity: { TableName: "hosts", CapacityUnits: 1 } },
			false,
		);
		for (let n = 0; n < calls; n++) meter.observe("UpdateItem", settle(seq * calls + n), {}, false);
	};

	test.each([
		[1, 8],
		[2, 6.5],
		[4, 5.75],
		[8, 5.375],
		[10, 5.3],
	])("with %d calls per sync costs %d write units, import included", (calls, expected) => {
		const meter = new Meter(TABLES);
		const syncs = 5;
		for (let n = 0; n < syncs * calls; n++) meter.observe("PutItem", putContact(n), {}, false);
		for (let seq = 0; seq < syncs; seq++) sync(meter, seq, calls);
		const { writeUnits, indexWriteUnits } = sumTotals(meter.totals());
		expect((writeUnits + indexWriteUnits) / (syncs * calls)).toBeCloseTo(expected, 9);
	});
});

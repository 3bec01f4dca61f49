import {
	BatchGetCommand,
	BatchWriteCommand,
	DeleteCommand,
	GetCommand,
	PutCommand,
	QueryCommand,
	ScanCommand,
	UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Db, update } from "../../../shared/store/db.ts";
import { startDynalite } from "../../support/dynalite.ts";
import { MemoryDynamo, type TableDefinition } from "../../support/memory-dynamo.ts";

/**
 * What the project relies on of DynamoDB, said once and run on the memory that the protocol's tests use and on an
 * emulator by other authors: where the two agree, neither is likely to be our imagination.
 */

const TABLES: TableDefinition[] = [
	{
		name: "things",
		hash: "part",
		range: "thing",
		numbers: ["dueAt"],
		indexes: [{ name: "due", hash: "part", range: "dueAt", projection: "KEYS_ONLY" }],
	},
	{ name: "plain", hash: "id" },
];

type Statement = Parameters<Db["send"]>[0];
/** An item, or the name of the error and what its message must contain. */
const failure = async (promise: Promise<unknown>): Promise<{ name: string; message: string }> => {
	try {
		await promise;
	} catch (error) {
		return { name: (error as Error).name, message: (error as Error).message };
	}
	throw new Error("was expected to fail");
};

describe.each([
	["memory", async () => ({ db: new MemoryDynamo(TABLES).client(), stop: async () => {} })],
	["dynalite", async () => startDynalite(TABLES)],
] as const)("DynamoDB as in %s", (kind, start) => {
	let db: Db;
	let stop: () => Promise<void>;
	let count = 0;
	beforeAll(async () => {
		({ db, stop } = await start());
	});
	afterAll(async () => stop());

	/** A key that no other test has. */
	const fresh = (): { id: string } => ({ id: `item-${++count}` });
	const send = (command: unknown): Promise<Record<string, unknown>> =>
		db.send(command as Statement) as unknown as Promise<Record<string, unknown>>;
	const put = async (item: Record<string, unknown>) => {
		const key = fresh();
		await send(new PutCommand({ TableName: "plain", Item: { ...key, ...item } }));
		return key;
	};
	const get = async (key: Record<string, unknown>, TableName = "plain") =>
		(await send(new GetCommand({ TableName, Key: key, ConsistentRead: true })))["Item"] as
			| Record<string, unknown>
			| undefined;
	const change = (Key: Record<string, unknown>, UpdateExpression: string, rest: object = {}) =>
		send(new UpdateCommand({ TableName: "plain", Key, UpdateExpression, ...rest }));
	const outcomeOf = async (item: Record<string, unknown>, expression: string, values?: object, names?: object) => {
		const key = await put(item);
		await change(key, expression, {
			...(values ? { ExpressionAttributeValues: values } : {}),
			...(names ? { ExpressionAttributeNames: names } : {}),
		});
		const { id: _, ...left } = (await get(key)) ?? {};
		return left;
	};
	const passes = async (
		item: Record<string, unknown> | undefined,
		condition: string,
		values?: object,
		names?: object,
	) => {
		const key = item ? await put(item) : fresh();
		try {
			await change(key, "SET #touched = :t", {
				ConditionExpression: condition,
				ExpressionAttributeNames: { "#touched": "touched", ...names },
				ExpressionAttributeValues: { ":t": 1, ...values },
			});
			return true;
		} catch (error) {
			expect((error as Error).name).toBe("ConditionalCheckFailedException");
			return false;
		}
	};

	describe("updates", () => {
		test("SET with arithmetic, of an attribute and of a nested one", async () => {
			expect(
				await outcomeOf(
					{ n: 5, c: { x: { free: 3 } } },
					"SET n = n - :d, #c.#x.#free = #c.#x.#free + :d",
					{ ":d": 2 },
					{ "#c": "c", "#x": "x", "#free": "free" },
				),
			).toEqual({ n: 3, c: { x: { free: 5 } } });
		});
		test("adds decimals in decimal", async () => {
			expect(await outcomeOf({ n: 0.1 }, "SET n = n + :d", { ":d": 0.2 })).toEqual({ n: 0.3 });
			expect(await outcomeOf({ n: 1_795_000_000_000.25 }, "SET n = n + :d", { ":d": 13.4 })).toEqual({
				n: 1_795_000_000_013.65,
			});
		});
		test("every right-hand side sees the item as it was", async () => {
			expect(await outcomeOf({ a: 1, b: 2 }, "SET a = b, b = a")).toEqual({ a: 2, b: 1 });
		});
		test("if_not_exists, of an absent and of a present attribute, within arithmetic too", async () => {
			expect(
				await outcomeOf(
					{ b: 7 },
					"SET a = if_not_exists(a, :x), b = if_not_exists(b, :x), n = if_not_exists(n, :zero) + :x",
					{
						":x": 1,
						":zero": 0,
					},
				),
			).toEqual({ a: 1, b: 7, n: 1 });
		});
		test("list_append, and elements of lists", async () => {
			expect(await outcomeOf({ l: [1] }, "SET l = list_append(l, :more)", { ":more": [2, 3] })).toEqual({
				l: [1, 2, 3],
			});
			expect(await outcomeOf({ l: [1, 2, 3] }, "SET l[1] = :x", { ":x": 9 })).toEqual({ l: [1, 9, 3] });
			expect(await outcomeOf({ l: [1, 2, 3] }, "SET l[7] = :x", { ":x": 9 })).toEqual({ l: [1, 2, 3, 9] });
			expect(await outcomeOf({ l: [1, 2, 3] }, "REMOVE l[0]")).toEqual({ l: [2, 3] });
		});
		test("REMOVE of an attribute, of a nested one and of one that is not there", async () => {
			expect(await outcomeOf({ a: 1, m: { x: 1, y: 2 } }, "REMOVE a, m.x, gone")).toEqual({ m: { y: 2 } });
		});
		test("ADD counts from nothing and unites sets; DELETE takes members, the last with the attribute", async () => {
			expect(await outcomeOf({ n: 2 }, "ADD n :x, made :x", { ":x": 3 })).toEqual({ n: 5, made: 3 });
			expect(await outcomeOf({ s: new Set(["a"]) }, "ADD s :x", { ":x": new Set(["a", "b"]) })).toEqual({
				s: new Set(["a", "b"]),
			});
			expect(await outcomeOf({ s: new Set(["a", "b"]) }, "DELETE s :x", { ":x": new Set(["a"]) })).toEqual({
				s: new Set(["b"]),
			});
			expect(await outcomeOf({ s: new Set(["a"]) }, "DELETE s :x", { ":x": new Set(["a"]) })).toEqual({});
		});
		test("an update of an absent item makes it", async () => {
			const key = fresh();
			await change(key, "SET a = :x", { ExpressionAttributeValues: { ":x": 1 } });
			expect(await get(key)).toEqual({ ...key, a: 1 });
		});
		test("what it answers", async () => {
			const answer = async (ReturnValues: string) => {
				const key = await put({ a: 1, m: { x: 1, y: 1 }, b: 1 });
				const { Attributes } = await change(key, "SET a = :two, m.x = :two", {
					ExpressionAttributeValues: { ":two": 2 },
					ReturnValues,
				});
				if (Attributes && typeof Attributes === "object") delete (Attributes as Record<string, unknown>)["id"];
				return Attributes;
			};
			expect(await answer("NONE")).toBeUndefined();
			expect(await answer("ALL_OLD")).toEqual({ a: 1, m: { x: 1, y: 1 }, b: 1 });
			expect(await answer("ALL_NEW")).toEqual({ a: 2, m: { x: 2, y: 1 }, b: 1 });
			expect(await answer("UPDATED_OLD")).toEqual({ a: 1, m: { x: 1 } });
			expect(await answer("UPDATED_NEW")).toEqual({ a: 2, m: { x: 2 } });
		});
	});

	describe("statements that the service refuses", () => {
		test.each([
			[
				"a nested SET whose parent is missing",
				"SET m.x = :v",
				{},
				{ ":v": 1 },
				"document path provided in the update expression is invalid",
			],
			[
				"a SET below something that is no map",
				"SET n.x = :v",
				{},
				{ ":v": 1 },
				"document path provided in the update expression is invalid",
			],
			["arithmetic on an absent attribute", "SET gone = gone + :v", {}, { ":v": 1 }, "does not exist in the item"],
			["arithmetic on a string", "SET s = s + :v", {}, { ":v": 1 }, "incorrect data type"],
			["overlapping paths", "SET m2 = :v, m2.x = :v", {}, { ":v": 1 }, "overlap"],
			["the same path twice", "SET n = :v REMOVE n", {}, { ":v": 1 }, "overlap"],
			["an unused value", "SET n = :v", {}, { ":v": 1, ":unused": 2 }, "unused"],
			["an unused name", "SET n = :v", { "#unused": "x" }, { ":v": 1 }, "unused"],
			["an undefined value", "SET n = :v, m2 = :other", {}, { ":v": 1 }, "not defined"],
			["an undefined name", "SET #n = :v", undefined, { ":v": 1 }, "not defined"],
			["a reserved word", "SET state = :v", {}, { ":v": 1 }, "reserved"],
			["a change of the key", "SET id = :v", {}, { ":v": "x" }, "part of the key"],
			["a clause twice", "SET n = :v SET s = :v", {}, { ":v": 1 }, "SET"],
			["nonsense", "SET n == :v", {}, { ":v": 1 }, "yntax"],
		])("%s", async (_what, expression, names, values, says) => {
			const key = await put({ n: 1, s: "text", m2: {} });
			const error = await failure(
				change(key, expression, {
					ExpressionAttributeValues: values,
					...(names && Object.keys(names).length > 0 ? { ExpressionAttributeNames: names } : {}),
				}),
			);
			expect(error.name).toBe("ValidationException");
			expect(error.message).toContain(says);
			expect(await get(key)).toEqual({ ...key, n: 1, s: "text", m2: {} });
		});
		test("keys: empty, of the wrong type, missing, too many", async () => {
			const item = (Item: object, TableName = "things") =>
				failure(send(new PutCommand({ TableName, Item: Item as Record<string, unknown> })));
			expect((await item({ part: "", thing: "t" })).message).toContain("empty string");
			expect((await item({ part: 1, thing: "t" })).message).toContain("Type mismatch");
			expect((await item({ part: "s" })).message).toContain("Missing the key thing");
			expect((await item({ part: "s", thing: "t", dueAt: "tomorrow" })).message).toContain("Type mismatch");
			expect((await failure(get({ id: "x", other: "y" }))).name).toBe("ValidationException");
		});
		test("an item above 400 KB", async () => {
			const key = await put({ a: "x".repeat(300_000) });
			expect(
				(await failure(change(key, "SET b = :b", { ExpressionAttributeValues: { ":b": "y".repeat(150_000) } })))
					.message,
			).toContain("size");
			expect((await failure(put({ a: "x".repeat(420_000) }))).message).toContain("size");
		});
		test("a table that does not exist", async () => {
			expect((await failure(get({ id: "x" }, "nowhere"))).name).toBe("ResourceNotFoundException");
		});
		test("a member that is undefined inside a list of values is left out, as the project's client does", async () => {
			const key = await put({ m: { x: undefined, y: 1 } });
			expect(await get(key)).toEqual({ ...key, m: { y: 1 } });
		});
	});

	describe("conditions", () => {
		const item = { n: 5, s: "abc", m: { x: 1 }, l: ["p", "q"], b: true, z: null };
		test.each<[string, object | undefined, boolean]>([
			["n = :v", { ":v": 5 }, true],
			["n = :v", { ":v": "5" }, false],
			["n <> :v", { ":v": 5 }, false],
			["n <> :v", { ":v": 6 }, true],
			["n < :v", { ":v": 6 }, true],
			["n <= :v AND n >= :v", { ":v": 5 }, true],
			["n > :v", { ":v": "x" }, false],
			["absent = :v", { ":v": 1 }, false],
			["absent < :v", { ":v": 1 }, false],
			["absent <> :v", { ":v": 1 }, true],
			["NOT absent = :v", { ":v": 1 }, true],
			["s < :v", { ":v": "abd" }, true],
			["n BETWEEN :a AND :b", { ":a": 5, ":b": 6 }, true],
			["n IN (:a, :b)", { ":a": 4, ":b": 5 }, true],
			["s IN (:a)", { ":a": "x" }, false],
			["attribute_exists(m.x)", undefined, true],
			["attribute_exists(m.y)", undefined, false],
			["attribute_not_exists(m.y.deeper)", undefined, true],
			["attribute_not_exists(absent)", undefined, true],
			["attribute_not_exists(n)", undefined, false],
			["attribute_exists(z)", undefined, true],
			["attribute_type(m, :v)", { ":v": "M" }, true],
			["begins_with(s, :v)", { ":v": "ab" }, true],
			["contains(l, :v)", { ":v": "q" }, true],
			["contains(s, :v)", { ":v": "z" }, false],
			["size(l) = :v", { ":v": 2 }, true],
			["size(s) > :v", { ":v": 3 }, false],
			["l[1] = :v", { ":v": "q" }, true],
			["b = :v", { ":v": true }, true],
			["n = :v OR n = :w AND s = :s", { ":v": 5, ":w": 9, ":s": "no" }, true],
			["(n = :v OR n = :w) AND s = :s", { ":v": 5, ":w": 9, ":s": "no" }, false],
			["NOT (n = :v AND s = :s)", { ":v": 5, ":s": "abc" }, false],
			["m.x < n", undefined, true],
		])("%s with %j: %s", async (condition, values, expected) => {
			expect(await passes(item, condition, values)).toBe(expected);
		});
		test("of an item that is not there", async () => {
			expect(await passes(undefined, "attribute_not_exists(id)")).toBe(true);
			expect(await passes(undefined, "attribute_exists(id)")).toBe(false);
			expect(await passes(undefined, "n = :v", { ":v": 1 })).toBe(false);
		});
		test("a failed put and delete change nothing", async () => {
			const key = await put({ n: 1 });
			const again = new PutCommand({
				TableName: "plain",
				Item: { ...key, n: 2 },
				ConditionExpression: "attribute_not_exists(id)",
			});
			expect((await failure(send(again))).name).toBe("ConditionalCheckFailedException");
			const remove = new DeleteCommand({
				TableName: "plain",
				Key: key,
				ConditionExpression: "n > :v",
				ExpressionAttributeValues: { ":v": 1 },
			});
			expect((await failure(send(remove))).name).toBe("ConditionalCheckFailedException");
			expect(await get(key)).toEqual({ ...key, n: 1 });
		});
		test("what stands there comes back to the project's own helper", async () => {
			const key = await put({ n: 1, hist: { "1": { o: "busy" } } });
			const result = await update(db, {
				TableName: "plain",
				Key: key,
				ConditionExpression: "n = :two",
				UpdateExpression: "SET n = :two",
				ExpressionAttributeValues: { ":two": 2 },
			});
			expect(result).toEqual({ ok: false, item: { ...key, n: 1, hist: { "1": { o: "busy" } } } });
			const none = await update(db, {
				TableName: "plain",
				Key: fresh(),
				ConditionExpression: "attribute_exists(id)",
				UpdateExpression: "REMOVE n",
			});
			expect(none).toEqual({ ok: false, item: undefined });
		});
	});

	describe("reads", () => {
		const fill = async (n: number) => {
			const shard = `shard-${++count}`;
			for (let i = 0; i < n; i++)
				await send(
					new PutCommand({
						TableName: "things",
						Item: { part: shard, thing: `t${i}`, n: i, ...(i % 2 === 0 ? { dueAt: 100 - i } : {}) },
					}),
				);
			return shard;
		};
		const query = (rest: object) => send(new QueryCommand({ TableName: "things", ...rest }));
		const names = (answer: Record<string, unknown>) =>
			(answer["Items"] as { thing: string }[]).map((item) => item.thing);

		test("a query in the order of the sort key, forwards and backwards, with a condition on it", async () => {
			const shard = await fill(4);
			const base = { KeyConditionExpression: "part = :s", ExpressionAttributeValues: { ":s": shard } };
			expect(names(await query(base))).toEqual(["t0", "t1", "t2", "t3"]);
			expect(names(await query({ ...base, ScanIndexForward: false }))).toEqual(["t3", "t2", "t1", "t0"]);
			expect(
				names(
					await query({
						KeyConditionExpression: "part = :s AND thing BETWEEN :a AND :b",
						ExpressionAttributeValues: { ":s": shard, ":a": "t1", ":b": "t2" },
					}),
				),
			).toEqual(["t1", "t2"]);
		});
		test("pages: the limit counts before the filter, and the last key leads on", async () => {
			const shard = await fill(5);
			const base = {
				KeyConditionExpression: "part = :s",
				FilterExpression: "n > :one",
				ExpressionAttributeValues: { ":s": shard, ":one": 1 },
				Limit: 3,
			};
			const first = await query(base);
			expect(names(first)).toEqual(["t2"]);
			expect(first["LastEvaluatedKey"]).toEqual({ part: shard, thing: "t2" });
			const second = await query({ ...base, ExclusiveStartKey: first["LastEvaluatedKey"] });
			expect(names(second)).toEqual(["t3", "t4"]);
			expect(second["LastEvaluatedKey"]).toBeUndefined();
			const backwards = await query({ ...base, ScanIndexForward: false, Limit: 2 });
			expect(names(backwards)).toEqual(["t4", "t3"]);
			expect(
				names(await query({ ...base, ScanIndexForward: false, ExclusiveStartKey: backwards["LastEvaluatedKey"] })),
			).toEqual(["t2"]);
		});
		test("an index has only items with its keys, in its order, and only keys", async () => {
			const shard = await fill(5);
			const base = {
				IndexName: "due",
				KeyConditionExpression: "part = :s AND dueAt <= :now",
				ExpressionAttributeValues: { ":s": shard, ":now": 99 },
			};
			const answer = await query(base);
			expect(answer["Items"]).toEqual([
				{ part: shard, thing: "t4", dueAt: 96 },
				{ part: shard, thing: "t2", dueAt: 98 },
			]);
			const page = await query({ ...base, Limit: 1 });
			expect(page["LastEvaluatedKey"]).toEqual({ part: shard, thing: "t4", dueAt: 96 });
			expect(names(await query({ ...base, ExclusiveStartKey: page["LastEvaluatedKey"] }))).toEqual(["t2"]);
			await send(
				new UpdateCommand({ TableName: "things", Key: { part: shard, thing: "t4" }, UpdateExpression: "REMOVE dueAt" }),
			);
			expect(names(await query(base))).toEqual(["t2"]);
		});
		test("an index has no strong reads", async () => {
			const error = await failure(
				query({
					IndexName: "due",
					ConsistentRead: true,
					KeyConditionExpression: "part = :s",
					ExpressionAttributeValues: { ":s": "x" },
				}),
			);
			expect(error.message).toContain("Consistent reads are not supported");
		});
		test("queries that the service refuses", async () => {
			for (const rest of [
				{ KeyConditionExpression: "thing = :s", ExpressionAttributeValues: { ":s": "x" } },
				{ KeyConditionExpression: "part > :s", ExpressionAttributeValues: { ":s": "x" } },
				{ KeyConditionExpression: "part = :s AND n = :s", ExpressionAttributeValues: { ":s": "x" } },
				{
					KeyConditionExpression: "part = :s",
					FilterExpression: "thing = :s",
					ExpressionAttributeValues: { ":s": "x" },
				},
				{ KeyConditionExpression: "part = :s", ExpressionAttributeValues: { ":s": "x" }, Limit: 0 },
			])
				expect((await failure(query(rest))).name).toBe("ValidationException");
		});
		test("a projection keeps the item's shape; counting sends no items", async () => {
			const key = await put({ a: { x: 1, y: 2 }, b: 3, l: [1, 2, 3] });
			const shown = await send(
				new GetCommand({
					TableName: "plain",
					Key: key,
					ProjectionExpression: "a.x, l[1], #b",
					ExpressionAttributeNames: { "#b": "b" },
				}),
			);
			expect(shown["Item"]).toEqual({ a: { x: 1 }, b: 3, l: [2] });
			const shard = await fill(3);
			const counted = await query({
				KeyConditionExpression: "part = :s",
				ExpressionAttributeValues: { ":s": shard },
				Select: "COUNT",
			});
			expect(counted["Count"]).toBe(3);
			expect(counted["Items"]).toBeUndefined();
		});
		test("batches: what is there comes back, duplicates are refused", async () => {
			const [a, b] = [fresh(), fresh()];
			await send(
				new BatchWriteCommand({
					RequestItems: { plain: [{ PutRequest: { Item: { ...a, n: 1 } } }, { PutRequest: { Item: { ...b, n: 2 } } }] },
				}),
			);
			const batch = (Keys: object[]) =>
				send(
					new BatchGetCommand({
						RequestItems: { plain: { Keys: Keys as Record<string, unknown>[], ConsistentRead: true } },
					}),
				);
			const answer = await batch([a, b, fresh()]);
			const items = (answer["Responses"] as Record<string, { n: number }[]>)["plain"] ?? [];
			expect(items.map((item) => item.n).sort()).toEqual([1, 2]);
			expect((await failure(batch([a, a]))).message).toContain("duplicates");
			await send(new BatchWriteCommand({ RequestItems: { plain: [{ DeleteRequest: { Key: a } }] } }));
			expect(await get(a)).toBeUndefined();
		});
		test("a scan sees everything, page by page", async () => {
			const shard = await fill(5);
			const seen: string[] = [];
			let start: Record<string, unknown> | undefined;
			do {
				const answer = await send(
					new ScanCommand({
						TableName: "things",
						FilterExpression: "n >= :zero",
						ExpressionAttributeValues: { ":zero": 0 },
						Limit: 2,
						...(start ? { ExclusiveStartKey: start } : {}),
					}),
				);
				seen.push(
					...(answer["Items"] as { part: string; thing: string }[])
						.filter((item) => item.part === shard)
						.map((item) => item.thing),
				);
				start = answer["LastEvaluatedKey"] as Record<string, unknown> | undefined;
			} while (start);
			expect(seen.sort()).toEqual(["t0", "t1", "t2", "t3", "t4"]);
		});
	});

	if (kind === "memory") {
		describe("where the emulator differs from the service", () => {
			test("maps are equal by their members", async () => {
				expect(await passes({ m: { x: 1 } }, "m = :v", { ":v": { x: 1 } })).toBe(true);
				expect(await passes({ m: { x: 1 } }, "m = :v", { ":v": { x: 2 } })).toBe(false);
			});
			test("elements that one update removes are those of the list as it was", async () => {
				expect(await outcomeOf({ l: [1, 2, 3] }, "REMOVE l[0], l[1]")).toEqual({ l: [3] });
			});
			test("comparisons with a value that has no order are refused", async () => {
				expect((await failure(passes({ n: 1 }, "n < :v", { ":v": true }))).message).toContain("ValidationException");
			});
		});
		describe("what no emulator shows", () => {
			const dueNow = {
				TableName: "things",
				IndexName: "due",
				KeyConditionExpression: "part = :s",
				ExpressionAttributeValues: { ":s": "s" },
			};
			const put = (db: Db, thing: string, dueAt?: number) =>
				db.send(
					new PutCommand({
						TableName: "things",
						Item: { part: "s", thing, ...(dueAt === undefined ? {} : { dueAt }) },
					}),
				);

			test("an index lags as far as the test wants, item by item in order", async () => {
				let now = 1;
				const memory = new MemoryDynamo(TABLES, { indexLag: "manual", now: () => now });
				const client = memory.client();
				const indexed = async () =>
					((await client.send(new QueryCommand(dueNow))).Items ?? []).map((item) => item["thing"]);
				await put(client, "a", 1);
				now = 2;
				await put(client, "b", 2);
				await put(client, "a");
				expect(await indexed()).toEqual([]);
				expect(memory.pendingIndexUpdates("things")).toBe(3);
				expect(memory.applyIndexUpdate("things", 2)).toBe(false);
				expect(memory.applyIndexUpdate("things", 1)).toBe(true);
				expect(await indexed()).toEqual(["b"]);
				memory.applyIndexUpdates(1);
				expect(await indexed()).toEqual(["a", "b"]);
				memory.applyIndexUpdates();
				expect(await indexed()).toEqual(["b"]);
			});
			test("a statement waits where the test holds it, and can fail before or after it was carried out", async () => {
				const memory = new MemoryDynamo(TABLES);
				const let_go: (() => void)[] = [];
				const held = memory.client({ before: () => new Promise((resolve) => let_go.push(resolve)) });
				const pending = put(held, "a");
				await Promise.resolve();
				expect(memory.items("things")).toEqual([]);
				let_go[0]?.();
				await pending;
				expect(memory.items("things")).toEqual([{ part: "s", thing: "a" }]);
				const throttled = memory.client({ before: () => Promise.reject(new Error("throttled")) });
				await expect(put(throttled, "b")).rejects.toThrow("throttled");
				const timedOut = memory.client({ after: () => Promise.reject(new Error("timed out")) });
				await expect(put(timedOut, "c")).rejects.toThrow("timed out");
				expect(memory.items<{ thing: string }>("things").map((item) => item.thing)).toEqual(["a", "c"]);
			});
			test("what was read or put does not change with the caller's copy", async () => {
				const memory = new MemoryDynamo(TABLES);
				const client = memory.client();
				const item = { id: "x", m: { n: 1 } };
				await client.send(new PutCommand({ TableName: "plain", Item: item }));
				item.m.n = 2;
				const read = await client.send(new GetCommand({ TableName: "plain", Key: { id: "x" } }));
				(read.Item as typeof item).m.n = 3;
				expect(memory.items("plain")).toEqual([{ id: "x", m: { n: 1 } }]);
			});
		});
	}
});

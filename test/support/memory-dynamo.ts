import { ConditionalCheckFailedException, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
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
import { marshall } from "@aws-sdk/util-dynamodb";
import type { TableName } from "../../shared/config/resources.ts";
import type { Db } from "../../shared/store/db.ts";
import { holds, projected, updated, updatedPaths } from "./dynamo/evaluate.ts";
import {
	attributesOf,
	type Condition,
	type Path,
	Placeholders,
	parseCondition,
	parseProjection,
	parseUpdate,
} from "./dynamo/expressions.ts";
import { type Attributes, compare, copy, invalid, itemSize, typeOf, type Value } from "./dynamo/values.ts";

export { ValidationException } from "./dynamo/values.ts";
export type { Attributes, Value };

/**
 * DynamoDB in memory, for tests that decide when each statement is carried out: it evaluates expressions as the service does, refuses
 * what the service refuses, and its indexes lag as far as the test wants. One statement is one atomic step.
 */

export interface IndexDefinition {
	name: string;
	hash: string;
	range?: string;
	projection: "ALL" | "KEYS_ONLY";
}
export interface TableDefinition {
	name: string;
	hash: string;
	range?: string;
	/** Key attributes that are numbers; all others are strings. */
	numbers?: string[];
	indexes?: IndexDefinition[];
}

/** The project's tables, named as they are called in the code. */
export const PROJECT_TABLES: (TableDefinition & { name: TableName })[] = [
	{
		name: "campaigns",
		hash: "campaign",
		range: "kind",
		indexes: [{ name: "list", hash: "tenant", range: "campaignId", projection: "KEYS_ONLY" }],
	},
	{
		name: "contacts",
		hash: "shardKey",
		range: "contactKey",
		numbers: ["dueAt"],
		indexes: [{ name: "due", hash: "shardKey", range: "dueAt", projection: "KEYS_ONLY" }],
	},
	{ name: "hosts", hash: "tenant", range: "hostId" },
	{ name: "grants", hash: "host", range: "grant" },
	{ name: "trunks", hash: "tenant", range: "trunkId" },
	{
		name: "tokens",
		hash: "tokenHash",
		numbers: ["createdAt"],
		indexes: [{ name: "byTenant", hash: "tenant", range: "createdAt", projection: "ALL" }],
	},
	{ name: "idempotency", hash: "id" },
	{ name: "fleet", hash: "tenant", range: "id" },
	{ name: "suppression", hash: "callee" },
	{ name: "callees", hash: "callee" },
	{ name: "ledger", hash: "book", range: "entry" },
];
export const PROJECT_TABLE_NAMES = Object.fromEntries(
	PROJECT_TABLES.map((table) => [table.name, table.name]),
) as Record<TableName, string>;

export type CommandName = "Get" | "BatchGet" | "Put" | "Update" | "Delete" | "Query" | "Scan" | "BatchWrite";
const COMMANDS = new Map<unknown, CommandName>([
	[GetCommand, "Get"],
	[BatchGetCommand, "BatchGet"],
	[PutCommand, "Put"],
	[UpdateCommand, "Update"],
	[DeleteCommand, "Delete"],
	[QueryCommand, "Query"],
	[ScanCommand, "Scan"],
	[BatchWriteCommand, "BatchWrite"],
]);

/** A statement, loosely typed: what the commands have in common. */
// biome-ignore lint/suspicious/noExplicitAny: the members differ by command and are checked by the statement's own code
export type Input = Record<string, any>;
export interface Statement {
	name: CommandName;
	input: Input;
}
export type Answer = Record<string, unknown>;
export type Result = { ok: true; answer: Answer } | { ok: false; error: unknown };

/** What a test puts around the statements of one client. Each may return a promise that settles when the test wants, or never. */
export interface Hooks {
	/** Before it is carried out; a rejection (throttled, say) reaches the caller and the statement is not carried out. */
	before?(statement: Statement): Promise<void> | void;
	/** After it was carried out; a rejection (timed out, say) reaches the caller instead of the result. */
	after?(statement: Statement, result: Result): Promise<void> | void;
	/** Changes the statement, or answers in its place. */
	rewrite?(statement: Statement): Statement | { instead: Result };
	/** Changes what the statement gave. */
	rewriteResult?(statement: Statement, result: Result): Result;
}

/** Largest item, bytes. */
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_BATCH_GET = 100;
const MAX_BATCH_WRITE = 25;

/** A change that an index has not taken yet. */
interface PendingEntry {
	index: string;
	/** Identity of the base item. */
	item: string;
	entry: Attributes | undefined;
	/** When the base table was written, by `now`. */
	at: number;
}

interface Table {
	definition: TableDefinition;
	/** By partition key, then sort key, both as text that tells types apart. */
	partitions: Map<string, Map<string, Attributes>>;
	/** By index name: entries by identity of the base item. */
	indexes: Map<string, Map<string, Attributes>>;
	pending: PendingEntry[];
}

export interface MemoryDynamoOptions {
	/** `none`: an index has a change at once. `manual`: when the test applies it. */
	indexLag?: "none" | "manual";
	/** Time of writes, for {@link MemoryDynamo.applyIndexUpdates}. */
	now?: () => number;
	/** Pages are at most so long, as if items were large. */
	maxPageItems?: number;
}

const keyText = (value: Value): string => `${typeOf(value)}${String(value)}`;

export class MemoryDynamo {
	readonly #tables = new Map<string, Table>();
	readonly #options: Required<MemoryDynamoOptions>;

	constructor(definitions: TableDefinition[] = PROJECT_TABLES, options: MemoryDynamoOptions = {}) {
		this.#options = { indexLag: "none", now: () => 0, maxPageItems: Number.POSITIVE_INFINITY, ...options };
		for (const definition of definitions)
			this.#tables.set(definition.name, {
				definition,
				partitions: new Map(),
				indexes: new Map((definition.indexes ?? []).map((index) => [index.name, new Map()])),
				pending: [],
			});
	}

	/** A client of it, with hooks of its own. */
	client(hooks: Hooks = {}): Db {
		const send = async (command: { input: Input; constructor: unknown }): Promise<Answer> => {
			const name = COMMANDS.get(command.constructor);
			if (!name) throw new Error(`MemoryDynamo does not know ${(command.constructor as { name: string }).name}`);
			// Taken at once: what the caller changes later does not reach the statement.
			const statement: Statement = { name, input: command.input };
			await hooks.before?.(statement);
			const changed = hooks.rewrite?.(statement) ?? statement;
			const given = "instead" in changed ? changed.instead : this.perform(changed);
			const result = hooks.rewriteResult?.(statement, given) ?? given;
			await hooks.after?.(statement, result);
			if (!result.ok) throw result.error;
			return result.answer;
		};
		return { send } as unknown as Db;
	}

	/** Carries a statement out, now. */
	perform({ name, input }: Statement): Result {
		try {
			return { ok: true, answer: this.#run(name, input) };
		} catch (error) {
			return { ok: false, error };
		}
	}

	/** A table's items as they stand (copies), in order of their keys. */
	items<T = Attributes>(table: string): T[] {
		return this.#allItems(this.#table(table)).map((item) => copy(item) as T);
	}
	/** One item as it stands (the item itself: do not change it). */
	peek<T = Attributes>(table: string, key: Attributes): T | undefined {
		return this.#find(this.#table(table), key) as T | undefined;
	}
	/** Removes an item as the expiry does. */
	expire(table: string, key: Attributes): void {
		this.#store(this.#table(table), key, undefined);
	}

	// ---- stale indexes ----

	pendingIndexUpdates(table: string): number {
		return this.#table(table).pending.length;
	}
	/** Applies the pending update at the position, unless an older one of the same item is still pending. */
	applyIndexUpdate(table: string, position: number): boolean {
		const { pending } = this.#table(table);
		const update = pending[position];
		if (!update) return false;
		if (pending.slice(0, position).some((older) => older.item === update.item && older.index === update.index))
			return false;
		pending.splice(position, 1);
		this.#apply(this.#table(table), update);
		return true;
	}
	/** Applies all updates of all tables that were written at or before the time; default: all. */
	applyIndexUpdates(upTo = Number.POSITIVE_INFINITY): void {
		for (const table of this.#tables.values()) {
			if (table.pending.length === 0) continue;
			const due = table.pending.filter((update) => update.at <= upTo);
			table.pending = table.pending.filter((update) => update.at > upTo);
			for (const update of due) this.#apply(table, update);
		}
	}
	#apply(table: Table, update: PendingEntry): void {
		const entries = table.indexes.get(update.index);
		if (update.entry) entries?.set(update.item, update.entry);
		else entries?.delete(update.item);
	}

	// ---- storage ----

	#table(name: unknown): Table {
		const table = this.#tables.get(String(name));
		if (!table)
			throw new ResourceNotFoundException({
				message: `Requested resource not found: Table: ${String(name)} not found`,
				$metadata: {},
			});
		return table;
	}
	#identity(table: Table, item: Attributes): [string, string] {
		const { hash, range } = table.definition;
		return [keyText(item[hash] as Value), range ? keyText(item[range] as Value) : ""];
	}
	#find(table: Table, key: Attributes): Attributes | undefined {
		const [hash, range] = this.#identity(table, key);
		return table.partitions.get(hash)?.get(range);
	}
	#allItems(table: Table): Attributes[] {
		const keys = keyNames(table.definition);
		return [...table.partitions.values()].flatMap((partition) => [...partition.values()]).sort(byKeys(keys));
	}
	#store(table: Table, key: Attributes, item: Attributes | undefined): void {
		const [hash, range] = this.#identity(table, key);
		let partition = table.partitions.get(hash);
		if (!partition) {
			partition = new Map();
			table.partitions.set(hash, partition);
		}
		const before = partition.get(range);
		if (item) partition.set(range, item);
		else partition.delete(range);
		for (const index of table.definition.indexes ?? []) {
			const entry = indexEntry(table.definition, index, item);
			if (sameEntry(indexEntry(table.definition, index, before), entry)) continue;
			const update = { index: index.name, item: `${hash}\0${range}`, entry, at: this.#options.now() };
			if (this.#options.indexLag === "manual") table.pending.push(update);
			else this.#apply(table, update);
		}
	}

	#checkKey(table: Table, key: unknown): Attributes {
		const names = keyNames(table.definition);
		if (typeof key !== "object" || key === null) return invalid("The provided key element does not match the schema");
		const given = copy(key, true) as Attributes;
		if (Object.keys(given).length !== names.length || names.some((name) => !(name in given)))
			return invalid("The provided key element does not match the schema");
		this.#checkKeyValues(table, given);
		return given;
	}
	#checkKeyValues(table: Table, item: Attributes): void {
		for (const name of keyNames(table.definition)) {
			const value = item[name];
			if (value === undefined)
				invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
			const expected = table.definition.numbers?.includes(name) ? "N" : "S";
			if (typeOf(value as Value) !== expected)
				invalid(
					`One or more parameter values were invalid: Type mismatch for key ${name} expected: ${expected} actual: ${typeOf(value as Value)}`,
				);
			if (value === "")
				invalid(
					`One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
				);
		}
	}
	#checkItem(table: Table, item: Attributes, what: string): void {
		this.#checkKeyValues(table, item);
		for (const index of table.definition.indexes ?? [])
			for (const name of keyNames(index)) {
				const value = item[name];
				if (value === undefined) continue;
				const expected = table.definition.numbers?.includes(name) ? "N" : "S";
				if (typeOf(value) !== expected)
					invalid(
						`One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${expected} Actual: ${typeOf(value)} IndexName: ${index.name}`,
					);
				if (value === "")
					invalid(
						`One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${index.name}, IndexKey: ${name}`,
					);
			}
		if (itemSize(item) > MAX_ITEM_BYTES) invalid(what);
	}

	// ---- statements ----

	#run(name: CommandName, input: Input): Answer {
		switch (name) {
			case "Get":
				return this.#get(input);
			case "Put":
				return this.#put(input);
			case "Update":
				return this.#update(input);
			case "Delete":
				return this.#delete(input);
			case "Query":
				return this.#query(input);
			case "Scan":
				return this.#scan(input);
			case "BatchGet":
				return this.#batchGet(input);
			case "BatchWrite":
				return this.#batchWrite(input);
		}
	}

	#placeholders(input: Input): Placeholders {
		const values = input["ExpressionAttributeValues"];
		return new Placeholders(
			input["ExpressionAttributeNames"],
			values === undefined ? undefined : (copy(values, true) as Attributes),
		);
	}
	#require(condition: Condition | undefined, old: Attributes | undefined, input: Input): void {
		if (!condition || holds(condition, old)) return;
		throw new ConditionalCheckFailedException({
			message: "The conditional request failed",
			$metadata: { httpStatusCode: 400 },
			...(input["ReturnValuesOnConditionCheckFailure"] === "ALL_OLD" && old ? { Item: marshall(old) } : {}),
		});
	}

	#get(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const key = this.#checkKey(table, input["Key"]);
		const place = this.#placeholders(input);
		const paths = projectionOf(input, place);
		place.checkAllUsed();
		const item = this.#find(table, key);
		return item ? { Item: shown(item, paths) } : {};
	}

	#put(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const item = copy(input["Item"], true) as Attributes;
		const place = this.#placeholders(input);
		const condition = conditionOf(input, "ConditionExpression", place);
		place.checkAllUsed();
		const returns = returnValues(input, ["NONE", "ALL_OLD"]);
		this.#checkItem(table, item, "Item size has exceeded the maximum allowed size");
		const old = this.#find(table, item);
		this.#require(condition, old, input);
		this.#store(table, item, item);
		return returns === "ALL_OLD" && old ? { Attributes: copy(old) } : {};
	}

	#delete(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const key = this.#checkKey(table, input["Key"]);
		const place = this.#placeholders(input);
		const condition = conditionOf(input, "ConditionExpression", place);
		place.checkAllUsed();
		const returns = returnValues(input, ["NONE", "ALL_OLD"]);
		const old = this.#find(table, key);
		this.#require(condition, old, input);
		this.#store(table, key, undefined);
		return returns === "ALL_OLD" && old ? { Attributes: copy(old) } : {};
	}

	#update(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const key = this.#checkKey(table, input["Key"]);
		const place = this.#placeholders(input);
		const actions = input["UpdateExpression"] === undefined ? [] : parseUpdate(input["UpdateExpression"], place);
		const condition = conditionOf(input, "ConditionExpression", place);
		place.checkAllUsed();
		const returns = returnValues(input, ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]);
		for (const action of actions)
			if (keyNames(table.definition).includes(String(action.path[0])))
				invalid(
					`One or more parameter values were invalid: Cannot update attribute ${action.path[0]}. This attribute is part of the key`,
				);
		const old = this.#find(table, key);
		this.#require(condition, old, input);
		const item = updated(old ?? key, actions);
		this.#checkItem(table, item, "Item size to update has exceeded the maximum allowed size");
		this.#store(table, key, item);
		const back =
			returns === "ALL_OLD"
				? old && (copy(old) as Attributes)
				: returns === "ALL_NEW"
					? (copy(item) as Attributes)
					: returns === "UPDATED_OLD"
						? updatedPaths(old, actions)
						: returns === "UPDATED_NEW"
							? updatedPaths(item, actions)
							: undefined;
		return back ? { Attributes: back } : {};
	}

	#query(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const index = indexOf(table.definition, input);
		if (index && input["ConsistentRead"] === true)
			invalid("Consistent reads are not supported on global secondary indexes");
		const [hash, range] = keyNames(index ?? table.definition) as [string, string | undefined];
		const place = this.#placeholders(input);
		if (input["KeyConditionExpression"] === undefined)
			invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
		const condition = parseCondition(input["KeyConditionExpression"], place);
		checkKeyCondition(condition, hash, range);
		const filter = conditionOf(input, "FilterExpression", place);
		for (const name of filter ? attributesOf(filter) : [])
			if (name === hash || name === range)
				invalid(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${name}`);
		const paths = projectionOf(input, place);
		place.checkAllUsed();
		const source = index
			? [...(table.indexes.get(index.name)?.values() ?? [])]
			: [...(table.partitions.get(partitionOf(condition, hash))?.values() ?? [])];
		const order = [...(range ? [range] : []), ...keyNames(table.definition)];
		const items = source.filter((item) => holds(condition, item)).sort(byKeys(order));
		if (input["ScanIndexForward"] === false) items.reverse();
		return this.#page(input, items, [hash, ...order], filter, paths);
	}

	#scan(input: Input): Answer {
		const table = this.#table(input["TableName"]);
		const index = indexOf(table.definition, input);
		if (index && input["ConsistentRead"] === true)
			invalid("Consistent reads are not supported on global secondary indexes");
		const place = this.#placeholders(input);
		const filter = conditionOf(input, "FilterExpression", place);
		const paths = projectionOf(input, place);
		place.checkAllUsed();
		const items = index ? [...(table.indexes.get(index.name)?.values() ?? [])] : this.#allItems(table);
		const order = [...keyNames(index ?? table.definition), ...keyNames(table.definition)];
		const segments = Number(input["TotalSegments"] ?? 1);
		const own = items.sort(byKeys(order)).filter((_, i) => i % segments === Number(input["Segment"] ?? 0));
		return this.#page(input, own, order, filter, paths);
	}

	#page(
		input: Input,
		items: Attributes[],
		keys: string[],
		filter: Condition | undefined,
		paths: Path[] | undefined,
	): Answer {
		const limit = input["Limit"] as number | undefined;
		if (limit !== undefined && limit < 1)
			invalid(
				"1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
			);
		const start = input["ExclusiveStartKey"] as Attributes | undefined;
		let from = 0;
		if (start) {
			if ([...new Set(keys)].some((name) => !(name in start))) invalid("The provided starting key is invalid");
			const backwards = input["ScanIndexForward"] === false;
			const order = byKeys(keys);
			from = items.findIndex((item) => (backwards ? order(start, item) > 0 : order(item, start) > 0));
			if (from < 0) from = items.length;
		}
		const most = Math.min(limit ?? Number.POSITIVE_INFINITY, this.#options.maxPageItems);
		const page = items.slice(from, from + most);
		const found = filter ? page.filter((item) => holds(filter, item)) : page;
		const last = page.at(-1);
		// Where the limit was reached the service says where to go on, though nothing may follow.
		const more = last !== undefined && page.length === most;
		return {
			...(input["Select"] === "COUNT" ? {} : { Items: found.map((item) => shown(item, paths)) }),
			Count: found.length,
			ScannedCount: page.length,
			...(more ? { LastEvaluatedKey: Object.fromEntries([...new Set(keys)].map((name) => [name, last[name]])) } : {}),
		};
	}

	#batchGet(input: Input): Answer {
		const responses: Record<string, unknown[]> = {};
		let count = 0;
		for (const [name, request] of Object.entries(input["RequestItems"] as Record<string, Input>)) {
			const table = this.#table(name);
			const place = this.#placeholders(request);
			const paths = projectionOf(request, place);
			place.checkAllUsed();
			const keys = (request["Keys"] as unknown[]).map((key) => this.#checkKey(table, key));
			count += keys.length;
			if (keys.length === 0)
				invalid(
					"1 validation error detected: Value at 'requestItems.member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1",
				);
			if (new Set(keys.map((key) => this.#identity(table, key).join("\0"))).size !== keys.length)
				invalid("Provided list of item keys contains duplicates");
			responses[name] = keys.flatMap((key) => {
				const item = this.#find(table, key);
				return item ? [shown(item, paths)] : [];
			});
		}
		if (count > MAX_BATCH_GET) invalid("Too many items requested for the BatchGetItem call");
		return { Responses: responses, UnprocessedKeys: {} };
	}

	#batchWrite(input: Input): Answer {
		const writes: (() => void)[] = [];
		for (const [name, requests] of Object.entries(input["RequestItems"] as Record<string, Input[]>)) {
			const table = this.#table(name);
			const seen = new Set<string>();
			for (const request of requests) {
				const put = request["PutRequest"] as Input | undefined;
				const remove = request["DeleteRequest"] as Input | undefined;
				if (!put === !remove)
					invalid(
						"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
					);
				const item = put ? (copy(put["Item"], true) as Attributes) : this.#checkKey(table, remove?.["Key"]);
				if (put) this.#checkItem(table, item, "Item size has exceeded the maximum allowed size");
				const identity = this.#identity(table, item).join("\0");
				if (seen.has(identity)) invalid("Provided list of item keys contains duplicates");
				seen.add(identity);
				writes.push(() => this.#store(table, item, put ? item : undefined));
			}
		}
		if (writes.length === 0 || writes.length > MAX_BATCH_WRITE)
			invalid(
				"1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Member must have length less than or equal to 25",
			);
		for (const write of writes) write();
		return { UnprocessedItems: {} };
	}
}

const keyNames = (definition: { hash: string; range?: string }): string[] =>
	definition.range === undefined ? [definition.hash] : [definition.hash, definition.range];

const byKeys =
	(names: string[]) =>
	(a: Attributes, b: Attributes): number => {
		for (const name of names) {
			const order = compare(a[name] as Value, b[name] as Value) ?? 0;
			if (order !== 0) return order;
		}
		return 0;
	};

const indexEntry = (
	table: TableDefinition,
	index: IndexDefinition,
	item: Attributes | undefined,
): Attributes | undefined => {
	if (!item || keyNames(index).some((name) => item[name] === undefined)) return undefined;
	if (index.projection === "ALL") return item;
	return Object.fromEntries([...keyNames(index), ...keyNames(table)].map((name) => [name, item[name] as Value]));
};
const sameEntry = (a: Attributes | undefined, b: Attributes | undefined): boolean => {
	if (!a || !b) return a === b;
	const names = Object.keys(b);
	return names.length === Object.keys(a).length && names.every((name) => a[name] === b[name]);
};

const indexOf = (definition: TableDefinition, input: Input): IndexDefinition | undefined => {
	if (input["IndexName"] === undefined) return undefined;
	return (
		definition.indexes?.find((index) => index.name === input["IndexName"]) ??
		invalid(`The table does not have the specified index: ${String(input["IndexName"])}`)
	);
};
const conditionOf = (input: Input, member: string, place: Placeholders): Condition | undefined =>
	input[member] === undefined ? undefined : parseCondition(input[member], place);
const projectionOf = (input: Input, place: Placeholders): Path[] | undefined =>
	input["ProjectionExpression"] === undefined ? undefined : parseProjection(input["ProjectionExpression"], place);
const shown = (item: Attributes, paths: Path[] | undefined): Attributes =>
	paths ? projected(item, paths) : (copy(item) as Attributes);
const returnValues = (input: Input, allowed: string[]): string => {
	const wanted = (input["ReturnValues"] as string | undefined) ?? "NONE";
	if (!allowed.includes(wanted)) invalid("Return values set to invalid value");
	return wanted;
};

/** The partition that a (checked) key condition names. */
const partitionOf = (condition: Condition, hash: string): string => {
	if (condition.kind === "and") return partitionOf(condition.left, hash) || partitionOf(condition.right, hash);
	if (condition.kind !== "compare" || !attributesOf(condition).includes(hash)) return "";
	const value = [condition.left, condition.right].find(({ kind }) => kind === "value");
	return value?.kind === "value" ? keyText(value.value) : "";
};

/** A key condition: the partition key equal to a value, and at most one simple condition on the sort key. */
const checkKeyCondition = (condition: Condition, hash: string, range: string | undefined): void => {
	const parts: Condition[] = [];
	const collect = (part: Condition): void => {
		if (part.kind === "and") {
			collect(part.left);
			collect(part.right);
		} else parts.push(part);
	};
	collect(condition);
	const on = (name: string): Condition[] => parts.filter((part) => attributesOf(part).includes(name));
	const equality = on(hash)[0];
	if (on(hash).length !== 1 || equality?.kind !== "compare" || equality.operator !== "=")
		invalid(`Query condition missed key schema element: ${hash}`);
	for (const part of parts) {
		const names = attributesOf(part);
		if (names.some((name) => name !== hash && name !== range))
			invalid(`Query condition missed key schema element: ${range ?? hash}`);
		if (["or", "not", "in"].includes(part.kind) || (part.kind === "compare" && part.operator === "<>"))
			invalid("Invalid operator used in KeyConditionExpression");
		if (part.kind === "function" && part.name !== "begins_with")
			invalid(`Invalid operator used in KeyConditionExpression: ${part.name}`);
	}
	if (parts.length > 2 || (range !== undefined && on(range).length > 1))
		invalid("KeyConditionExpressions must only contain one condition per key");
};

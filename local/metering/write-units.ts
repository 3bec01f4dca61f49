import { itemBytes, valueBytes, type WireItem } from "./item-size.ts";
import { type CreateTable, indexAttributes } from "./schema.ts";
import { ShadowTables } from "./shadow.ts";
import { addCharge, type Charge, type MeterTotals } from "./totals.ts";
import { indexUnits, readUnits, WRITE_UNIT_BYTES, writeUnits } from "./units.ts";
import { applyUpdate, CHANGED, touchedAttributes, UNKNOWN, type UpdateInput } from "./update-expression.ts";

export { type MeterTotals, sumTotals, type Totals, totalsBetween } from "./totals.ts";

/** Operations on tables rather than items: they cost no units. */
const FREE_OPERATIONS = new Set([
	...["CreateTable", "DeleteTable", "DescribeTable", "ListTables", "UpdateTable", "UpdateTimeToLive"],
	...["DescribeTimeToLive", "DescribeLimits", "TagResource", "UntagResource", "ListTagsOfResource"],
	...["DescribeContinuousBackups", "UpdateContinuousBackups"],
]);

interface Capacity {
	TableName?: string;
	CapacityUnits?: number;
	Table?: { CapacityUnits?: number };
}
interface Input extends UpdateInput {
	TableName?: string;
	IndexName?: string;
	Key?: WireItem;
	Item?: WireItem;
	ConsistentRead?: boolean;
	ConditionExpression?: string;
	ProjectionExpression?: string;
	Select?: string;
	ReturnValues?: string;
	RequestItems?: Record<string, unknown>;
}
interface Output {
	Item?: WireItem;
	Items?: WireItem[];
	Attributes?: WireItem;
	Responses?: Record<string, WireItem[]>;
	UnprocessedKeys?: Record<string, { Keys?: WireItem[] }>;
	UnprocessedItems?: Record<string, unknown[]>;
	ConsumedCapacity?: Capacity | Capacity[];
}
type BatchKeys = Record<string, { Keys: WireItem[]; ConsistentRead?: boolean; ProjectionExpression?: string }>;
type BatchWrites = Record<string, { PutRequest?: { Item: WireItem }; DeleteRequest?: { Key: WireItem } }[]>;

/** Units that the service says were used: of the table alone for a write, whose index units are counted here. */
const consumed = (output: Output, table: string, kind: "write" | "read"): number | undefined => {
	const of = [output.ConsumedCapacity ?? []].flat().find((one) => (one.TableName ?? table) === table);
	return kind === "write" ? (of?.Table?.CapacityUnits ?? of?.CapacityUnits) : of?.CapacityUnits;
};

/**
 * Counts DynamoDB's units by AWS's rules from the statements and their answers, because emulators leave out what index
 * writes and failed conditions cost. Of the table's own units it believes `ConsumedCapacity` (ask for `INDEXES`); without it
 * sizes are estimated, rather too large than too small.
 */
export class Meter {
	readonly #totals: MeterTotals = {};
	readonly #bySource: Record<string, MeterTotals> = {};
	readonly #tables = new ShadowTables();

	/** @param tables the tables' definitions; those created while it observes are learnt by themselves */
	constructor(tables: readonly CreateTable[] = []) {
		for (const table of tables) this.#tables.addTable(table);
	}

	/** A copy of what was counted so far. */
	totals(): MeterTotals {
		return structuredClone(this.#totals);
	}

	/** The same by source, of those requests that said one. */
	totalsBySource(): Record<string, MeterTotals> {
		return structuredClone(this.#bySource);
	}

	/**
	 * Counts one request in DynamoDB's JSON protocol, when its answer is there.
	 * @param operation as in the request's header, for example `UpdateItem`
	 * @param input the request's body
	 * @param output the answer's body; undefined where the request failed
	 * @param conditionFailed a conditional write was refused with ConditionalCheckFailedException. A request that failed
	 *   otherwise (throttled, malformed) is counted without units.
	 * @param source who asked; see local/metering/use.ts
	 * @throws Error for an operation whose units it does not know: a figure that is too low would be believed
	 */
	observe(operation: string, input: unknown, output: unknown, conditionFailed: boolean, source?: string): void {
		if (FREE_OPERATIONS.has(operation)) {
			if (operation === "CreateTable" && output !== undefined) this.#tables.addTable(input as CreateTable);
			return;
		}
		const charges = this.#charges(operation, input as Input, output as Output | undefined, conditionFailed);
		for (const charge of charges) addCharge(this.#totals, operation, charge);
		if (source === undefined) return;
		this.#bySource[source] ??= {};
		for (const charge of charges) addCharge(this.#bySource[source], operation, charge);
	}

	#charges(operation: string, input: Input, output: Output | undefined, conditionFailed: boolean): Charge[] {
		const { TableName: table = "" } = input;
		switch (operation) {
			case "PutItem":
			case "UpdateItem":
			case "DeleteItem":
				if (conditionFailed) return [this.#failed(table, input)];
				if (!output) return [{ table, requests: 1 }];
				if (operation === "PutItem") return [this.#put(table, input, output)];
				return [operation === "UpdateItem" ? this.#update(table, input, output) : this.#delete(table, input, output)];
			case "BatchWriteItem":
				return this.#batchWrite(input, output);
			case "GetItem":
				return [output ? this.#get(table, input, output) : { table, requests: 1 }];
			case "BatchGetItem":
				return this.#batchGet(input, output);
			case "Query":
			case "Scan":
				return [output ? this.#query(table, input, output) : { table, requests: 1 }];
			default:
				throw new Error(`The meter does not know the units of ${operation}.`);
		}
	}

	#indexUnits(table: string, before: WireItem | undefined, after: WireItem | undefined, touched?: Set<string>): number {
		const { indexes, key } = this.#tables.schema(table);
		return indexes.reduce((sum, index) => sum + indexUnits(index, key, before, after, touched), 0);
	}

	/** Whether the condition holds for an absent item only. */
	#demandsAbsence(table: string, input: Input): boolean {
		const condition = input.ConditionExpression ?? "";
		const [, path = ""] = /^\s*attribute_not_exists\s*\(\s*([^\s)]+)\s*\)/i.exec(condition) ?? [];
		const name = input.ExpressionAttributeNames?.[path] ?? path;
		return this.#tables.schema(table).key.includes(name) && !/\bOR\b/i.test(condition);
	}

	/** A refused condition costs what the larger of the old and the new item would, and no index. */
	#failed(table: string, input: Input): Charge {
		const known = this.#tables.find(table, input.Item ?? input.Key ?? {})?.bytes ?? 0;
		const bytes = Math.max(known, itemBytes(input.Item ?? {}));
		return { table, requests: 1, items: 1, writeUnits: writeUnits(bytes), failedConditions: 1 };
	}

	#put(table: string, input: Input, output: Output): Charge {
		const item = input.Item ?? {};
		const known = this.#demandsAbsence(table, input) ? undefined : this.#tables.find(table, item);
		const estimate = writeUnits(Math.max(itemBytes(item), known?.bytes ?? 0));
		const indexWriteUnits = this.#indexUnits(table, output.Attributes ?? known?.attributes, item);
		this.#tables.learn(table, item);
		return { table, requests: 1, items: 1, writeUnits: consumed(output, table, "write") ?? estimate, indexWriteUnits };
	}

	/** What is assumed of an item that an update finds: of one never seen, what costs more. */
	#before(table: string, input: Input, touched: Set<string>): WireItem {
		const known = this.#tables.find(table, input.Key ?? {})?.attributes;
		if (known) return known;
		if (this.#demandsAbsence(table, input)) return {};
		const assumed: WireItem = { ...input.Key };
		for (const name of indexAttributes(this.#tables.schema(table))) {
			assumed[name] ??= touched.has(name) ? CHANGED : UNKNOWN;
		}
		return assumed;
	}

	#update(table: string, input: Input, output: Output): Charge {
		if (!input.UpdateExpression) throw new Error("The meter reads UpdateExpression only.");
		const key = input.Key ?? {};
		const touched = touchedAttributes(input);
		const oldItem = input.ReturnValues === "ALL_OLD" ? output.Attributes : undefined;
		const newItem = input.ReturnValues === "ALL_NEW" ? output.Attributes : undefined;
		const before = oldItem ?? this.#before(table, input, touched);
		const after = newItem ?? applyUpdate({ ...key, ...before }, input);
		const given = Object.values(input.ExpressionAttributeValues ?? {}).reduce((sum, v) => sum + valueBytes(v), 0);
		const oldBytes = oldItem ? itemBytes(oldItem) : (this.#tables.find(table, key)?.bytes ?? itemBytes(key));
		const newBytes = newItem ? itemBytes(newItem) : oldBytes + given;
		const used = consumed(output, table, "write");
		const indexWriteUnits = this.#indexUnits(table, before, after, touched);
		// Values replaced are not subtracted from the estimate: what the service says keeps it from growing for ever.
		const bytes = Math.min(newBytes, used === undefined ? newBytes : used * WRITE_UNIT_BYTES);
		this.#tables.remember(table, key, { attributes: after, bytes });
		const estimate = writeUnits(Math.max(oldBytes, newBytes));
		return { table, requests: 1, items: 1, writeUnits: used ?? estimate, indexWriteUnits };
	}

	#delete(table: string, input: Input, output: Output): Charge {
		const key = input.Key ?? {};
		const known = this.#tables.find(table, key);
		const bytes = output.Attributes ? itemBytes(output.Attributes) : (known?.bytes ?? 0);
		const indexWriteUnits = this.#indexUnits(table, output.Attributes ?? known?.attributes, undefined);
		this.#tables.forget(table, key);
		const used = consumed(output, table, "write");
		return { table, requests: 1, items: 1, writeUnits: used ?? writeUnits(bytes), indexWriteUnits };
	}

	#batchWrite(input: Input, output: Output | undefined): Charge[] {
		return Object.entries((input.RequestItems ?? {}) as BatchWrites).flatMap(([table, writes]): Charge[] => {
			if (!output) return [{ table, requests: 1 }];
			const left = new Set((output.UnprocessedItems?.[table] ?? []).map((write) => JSON.stringify(write)));
			const done = writes.filter((write) => !left.has(JSON.stringify(write)));
			const charges = done.map(({ PutRequest, DeleteRequest }) =>
				PutRequest
					? this.#put(table, { Item: PutRequest.Item }, {})
					: this.#delete(table, { Key: DeleteRequest?.Key ?? {} }, {}),
			);
			return [{ table, requests: 1 }, ...charges.map((charge) => ({ ...charge, requests: 0 }))];
		});
	}

	#get(table: string, input: Input, output: Output): Charge {
		const known = this.#tables.find(table, input.Key ?? {})?.bytes ?? 0;
		const bytes = input.ProjectionExpression ? known : itemBytes(output.Item ?? {});
		const estimate = readUnits(bytes, input.ConsistentRead === true);
		if (output.Item && !input.ProjectionExpression) this.#tables.learn(table, output.Item);
		return { table, requests: 1, items: 1, readUnits: consumed(output, table, "read") ?? estimate };
	}

	#batchGet(input: Input, output: Output | undefined): Charge[] {
		return Object.entries((input.RequestItems ?? {}) as BatchKeys).map(([table, wanted]): Charge => {
			if (!output) return { table, requests: 1 };
			const consistent = wanted.ConsistentRead === true;
			const found = output.Responses?.[table] ?? [];
			const items = wanted.Keys.length - (output.UnprocessedKeys?.[table]?.Keys?.length ?? 0);
			const units = found.reduce((sum, item) => sum + readUnits(itemBytes(item), consistent), 0);
			const estimate = units + (items - found.length) * readUnits(0, consistent);
			if (!wanted.ProjectionExpression) for (const item of found) this.#tables.learn(table, item);
			return { table, requests: 1, items, readUnits: consumed(output, table, "read") ?? estimate };
		});
	}

	#query(table: string, input: Input, output: Output): Charge {
		const found = output.Items ?? [];
		const bytes = found.reduce((sum, item) => sum + itemBytes(item), 0);
		const estimate = readUnits(bytes, input.ConsistentRead === true);
		const whole = !input.IndexName && !input.ProjectionExpression && !input.Select;
		if (whole) for (const item of found) this.#tables.learn(table, item);
		// Nothing found costs the least there is; emulators say 0.
		const said = Math.max(consumed(output, table, "read") ?? 0, readUnits(0, input.ConsistentRead === true));
		const used = output.ConsumedCapacity === undefined ? estimate : said;
		return { table, requests: 1, items: found.length, readUnits: used };
	}
}

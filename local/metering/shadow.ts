import { itemBytes, type WireItem } from "./item-size.ts";
import { type CreateTable, indexAttributes, keyOf, type TableSchema, tableSchema } from "./schema.ts";

/** What is remembered of an item: its key, the attributes of index keys, and its size. */
export interface Shadow {
	attributes: WireItem;
	bytes: number;
}

/** The items that a meter has seen, as far as the cost of later statements depends on them. */
export class ShadowTables {
	readonly #schemas = new Map<string, TableSchema>();
	readonly #items = new Map<string, Map<string, Shadow>>();

	addTable(input: CreateTable): void {
		this.#schemas.set(input.TableName ?? "", tableSchema(input));
		this.#items.set(input.TableName ?? "", new Map());
	}

	schema(table: string): TableSchema {
		const schema = this.#schemas.get(table);
		if (!schema) throw new Error(`The meter was not told of the table ${table}.`);
		return schema;
	}

	/** @returns undefined for an item never seen, or deleted */
	find(table: string, key: WireItem): Shadow | undefined {
		return this.#items.get(table)?.get(keyOf(this.schema(table), key));
	}

	remember(table: string, key: WireItem, shadow: Shadow): void {
		const schema = this.schema(table);
		const wanted = indexAttributes(schema);
		const attributes = Object.fromEntries(
			Object.entries(shadow.attributes).filter(([name]) => wanted.has(name) || schema.key.includes(name)),
		);
		this.#items.get(table)?.set(keyOf(schema, key), { attributes, bytes: shadow.bytes });
	}

	/** A whole item, as written or read. */
	learn(table: string, item: WireItem): void {
		this.remember(table, item, { attributes: item, bytes: itemBytes(item) });
	}

	forget(table: string, key: WireItem): void {
		this.#items.get(table)?.delete(keyOf(this.schema(table), key));
	}
}

import type { WireItem } from "./item-size.ts";

/** An index as far as its writes depend on it. */
export interface IndexSchema {
	name: string;
	/** Attributes of its key. */
	key: string[];
	/** What it carries beside the keys. */
	projection: "KEYS_ONLY" | "ALL" | string[];
}
export interface TableSchema {
	key: string[];
	indexes: IndexSchema[];
}

/** The part of CreateTable's input that is read here. */
export interface CreateTable {
	TableName?: string | undefined;
	KeySchema?: { AttributeName?: string | undefined }[] | undefined;
	GlobalSecondaryIndexes?:
		| {
				IndexName?: string | undefined;
				KeySchema?: { AttributeName?: string | undefined }[] | undefined;
				Projection?: { ProjectionType?: string | undefined; NonKeyAttributes?: string[] | undefined } | undefined;
		  }[]
		| undefined;
}

const names = (schema: { AttributeName?: string | undefined }[] = []): string[] =>
	schema.map(({ AttributeName }) => AttributeName ?? "");

/** What a CreateTable says of keys and indexes. */
export const tableSchema = (input: CreateTable): TableSchema => ({
	key: names(input.KeySchema),
	indexes: (input.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => ({
		name: IndexName ?? "",
		key: names(KeySchema),
		projection:
			Projection?.ProjectionType === "ALL"
				? "ALL"
				: Projection?.ProjectionType === "INCLUDE"
					? (Projection.NonKeyAttributes ?? [])
					: "KEYS_ONLY",
	})),
});

/** The item's place in its table as a text. */
export const keyOf = (schema: TableSchema, item: WireItem): string =>
	schema.key.map((name) => JSON.stringify(item[name] ?? null)).join("|");

/** Attributes that decide about index writes: those of the indexes' keys. */
export const indexAttributes = (schema: TableSchema): Set<string> => new Set(schema.indexes.flatMap(({ key }) => key));

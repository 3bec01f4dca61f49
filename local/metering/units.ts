import { itemBytes, type Wire, type WireItem } from "./item-size.ts";
import type { IndexSchema } from "./schema.ts";
import { CHANGED } from "./update-expression.ts";

export const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/** Write units of an item of so many bytes: one for each KB begun. */
export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

/** Read units for so many bytes: one for each 4 KB begun, half of it where the read may be stale. Nothing found costs as one. */
export const readUnits = (bytes: number, consistent: boolean): number =>
	Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) / (consistent ? 1 : 2);

const same = (a: Wire | undefined, b: Wire | undefined): boolean =>
	a !== CHANGED && b !== CHANGED && JSON.stringify(a) === JSON.stringify(b);

/**
 * Write units of one index for one change of an item: one entry put, deleted or rewritten, two where its key changes.
 * @param before the item, or undefined where there was none; `after` likewise
 * @param touched attributes that the statement names; undefined: all
 */
export const indexUnits = (
	index: IndexSchema,
	tableKey: string[],
	before: WireItem | undefined,
	after: WireItem | undefined,
	touched: Set<string> | undefined,
): number => {
	const has = (item: WireItem | undefined): item is WireItem =>
		item !== undefined && index.key.every((name) => item[name] !== undefined);
	const projected = (name: string): boolean =>
		index.projection === "ALL" || (index.projection !== "KEYS_ONLY" && index.projection.includes(name));
	const carries = (name: string): boolean => index.key.includes(name) || tableKey.includes(name) || projected(name);
	const entryUnits = (item: WireItem): number =>
		writeUnits(itemBytes(Object.fromEntries(Object.entries(item).filter(([name]) => carries(name)))));

	if (!has(before)) return has(after) ? entryUnits(after) : 0;
	if (!has(after)) return entryUnits(before);
	if (index.key.some((name) => !same(before[name], after[name]))) return entryUnits(before) + entryUnits(after);
	const rewritten =
		touched === undefined
			? index.projection !== "KEYS_ONLY"
			: [...touched].some((name) => projected(name) && !tableKey.includes(name));
	return rewritten ? entryUnits(after) : 0;
};

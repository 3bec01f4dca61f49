import { parse } from "csv-parse/sync";
import { VARIABLE_NAME_PATTERN } from "../contract/call.ts";
import type { RawRow } from "./rows.ts";
import { ListError } from "./split.ts";

/** What a column holds: the number, the contact's own id, or a variable. */
export type Column = { field: "number" | "id" } | { field: "var"; name: string };

export const DELIMITERS = [",", ";", "\t"] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Columns of the design's contacts that are not built yet: taken for variables they would be ignored silently. */
const NOT_BUILT_COLUMNS = ["timezone", "numbers"];

const cellsOf = (text: string, delimiter: Delimiter): string[][] =>
	parse(text, {
		delimiter,
		record_delimiter: ["\r\n", "\n"],
		relax_column_count: true,
		skip_empty_lines: true,
	});

/** The delimiter that the header uses most; a header of one column has none. */
export const delimiterOf = (header: string): Delimiter => {
	const uses = (delimiter: Delimiter): number => header.split(delimiter).length;
	return DELIMITERS.reduce((best, next) => (uses(next) > uses(best) ? next : best));
};

/** Reads the header; throws {@link ListError} where the list cannot be read by it. */
export const columnsOf = (header: string, delimiter: Delimiter): Column[] => {
	let names: string[];
	try {
		names = cellsOf(header, delimiter)[0] ?? [];
	} catch (error) {
		throw new ListError(`The header cannot be read: ${(error as Error).message}`, { cause: error });
	}
	if (!names.some((cell) => cell.trim().toLowerCase() === "number")) {
		const found = names.map((name) => JSON.stringify(name.slice(0, 40))).join(", ");
		throw new ListError(`The first line must be a header with a column \`number\`; it has ${found || "nothing"}.`);
	}
	const columns = names.map((cell): Column => {
		const name = cell.trim();
		const lower = name.toLowerCase();
		if (lower === "number" || lower === "id") return { field: lower };
		if (NOT_BUILT_COLUMNS.includes(lower)) throw new ListError(`The column \`${name}\` is not built yet.`);
		const variable = name.startsWith("vars.") ? name.slice("vars.".length) : name;
		if (!VARIABLE_NAME_PATTERN.test(variable)) {
			throw new ListError(
				`The column ${JSON.stringify(name.slice(0, 80))} can be no variable: its name must be a letter, then up to 63 letters, digits or _.`,
			);
		}
		return { field: "var", name: variable };
	});
	const keys = columns.map((column) => (column.field === "var" ? `vars.${column.name}` : column.field));
	const twice = keys.find((key, i) => keys.indexOf(key) !== i);
	if (twice) throw new ListError(`The column \`${twice}\` is there twice.`);
	return columns;
};

const rowOf = (line: number, cells: string[], columns: Column[]): RawRow => {
	if (cells.length !== columns.length) {
		const number = cells[columns.findIndex((column) => column.field === "number")];
		return {
			line,
			broken: `has ${cells.length} fields, the header has ${columns.length}`,
			...(number === undefined ? {} : { number }),
		};
	}
	const value: { number?: string; id?: string } = {};
	const vars: [string, string][] = [];
	for (const [i, column] of columns.entries()) {
		const cell = cells[i] ?? "";
		if (column.field === "number") value.number = cell.trim();
		else if (column.field === "var") {
			// An empty cell is a variable that this contact does not have.
			if (cell !== "") vars.push([column.name, cell]);
		} else if (cell.trim() !== "") value.id = cell.trim();
	}
	return { line, value: vars.length > 0 ? { ...value, vars: Object.fromEntries(vars) } : value };
};

/** One record: its line and its text. */
export interface CsvRecord {
	line: number;
	text: string;
}

const parseOne = (record: CsvRecord, delimiter: Delimiter, columns: Column[]): RawRow => {
	try {
		const rows = cellsOf(record.text, delimiter);
		if (rows.length === 1) return rowOf(record.line, rows[0] as string[], columns);
		return { line: record.line, broken: "is no CSV record" };
	} catch (error) {
		return { line: record.line, broken: `is no CSV record: ${(error as Error).message}` };
	}
};

/** Reads records; a bad one is named and does not touch the others. */
export const parseCsvRecords = (records: CsvRecord[], delimiter: Delimiter, columns: Column[]): RawRow[] => {
	try {
		// All at once is ten times faster; it is right where it finds exactly the records that were cut.
		const all = cellsOf(records.map((record) => record.text).join("\n"), delimiter);
		if (all.length === records.length) {
			return records.map((record, i) => rowOf(record.line, all[i] as string[], columns));
		}
	} catch {
		// One of them is bad: below, each is read by itself, and the bad one is named.
	}
	return records.map((record) => parseOne(record, delimiter, columns));
};

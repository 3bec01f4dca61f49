import { parse } from "csv-parse/sync";
import { VARIABLE_NAME_PATTERN } from "../contract/call.ts";
import { type ContactNumber, MAX_NUMBERS } from "../contract/campaign.ts";
import type { RawRow } from "./rows.ts";
import { ListError } from "./split.ts";

/** What a column holds. */
export type Column =
	/** A number of the contact, or what it is; `at`: which of its numbers, absent: the first. */
	| { field: "number" | "kind"; at?: number }
	| { field: "id" | "timeZone" | "consentAt" | "consentKind" }
	| { field: "var"; name: string };

export const DELIMITERS = [",", ";", "\t"] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Columns with a meaning of their own, in small letters. A variable of such a name is written `vars.consent_at`. */
const OWN_COLUMNS: Record<string, Column> = {
	number: { field: "number" },
	id: { field: "id" },
	time_zone: { field: "timeZone" },
	timezone: { field: "timeZone" },
	consent_at: { field: "consentAt" },
	consent_kind: { field: "consentKind" },
};

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

/**
 * What a column of the first number or of a further one holds; undefined where the name is neither.
 * @param several whether the header has columns for further numbers: without them `kind` is a variable
 */
const numberColumn = (lower: string, several: boolean): Column | undefined => {
	const [, field, place] = /^(number|kind)(?:_(\d+))?$/.exec(lower) ?? [];
	if (field === undefined || (field === "kind" && !several)) return undefined;
	const n = Number(place ?? 1);
	if (place !== undefined && (n < 2 || n > MAX_NUMBERS || place.startsWith("0"))) {
		throw new ListError(
			`The column \`${lower}\` is none: a contact's numbers are \`number\`, then \`number_2\` to \`number_${MAX_NUMBERS}\`. A variable of this name is written \`vars.${lower}\`.`,
		);
	}
	return { field: field as "number" | "kind", ...(n > 1 ? { at: n - 1 } : {}) };
};

const columnOf = (name: string, several: boolean): Column => {
	const lower = name.toLowerCase();
	if (lower === "numbers") {
		throw new ListError(
			"The column `numbers` is none: each number has a column of its own, `number`, `number_2` … A variable of this name is written `vars.numbers`.",
		);
	}
	const own = OWN_COLUMNS[lower] ?? numberColumn(lower, several);
	if (own) return own;
	const variable = name.startsWith("vars.") ? name.slice("vars.".length) : name;
	if (!VARIABLE_NAME_PATTERN.test(variable)) {
		throw new ListError(
			`The column ${JSON.stringify(name.slice(0, 80))} can be no variable: its name must be a letter, then up to 63 letters, digits or _.`,
		);
	}
	return { field: "var", name: variable };
};

/** A column as the header calls it. */
const nameOfColumn = (column: Column): string => {
	if (column.field === "var") return `vars.${column.name}`;
	if (column.field === "number" || column.field === "kind") {
		return column.at ? `${column.field}_${column.at + 1}` : column.field;
	}
	return Object.keys(OWN_COLUMNS).find((name) => OWN_COLUMNS[name]?.field === column.field) ?? column.field;
};

const withoutNumber = (names: readonly string[]): ListError => {
	const found = names.map((name) => JSON.stringify(name.slice(0, 40))).join(", ");
	return new ListError(`The first line must be a header with a column \`number\`; it has ${found || "nothing"}.`);
};

/** Reads the header; throws {@link ListError} where the list cannot be read by it. */
export const columnsOf = (header: string, delimiter: Delimiter): Column[] => {
	let names: string[];
	try {
		names = (cellsOf(header, delimiter)[0] ?? []).map((cell) => cell.trim());
	} catch (error) {
		throw new ListError(`The header cannot be read: ${(error as Error).message}`, { cause: error });
	}
	// Before anything is said of other columns: it may be no list at all.
	if (!names.some((name) => /^number(_\d+)?$/i.test(name))) throw withoutNumber(names);
	const several = names.some((name) => /^number_\d+$/i.test(name));
	const columns = names.map((name) => columnOf(name, several));
	const keys = columns.map(nameOfColumn);
	const twice = keys.find((key, i) => keys.indexOf(key) !== i);
	if (twice) throw new ListError(`The column \`${twice}\` is there twice.`);
	if (!keys.includes("number")) throw withoutNumber(names);
	const lonely = keys.find((key) => key.startsWith("kind") && !keys.includes(key.replace("kind", "number")));
	if (lonely) {
		throw new ListError(
			`The column \`${lonely}\` has no \`${lonely.replace("kind", "number")}\` beside it. A variable of this name is written \`vars.${lonely}\`.`,
		);
	}
	if (keys.includes("consent_at") !== keys.includes("consent_kind")) {
		throw new ListError(
			"The columns `consent_at` and `consent_kind` go together. Variables of these names are written `vars.consent_at` and `vars.consent_kind`.",
		);
	}
	return columns;
};

/** What a CSV calls a field of a row's value. @param places the column that each of the row's numbers came from, from 0 */
export const columnOfPath = (path: string, places: readonly number[]): string => {
	const [, index, rest] = /^numbers\[(\d+)\](?:\.(kind|number))?$/.exec(path) ?? [];
	if (index !== undefined) {
		return nameOfColumn({ field: rest === "kind" ? "kind" : "number", at: places[Number(index)] ?? 0 });
	}
	return { timeZone: "time_zone", "consent.at": "consent_at", "consent.kind": "consent_kind" }[path] ?? path;
};

const rowOf = (line: number, cells: string[], columns: Column[]): RawRow => {
	if (cells.length !== columns.length) {
		const number = cells[columns.findIndex((column) => column.field === "number" && !column.at)];
		return {
			line,
			broken: `has ${cells.length} fields, the header has ${columns.length}`,
			...(number === undefined ? {} : { number }),
		};
	}
	const numbers: string[] = [];
	const kinds: string[] = [];
	const value: Record<string, unknown> = {};
	const consent: Record<string, string> = {};
	const vars: [string, string][] = [];
	for (const [i, column] of columns.entries()) {
		const cell = cells[i] ?? "";
		const text = cell.trim();
		// An empty cell is something that this contact does not have.
		if (column.field === "var") {
			if (cell !== "") vars.push([column.name, cell]);
		} else if (text === "") continue;
		else if (column.field === "number") numbers[column.at ?? 0] = text;
		else if (column.field === "kind") kinds[column.at ?? 0] = text;
		else if (column.field === "consentAt") consent["at"] = text;
		else if (column.field === "consentKind") consent["kind"] = text;
		else value[column.field] = text;
	}
	// Places that were left empty are no keys of the array.
	const places = Object.keys(numbers).map(Number);
	const list = places.map(
		(place): ContactNumber => ({
			number: numbers[place] as string,
			...(kinds[place] === undefined ? {} : { kind: kinds[place] }),
		}),
	);
	const [only] = list;
	const isPlain = list.length === 0 || (list.length === 1 && only?.kind === undefined && places[0] === 0);
	const hasConsent = Object.keys(consent).length > 0;
	return {
		line,
		value: {
			...(isPlain ? { number: only?.number ?? "" } : { numbers: list }),
			...value,
			...(hasConsent ? { consent } : {}),
			...(vars.length > 0 ? { vars: Object.fromEntries(vars) } : {}),
		},
		...(isPlain && !hasConsent && value["timeZone"] === undefined ? {} : { places }),
	};
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

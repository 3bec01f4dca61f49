import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { openList, parseList, parseRecords, splitterFor } from "../../../shared/contacts/parse.ts";
import type { RawRow } from "../../../shared/contacts/rows.ts";
import { ListError, type ListFormat, MAX_RECORD_BYTES, type RecordRange } from "../../../shared/contacts/split.ts";

const readInPieces = (bytes: Uint8Array, format: ListFormat, pieces: number[], perChunk: number): RawRow[] => {
	const start = openList(bytes, true, format);
	const splitter = splitterFor(start, start);
	const ranges: RecordRange[] = [];
	let at = start.offset;
	for (const piece of pieces) {
		ranges.push(...splitter.push(bytes.subarray(at, at + piece)));
		at += piece;
	}
	ranges.push(...splitter.push(bytes.subarray(at)), ...splitter.end());
	// As the import does it: runs of records, each read alone.
	const rows: RawRow[] = [];
	for (let i = 0; i < ranges.length; i += perChunk) {
		const chunk = ranges.slice(i, i + perChunk);
		const [first, last] = [chunk[0] as RecordRange, chunk.at(-1) as RecordRange];
		const part = bytes.subarray(first.start, last.end);
		const again = splitterFor(start, { offset: first.start, line: first.line });
		const own = [...again.push(part), ...again.end()];
		rows.push(...parseRecords(start, part, first.start, own));
	}
	return rows;
};

const text = fc.stringMatching(/^[a-z "',;\n\r\\{}[\]ü€]{0,12}$/);
const list = fc.array(fc.record({ number: text, id: text, a: text }), { minLength: 1, maxLength: 12 });
const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;
const writers: Record<ListFormat, (rows: Record<string, string>[]) => string> = {
	csv: (rows) => ["number,id,a", ...rows.map((row) => Object.values(row).map(quoted).join(","))].join("\r\n"),
	ndjson: (rows) => rows.map((row) => JSON.stringify(row)).join("\n"),
	json: (rows) => JSON.stringify(rows, null, 1),
};

describe.each(["csv", "ndjson", "json"] as const)("%s", (format) => {
	test("whatever the pieces and the chunks, the rows are those of the list", () => {
		fc.assert(
			fc.property(
				list,
				fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 }),
				fc.integer({ min: 1, max: 5 }),
				fc.boolean(),
				(rows, pieces, perChunk, bom) => {
					const bytes = Buffer.from((bom ? "\uFEFF" : "") + writers[format](rows));
					const whole = parseList(bytes, format);
					expect(whole).toHaveLength(rows.length);
					expect(readInPieces(bytes, format, pieces, perChunk)).toEqual(whole);
					for (const [i, row] of rows.entries()) {
						const value = (whole[i] as { value?: unknown }).value as {
							number: string;
							id?: string;
							vars?: { a: string };
						};
						if (format === "csv") expect(value.vars?.a ?? "").toBe(row.a);
						else expect(value).toEqual(row);
					}
				},
			),
		);
	});
	test("any bytes are read or refused, the same in pieces, and never crash", () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ maxLength: 200 }),
				fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }),
				(noise, pieces) => {
					const head = { csv: "number,a\n", ndjson: "", json: "[" }[format];
					const bytes = Buffer.concat([Buffer.from(head), noise]);
					const read = (how: () => RawRow[]): RawRow[] | string => {
						try {
							return how();
						} catch (error) {
							if (error instanceof ListError) return error.message;
							throw error;
						}
					};
					const once = read(() => readInPieces(bytes, format, [], 3));
					expect(read(() => readInPieces(bytes, format, pieces, 3))).toEqual(once);
				},
			),
		);
	});
});

describe("records without an end", () => {
	const rowsOf = (csv: string): RawRow[] => readInPieces(Buffer.from(csv), "csv", [100, 5_000, 70_000], 4);
	test("an unclosed quote costs its own line only", () => {
		const good = Array.from({ length: 5_000 }, (_, n) => `${n},text that fills the line a little`);
		const rows = rowsOf(["number,a", "1,x", '2,"open', ...good].join("\n"));
		expect(rows).toHaveLength(5_002);
		expect(rows[1]).toEqual({ line: 3, broken: "a quote is opened and not closed" });
		expect(rows[2]).toMatchObject({ line: 4, value: { number: "0" } });
		expect(rows.filter((row) => row.broken !== undefined)).toHaveLength(1);
	});
	test("a line that is too long is one bad row", () => {
		const rows = rowsOf(["number,a", "1,x", `2,${"y".repeat(MAX_RECORD_BYTES * 3)}`, "3,z", ""].join("\n"));
		expect(rows.map((row) => [row.line, row.broken])).toEqual([
			[2, undefined],
			[3, `is longer than ${MAX_RECORD_BYTES} bytes`],
			[4, undefined],
		]);
	});
	test("a list in which every line opens a quote is no CSV", () => {
		// Read from outside or from inside quotes, such a line ends inside.
		const lines = Array.from({ length: 300 }, () => `a","${"b".repeat(1_000)}`);
		expect(() => rowsOf(["number,a", ...lines].join("\n"))).toThrow(ListError);
	});
});

test("the delimiter is found, and columns are named", () => {
	expect(parseList(Buffer.from("Number;ID;vars.a\n1; x ;b\n"), "csv")).toEqual([
		{ line: 2, value: { number: "1", id: "x", vars: { a: "b" } } },
	]);
	expect(parseList(Buffer.from("number\ta\n 1 \t\n"), "csv")).toEqual([{ line: 2, value: { number: "1" } }]);
});

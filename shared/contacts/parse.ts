import { isUtf8 } from "node:buffer";
import { findHiddenField } from "../validation/hidden-field.ts";
import { type Column, columnsOf, type Delimiter, delimiterOf, parseCsvRecords } from "./csv.ts";
import type { RawRow } from "./rows.ts";
import { ListError, type ListFormat, type RecordRange, RecordSplitter } from "./split.ts";

/** How to read a list: found once at its beginning, then used for every part of it. */
export interface ListShape {
	format: ListFormat;
	delimiter?: Delimiter;
	columns?: Column[];
}

/** Where the first record begins. */
export interface ListStart extends ListShape {
	offset: number;
	line: number;
}

const BOM = [0xef, 0xbb, 0xbf];

const skipSpace = (bytes: Uint8Array, from: number): number => {
	let i = from;
	while (i < bytes.length && [32, 9, 10, 13].includes(bytes[i] as number)) i++;
	return i;
};

const formatOf = (first: number | undefined): ListFormat => {
	if (first === 0x5b) return "json";
	return first === 0x7b ? "ndjson" : "csv";
};

/**
 * Looks at the beginning of a list: byte-order mark, format, header.
 * @param head the first bytes, at least the header of a CSV
 * @param whole whether `head` is the whole list
 * @throws ListError where the list as a whole cannot be read
 */
export const openList = (head: Uint8Array, whole: boolean, wanted?: ListFormat): ListStart => {
	if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
		throw new ListError("The list is UTF-16. Save it as UTF-8.");
	}
	const begin = BOM.every((byte, i) => head[i] === byte) ? BOM.length : 0;
	const content = skipSpace(head, begin);
	if (content === head.length) throw new ListError("The list is empty.");
	const format = wanted ?? formatOf(head[content]);
	if (format === "ndjson") return { format, offset: begin, line: 1 };
	if (format === "json") {
		if (head[content] !== 0x5b) throw new ListError("The list must be a JSON array: it does not begin with [.");
		return { format, offset: content + 1, line: 1 };
	}
	const splitter = new RecordSplitter({ format: "ndjson", offset: begin, line: 1 });
	const [header] = [...splitter.push(head.subarray(begin)), ...(whole ? splitter.end() : [])];
	if (!header || header.broken) throw new ListError("The first line is no header: it is longer than 64 KB.");
	const bytes = head.subarray(header.start, header.end);
	if (!isUtf8(bytes)) throw new ListError("The header is not UTF-8. Save the list as UTF-8.");
	const text = Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
	const delimiter = delimiterOf(text);
	return {
		format,
		delimiter,
		columns: columnsOf(text, delimiter),
		offset: header.end + 1,
		line: header.line + 1,
	};
};

const parseJsonText = (record: { line: number; text: string }): RawRow => {
	try {
		const value: unknown = JSON.parse(record.text);
		const hidden = findHiddenField(value);
		return hidden === undefined
			? { line: record.line, value }
			: { line: record.line, broken: `${hidden}: is not a known field` };
	} catch (error) {
		return { line: record.line, broken: `is not valid JSON: ${(error as Error).message}` };
	}
};

/**
 * Reads the records that were cut out of `bytes`.
 * @param base where `bytes` begins, counted as in the ranges
 */
export const parseRecords = (shape: ListShape, bytes: Uint8Array, base: number, ranges: RecordRange[]): RawRow[] => {
	const allUtf8 = isUtf8(bytes);
	const broken: RawRow[] = [];
	const records: { line: number; text: string }[] = [];
	for (const range of ranges) {
		const slice = bytes.subarray(range.start - base, range.end - base);
		if (range.broken !== undefined) broken.push({ line: range.line, broken: range.broken });
		else if (!allUtf8 && !isUtf8(slice)) {
			broken.push({ line: range.line, broken: "is not UTF-8 (Latin-1?). Save the list as UTF-8" });
		} else {
			const text = Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength).toString("utf8");
			records.push({ line: range.line, text: text.endsWith("\r") ? text.slice(0, -1) : text });
		}
	}
	const read =
		shape.format === "csv" && shape.delimiter && shape.columns
			? parseCsvRecords(records, shape.delimiter, shape.columns)
			: records.map(parseJsonText);
	return broken.length === 0 ? read : [...read, ...broken].sort((a, b) => a.line - b.line);
};

/** A splitter that goes on where a list, or a part of it, begins. */
export const splitterFor = (shape: ListShape, at: { offset: number; line: number }): RecordSplitter =>
	new RecordSplitter({
		format: shape.format,
		offset: at.offset,
		line: at.line,
		...(shape.delimiter ? { delimiter: shape.delimiter.charCodeAt(0) } : {}),
	});

/** Reads a whole list that is in memory; throws {@link ListError} where it cannot be read as a whole. */
export const parseList = (bytes: Uint8Array, format: ListFormat): RawRow[] => {
	const start = openList(bytes, true, format);
	if (format === "json") return parseJsonArray(bytes);
	const splitter = splitterFor(start, start);
	const ranges = [...splitter.push(bytes.subarray(start.offset)), ...splitter.end()];
	return parseRecords(start, bytes, 0, ranges);
};

/** A JSON array in memory is read at once: a mistake anywhere is the caller's, and nothing of it is taken. */
const parseJsonArray = (bytes: Uint8Array): RawRow[] => {
	if (!isUtf8(bytes)) throw new ListError("The body is not UTF-8.");
	let value: unknown;
	try {
		value = JSON.parse(
			Buffer.from(bytes)
				.toString("utf8")
				.replace(/^\uFEFF/, ""),
		);
	} catch (error) {
		throw new ListError(`The body is not valid JSON: ${(error as Error).message}`, { cause: error });
	}
	if (!Array.isArray(value)) throw new ListError("The list must be a JSON array.");
	const hidden = findHiddenField(value);
	if (hidden !== undefined) throw new ListError(`${hidden}: is not a known field.`);
	return value.map((element: unknown, i) => ({ line: i + 1, value: element }));
};

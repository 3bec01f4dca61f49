/**
 * Cuts a list into records without understanding them, in constant memory: byte ranges with the line (or, in a JSON array,
 * the number) of each. A chunk of an upload is a run of such ranges, so that it can be read and parsed alone.
 */

export type ListFormat = "csv" | "ndjson" | "json";

export interface RecordRange {
	/** First byte and the byte after the last, counted from the beginning of the object. */
	start: number;
	end: number;
	/** Physical line where it begins; in a JSON array which element it is. Both from 1. */
	line: number;
	/** It cannot be a record: why. */
	broken?: string;
}

/** No honest record is so long (a contact's variables take 512 bytes); bounds the memory of the splitter. */
export const MAX_RECORD_BYTES = 64 * 1024;
/** Each unclosed quote costs a look at so many bytes: a list of nothing else is no CSV. */
const MAX_UNCLOSED = 100;

/** The list as a whole cannot be read. */
export class ListError extends Error {
	override readonly name = "ListError";
}

const LF = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const isSpace = (byte: number): boolean => byte === 32 || byte === 9 || byte === 13 || byte === LF;

/** How one look at the buffer ended: a record, an end of the list, or too few bytes to say. */
type Scan = { begin?: number; end: number; next: number } | { done: true; next: number } | undefined;

const scanLine = (bytes: Uint8Array, from: number, final: boolean): Scan => {
	const at = bytes.indexOf(LF, from);
	if (at >= 0) return { end: at, next: at + 1 };
	return final ? { end: bytes.length, next: bytes.length } : undefined;
};

/** RFC 4180: a quote opens only at the beginning of a field; within quotes two of them are one. */
const scanCsv = (bytes: Uint8Array, from: number, final: boolean, delimiter: number): Scan => {
	let fieldStart = true;
	let quoted = false;
	for (let i = from; i < bytes.length; i++) {
		const byte = bytes[i] as number;
		if (quoted) {
			if (byte !== QUOTE) continue;
			if (bytes[i + 1] === QUOTE) i++;
			else if (i + 1 === bytes.length && !final) return undefined;
			else quoted = false;
		} else if (byte === LF) {
			return { end: i, next: i + 1 };
		} else if (byte === QUOTE && fieldStart) {
			quoted = true;
			fieldStart = false;
		} else {
			fieldStart = byte === delimiter;
		}
	}
	// A quote that the list's end leaves open is no field: the caller falls back to the line.
	return final && !quoted ? { end: bytes.length, next: bytes.length } : undefined;
};

const scanJson = (bytes: Uint8Array, from: number, final: boolean): Scan => {
	let i = from;
	while (i < bytes.length && (isSpace(bytes[i] as number) || bytes[i] === 0x2c)) i++;
	if (i === bytes.length) return final ? { done: true, next: i } : undefined;
	if (bytes[i] === 0x5d) return { done: true, next: bytes.length };
	const begin = i;
	let depth = 0;
	let inText = false;
	for (; i < bytes.length; i++) {
		const byte = bytes[i] as number;
		if (inText) {
			if (byte === BACKSLASH) i++;
			else if (byte === QUOTE) inText = false;
		} else if (byte === QUOTE) inText = true;
		else if (byte === 0x7b || byte === 0x5b) depth++;
		else if ((byte === 0x7d || byte === 0x5d) && depth > 0) depth--;
		else if (depth === 0 && (byte === 0x2c || byte === 0x5d)) return { begin, end: i, next: i };
	}
	return final ? { begin, end: bytes.length, next: bytes.length } : undefined;
};

const count = (bytes: Uint8Array, from: number, to: number): number => {
	let lines = 0;
	for (let at = bytes.indexOf(LF, from); at >= 0 && at < to; at = bytes.indexOf(LF, at + 1)) lines++;
	return lines;
};

const isBlank = (bytes: Uint8Array, from: number, to: number): boolean => {
	for (let i = from; i < to; i++) if (!isSpace(bytes[i] as number)) return false;
	return true;
};

export interface SplitStart {
	format: ListFormat;
	/** Byte where a record begins, and its line. */
	offset: number;
	line: number;
	/** CSV only: the delimiter's code. */
	delimiter?: number;
}

export class RecordSplitter {
	readonly #format: ListFormat;
	readonly #delimiter: number;
	/** Bytes of the record that is not complete yet. */
	#rest: Uint8Array = new Uint8Array(0);
	/** Where `#rest` begins. */
	#offset: number;
	#line: number;
	/** Within a line that was found too long: skip to its end. */
	#skipping = false;
	#done = false;
	#unclosed = 0;

	constructor(start: SplitStart) {
		this.#format = start.format;
		this.#delimiter = start.delimiter ?? 0x2c;
		this.#offset = start.offset;
		this.#line = start.line;
	}

	/** Where the next record begins. */
	get position(): { offset: number; line: number } {
		return { offset: this.#offset, line: this.#line };
	}

	/** Whether a splitter made anew at {@link position} would go on just as this one. */
	get restartable(): boolean {
		return !this.#skipping;
	}

	/** Takes the next bytes, gives the records that they complete. */
	push(bytes: Uint8Array): RecordRange[] {
		return this.#scan(this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes, false);
	}

	/** Gives what is left at the end of the list. */
	end(): RecordRange[] {
		return this.#scan(this.#rest, true);
	}

	#scan(bytes: Uint8Array, final: boolean): RecordRange[] {
		const records: RecordRange[] = [];
		let from = 0;
		const advance = (next: number): void => {
			this.#line += this.#format === "json" ? 0 : count(bytes, from, next);
			from = next;
		};
		const emit = (end: number, next: number, broken?: string, begin = from): void => {
			if (!isBlank(bytes, begin, end)) {
				const range = { start: this.#offset + begin, end: this.#offset + end, line: this.#line };
				records.push(broken === undefined ? range : { ...range, broken });
				if (this.#format === "json") this.#line++;
			}
			advance(next);
		};
		while (from < bytes.length && !this.#done) {
			if (this.#skipping) {
				const line = scanLine(bytes, from, final);
				advance(line && "end" in line ? line.next : bytes.length);
				this.#skipping = line === undefined;
				continue;
			}
			const scan = this.#scanOne(bytes, from, final);
			if (scan && "done" in scan) {
				this.#done = true;
				advance(scan.next);
			} else if (scan && scan.end - from <= MAX_RECORD_BYTES) {
				emit(scan.end, scan.next, undefined, scan.begin);
			} else if (scan || final || bytes.length - from > MAX_RECORD_BYTES) {
				this.#breakOff(bytes, from, final, emit);
			} else break;
		}
		this.#rest = this.#done ? new Uint8Array(0) : bytes.slice(from);
		this.#offset += from;
		return records;
	}

	#scanOne(bytes: Uint8Array, from: number, final: boolean): Scan {
		if (this.#format === "csv") return scanCsv(bytes, from, final, this.#delimiter);
		if (this.#format === "ndjson") return scanLine(bytes, from, final);
		return scanJson(bytes, from, final);
	}

	/** A record without an end in sight: its first line alone is bad, what follows is looked at afresh. */
	#breakOff(
		bytes: Uint8Array,
		from: number,
		final: boolean,
		emit: (end: number, next: number, broken: string) => void,
	): void {
		if (this.#format === "json") {
			throw new ListError(`Element ${this.#line} of the array is longer than ${MAX_RECORD_BYTES} bytes.`);
		}
		const line = scanLine(bytes, from, final);
		const tooLong = `is longer than ${MAX_RECORD_BYTES} bytes`;
		if (!line || !("end" in line)) {
			emit(bytes.length, bytes.length, tooLong);
			this.#skipping = true;
		} else if (line.end - from > MAX_RECORD_BYTES) {
			emit(line.end, line.next, tooLong);
		} else {
			if (++this.#unclosed > MAX_UNCLOSED) {
				throw new ListError(
					`Quotes are opened and not closed on ${MAX_UNCLOSED} lines; the last is line ${this.#line}.`,
				);
			}
			emit(line.end, line.next, "a quote is opened and not closed");
		}
	}
}

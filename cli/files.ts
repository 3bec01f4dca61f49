import { createHash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { CliError, usageError } from "./errors.ts";
import type { Io } from "./io.ts";

/** What a list of contacts may be written in, and the type it is sent as. */
export const LIST_TYPES = {
	csv: "text/csv",
	ndjson: "application/x-ndjson",
	json: "application/json",
} as const;
export type ListFormat = keyof typeof LIST_TYPES;

/** A byte-order mark, as Windows programs write it. */
const BOM = "\ufeff";

const cannotRead = (path: string, error: unknown): CliError => {
	const code = (error as NodeJS.ErrnoException).code;
	const reasons: Record<string, string> = {
		ENOENT: "there is no such file",
		EACCES: "you may not read it",
		EISDIR: "it is a folder",
	};
	return new CliError(`${path} cannot be read: ${reasons[code ?? ""] ?? (error as Error).message}.`, {
		code: "file",
		remedy: "check the path",
		cause: error,
	});
};

const readBytes = async (io: Io, path: string): Promise<Buffer> => {
	if (path === "-") return io.readStdin();
	try {
		return await readFile(path);
	} catch (error) {
		throw cannotRead(path, error);
	}
};

/** How a path is called in messages. */
export const nameOf = (path: string): string => (path === "-" ? "standard input" : path);

/** Line and column of an offset in a text, from 1. */
export const placeOf = (text: string, offset: number): { line: number; column: number } => {
	const before = text.slice(0, offset).split("\n");
	return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
};

/** Where JSON.parse stumbled, from its message: an offset, the end of the text, or an excerpt. */
const placeOfMistake = (text: string, message: string): string => {
	const offset = /position (\d+)/.exec(message)?.[1];
	if (offset !== undefined) {
		const { line, column } = placeOf(text, Number(offset));
		return `line ${line}, column ${column}: ${message.replace(/ (in JSON )?at position.*$/s, "")}`;
	}
	return message.includes("end of JSON") ? "at its end: something is missing there" : message.replaceAll("\n", " ");
};

/** Reads a text file, or standard input (`-`). */
export const readText = async (io: Io, path: string): Promise<string> => (await readBytes(io, path)).toString("utf8");

/** Reads a JSON object from a file or from standard input (`-`). */
export const readJsonObject = async (io: Io, path: string): Promise<Record<string, unknown>> => {
	const bytes = await readBytes(io, path);
	const text = bytes.toString("utf8").replace(BOM, "");
	if (text.trim() === "")
		throw new CliError(`${nameOf(path)} is empty.`, { code: "file", remedy: "it must hold a JSON object" });
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch (error) {
		throw new CliError(`${nameOf(path)} is not JSON.`, {
			code: "file",
			where: placeOfMistake(text, (error as Error).message),
			remedy: "mend it there; a comma too many, a missing quote or a comment are the usual causes",
			cause: error,
		});
	}
	if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
		throw new CliError(`${nameOf(path)} must hold one JSON object, { … }.`, { code: "file" });
	}
	return parsed as Record<string, unknown>;
};

/** A list of contacts, ready to be sent. */
export interface ContactList {
	/** For messages. */
	name: string;
	format: ListFormat;
	bytes: number;
	/** The content; of a file it is read while it is sent, so that its size does not matter. */
	blob: Blob;
	/** SHA-256 in hex, over the content. */
	sha256: () => Promise<string>;
}

/** The format: as given, else by the file's ending. */
export const listFormat = (path: string, given: string | undefined): ListFormat => {
	const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase();
	const format = given ?? (ending === "jsonl" ? "ndjson" : ending);
	if (format !== undefined && Object.hasOwn(LIST_TYPES, format)) return format as ListFormat;
	throw usageError(
		`The format of ${nameOf(path)} is not known.`,
		"name it .csv, .ndjson or .json, or say --format csv, ndjson or json",
	);
};

/** Opens a list of contacts; refuses an empty one before anything is sent. */
export const openContactList = async (io: Io, path: string, given: string | undefined): Promise<ContactList> => {
	const format = listFormat(path, given);
	const name = nameOf(path);
	const empty = (): CliError =>
		new CliError(`${name} is empty.`, { code: "file", remedy: "it must hold at least one contact" });
	if (path === "-") {
		const content = await io.readStdin();
		if (content.length === 0) throw empty();
		return {
			name,
			format,
			bytes: content.length,
			blob: new Blob([new Uint8Array(content)]),
			sha256: async () => createHash("sha256").update(content).digest("hex"),
		};
	}
	try {
		const info = await stat(path);
		if (!info.isFile()) throw new CliError(`${path} is not a file.`, { code: "file", remedy: "check the path" });
		if (info.size === 0) throw empty();
		return {
			name,
			format,
			bytes: info.size,
			blob: await openAsBlob(path),
			sha256: async () => {
				const hash = createHash("sha256");
				for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
				return hash.digest("hex");
			},
		};
	} catch (error) {
		if (error instanceof CliError) throw error;
		throw cannotRead(path, error);
	}
};

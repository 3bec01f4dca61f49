import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type JournalStore, JournalWriteError } from "./ports.ts";
import type { JournalRecord } from "./records.ts";

/** Rewritten above this: reading it takes well under a second then. */
const COMPACT_AT_BYTES = 8 * 1_024 * 1_024;
const FILE = "journal.ndjson";

/** The journal has a line that is no record, in the middle: something other than a crash damaged it. */
export class JournalDamagedError extends Error {
	override readonly name = "JournalDamagedError";
}

/** An I/O operation, for tests that make the disk full. */
export interface JournalFs {
	write(file: FileHandle, data: Buffer, position: number): Promise<void>;
	sync(file: FileHandle): Promise<void>;
}

const realFs: JournalFs = {
	write: async (file, data, position) => {
		let done = 0;
		while (done < data.length) {
			const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
			done += bytesWritten;
		}
	},
	sync: (file) => file.datasync(),
};

const syncFolder = async (folder: string): Promise<void> => {
	const handle = await open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

const line = (record: JournalRecord): string => `${JSON.stringify(record)}\n`;

/**
 * The journal as a file of lines, one record each, in stateDir. A record is durable when {@link append} resolves. A last line that was torn by a crash is
 * cut off; a damaged line in the middle is refused.
 */
export class JournalFile implements JournalStore {
	readonly compactAt: number;
	readonly #path: string;
	readonly #fs: JournalFs;
	#file: FileHandle | undefined;
	/** End of what is known to be durable. */
	#end = 0;
	#sinceSnapshot = 0;
	/** A failed write may have left bytes behind the end. */
	#dirty = false;
	/** One operation at a time. */
	#queue: Promise<unknown> = Promise.resolve();

	constructor(stateDir: string, options: { compactAt?: number; fs?: JournalFs } = {}) {
		this.#path = join(stateDir, FILE);
		this.#fs = options.fs ?? realFs;
		this.compactAt = options.compactAt ?? COMPACT_AT_BYTES;
	}

	size(): number {
		return this.#sinceSnapshot;
	}

	#inTurn<T>(run: () => Promise<T>): Promise<T> {
		const result = this.#queue.then(run);
		this.#queue = result.catch(() => undefined);
		return result;
	}

	load(): Promise<JournalRecord[]> {
		return this.#inTurn(async () => {
			await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
			// A compaction that did not come to its rename.
			await rm(`${this.#path}.new`, { force: true });
			const data = await readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
				if (error.code === "ENOENT") return Buffer.alloc(0);
				throw error;
			});
			const { records, end } = this.#parse(data);
			this.#file = await open(this.#path, data.length === 0 ? "w+" : "r+", 0o600);
			if (end < data.length) await this.#file.truncate(end);
			await this.#file.datasync();
			await syncFolder(dirname(this.#path));
			this.#end = end;
			this.#sinceSnapshot = end;
			return records;
		});
	}

	#parse(data: Buffer): { records: JournalRecord[]; end: number } {
		const records: JournalRecord[] = [];
		let start = 0;
		for (let number = 1; start < data.length; number++) {
			const newline = data.indexOf(10, start);
			// Without its line break a line was not written to its end.
			if (newline < 0) return { records, end: start };
			try {
				const record = JSON.parse(data.toString("utf8", start, newline)) as JournalRecord;
				if (typeof record !== "object" || record === null || typeof record.t !== "string")
					throw new Error("not a record");
				records.push(record);
			} catch (error) {
				// A crash can also leave the last blocks unwritten (zeros) with later ones written, but only at the very end.
				if (data.indexOf(10, newline + 1) < 0) return { records, end: start };
				throw new JournalDamagedError(
					`Line ${number} of ${this.#path} is damaged, and lines follow it. What was dialed is not known any more. ` +
						"Restore the file, or, if that cannot be done: wait until no call of this host is up, move the file away and start the agent; " +
						"the control plane then recovers what this host held.",
					{ cause: error },
				);
			}
			start = newline + 1;
		}
		return { records, end: start };
	}

	append(records: JournalRecord[]): Promise<void> {
		return this.#inTurn(async () => {
			const file = this.#opened();
			const data = Buffer.from(records.map(line).join(""), "utf8");
			try {
				if (this.#dirty) await file.truncate(this.#end);
				this.#dirty = true;
				await this.#fs.write(file, data, this.#end);
				await this.#fs.sync(file);
				this.#dirty = false;
			} catch (error) {
				throw new JournalWriteError(`Cannot write ${this.#path}: ${(error as Error).message}`, { cause: error });
			}
			this.#end += data.length;
			this.#sinceSnapshot += data.length;
		});
	}

	compact(snapshot: () => JournalRecord[]): Promise<void> {
		return this.#inTurn(async () => {
			const path = `${this.#path}.new`;
			const data = Buffer.from(snapshot().map(line).join(""), "utf8");
			const file = await open(path, "w+", 0o600);
			try {
				await this.#fs.write(file, data, 0);
				await this.#fs.sync(file);
				await rename(path, this.#path);
			} catch (error) {
				await file.close();
				await rm(path, { force: true });
				// Not tried again at every write while the disk is full.
				this.#sinceSnapshot = 0;
				throw new JournalWriteError(`Cannot compact ${this.#path}: ${(error as Error).message}`, { cause: error });
			}
			await this.#file?.close();
			this.#file = file;
			this.#end = data.length;
			this.#sinceSnapshot = 0;
			this.#dirty = false;
			await syncFolder(dirname(this.#path));
		});
	}

	close(): Promise<void> {
		return this.#inTurn(async () => {
			await this.#file?.close();
			this.#file = undefined;
		});
	}

	#opened(): FileHandle {
		if (this.#file === undefined) throw new JournalWriteError(`${this.#path} is not open`);
		return this.#file;
	}
}

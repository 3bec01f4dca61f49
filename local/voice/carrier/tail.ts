import { type FileHandle, open } from "node:fs/promises";

const CHUNK_BYTES = 256 * 1024;

/** Reads the lines that a growing file has gained since the last time. */
export class LineTail {
	private readonly path: string;
	private readonly end: string;
	private handle: FileHandle | undefined;
	private offset = 0;
	private rest = "";
	private readonly decoder = new TextDecoder("latin1");

	/** @param end what ends a line */
	constructor(path: string, end = "\n") {
		this.path = path;
		this.end = end;
	}

	/** Whole lines only; the beginning of a line waits for its end. A file that is not there yet has none. */
	async lines(): Promise<string[]> {
		if (this.handle === undefined) {
			try {
				this.handle = await open(this.path, "r");
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
				throw error;
			}
		}
		const lines: string[] = [];
		const buffer = Buffer.alloc(CHUNK_BYTES);
		for (;;) {
			const { bytesRead } = await this.handle.read(buffer, 0, CHUNK_BYTES, this.offset);
			if (bytesRead === 0) return lines;
			this.offset += bytesRead;
			const parts = (this.rest + this.decoder.decode(buffer.subarray(0, bytesRead))).split(this.end);
			this.rest = parts.pop() ?? "";
			for (const part of parts) lines.push(part);
		}
	}

	async close(): Promise<void> {
		await this.handle?.close();
		this.handle = undefined;
	}
}

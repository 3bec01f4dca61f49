import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

/** A stream the command writes to. */
export interface Sink {
	write(text: string): void;
	isTty: boolean;
	/** Width in characters; undefined where it is no terminal. */
	columns: () => number | undefined;
}

/** Everything the command takes from outside, so that tests can give their own. */
export interface Io {
	/** The words after the command's name. */
	argv: string[];
	env: Record<string, string | undefined>;
	home: string;
	out: Sink;
	err: Sink;
	/** All of standard input. */
	readStdin: () => Promise<Buffer>;
	/** Milliseconds since 1970. */
	now: () => number;
	/** Resolves early, without an error, when the signal is aborted. */
	sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
	/** A fresh key for `Idempotency-Key`. */
	newKey: () => string;
	/** Calls `handler` at Ctrl-C until the returned function is called. */
	onInterrupt: (handler: () => void) => () => void;
}

const sink = (stream: NodeJS.WriteStream): Sink => ({
	write: (text) => {
		stream.write(text);
	},
	isTty: stream.isTTY === true,
	columns: () => stream.columns,
});

/** The real process. */
export const processIo = (): Io => ({
	argv: process.argv.slice(2),
	env: process.env,
	home: homedir(),
	out: sink(process.stdout),
	err: sink(process.stderr),
	readStdin: async () => {
		const chunks: Buffer[] = [];
		for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
		return Buffer.concat(chunks);
	},
	now: () => Date.now(),
	sleep: async (ms, signal) => {
		await delay(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
			if (!signal?.aborted) throw error;
		});
	},
	newKey: () => randomUUID(),
	onInterrupt: (handler) => {
		process.on("SIGINT", handler);
		return () => {
			process.off("SIGINT", handler);
		};
	},
});

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Io } from "../../cli/io.ts";
import { runCli } from "../../cli/program.ts";

/** A request as the server of a test got it. */
export interface SeenRequest {
	method: string;
	/** Path with its query. */
	url: string;
	headers: IncomingMessage["headers"];
	body: string;
}

/** What a test's handler answers: JSON, or text of another type; `hangUp` breaks the connection instead. */
export type TestAnswer =
	| { status?: number; json?: unknown; text?: string; headers?: Record<string, string> }
	| { hangUp: true };

export interface TestServer {
	url: string;
	/** All requests so far, oldest first. */
	seen: SeenRequest[];
	stop: () => Promise<void>;
}

/** A small HTTP server on a free port of 127.0.0.1. */
export const startTestServer = async (handle: (request: SeenRequest) => TestAnswer): Promise<TestServer> => {
	const seen: SeenRequest[] = [];
	const server: Server = createServer((incoming, outgoing) => {
		const chunks: Buffer[] = [];
		incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
		incoming.on("end", () => {
			const request: SeenRequest = {
				method: incoming.method ?? "",
				url: incoming.url ?? "",
				headers: incoming.headers,
				body: Buffer.concat(chunks).toString("utf8"),
			};
			seen.push(request);
			const answer = handle(request);
			if ("hangUp" in answer) {
				incoming.socket.destroy();
				return;
			}
			outgoing.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
			outgoing.end(answer.text ?? JSON.stringify(answer.json ?? {}));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		seen,
		stop: () =>
			new Promise((resolve) => {
				server.closeAllConnections();
				server.close(() => resolve());
			}),
	};
};

export interface CliRun {
	code: number;
	out: string;
	err: string;
}

/** Runs one command line in this process, with a clock of its own that moves only while it sleeps. */
export const runCommand = async (
	argv: string[],
	options: {
		env?: Record<string, string>;
		home?: string;
		stdin?: string | Buffer;
		tty?: boolean;
		columns?: number;
		/** Called before each sleep: a test may press Ctrl-C here. */
		beforeSleep?: (press: () => void, sleeps: number) => void;
	} = {},
): Promise<CliRun> => {
	let out = "";
	let err = "";
	let nowMs = Date.parse("2026-12-01T14:00:00Z");
	let sleeps = 0;
	let keys = 0;
	const handlers = new Set<() => void>();
	const io: Io = {
		argv,
		env: options.env ?? {},
		home: options.home ?? "/nonexistent",
		out: {
			write: (text) => {
				out += text;
			},
			isTty: options.tty ?? false,
			columns: () => options.columns,
		},
		err: {
			write: (text) => {
				err += text;
			},
			isTty: options.tty ?? false,
			columns: () => options.columns,
		},
		readStdin: async () => Buffer.from(options.stdin ?? ""),
		now: () => nowMs,
		sleep: async (ms) => {
			sleeps++;
			options.beforeSleep?.(() => {
				for (const handler of handlers) handler();
			}, sleeps);
			nowMs += ms;
		},
		newKey: () => `key-${++keys}`,
		onInterrupt: (handler) => {
			handlers.add(handler);
			return () => {
				handlers.delete(handler);
			};
		},
	};
	const code = await runCli(io);
	return { code, out, err };
};

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ChildMessage, ParentMessage } from "./child-main.ts";

/** Loading the AWS clients takes a second or two on a busy machine; beyond this something hangs. */
const START_TIMEOUT_MS = 60_000;
/** An orderly end; then SIGKILL. */
const STOP_TIMEOUT_MS = 10_000;

/** A child process did not do what it was asked. */
export class ChildError extends Error {
	override readonly name = "ChildError";
}

export interface Child<Info> {
	readonly name: string;
	readonly pid: number;
	readonly info: Info;
	call<T>(method: string, ...args: unknown[]): Promise<T>;
	/** Orderly end, SIGKILL if it takes too long; resolves once the process is gone. */
	stop(): Promise<void>;
	/** kill -9; resolves once the process is gone. */
	kill(): Promise<void>;
	/** Resolves when the process is gone: `expected` if it was asked to. */
	readonly exited: Promise<{ expected: boolean; how: string }>;
}

export interface ChildOptions {
	name: string;
	/** Module that calls `serveParent`. */
	module: URL;
	options: unknown;
	/** Whole environment of the child. */
	env?: Record<string, string | undefined>;
	/** Gets what the child writes, stdout and stderr. */
	onOutput: (text: string) => void;
}

/** Starts a module in a process of its own and waits until its service is up. */
export const startChild = async <Info>(options: ChildOptions): Promise<Child<Info>> => {
	const { NODE_OPTIONS: _, ...env } = options.env ?? process.env;
	const process_: ChildProcess = fork(fileURLToPath(options.module), [], {
		env: env as NodeJS.ProcessEnv,
		execArgv: [],
		// A process group of its own: Ctrl-C reaches the parent only, which stops things in order.
		detached: true,
		stdio: ["ignore", "pipe", "pipe", "ipc"],
	});
	process_.stdout?.setEncoding("utf8").on("data", options.onOutput);
	process_.stderr?.setEncoding("utf8").on("data", options.onOutput);

	let expected = false;
	const exited = new Promise<{ expected: boolean; how: string }>((resolve) => {
		process_.once("exit", (code, signal) => resolve({ expected, how: signal ? `signal ${signal}` : `status ${code}` }));
		process_.once("error", (error) => resolve({ expected, how: error.message }));
	});
	const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
	exited.then(({ how }) => {
		for (const { reject } of waiting.values()) reject(new ChildError(`${options.name} ended (${how}).`));
		waiting.clear();
	});
	const send = (message: ParentMessage): void => {
		// A failure to send is seen as the end of the process.
		if (process_.connected) process_.send(message, () => {});
	};
	let lastId = 0;
	const kill = async (): Promise<void> => {
		expected = true;
		process_.kill("SIGKILL");
		await exited;
	};
	const stop = async (): Promise<void> => {
		expected = true;
		send({ type: "stop" });
		const timer = setTimeout(() => process_.kill("SIGKILL"), STOP_TIMEOUT_MS);
		await exited;
		clearTimeout(timer);
	};

	const info = await new Promise<Info>((resolve, reject) => {
		const timer = setTimeout(
			() => reject(new ChildError(`${options.name} was not up after ${START_TIMEOUT_MS} ms.`)),
			START_TIMEOUT_MS,
		);
		process_.on("message", (message: ChildMessage) => {
			if (message.type === "ready") {
				clearTimeout(timer);
				resolve(message.info as Info);
			} else if (message.type === "failed") {
				clearTimeout(timer);
				reject(new ChildError(`${options.name} could not start: ${message.message}`));
			} else {
				const call = waiting.get(message.id);
				waiting.delete(message.id);
				if (message.error === undefined) call?.resolve(message.value as never);
				else call?.reject(new ChildError(`${options.name}: ${message.error}`));
			}
		});
		exited.then(({ how }) => {
			clearTimeout(timer);
			reject(new ChildError(`${options.name} ended (${how}) before it was up.`));
		});
		send({ type: "start", options: options.options });
	}).catch(async (error) => {
		await kill();
		throw error;
	});

	return {
		name: options.name,
		pid: process_.pid as number,
		info,
		call: (method, ...args) =>
			new Promise((resolve, reject) => {
				if (!process_.connected) return reject(new ChildError(`${options.name} is not running.`));
				const id = ++lastId;
				waiting.set(id, { resolve: resolve as never, reject });
				send({ type: "call", id, method, args });
			}),
		stop,
		kill,
		exited,
	};
};

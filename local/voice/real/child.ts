import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { onPath, type Runnable } from "./run.ts";

/** A program that ends with this process, however this process ends. */
export interface Child {
	pid: number;
	/** Set once it has ended: how, for people. */
	ended: string | undefined;
	/** Resolves when it has ended. */
	gone: Promise<void>;
	/** SIGTERM; SIGKILL after `limitMs`. Resolves when it has ended. */
	terminate(limitMs: number): Promise<void>;
	/** SIGKILL. Resolves when it has ended. */
	kill(): Promise<void>;
}

const living = new Set<ChildProcess>();
const killAll = (): void => {
	for (const child of living) child.kill("SIGKILL");
};
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const onSignal = (signal: NodeJS.Signals): void => {
	// Somebody else listens and will stop what it started; without a listener the process would end here and now.
	if (process.listenerCount(signal) > 1) return;
	killAll();
	for (const each of SIGNALS) process.off(each, onSignal);
	process.kill(process.pid, signal);
};

/**
 * Starts a program in a process group of its own (Ctrl-C reaches this process only), with its outputs in a file.
 * It is killed when this process exits; where the system has setpriv also when this process is killed.
 */
export const startChild = async (
	program: Runnable,
	args: string[],
	options: { cwd: string; outputFile: string },
): Promise<Child> => {
	const setpriv = await onPath("setpriv");
	const [command, ...rest] = [
		...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"]),
		...program.argv,
		...args,
	] as [string, ...string[]];
	const output = openSync(options.outputFile, "a");
	let child: ChildProcess;
	try {
		child = spawn(command, rest, {
			cwd: options.cwd,
			// Nothing of ours that could be a secret.
			env: {
				PATH: process.env["PATH"],
				HOME: options.cwd,
				TZ: process.env["TZ"],
				LANG: "C.UTF-8",
				TERM: "dumb",
				...program.env,
			},
			stdio: ["ignore", output, output],
			detached: true,
		});
	} finally {
		closeSync(output);
	}
	if (living.size === 0) {
		process.on("exit", killAll);
		for (const signal of SIGNALS) process.on(signal, onSignal);
	}
	living.add(child);
	const started: Child = {
		pid: child.pid ?? 0,
		ended: undefined,
		gone: Promise.resolve(),
		terminate: async (limitMs) => {
			if (started.ended !== undefined) return;
			child.kill("SIGTERM");
			const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
			await started.gone;
			clearTimeout(timer);
		},
		kill: async () => {
			child.kill("SIGKILL");
			await started.gone;
		},
	};
	started.gone = new Promise((resolve) => {
		const end = (how: string): void => {
			if (started.ended !== undefined) return;
			started.ended = how;
			living.delete(child);
			if (living.size === 0) {
				process.off("exit", killAll);
				for (const signal of SIGNALS) process.off(signal, onSignal);
			}
			resolve();
		};
		child.once("exit", (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
		child.once("error", (error) => end(error.message));
	});
	// spawn() reports a missing program by an event only.
	if (child.pid === undefined) await once(child, "error").catch(() => undefined);
	return started;
};

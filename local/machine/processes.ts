import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StackError } from "../stack/options.ts";
import { freeTcpPort } from "../voice/real/addresses.ts";
import { type Child, startChild } from "../voice/real/child.ts";
import type { Runnable } from "../voice/real/run.ts";
import type { VoiceHost, VoicePlane } from "../voice/types.ts";

const SKEWED_CLOCK = new URL("./skewed-clock.mjs", import.meta.url).href;
/** Where agents listen for the Asterisk beside them, if it is free. */
const AGENT_PORT = 9098;
/** The agent's last syncs take up to 5 s. */
const AGENT_STOP_LIMIT_MS = 15_000;
/** How much of the agent's log an error shows. */
const LOG_TAIL_CHARACTERS = 2_000;
/** Between two looks at whether Asterisk still runs. */
const WATCH_MS = 1_000;

/** A part that can be ended and started again. What it was told rules: a part that was killed here stays dead. */
export interface Part {
	stop(): Promise<void>;
	/** kill -9 */
	kill(): Promise<void>;
	start(): Promise<void>;
}

export interface AgentPart extends Part {
	/** The agent's own process. */
	readonly pid: number;
	readonly running: boolean;
	/** How it ended, for people; undefined while it runs. */
	readonly ended: string | undefined;
	/** What it wrote so far. */
	log(): string;
}

/** An Asterisk and the agent beside it, on an address of their own. */
export interface HostProcesses {
	address: string;
	voice: VoiceHost;
	agent: AgentPart;
	asterisk: Part;
	/** Both at once: neither waits for the other. */
	start(): Promise<void>;
	/** The agent first: it reports what it has. */
	stop(): Promise<void>;
	/** As a power failure: both are gone within moments. */
	kill(): Promise<void>;
}

/** Node as a machine has it whose wall clock is off. */
const nodeWithClock = (skewMs: number): Pick<Runnable, "argv" | "env"> =>
	skewMs === 0
		? { argv: [process.execPath], env: {} }
		: { argv: [process.execPath, "--import", SKEWED_CLOCK], env: { SKEW_MS: String(skewMs) } };

/**
 * Makes the files of an Asterisk and of its agent in `dir`, used before or not, and starts nothing.
 * @param options.onEnd told when one ends that was meant to run
 */
export const prepareProcesses = async (options: {
	name: string;
	address: string;
	dir: string;
	plane: VoicePlane;
	/** The agent's program. */
	program: string;
	/** How far the agent's wall clock is off, ms; default: it is right. */
	clockSkewMs?: number | undefined;
	/** Writes the agent's configuration. @returns its path */
	configure: (place: { voice: VoiceHost; listen: { address: string; port: number }; dir: string }) => string;
	onEnd: (part: "agent" | "asterisk", message: string) => void;
}): Promise<HostProcesses> => {
	const { name, address, dir, plane, onEnd } = options;
	const agentDir = join(dir, "agent");
	mkdirSync(agentDir, { recursive: true });
	const port = await freeTcpPort(address, AGENT_PORT);
	const voice = await plane.prepareHost({
		name,
		address,
		dir: join(dir, "asterisk"),
		agentAddress: `${address}:${port}`,
	});
	const logFile = join(agentDir, "log");
	const log = (): string => {
		try {
			return readFileSync(logFile, "utf8");
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
			throw error;
		}
	};

	let child: Child | undefined;
	let agentWanted = false;
	const running = (): boolean => child !== undefined && child.ended === undefined;
	const startAgent = async (): Promise<void> => {
		if (running()) throw new StackError(`The agent of ${name} is running already.`);
		const config = options.configure({ voice, listen: { address, port }, dir: agentDir });
		agentWanted = true;
		const started = await startChild(
			{ ...nodeWithClock(options.clockSkewMs ?? 0), from: "this Node", version: process.version },
			[options.program, "--config", config],
			{ cwd: agentDir, outputFile: logFile },
		);
		child = started;
		// It was ended while it was being started.
		if (!agentWanted) await started.kill();
		started.gone.then(() => {
			if (!agentWanted || child !== started) return;
			onEnd("agent", `The agent of ${name} ended (${started.ended}):\n${log().slice(-LOG_TAIL_CHARACTERS)}`);
		});
	};
	const endAgent = async (end: (its: Child) => Promise<void>): Promise<void> => {
		agentWanted = false;
		if (child) await end(child);
	};

	/** Whether Asterisk is meant to run. */
	let voiceWanted = false;
	let watch: NodeJS.Timeout | undefined;
	const startVoice = async (): Promise<void> => {
		await voice.start();
		voiceWanted = true;
		if (plane.kind !== "real" || watch) return;
		watch = setInterval(() => {
			if (!voiceWanted || voice.pid !== undefined) return;
			voiceWanted = false;
			onEnd("asterisk", `The Asterisk of ${name} ended; its logs are in ${join(dir, "asterisk")}.`);
		}, WATCH_MS);
		watch.unref();
	};
	const endVoice = async (end: () => Promise<void>): Promise<void> => {
		voiceWanted = false;
		clearInterval(watch);
		watch = undefined;
		await end();
	};

	const agent: AgentPart = {
		get pid() {
			return child?.pid ?? 0;
		},
		get running() {
			return running();
		},
		get ended() {
			return child?.ended;
		},
		log,
		stop: () => endAgent((its) => its.terminate(AGENT_STOP_LIMIT_MS)),
		kill: () => endAgent((its) => its.kill()),
		start: startAgent,
	};
	const asterisk: Part = {
		stop: () => endVoice(() => voice.stop()),
		kill: () => endVoice(() => voice.kill()),
		start: startVoice,
	};
	return {
		address,
		voice,
		agent,
		asterisk,
		start: async () => {
			// Both are waited for, so that whoever stops them after a failure misses neither.
			const results = await Promise.allSettled([asterisk.start(), agent.start()]);
			for (const result of results) if (result.status === "rejected") throw result.reason;
		},
		stop: async () => {
			await agent.stop();
			await asterisk.stop();
		},
		kill: async () => {
			await Promise.all([agent.kill(), asterisk.kill()]);
		},
	};
};

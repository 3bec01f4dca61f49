import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freeTcpPort } from "../voice/real/addresses.ts";
import { type Child, startChild } from "../voice/real/child.ts";
import type { VoiceHost, VoicePlane } from "../voice/types.ts";
import { writeAgentConfig } from "./agent-config.ts";
import { StackError } from "./options.ts";

const AGENT = fileURLToPath(new URL("../../host/agent/main.ts", import.meta.url));
/** Where agents listen for the Asterisk beside them, if it is free. */
const AGENT_PORT = 9098;
/** The agent's last syncs take up to 5 s. */
const AGENT_STOP_LIMIT_MS = 15_000;
/** How much of the agent's log an error shows. */
const LOG_TAIL_CHARACTERS = 2_000;
/** Between two looks at whether Asterisk still runs. */
const WATCH_MS = 1_000;

/** An Asterisk and the agent beside it. */
export interface StackHost {
	hostId: string;
	address: string;
	voice: VoiceHost;
	/** The agent's own process. */
	agent: {
		readonly pid: number;
		readonly running: boolean;
		/** What it wrote so far. */
		log(): string;
		stop(): Promise<void>;
		/** kill -9 */
		kill(): Promise<void>;
		start(): Promise<void>;
	};
	asterisk: {
		stop(): Promise<void>;
		/** kill -9 */
		kill(): Promise<void>;
		start(): Promise<void>;
	};
	stop(): Promise<void>;
}

export const startHost = async (options: {
	hostId: string;
	token: string;
	api: string;
	address: string;
	dir: string;
	plane: VoicePlane;
	agentConfig: Record<string, unknown>;
	/** The agent or Asterisk ended by itself. */
	onFailure: (message: string) => void;
}): Promise<StackHost> => {
	const { hostId, address, dir, onFailure } = options;
	const agentDir = join(dir, "agent");
	mkdirSync(agentDir, { recursive: true });
	const port = await freeTcpPort(address, AGENT_PORT);
	const voice = await options.plane.startHost({
		name: hostId,
		address,
		dir: join(dir, "asterisk"),
		agentAddress: `${address}:${port}`,
	});
	/** Whether Asterisk is meant to run. */
	let voiceWanted = true;
	const logFile = join(agentDir, "log");
	const log = (): string => readFileSync(logFile, "utf8");

	let child: Child | undefined;
	let agentWanted = false;
	const startAgent = async (): Promise<void> => {
		if (child && child.ended === undefined) throw new StackError(`The agent of ${hostId} is running already.`);
		// Written only now: a failure stops Asterisk again.
		const configFile = writeAgentConfig({
			api: options.api,
			hostId,
			token: options.token,
			voice,
			listen: { address, port },
			dir: agentDir,
			changes: options.agentConfig,
		});
		agentWanted = true;
		const started = await startChild(
			{ argv: [process.execPath], env: {}, from: "this Node", version: process.version },
			[AGENT, "--config", configFile],
			{ cwd: agentDir, outputFile: logFile },
		);
		child = started;
		started.gone.then(() => {
			if (!agentWanted || child !== started) return;
			onFailure(`The agent of ${hostId} ended (${started.ended}):\n${log().slice(-LOG_TAIL_CHARACTERS)}`);
		});
	};
	const endAgent = async (end: (running: Child) => Promise<void>): Promise<void> => {
		agentWanted = false;
		if (child) await end(child);
	};
	const watch = setInterval(() => {
		if (options.plane.kind !== "real" || !voiceWanted || voice.pid !== undefined) return;
		voiceWanted = false;
		onFailure(`The Asterisk of ${hostId} ended; its logs are in ${join(dir, "asterisk")}.`);
	}, WATCH_MS);
	watch.unref();

	const host: StackHost = {
		hostId,
		address,
		voice,
		agent: {
			get pid() {
				return child?.pid ?? 0;
			},
			get running() {
				return child !== undefined && child.ended === undefined;
			},
			log,
			stop: () => endAgent((running) => running.terminate(AGENT_STOP_LIMIT_MS)),
			kill: () => endAgent((running) => running.kill()),
			start: startAgent,
		},
		asterisk: {
			stop: async () => {
				voiceWanted = false;
				await voice.stop();
			},
			kill: async () => {
				voiceWanted = false;
				await voice.kill();
			},
			start: async () => {
				await voice.start();
				voiceWanted = true;
			},
		},
		stop: async () => {
			clearInterval(watch);
			await host.agent.stop();
			await host.asterisk.stop();
		},
	};
	try {
		await startAgent();
	} catch (error) {
		await host.stop();
		throw error;
	}
	return host;
};

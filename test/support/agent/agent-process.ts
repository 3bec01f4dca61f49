import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { VoiceHost } from "../../../local/voice/types.ts";

const MAIN = fileURLToPath(new URL("../../../host/agent/main.ts", import.meta.url));

export interface AgentOptions {
	dir: string;
	hostId: string;
	controlPlaneUrl: string;
	host: VoiceHost;
	/** Where Asterisk connects to. */
	listen: { address: string; port: number };
	events?: "outbound" | "inbound";
	settings?: Record<string, number>;
}

/** An agent as a process of its own, as it runs beside Asterisk. */
export class AgentProcess {
	/** Lines of its log. */
	readonly log: { level: string; event: string; [field: string]: unknown }[] = [];
	readonly #options: AgentOptions;
	#child: ChildProcess | undefined;

	constructor(options: AgentOptions) {
		this.#options = options;
	}

	async start(): Promise<void> {
		const { dir, hostId, controlPlaneUrl, host, listen, events, settings } = this.#options;
		await mkdir(join(dir, "secrets"), { recursive: true });
		const tokenFile = join(dir, "token");
		const passwordFile = join(dir, "ari-password");
		await writeFile(tokenFile, "the-token\n", { mode: 0o600 });
		await writeFile(passwordFile, `${host.ari.password}\n`, { mode: 0o600 });
		const config = join(dir, "agent.json");
		await writeFile(
			config,
			JSON.stringify({
				hostId,
				controlPlaneUrl,
				tokenFile,
				stateDir: join(dir, "state"),
				secretsDir: join(dir, "secrets"),
				soundsDirs: [host.soundsDir],
				asterisk: {
					ari: host.ari.baseUrl,
					username: host.ari.username,
					passwordFile,
					etcDir: host.etcDir,
					events: events ?? "outbound",
					listenAddress: listen.address,
					listenPort: listen.port,
					transport: "transport-udp",
					mediaAddress: host.address,
				},
				settings: settings ?? {},
			}),
		);
		const child = spawn(process.execPath, [MAIN, "--config", config], { stdio: ["ignore", "ignore", "pipe"] });
		this.#child = child;
		let rest = "";
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) {
				this.log.push(line.startsWith("{") ? JSON.parse(line) : { level: "error", event: line });
			}
			void appendFile(join(dir, "agent.log"), `${lines.join("\n")}\n`);
		});
		await once(child, "spawn");
	}

	/** kill -9. */
	async kill(): Promise<void> {
		await this.#end("SIGKILL");
	}

	async stop(): Promise<number | null> {
		return this.#end("SIGTERM");
	}

	async #end(signal: NodeJS.Signals): Promise<number | null> {
		const child = this.#child;
		this.#child = undefined;
		if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
		const exited = once(child, "exit");
		child.kill(signal);
		const [code] = (await exited) as [number | null];
		return code;
	}
}

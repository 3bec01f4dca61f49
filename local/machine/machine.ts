import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Machine, MachineIdentity } from "../ec2/types.ts";
import { writeAgentConfig } from "../stack/agent-config.ts";
import { StackError } from "../stack/options.ts";
import type { VoicePlane } from "../voice/types.ts";
import { type DocumentSigner, type MetadataService, startMetadata } from "./metadata.ts";
import { type HostProcesses, prepareProcesses } from "./processes.ts";

/** As the installed services do: what ended by itself is started again so much later. */
const RESTART_MS = 1_000;
/** The agent's exit status for a mistake that a restart does not mend. */
const EXIT_CONFIG = "exit code 78";
/** What the agent keeps of its host: its journal, its token, and whose they are. */
const STATE = "agent/state";
const LOCK = "agent.lock";

export interface MachineOptions {
	instanceId: string;
	/** Its disk. */
	dir: string;
	/** The machine's own. */
	address: string;
	plane: VoicePlane;
	/** Path of the agent's program. */
	program: () => Promise<string>;
	/** Of the API, known once the control plane is up. */
	api: () => string;
	signer: DocumentSigner;
	/** Members of the agent's configuration that differ. */
	agentConfig: Record<string, unknown>;
	say: (line: string) => void;
}

/** What the deployment's launch template says (infra/burst.yml). */
const userDataFor = (api: string): string => JSON.stringify({ burstDialer: { controlPlaneUrl: api } });

/** What runs while the power is on. */
interface Running {
	processes: HostProcesses;
	metadata: MetadataService;
}

/** An instance's computer: an Asterisk and an agent on an address of their own, started and killed with the power. */
export class LocalMachine implements Machine {
	readonly instanceId: string;
	readonly address: string;
	readonly dir: string;
	readonly #options: MachineOptions;
	#powered = false;
	/** Every on and off so far; a later one outdates what an earlier one still does. */
	#turn = 0;
	#starting: Promise<void> = Promise.resolve();
	#running: Running | undefined;

	constructor(options: MachineOptions) {
		this.#options = options;
		this.instanceId = options.instanceId;
		this.address = options.address;
		this.dir = options.dir;
	}

	/** What runs on it; undefined while it is off or its files are being made. */
	get processes(): HostProcesses | undefined {
		return this.#powered ? this.#running?.processes : undefined;
	}

	get hasDisk(): boolean {
		return existsSync(this.dir);
	}

	async on(identity: MachineIdentity): Promise<void> {
		if (this.#powered) throw new StackError(`${this.instanceId} is on already.`);
		this.#powered = true;
		const turn = ++this.#turn;
		this.#starting = this.#boot(identity, turn);
		try {
			await this.#starting;
		} catch (error) {
			// What was cut off by the power's end is no failure.
			if (this.#turn === turn) throw error;
		}
	}

	async off(): Promise<void> {
		this.#turn++;
		this.#powered = false;
		await this.#kill();
		// What was being started when the power went.
		await this.#starting.catch(() => undefined);
		await this.#kill();
		await this.#running?.metadata.stop();
		this.#running = undefined;
	}

	async destroy(): Promise<void> {
		await this.off();
		rmSync(this.dir, { recursive: true, force: true });
	}

	/** Puts the agent's state of another machine's disk onto this one's, as an image made of a running host would. */
	copyStateFrom(other: LocalMachine): void {
		if (this.#powered) throw new StackError(`${this.instanceId} is on: its disk cannot be replaced.`);
		rmSync(join(this.dir, STATE), { recursive: true, force: true });
		mkdirSync(join(this.dir, STATE), { recursive: true, mode: 0o700 });
		cpSync(join(other.dir, STATE), join(this.dir, STATE), {
			recursive: true,
			// It names a process, which another computer would not have; here it may still run.
			filter: (path) => !basename(path).startsWith(LOCK),
		});
	}

	async #boot(identity: MachineIdentity, turn: number): Promise<void> {
		const { instanceId, address, dir, plane, api, signer, agentConfig } = this.#options;
		const [program, metadata] = await Promise.all([
			this.#options.program(),
			startMetadata({ identity, userData: userDataFor(api()), address, signer }),
		]);
		let processes: HostProcesses;
		try {
			processes = await prepareProcesses({
				name: instanceId,
				address,
				dir,
				plane,
				program,
				configure: (place) => writeAgentConfig({ as: { metadataUrl: metadata.url }, ...place, changes: agentConfig }),
				onEnd: (part, message) => this.#ended(part, message, turn),
			});
		} catch (error) {
			await metadata.stop();
			throw error;
		}
		this.#running = { processes, metadata };
		if (this.#turn === turn) await processes.start();
	}

	async #kill(): Promise<void> {
		await this.#running?.processes.kill();
	}

	/** A service that ended by itself is started again, as systemd does. */
	#ended(part: "agent" | "asterisk", message: string, turn: number): void {
		const processes = this.#running?.processes;
		if (this.#turn !== turn || !processes) return;
		this.#options.say(message);
		if (part === "agent" && processes.agent.ended === EXIT_CONFIG) return;
		const again = async (): Promise<void> => {
			await delay(RESTART_MS, undefined, { ref: false });
			if (this.#turn === turn) await processes[part].start();
		};
		again().catch((error: Error) => this.#options.say(`${this.instanceId}: ${error.message}`));
	}
}

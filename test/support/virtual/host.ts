import { Agent } from "../../../host/agent/agent.ts";
import type { AgentPorts, HttpAnswer, JournalStore } from "../../../host/agent/ports.ts";
import type { JournalRecord } from "../../../host/agent/records.ts";
import type { AgentSettings } from "../../../host/agent/settings.ts";
import { type CallScript, VirtualAsterisk } from "./asterisk.ts";
import type { Carrier } from "./checks.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** A request of a host, on its way to the control plane or waiting for its answer. */
export interface HostRequest {
	hostId: string;
	kind: "hello" | "sync" | "peek" | "config";
	body: unknown;
	/** An answer arrives; later ones for the same request are ignored. */
	answer(answer: HttpAnswer): void;
	/** No answer came. */
	fail(error: Error): void;
}

export interface VirtualHostOptions {
	scheduler: Scheduler;
	random: Random;
	carrier: Carrier;
	hostId: string;
	settings: Partial<AgentSettings>;
	script: (callId: string) => CallScript;
	/** By how much this machine's wall clock differs, ms. */
	skewMs: number;
	send: (request: HostRequest) => void;
	/** An outcome reached the disk. */
	onDurableOutcome?: (callId: string, outcome: string) => void;
	/** Changes the ports of each agent process: to take a rule of the agent's away. */
	changePorts?: (ports: AgentPorts) => AgentPorts;
	/** Journals are compacted above so many records. */
	compactAt?: number;
}

/** Longest time that a write to the journal takes, ms. */
const DISK_MS = 8;
/** By how much a timer may be late on a machine that is not stalled, ms. */
const TIMER_LATE_MS = 3;

/** A machine with an Asterisk and the real agent beside it. What is durable is what the disk was given before a crash. */
export class VirtualHost {
	readonly hostId: string;
	readonly asterisk: VirtualAsterisk;
	/** The running agent. */
	agent: Agent | undefined;
	/** The machine is gone for good. */
	dead = false;
	/** While set the disk takes nothing. */
	diskFull = false;
	readonly #options: VirtualHostOptions;
	/** The disk: serialized, as on a real one. */
	#disk: string[] = [];
	#process = 0;
	#boot = 1;
	#bootedAt: number;
	/** Errors that the agent did not deal with. */
	readonly faults: unknown[] = [];

	constructor(options: VirtualHostOptions) {
		this.#options = options;
		this.hostId = options.hostId;
		this.#bootedAt = options.scheduler.now - 1_000_000;
		this.asterisk = new VirtualAsterisk(
			options.scheduler,
			options.random,
			options.carrier,
			options.hostId,
			options.script,
			() => this.wallMs(),
		);
	}

	wallMs(): number {
		return this.#options.scheduler.now + this.#options.skewMs;
	}
	get #owner(): string {
		return `${this.hostId}.agent.${this.#process}`;
	}

	/** Starts the agent on what the disk has. */
	startAgent(): void {
		if (this.agent || this.dead) return;
		this.#process++;
		const ports = this.#ports(this.#owner);
		this.agent = new Agent(this.#options.changePorts?.(ports) ?? ports, this.#options.settings);
		this.#options.scheduler.tell(`${this.hostId} agent starts`);
		this.agent.start().catch((error: unknown) => this.faults.push(error));
	}
	/** kill -9 of the agent. Of what it was writing a leading part may have reached the disk. */
	killAgent(): void {
		if (!this.agent) return;
		this.#options.scheduler.tell(`${this.hostId} agent killed`);
		const writing = [...this.#options.scheduler.waiting].find(
			(each) => each.owner === this.#owner && each.kind === "disk",
		);
		const lines = (writing?.detail as { lines?: string[] } | undefined)?.lines ?? [];
		this.#keep(lines.slice(0, this.#options.random.int(0, lines.length)));
		this.agent = undefined;
		// A request may have left the process already.
		for (const waiting of [...this.#options.scheduler.waiting])
			if (waiting.owner === this.#owner && waiting.kind === "originate" && this.#options.random.chance(0.5))
				waiting.run();
		this.#options.scheduler.drop(this.#owner);
		this.asterisk.agentGone(this.#owner);
	}
	/** The machine stops: agent, Asterisk and its channels. */
	powerOff(): void {
		this.killAgent();
		this.asterisk.kill();
		this.#boot++;
		this.#bootedAt = this.#options.scheduler.now;
	}
	/** Its disk is new; Asterisk and its calls may have survived that. */
	wipe(asteriskToo: boolean): void {
		if (asteriskToo) this.powerOff();
		else this.killAgent();
		this.#disk = [];
	}
	/** What is on the disk. */
	get journal(): JournalRecord[] {
		return this.#disk.map((line) => JSON.parse(line) as JournalRecord);
	}
	/** Changes what the disk has, as a test wants. */
	rewriteJournal(change: (record: JournalRecord) => JournalRecord): void {
		this.#disk = this.journal.map((record) => JSON.stringify(change(record)));
	}

	#keep(lines: string[]): void {
		this.#disk.push(...lines);
		for (const line of lines) {
			const record = JSON.parse(line) as JournalRecord;
			if (record.t === "outcome") this.#options.onDurableOutcome?.(record.callId, record.outcome.outcome);
		}
	}

	#ports(owner: string): AgentPorts {
		const { scheduler, random, hostId, send } = this.#options;
		const alive = (): boolean => this.agent !== undefined && owner === this.#owner;
		const request = (kind: HostRequest["kind"], body: unknown): Promise<HttpAnswer> =>
			new Promise((resolve, reject) => {
				send({
					hostId,
					kind,
					body,
					answer: (answer) => {
						if (alive()) resolve(answer);
					},
					fail: (error) => {
						if (alive()) reject(error);
					},
				});
			});
		const bootedAt = this.#bootedAt;
		const tell = (event: string, fields: object = {}): void =>
			scheduler.tell(
				() =>
					`${hostId} agent: ${event} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))}`,
			);
		return {
			clock: {
				bootId: `boot-${this.#boot}`,
				wallMs: () => this.wallMs(),
				monotonicMs: () => scheduler.now - bootedAt,
				setTimer: (delayMs, fire) => {
					const at = scheduler.now + Math.max(0, delayMs);
					return scheduler.add({
						kind: "timer",
						owner,
						label: `${hostId} timer`,
						notBefore: at,
						deadline: at + random.int(0, TIMER_LATE_MS),
						run: fire,
					});
				},
				clearTimer: (timer) => {
					scheduler.remove(timer as Parameters<Scheduler["remove"]>[0]);
				},
			},
			controlPlane: {
				hello: (body) => request("hello", body),
				sync: (body) => request("sync", body),
				peek: (epoch) => request("peek", { epoch }),
				config: () => request("config", undefined),
			},
			ari: this.asterisk.port(owner),
			journal: this.#journal(owner),
			host: {
				inventory: () => Promise.resolve({ sounds: [], contexts: [] }),
				applyTrunks: () => Promise.resolve({ problems: {} }),
				soundPath: () => undefined,
			},
			random: random.next,
			log: { info: tell, warn: tell, error: tell },
		};
	}

	#journal(owner: string): JournalStore {
		const { scheduler, random, hostId } = this.#options;
		const write = (label: string, lines: string[], done: () => void): Promise<void> =>
			new Promise((resolve, reject) => {
				scheduler.add({
					kind: "disk",
					owner,
					label: `${hostId} disk: ${label}`,
					deadline: scheduler.now + random.int(0, DISK_MS),
					detail: { lines },
					run: () => {
						if (this.diskFull) return reject(new Error("no space left on device"));
						done();
						resolve();
					},
				});
			});
		let since = this.#disk.length;
		return {
			load: () => Promise.resolve(this.journal),
			append: (records) => {
				const lines = records.map((record) => JSON.stringify(record));
				return write(records.map((record) => record.t).join(" "), lines, () => {
					this.#keep(lines);
					since += lines.length;
				});
			},
			compact: (snapshot) => {
				const lines = snapshot().map((record) => JSON.stringify(record));
				return write("compact", [], () => {
					this.#disk = lines;
					since = lines.length;
				});
			},
			size: () => since,
			compactAt: this.#options.compactAt ?? 60,
		};
	}
}

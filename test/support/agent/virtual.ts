import { Agent } from "../../../host/agent/agent.ts";
import {
	type AgentPorts,
	type AriChannel,
	type AriEvent,
	type AriListener,
	AsteriskGoneError,
	type HttpAnswer,
	JournalWriteError,
	type OriginateRequest,
	type OriginateResult,
	type TrunkProbe,
} from "../../../host/agent/ports.ts";
import type { JournalRecord } from "../../../host/agent/records.ts";
import type { AgentSettings } from "../../../host/agent/settings.ts";
import type { CompletedCall } from "../../../shared/contract/call.ts";
import type { FakeControlPlane, RequestKind } from "./control-plane.ts";

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const START_WALL_MS = 1_800_000_000_000;

interface Pending {
	at: number;
	order: number;
	fire: () => void;
}

/** Time that passes only when told to. */
export class VirtualTime {
	now = 1_000;
	#pending = new Set<Pending>();
	#order = 0;

	after(delayMs: number, fire: () => void): Pending {
		const pending = { at: this.now + Math.max(0, delayMs), order: this.#order++, fire };
		this.#pending.add(pending);
		return pending;
	}

	cancel(pending: unknown): void {
		this.#pending.delete(pending as Pending);
	}

	/** Lets everything that needs no time happen. */
	async settle(): Promise<void> {
		for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
	}

	/** Runs until the condition holds, at most so long; says whether it held. */
	async until(condition: () => boolean, limitMs: number): Promise<boolean> {
		const end = this.now + limitMs;
		await this.settle();
		while (!condition()) {
			const next = [...this.#pending].sort((a, b) => a.at - b.at || a.order - b.order)[0];
			if (next === undefined || next.at > end) {
				this.now = end;
				return condition();
			}
			this.#pending.delete(next);
			this.now = Math.max(this.now, next.at);
			next.fire();
			await this.settle();
		}
		return true;
	}

	async pass(ms: number): Promise<void> {
		await this.until(() => false, ms);
	}
}

/** What the far end does with a number: `ringMs`, then answers (talks `talkMs`) or refuses with a status. */
export interface Script {
	ringMs: number;
	talkMs?: number;
	refuse?: { cause: number; sipCode: number; dialStatus: string };
}

/** A machine with an Asterisk of a few lines and the real agent's core, under virtual time. */
export class VirtualMachine {
	readonly dialed: OriginateRequest[] = [];
	readonly channels = new Map<string, { state: string; name: string }>();
	readonly log: { level: string; event: string; fields: Record<string, unknown> }[] = [];
	readonly disk: JournalRecord[] = [];
	script: (number: string) => Script = () => ({ ringMs: 500, talkMs: 1_000 });
	/** The answer to an originate: `lose` places the call, but no answer comes. */
	originate: (request: OriginateRequest) => "ok" | "lose" | "refuse" | "gone" = () => "ok";
	diskFull = false;
	/** How each trunk's carrier answers; absent: nobody asks. */
	probe: TrunkProbe | undefined;
	/** How long the network and the disk take, ms. */
	networkMs = 20;
	diskMs = 2;
	/** Called before each step that leaves the process; a test crashes the agent here. */
	onStep: (step: string) => void = () => undefined;
	agent: Agent | undefined;
	bootId = "boot-1";
	asteriskUp = true;
	startedAt = "1";
	readonly time: VirtualTime;
	readonly #control: FakeControlPlane;
	readonly #settings: Partial<AgentSettings>;
	#listener: AriListener | undefined;
	#queue: ((listener: AriListener) => void)[] = [];
	/** Counts agents: what belongs to an earlier one is heard no more. */
	#life = 0;

	constructor(time: VirtualTime, control: FakeControlPlane, settings: Partial<AgentSettings> = {}) {
		this.time = time;
		this.#control = control;
		this.#settings = settings;
	}

	async start(): Promise<void> {
		const life = ++this.#life;
		this.agent = new Agent(this.#ports(life), this.#settings);
		void this.agent.start();
		await this.time.settle();
	}

	/** kill -9. */
	crash(): void {
		this.#life++;
		this.agent = undefined;
		this.#listener = undefined;
	}

	/** kill -9 of Asterisk; its events are lost. */
	killAsterisk(): void {
		this.asteriskUp = false;
		this.channels.clear();
		this.#queue = [];
		this.#listener?.onDisconnected();
	}

	startAsterisk(): void {
		this.asteriskUp = true;
		this.startedAt = String(Number(this.startedAt) + 1);
		this.#listener?.onConnected();
	}

	#emit(send: (listener: AriListener) => void): void {
		if (!this.asteriskUp) return;
		if (this.#listener === undefined) this.#queue.push(send);
		else send(this.#listener);
	}

	/** Sends an event of Asterisk's, now. */
	say(event: DistributiveOmit<AriEvent, "atMs">): void {
		const atMs = START_WALL_MS + this.time.now;
		this.#emit((l) => l.onEvent({ ...event, atMs } as AriEvent));
	}

	/** Ends a channel and says so. */
	end(channelId: string, last: { cause: number; techCause?: number; dialStatus?: string }): void {
		const channel = this.channels.get(channelId);
		if (channel === undefined) return;
		this.channels.delete(channelId);
		const atMs = START_WALL_MS + this.time.now;
		const { dialStatus, ...rest } = last;
		if (dialStatus !== undefined) this.#emit((l) => l.onEvent({ type: "dial", channelId, status: dialStatus, atMs }));
		this.#emit((l) => l.onEvent({ type: "channelDestroyed", channelId, ...channel, ...rest, atMs }));
	}

	#place(request: OriginateRequest): void {
		const { channelId } = request;
		const number = /\/([0-9#*+]+)@/.exec(request.endpoint)?.[1] ?? "";
		const script = this.script(number);
		const channel = { state: "Down", name: `PJSIP/burst-dialer-t1-${this.dialed.length}` };
		this.dialed.push(request);
		this.channels.set(channelId, channel);
		const isUp = (): boolean => this.channels.get(channelId) === channel;
		const at = (): number => START_WALL_MS + this.time.now;
		this.time.after(1, () => {
			if (!isUp()) return;
			channel.state = "Ringing";
			this.#emit((l) => l.onEvent({ type: "dial", channelId, status: "RINGING", atMs: at() }));
		});
		if (script.ringMs > request.timeoutSec * 1_000) {
			this.time.after(request.timeoutSec * 1_000, () => this.end(channelId, { cause: 19, techCause: 480 }));
			return;
		}
		this.time.after(script.ringMs, () => {
			if (!isUp()) return;
			const { refuse } = script;
			if (refuse !== undefined) {
				this.end(channelId, { cause: refuse.cause, techCause: refuse.sipCode, dialStatus: refuse.dialStatus });
				return;
			}
			channel.state = "Up";
			this.#emit((l) => l.onEvent({ type: "dial", channelId, status: "ANSWER", atMs: at() }));
			this.time.after(script.talkMs ?? 1_000, () => this.end(channelId, { cause: 0 }));
		});
	}

	#ports(life: number): AgentPorts {
		const alive = (): boolean => life === this.#life;
		/** Never comes for an agent that is gone. */
		const later = <T>(ms: number, result: () => T): Promise<T> =>
			new Promise((resolve, reject) => {
				this.time.after(ms, () => {
					if (!alive()) return;
					try {
						resolve(result());
					} catch (error) {
						reject(error);
					}
				});
			});
		const step = (name: string): boolean => {
			if (alive()) this.onStep(name);
			return alive();
		};
		const call = (kind: RequestKind, text: string): Promise<HttpAnswer> => {
			if (!step(`${kind}.send`)) return new Promise(() => undefined);
			return new Promise((resolve, reject) => {
				this.time.after(this.networkMs / 2, () => {
					const answer = this.#control.handle(kind, text, START_WALL_MS + this.time.now);
					this.time.after(this.networkMs / 2, () => {
						if (!step(`${kind}.answer`)) return;
						if (answer === "lost") reject(new Error("connection reset"));
						else resolve(answer);
					});
				});
			});
		};
		const asterisk = <T>(result: () => T): Promise<T> =>
			later(1, () => {
				if (!this.asteriskUp) throw new AsteriskGoneError("nothing listens");
				return result();
			});
		const note =
			(level: string) =>
			(event: string, fields: Record<string, unknown> = {}) => {
				this.log.push({ level, event, fields });
			};
		return {
			...(this.probe === undefined ? {} : { probe: this.probe }),
			clock: {
				bootId: this.bootId,
				wallMs: () => START_WALL_MS + this.time.now,
				monotonicMs: () => this.time.now,
				setTimer: (ms, fire) => this.time.after(ms, () => alive() && fire()),
				clearTimer: (timer) => this.time.cancel(timer),
			},
			random: () => 0.5,
			log: { info: note("info"), warn: note("warn"), error: note("error") },
			host: {
				inventory: async () => ({ sounds: ["hello"], contexts: ["burst-example"] }),
				applyTrunks: async () => ({ problems: {} }),
				soundPath: (sound) => (sound === "hello" ? "/sounds/hello" : undefined),
			},
			controlPlane: {
				hello: (request) => call("hello", JSON.stringify(request)),
				sync: (text) => call("sync", text),
				peek: (epoch) => call("peek", String(epoch)),
				config: () => call("config", ""),
			},
			journal: {
				compactAt: Number.POSITIVE_INFINITY,
				size: () => 0,
				load: async () => structuredClone(this.disk),
				append: (records) => {
					const copy = structuredClone(records);
					if (!step(`append.${copy.map(({ t }) => t).join("+")}`)) return new Promise(() => undefined);
					return later(this.diskMs, () => {
						if (this.diskFull) throw new JournalWriteError("no space left on device");
						this.disk.push(...copy);
						step(`durable.${copy.map(({ t }) => t).join("+")}`);
					});
				},
				compact: async () => undefined,
			},
			ari: {
				start: (listener) => {
					this.#listener = listener;
					if (!this.asteriskUp) return;
					listener.onConnected();
					for (const send of this.#queue.splice(0)) send(listener);
				},
				stop: async () => undefined,
				originate: (request) => {
					if (!step("originate")) return new Promise(() => undefined);
					const fate = this.asteriskUp ? this.originate(request) : "gone";
					if (fate === "ok" || fate === "lose") this.#place(request);
					if (fate === "lose") {
						return later(2, (): OriginateResult => {
							throw new Error("connection reset");
						});
					}
					return later(
						2,
						(): OriginateResult =>
							fate === "ok"
								? { kind: "created" as const }
								: fate === "gone"
									? { kind: "notSent" as const, message: "ECONNREFUSED" }
									: { kind: "refused" as const, status: 500, message: "Allocation failed" },
					);
				},
				hangup: (channelId, cause) => asterisk(() => this.end(channelId, { cause })),
				listChannels: () =>
					asterisk((): AriChannel[] => [...this.channels].map(([id, channel]) => ({ id, ...channel }))),
				subscribe: () => asterisk(() => undefined),
				info: () => asterisk(() => ({ startedAt: this.startedAt })),
			},
		};
	}

	/** How often each number was dialed. */
	timesDialed(): Record<string, number> {
		const times: Record<string, number> = {};
		for (const { channelId } of this.dialed) times[channelId] = (times[channelId] ?? 0) + 1;
		return times;
	}
}

export const outcomesOf = (control: FakeControlPlane): CompletedCall["outcome"][] =>
	[...control.completed.values()].map(({ outcome }) => outcome);

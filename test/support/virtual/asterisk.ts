import {
	type Ari,
	type AriChannel,
	type AriEvent,
	type AriListener,
	AsteriskGoneError,
	type OriginateRequest,
	type OriginateResult,
} from "../../../host/agent/ports.ts";
import { parseCallId } from "../../../shared/contract/ids.ts";
import type { Carrier } from "./checks.ts";
import type { Random } from "./random.ts";
import type { Scheduler, Waiting } from "./scheduler.ts";

/** What the carrier does with a call, and when, ms after the INVITE. */
export interface CallScript {
	ringAfterMs?: number;
	answerAfterMs?: number;
	/** The far end ends it: with this SIP status, or by a BYE. Absent: it goes on until we end it. */
	endAfterMs?: number;
	status?: number;
}

/** Q.850 causes that Asterisk makes of SIP statuses. */
const CAUSES: Record<number, number> = { 404: 1, 480: 19, 486: 17, 503: 34, 603: 21 };
const DIAL_STATUS: Record<number, string> = { 486: "BUSY", 503: "CONGESTION" };

interface Channel {
	id: string;
	name: string;
	trunk: string;
	state: "Down" | "Ringing" | "Up";
	timers: Waiting[];
}

/** How one agent process hears of this Asterisk. */
interface Connection {
	owner: string;
	listener: AriListener;
	up: boolean;
}

/** Longest time from the agent's decision to the INVITE's arrival, ms: a slot's spacing allows for so much. */
const ORIGINATE_MS = 24;
/** Longest time that an event or an answer of Asterisk is under way on the host, ms. */
const LOCAL_MS = 12;

/**
 * An Asterisk as the agent sees it through its port, under the virtual clock: channels, events that wait for the agent while it is away, calls
 * that do what a script says. It judges nothing: the carrier does.
 */
export class VirtualAsterisk {
	up = true;
	readonly channels = new Map<string, Channel>();
	readonly #scheduler: Scheduler;
	readonly #random: Random;
	readonly #carrier: Carrier;
	readonly #hostId: string;
	readonly #script: (callId: string) => CallScript;
	#boots = 1;
	#connection: Connection | undefined;
	/** Events that the agent has not taken yet, in order. */
	#queue: AriEvent[] = [];
	#delivering: Waiting | undefined;
	/** Whether events wait while nobody listens (an outbound websocket), or are lost (an inbound one). */
	keepsEvents = true;
	/** The machine's wall clock. */
	readonly #wallMs: () => number;

	constructor(
		scheduler: Scheduler,
		random: Random,
		carrier: Carrier,
		hostId: string,
		script: (callId: string) => CallScript,
		wallMs: () => number,
	) {
		this.#scheduler = scheduler;
		this.#random = random;
		this.#carrier = carrier;
		this.#hostId = hostId;
		this.#script = script;
		this.#wallMs = wallMs;
	}

	/** kill -9: its channels are gone without an event. */
	kill(): void {
		this.up = false;
		for (const id of [...this.channels.keys()]) this.#remove(id, 0);
		this.#queue = [];
		this.#scheduler.drop(`${this.#hostId}.asterisk`);
		this.#delivering = undefined;
		this.#disconnect();
	}
	restart(): void {
		this.up = true;
		this.#boots++;
		if (this.#connection) this.#connectSoon(this.#connection);
	}
	#disconnect(): void {
		const connection = this.#connection;
		if (!connection?.up) return;
		connection.up = false;
		if (!this.keepsEvents) this.#queue = [];
		this.#later(connection.owner, "event", "disconnected", () => connection.listener.onDisconnected());
	}
	/** The agent's process is gone. */
	agentGone(owner: string): void {
		if (this.#connection?.owner !== owner) return;
		this.#connection = undefined;
		if (this.#delivering) this.#scheduler.remove(this.#delivering);
		this.#delivering = undefined;
		if (!this.keepsEvents) this.#queue = [];
	}
	#connectSoon(connection: Connection): void {
		this.#later(connection.owner, "event", "connected", () => {
			if (!this.up || this.#connection !== connection || connection.up) return;
			connection.up = true;
			connection.listener.onConnected();
			this.#deliverNext();
		});
	}

	#later(owner: string, kind: string, label: string, run: () => void, withinMs = LOCAL_MS): Waiting {
		return this.#scheduler.add({
			kind,
			owner,
			label: `${this.#hostId} asterisk: ${label}`,
			deadline: this.#scheduler.now + this.#random.int(0, withinMs),
			run,
		});
	}
	#emit(event: AriEvent): void {
		if (!this.#connection?.up && !this.keepsEvents) return;
		this.#queue.push(event);
		this.#deliverNext();
	}
	#deliverNext(): void {
		const connection = this.#connection;
		const event = this.#queue[0];
		if (this.#delivering || !connection?.up || !event) return;
		this.#delivering = this.#later(connection.owner, "event", `${event.type} ${event.channelId}`, () => {
			this.#delivering = undefined;
			// Now and then an event comes twice, as with two subscriptions to one thing.
			if (!this.#random.chance(0.03)) this.#queue.shift();
			connection.listener.onEvent(event);
			this.#deliverNext();
		});
	}

	/** The port of one agent process. */
	port(owner: string): Ari {
		/** A request and its answer; `run` happens in Asterisk, and what it says may get lost with the process only. */
		const ask = <T>(what: string, run: () => T, withinMs?: number): Promise<T> =>
			new Promise((resolve, reject) => {
				this.#later(
					owner,
					what.startsWith("originate") ? "originate" : "ari",
					what,
					() => {
						let answer: () => void;
						try {
							const value = run();
							answer = () => resolve(value);
						} catch (error) {
							answer = () => reject(error);
						}
						this.#later(owner, "ari", `answer to ${what}`, answer);
					},
					withinMs,
				);
			});
		const mustBeUp = (): void => {
			if (!this.up) throw new AsteriskGoneError("nothing listens");
		};
		return {
			start: (listener) => {
				this.#connection = { owner, listener, up: false };
				if (this.up) this.#connectSoon(this.#connection);
			},
			stop: () => {
				this.agentGone(owner);
				return Promise.resolve();
			},
			originate: (request) => ask(`originate ${request.channelId}`, () => this.#originate(request), ORIGINATE_MS),
			hangup: (channelId, cause) =>
				ask(`hangup ${channelId}`, () => {
					mustBeUp();
					this.#destroy(channelId, { cause, byUs: true });
				}),
			listChannels: () =>
				ask("list", () => {
					mustBeUp();
					return [...this.channels.values()].map(({ id, name, state }): AriChannel => ({ id, name, state }));
				}),
			subscribe: () => ask("subscribe", mustBeUp),
			info: () =>
				ask("info", () => {
					mustBeUp();
					return { startedAt: `boot ${this.#boots}` };
				}),
		};
	}

	/** Set by a test: the next originates are refused, or their answer never comes (placed or not). */
	trouble: "refuse" | "lose" | "loseAnswer" | undefined;

	#originate(request: OriginateRequest): OriginateResult {
		if (!this.up) return { kind: "notSent", message: "nothing listens" };
		const { trouble } = this;
		this.trouble = undefined;
		if (trouble === "refuse") return { kind: "refused", status: 500, message: "Allocation failed" };
		if (trouble === "lose") throw new Error("the connection broke");
		const id = request.channelId;
		if (this.channels.has(id)) return { kind: "duplicate" };
		const ref = parseCallId(id);
		if (!ref) return { kind: "refused", status: 400, message: "no such call" };
		const trunk = /burst-dialer-([a-z0-9-]+)$/.exec(request.endpoint)?.[1] ?? "";
		const channel: Channel = {
			id,
			name: `PJSIP/burst-dialer-${trunk}-${id.slice(-4)}`,
			trunk,
			state: "Down",
			timers: [],
		};
		this.channels.set(id, channel);
		this.#scheduler.tell(`${this.#hostId} INVITE ${id}`);
		this.#carrier.invite(this.#scheduler.now, { callId: id, host: this.#hostId, trunk, campaignId: ref.campaignId });
		this.#emit({ type: "channelCreated", channelId: id, name: channel.name, atMs: this.#wallMs() });
		this.#play(channel, request);
		if (trouble === "loseAnswer") throw new Error("the connection broke");
		return { kind: "created" };
	}

	#play(channel: Channel, request: OriginateRequest): void {
		const script = this.#script(channel.id);
		const at = (afterMs: number, what: string, run: () => void): void => {
			const moment = this.#scheduler.now + afterMs;
			channel.timers.push(
				this.#scheduler.add({
					kind: "carrier",
					owner: `${this.#hostId}.asterisk`,
					label: `${channel.id} ${what}`,
					notBefore: moment,
					deadline: moment,
					run,
				}),
			);
		};
		const dial = (status: string): void =>
			this.#emit({ type: "dial", channelId: channel.id, status, atMs: this.#wallMs() });
		const { ringAfterMs, answerAfterMs, endAfterMs, status } = script;
		if (ringAfterMs !== undefined)
			at(ringAfterMs, "rings", () => {
				channel.state = "Ringing";
				dial("RINGING");
			});
		if (answerAfterMs !== undefined)
			at(answerAfterMs, "answers", () => {
				channel.state = "Up";
				dial("ANSWER");
			});
		if (endAfterMs !== undefined)
			at(endAfterMs, "ends", () => {
				if (status !== undefined) dial(DIAL_STATUS[status] ?? "NOANSWER");
				this.#destroy(
					channel.id,
					status === undefined
						? { cause: 0, byUs: false }
						: { cause: CAUSES[status] ?? 0, techCause: status, byUs: false },
				);
			});
		const ringMs = request.timeoutSec * 1_000;
		if (answerAfterMs === undefined || answerAfterMs > ringMs)
			at(ringMs, "ring timeout", () => this.#destroy(channel.id, { cause: 19, techCause: 480, byUs: true }));
		at(Number(request.variables["TIMEOUT(absolute)"]) * 1_000, "call limit", () =>
			this.#destroy(channel.id, { cause: 16, byUs: true }),
		);
	}

	#destroy(id: string, end: { cause: number; techCause?: number; byUs: boolean }): void {
		const channel = this.channels.get(id);
		if (!channel) return;
		// What we end lives on at the carrier until it has answered our BYE or CANCEL.
		this.#remove(id, end.byUs ? this.#random.int(4, 60) : 0);
		this.#scheduler.tell(`${this.#hostId} channel gone ${id} cause ${end.cause}${end.byUs ? " by us" : ""}`);
		this.#emit({
			type: "channelDestroyed",
			channelId: id,
			name: channel.name,
			state: channel.state,
			cause: end.cause,
			...(end.techCause === undefined ? {} : { techCause: end.techCause }),
			atMs: this.#wallMs(),
		});
	}
	#remove(id: string, carrierMs: number): void {
		for (const timer of this.channels.get(id)?.timers ?? []) this.#scheduler.remove(timer);
		this.channels.delete(id);
		const moment = this.#scheduler.now + carrierMs;
		if (carrierMs === 0) this.#carrier.end(id);
		else
			this.#scheduler.add({
				kind: "carrier",
				owner: "carrier",
				label: `${id} ends at the carrier`,
				notBefore: moment,
				deadline: moment,
				run: () => this.#carrier.end(id),
			});
	}
}

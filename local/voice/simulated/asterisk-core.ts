import type {
	SimAsteriskConfig,
	SimAsteriskOptions,
	SimEvent,
	SimOriginate,
	SimOriginateResult,
} from "./asterisk-types.ts";
import { causeOfStatus, causeText, dialStatusOf, statusOfCause } from "./causes.ts";
import { ariTime, channelJson, parseCallerId, parseDialString, type SimChannel } from "./channel.ts";
import { findExtension, stepOf } from "./dialplan.ts";
import { Endpoints, endpointName } from "./endpoints.ts";
import { GIVE_UP_MS, type SimNetwork, type SipMessage, type SipNode } from "./network.ts";
import { Tasks } from "./tasks.ts";

/**
 * README of the simulated voice plane's core
 * ==========================================
 * `SimAsteriskCore` is one Asterisk 22 as far as a dialer sees it: channels, their events, causes and times, as measured on the real one.
 * `SimCarrierCore` is the carrier behind it. `SimAri` (ari.ts) puts the requests, applications, subscriptions and event queues of ARI on top. None
 * of the three opens a socket, reads a clock or draws a random number of its own, so a virtual clock can drive any number of them:
 *
 *     const clock: SimClock = { now, setTimer, clearTimer };                       // virtual, or machineClock()
 *     const network = new SimNetwork({ clock, random: seededRandom(1) });
 *     const carrier = new SimCarrierCore({ network, address: "127.0.0.200", port: 5060 });
 *     const asterisk = new SimAsteriskCore({ network, address: "127.0.0.11", random: seededRandom(2) });
 *     asterisk.configure({ endpoints: [simEndpoint("trunk-a", "127.0.0.200:5060")], dialplan: dialplanOf({ … }) });
 *     asterisk.start();
 *     asterisk.onEvent((event) => …);          // every event, each with channelId and endpoint; events come during originate() too
 *     asterisk.originate({ channelId, endpoint: "PJSIP/2000@trunk-a", context, extension, timeoutSec: 30, variables })
 *         // → { kind: "created", channel } | { kind: "duplicate" } | { kind: "refused", status, message }
 *     asterisk.hangup(channelId, 16)           // → false where there is no such channel
 *     asterisk.listChannels()                  // as GET /channels
 *     asterisk.stop(); .kill(); .start(); .pause(); .resume();
 *
 * `kill()` is a kill -9: the calls are gone without an event, the carrier is told nothing, and `startupTime` is new after `start()`.
 * `pause()` is a stopped process: nothing happens until `resume()`, then all of it at once.
 *
 * Channel states and events of a call, in order (a carrier that answers at once leaves Ringing out):
 *
 *     originate  → ChannelCreated, ChannelDialplan, ChannelCallerId, ChannelConnectedLine, ChannelVarset…  (before the answer to the request)
 *     INVITE     → Dial ""
 *     180        → ChannelStateChange Ringing, Dial RINGING
 *     200        → ChannelStateChange Up, Dial ANSWER, ChannelDialplan for each application of the dialplan
 *     refused    → ChannelHangupRequest(cause, tech_cause), Dial BUSY|CONGESTION|NOANSWER, ChannelDestroyed(cause, tech_cause)
 *     ring time over, or TIMEOUT(absolute) before the answer → ChannelDestroyed 19/480, nothing else
 *     no reply for 32 s → as refused, with 18/408
 *     BYE        → ChannelHangupRequest, ChannelHangupRequest 16 soft, ChannelDestroyed 0 without tech_cause
 *     Hangup(n)  → ChannelHangupRequest 16 soft, ChannelDestroyed n
 *     end of the extension, or TIMEOUT(absolute) after the answer → ChannelHangupRequest 16 soft, ChannelDestroyed 0
 *     stop()     → as hangup, with 4 instead of 32, then ChannelDestroyed 0
 *     hangup(n)  → ChannelHangupRequest 32 soft, then (Up) ChannelHangupRequest 16 soft or (else) Dial NOANSWER…, then ChannelDestroyed n
 */
const DEFAULT_TIMEOUT_SEC = 30;
/** The longest unique id Asterisk takes. */
export const MAX_CHANNEL_ID_CHARS = 149;
/** A thread picks the dialing up, ms. */
const DIAL_DELAY_MS = { from: 1, to: 3 };
/** From a request to hang up until the channel is gone, ms. */
const HANGUP_DELAY_MS = { from: 0.3, to: 1 };

/** How ChannelHangupRequest names the reasons that are not Q.850: asked for by ARI, and Asterisk's own end. */
const BY_REQUEST = 32;
const SHUTDOWN = 4;

/** The function that limits a call's time. */
const ABSOLUTE = "TIMEOUT(absolute)";

const APP = "AppDial2";
const APP_DATA = "(Outgoing Line)";

export class SimAsteriskCore implements SipNode {
	readonly node: string;
	readonly address: string;
	private readonly network: SimNetwork;
	private readonly random: () => number;
	private readonly tasks: Tasks;
	private config: SimAsteriskConfig = {
		endpoints: [],
		dialplan: new Map(),
		channelVars: [],
		soundMs: () => undefined,
	};
	private readonly channels = new Map<string, SimChannel>();
	private readonly byCallId = new Map<string, SimChannel>();
	readonly endpoints: Endpoints;
	private readonly listeners = new Set<(event: SimEvent) => void>();
	private channelCount = 0;
	private startedAt = 0;
	private running = false;

	constructor({ network, address, random, port = 5060 }: SimAsteriskOptions) {
		this.network = network;
		this.address = address;
		this.node = `${address}:${port}`;
		this.random = random;
		this.tasks = new Tasks(network.clock);
		this.endpoints = new Endpoints({
			network,
			random,
			tasks: this.tasks,
			channels: this.channels,
			tell: (event) => this.tell(event),
		});
	}

	/** Whether the process runs (paused or not). */
	get up(): boolean {
		return this.running;
	}

	get paused(): boolean {
		return this.tasks.paused;
	}

	/** ms since 1970 of the last start. */
	get startupTime(): number {
		return this.startedAt;
	}

	start(): void {
		if (this.running) throw new Error(`the simulated Asterisk on ${this.address} runs already`);
		this.running = true;
		this.startedAt = this.network.clock.now();
		this.channelCount = 0;
		this.network.join(this);
		this.endpoints.start();
	}

	/** SIGTERM: every call is hung up, with its events. */
	stop(): void {
		if (!this.running) return;
		this.tasks.resume();
		for (const channel of [...this.channels.values()]) {
			this.emit(channel, "ChannelHangupRequest", { cause: SHUTDOWN, soft: true });
			this.hungUpHere(channel, 0);
		}
		this.gone();
		this.network.leave(this);
	}

	/** kill -9: nobody is told anything. */
	kill(): void {
		if (!this.running) return;
		this.network.leave(this);
		this.gone();
	}

	private gone(): void {
		this.running = false;
		this.tasks.clear();
		this.channels.clear();
		this.byCallId.clear();
	}

	pause(): void {
		this.tasks.pause();
	}

	resume(): void {
		this.tasks.resume();
	}

	/** Runs it now, or at {@link resume} where the process is stopped. */
	whenRunning(action: () => void): void {
		this.tasks.run(action);
	}

	/** Takes what a reload changed; calls are not touched. */
	configure(change: Partial<SimAsteriskConfig>): void {
		this.config = { ...this.config, ...change };
		if (change.endpoints) this.endpoints.configure(change.endpoints, this.running);
	}

	onEvent(listener: (event: SimEvent) => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	/** As `GET /channels`. */
	listChannels(): Record<string, unknown>[] {
		return [...this.channels.values()].map((channel) => channelJson(channel, this.config.channelVars));
	}

	/** How many channels there are. */
	liveChannels(): number {
		return this.channels.size;
	}

	channel(id: string): Record<string, unknown> | undefined {
		const channel = this.channels.get(id);
		return channel && channelJson(channel, this.config.channelVars);
	}

	/** A variable of a channel; undefined where the channel or the variable is not there. */
	variable(channelId: string, name: string): string | undefined {
		const channel = this.channels.get(channelId);
		if (name === "CHANNEL(state)") return channel?.state;
		return channel?.variables.get(name);
	}

	hasExtension(context: string, extension: string): boolean {
		return findExtension(this.config.dialplan, context, extension) !== undefined;
	}

	originate(request: SimOriginate): SimOriginateResult {
		const refused = (status: 400 | 500, message: string): SimOriginateResult => ({ kind: "refused", status, message });
		const slash = request.endpoint.indexOf("/");
		if (request.endpoint === "") return refused(400, "Endpoint must be specified");
		if (slash < 1 || slash === request.endpoint.length - 1) return refused(400, "Invalid endpoint specified");
		if (!request.extension) return refused(400, "Application or extension must be specified");
		const id = request.channelId || this.newUniqueId();
		if (id.length > MAX_CHANNEL_ID_CHARS)
			return refused(400, `Uniqueid length exceeds maximum of ${MAX_CHANNEL_ID_CHARS}`);
		const technology = request.endpoint.slice(0, slash);
		const dialString = request.endpoint.slice(slash + 1);
		const { resource, number } = parseDialString(dialString);
		const endpoint = this.endpoints.dialable(`${technology}/${resource}`);
		if (!this.running || !endpoint) return refused(500, "Allocation failed");
		const name = `${technology}/${resource}-${(this.channelCount++).toString(16).padStart(8, "0")}`;
		for (const live of this.channels.keys()) if (live.startsWith(id)) return { kind: "duplicate" };
		const channel: SimChannel = {
			id,
			name,
			callId: this.newCallId(),
			endpoint,
			number,
			dialString,
			createdAt: this.network.clock.now(),
			caller: { name: "", number: "" },
			then: {
				context: request.context || "default",
				extension: request.extension,
				priority: request.priority && request.priority > 0 ? request.priority : 1,
			},
			variables: new Map(),
			state: "Down",
			dialplan: { context: endpoint.context, exten: "s", priority: 1, app_name: "", app_data: "" },
			lines: [],
			invited: false,
			replied: false,
			ending: false,
			timers: new Set(),
			absoluteTimer: undefined,
		};
		this.channels.set(id, channel);
		this.byCallId.set(channel.callId, channel);
		this.announce(channel, request);
		this.limit(channel, request);
		this.later(channel, this.within(DIAL_DELAY_MS), () => this.dial(channel));
		return { kind: "created", channel: channelJson(channel, this.config.channelVars) };
	}

	/**
	 * As `DELETE /channels/{id}`.
	 * @param cause Q.850
	 * @returns false where there is no such channel
	 */
	hangup(channelId: string, cause = 16): boolean {
		const channel = this.channels.get(channelId);
		if (!channel) return false;
		if (channel.ending) return true;
		channel.ending = true;
		this.later(channel, this.within(HANGUP_DELAY_MS), () => {
			this.emit(channel, "ChannelHangupRequest", { cause: BY_REQUEST, soft: true });
			this.hungUpHere(channel, cause);
		});
		return true;
	}

	reachable(): boolean {
		return true;
	}

	receive(message: SipMessage, from: string): void {
		this.tasks.run(() => this.received(message, from));
	}

	private received(message: SipMessage, from: string): void {
		const channel = this.byCallId.get(message.callId);
		if (message.kind === "bye") {
			this.network.send(this, from, { kind: "byeOk", callId: message.callId });
			if (channel) this.farEndHungUp(channel);
			return;
		}
		if (message.kind !== "response") return;
		const { status, callId } = message;
		if (status >= 200) this.network.send(this, from, { kind: "ack", callId });
		if (!channel) {
			// Its INVITE was cancelled while this reply was on its way.
			if (status < 200) this.network.send(this, from, { kind: "cancel", callId }, {});
			else if (status < 300) this.network.send(this, from, { kind: "bye", callId }, {});
			return;
		}
		channel.replied = true;
		if (status === 180) this.ringing(channel);
		else if (status >= 200 && status < 300) this.answered(channel);
		else if (status >= 300) this.refusedBy(channel, status);
	}

	private announce(channel: SimChannel, request: SimOriginate): void {
		this.endpoints.changed(channel.endpoint);
		this.emit(channel, "ChannelCreated", {});
		channel.dialplan.app_name = APP;
		channel.dialplan.app_data = APP_DATA;
		this.emit(channel, "ChannelDialplan", { dialplan_app: APP, dialplan_app_data: APP_DATA });
		Object.assign(channel.caller, parseCallerId(request.callerId ?? ""));
		if (request.callerId) {
			this.emit(channel, "ChannelCallerId", {
				caller_presentation: 0,
				caller_presentation_txt: "Presentation Allowed, Not Screened",
			});
			this.emit(channel, "ChannelConnectedLine", {});
		}
		for (const [name, value] of Object.entries(request.variables ?? {})) {
			if (!name.includes("(")) this.setVariable(channel, name, value);
		}
	}

	/** The ring time, TIMEOUT(absolute), and the time after which an INVITE without any reply has failed. */
	private limit(channel: SimChannel, request: SimOriginate): void {
		const ringSec = request.timeoutSec ?? DEFAULT_TIMEOUT_SEC;
		if (ringSec > 0)
			this.later(channel, ringSec * 1000, () => {
				if (channel.state !== "Up") this.rangOut(channel);
			});
		if (ringSec <= 0 || ringSec * 1000 > GIVE_UP_MS)
			this.later(channel, GIVE_UP_MS, () => {
				if (!channel.replied) this.refusedBy(channel, 408);
			});
		const absolute = request.variables?.[ABSOLUTE];
		if (absolute !== undefined) this.limitAbsolutely(channel, Number(absolute));
	}

	/** TIMEOUT(absolute), counted from now; 0 takes it away. */
	private limitAbsolutely(channel: SimChannel, seconds: number): void {
		this.tasks.cancel(channel.absoluteTimer);
		channel.absoluteTimer = undefined;
		if (!(seconds > 0)) return;
		channel.absoluteTimer = this.later(channel, seconds * 1000, () => {
			if (channel.state === "Up") this.dialplanEnded(channel);
			else this.rangOut(channel);
		});
	}

	private dial(channel: SimChannel): void {
		const { contact } = channel.endpoint;
		channel.invited = true;
		this.emit(channel, "Dial", { dialstatus: "", forward: "", dialstring: channel.dialString });
		if (contact === undefined) return;
		const { callId, number, caller } = channel;
		this.network.send(
			this,
			contact,
			{ kind: "invite", callId, number, callerId: caller.number },
			{ wanted: () => this.byCallId.has(callId) },
		);
	}

	private ringing(channel: SimChannel): void {
		if (channel.state !== "Down") return;
		channel.state = "Ringing";
		this.emit(channel, "ChannelStateChange", {});
		this.emitDial(channel, "RINGING");
	}

	private answered(channel: SimChannel): void {
		if (channel.state === "Up") return;
		channel.state = "Up";
		this.emit(channel, "ChannelStateChange", {});
		this.emitDial(channel, "ANSWER");
		const { context, extension, priority } = channel.then;
		const lines = findExtension(this.config.dialplan, context, extension);
		channel.dialplan = { context, exten: extension, priority, app_name: APP, app_data: APP_DATA };
		channel.lines = lines?.slice(priority - 1) ?? [];
		if (channel.lines.length === 0) this.dialplanEnded(channel);
		else this.runDialplan(channel);
	}

	/** Runs lines until one takes time or ends the call. */
	private runDialplan(channel: SimChannel): void {
		for (let line = channel.lines.shift(); line; line = channel.lines.shift()) {
			const step = stepOf(line, (name) => channel.variables.get(name));
			channel.dialplan.app_name = step.app;
			channel.dialplan.app_data = step.data;
			this.emit(channel, "ChannelDialplan", { dialplan_app: step.app, dialplan_app_data: step.data });
			if (step.kind === "hold") return;
			if (step.kind === "hangup") {
				this.emit(channel, "ChannelHangupRequest", { cause: 16, soft: true });
				this.end(channel, step.cause || 16, statusOfCause(step.cause));
				return;
			}
			if (step.kind === "set" && step.name === ABSOLUTE) this.limitAbsolutely(channel, Number(step.value));
			// Other functions have no effect here.
			else if (step.kind === "set" && !step.name.includes("(")) this.setVariable(channel, step.name, step.value);
			const playMs = step.kind === "play" ? this.config.soundMs(step.sound) : undefined;
			const takesMs = step.kind === "wait" ? step.ms : (playMs ?? 0);
			const after = (): void => {
				if (step.kind === "play")
					this.setVariable(channel, "PLAYBACKSTATUS", playMs === undefined ? "FAILED" : "SUCCESS");
				channel.dialplan.priority += 1;
			};
			if (takesMs > 0) {
				this.later(channel, takesMs, () => {
					after();
					this.runDialplan(channel);
				});
				return;
			}
			after();
		}
		this.dialplanEnded(channel);
	}

	private dialplanEnded(channel: SimChannel): void {
		this.emit(channel, "ChannelHangupRequest", { cause: 16, soft: true });
		this.end(channel, 0, undefined);
	}

	/** Our own ring time is over: no Dial event tells it, and the status is made up here. */
	private rangOut(channel: SimChannel): void {
		this.end(channel, 19, 480);
	}

	private refusedBy(channel: SimChannel, status: number): void {
		if (channel.state === "Up") return;
		const cause = causeOfStatus(status);
		this.emit(channel, "ChannelHangupRequest", { cause, tech_cause: status });
		this.emitDial(channel, dialStatusOf(cause));
		// The carrier has ended the transaction: there is nothing to cancel.
		channel.invited = false;
		this.end(channel, cause, status);
	}

	private farEndHungUp(channel: SimChannel): void {
		this.emit(channel, "ChannelHangupRequest", {});
		this.emit(channel, "ChannelHangupRequest", { cause: 16, soft: true });
		channel.invited = false;
		this.end(channel, 0, undefined);
	}

	private hungUpHere(channel: SimChannel, cause: number): void {
		if (channel.state === "Up") this.emit(channel, "ChannelHangupRequest", { cause: 16, soft: true });
		else this.emitDial(channel, dialStatusOf(cause));
		this.end(channel, cause, statusOfCause(cause));
	}

	private end(channel: SimChannel, cause: number, techCause: number | undefined): void {
		for (const timer of channel.timers) this.tasks.cancel(timer);
		this.channels.delete(channel.id);
		this.byCallId.delete(channel.callId);
		const { contact } = channel.endpoint;
		// A CANCEL must wait for a first reply (RFC 3261, 9.1); without one the INVITE is just not repeated.
		if (contact !== undefined && channel.invited && channel.replied) {
			const kind = channel.state === "Up" ? "bye" : "cancel";
			this.network.send(this, contact, { kind, callId: channel.callId }, {});
		}
		channel.dialplan.app_name = APP;
		channel.dialplan.app_data = APP_DATA;
		this.emit(channel, "ChannelDestroyed", {
			cause,
			cause_txt: causeText(cause),
			...(techCause === undefined ? {} : { tech_cause: techCause }),
		});
		this.endpoints.changed(channel.endpoint);
	}

	private setVariable(channel: SimChannel, name: string, value: string): void {
		const plain = name.replace(/^_{1,2}/, "");
		channel.variables.set(plain, value);
		this.emit(channel, "ChannelVarset", { variable: plain, value });
	}

	private emitDial(channel: SimChannel, dialstatus: string): void {
		this.emit(channel, "Dial", { dialstatus, forward: "", dialstring: channel.dialString });
	}

	private emit(channel: SimChannel, type: string, fields: Record<string, unknown>): void {
		if (this.listeners.size === 0) return;
		const json = {
			...fields,
			type,
			timestamp: ariTime(this.network.clock.now()),
			[type === "Dial" ? "peer" : "channel"]: channelJson(channel, this.config.channelVars),
		};
		this.tell({ json, channelId: channel.id, endpoint: endpointName(channel.endpoint) });
	}

	private tell(event: SimEvent): void {
		for (const listener of [...this.listeners]) listener(event);
	}

	private later(channel: SimChannel, delayMs: number, action: () => void): unknown {
		const timer = this.tasks.later(delayMs, () => {
			channel.timers.delete(timer);
			if (this.channels.get(channel.id) === channel) action();
		});
		channel.timers.add(timer);
		return timer;
	}

	private within({ from, to }: { from: number; to: number }): number {
		return from + this.random() * (to - from);
	}

	private newUniqueId(): string {
		return `${Math.floor(this.network.clock.now() / 1000)}.${this.channelCount}`;
	}

	/** A SIP Call-ID in the form of a UUID, as Asterisk makes them. */
	private newCallId(): string {
		let hex = "";
		for (let i = 0; i < 8; i++)
			hex += Math.floor(this.random() * 65_536)
				.toString(16)
				.padStart(4, "0");
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
	}
}

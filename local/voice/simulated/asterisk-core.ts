import type {
	SimAsteriskConfig,
	SimAsteriskOptions,
	SimEvent,
	SimOriginate,
	SimOriginateResult,
} from "./asterisk-types.ts";
import { CallEnds } from "./call-ends.ts";
import { CallLimits } from "./call-limits.ts";
import type { SimEndpoint } from "./channel.ts";
import { ChannelEvents } from "./channel-events.ts";
import { Dialing } from "./dialing.ts";
import { findExtension } from "./dialplan.ts";
import { DialplanRun } from "./dialplan-run.ts";
import { Endpoints } from "./endpoints.ts";
import { LiveChannels, type LiveChannelsOptions } from "./live-channels.ts";
import type { SimNetwork, SipMessage, SipNode } from "./network.ts";
import { newCallId, newChannel, readOriginate, refused } from "./originate.ts";
import { Tasks } from "./tasks.ts";

export { MAX_CHANNEL_ID_CHARS } from "./originate.ts";

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
 *
 * dialing.ts takes a call from the request to its answer, dialplan-run.ts from there on; call-limits.ts and call-ends.ts say when and how it ends.
 */
export class SimAsteriskCore implements SipNode {
	readonly node: string;
	readonly address: string;
	readonly endpoints: Endpoints;
	private readonly network: SimNetwork;
	private readonly random: () => number;
	private readonly tasks: Tasks;
	private readonly config: SimAsteriskConfig = {
		endpoints: [],
		dialplan: new Map(),
		channelVars: [],
		soundMs: () => undefined,
		hasModule: () => true,
	};
	private readonly events: ChannelEvents;
	private readonly live: LiveChannels;
	private readonly ends: CallEnds;
	private readonly dialing: Dialing;
	private channelCount = 0;
	private startedAt = 0;
	private running = false;

	constructor({ network, address, random, port = 5060 }: SimAsteriskOptions) {
		this.network = network;
		this.address = address;
		this.node = `${address}:${port}`;
		this.random = random;
		const { config } = this;
		const tasks = new Tasks(network.clock);
		const events = new ChannelEvents(network.clock, config);
		const send: LiveChannelsOptions["send"] = (to, message, repeated) => network.send(this, to, message, repeated);
		const endpointChanged = (endpoint: SimEndpoint): void => this.endpoints.changed(endpoint);
		const now = (): number => network.clock.now();
		const live = new LiveChannels({ events, tasks, random, now, send, endpointChanged });
		const ends = new CallEnds(live, events);
		const limits = new CallLimits(live, ends);
		const dialplan = new DialplanRun({ config, live, events, ends, limits });
		this.tasks = tasks;
		this.events = events;
		this.live = live;
		this.ends = ends;
		this.dialing = new Dialing({ live, events, ends, limits, dialplan, send, endpointChanged });
		this.endpoints = new Endpoints({
			network,
			random,
			tasks,
			channels: live.byId,
			tell: (event) => events.tell(event),
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
		for (const channel of [...this.live.byId.values()]) this.ends.byShutdown(channel);
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
		this.live.clear();
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
		Object.assign(this.config, change);
		if (change.endpoints) this.endpoints.configure(change.endpoints, this.running);
	}

	onEvent(listener: (event: SimEvent) => void): () => void {
		return this.events.listen(listener);
	}

	/** As `GET /channels`. */
	listChannels(): Record<string, unknown>[] {
		return [...this.live.byId.values()].map((channel) => this.events.json(channel));
	}

	/** How many channels there are. */
	liveChannels(): number {
		return this.live.byId.size;
	}

	channel(id: string): Record<string, unknown> | undefined {
		const channel = this.live.byId.get(id);
		return channel && this.events.json(channel);
	}

	/** A variable of a channel; undefined where the channel or the variable is not there. */
	variable(channelId: string, name: string): string | undefined {
		const channel = this.live.byId.get(channelId);
		if (name === "CHANNEL(state)") return channel?.state;
		return channel?.variables.get(name);
	}

	hasExtension(context: string, extension: string): boolean {
		return findExtension(this.config.dialplan, context, extension) !== undefined;
	}

	originate(request: SimOriginate): SimOriginateResult {
		const createdAt = this.network.clock.now();
		const read = readOriginate(request, `${Math.floor(createdAt / 1000)}.${this.channelCount}`);
		if (read.kind === "refused") return read;
		const endpoint = this.endpoints.dialable(read.endpointName);
		if (!this.running || !endpoint) return refused(500, "Allocation failed");
		const name = `${read.endpointName}-${(this.channelCount++).toString(16).padStart(8, "0")}`;
		if (this.live.taken(read.id)) return { kind: "duplicate" };
		const channel = newChannel(read, { name, callId: newCallId(this.random), endpoint, createdAt });
		this.live.add(channel);
		this.dialing.begin(channel, request);
		return { kind: "created", channel: this.events.json(channel) };
	}

	/**
	 * As `DELETE /channels/{id}`.
	 * @param cause Q.850
	 * @returns false where there is no such channel
	 */
	hangup(channelId: string, cause = 16): boolean {
		const channel = this.live.byId.get(channelId);
		if (!channel) return false;
		this.ends.byRequest(channel, cause);
		return true;
	}

	reachable(): boolean {
		return true;
	}

	receive(message: SipMessage, from: string): void {
		this.tasks.run(() => this.dialing.received(message, from));
	}
}

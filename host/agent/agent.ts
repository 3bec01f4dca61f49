import type { HostTrunk, Inventory, SyncResponse } from "../../shared/contract/host.ts";
import { AsteriskLink } from "./asterisk-link.ts";
import { Caller } from "./caller.ts";
import { ControlClock } from "./control-clock.ts";
import { Grants } from "./grants.ts";
import { Journal } from "./journal.ts";
import { Planner } from "./planner.ts";
import type { AgentPorts, Timer } from "./ports.ts";
import { RateMeter } from "./rate.ts";
import type { FrozenRequest, Instant } from "./records.ts";
import { type AgentSettings, DEFAULT_SETTINGS, matchesPattern } from "./settings.ts";
import { freezeRequest } from "./sync-body.ts";
import { SyncLoop } from "./sync-loop.ts";
import { Tracker } from "./tracker.ts";

/** Deadlines of calls and of held grants are looked at so often. */
const SWEEP_MS = 1_000;
/** While the agent stops: whether all is reported is looked at so often. */
const STOP_POLL_MS = 20;

/**
 * The host agent: pulls calls from the control plane, dials them through Asterisk in their slots, reports what became of them. All decisions are made
 * elsewhere, by pure functions; here they are put together. All state that matters is in the journal: a new Agent on the same journal goes on.
 */
export class Agent {
	readonly journal: Journal;
	readonly #ports: AgentPorts;
	readonly #settings: AgentSettings;
	readonly #clock = new ControlClock();
	readonly #rate = new RateMeter();
	readonly #grants = new Grants();
	readonly #tracker: Tracker;
	readonly #caller: Caller;
	readonly #link: AsteriskLink;
	readonly #planner: Planner;
	#loop: SyncLoop | undefined;
	/** First send of the last request whose answer this process accepted: the fence counts from here. */
	#fenceFrom: Instant | undefined;
	#hungry = { calls: false, slots: false };
	#inventory: Inventory | undefined;
	#inventorySent = "";
	#inventoryInRequest = "";
	#stopping = false;
	#stopped = false;
	#pumpQueued = false;
	#wakeTimer: Timer | undefined;
	#timers = new Set<Timer>();

	constructor(ports: AgentPorts, settings: Partial<AgentSettings> = {}) {
		this.#ports = ports;
		this.#settings = { ...DEFAULT_SETTINGS, ...settings };
		this.journal = new Journal(ports, () => this.#changed());
		this.#tracker = new Tracker(
			ports,
			this.journal,
			this.#settings,
			(wallMs) => wallMs + (this.#planner.controlNow() - ports.clock.wallMs()),
			() => {
				this.#rate.count(ports.clock.monotonicMs());
				this.#changed();
			},
		);
		this.#link = new AsteriskLink(
			ports,
			this.#settings,
			this.#tracker,
			() => this.#trunks(),
			() => this.#changed(),
		);
		this.#caller = new Caller(
			ports,
			this.journal,
			this.#tracker,
			{
				open: () => this.mayOriginate(),
				controlNow: () => this.#planner.controlNow(),
				trunk: (trunkId) => this.#trunks().find(({ id }) => id === trunkId),
				changed: () => this.#changed(),
				doubtful: () => this.#link.takeUp(),
				gone: () => this.#link.lost(),
			},
			this.#settings.originateTimeoutMs,
		);
		this.#planner = new Planner({
			ports,
			journal: this.journal,
			settings: this.#settings,
			tracker: this.#tracker,
			grants: this.#grants,
			clock: this.#clock,
			rate: this.#rate,
			loop: () => this.#loop as SyncLoop,
			foreign: () => this.#link.foreign.size,
			leadMs: () => Math.min(this.#settings.maxJournalLeadMs, this.#caller.journalMs),
		});
	}

	/** Reads the journal and begins. Rejects where the journal cannot be read. */
	async start(): Promise<void> {
		await this.journal.load();
		this.#tracker.restore();
		// Granted before the restart: pauses and windows since then are not known here, so what was not dialed goes back.
		for (const [callId, call] of Object.entries(this.journal.state.calls)) {
			if (call.state === "held") this.#grants.returning.set(callId, { urgent: true });
		}
		await this.#refreshInventory();
		if (this.#trunks().length > 0) await this.#applyTrunks();
		this.#loop = new SyncLoop(this.#ports, this.journal, this.#settings, {
			freeze: () => this.#freeze(),
			dueAt: () => this.#planner.nextSyncAt(),
			inventory: async () => {
				await this.#refreshInventory();
				this.#inventoryInRequest = JSON.stringify(this.#inventory);
				return this.#inventory ?? { sounds: [], contexts: [] };
			},
			accepted: (request, answer, receivedMs) => this.#accepted(request, answer, receivedMs),
			epochEnded: () => {
				this.#grants.forget();
				this.#fenceFrom = undefined;
				this.#changed();
			},
			changed: () => {
				this.#inventorySent = this.#inventoryInRequest;
				this.#changed();
			},
			configured: () => void this.#applyTrunks().then(() => this.#link.takeUp()),
			observeClock: (sent, received, controlNow) => this.#clock.observe(sent, received, controlNow),
			mustSync: () => (this.#grants.drain && this.#grants.syncsInDrain < 2) || this.#inventoryChanged(),
			drainSeen: (drain) => {
				this.#grants.drain = drain;
				if (!drain) this.#grants.syncsInDrain = 0;
			},
		});
		this.#link.start();
		this.#every(SWEEP_MS, () => this.#sweep());
		this.#every(this.#settings.inventoryIntervalMs, () => void this.#refreshInventory());
		this.#changed();
	}

	/** Originates nothing more, gives back what is held, reports what has ended, then stops. Live calls go on in Asterisk. */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#changed();
		const { clock } = this.#ports;
		const until = clock.monotonicMs() + this.#settings.stopTimeoutMs;
		const flushed = (): boolean => {
			const usage = this.#planner.usage();
			const { outstanding } = this.journal.state;
			return (
				outstanding === undefined && usage.held.length + usage.returns + usage.reportable + usage.coolingReports === 0
			);
		};
		while (this.#loop !== undefined && !flushed() && clock.monotonicMs() < until) {
			await new Promise<void>((resolve) => clock.setTimer(STOP_POLL_MS, resolve));
		}
		this.#stopped = true;
		this.#loop?.stop();
		this.#link.stop();
		this.journal.stop();
		for (const timer of this.#timers) clock.clearTimer(timer);
		if (this.#wakeTimer !== undefined) clock.clearTimer(this.#wakeTimer);
		await this.#ports.ari.stop();
	}

	/** Whether calls may be originated now; false also within the fence's end. */
	mayOriginate(): boolean {
		const { clock } = this.#ports;
		const fenceMs = (this.journal.state.config?.fenceSec ?? 0) * 1_000;
		const from = this.#fenceFrom;
		// By both clocks: the monotonic one may stand still while the machine sleeps.
		const fresh =
			from !== undefined && clock.monotonicMs() < from.monotonicMs + fenceMs && clock.wallMs() < from.wallMs + fenceMs;
		return (
			fresh &&
			!this.#stopping &&
			!this.#stopped &&
			this.#link.ready &&
			this.journal.healthy &&
			this.journal.state.epoch !== 0
		);
	}

	#trunks(): HostTrunk[] {
		return this.journal.state.config?.trunks ?? [];
	}

	#changed(): void {
		if (this.#pumpQueued) return;
		this.#pumpQueued = true;
		queueMicrotask(() => {
			this.#pumpQueued = false;
			this.#pump();
		});
	}

	#pump(): void {
		if (this.#stopped || this.#loop === undefined) return;
		const { clock } = this.#ports;
		const now = clock.monotonicMs();
		const coolUntil = this.#tracker.warm(now);
		this.#giveBack(now);
		const decision = this.#planner.dispatch(this.#planner.usage());
		let wakeAt = coolUntil ?? Number.POSITIVE_INFINITY;
		this.#grants.slots = decision.slots;
		if (this.mayOriginate()) {
			for (const start of decision.start) this.#caller.start(start);
			if (decision.wakeAt !== undefined) wakeAt = Math.min(wakeAt, now + decision.wakeAt - this.#planner.controlNow());
		}
		this.#loop.pump();
		if (this.#wakeTimer !== undefined) clock.clearTimer(this.#wakeTimer);
		this.#wakeTimer = undefined;
		if (wakeAt < Number.POSITIVE_INFINITY) {
			this.#wakeTimer = clock.setTimer(Math.max(1, Math.ceil(wakeAt - now)), () => this.#changed());
		}
	}

	/** Marks the held calls that are not to be dialed from here. */
	#giveBack(now: number): void {
		const { returning, grantedAt, drain } = this.#grants;
		const { calls } = this.journal.state;
		const all = this.#stopping || drain || !this.#link.ready;
		for (const callId of returning.keys()) if (calls[callId] === undefined) returning.delete(callId);
		for (const [callId, granted] of grantedAt) {
			const call = calls[callId];
			if (call === undefined) grantedAt.delete(callId);
			else if (call.state === "held" && !returning.has(callId)) {
				if (all) returning.set(callId, { urgent: true });
				else if (now - granted > this.#settings.holdLimitMs) returning.set(callId, { urgent: false });
			}
		}
	}

	#freeze(): FrozenRequest {
		const { clock } = this.#ports;
		const accepting = !this.#stopping && !this.#grants.drain && this.#link.ready;
		const { usage, want, prefetch, slots, hungry } = this.#planner.wishes(accepting);
		this.#hungry = hungry;
		const changed = this.#inventoryChanged();
		this.#inventoryInRequest = changed ? JSON.stringify(this.#inventory) : "";
		return freezeRequest({
			state: this.journal.state,
			agentState: this.#stopping ? "stopping" : this.#link.ready ? "up" : "asteriskDown",
			live: usage.used + this.#link.foreign.size,
			want,
			prefetch,
			slots,
			cooling: this.#tracker.cooling,
			returning: this.#grants.returning,
			orphans: this.#link.orphans,
			inventory: changed ? this.#inventory : undefined,
			now: { bootId: clock.bootId, monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() },
		});
	}

	#accepted(request: FrozenRequest, answer: SyncResponse, receivedMs: number): void {
		const { clock } = this.#ports;
		if (this.#inventoryInRequest !== "") this.#inventorySent = this.#inventoryInRequest;
		if (answer.audioVersion !== this.#grants.audioVersion) void this.#refreshInventory();
		this.#grants.audioVersion = answer.audioVersion;
		this.#grants.accept(answer, receivedMs, this.#planner.controlNow(), this.#hungry);
		if (request.firstSend.bootId === clock.bootId) this.#fenceFrom = request.firstSend;
		for (const callId of [...answer.recall, ...answer.hangup]) {
			if (this.journal.state.calls[callId]?.state === "held") this.#grants.returning.set(callId, { urgent: true });
		}
		for (const callId of answer.hangup) this.#caller.hangup(callId);
		for (const call of answer.calls) {
			const { then } = call;
			const problem =
				"context" in then && !matchesPattern(then.context, this.#settings.contextPatterns)
					? `this host's configuration does not allow the context "${then.context}"`
					: "play" in then && this.#ports.host.soundPath(then.play) === undefined
						? `this host has no sound "${then.play}"`
						: undefined;
			if (problem === undefined) continue;
			this.#ports.log.error("callNotDialable", { callId: call.callId, problem });
			this.#grants.returning.set(call.callId, { urgent: false });
		}
		this.#changed();
	}

	async #applyTrunks(): Promise<void> {
		try {
			const { problems } = await this.#ports.host.applyTrunks(this.#trunks());
			for (const [trunk, problem] of Object.entries(problems))
				this.#ports.log.error("trunkNotUsable", { trunk, problem });
		} catch (error) {
			this.#ports.log.error("trunksNotApplied", { error });
		}
	}

	async #refreshInventory(): Promise<void> {
		try {
			this.#inventory = await this.#ports.host.inventory();
		} catch (error) {
			this.#ports.log.error("inventoryFailed", { error });
		}
		this.#changed();
	}

	#inventoryChanged(): boolean {
		return this.#inventory !== undefined && JSON.stringify(this.#inventory) !== this.#inventorySent;
	}

	/** The agent's own fence behind Asterisk's: calls beyond their limit are ended. */
	#sweep(): void {
		const wall = this.#ports.clock.wallMs();
		const { callLimitGraceMs } = this.#settings;
		for (const [callId, { call, answeredAt, startedAt }] of this.#tracker.originating()) {
			const limitMs = call.maxCallSec * 1_000 + callLimitGraceMs;
			const overdue =
				answeredAt !== undefined
					? wall > answeredAt + limitMs
					: startedAt !== undefined && wall > startedAt + call.ringTimeoutSec * 1_000 + limitMs;
			if (overdue) this.#caller.hangup(callId);
		}
		this.#changed();
	}

	#every(periodMs: number, run: () => void): void {
		let timer: Timer;
		const arm = (): void => {
			timer = this.#ports.clock.setTimer(periodMs, () => {
				this.#timers.delete(timer);
				if (this.#stopped) return;
				arm();
				run();
			});
			this.#timers.add(timer);
		};
		arm();
	}
}

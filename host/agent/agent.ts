import type { GrantedCall } from "../../shared/contract/call.ts";
import type { HostTrunk, SyncRequest, SyncResponse } from "../../shared/contract/host.ts";
import { AsteriskLink } from "./asterisk-link.ts";
import { Caller } from "./caller.ts";
import { ControlClock } from "./control-clock.ts";
import { Fence } from "./fence.ts";
import { type Asked, Grants } from "./grants.ts";
import { InventoryWatch } from "./inventory-watch.ts";
import { Journal } from "./journal.ts";
import { Planner } from "./planner.ts";
import type { AgentPorts, Timer } from "./ports.ts";
import { RateMeter } from "./rate.ts";
import type { FrozenRequest } from "./records.ts";
import { type AgentSettings, DEFAULT_SETTINGS, matchesPattern } from "./settings.ts";
import { Stranded, strandedCalls } from "./stranded.ts";
import { freezeRequest } from "./sync-body.ts";
import { SyncLoop } from "./sync-loop.ts";
import { Ticker } from "./timers.ts";
import { ToldState } from "./told-state.ts";
import { Tracker } from "./tracker.ts";
import { TrunkWatch } from "./trunk-watch.ts";

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
	readonly #fence: Fence;
	readonly #inventory: InventoryWatch;
	readonly #trunkWatch: TrunkWatch;
	/** Asterisk did not read the trunks' files again when it was asked to. */
	#trunksUnread = false;
	readonly #stranded = new Stranded();
	readonly #toldState = new ToldState();
	readonly #tracker: Tracker;
	readonly #caller: Caller;
	readonly #link: AsteriskLink;
	readonly #planner: Planner;
	/** Tells this agent from another one on a copy of its disk. */
	readonly #name: string;
	#loop: SyncLoop | undefined;
	#asked: Asked = { hungry: { calls: false, slots: false }, idle: false };
	#stopping = false;
	#stopped = false;
	#pumpQueued = false;
	#wakeTimer: Timer | undefined;
	readonly #ticker: Ticker;

	constructor(ports: AgentPorts, settings: Partial<AgentSettings> = {}) {
		this.#ports = ports;
		this.#settings = { ...DEFAULT_SETTINGS, ...settings };
		this.#name = Math.floor(ports.random() * 2 ** 48).toString(36);
		this.#ticker = new Ticker(ports.clock);
		this.#fence = new Fence(ports.clock);
		this.#inventory = new InventoryWatch(ports);
		this.#trunkWatch = new TrunkWatch(ports, () => this.#changed());
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
			async () => {
				// With calls up Asterisk has the trunks, and what became of the calls comes first.
				if (this.#trunksUnread && this.#tracker.live.size === 0) await this.#applyTrunks();
			},
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
				giveBack: (callId) => this.#grants.returning.set(callId, { urgent: true }),
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
			marginMs: () =>
				Math.min(this.#settings.maxSlotMarginMs, Math.max(this.#settings.slotMarginMs, this.#caller.originateMs)),
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
		// Those of the last configuration: the first hello can then say how they are.
		this.#trunkWatch.watch(this.#trunks());
		if (this.#trunks().length > 0) await this.#applyTrunks();
		this.#loop = new SyncLoop(this.#ports, this.journal, this.#settings, {
			freeze: () => this.#freeze(),
			dueAt: () => this.#planner.nextSyncAt(),
			inventory: async () => {
				await this.#inventory.refresh();
				return this.#inventory.forRequest(true) ?? { sounds: [], contexts: [] };
			},
			trunks: () => this.#trunkWatch.forRequest(true),
			accepted: (request, answer) => this.#accepted(request, answer),
			epochEnded: () => {
				this.#grants.forget();
				this.#fence.close();
				this.#changed();
			},
			changed: () => {
				this.#inventory.acknowledged();
				this.#trunkWatch.acknowledged();
				this.#toldState.begin();
				this.#changed();
			},
			configured: () => {
				this.#trunkWatch.watch(this.#trunks());
				void this.#link.trunksChange(this.#applyTrunks());
			},
			observeClock: (sent, received, controlNow) => this.#clock.observe(sent, received, controlNow),
			mustSync: () =>
				(this.#grants.drain && this.#grants.idleSyncsInDrain < 2) ||
				this.#inventory.changed ||
				this.#trunkWatch.changed ||
				this.#toldState.isNews(this.#state()),
			canTake: () => this.#link.ready,
			drainSeen: (drain) => {
				this.#grants.drain = drain;
				if (!drain) this.#grants.idleSyncsInDrain = 0;
			},
		});
		this.#link.start();
		this.#ticker.every(SWEEP_MS, () => this.#sweep());
		this.#ticker.every(this.#settings.inventoryIntervalMs, () => void this.#refreshInventory());
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
		this.#trunkWatch.stop();
		this.journal.stop();
		this.#ticker.stop();
		if (this.#wakeTimer !== undefined) clock.clearTimer(this.#wakeTimer);
		await this.#ports.ari.stop();
	}

	/** Whether calls may be originated now; false also within the fence's end. */
	mayOriginate(): boolean {
		return (
			this.#fence.isOpen(this.journal.state.config?.fenceSec ?? 0) &&
			this.#link.ready &&
			this.journal.healthy &&
			this.journal.state.epoch !== 0 &&
			!this.#stopping &&
			!this.#stopped
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
		const accepting = !this.#stopping && !this.#grants.drain && this.#link.ready;
		const { usage, want, prefetch, slots, hungry } = this.#planner.wishes(accepting);
		const request = freezeRequest({
			state: this.journal.state,
			agent: this.#name,
			agentState: this.#toldState.forRequest(this.#state()),
			live: usage.used + this.#link.foreign.size,
			want,
			prefetch,
			slots,
			slotLeadMs: this.#clock.slotLeadMs,
			cooling: this.#tracker.cooling,
			returning: this.#grants.returning,
			orphans: this.#link.orphans,
			inventory: this.#inventory.forRequest(),
			trunks: this.#trunkWatch.forRequest(),
			now: this.#fence.now(),
		});
		const reports = usage.reportable + usage.coolingReports + usage.returns;
		this.#asked = { hungry, idle: usage.used + usage.held.length + reports === 0 };
		return request;
	}

	#state(): SyncRequest["state"] {
		if (this.#stopping) return "stopping";
		return this.#link.ready ? "up" : "asteriskDown";
	}

	#accepted(request: FrozenRequest, answer: SyncResponse): void {
		this.#toldState.acknowledged();
		this.#inventory.acknowledged();
		this.#trunkWatch.acknowledged();
		if (answer.audioVersion !== this.#grants.audioVersion) void this.#refreshInventory();
		this.#grants.audioVersion = answer.audioVersion;
		const problems = answer.calls.flatMap((call) => {
			const problem = this.#problemOf(call);
			return problem === undefined ? [] : [{ callId: call.callId, problem }];
		});
		for (const { callId, problem } of problems) {
			this.#ports.log.error("callNotDialable", { callId, problem });
			this.#grants.returning.set(callId, { urgent: false });
		}
		const usable = answer.calls.length - problems.length;
		// Sent by an agent of an earlier boot: nobody knows how long ago.
		const { bootId, monotonicMs } = request.firstSend;
		const askedMs = bootId === this.#ports.clock.bootId ? monotonicMs : Number.NEGATIVE_INFINITY;
		this.#grants.accept(answer, askedMs, this.#planner.controlNow(), this.#asked, usable);
		this.#fence.accepted(request.firstSend);
		for (const callId of [...answer.recall, ...answer.hangup]) {
			if (this.journal.state.calls[callId]?.state === "held") this.#grants.returning.set(callId, { urgent: true });
		}
		for (const callId of answer.hangup) this.#caller.hangup(callId);
		this.#changed();
	}

	/** Why a call cannot be dialed from this host. */
	#problemOf({ then, trunk }: GrantedCall): string | undefined {
		if ("context" in then && !matchesPattern(then.context, this.#settings.contextPatterns)) {
			return `this host's configuration does not allow the context "${then.context}"`;
		}
		if ("play" in then && this.#ports.host.soundPath(then.play) === undefined)
			return `this host has no sound "${then.play}"`;
		return this.#trunks().some(({ id }) => id === trunk) ? undefined : `this host has no trunk "${trunk}"`;
	}

	async #applyTrunks(): Promise<void> {
		try {
			const { problems, unread = false } = await this.#ports.host.applyTrunks(this.#trunks());
			this.#trunksUnread = unread;
			for (const [trunk, problem] of Object.entries(problems))
				this.#ports.log.error("trunkNotUsable", { trunk, problem });
		} catch (error) {
			this.#ports.log.error("trunksNotApplied", { error });
		}
	}

	async #refreshInventory(): Promise<void> {
		await this.#inventory.refresh();
		this.#changed();
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
		this.#giveBackStranded();
		this.#changed();
	}

	#giveBackStranded(): void {
		const { usage, prefetch } = this.#planner.wishes(true);
		const stranded = strandedCalls(usage, this.#grants.laneShare, this.#planner.hostFree(usage), prefetch);
		const back = this.#stranded.look(stranded);
		for (const callId of back) this.#grants.returning.set(callId, { urgent: false });
		if (back.length > 0) this.#ports.log.info("strandedReturned", { calls: back.length });
	}
}

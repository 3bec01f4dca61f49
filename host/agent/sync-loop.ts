import {
	hostConfigSchema,
	type Inventory,
	peekResponseSchema,
	type SyncResponse,
	syncResponseSchema,
	type TrunkHealth,
} from "../../shared/contract/host.ts";
import { type Activity, ContractError, errorFields, meaningOf, Pauses, parseAnswer } from "./answers.ts";
import type { Journal } from "./journal.ts";
import type { AgentPorts, HttpAnswer, Timer } from "./ports.ts";
import type { FrozenRequest } from "./records.ts";
import type { AgentSettings } from "./settings.ts";
import { withinTime } from "./timers.ts";

/** What the loop needs of the rest of the agent. */
export interface SyncLoopHooks {
	/** The next request; called only when none is outstanding. `hungry` is handed back with its answer. */
	freeze(): FrozenRequest;
	/** When the next request is due (monotonic); undefined where the host is idle. */
	dueAt(): number | undefined;
	inventory(): Promise<Inventory>;
	/** What is known of trunks already. */
	trunks(): TrunkHealth | undefined;
	/** An answer was accepted; the journal has it already. */
	accepted(request: FrozenRequest, answer: SyncResponse): void;
	/** The epoch ended. */
	epochEnded(): void;
	/** There is an epoch, or a configuration, that there was not before. */
	changed(): void;
	configured(): void;
	observeClock(sentMs: number, receivedMs: number, controlNowMs: number): void;
	/** Whether an idle host has to sync although no work waits (a drain to be confirmed, a first sync in the epoch). */
	mustSync(): boolean;
	/** Whether calls could be dialed now: Asterisk is there and has the trunks. */
	canTake(): boolean;
	drainSeen(drain: boolean): void;
}

/** Work that was seen while Asterisk was not ready waits so long for it; after a change of trunks that takes tens of milliseconds. */
const WORK_WAITS_MS = 5_000;

/**
 * The conversation with the control plane, one request at a time: hello until there is an epoch, the configuration, then syncs while there is
 * anything to sync and peeks while there is not. What to send is decided elsewhere; here is the order, the repeats and what answers mean.
 */
export class SyncLoop {
	lastSendMs = Number.NEGATIVE_INFINITY;
	lastAnswerMs = Number.NEGATIVE_INFINITY;
	/** The configuration of this process: what the journal has may be old. */
	#configVersion: number | undefined;
	#configWanted = true;
	/** The last peek said that a sync would bring calls; since when. */
	#work = false;
	#workSeenMs = 0;
	#nextPeekMs = 0;
	/** Number of the request under way; its answer counts only while no later one was sent for something else. */
	#underWay: { id: number; activity: Activity } | undefined;
	#requests = 0;
	#timer: Timer | undefined;
	#stopped = false;
	/** Each outstanding request is sent for the first time once per process: only then does `now` belong to the moment. */
	#repeat = false;
	readonly #pauses: Pauses;
	readonly #ports: AgentPorts;
	readonly #journal: Journal;
	readonly #settings: AgentSettings;
	readonly #hooks: SyncLoopHooks;

	constructor(ports: AgentPorts, journal: Journal, settings: AgentSettings, hooks: SyncLoopHooks) {
		this.#ports = ports;
		this.#pauses = new Pauses(ports, settings);
		this.#journal = journal;
		this.#settings = settings;
		this.#hooks = hooks;
		this.#repeat = journal.state.outstanding !== undefined;
	}

	stop(): void {
		this.#stopped = true;
		if (this.#timer !== undefined) this.#ports.clock.clearTimer(this.#timer);
	}

	/** Looks what is to be sent and when. To be called after every change. */
	pump(): void {
		if (this.#stopped || this.#underWay !== undefined || !this.#journal.healthy) return;
		const now = this.#ports.clock.monotonicMs();
		const next = this.#next(now);
		const at = Math.max(next.at, this.#pauses.notBeforeMs);
		if (at <= now) this.#begin(next.activity);
		else this.#wakeAt(at, now);
	}

	#wakeAt(at: number, now: number): void {
		if (this.#timer !== undefined) this.#ports.clock.clearTimer(this.#timer);
		this.#timer = this.#ports.clock.setTimer(Math.ceil(at - now), () => {
			this.#timer = undefined;
			this.pump();
		});
	}

	#next(now: number): { activity: Activity; at: number } {
		const { state } = this.#journal;
		if (state.epoch === 0) return { activity: "hello", at: now };
		if (state.outstanding !== undefined) return { activity: "sync", at: now };
		if (this.#configWanted) return { activity: "config", at: now };
		const due = this.#hooks.dueAt();
		if (due !== undefined) return { activity: "sync", at: due };
		const soonest = this.lastSendMs + this.#settings.minSyncGapMs;
		if (this.#hooks.mustSync()) return { activity: "sync", at: soonest };
		if (this.#work) {
			// A sync that can take no calls would end the wait for this work: it waits for Asterisk, but not for ever.
			const at = this.#hooks.canTake() ? soonest : Math.max(soonest, this.#workSeenMs + WORK_WAITS_MS);
			if (at <= Math.max(now, this.#nextPeekMs)) return { activity: "sync", at };
		}
		return { activity: "peek", at: this.#nextPeekMs };
	}

	#begin(activity: Activity): void {
		if (this.#timer !== undefined) this.#ports.clock.clearTimer(this.#timer);
		this.#timer = undefined;
		const id = ++this.#requests;
		this.#underWay = { id, activity };
		this.#run(activity, id).then(
			() => this.#ended(id),
			(error: unknown) => {
				this.#failed(activity, error);
				this.#ended(id);
			},
		);
	}

	#ended(id: number): void {
		if (this.#underWay?.id !== id) return;
		this.#underWay = undefined;
		this.pump();
	}

	#run(activity: Activity, id: number): Promise<void> {
		switch (activity) {
			case "hello":
				return this.#hello();
			case "config":
				return this.#config();
			case "sync":
				return this.#sync(id);
			case "peek":
				return this.#peek();
		}
	}

	#inTime<T>(answer: Promise<T>): Promise<T> {
		return withinTime(this.#ports.clock, this.#settings.requestTimeoutMs, answer);
	}

	async #hello(): Promise<void> {
		const { clock, random, log } = this.#ports;
		if (this.#journal.state.nonce === undefined) {
			const nonce = Array.from({ length: 24 }, () => Math.floor(random() * 36).toString(36)).join("");
			this.#journal.record({ t: "hello", nonce });
		}
		const inventory = await this.#hooks.inventory();
		const trunks = this.#hooks.trunks();
		await this.#journal.durable();
		const nonce = this.#journal.state.nonce ?? "";
		const sentMs = clock.monotonicMs();
		const answer = await this.#inTime(
			this.#ports.controlPlane.hello({ nonce, inventory, ...(trunks === undefined ? {} : { trunks }) }),
		);
		if (!this.#usable("hello", answer)) return;
		const { epoch, now } = answer.body as { epoch?: unknown; now?: unknown };
		if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || epoch < 1 || typeof now !== "number") {
			throw new ContractError("hello was answered without an epoch");
		}
		this.#hooks.observeClock(sentMs, clock.monotonicMs(), now);
		this.#journal.record({ t: "epoch", epoch });
		this.#configWanted = true;
		await this.#journal.durable();
		log.info("epoch", { epoch });
		this.#hooks.changed();
	}

	async #config(): Promise<void> {
		const answer = await this.#inTime(this.#ports.controlPlane.config());
		if (!this.#usable("config", answer)) return;
		const config = parseAnswer(hostConfigSchema, answer.body, "config");
		this.#journal.record({ t: "config", config });
		this.#configVersion = config.configVersion;
		this.#configWanted = false;
		this.#ports.log.info("config", {
			configVersion: config.configVersion,
			capacity: config.capacity,
			trunks: config.trunks.map(({ id }) => id),
		});
		this.#hooks.configured();
	}

	async #peek(): Promise<void> {
		const { clock } = this.#ports;
		const { epoch } = this.#journal.state;
		this.#nextPeekMs = clock.monotonicMs() + (this.#journal.state.config?.peekIntervalMs ?? 0);
		const sentMs = clock.monotonicMs();
		const answer = await this.#inTime(this.#ports.controlPlane.peek(this.#journal.state.epoch));
		if (this.#journal.state.epoch !== epoch) return;
		if (!this.#usable("peek", answer)) return;
		const peek = parseAnswer(peekResponseSchema, answer.body, "peek");
		this.#hooks.observeClock(sentMs, clock.monotonicMs(), peek.now);
		this.#nextPeekMs = sentMs + Math.max(this.#settings.minSyncGapMs, peek.nextPeekMs);
		if (peek.work && !this.#work) this.#workSeenMs = sentMs;
		this.#work = peek.work;
		this.#hooks.drainSeen(peek.drain);
		this.#sawConfigVersion(peek.configVersion);
	}

	#sawConfigVersion(version: number): void {
		if (version !== this.#configVersion) this.#configWanted = true;
	}

	async #sync(id: number): Promise<void> {
		const { clock } = this.#ports;
		if (this.#journal.state.outstanding === undefined) {
			const request = this.#hooks.freeze();
			this.#journal.record({ t: "freeze", request });
			this.#repeat = false;
		}
		const request = this.#journal.state.outstanding as FrozenRequest;
		await this.#journal.durable();
		const sentMs = clock.monotonicMs();
		if (!this.#repeat) this.lastSendMs = sentMs;
		const isRepeat = this.#repeat;
		this.#repeat = true;
		const sent = this.#ports.controlPlane.sync(request.body);
		// Also when it comes after the time-out: the same seq has the same answer.
		const taken = sent.then((answer) => this.#take(request, answer, isRepeat ? undefined : sentMs));
		taken.catch((error: unknown) => {
			if (this.#underWay?.id !== id)
				this.#ports.log.warn("lateAnswer", { error: error instanceof Error ? error.message : String(error) });
		});
		await this.#inTime(taken);
	}

	async #take(request: FrozenRequest, answer: HttpAnswer, sentMs: number | undefined): Promise<void> {
		const { clock, log } = this.#ports;
		const { outstanding } = this.#journal.state;
		if (
			this.#stopped ||
			outstanding === undefined ||
			outstanding.epoch !== request.epoch ||
			outstanding.seq !== request.seq
		)
			return;
		if (!this.#usable("sync", answer)) return;
		const body = parseAnswer(syncResponseSchema, answer.body, "sync");
		if (body.seq !== request.seq) throw new ContractError(`sync ${request.seq} was answered for ${body.seq}`);
		const receivedMs = clock.monotonicMs();
		if (sentMs !== undefined) this.#hooks.observeClock(sentMs, receivedMs, body.now);
		const known = body.calls.filter(({ callId }) => this.#journal.state.calls[callId] !== undefined);
		if (known.length > 0) log.error("grantedTwice", { calls: known.map(({ callId }) => callId) });
		this.#journal.record({
			t: "accept",
			epoch: request.epoch,
			seq: request.seq,
			calls: body.calls,
			refused: body.refused,
		});
		for (const { callId, reason } of body.refused) log.warn("completionRefused", { callId, reason });
		// Asked without being able to take calls: the work still waits, for a while.
		if (this.#hooks.canTake() || receivedMs - this.#workSeenMs >= WORK_WAITS_MS) this.#work = false;
		this.#repeat = false;
		this.lastAnswerMs = receivedMs;
		this.#nextPeekMs = receivedMs + (this.#journal.state.config?.peekIntervalMs ?? 0);
		this.#sawConfigVersion(body.configVersion);
		this.#hooks.accepted(request, body);
		await this.#journal.durable();
	}

	/** True for an answer to go on with; otherwise it has been dealt with. */
	#usable(activity: Activity, answer: HttpAnswer): boolean {
		const fields = errorFields(activity, answer);
		switch (meaningOf(activity, answer.status)) {
			case "ok":
				this.#pauses.worked();
				return true;
			case "epochEnded":
				this.#epochEnded(fields);
				return false;
			case "busy":
				this.#ports.log.warn("controlPlaneBusy", fields);
				this.#pauses.busy(answer.retryAfterMs);
				return false;
			case "refused":
				this.#ports.log.error("controlPlaneRefuses", {
					...fields,
					remedy: "check hostId, the token and the versions of agent and control plane",
				});
				this.#pauses.refused();
				return false;
		}
	}

	#epochEnded(fields: Record<string, unknown>): void {
		const { epoch } = this.#journal.state;
		if (epoch === 0) return;
		this.#ports.log.warn("epochEnded", { epoch, ...fields });
		this.#journal.record({ t: "stale", epoch });
		this.#repeat = false;
		this.#hooks.epochEnded();
	}

	#failed(activity: Activity, error: unknown): void {
		if (error instanceof ContractError) {
			this.#ports.log.error("contract", { activity, error });
			this.#pauses.refused();
			return;
		}
		this.#ports.log.warn("controlPlaneUnreachable", {
			activity,
			error: error instanceof Error ? error.message : String(error),
		});
		this.#pauses.busy(undefined);
	}
}

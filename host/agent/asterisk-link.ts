import type { HostTrunk } from "../../shared/contract/host.ts";
import { CALL_ID_PATTERN, parseCallId } from "../../shared/contract/ids.ts";
import { endpointOf } from "./caller.ts";
import { type AgentPorts, type AriChannel, type AriEvent, AsteriskGoneError, type Timer } from "./ports.ts";
import type { AgentSettings } from "./settings.ts";
import type { Tracker } from "./tracker.ts";

/** Pause before another try to take up work with Asterisk. */
const RETRY_MS = 1_000;
/** So many tries in a row at which nothing listened: Asterisk is not running, its channels are gone. */
const GONE_AFTER = 4;

/** How things stood when Asterisk was asked for its channels. */
interface Asked {
	/** Calls that Asterisk had been given. */
	placed: ReadonlySet<string>;
	/** Calls that had, or were about to have, a channel. */
	ours: ReadonlySet<string>;
	askedAt: number;
	/** Asterisk was restarted since it was last asked. */
	restarted: boolean;
}

/** The connection to Asterisk: takes up work after each (re)connect, and compares Asterisk's channels with our calls. */
export class AsteriskLink {
	/** Events come, subscriptions are made, channels have been compared: calls may be started. */
	ready = false;
	/** Channels on our trunks that are not ours. */
	readonly foreign = new Set<string>();
	/** Channels that look like ours but that the journal does not know: of a journal that was lost. Undefined until the first comparison. */
	orphans: string[] | undefined;
	readonly #ports: AgentPorts;
	readonly #settings: AgentSettings;
	readonly #tracker: Tracker;
	readonly #trunks: () => HostTrunk[];
	readonly #applyUnread: () => Promise<void>;
	readonly #changed: () => void;
	#connected = false;
	#startedAt: string | undefined;
	#goneCount = 0;
	#timer: Timer | undefined;
	#stopped = false;
	#busy = false;
	#again = false;
	/** Raised by all that a round under way does not know of. */
	#generation = 0;
	/** Changes of trunks that Asterisk does not have yet. */
	#applying = 0;

	/**
	 * @param applyUnread has Asterisk read what it could not be made to read before
	 * @param changed called after every change of what the agent can do
	 */
	constructor(
		ports: AgentPorts,
		settings: AgentSettings,
		tracker: Tracker,
		trunks: () => HostTrunk[],
		applyUnread: () => Promise<void>,
		changed: () => void,
	) {
		this.#ports = ports;
		this.#settings = settings;
		this.#tracker = tracker;
		this.#trunks = trunks;
		this.#applyUnread = applyUnread;
		this.#changed = changed;
	}

	start(): void {
		this.#ports.ari.start({
			onConnected: () => {
				this.#connected = true;
				this.#ports.log.info("asteriskConnected", {});
				this.#takeUpAnew();
			},
			onDisconnected: () => {
				this.#connected = false;
				this.#ports.log.warn("asteriskDisconnected", {});
				this.#takeUpAnew();
				this.#changed();
			},
			onEvent: (event) => {
				this.#countForeign(event);
				this.#tracker.onEvent(event);
				this.#changed();
			},
		});
		this.#schedule(RETRY_MS);
	}

	stop(): void {
		this.#stopped = true;
		if (this.#timer !== undefined) this.#ports.clock.clearTimer(this.#timer);
	}

	#schedule(delayMs: number): void {
		if (this.#stopped) return;
		if (this.#timer !== undefined) this.#ports.clock.clearTimer(this.#timer);
		this.#timer = this.#ports.clock.setTimer(delayMs, () => {
			this.#timer = undefined;
			this.takeUp();
		});
	}

	/** Asterisk did not listen: nothing is started until it was reached again. */
	lost(): void {
		this.ready = false;
		this.takeUp();
	}

	/**
	 * Other trunks: nothing is started before Asterisk has them and their events are subscribed to, or a call would be refused or its
	 * end missed.
	 */
	async trunksChange(applied: Promise<void>): Promise<void> {
		this.#applying++;
		this.ready = false;
		await applied;
		this.#applying--;
		this.#takeUpAnew();
	}

	/** A round that is under way knows nothing of what changed: only a later one makes us ready. */
	#takeUpAnew(): void {
		this.#generation++;
		this.ready = false;
		this.takeUp();
	}

	/** Subscribes and compares, now; repeats itself. Also to be called when the trunks changed or an originate is in doubt. */
	takeUp(): void {
		if (this.#stopped) return;
		if (this.#busy) {
			this.#again = true;
			return;
		}
		this.#busy = true;
		this.#again = false;
		this.#round().then(
			(delayMs) => this.#roundEnded(this.#again ? 0 : delayMs),
			(error: unknown) => {
				if (error instanceof AsteriskGoneError) this.#sawNothing();
				else
					this.#ports.log.warn("asteriskNotReady", { error: error instanceof Error ? error.message : String(error) });
				this.#roundEnded(RETRY_MS);
			},
		);
	}

	#roundEnded(delayMs: number): void {
		this.#busy = false;
		this.#schedule(delayMs);
		this.#changed();
	}

	#sawNothing(): void {
		this.ready = false;
		if (++this.#goneCount < GONE_AFTER) return;
		for (const [callId] of this.#tracker.originating()) {
			if (this.#tracker.live.get(callId)?.phase === "placed") this.#tracker.conclude(callId, "Asterisk is not running");
		}
	}

	/** @returns when to look again, ms */
	async #round(): Promise<number> {
		const generation = this.#generation;
		const { startedAt } = await this.#ports.ari.info();
		this.#goneCount = 0;
		const restarted = this.#startedAt !== undefined && this.#startedAt !== startedAt;
		if (restarted) {
			this.ready = false;
			this.#ports.log.warn("asteriskRestarted", { startedAt });
		}
		if (!this.#connected) return RETRY_MS;
		// While it boots Asterisk has read its files already and reloads nothing: it answers only now.
		await this.#applyUnread();
		const endpoints = [...new Set(this.#trunks().map(endpointOf))].filter((endpoint) => endpoint !== "");
		await this.#ports.ari.subscribe(endpoints);
		const askedAt = this.#ports.clock.monotonicMs();
		const placed = new Set(
			[...this.#tracker.live].filter(([, live]) => live.phase === "placed").map(([callId]) => callId),
		);
		// What ends while we ask was ours too.
		const ours = new Set(this.#tracker.live.keys());
		const channels = await this.#ports.ari.listChannels();
		this.#startedAt = startedAt;
		const missing = this.#compare(channels, { placed, ours, askedAt, restarted });
		this.ready = this.#connected && this.#applying === 0 && generation === this.#generation;
		return missing ? this.#settings.reconcileGraceMs : this.#settings.reconcileIntervalMs;
	}

	/** @returns whether calls are missing whose events may still come */
	#compare(channels: AriChannel[], asked: Asked): boolean {
		const { placed, askedAt, restarted } = asked;
		const ids = new Set(channels.map((channel) => channel.id));
		const wallMs = this.#ports.clock.wallMs();
		for (const channel of channels) {
			const live = this.#tracker.live.get(channel.id);
			if (live === undefined) continue;
			delete live.missingSince;
			this.#tracker.sawState(channel.id, channel.state, wallMs);
		}
		const known = new Set([...asked.ours, ...this.#tracker.live.keys()]);
		this.foreign.clear();
		for (const channel of channels)
			if (!known.has(channel.id) && this.#onOurTrunk(channel.name)) this.foreign.add(channel.id);
		this.orphans = [...ids].filter((id) => CALL_ID_PATTERN.test(id) && parseCallId(id) !== undefined && !known.has(id));
		let missing = false;
		for (const [callId] of this.#tracker.originating()) {
			const live = this.#tracker.live.get(callId);
			// Only what was placed before we asked can be missed.
			if (live === undefined || !placed.has(callId) || ids.has(callId)) continue;
			live.missingSince ??= askedAt;
			if (restarted || askedAt - live.missingSince >= this.#settings.reconcileGraceMs) {
				this.#tracker.conclude(
					callId,
					restarted ? "Asterisk was restarted" : "Asterisk has no such channel and sent no event",
				);
			} else missing = true;
		}
		return missing;
	}

	#onOurTrunk(channelName: string): boolean {
		return this.#trunks().some((trunk) => channelName.startsWith(`${endpointOf(trunk)}-`));
	}

	#countForeign(event: AriEvent): void {
		if (event.type === "channelDestroyed") this.foreign.delete(event.channelId);
		if (event.type !== "channelCreated" || this.#tracker.live.has(event.channelId)) return;
		if (this.#onOurTrunk(event.name)) this.foreign.add(event.channelId);
	}
}

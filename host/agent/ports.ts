import type { AmdResult } from "../../shared/contract/call.ts";
import type { HelloRequest, HostTrunk, Inventory } from "../../shared/contract/host.ts";
import type { JournalRecord } from "./records.ts";

/**
 * What the agent's core is given from outside. The core itself does no I/O, reads no clock and draws no random number,
 * so that many agents can run in one process under a virtual clock.
 *
 * A crash between any two steps is made by dropping the Agent: ports given to it resolve nothing further and call none of its timers or
 * listeners again; a new Agent is then built on the same JournalStore.
 */
export interface AgentPorts {
	clock: Clock;
	controlPlane: ControlPlane;
	ari: Ari;
	journal: JournalStore;
	host: HostFiles;
	/** Asks carriers whether they answer; absent: nobody asks, and nothing is said of trunks. */
	probe?: TrunkProbe;
	/** 0 ≤ x < 1. */
	random: () => number;
	log: Log;
}

/** One try, of some seconds at most, to have the trunk's carrier answer. Undefined: nothing can be said. */
export type TrunkProbe = (trunk: HostTrunk) => Promise<"up" | "down" | undefined>;

/** Opaque handle of a timer. */
export type Timer = unknown;

export interface Clock {
	/** Milliseconds since 1970 by this machine's clock; may jump. */
	wallMs(): number;
	/** Milliseconds, never going back, counted from this machine's boot: comparable over restarts of the agent while `bootId` is the same. */
	monotonicMs(): number;
	/** Names the boot that `monotonicMs` counts from. */
	readonly bootId: string;
	/** Calls `fire` once, not before `delayMs` have passed. */
	setTimer(delayMs: number, fire: () => void): Timer;
	clearTimer(timer: Timer): void;
}

/** An HTTP answer of whatever status. `body` is the parsed JSON, undefined where it was none. */
export interface HttpAnswer {
	status: number;
	body: unknown;
	/** From the header Retry-After, milliseconds. */
	retryAfterMs?: number;
}

/** Each call resolves to the answer, or rejects where none came (network failure, time-out): then nobody knows whether it was carried out. */
export interface ControlPlane {
	hello(request: HelloRequest): Promise<HttpAnswer>;
	/** @param body the frozen bytes of the request, sent as they are */
	sync(body: string): Promise<HttpAnswer>;
	/** @param epoch the host's: another one is answered with 409 */
	peek(epoch: number): Promise<HttpAnswer>;
	config(): Promise<HttpAnswer>;
}

export interface OriginateRequest {
	/** The callId: of one fixed length, for Asterisk refuses an id that is a prefix of a live one. */
	channelId: string;
	/** As in Dial(): `PJSIP/number@trunk`. */
	endpoint: string;
	/** `` for none. */
	callerId: string;
	context: string;
	extension: string;
	/** Seconds of ringing. */
	timeoutSec: number;
	/** Channel variables, or functions as `TIMEOUT(absolute)`. */
	variables: Record<string, string>;
}

/**
 * `created`: Asterisk has the channel. `duplicate`: a channel of that id lives (409). `refused`: Asterisk answered that it did not place the call.
 * `notSent`: the request provably never reached Asterisk (nothing listens there).
 * Rejects where no answer came: the call may or may not have been placed.
 */
export type OriginateResult =
	| { kind: "created" }
	| { kind: "duplicate" }
	| { kind: "notSent"; message: string }
	| { kind: "refused"; status: number; message: string };

export interface AriChannel {
	id: string;
	/** As `PJSIP/trunk-00000001`. */
	name: string;
	/** As `Up`, `Ring`, `Ringing`, `Down`. */
	state: string;
}

/** `atMs`: when Asterisk says it happened, ms since 1970 by this machine's clock (events may come late, from a queue). */
export type AriEvent =
	/** A Dial event; `status` is `` (begun), RINGING, PROGRESS, ANSWER, BUSY, CONGESTION, NOANSWER, CHANUNAVAIL, CANCEL … */
	| { type: "dial"; channelId: string; status: string; atMs: number }
	| { type: "channelCreated"; channelId: string; name: string; atMs: number }
	| { type: "channelState"; channelId: string; state: string; atMs: number }
	/** What AMD() said, or that there is none; and, apart, why. */
	| { type: "amdVerdict"; channelId: string; verdict: AmdResult["verdict"]; atMs: number }
	| { type: "amdCause"; channelId: string; cause: string; atMs: number }
	/** A machine's greeting is over, or the waiting for its end. */
	| { type: "greetingEnd"; channelId: string; by: NonNullable<AmdResult["greetingEnd"]>; atMs: number }
	| {
			type: "channelDestroyed";
			channelId: string;
			name: string;
			/** The channel's last state, as `Up` or `Ringing`. */
			state: string;
			/** Q.850. */
			cause: number;
			/** The final SIP status where the technology reports one. */
			techCause?: number;
			/** Variables that the dialplan set on the channel and whose names begin with BURST_RESULT_, without that prefix. */
			vars?: Record<string, string>;
			atMs: number;
	  };

export interface AriListener {
	/** Events can be received from now on; what Asterisk queued while nobody listened comes right after this. */
	onConnected(): void;
	onDisconnected(): void;
	/** Events may come twice, and before the answer to the originate that they belong to. */
	onEvent(event: AriEvent): void;
}

/** Nothing listens where Asterisk should: it is not running, so no channel can be up. */
export class AsteriskGoneError extends Error {
	override readonly name = "AsteriskGoneError";
}

/** Every promise rejects where Asterisk gave no answer or answered with an error (other than those of {@link OriginateResult}). */
export interface Ari {
	/** Begins to connect, and reconnects for ever. At most one listener. */
	start(listener: AriListener): void;
	stop(): Promise<void>;
	originate(request: OriginateRequest): Promise<OriginateResult>;
	/** @param cause Q.850. Resolves as well where the channel is gone already. */
	hangup(channelId: string, cause: number): Promise<void>;
	listChannels(): Promise<AriChannel[]>;
	/** Asks for the events of endpoints, each as `PJSIP/trunk`; repeating it is harmless. */
	subscribe(endpoints: string[]): Promise<void>;
	/** `startedAt` (Asterisk's startup_time) changes when Asterisk was restarted. Rejects with {@link AsteriskGoneError} where nothing listens. */
	info(): Promise<{ startedAt: string }>;
}

/** The journal cannot take records (disk full, I/O error). Nothing new may be originated until {@link JournalStore.append} works again. */
export class JournalWriteError extends Error {
	override readonly name = "JournalWriteError";
}

export interface JournalStore {
	/** Everything appended since the last snapshot, the snapshot first, in order. Called once, before anything else. */
	load(): Promise<JournalRecord[]>;
	/** Resolves when the records are durable, all or (after a crash) a leading part of them. Rejects with {@link JournalWriteError}. */
	append(records: JournalRecord[]): Promise<void>;
	/**
	 * Replaces everything appended so far by the snapshot. `snapshot` is called once no append is under way.
	 * On failure the old journal stays in force.
	 */
	compact(snapshot: () => JournalRecord[]): Promise<void>;
	/** Bytes, or records, since the last snapshot: the core compacts when it is above `compactAt`. */
	size(): number;
	readonly compactAt: number;
}

/** Files beside Asterisk. */
export interface HostFiles {
	/** Sounds and contexts that this host has. */
	inventory(): Promise<Inventory>;
	/**
	 * Renders the trunks into the agent's own files and has Asterisk reload what changed.
	 * @returns which trunks can be dialed, with the problem of each that cannot; `unread`: Asterisk could not be made to read them, ask again when it is up
	 */
	applyTrunks(trunks: HostTrunk[]): Promise<{ problems: Record<string, string>; unread?: boolean }>;
	/** The sound as Playback() takes it (path without ending); undefined where this host has none of that name. */
	soundPath(sound: string): string | undefined;
}

/** One line per decision. Secrets are never among the fields. */
export interface Log {
	info(event: string, fields?: Record<string, unknown>): void;
	warn(event: string, fields?: Record<string, unknown>): void;
	error(event: string, fields?: Record<string, unknown> & { error?: unknown }): void;
}

import type { GrantedCall } from "../../shared/contract/call.ts";
import type { HostTrunk } from "../../shared/contract/host.ts";
import { parseCallId } from "../../shared/contract/ids.ts";
import type { Start } from "./dispatch.ts";
import type { Journal } from "./journal.ts";
import { REFUSED_OUTCOME } from "./outcome.ts";
import type { AgentPorts, OriginateRequest } from "./ports.ts";
import type { Tracker } from "./tracker.ts";

/** The agent's own contexts, rendered by it. */
export const PLAY_CONTEXT = "burst-dialer-play";
export const WAIT_CONTEXT = "burst-dialer-wait";
/** Listens for answering machines first; see host/asterisk/amd.ts. */
export const AMD_CONTEXT = "burst-dialer-amd";
/** What it leaves for the dialplan: `human`, `machine`, `notsure` or `unavailable`; and how a greeting ended: `silence`, `beep` or `limit`. */
export const AMD_VARIABLE = "BURST_AMD";
export const AMD_GREETING_VARIABLE = "BURST_AMD_GREETING";
/** Of the agent's own contexts' lines, the first sets the limit of the call: it is not to be set again once the call was listened to. */
const BEHIND_LIMIT_PRIORITY = 2;
/** Prefix of every section, context and endpoint of the agent's own. */
export const OWN_PREFIX = "burst-dialer-";
/** Prefix of the variables that reach the dialplan: none can be a function, an inherited or a reserved one. */
export const VARIABLE_PREFIX = "BURST_";
/** Q.850 normal call clearing. */
export const NORMAL_CLEARING = 16;
/** Asterisk's web server is busy or starting: the call was not placed, and it is no fault of the trunk. */
const TRY_LATER_STATUS = 503;

/** A slow originate counts half after some twenty others. */
const ORIGINATE_FADE = 0.97;

/** The endpoint of a trunk as ARI names it: `PJSIP/name`. */
export const endpointOf = (trunk: HostTrunk): string => {
	if (trunk.type === "existing") return trunk.endpoint ?? "";
	return `${trunk.type === "pjsip" ? "PJSIP" : "IAX2"}/${OWN_PREFIX}${trunk.id}`;
};

/** The dial string of a number on a trunk. The number is digits, `#`, `*` and `+` only. */
const dialString = (trunk: HostTrunk, number: string): string => {
	const [technology, name] = endpointOf(trunk).split("/") as [string, string];
	return technology === "PJSIP" ? `PJSIP/${number}@${name}` : `${technology}/${name}/${number}`;
};

/** Where an answered call goes. */
const targetOf = ({ then }: GrantedCall): { context: string; extension: string; behindLimit: number } => {
	if ("context" in then) return { context: then.context, extension: then.extension, behindLimit: 1 };
	return { context: "play" in then ? PLAY_CONTEXT : WAIT_CONTEXT, extension: "s", behindLimit: BEHIND_LIMIT_PRIORITY };
};

/** @param soundPath the sound as Playback() takes it; only for a call that plays one */
export const originateRequest = (call: GrantedCall, trunk: HostTrunk, soundPath: string): OriginateRequest => {
	const { then } = call;
	const variables: Record<string, string> = {};
	for (const [name, value] of Object.entries(call.vars)) variables[VARIABLE_PREFIX + name] = value;
	variables[`${VARIABLE_PREFIX}CALL_ID`] = call.callId;
	variables[`${VARIABLE_PREFIX}CAMPAIGN`] = call.campaignId;
	variables[`${VARIABLE_PREFIX}MAX_CALL_SEC`] = String(call.maxCallSec);
	// Counted from the originate on, so ringing comes on top; our own contexts set it anew at the answer.
	variables["TIMEOUT(absolute)"] = String(call.ringTimeoutSec + call.maxCallSec);
	if ("play" in then) variables[`${VARIABLE_PREFIX}SOUND`] = soundPath;
	if ("wait" in then) variables[`${VARIABLE_PREFIX}WAIT_SEC`] = String(then.wait);
	const { context, extension, behindLimit } = targetOf(call);
	if (call.amd !== undefined) {
		variables[`${VARIABLE_PREFIX}AMD_MACHINE`] = call.amd.onMachine;
		variables[`${VARIABLE_PREFIX}AMD_THEN`] = `${context},${extension},${behindLimit}`;
	}
	return {
		channelId: call.callId,
		endpoint: dialString(trunk, call.number),
		callerId: call.callerId,
		...(call.amd === undefined ? { context, extension } : { context: AMD_CONTEXT, extension: "s" }),
		timeoutSec: call.ringTimeoutSec,
		variables,
	};
};

export interface CallerGate {
	/** Whether calls may be started at all: fence, Asterisk, journal, not stopping. Tested again directly before each originate. */
	open(): boolean;
	/** The control plane's time now, ms. */
	controlNow(): number;
	trunk(trunkId: string): HostTrunk | undefined;
	/** After anything that changes what can be started. */
	changed(): void;
	/** An originate had no answer: look whether Asterisk has the channel. */
	doubtful(): void;
	/** Asterisk does not listen. */
	gone(): void;
	/** A held call that is not to be dialed any more. */
	giveBack(callId: string): void;
}

/** Starts calls: journal first, then, within the slot and the fence, the originate. */
export class Caller {
	readonly #ports: AgentPorts;
	readonly #journal: Journal;
	readonly #tracker: Tracker;
	readonly #gate: CallerGate;
	readonly #originateTimeoutMs: number;
	/** How long writing the journal takes, ms: calls are taken so much before their slot. */
	journalMs = 0;
	/** How long Asterisk took for an originate at the most lately, ms: the end of a slot is left to it. */
	originateMs = 0;

	/** @param originateTimeoutMs an originate without answer is in doubt after so long */
	constructor(ports: AgentPorts, journal: Journal, tracker: Tracker, gate: CallerGate, originateTimeoutMs: number) {
		this.#ports = ports;
		this.#journal = journal;
		this.#tracker = tracker;
		this.#gate = gate;
		this.#originateTimeoutMs = originateTimeoutMs;
	}

	/** Takes a call for a slot. It counts as having a channel from here on. */
	start(start: Start): void {
		const { callId } = start;
		const { clock } = this.#ports;
		const begun = clock.monotonicMs();
		this.#tracker.live.set(callId, { phase: "preparing", dialStatus: "", hangup: false });
		this.#journal.record({ t: "originate", callId, atMs: clock.wallMs(), bootId: clock.bootId });
		void this.#journal.durable().then(() => {
			this.journalMs += (clock.monotonicMs() - begun - this.journalMs) / 8;
			this.#placeAtSlot(start);
		});
	}

	#placeAtSlot(start: Start): void {
		const early = start.dialAt - this.#gate.controlNow();
		if (early > 0) this.#ports.clock.setTimer(Math.ceil(early), () => this.#placeAtSlot(start));
		else this.#place(start);
	}

	#place({ callId, dialAt, until }: Start): void {
		const live = this.#tracker.live.get(callId);
		const journalled = this.#journal.state.calls[callId];
		if (live === undefined || journalled?.state !== "originating") return;
		const trunk = this.#gate.trunk(journalled.call.trunk);
		const { then } = journalled.call;
		const sound = "play" in then ? this.#ports.host.soundPath(then.play) : "";
		const now = this.#gate.controlNow();
		const { epoch } = this.#journal.state;
		const mayDial =
			!live.hangup && now >= dialAt && now < until && parseCallId(callId)?.epoch === epoch && this.#gate.open();
		if (!mayDial || trunk === undefined || sound === undefined) {
			this.#tracker.notOriginated(callId);
			if (live.hangup) this.#gate.giveBack(callId);
			this.#gate.changed();
			return;
		}
		live.phase = "requested";
		const timer = this.#ports.clock.setTimer(this.#originateTimeoutMs, () => {
			live.phase = "placed";
			this.#gate.doubtful();
		});
		const askedMs = this.#ports.clock.monotonicMs();
		this.#ports.ari.originate(originateRequest(journalled.call, trunk, sound)).then(
			(result) => {
				const tookMs = this.#ports.clock.monotonicMs() - askedMs;
				this.originateMs = Math.max(tookMs, this.originateMs * ORIGINATE_FADE);
				this.#ports.clock.clearTimer(timer);
				live.phase = "placed";
				if (this.#tracker.live.get(callId) !== live) return;
				if (result.kind === "notSent") {
					this.#tracker.notOriginated(callId);
					this.#gate.gone();
				} else if (result.kind === "refused") this.#refused(callId, result.status, result.message);
				else if (live.hangup) this.hangup(callId);
				this.#gate.changed();
			},
			(error: unknown) => {
				this.#ports.clock.clearTimer(timer);
				live.phase = "placed";
				this.#ports.log.warn("originateUnanswered", {
					callId,
					error: error instanceof Error ? error.message : String(error),
				});
				this.#gate.doubtful();
			},
		);
	}

	#refused(callId: string, status: number, message: string): void {
		this.#ports.log.warn("originateRefused", { callId, status, message });
		if (status === TRY_LATER_STATUS) this.#tracker.notOriginated(callId);
		else this.#tracker.refused(callId, REFUSED_OUTCOME);
	}

	/** Ends a call now; where it is only about to be placed, it is not. */
	hangup(callId: string): void {
		const live = this.#tracker.live.get(callId);
		if (live === undefined) return;
		live.hangup = true;
		if (live.phase !== "placed") return;
		this.#ports.ari.hangup(callId, NORMAL_CLEARING).catch((error: unknown) => {
			this.#ports.log.warn("hangupFailed", { callId, error: error instanceof Error ? error.message : String(error) });
		});
	}
}

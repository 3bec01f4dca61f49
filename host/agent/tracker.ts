import type { CompletedCall } from "../../shared/contract/call.ts";
import { cutVars } from "../../shared/contract/cut-vars.ts";
import type { Journal } from "./journal.ts";
import { type Ended, endedByFarEnd, type HostOutcome, outcomeOf } from "./outcome.ts";
import type { AgentPorts, AriEvent } from "./ports.ts";
import type { JournalledAmd, JournalledCall } from "./records.ts";
import type { AgentSettings } from "./settings.ts";

/** What is known of a call that is being, or was, placed; the durable part is in the journal. */
export interface LiveCall {
	/** `preparing`: not given to Asterisk yet. `requested`: the originate has no answer yet. `placed`: Asterisk has, or had, it. */
	phase: "preparing" | "requested" | "placed";
	dialStatus: string;
	/** We hung it up, or will as soon as it is placed. */
	hangup: boolean;
	/** Since when it is missing among Asterisk's channels, monotonic. */
	missingSince?: number;
}

/** Statuses of Dial events that say how a dial goes on; all others are final. */
const PROGRESS_STATUSES = new Set(["", "RINGING", "PROGRESS", "PROCEEDING", "ANSWER"]);
const NO_ANSWER_CAUSE_LIMIT = 127;
const MAX_SIP_CODE = 699;

/** A technology's own code that is no SIP status is none: the control plane takes no other, and the table knows no other. */
const sipCodeOf = (techCause: number | undefined): number | undefined =>
	techCause !== undefined && Number.isInteger(techCause) && techCause >= 0 && techCause <= MAX_SIP_CODE
		? techCause
		: undefined;

/** What a call's report says of answering machines. */
const amdOf = ({ amd, answeredAt }: JournalledCall): Pick<CompletedCall, "amd"> => {
	if (amd?.verdict === undefined) return {};
	const sinceAnswer = (atMs: number | undefined): number | undefined =>
		atMs === undefined || answeredAt === undefined ? undefined : Math.max(0, Math.round(atMs - answeredAt));
	const decidedMs = sinceAnswer(amd.decidedAt);
	const greetingMs = sinceAnswer(amd.greetingEndAt);
	return {
		amd: {
			verdict: amd.verdict,
			...(amd.cause === undefined ? {} : { cause: amd.cause }),
			...(decidedMs === undefined ? {} : { decidedMs }),
			...(greetingMs === undefined ? {} : { greetingMs }),
			...(amd.greetingEnd === undefined ? {} : { greetingEnd: amd.greetingEnd }),
		},
	};
};

/**
 * Follows the calls that have, or may have, a channel: from Asterisk's events to their outcome. Channels of calls that we ended are kept aside for
 * a while, and so are their reports.
 */
export class Tracker {
	readonly live = new Map<string, LiveCall>();
	/** Calls that ended, whose channel and report are kept aside until the moment (monotonic). */
	readonly cooling = new Map<string, number>();
	readonly #ports: AgentPorts;
	readonly #journal: Journal;
	readonly #settings: AgentSettings;
	readonly #toControlMs: (wallMs: number) => number;
	readonly #onEnded: (callId: string, call: JournalledCall) => void;

	/**
	 * @param toControlMs this machine's wall time as the control plane's
	 * @param onEnded called when a call's outcome is decided
	 */
	constructor(
		ports: AgentPorts,
		journal: Journal,
		settings: AgentSettings,
		toControlMs: (wallMs: number) => number,
		onEnded: (callId: string, call: JournalledCall) => void,
	) {
		this.#ports = ports;
		this.#journal = journal;
		this.#settings = settings;
		this.#toControlMs = toControlMs;
		this.#onEnded = onEnded;
	}

	/** After a restart: what was being placed may have a channel; what ended is kept aside as if it had ended now. */
	restore(): void {
		const now = this.#ports.clock.monotonicMs();
		for (const [callId, call] of Object.entries(this.#journal.state.calls)) {
			if (call.state === "originating") {
				if (call.bootId !== this.#ports.clock.bootId) this.conclude(callId, "the machine was restarted");
				else this.live.set(callId, { phase: "placed", dialStatus: "", hangup: false });
			} else if (call.state === "ended") this.cooling.set(callId, now + this.#settings.coolingMs);
		}
	}

	/** Calls in the journal that have, or may have, a channel. */
	originating(): [string, JournalledCall][] {
		return Object.entries(this.#journal.state.calls).filter(([, call]) => call.state === "originating");
	}

	#call(callId: string): JournalledCall | undefined {
		const call = this.#journal.state.calls[callId];
		return call?.state === "originating" ? call : undefined;
	}

	onEvent(event: AriEvent): void {
		const call = this.#call(event.channelId);
		const live = this.live.get(event.channelId);
		if (call === undefined || live === undefined) return;
		delete live.missingSince;
		switch (event.type) {
			case "dial":
				if (event.status === "RINGING" || event.status === "PROGRESS") this.#rang(event.channelId, call, event.atMs);
				else if (event.status === "ANSWER") this.#answered(event.channelId, call, event.atMs);
				else if (!PROGRESS_STATUSES.has(event.status)) live.dialStatus = event.status;
				return;
			case "channelState":
				this.sawState(event.channelId, event.state, event.atMs);
				return;
			case "amdVerdict":
				if (event.verdict === "unavailable") this.#ports.log.warn("amdUnavailable", { callId: event.channelId });
				this.#listened(event.channelId, { verdict: event.verdict, decidedAt: event.atMs });
				return;
			case "amdCause":
				this.#listened(event.channelId, { cause: event.cause });
				return;
			case "greetingEnd":
				this.#listened(event.channelId, { greetingEnd: event.by, greetingEndAt: event.atMs });
				return;
			case "channelCreated":
				return;
			case "channelDestroyed":
				this.sawState(event.channelId, event.state, event.atMs);
				this.#finish(
					event.channelId,
					{ dialStatus: live.dialStatus, cause: event.cause, sipCode: sipCodeOf(event.techCause) },
					event.vars ?? {},
					event.atMs,
				);
				return;
		}
	}

	/** A channel's state as an event or the list of channels names it. */
	sawState(callId: string, state: string, atMs: number): void {
		const call = this.#call(callId);
		if (call === undefined) return;
		if (state === "Ringing") this.#rang(callId, call, atMs);
		if (state === "Up") this.#answered(callId, call, atMs);
	}

	#rang(callId: string, call: JournalledCall, atMs: number): void {
		if (call.ringingAt === undefined) this.#journal.record({ t: "progress", callId, ringingAt: atMs });
	}

	#answered(callId: string, call: JournalledCall, atMs: number): void {
		if (call.answeredAt === undefined) this.#journal.record({ t: "progress", callId, answeredAt: atMs });
	}

	#listened(callId: string, amd: JournalledAmd): void {
		this.#journal.record({ t: "progress", callId, amd });
	}

	/** The call's channel is gone and nothing more will be heard of it: answered if that was seen, else unknown. */
	conclude(callId: string, why: string): void {
		const call = this.#call(callId);
		if (call === undefined) return;
		this.#ports.log.warn("callConcluded", { callId, why, answered: call.answeredAt !== undefined });
		this.#finish(callId, { dialStatus: "", cause: undefined, sipCode: undefined }, {}, this.#ports.clock.wallMs());
	}

	/** Asterisk refused to place the call. */
	refused(callId: string, outcome: HostOutcome): void {
		const call = this.#call(callId);
		if (call === undefined) return;
		this.#end(callId, call, { callId, outcome, endedAt: this.#iso(this.#ports.clock.wallMs()) }, true);
	}

	/** The call was provably not originated. */
	notOriginated(callId: string): void {
		if (this.#call(callId) === undefined) return;
		this.live.delete(callId);
		this.#journal.record({ t: "notOriginated", callId });
	}

	#finish(
		callId: string,
		last: Pick<Ended, "dialStatus" | "cause" | "sipCode">,
		vars: Record<string, string>,
		atMs: number,
	): void {
		const call = this.#call(callId);
		if (call === undefined) return;
		const ended: Ended = {
			...last,
			rang: call.ringingAt !== undefined,
			answered: call.answeredAt !== undefined,
			machine: call.amd?.verdict === "machine",
		};
		const { outcome } = outcomeOf(ended);
		const { vars: kept, cut } = cutVars(vars);
		if (cut.length > 0) this.#ports.log.warn("resultsCut", { callId, names: cut });
		const completed: CompletedCall = {
			callId,
			outcome,
			...(ended.cause === undefined ? {} : { cause: Math.min(NO_ANSWER_CAUSE_LIMIT, Math.max(0, ended.cause)) }),
			...(ended.sipCode === undefined ? {} : { sipCode: ended.sipCode }),
			...(call.ringingAt === undefined ? {} : { ringingAt: this.#iso(call.ringingAt) }),
			...(call.answeredAt === undefined ? {} : { answeredAt: this.#iso(call.answeredAt) }),
			endedAt: this.#iso(atMs),
			...(Object.keys(kept).length === 0 ? {} : { vars: kept }),
			...amdOf(call),
		};
		this.#end(callId, call, completed, endedByFarEnd(ended));
	}

	#end(callId: string, call: JournalledCall, completed: CompletedCall, byFarEnd: boolean): void {
		const outcome: CompletedCall = {
			...completed,
			...(call.startedAt === undefined ? {} : { startedAt: this.#iso(call.startedAt) }),
		};
		this.live.delete(callId);
		if (!byFarEnd) this.cooling.set(callId, this.#ports.clock.monotonicMs() + this.#settings.coolingMs);
		this.#journal.record({ t: "outcome", callId, outcome });
		this.#onEnded(callId, call);
	}

	/** Ends what was kept aside long enough; when the next one is due. */
	warm(nowMs: number): number | undefined {
		let next: number | undefined;
		for (const [callId, until] of this.cooling) {
			if (until <= nowMs || this.#journal.state.calls[callId] === undefined) this.cooling.delete(callId);
			else next = Math.min(next ?? Number.POSITIVE_INFINITY, until);
		}
		return next;
	}

	#iso(wallMs: number): string {
		return new Date(Math.round(this.#toControlMs(wallMs))).toISOString();
	}
}

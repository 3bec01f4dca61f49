import type { AmdResult, CompletedCall, GrantedCall } from "../../shared/contract/call.ts";
import type { HostConfig } from "../../shared/contract/host.ts";

/** A point in time that the fence can be counted from over restarts of the agent. */
export interface Instant {
	/** The machine's boot. */
	bootId: string;
	monotonicMs: number;
	wallMs: number;
}

/** A sync request as it was frozen, and when it was first sent. */
export interface FrozenRequest {
	epoch: number;
	seq: number;
	/** The very bytes of the body. */
	body: string;
	firstSend: Instant;
	/** The callIds whose completion or return the body carries. */
	completed: string[];
	returned: string[];
}

/** `held`: granted, not originated. `originating`: about to be, or already, placed with Asterisk. `ended`: its outcome awaits its acknowledgement. */
export type CallState = "held" | "originating" | "ended";

/** What is known of an answering machine; times in ms since 1970 by this machine's clock. */
export interface JournalledAmd {
	verdict?: AmdResult["verdict"];
	decidedAt?: number;
	cause?: string;
	greetingEnd?: NonNullable<AmdResult["greetingEnd"]>;
	greetingEndAt?: number;
}

export interface JournalledCall {
	call: GrantedCall;
	state: CallState;
	/** When it was originated, ms since 1970 by this machine's clock. */
	startedAt?: number;
	/** The machine's boot when it was originated: after another boot its channel cannot be up. */
	bootId?: string;
	/** When RINGING or PROGRESS, and ANSWER, were seen, ms since 1970 by this machine's clock. */
	ringingAt?: number;
	answeredAt?: number;
	amd?: JournalledAmd;
	outcome?: CompletedCall;
}

/** What the agent keeps on disk. One record is one change. */
export type JournalRecord =
	| { t: "snapshot"; state: JournalState }
	/** A hello is about to be sent. */
	| { t: "hello"; nonce: string }
	/** The control plane gave an epoch. */
	| { t: "epoch"; epoch: number }
	/** A request is about to be sent for the first time. */
	| { t: "freeze"; request: FrozenRequest }
	/** The outstanding request was answered: its outcomes are acknowledged, these calls are granted. */
	| { t: "accept"; epoch: number; seq: number; calls: GrantedCall[]; refused: { callId: string; reason: string }[] }
	/** The epoch has ended: calls never originated are dropped, those originated and their outcomes are kept. */
	| { t: "stale"; epoch: number }
	/** A call is about to be originated. */
	| { t: "originate"; callId: string; atMs: number; bootId: string }
	/** An originate provably did not happen: the call is held again. */
	| { t: "notOriginated"; callId: string }
	/** Asterisk said that the call rings or was answered, or who answered: keeps a restart of the agent from forgetting it. */
	| { t: "progress"; callId: string; ringingAt?: number; answeredAt?: number; amd?: JournalledAmd }
	| { t: "outcome"; callId: string; outcome: CompletedCall }
	| { t: "config"; config: HostConfig };

/** The journal's records summed up. */
export interface JournalState {
	/** 0: none yet. */
	epoch: number;
	/** The last accepted seq of the epoch. */
	seq: number;
	/** Nonce of a hello that has had no answer. */
	nonce?: string;
	outstanding?: FrozenRequest;
	/** First send of the last accepted request of this epoch. */
	acceptedFirstSend?: Instant;
	calls: Record<string, JournalledCall>;
	/** Completions that the control plane refused, newest last: kept for people to look at. */
	refused: { callId: string; reason: string }[];
	config?: HostConfig;
}

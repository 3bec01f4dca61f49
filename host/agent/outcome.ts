import type { CompletedCall } from "../../shared/contract/call.ts";

export type HostOutcome = CompletedCall["outcome"];

/** What is known of a call when its channel is gone. */
export interface Ended {
	/** RINGING or PROGRESS was seen. */
	rang: boolean;
	answered: boolean;
	/** AMD() said MACHINE, in the agent's own context or in one of the operator's. */
	machine: boolean;
	/** The final Dial status other than ANSWER: BUSY, CONGESTION, NOANSWER, CHANUNAVAIL, CANCEL …; `` if none came. */
	dialStatus: string;
	/** Q.850, as in ChannelDestroyed; undefined if that never came. */
	cause: number | undefined;
	/** The final SIP status, as in ChannelDestroyed's tech_cause. */
	sipCode: number | undefined;
}

interface Row {
	when: (ended: Ended) => boolean;
	outcome: HostOutcome;
	/** Where the row comes from. */
	source: string;
}

const sip =
	(...codes: number[]) =>
	(ended: Ended): boolean =>
		ended.sipCode !== undefined && codes.includes(ended.sipCode);
/** The cause alone tells, as with IAX2, which reports no SIP status. */
const causes =
	(...values: number[]) =>
	(ended: Ended): boolean =>
		ended.sipCode === undefined && ended.cause !== undefined && values.includes(ended.cause);
/** The far end refused with 480: Asterisk reports a Dial status then, and none when its own ring timeout made the 480 up. */
const refusedByFarEnd = (ended: Ended): boolean => ended.dialStatus !== "" && ended.dialStatus !== "CANCEL";

/** From the first row that applies. */
const TABLE: Row[] = [
	{ when: (e) => e.answered && e.machine, outcome: "machine", source: "AMD()'s AMDSTATUS" },
	{
		when: (e) => e.answered,
		outcome: "answered",
		source: "ANSWER seen; a BYE without Reason header ends with cause 0, which is normal clearing (measured)",
	},
	{ when: (e) => e.cause === undefined, outcome: "unknown", source: "the channel vanished without ChannelDestroyed" },
	{ when: sip(486, 600), outcome: "busy", source: "RFC 3261 21.4.24, 21.6.1" },
	{
		when: (e) => sip(480)(e) && refusedByFarEnd(e),
		outcome: "unavailable",
		source: "RFC 3261 21.4.18; the final Dial status tells it from our own timeout (measured)",
	},
	{
		when: (e) => sip(480)(e) && e.rang,
		outcome: "noAnswer",
		source: "our ring timeout: Asterisk makes up 19/480 (measured)",
	},
	{
		when: sip(480),
		outcome: "trunkFailure",
		source: "our timeout without RINGING or PROGRESS: no SIP reply at all (measured)",
	},
	{ when: (e) => sip(408)(e) && e.rang, outcome: "noAnswer", source: "RFC 3261 21.4.9, after ringing" },
	{ when: sip(408), outcome: "trunkFailure", source: "RFC 3261 21.4.9 before any ringing: the transaction timed out" },
	{ when: (e) => sip(487)(e) && e.rang, outcome: "noAnswer", source: "RFC 3261 21.4.25: our CANCEL, after ringing" },
	{ when: sip(403, 603, 607, 608), outcome: "rejected", source: "RFC 3261 21.4.4, 21.6.2; RFC 8197; RFC 8688" },
	{ when: sip(404, 410, 484, 604), outcome: "invalidNumber", source: "RFC 3261 21.4.5, 21.4.11, 21.4.22, 21.6.3" },
	{ when: sip(500, 502, 503, 504), outcome: "congestion", source: "RFC 3261 21.5.1, 21.5.3 to 21.5.5" },
	{ when: sip(401, 407, 488), outcome: "trunkFailure", source: "RFC 3261 21.4.2, 21.4.8, 21.4.26" },
	{ when: causes(17), outcome: "busy", source: "Q.850: user busy" },
	{ when: causes(21), outcome: "rejected", source: "Q.850: call rejected" },
	{
		when: causes(1, 3, 22, 28),
		outcome: "invalidNumber",
		source: 'Q.850: unallocated, no route (RFC 3398: 404; IAX2\'s "no such extension"), changed, incomplete number',
	},
	{
		when: causes(34, 38, 42),
		outcome: "congestion",
		source: "Q.850: no circuit, network out of order, switching congestion",
	},
	{
		when: (e) => causes(18, 19)(e) && e.rang && !refusedByFarEnd(e),
		outcome: "noAnswer",
		source: "Q.850: no user responding, no answer; after ringing",
	},
	{
		when: (e) => causes(20)(e) || (causes(19)(e) && refusedByFarEnd(e)),
		outcome: "unavailable",
		source: "Q.850: subscriber absent",
	},
	{ when: causes(18, 19), outcome: "trunkFailure", source: "Q.850 18, 19 before any ringing: nobody replied" },
	{ when: () => true, outcome: "unknown", source: "anything else, its codes kept" },
];

/** The outcome of a call by the table, and the row's source. */
export const outcomeOf = (ended: Ended): { outcome: HostOutcome; source: string } => {
	const row = TABLE.find((candidate) => candidate.when(ended)) as Row;
	return { outcome: row.outcome, source: row.source };
};

/** Asterisk refused the originate ("Allocation failed": trunk known down, unknown endpoint). */
export const REFUSED_OUTCOME: HostOutcome = "trunkFailure";

/**
 * Whether the far end ended the call, so that the carrier's leg was gone before Asterisk's: a BYE without Reason header (cause 0 after Up), or
 * a final response that the carrier sent. In every other case our CANCEL or BYE may still be under way.
 */
export const endedByFarEnd = (ended: Ended): boolean => {
	if (ended.answered) return ended.cause === 0;
	return ended.sipCode !== undefined && ended.sipCode !== 487 && refusedByFarEnd(ended);
};

/** Times and sizes of the agent's core. Tests change some of them; the shipped values are {@link DEFAULT_SETTINGS}. */
export interface AgentSettings {
	/** Contexts that a campaign may name: names, `*` standing for any characters. */
	contextPatterns: string[];
	/**
	 * A channel is kept aside so long after a call that WE ended: the carrier's leg lives until the ACK of its 487 or its answer to our BYE,
	 * 4 to 60 ms after Asterisk dropped its channel (measured). Not after calls that the far end ended.
	 */
	coolingMs: number;
	/** Two syncs are never closer than this, whatever happens. */
	minSyncGapMs: number;
	/** Completions that one sync should carry where the rate allows: what a sync costs is shared by so many contacts. */
	batch: number;
	/** No answer to an HTTP request for so long: it is sent again. */
	requestTimeoutMs: number;
	/** First and longest pause before a failed request is repeated; doubled in between, with jitter. Well below the fence of 15 s. */
	retryMinMs: number;
	retryMaxMs: number;
	/** Pause after an answer that only a person can mend (401, 403, 404, 400). */
	refusedRetryMs: number;
	/** A slot is not used in the last part of its validity: the originate needs 2 ms to reach the carrier, 6 ms at the 99th percentile. */
	slotMarginMs: number;
	/** Where Asterisk is slower lately, as much as it needed, up to this: a slot of 20 ms must leave some to begin in. */
	maxSlotMarginMs: number;
	/** At most so long before a slot's moment its call is written to the journal. */
	maxJournalLeadMs: number;
	/** A call granted but not dialed for so long is given back: its window and the do-not-call lists were checked when it was granted. */
	holdLimitMs: number;
	/** After (re)connecting to Asterisk, calls without a channel wait so long for queued events before they are unknown. */
	reconcileGraceMs: number;
	/** Channels are compared with our calls so often; a call missing in two comparisons is unknown. */
	reconcileIntervalMs: number;
	/** An originate without HTTP answer: looked for among the channels after so long. */
	originateTimeoutMs: number;
	/** Sounds and contexts are looked up again so often. */
	inventoryIntervalMs: number;
	/** The agent ends a call so long after Asterisk's own limit should have ended it. */
	callLimitGraceMs: number;
	/** Most time for the last syncs when the agent is stopped. */
	stopTimeoutMs: number;
}

export const DEFAULT_SETTINGS: AgentSettings = {
	contextPatterns: ["burst-*"],
	coolingMs: 70,
	minSyncGapMs: 50,
	batch: 12,
	requestTimeoutMs: 5_000,
	retryMinMs: 200,
	retryMaxMs: 2_000,
	refusedRetryMs: 5_000,
	slotMarginMs: 6,
	maxSlotMarginMs: 15,
	maxJournalLeadMs: 10,
	holdLimitMs: 20_000,
	reconcileGraceMs: 3_000,
	reconcileIntervalMs: 30_000,
	originateTimeoutMs: 5_000,
	inventoryIntervalMs: 60_000,
	callLimitGraceMs: 2_000,
	stopTimeoutMs: 5_000,
};

/** Whether a context's name matches one of the patterns (`*` stands for any characters). */
export const matchesPattern = (name: string, patterns: readonly string[]): boolean =>
	patterns.some((pattern) => {
		const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
		return new RegExp(`^${parts.join(".*")}$`).test(name);
	});

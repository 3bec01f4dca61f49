/** What goes wrong between the code and the emulators, and how often. Rates are probabilities per request, 0 to 1. */

/** In front of DynamoDB. */
export interface DynamoFaults {
	/** Refused before anything is done: ProvisionedThroughputExceededException. */
	throttleRate: number;
	/** A write is done and the connection is cut instead of an answer. */
	cutAfterWriteRate: number;
	/** A write is done and no answer ever comes. */
	hangAfterWriteRate: number;
	/** A batch is done only in part: some of it comes back unprocessed. */
	unprocessedRate: number;
	/** A write shows in indexes after a random time up to this, ms; 0: at once. */
	indexLagMs: number;
	/** Reads of tables that are not strongly consistent are as old as reads of indexes. */
	lagBaseReads: boolean;
}

/** Between a queue and its function. */
export interface MessageFaults {
	/** A message is delivered once more after it was handled. */
	duplicateRate: number;
	/** A message is held back and comes after later ones. */
	reorderRate: number;
	/** How long a duplicate or a held message is late at most, ms. */
	maxDelayMs: number;
}

/** Between the callers and the functions. */
export interface ApiFaults {
	/** Two executions of the same sync run at once. */
	twinRate: number;
	/** A sync is executed again after a newer one of the same host was answered. */
	olderSeqRate: number;
	/** The request is executed, its answer is lost. Requests that change something only. */
	lostAnswerRate: number;
	/** 503 before anything is done. */
	refuseRate: number;
}

export interface FaultPlan {
	seed: number;
	dynamo: DynamoFaults;
	messages: MessageFaults;
	api: ApiFaults;
}

/** Nothing goes wrong. */
export const NO_FAULTS: FaultPlan = {
	seed: 1,
	dynamo: {
		throttleRate: 0,
		cutAfterWriteRate: 0,
		hangAfterWriteRate: 0,
		unprocessedRate: 0,
		indexLagMs: 0,
		lagBaseReads: false,
	},
	messages: { duplicateRate: 0, reorderRate: 0, maxDelayMs: 0 },
	api: { twinRate: 0, olderSeqRate: 0, lostAnswerRate: 0, refuseRate: 0 },
};

/** `--chaos`: often enough that a run of some minutes meets every fault, seldom enough that work goes on. */
export const CHAOS: FaultPlan = {
	seed: 1,
	dynamo: {
		throttleRate: 0.02,
		cutAfterWriteRate: 0.01,
		hangAfterWriteRate: 0.001,
		unprocessedRate: 0.05,
		indexLagMs: 2_000,
		lagBaseReads: false,
	},
	messages: { duplicateRate: 0.2, reorderRate: 0.2, maxDelayMs: 2_000 },
	api: { twinRate: 0.05, olderSeqRate: 0.05, lostAnswerRate: 0.02, refuseRate: 0.01 },
};

/** How often each fault was injected, so that a test can require that it was. */
export type FaultCounts = Record<string, number>;

export const mergeFaults = (base: FaultPlan, changes: PartialFaults): FaultPlan => ({
	seed: changes.seed ?? base.seed,
	dynamo: { ...base.dynamo, ...changes.dynamo },
	messages: { ...base.messages, ...changes.messages },
	api: { ...base.api, ...changes.api },
});
export interface PartialFaults {
	seed?: number;
	dynamo?: Partial<DynamoFaults>;
	messages?: Partial<MessageFaults>;
	api?: Partial<ApiFaults>;
}

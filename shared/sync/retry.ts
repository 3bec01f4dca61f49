import { MAX_ATTEMPTS, type Retry } from "../contract/campaign.ts";
import type { Outcome } from "../contract/outcome.ts";
import type { HistoryEntry } from "../store/items.ts";

/** What follows an attempt: the contact is finished, or due again at `dueAt` (ms). */
export type AfterAttempt = { final: true } | { final: false; dueAt: number };

const FINAL: AfterAttempt = { final: true };

/** The retry rule that an outcome has in a campaign; undefined where it ends the contact. */
export const retryRule = (retry: Retry, outcome: Outcome): { afterSec: number; max: number } | undefined => {
	const rule = (retry as Partial<Record<Outcome, { afterSec: number; max: number }>>)[outcome];
	return rule && rule.max > 0 ? rule : undefined;
};

/**
 * Decides after an attempt.
 * @param history earlier attempts of the contact
 * @param maxCallSec a call lost with its host may still be up for so long: it is not retried before
 */
export const afterAttempt = (
	retry: Retry,
	outcome: Outcome,
	attempt: number,
	history: Record<string, HistoryEntry>,
	now: number,
	maxCallSec: number,
): AfterAttempt => {
	const rule = retryRule(retry, outcome);
	if (!rule || attempt >= MAX_ATTEMPTS) return FINAL;
	const before = Object.values(history).filter((entry) => entry.o === outcome).length;
	if (before >= rule.max) return FINAL;
	const delaySec = outcome === "hostLost" ? Math.max(rule.afterSec, maxCallSec) : rule.afterSec;
	return { final: false, dueAt: now + delaySec * 1_000 };
};

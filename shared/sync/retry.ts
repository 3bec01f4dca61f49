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

/** How long a call may hold its channel, seconds: its ring time, and after the answer `maxCallSec`. */
export const longestHoldSec = (campaign: { ringTimeoutSec: number; maxCallSec: number }): number =>
	campaign.ringTimeoutSec + campaign.maxCallSec;

/**
 * Decides after an attempt.
 * @param history earlier attempts of the contact
 * @param longestSec a call lost with its host may still be up for so long: it is not retried before
 */
export const afterAttempt = (
	retry: Retry,
	outcome: Outcome,
	attempt: number,
	history: Record<string, HistoryEntry>,
	now: number,
	longestSec: number,
): AfterAttempt => {
	const rule = retryRule(retry, outcome);
	if (!rule || attempt >= MAX_ATTEMPTS) return FINAL;
	const before = Object.values(history).filter((entry) => entry.o === outcome).length;
	if (before >= rule.max) return FINAL;
	const delaySec = outcome === "hostLost" ? Math.max(rule.afterSec, longestSec) : rule.afterSec;
	return { final: false, dueAt: now + delaySec * 1_000 };
};

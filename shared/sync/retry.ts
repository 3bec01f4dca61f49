import { MAX_ATTEMPTS, MAX_RETRY_DELAY_SEC, type Retry, type RetryRule } from "../contract/campaign.ts";
import type { Outcome } from "../contract/outcome.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { ContactItem, HistoryEntry } from "../store/items.ts";

/** What follows an attempt: the contact is finished, or due again at `dueAt` (ms), with another of its numbers or kept from a trunk where that is said. */
export type AfterAttempt = { final: true } | NextAttempt;
export interface NextAttempt {
	final: false;
	dueAt: number;
	/** Index and number. */
	number?: { index: number; number: string };
	/** Index of the trunk that the next attempt is to be kept from. */
	not?: number;
}

const FINAL: AfterAttempt = { final: true };

/**
 * Technical failures are nobody's answer: where a campaign says nothing of them they are tried again, later and later (half a minute, a minute, … eight minutes),
 * and end as what they are after the fifth time.
 */
export const TECHNICAL_RETRY: Retry = {
	congestion: { afterSec: 30, max: 5, growth: 2 },
	trunkFailure: { afterSec: 30, max: 5, growth: 2 },
	hostLost: { afterSec: 30, max: 5, growth: 2 },
};
const TECHNICAL = new Set<Outcome>(["congestion", "trunkFailure", "hostLost"]);
/** Outcomes of the number that was called, after which the contact's next number is tried. */
const OF_THE_NUMBER = new Set<Outcome>(["busy", "noAnswer", "unavailable", "rejected", "invalidNumber"]);
/** An unknown call may have been placed, and ring: nobody is called again before it stopped ringing, whatever clocks say. */
const UNKNOWN_MARGIN_SEC = 30;

/** The rules of a campaign: its own, and those of technical failures where it has none. */
export const withTechnicalRetry = (retry: Retry): Retry => ({ ...TECHNICAL_RETRY, ...retry });

/** The retry rule that an outcome has in a campaign; undefined where it ends the contact. */
export const retryRule = (retry: Retry, outcome: Outcome): RetryRule | undefined => {
	const rule = (retry as Partial<Record<Outcome, RetryRule>>)[outcome];
	return rule && rule.max > 0 ? rule : undefined;
};

/** Whether what follows the outcome depends on the contact. */
export const needsContact = (retry: Retry, outcome: Outcome): boolean =>
	retryRule(retry, outcome) !== undefined || OF_THE_NUMBER.has(outcome);

/** The longest of the least ring times that rules of law ask for: a call may ring so long whatever its campaign says. */
const LAWFUL_RING_SEC = 15;

/** How long a call may hold its channel, seconds: its ring time, and after the answer `maxCallSec`. */
export const longestHoldSec = (campaign: {
	ringTimeoutSec: number;
	maxCallSec: number;
	numbering?: Trunk["numbering"];
}): number =>
	(campaign.numbering === "e164" ? Math.max(campaign.ringTimeoutSec, LAWFUL_RING_SEC) : campaign.ringTimeoutSec) +
	campaign.maxCallSec;

/** Seconds until the next attempt. @param before how often the outcome came before */
const delaySec = (
	rule: RetryRule,
	outcome: Outcome,
	before: number,
	campaign: { ringTimeoutSec: number; maxCallSec: number },
): number => {
	const grown = Math.min(MAX_RETRY_DELAY_SEC, rule.afterSec * (rule.growth ?? 1) ** before);
	// A call lost with its host may still be up.
	if (outcome === "hostLost") return Math.max(grown, longestHoldSec(campaign));
	if (outcome === "unknown") return Math.max(grown, campaign.ringTimeoutSec + UNKNOWN_MARGIN_SEC);
	return grown;
};

export interface RetryInput {
	retry: Retry;
	outcome: Outcome;
	/** The attempt that ended. */
	attempt: number;
	/** Earlier attempts, and the numbers. */
	contact: Pick<ContactItem, "hist" | "nums" | "ni">;
	/** The trunk that the attempt went through, by index, and how many the campaign has. */
	trunkIndex: number;
	trunks: number;
	campaign: { ringTimeoutSec: number; maxCallSec: number };
	now: number;
}

/** The outcome that each number had last, by index. */
const lastByNumber = (input: RetryInput): Map<number, { o: Outcome; times: (outcome: Outcome) => number }> => {
	const { contact, attempt, outcome } = input;
	const entries: [number, { o: Outcome; n: number }][] = Object.entries(contact.hist ?? {})
		.filter(([a]) => Number(a) < attempt)
		.map(([a, entry]: [string, HistoryEntry]) => [Number(a), { o: entry.o, n: entry.n ?? 0 }]);
	entries.push([attempt, { o: outcome, n: contact.ni ?? 0 }]);
	entries.sort(([a], [b]) => a - b);
	const last = new Map<number, { o: Outcome; times: (outcome: Outcome) => number }>();
	for (const [, { o, n }] of entries) {
		const times = (wanted: Outcome) => entries.filter(([, entry]) => entry.n === n && entry.o === wanted).length;
		last.set(n, { o, times });
	}
	return last;
};

/**
 * Decides after an attempt. A contact's numbers are tried in order, one round at once; what a rule says holds for each number, and decides when the next
 * round begins. A number that does not exist is not tried again.
 */
export const afterAttempt = (input: RetryInput): AfterAttempt => {
	const { retry, outcome, attempt, contact, campaign, now } = input;
	if (attempt >= MAX_ATTEMPTS) return FINAL;
	const numbers = contact.nums ?? [];
	const index = contact.ni ?? 0;
	const last = lastByNumber(input);
	const rule = retryRule(retry, outcome);
	const otherTrunk = input.trunks > 1 && (rule?.otherTrunk ?? TECHNICAL.has(outcome));
	const not = otherTrunk ? { not: input.trunkIndex } : {};
	/** The same number again, by its own rule; undefined where there is none or it is used up. */
	const again = (n: number): number | undefined => {
		const ended = last.get(n);
		const its = ended && retryRule(retry, ended.o);
		if (!ended || !its || ended.times(ended.o) > its.max) return undefined;
		return now + delaySec(its, ended.o, ended.times(ended.o) - 1, campaign) * 1_000;
	};
	if (numbers.length < 2 || !OF_THE_NUMBER.has(outcome)) {
		const dueAt = again(index);
		if (dueAt !== undefined) return { final: false, dueAt, ...not };
		if (numbers.length < 2 || !TECHNICAL.has(outcome)) return FINAL;
	}
	const isDead = (n: number): boolean => last.get(n)?.o === "invalidNumber";
	const choose = (n: number, dueAt: number): NextAttempt => {
		const chosen = numbers[n]?.number;
		return {
			final: false,
			dueAt,
			...(chosen === undefined || n === index ? {} : { number: { index: n, number: chosen } }),
			...not,
		};
	};
	// The rest of this round, at once.
	for (let n = index + 1; n < numbers.length; n++) {
		if (isDead(n)) continue;
		if (!last.has(n) || again(n) !== undefined) return choose(n, now);
	}
	// The next round, from the first number that may be called again.
	for (let n = 0; n < numbers.length; n++) {
		const dueAt = isDead(n) ? undefined : again(n);
		if (dueAt !== undefined) return choose(n, dueAt);
	}
	return FINAL;
};

import { isDeepStrictEqual } from "node:util";
import { MAX_ATTEMPTS, MAX_RETRY_DELAY_SEC, type Retry, type RetryRule } from "../contract/campaign.ts";
import type { RETRYABLE_OUTCOMES } from "../contract/outcome.ts";
import { TECHNICAL_RETRY } from "../sync/retry.ts";
import { ASSUMED_CALL } from "./hold.ts";

/**
 * How many attempts the contacts of a campaign still need, and in how many rounds. Contacts are dialed in the order in which they are due, and a retry is due
 * later than what waits already: so first all contacts have their first attempt, then those that are tried again their second, and so on. Pure.
 */

type Retryable = (typeof RETRYABLE_OUTCOMES)[number];

/**
 * How attempts end that nobody answers, as assumed; the rest is final whatever the rules are. Only how many are tried again is measured: counters know the
 * outcome of a contact's last attempt, not those of the earlier ones.
 */
const ASSUMED_MIX: Record<Retryable, number> = {
	noAnswer: 0.7,
	busy: 0.12,
	unavailable: 0.06,
	rejected: 0.05,
	congestion: 0.02,
	trunkFailure: 0.01,
	hostLost: 0.01,
	unknown: 0.01,
};

/** A retry rule with the part that its outcome has, 0 to 1, of those attempts that a rule is for. */
export interface Rule extends RetryRule {
	part: number;
}
export interface Rules {
	rules: Rule[];
	/** Part of all attempts that end so that a rule is for them, as assumed. */
	assumedAgain: number;
}

/**
 * The rules that a forecast counts with. Those that every campaign has for technical failures are left out: trunks and hosts are expected to work, and a call that is lost
 * with its host is tried again so late that one in a thousand would be the end of every list.
 * @param longestSec a call that was lost with its host is tried again no sooner
 */
export const rulesOf = (retry: Retry, longestSec: number): Rules => {
	const found = (Object.entries(retry) as [Retryable, RetryRule | undefined][]).flatMap(([outcome, rule]) =>
		rule && rule.max > 0 && !isDeepStrictEqual(rule, TECHNICAL_RETRY[outcome])
			? [{ rule, weight: ASSUMED_MIX[outcome], leastSec: outcome === "hostLost" ? longestSec : 0 }]
			: [],
	);
	const weight = found.reduce((sum, each) => sum + each.weight, 0);
	return {
		rules: found.map((each) => ({
			...each.rule,
			afterSec: Math.max(each.rule.afterSec, each.leastSec),
			part: each.weight / weight,
		})),
		assumedAgain: (1 - ASSUMED_CALL.answerRate) * weight,
	};
};

/**
 * The part of contacts that gets to each attempt: element 0 is 1, element k the part that is tried again k times. A contact is tried again while each outcome
 * stays within its rule's `max`, so element k is k! times the coefficient of x^k in the product over the rules of Σ (q·x)^c / c!, c = 0 … max, where q is the
 * chance of the rule's outcome.
 * @param again chance that an attempt ends so that a rule is for it
 */
export const reachOf = ({ rules }: Rules, again: number): number[] => {
	let terms = [1];
	for (const { max, part } of rules) {
		const next = new Array<number>(Math.min(MAX_ATTEMPTS, terms.length + max)).fill(0);
		let factor = 1;
		for (let c = 0; c <= max; c++) {
			if (c > 0) factor *= (again * part) / c;
			terms.forEach((term, k) => {
				if (k + c < next.length) next[k + c] = (next[k + c] ?? 0) + term * factor;
			});
		}
		terms = next;
	}
	let factorial = 1;
	return terms.map((term, k) => {
		factorial *= Math.max(1, k);
		return Math.min(1, term * factorial);
	});
};

const ratio = (reach: number[], to: number, from: number): number =>
	to === from ? 1 : (reach[from] ?? 0) > 0 ? (reach[to] ?? 0) / (reach[from] ?? 1) : 0;

/** Of the first `attempts` of so many contacts, those after which another follows. */
const triedAgain = (attempts: number, contacts: number, reach: number[]): number => {
	let left = attempts;
	let again = 0;
	for (let k = 0; k + 1 < reach.length && left > 0; k++) {
		const here = Math.min(left, contacts * (reach[k] ?? 0));
		again += here * ratio(reach, k + 1, k);
		left -= here;
	}
	return again;
};

/** Halvings of an interval: a millionth of it is left. */
const HALVINGS = 20;

/** The chance that an attempt ends so that a rule is for it, which makes of so many attempts just those that were tried again. */
const measuredAgain = (rules: Rules, attempts: number, contacts: number, wereTriedAgain: number): number => {
	let low = 0;
	let high = 1;
	for (let i = 0; i < HALVINGS; i++) {
		const middle = (low + high) / 2;
		if (triedAgain(attempts, contacts, reachOf(rules, middle)) < wereTriedAgain) low = middle;
		else high = middle;
	}
	return (low + high) / 2;
};

/** Contacts that go through one more attempt. */
export interface Round {
	attempts: number;
	/** From the start of its last attempt to the start of the last retry that is likely to follow, seconds. */
	restSec: number;
	/**
	 * Only of the one under way, where it is not the first of all: attempts of the round before, of which those left were tried again. They are due one after
	 * the other, as those were made.
	 */
	from: number;
	/** Only of the one under way: no sooner after the campaign's start is it the turn of those with the longest delays, seconds. */
	sinceSec: number;
}

export interface AttemptsInput {
	rules: Rules;
	/** Contacts that are not done. */
	contactsLeft: number;
	contactsDone: number;
	/** Attempts that ended. */
	attempts: number;
	/** So many attempts are a measurement. */
	enough: number;
	/** Mean channel time of an attempt, seconds. */
	holdSec: number;
}

/** A round counts if it is more likely than not that somebody is in it: then at least so many are expected. */
const LIKELY = Math.LN2;
/** Standard deviations that a round's size may be off. */
const SPREADS = 2;

/**
 * Retries that somebody is likely to go through, the order of outcomes not looked at: element k is the longest that remains after k of them, the longer ones
 * having come first; delays with their calls, seconds.
 */
const longestRests = ({ rules }: Rules, again: number, contacts: number, holdSec: number): number[] => {
	const rests = new Array<number>(MAX_ATTEMPTS).fill(0);
	const extend = (at: number, left: number, waits: number[]): void => {
		const rule = rules[at];
		if (!rule) {
			let rest = 0;
			waits
				.toSorted((a, b) => a - b)
				.forEach((sec, i) => {
					rest += sec;
					const made = waits.length - 1 - i;
					rests[made] = Math.max(rests[made] ?? 0, rest);
				});
			return;
		}
		extend(at + 1, left, waits);
		let count = left;
		const chain = [...waits];
		for (let c = 0; c < rule.max && chain.length + 1 < MAX_ATTEMPTS; c++) {
			count *= again * rule.part;
			// Less than one contact is expected to come so far: it is left out, and all that would follow.
			if (count < LIKELY) return;
			chain.push(Math.min(MAX_RETRY_DELAY_SEC, rule.afterSec * (rule.growth ?? 1) ** c) + holdSec);
			extend(at + 1, count, chain);
		}
	};
	extend(0, contacts, []);
	return rests;
};

/** The rounds that are left, the one that is under way first; none where no contact is left. */
export const roundsLeft = (input: AttemptsInput): Round[] => {
	const { rules, contactsLeft, contactsDone, attempts, enough } = input;
	if (contactsLeft <= 0) return [];
	const contacts = contactsLeft + contactsDone;
	const missing = Math.max(0, enough - attempts);
	const wereTriedAgain = Math.max(0, attempts - contactsDone);
	const measured = attempts > 0 ? measuredAgain(rules, attempts, contacts, wereTriedAgain) : 0;
	const again = (attempts * measured + missing * rules.assumedAgain) / (attempts + missing);
	const reach = reachOf(rules, again);
	const last = reach.length - 1;

	// Which round is under way: those before it are as large as so many contacts make them.
	let now = 0;
	let until = contacts;
	while (until <= attempts && now < last) {
		now++;
		until += contacts * (reach[now] ?? 0);
	}
	const split = now === last ? contactsLeft : Math.min(contactsLeft, Math.max(0, until - attempts));
	// How large a round is, is known as well as chance allows: what is left of one by less than that is not.
	const spread = SPREADS * Math.sqrt(contacts * (reach[now] ?? 0) * (1 - (reach[now] ?? 0)));
	const isDone = now < last && split < contactsLeft && split <= spread;
	const first = isDone ? now + 1 : now;
	const here = isDone ? contactsLeft : split;
	const ahead = contactsLeft - here;
	const rests = longestRests(rules, again, contacts, input.holdSec);
	const restAfter = (made: number): number => rests[made] ?? 0;
	return reach.slice(first).map((_, i) => ({
		attempts: here * ratio(reach, first + i, first) + (i === 0 ? 0 : ahead * ratio(reach, first + i, first + 1)),
		restSec: restAfter(first + i),
		from: i === 0 && first > 0 ? here / (ratio(reach, first, first - 1) || 1) : 0,
		sinceSec: i === 0 ? restAfter(0) - restAfter(first) : 0,
	}));
};

/** Whether somebody is likely to be among so many, as expected. */
export const isLikely = (expected: number): boolean => expected >= LIKELY;

import type { CarrierCall } from "../voice/types.ts";

/** What is compared of a call record of the API. */
export interface CallRecord {
	callId: string;
	number: string;
	attempt: number;
	outcome: string;
	startedAt?: string | null;
	answeredAt?: string | null;
}

export interface Comparison {
	/** Contacts without an end, calls recorded as placed that the carrier never saw, and calls that it saw without a record. */
	lost: number;
	/** INVITEs beyond the attempts recorded for their number. */
	dialedTwice: number;
	/** Attempts recorded. */
	attempts: number;
	answered: number;
	/** What was found, a line each, for people. */
	findings: string[];
}

/** Most findings that are told one by one. */
const MAX_FINDINGS = 20;

const countBy = <T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, number> => {
	const counts = new Map<string, number>();
	for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
	return counts;
};

/** Outcomes under which the carrier may never have seen a call: it was not placed, or nobody knows. */
const MAY_BE_UNSEEN = new Set(["trunkFailure", "hostLost", "unknown", "cancelled", "suppressed"]);

/**
 * Holds our records against the carrier's, number by number (each contact has a number of its own). The carrier's word
 * counts.
 * @param numbers the numbers of the list
 * @param done contacts that reached an end, by our counters
 */
export const compareWithCarrier = (
	numbers: readonly string[],
	done: number,
	records: readonly CallRecord[],
	carrier: readonly CarrierCall[],
): Comparison => {
	const findings: string[] = [];
	const note = (finding: string): void => {
		if (findings.length < MAX_FINDINGS) findings.push(finding);
	};
	let lost = 0;
	let dialedTwice = 0;
	const unfinished = numbers.length - done;
	if (unfinished > 0) {
		lost += unfinished;
		note(`${unfinished} contact(s) have no end`);
	}
	const invites = countBy(carrier, (call) => call.number);
	const attempts = countBy(records, (record) => record.number);
	const certain = countBy(
		records.filter((record) => !MAY_BE_UNSEEN.has(record.outcome)),
		(record) => record.number,
	);
	for (const number of new Set([...numbers, ...invites.keys(), ...attempts.keys()])) {
		const seen = invites.get(number) ?? 0;
		const recorded = attempts.get(number) ?? 0;
		const placed = certain.get(number) ?? 0;
		if (seen > recorded) {
			// One INVITE more than attempts is a call without a record; a recorded number invited again was dialed twice.
			if (recorded === 0) lost += 1;
			dialedTwice += Math.max(0, seen - Math.max(1, recorded));
			note(`${number}: the carrier saw ${seen} call(s), ${recorded} recorded`);
		}
		if (placed > seen) {
			lost += placed - seen;
			note(`${number}: ${placed} call(s) recorded as placed, the carrier saw ${seen}`);
		}
	}
	return {
		lost,
		dialedTwice,
		attempts: records.length,
		answered: records.filter((record) => record.answeredAt).length,
		findings,
	};
};

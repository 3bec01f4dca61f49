import { expect } from "@jest/globals";
import { kindOf, type Reason } from "../../shared/campaigns/explain-words.ts";
import type { ShownExplanation } from "../../shared/campaigns/read-explain.ts";

/** Contacts by reason; of several rows of a reason their sum. */
export const byReason = ({ reasons }: ShownExplanation): Partial<Record<Reason, number>> => {
	const counts: Partial<Record<Reason, number>> = {};
	for (const { reason, contacts } of reasons) counts[reason] = (counts[reason] ?? 0) + contacts;
	return counts;
};

/** What must hold of every explanation. */
export const checkExplanation = (explanation: ShownExplanation): void => {
	const { reasons, notDone, main, words } = explanation;
	expect(reasons.reduce((n, { contacts }) => n + contacts, 0)).toBe(notDone);
	for (const { contacts, from, until, words: row } of reasons) {
		expect(Number.isInteger(contacts) && contacts > 0).toBe(true);
		if (from && until) expect(Date.parse(from)).toBeLessThanOrEqual(Date.parse(until));
		expect(row).not.toMatch(/undefined|NaN|null|\(\)|\.$/);
	}
	expect(main === null).toBe(notDone === 0);
	if (main) expect(reasons.map(({ reason }) => reason)).toContain(main);
	// Nothing of the main sentence may be missing.
	expect(words).toMatch(/^[A-Z0-9].*\.$/s);
	expect(words).not.toMatch(/undefined|NaN|null|\(\)/);
};

/** Whether somebody has to mend something. */
export const isBlocked = ({ main }: ShownExplanation): boolean => main !== null && kindOf(main) === "blocked";

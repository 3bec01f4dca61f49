import { DAY_MS } from "../time/clock.ts";

/** Days of the ledger: UTC, as AWS bills. */

/** A day as 2026-11-28. */
export const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
export const dayStartMs = (day: string): number => Date.parse(`${day}T00:00:00Z`);
export const dayEndMs = (day: string): number => dayStartMs(day) + DAY_MS;

/** Days from the one to the other, both included; none where the other is before. */
export const daysBetween = (fromMs: number, toMs: number): string[] => {
	const days: string[] = [];
	for (let at = dayStartMs(dayOf(fromMs)); at <= toMs; at += DAY_MS) days.push(dayOf(at));
	return days;
};

/** The days of its month before it. */
export const monthBefore = (day: string): string[] => {
	const first = `${day.slice(0, 7)}-01`;
	return first === day ? [] : daysBetween(dayStartMs(first), dayStartMs(day) - 1);
};

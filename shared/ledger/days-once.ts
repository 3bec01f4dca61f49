import type { HostItem } from "../store/items.ts";
import type { LedgerDeps } from "./books.ts";
import type { DayCost } from "./day-cost.ts";
import { dayEndMs } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";
import { CLOSE_AFTER_MS, readDay } from "./read-ledger.ts";

/**
 * Days for the test of budgets, which is made every few seconds: each is read once, however many campaigns have a part of it, and those that are over are kept in
 * the process. Read anew for each campaign at each look, the past would cost more than the calls.
 */

/** An event that comes late changes a day that is over: so soon it is seen here. */
const KEEP_MS = 10 * 60_000;

interface Kept {
	cost: DayCost;
	until: number;
}
const keptBy = new WeakMap<object, Map<string, Kept>>();

export type ReadDay = (day: string) => Promise<DayCost>;

/** A reader of one look's days. @param hosts as the look read them */
export const daysOnce = (
	deps: LedgerDeps,
	tenant: string,
	prices: LedgerPrices,
	hosts: readonly HostItem[],
): ReadDay => {
	const kept = keptBy.get(deps.db) ?? new Map<string, Kept>();
	keptBy.set(deps.db, kept);
	const reading = new Map<string, Promise<DayCost>>();
	const read = async (day: string): Promise<DayCost> => {
		const key = `${tenant} ${day}`;
		const now = deps.now();
		const known = kept.get(key);
		if (known && known.until > now) return known.cost;
		const cost = await readDay(deps, tenant, day, prices, hosts);
		if (now >= dayEndMs(day) + CLOSE_AFTER_MS) kept.set(key, { cost, until: now + KEEP_MS });
		return cost;
	};
	return (day) => {
		const under = reading.get(day) ?? read(day);
		reading.set(day, under);
		return under;
	};
};

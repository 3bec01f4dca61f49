import { Exact, ZERO } from "../plan/exact.ts";
import { put } from "../store/db.ts";
import { bookKey, CLOSED_ENTRY, type ClosedItem, type HostItem } from "../store/items.ts";
import { usdOf } from "./amounts.ts";
import { type Book, type LedgerDeps, readBook, readEntry, ttlOf } from "./books.ts";
import { COST_ITEMS, type CostItem, type DayCost, dayCost, egressGbOf, NO_CALLS, totalNanos } from "./day-cost.ts";
import { dayEndMs, dayOf, monthBefore } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";

/** What days cost: those that are over as they were counted up, the others from their books. */

/** A day is counted up so long after it is over: by then its last events have come, and its last calls are booked. */
export const CLOSE_AFTER_MS = 15 * 60_000;

const asClosed = (tenant: string, cost: DayCost, usedGb: Exact, at: number): ClosedItem => ({
	monthGb: usedGb.plus(Exact.of(cost.lines.find(({ item }) => item === "egress")?.quantity ?? 0)).toNumber(),
	book: bookKey(tenant, cost.day),
	entry: CLOSED_ENTRY,
	ttl: ttlOf(cost.day),
	at,
	costs: cost.lines.map(({ item, quantity, nanoUsd, unattributed }) => ({
		item,
		quantity,
		nanoUsd: Number(nanoUsd),
		unattributedNanoUsd: Number(unattributed),
	})),
	campaigns: Object.fromEntries(
		campaignsOf(cost).map((campaignId) => [
			campaignId,
			{
				...(cost.calls.get(campaignId) ?? NO_CALLS),
				nanoUsd: Object.fromEntries(
					cost.lines.flatMap(({ item, byCampaign }) => {
						const nanos = byCampaign.get(campaignId);
						return nanos ? [[item, Number(nanos)]] : [];
					}),
				),
			},
		]),
	),
});

const campaignsOf = ({ lines, calls }: DayCost): string[] => [
	...new Set([...calls.keys(), ...lines.flatMap(({ byCampaign }) => [...byCampaign.keys()])]),
];

const isItem = (item: string): item is CostItem => (COST_ITEMS as readonly string[]).includes(item);

const asCost = (day: string, closed: ClosedItem): DayCost => ({
	day,
	untilMs: dayEndMs(day),
	lines: closed.costs.flatMap(({ item, quantity, nanoUsd, unattributedNanoUsd }) =>
		isItem(item)
			? [
					{
						item,
						quantity,
						nanoUsd: BigInt(nanoUsd),
						unattributed: BigInt(unattributedNanoUsd),
						byCampaign: new Map(
							Object.entries(closed.campaigns).flatMap(([campaignId, { nanoUsd: own }]): [string, bigint][] => {
								const nanos = own[item];
								return nanos === undefined ? [] : [[campaignId, BigInt(nanos)]];
							}),
						),
					},
				]
			: [],
	),
	calls: new Map(
		Object.entries(closed.campaigns).map(([campaignId, { attempts, answered, channelMs }]) => [
			campaignId,
			{ attempts, answered, channelMs },
		]),
	),
});

/** What the fleet sent in the month before a day, GB: a day that is counted up knows it of all before it. */
const sentBefore = async (deps: LedgerDeps, tenant: string, day: string): Promise<Exact> => {
	let gb = ZERO;
	for (const each of monthBefore(day).reverse()) {
		const closed = await readEntry<ClosedItem>(deps, tenant, each, CLOSED_ENTRY);
		if (closed) return gb.plus(Exact.of(closed.monthGb));
		gb = gb.plus(egressGbOf(await readBook(deps, tenant, each)));
	}
	return gb;
};

/** A book with what its hosts did since it was last kept. Pure. */
export const withHosts = (book: Book, hosts: readonly HostItem[]): Book => ({
	...book,
	uses: book.uses.map((use) => {
		const host = use.sealed ? undefined : hosts.find(({ hostId }) => hostId === use.hostId);
		if (!host) return use;
		return { ...use, now: { ...use.now, ...host.acc }, syncsNow: Math.max(use.syncsNow, host.syncs ?? 0) };
	}),
});

/**
 * What a day cost: as it was counted up, or by its book until now.
 * @param hosts as they are now, where they were read: today's book is some seconds behind them
 */
export const readDay = async (
	deps: LedgerDeps,
	tenant: string,
	day: string,
	prices: LedgerPrices,
	hosts: readonly HostItem[] = [],
): Promise<DayCost> => {
	const isToday = day === dayOf(deps.now());
	// Of a day that was counted up its entries are not needed, and they are many.
	const closed = isToday ? undefined : await readEntry<ClosedItem>(deps, tenant, day, CLOSED_ENTRY);
	if (closed) return asCost(day, closed);
	const book = await readBook(deps, tenant, day);
	const whole = isToday ? withHosts(book, hosts) : book;
	// What the month has sent matters to what this day sent.
	const usedGb = egressGbOf(whole).compare(ZERO) === 0 ? ZERO : await sentBefore(deps, tenant, day);
	return dayCost(whole, prices, usedGb, deps.now());
};

/** Counts a day up for good, once it is over for long enough. @returns whether it was done now */
export const closeDay = async (
	deps: LedgerDeps,
	tenant: string,
	day: string,
	prices: () => Promise<LedgerPrices>,
): Promise<boolean> => {
	if (deps.now() < dayEndMs(day) + CLOSE_AFTER_MS) return false;
	if (await readEntry<ClosedItem>(deps, tenant, day, CLOSED_ENTRY)) return false;
	const book = await readBook(deps, tenant, day);
	if (book.runs.length + book.disks.length + book.uses.length === 0) return false;
	const usedGb = await sentBefore(deps, tenant, day);
	const cost = dayCost(book, await prices(), usedGb, deps.now());
	const closed = asClosed(tenant, cost, usedGb, deps.now());
	const { ok } = await put<ClosedItem>(
		deps.db,
		{ TableName: deps.tables.ledger, Item: closed, ConditionExpression: "attribute_not_exists(book)" },
		{ book: closed.book, entry: closed.entry },
	);
	const usd = usdOf(totalNanos(cost));
	if (ok) deps.log.info("ledger.dayClosed", { day, usd, campaigns: Object.keys(closed.campaigns).length });
	return ok;
};

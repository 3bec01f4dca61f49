import { MEASURED_FROM } from "../campaigns/hold.ts";
import type { CampaignItem, HostItem } from "../store/items.ts";
import { DAY_MS } from "../time/clock.ts";
import { sumOf, usdOf } from "./amounts.ts";
import { KEEP_DAYS, type LedgerDeps } from "./books.ts";
import { COST_ITEMS, type CostItem, type DayCost } from "./day-cost.ts";
import { dayOf, daysBetween } from "./days.ts";
import type { ReadDay } from "./days-once.ts";
import type { LedgerPrices } from "./ledger-prices.ts";
import { readDay } from "./read-ledger.ts";

/** What a campaign cost so far, by the ledger. */

/** Days that are added up for one campaign: as long as books are kept. */
const MAX_DAYS = KEEP_DAYS;

export interface CampaignUsed {
	/** Billionths of a US dollar. */
	nanoUsd: Map<CostItem, bigint>;
	/** Of today, all items together. */
	todayNanoUsd: bigint;
	/** By the ledger: some seconds behind the campaign's own counters. */
	attempts: number;
	answered: number;
	channelMs: number;
	/** ms since 1970. */
	untilMs: number;
}

export const totalOf = (nanoUsd: ReadonlyMap<CostItem, bigint>): bigint => sumOf(nanoUsd.values());

/** Adds up a campaign's part of days. Pure. */
export const usedOf = (campaignId: string, days: readonly DayCost[], today: string): CampaignUsed => {
	const used: CampaignUsed = {
		nanoUsd: new Map(COST_ITEMS.map((item) => [item, 0n])),
		todayNanoUsd: 0n,
		attempts: 0,
		answered: 0,
		channelMs: 0,
		untilMs: 0,
	};
	for (const { day, lines, calls, untilMs } of days) {
		for (const { item, byCampaign } of lines) {
			const nanos = byCampaign.get(campaignId) ?? 0n;
			used.nanoUsd.set(item, (used.nanoUsd.get(item) ?? 0n) + nanos);
			if (day === today) used.todayNanoUsd += nanos;
		}
		used.attempts += calls.get(campaignId)?.attempts ?? 0;
		used.answered += calls.get(campaignId)?.answered ?? 0;
		used.channelMs += calls.get(campaignId)?.channelMs ?? 0;
		used.untilMs = Math.max(used.untilMs, untilMs);
	}
	return used;
};

/** The days on which a campaign may have cost anything: a call that ends late is booked the day after. */
export const daysOfCampaign = (
	{ createdAt, finishedAt }: Pick<CampaignItem, "createdAt" | "finishedAt">,
	now: number,
): string[] => daysBetween(createdAt, Math.min(now, (finishedAt ?? now) + DAY_MS)).slice(-MAX_DAYS);

/** Reads what a campaign cost. @param hosts as they are now @param read of a day: where days are read for several campaigns, each once */
export const readCampaignUsed = async (
	deps: LedgerDeps,
	campaign: CampaignItem,
	prices: LedgerPrices,
	hosts: readonly HostItem[],
	read: ReadDay = (day) => readDay(deps, campaign.tenant, day, prices, hosts),
): Promise<CampaignUsed> => {
	const now = deps.now();
	const days = daysOfCampaign(campaign, now);
	return usedOf(campaign.campaignId, await Promise.all(days.map(read)), dayOf(now));
};

/** A campaign's cost as the API shows it. US dollars, to a millionth. */
export const describeCampaignCost = (used: CampaignUsed, prices: LedgerPrices, attemptsLeft: number) => {
	const total = totalOf(used.nanoUsd);
	const each = (n: number): number | null => (n === 0 ? null : usdOf((total * 2n + BigInt(n)) / (BigInt(n) * 2n)));
	const left = BigInt(Math.round(attemptsLeft));
	return {
		/** Until `asOf`. Calls are counted when they end. */
		usd: usdOf(total),
		/** Of an attempt, and of an answered call; null: there was none yet. */
		perAttemptUsd: each(used.attempts),
		perAnsweredUsd: each(used.answered),
		/** At completion, if the attempts that are left cost what those before did; null: too few ended to say. */
		forecastUsd:
			left === 0n
				? usdOf(total)
				: used.attempts < MEASURED_FROM
					? null
					: usdOf(total + (total * left) / BigInt(used.attempts)),
		items: Object.fromEntries([...used.nanoUsd].map(([item, nanos]) => [item, usdOf(nanos)])) as Record<
			CostItem,
			number
		>,
		/** No price of them is known: they are not in it. */
		notCounted: notCounted(prices),
		asOf: new Date(used.untilMs).toISOString(),
	};
};

/** Items without a price of the user's: PUT /v1/prices sets them. */
export const notCounted = ({ carrierPerMin, steadyPerHour }: LedgerPrices): CostItem[] => [
	...(steadyPerHour === undefined ? (["steady"] as const) : []),
	...(carrierPerMin === undefined ? (["carrier"] as const) : []),
];
export type ShownCampaignCost = ReturnType<typeof describeCampaignCost>;

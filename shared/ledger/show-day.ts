import { sumOf, usdOf } from "./amounts.ts";
import { notCounted } from "./campaign-cost.ts";
import { COST_UNITS, type CostItem, type DayCost, totalNanos } from "./day-cost.ts";
import type { LedgerPrices } from "./ledger-prices.ts";

/** A day's ledger as the API shows it. US dollars, to a millionth: lines and campaigns add up to the whole but for that rounding. */
export const showDay = (cost: DayCost, prices: LedgerPrices, names: ReadonlyMap<string, string>) => {
	const ids = new Set([...cost.calls.keys(), ...cost.lines.flatMap(({ byCampaign }) => [...byCampaign.keys()])]);
	const campaigns = [...ids]
		.map((campaignId) => {
			const own = cost.lines.map(({ item, byCampaign }): [CostItem, bigint] => [
				item,
				byCampaign.get(campaignId) ?? 0n,
			]);
			const nanos = sumOf(own.map(([, each]) => each));
			return { campaignId, own, nanos };
		})
		.sort((a, b) => (a.nanos === b.nanos ? (a.campaignId < b.campaignId ? -1 : 1) : a.nanos > b.nanos ? -1 : 1))
		.map(({ campaignId, own, nanos }) => ({
			campaignId,
			/** null: it is not there any more. */
			name: names.get(campaignId) ?? null,
			attempts: cost.calls.get(campaignId)?.attempts ?? 0,
			answered: cost.calls.get(campaignId)?.answered ?? 0,
			usd: usdOf(nanos),
			items: Object.fromEntries(own.map(([item, each]) => [item, usdOf(each)])) as Record<CostItem, number>,
		}));
	return {
		day: cost.day,
		/** What is counted: until now, or to the end of the day. */
		until: new Date(cost.untilMs).toISOString(),
		usd: usdOf(totalNanos(cost)),
		lines: cost.lines.map(({ item, quantity, nanoUsd, unattributed }) => ({
			item,
			quantity,
			unit: COST_UNITS[item],
			usd: usdOf(nanoUsd),
			/** Of a day on which no campaign used anything that it could be shared by. */
			unattributedUsd: usdOf(unattributed),
		})),
		campaigns,
		notCounted: notCounted(prices),
	};
};
export type ShownDay = ReturnType<typeof showDay>;

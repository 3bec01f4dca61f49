import { readHosts } from "../../../shared/hosts/hosts.ts";
import { usdOf } from "../../../shared/ledger/amounts.ts";
import { readBook } from "../../../shared/ledger/books.ts";
import { type CostItem, type DayCost, dayCost, egressGbOf } from "../../../shared/ledger/day-cost.ts";
import { daysBetween } from "../../../shared/ledger/days.ts";
import { keepBooks } from "../../../shared/ledger/keep-books.ts";
import type { LedgerPrices } from "../../../shared/ledger/ledger-prices.ts";
import { readDay } from "../../../shared/ledger/read-ledger.ts";
import { readLedgerPrices } from "../../../shared/ledger/read-prices.ts";
import { Exact, ZERO } from "../../../shared/plan/exact.ts";
import { putOwnPrices } from "../../../shared/prices/read-prices.ts";
import { TENANT } from "../items.ts";
import { START_MS, type VirtualFleet } from "./virtual-fleet.ts";
import { type Bill, MARGINAL_EGRESS_USD, PER_ATTEMPT_USD, type Terms } from "./week-bill.ts";

/** The product's ledger of a week in virtual time, priced as the simulator's own bill is. */

/** Own hosts, the carrier, and egress once the free GB of the month are gone. Set before the week begins: a day is counted up for good on the next. */
export const setWeekPrices = async ({ deps }: VirtualFleet, terms: Terms): Promise<void> => {
	await putOwnPrices(deps, TENANT, "week", {
		currency: "USD",
		date: "2026-11-01",
		colocation: { usdPerMonth: terms.steadyUsdPerMonth },
		carrier: { usdPerMin: terms.carrierUsdPerMin ?? 0, incrementSec: 1 },
		prices: [{ product: "egress", unit: "GB", usd: MARGINAL_EGRESS_USD, fromGb: 0 }],
	});
};

const NAMES: Readonly<Record<CostItem, keyof Bill>> = {
	instance: "instanceUsd",
	address: "addressUsd",
	volume: "volumeUsd",
	steady: "steadyUsd",
	egress: "egressUsd",
	controlPlane: "controlPlaneUsd",
	carrier: "carrierUsd",
};

const billOfDays = (days: readonly DayCost[]): Bill => {
	const bill = { totalUsd: 0 } as Bill;
	for (const [item, name] of Object.entries(NAMES)) {
		const nanos = days
			.flatMap(({ lines }) => lines)
			.reduce((n, line) => (line.item === item ? n + line.nanoUsd : n), 0n);
		bill[name] = usdOf(nanos);
		bill.totalUsd += bill[name];
	}
	return bill;
};

/** By attempts only, as the simulator's bill counts: nobody makes syncs and peeks there. */
const byAttempt = (prices: LedgerPrices): LedgerPrices => ({
	...prices,
	controlPlane: {
		...{ perSync: ZERO, perContact: ZERO, perPeek: ZERO, standingPerHour: ZERO },
		perAttempt: Exact.of(PER_ATTEMPT_USD),
	},
});

export interface WeekLedger {
	/** From the entries of all days. */
	bill: Bill;
	/** As days were counted up when they were over, the last ones until now: but for the control plane it must be the same. */
	kept: Bill;
	/** Of the parts that campaigns have of all days, and what is nobody's. */
	shared: number;
	attempts: number;
}

export const ledgerOf = async ({ deps, second, cloud }: VirtualFleet): Promise<WeekLedger> => {
	const now = START_MS + second * 1_000;
	const at = { ...deps, now: () => now };
	await keepBooks(at, TENANT, deps.burst.channelsPerHost, await readHosts(at, TENANT), await cloud.describe());
	const prices = await readLedgerPrices(at, TENANT, deps.burst.channelsPerHost);
	const names = daysBetween(START_MS, now);
	let sentGb = ZERO;
	const days: DayCost[] = [];
	for (const day of names) {
		const book = await readBook(at, TENANT, day);
		days.push(dayCost(book, byAttempt(prices), sentGb, now));
		sentGb = sentGb.plus(egressGbOf(book));
	}
	const kept = await Promise.all(names.map((day) => readDay(at, TENANT, day, prices)));
	const shared = days
		.flatMap(({ lines }) => lines)
		.reduce((n, line) => n + line.unattributed + [...line.byCampaign.values()].reduce((a, b) => a + b, 0n), 0n);
	const attempts = days.flatMap(({ calls }) => [...calls.values()]).reduce((n, each) => n + each.attempts, 0);
	return { bill: billOfDays(days), kept: billOfDays(kept), shared: usdOf(shared), attempts };
};

import { Exact } from "../plan/exact.ts";
import { HOURS_PER_MONTH } from "../plan/split-cost.ts";
import type { PriceBook, Tier } from "../prices/price-book.ts";
import type { BILLED_STEPS } from "../sync/counters.ts";
import { type ControlPlanePrices, controlPlanePrices } from "./control-plane-use.ts";

/** What the ledger counts with, US dollars. Instances and addresses have their price in their runs. */
export interface LedgerPrices {
	volumePerGbMonth: Exact;
	egress: readonly Tier[];
	controlPlane: ControlPlanePrices;
	/** undefined: no price was given, and it is not counted. */
	carrierPerMin: Exact | undefined;
	/** Each call is billed in whole steps of so many seconds. */
	carrierStepSec: keyof typeof BILLED_STEPS;
	/** undefined: no price of an own host was given, and it is not counted. */
	steadyPerHour: Exact | undefined;
}

const steadyPerHour = (book: PriceBook, channels: number): Exact | undefined => {
	const own = book.own?.colocation;
	if (!own) return undefined;
	const perMonth = "usdPerMonth" in own ? Exact.of(own.usdPerMonth) : Exact.of(own.usdPerChannelMonth).times(channels);
	return perMonth.by(HOURS_PER_MONTH);
};

/**
 * Throws PriceError where a price is missing or there twice.
 * @param channelsPerHost for own hosts that are paid by the channel
 */
export const ledgerPrices = (book: PriceBook, channelsPerHost: number): LedgerPrices => ({
	volumePerGbMonth: book.usd("ec2.gp3"),
	egress: book.tiers("egress"),
	controlPlane: controlPlanePrices(book),
	carrierPerMin: book.own?.carrier ? Exact.of(book.own.carrier.usdPerMin) : undefined,
	carrierStepSec: 1,
	steadyPerHour: steadyPerHour(book, channelsPerHost),
});

import { Exact } from "../plan/exact.ts";
import { colocationPerHour } from "../prices/colocation.ts";
import { covers, type PriceBook, type Tier } from "../prices/price-book.ts";
import type { BILLED_STEPS } from "../sync/counters.ts";
import { type ControlPlanePrices, controlPlanePrices } from "./control-plane-prices.ts";

/** What the ledger counts with, US dollars. Instances and addresses have their price in their runs. */
export interface LedgerPrices {
	volumePerGbMonth: Exact;
	egress: readonly Tier[];
	controlPlane: ControlPlanePrices;
	/** undefined: no price was given, and it is not counted. */
	carrierPerMin: Exact | undefined;
	/** Each call is billed in whole steps of so many seconds. */
	carrierStepSec: keyof typeof BILLED_STEPS;
	/** Of an instance, where the user's own prices say something of it; undefined: what its run was entered with (BURST_TYPES). */
	instancePerHour(type: string, market: "on-demand" | "spot"): Exact | undefined;
	/** undefined: no price of a steady host was given, and it is not counted. */
	steadyPerHour: Exact | undefined;
}

const instancePerHour = (book: PriceBook, type: string, market: "on-demand" | "spot"): Exact | undefined => {
	const { own } = book;
	if (!own) return undefined;
	if (market === "spot" && own.spot) return Exact.of(own.spot.usdPerHour);
	const product = `ec2.${market}.${type}`;
	const named = own.prices.some((price) => price.product === product);
	const discounted = own.discounts.some((each) => covers(each.product, product));
	return named || (discounted && book.has(product)) ? book.usd(product) : undefined;
};

/**
 * Throws PriceError where a price is missing or there twice.
 * @param channelsPerHost for steady hosts that are paid by the channel
 */
export const ledgerPrices = (book: PriceBook, channelsPerHost: number): LedgerPrices => ({
	volumePerGbMonth: book.usd("ec2.gp3"),
	egress: book.tiers("egress"),
	controlPlane: controlPlanePrices(book),
	carrierPerMin: book.own?.carrier ? Exact.of(book.own.carrier.usdPerMin) : undefined,
	carrierStepSec: book.own?.carrier?.incrementSec ?? 1,
	instancePerHour: (type, market) => instancePerHour(book, type, market),
	steadyPerHour: colocationPerHour(book, channelsPerHost),
});

import { Exact } from "../plan/exact.ts";
import { HOURS_PER_MONTH } from "../plan/split-cost.ts";
import type { PriceBook } from "./price-book.ts";

/** An hour of a steady host by the co-location in the user's own prices, US dollars; undefined: none is given. @param channels of a host, for a price by the channel */
export const colocationPerHour = (book: PriceBook, channels: number): Exact | undefined => {
	const own = book.own?.colocation;
	if (!own) return undefined;
	const perMonth = "usdPerMonth" in own ? Exact.of(own.usdPerMonth) : Exact.of(own.usdPerChannelMonth).times(channels);
	return perMonth.by(HOURS_PER_MONTH);
};

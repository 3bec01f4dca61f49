import { Exact } from "../plan/exact.ts";
import type { PriceBook } from "../prices/price-book.ts";

/** What the control plane costs, US dollars. */
export interface ControlPlanePrices {
	/** A sync of a host, whatever it brings. */
	perSync: Exact;
	/** Each attempt on top of it. */
	perAttempt: Exact;
	/** Import of a contact. */
	perContact: Exact;
	/** Ticks, looks, peeks. */
	standingPerHour: Exact;
}

/** Throws PriceError where a price is missing. */
export const controlPlanePrices = (book: PriceBook): ControlPlanePrices => ({
	perSync: book.usd("dynamodb.write").times(4).plus(book.usd("api.request")).plus(book.usd("lambda.request")),
	perAttempt: book.usd("dynamodb.write").times(3),
	perContact: book.usd("dynamodb.write").times(2),
	standingPerHour: Exact.of(0),
});

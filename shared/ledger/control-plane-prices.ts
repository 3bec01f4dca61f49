import { usdOfUnits } from "../plan/control-plane.ts";
import type { Exact } from "../plan/exact.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { CONTROL_PLANE_USE } from "./sync-units.ts";

/** What the control plane costs, US dollars. */
export interface ControlPlanePrices {
	/** A sync of a host, whatever it brings. */
	perSync: Exact;
	/** Each attempt on top of it. */
	perAttempt: Exact;
	/** Import of a contact. */
	perContact: Exact;
	/** A peek of a host that has nothing to do. */
	perPeek: Exact;
	/** Ticks, recovery, looks, polls. */
	standingPerHour: Exact;
}

/** By what was counted of each. Throws PriceError where a price is missing. */
export const controlPlanePrices = (book: PriceBook): ControlPlanePrices => ({
	perSync: usdOfUnits(book, CONTROL_PLANE_USE.perSync),
	perAttempt: usdOfUnits(book, CONTROL_PLANE_USE.perAttempt),
	perContact: usdOfUnits(book, CONTROL_PLANE_USE.perContact),
	perPeek: usdOfUnits(book, CONTROL_PLANE_USE.perPeek),
	standingPerHour: usdOfUnits(book, CONTROL_PLANE_USE.standingPerHour),
});

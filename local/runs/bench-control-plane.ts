import { PriceBook } from "../../shared/prices/price-book.ts";
import { type ControlPlaneCost, costOf } from "./control-plane-cost.ts";
import { type CountedLoad, countLoad } from "./control-plane-load.ts";

/** A thousand channels that hold calls for 31 s in the mean: 32 calls a second. The rate does not bind. */
export const FULL: CountedLoad = { hosts: 9, channels: 1_000, maxCps: 60, fillSec: 100, steadySec: 300 };
/** One call a second on one host. */
export const SLOW: CountedLoad = { hosts: 1, channels: 120, maxCps: 1, fillSec: 60, steadySec: 300 };
/** US dollars that a million attempts of {@link FULL} may cost. */
export const LIMIT_USD_PER_MILLION = 5;
const REGION = "us-east-1";

export interface ControlPlaneBench {
	bench: "control plane";
	region: string;
	limitUsdPerMillion: number;
	withinLimit: boolean;
	full: ControlPlaneCost;
	slow: ControlPlaneCost;
	/** What is to be said of the prices: old ones, for example. */
	warnings: string[];
}

/** What a million attempts cost in the control plane, from what two real runs used. One after the other: they would slow each other. */
export const benchControlPlane = async (say: (line: string) => void): Promise<ControlPlaneBench> => {
	const book = new PriceBook(REGION);
	const full = costOf(await countLoad(FULL, say), book);
	const slow = costOf(await countLoad(SLOW, say), book);
	return {
		bench: "control plane",
		region: REGION,
		limitUsdPerMillion: LIMIT_USD_PER_MILLION,
		withinLimit: full.usdPerMillion <= LIMIT_USD_PER_MILLION,
		full,
		slow,
		warnings: book.warnings(Date.now()),
	};
};

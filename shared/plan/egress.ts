import type { Tier } from "../prices/price-book.ts";
import { Exact, least, ZERO } from "./exact.ts";

/** What traffic to the internet costs, by the tiers of a month. Pure. */

/** US dollars for the first `gb` of a month. */
const untilGb = (tiers: readonly Tier[], gb: Exact): Exact =>
	Exact.sum(
		tiers
			.filter(({ fromGb }) => gb.compare(fromGb) > 0)
			.map(({ fromGb, toGb, usdPerGb }) => (toGb ? least(gb, toGb) : gb).minus(fromGb).times(usdPerGb)),
	);

/** US dollars for `gb` more in a month in which the account has sent `usedGb`. */
export const egressUsd = (tiers: readonly Tier[], gb: Exact, usedGb: Exact = ZERO): Exact =>
	untilGb(tiers, usedGb.plus(gb)).minus(untilGb(tiers, usedGb));

/** What one more GB costs once the free ones are used up, in a month in which the account has sent `usedGb`. */
export const marginalUsdPerGb = (tiers: readonly Tier[], usedGb: Exact = ZERO): Exact =>
	tiers.find(({ toGb, usdPerGb }) => usdPerGb.compare(ZERO) > 0 && (!toGb || toGb.compare(usedGb) > 0))?.usdPerGb ??
	ZERO;

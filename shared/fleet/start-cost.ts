import type { BurstSettings } from "../config/burst-settings.ts";
import { Exact, ZERO } from "../plan/exact.ts";
import { LEAST_PAID_SEC } from "../plan/layers.ts";
import { SEC_PER_HOUR } from "../time/clock.ts";

/** What is known of a host that is not started yet. */
export interface NextHost {
	/** Instance, address and volume, US dollars an hour; undefined: none can be had. */
	usdPerHour: number | undefined;
	/** Billed without a call to be made: boot, idle time, and the calls that still last when it drains; seconds. */
	overheadSec: number;
}

/** What a host costs that is started for some work. US dollars, exact. */
export interface StartCost {
	/** From its start to its stop, by the second, a minute at least. */
	usd: Exact;
	/** The same work on burst hosts that run already; on steady hosts it costs nothing. */
	usdRunning: Exact;
	/** What starting one more costs beyond that. */
	usdOverhead: Exact;
}

/** @param workSec seconds for which its work fills it */
export const startCost = ({ usdPerHour = 0, overheadSec }: NextHost, workSec: number): StartCost => {
	const usdPerSec = Exact.of(usdPerHour).by(SEC_PER_HOUR);
	const billed = Math.max(LEAST_PAID_SEC, overheadSec + workSec);
	const usd = usdPerSec.times(billed);
	const usdRunning = usdPerSec.times(workSec);
	return { usd, usdRunning, usdOverhead: usd.minus(usdRunning) };
};

/** What a start may cost beyond the work itself, for so much work: what it is worth to have it done sooner. */
export const overheadAllowed = (
	{ maxOverheadUsdPerWorkHour }: Pick<BurstSettings, "maxOverheadUsdPerWorkHour">,
	workSec: number,
): Exact => (workSec <= 0 ? ZERO : Exact.of(maxOverheadUsdPerWorkHour).times(workSec).by(SEC_PER_HOUR));

/** Whether work that nobody waits for by a deadline is worth a start. The dearer the host, the more work it must have. */
export const paysFor = (
	settings: Pick<BurstSettings, "maxOverheadUsdPerWorkHour">,
	next: NextHost,
	workSec: number,
): boolean => startCost(next, workSec).usdOverhead.compare(overheadAllowed(settings, workSec)) <= 0;

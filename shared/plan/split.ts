import { SEC_PER_HOUR } from "../time/clock.ts";
import { breakEven, sensitivityOf, type Turn } from "./break-even.ts";
import { marginalUsdPerGb } from "./egress.ts";
import { Exact } from "./exact.ts";
import {
	cheapest,
	HOURS_PER_MONTH,
	hoursOf,
	modelLayers,
	type SplitCost,
	type SplitModel,
	splitCosts,
} from "./split-cost.ts";

/** Other ways to pay for a host all the time or by use; undefined: its price is not known. US dollars an hour. */
export interface OtherPrices {
	savingsPlanPerHour: Exact | undefined;
	reservedPerHour: Exact | undefined;
	spotPerHour: Exact | undefined;
}

/** What a rented host costs for an hour in which it is used to the full: itself, address, volume and traffic. */
export const usedHourUsd = ({ rented, calls, perHost }: SplitModel): Exact =>
	Exact.sum([
		rented.usdPerHour,
		rented.ipv4PerHour,
		rented.volumePerGbMonth.times(rented.volumeGb).by(HOURS_PER_MONTH),
		calls.gbPerTalkSec
			.times(calls.talkShare)
			.times(perHost * SEC_PER_HOUR)
			.times(marginalUsdPerGb(calls.egress, Exact.of(calls.usedGb))),
	]);

/** An instance that is kept for the whole time at another price: its address, volume and traffic are paid as well. */
const keptInstance = (model: SplitModel, usdPerHour: Exact): SplitModel => ({
	...model,
	steady: {
		usdPerHour: Exact.sum([
			usdPerHour,
			model.rented.ipv4PerHour,
			model.rented.volumePerGbMonth.times(model.rented.volumeGb).by(HOURS_PER_MONTH),
		]),
		billedEgress: true,
	},
});

/**
 * What to own and what to rent: every split of a demand between hosts that are paid all the time and hosts that are paid while they are needed.
 * Amounts are US dollars over the profile, `…PerMonth` if it repeats for 730 hours.
 */
export const planSplit = (model: SplitModel, other: OtherPrices) => {
	const layers = modelLayers(model);
	const costs = splitCosts(model, layers);
	const hours = hoursOf(model);
	const best = cheapest(costs);
	const steps = model.channels.length;
	const perMonth = (usd: Exact): number => usd.by(hours).times(HOURS_PER_MONTH).toNumber();
	const whole = (cost: SplitCost | undefined) =>
		cost
			? { steadyHosts: cost.steadyHosts, totalUsd: cost.totalUsd.toNumber(), totalUsdPerMonth: perMonth(cost.totalUsd) }
			: null;
	const shown = (cost: SplitCost) => ({
		steadyHosts: cost.steadyHosts,
		/** Part of the time in which the last of the owned hosts is needed; null: none is owned. */
		lastNeeded: cost.steadyHosts === 0 ? null : (layers[cost.steadyHosts - 1]?.steps ?? 0) / steps,
		ownedUsd: cost.steadyUsd.toNumber(),
		rentedUsd: cost.rentedUsd.toNumber(),
		ipv4Usd: cost.ipv4Usd.toNumber(),
		volumeUsd: cost.volumeUsd.toNumber(),
		egressUsd: cost.egressUsd.toNumber(),
		controlPlaneUsd: cost.controlPlaneUsd.toNumber(),
		carrierUsd: model.calls.carrierPerMin ? cost.carrierUsd.toNumber() : null,
		totalUsd: cost.totalUsd.toNumber(),
		totalUsdPerMonth: perMonth(cost.totalUsd),
		rentedHours: cost.rentedHours.toNumber(),
		starts: cost.starts,
		egressGb: cost.egressGb.toNumber(),
	});
	const kept = (usdPerHour: Exact | undefined) => {
		if (!usdPerHour) return null;
		const all = splitCosts(keptInstance(model, usdPerHour), layers);
		return { all: whole(all.at(-1)), best: whole(cheapest(all)) };
	};
	const bought = (usdPerHour: Exact | undefined) =>
		usdPerHour ? whole(splitCosts({ ...model, rented: { ...model.rented, usdPerHour } }, layers)[0]) : null;
	const turn = (found: Turn | undefined) =>
		found
			? {
					usdPerHour: found.usdPerHour.toNumber(),
					usdPerMonth: found.usdPerHour.times(HOURS_PER_MONTH).toNumber(),
					steadyHosts: found.steadyHosts,
				}
			: null;
	const { fewerAbove, moreBelow } = breakEven(costs, hours);
	const usedHour = usedHourUsd(model);
	const free = usedHour.compare(Exact.of(0)) === 0;
	return {
		billing: model.rented.billing,
		profile: {
			steps,
			stepSec: model.stepSec,
			peakChannels: model.channels.reduce((a, b) => Math.max(a, b), 0),
			meanChannels: model.channels.reduce((a, b) => a + b, 0) / steps,
			peakHosts: layers.length,
			perHost: model.perHost,
		},
		best: shown(best),
		strategies: {
			allOwned: whole(costs.at(-1)),
			allOnDemand: whole(costs[0]),
			/** Instances kept all the time: for the whole peak, and as the base below on-demand ones. null: no price is known. */
			savingsPlan: kept(other.savingsPlanPerHour),
			reserved: kept(other.reservedPerHour),
			/** All rented at the spot price; null: none is known. */
			spot: bought(other.spotPerHour),
		},
		splits: costs.map(shown),
		/** The price of an owned host above which fewer, below which more are the cheapest; null: no price does it. */
		breakEven: { fewerAbove: turn(fewerAbove), moreBelow: turn(moreBelow) },
		/** Own one more as long as the part of the time it is needed exceeds this. */
		rule: {
			ownedUsdPerHour: model.steady.usdPerHour.toNumber(),
			rentedUsdPerUsedHour: usedHour.toNumber(),
			ratio: free ? null : model.steady.usdPerHour.by(usedHour).toNumber(),
			steadyHosts: layers.filter(
				({ steps: needed }) => usedHour.times(needed).compare(model.steady.usdPerHour.times(steps)) > 0,
			).length,
		},
		sensitivity: sensitivityOf(model, layers),
	};
};
export type SplitPlan = ReturnType<typeof planSplit>;

import type { Tier } from "../prices/price-book.ts";
import { SEC_PER_HOUR } from "../time/clock.ts";
import { egressUsd } from "./egress.ts";
import { Exact, ZERO } from "./exact.ts";
import { type Layer, layersOf, type Renting } from "./layers.ts";

/** Hours of a month, as AWS counts them. */
export const HOURS_PER_MONTH = 730;

/** A host that is kept all the time. */
export interface Steady {
	usdPerHour: Exact;
	/** Whether its traffic leaves EC2 and is billed by the GB; of a line of one's own it is not. */
	billedEgress: boolean;
}

/** Hosts that are rented when they are needed. Prices in US dollars. */
export interface Rented extends Renting {
	usdPerHour: Exact;
	ipv4PerHour: Exact;
	/** Its volume, GB, and what a GB costs for a month. */
	volumeGb: number;
	volumePerGbMonth: Exact;
	/** Stopped hosts that are kept, so that their volumes are paid all the time; others are terminated. */
	warmHosts: number;
}

export interface Calls {
	/** Part of the channels' time in which people talk, so that something is sent. */
	talkShare: number;
	/** Mean time of an attempt on its channel, seconds. */
	holdSec: number;
	gbPerTalkSec: Exact;
	egress: readonly Tier[];
	/** GB that the account sends in a month besides. */
	usedGb: number;
	controlPlanePerAttempt: Exact;
	/** undefined: not given. */
	carrierPerMin: Exact | undefined;
}

export interface SplitModel {
	/** Channels needed in each step. */
	channels: readonly number[];
	stepSec: number;
	perHost: number;
	steady: Steady;
	rented: Rented;
	calls: Calls;
}

/** What a split costs over the profile, US dollars. */
export interface SplitCost {
	steadyHosts: number;
	steadyUsd: Exact;
	rentedUsd: Exact;
	ipv4Usd: Exact;
	volumeUsd: Exact;
	egressUsd: Exact;
	controlPlaneUsd: Exact;
	/** Zero where no price was given. */
	carrierUsd: Exact;
	totalUsd: Exact;
	rentedHours: Exact;
	egressGb: Exact;
	starts: number;
}

export const hoursOf = ({ channels, stepSec }: Pick<SplitModel, "channels" | "stepSec">): Exact =>
	Exact.of(channels.length).times(stepSec).by(SEC_PER_HOUR);

export const modelLayers = ({ channels, stepSec, perHost, rented }: SplitModel): Layer[] =>
	layersOf(channels, stepSec, perHost, rented);

/** Traffic of the profile by the tiers of a month: the profile is taken to repeat until the month is over. */
const egressOf = (gb: Exact, hours: Exact, calls: Calls): Exact => {
	const months = hours.by(HOURS_PER_MONTH);
	return egressUsd(calls.egress, gb.by(months), Exact.of(calls.usedGb)).times(months);
};

/** Every split, from none owned to the whole peak. @param layers of the model, where they are known already */
export const splitCosts = (model: SplitModel, layers: readonly Layer[] = modelLayers(model)): SplitCost[] => {
	const { steady, rented, calls, stepSec } = model;
	const hours = hoursOf(model);
	const wholeSec = model.channels.length * stepSec;
	const gbPerStep = calls.gbPerTalkSec.times(calls.talkShare).times(stepSec);
	const channelSec = Exact.of(layers.reduce((sum, layer) => sum + layer.channelSteps, 0)).times(stepSec);
	const controlPlaneUsd = channelSec.by(calls.holdSec).times(calls.controlPlanePerAttempt);
	const carrierUsd = calls.carrierPerMin ? channelSec.times(calls.talkShare).by(60).times(calls.carrierPerMin) : ZERO;
	const usdPerVolumeSec = rented.volumePerGbMonth.times(rented.volumeGb).by(HOURS_PER_MONTH * SEC_PER_HOUR);
	return Array.from({ length: layers.length + 1 }, (_, steadyHosts) => {
		const above = layers.slice(steadyHosts);
		const paidSec = above.reduce((sum, layer) => sum + layer.paidSec, 0);
		const rentedHours = Exact.of(paidSec).by(SEC_PER_HOUR);
		const volumeSec = above.reduce(
			(sum, layer, i) => sum + (i < rented.warmHosts ? Math.max(wholeSec, layer.paidSec) : layer.paidSec),
			0,
		);
		const sending = steady.billedEgress ? layers : above;
		const egressGb = gbPerStep.times(sending.reduce((sum, layer) => sum + layer.channelSteps, 0));
		const parts = {
			steadyUsd: hours.times(steadyHosts).times(steady.usdPerHour),
			rentedUsd: rentedHours.times(rented.usdPerHour),
			ipv4Usd: rentedHours.times(rented.ipv4PerHour),
			volumeUsd: usdPerVolumeSec.times(volumeSec),
			egressUsd: egressOf(egressGb, hours, calls),
			controlPlaneUsd,
			carrierUsd,
		};
		return {
			steadyHosts,
			...parts,
			totalUsd: Exact.sum(Object.values(parts)),
			rentedHours,
			egressGb,
			starts: above.reduce((sum, layer) => sum + layer.starts, 0),
		};
	});
};

/** The cheapest; of equal ones that with the fewest owned hosts, which binds least. */
export const cheapest = (costs: readonly SplitCost[]): SplitCost => {
	const [first, ...others] = costs;
	if (!first) throw new RangeError("there is no split");
	return others.reduce((best, next) => (next.totalUsd.compare(best.totalUsd) < 0 ? next : best), first);
};

import type { CampaignFigures } from "./decide-campaigns.ts";
import { type Carriers, type Spread, spread } from "./decide-network.ts";

/** A time for which the demand is as it is: then the campaigns with the least work are done, and the others go on. */
export interface Phase {
	sec: number;
	spread: Spread;
}

/** Each phase costs a flow; what many small campaigns do one after the other makes no difference of a host. */
const MAX_PHASES = 10;

/** How the demand goes on once a host started now is up, if nothing is added to it. */
export const phasesOf = (campaigns: CampaignFigures[], start: Spread, carriers: Carriers): Phase[] => {
	const lasting = campaigns.flatMap(({ campaign: { campaignId }, start: { channels }, work }) => {
		const used = start.shares.get(campaignId)?.channels ?? 0;
		return used > 0 ? [{ campaignId, channels, sec: work / used }] : [];
	});
	const ends = [...new Set(lasting.map(({ sec }) => sec))].sort((a, b) => a - b);
	const step = Math.ceil(ends.length / MAX_PHASES);
	const kept = ends.filter((_, i) => (ends.length - 1 - i) % step === 0);
	return kept.map((end, i) => {
		const going = lasting.filter(({ sec }) => sec >= end);
		const figures = new Map(going.map(({ campaignId, channels }) => [campaignId, channels]));
		return {
			sec: end - (kept[i - 1] ?? 0),
			spread: i === 0 && going.length === lasting.length ? start : spread(carriers, figures),
		};
	});
};

/** Sums of fractions are not exact. */
const EPSILON = 1e-6;

/** Channel-seconds for one more host beside so many channels. @param channelsOf what of a phase's demand it is for */
export const workBeyond = (
	phases: Phase[],
	channelsOf: (spread: Spread) => number,
	below: number,
	channelsPerHost: number,
): number =>
	phases.reduce(
		(sum, { sec, spread }) => sum + sec * Math.min(channelsPerHost, Math.max(0, channelsOf(spread) - below)),
		0,
	);

/** What makes a host worth starting. */
export interface Worth {
	channelsPerHost: number;
	/** Work for so long at full load, be it less work for longer. */
	minUseSec: number;
	/** Up to so many channels are needed to hold deadlines: whatever starting costs. */
	heldChannels: number;
	/** Beyond them: whether so many seconds of work at full load are worth what starting costs. */
	pays: (workSec: number) => boolean;
}

/**
 * Hosts that are worth starting beyond a room of so many channels.
 * @param channelsOf what of a phase's demand they are for
 */
export const hostsWorth = (
	phases: Phase[],
	channelsOf: (spread: Spread) => number,
	room: number,
	{ channelsPerHost, minUseSec, heldChannels, pays }: Worth,
): number => {
	for (let hosts = 0; ; hosts++) {
		const below = room + hosts * channelsPerHost;
		const work = workBeyond(phases, channelsOf, below, channelsPerHost);
		if (work === 0 || work < minUseSec * channelsPerHost - EPSILON) return hosts;
		if (below >= heldChannels && !pays(work / channelsPerHost)) return hosts;
	}
};

/**
 * How long the work of all phases takes where burst hosts have so many channels: what they have no room for waits. undefined: it is never done.
 */
export const secondsFor = (phases: Phase[], burstChannels: number): number | undefined => {
	let seconds = 0;
	for (const { sec, spread } of phases) {
		const wanted = spread.steady + spread.burst;
		const carried = spread.steady + Math.min(spread.burst, burstChannels);
		if (wanted === 0) continue;
		if (carried === 0) return undefined;
		seconds += (sec * wanted) / carried;
	}
	return seconds;
};

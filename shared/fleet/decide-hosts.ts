import type { BurstSettings } from "../config/burst-settings.ts";
import type { FleetItem } from "../store/items.ts";
import { type Capacity, MARKETS, type UpHost } from "./capacity.ts";
import type { Spread } from "./decide-network.ts";
import { hostsWorth, type Phase, type Worth } from "./decide-phases.ts";
import type { Wanted } from "./decision.ts";

const capsOf = (hosts: UpHost[]): number => hosts.reduce((sum, { cap }) => sum + cap, 0);

/** How many of the hosts, the first ones first, are needed for so many channels. */
const needed = (hosts: UpHost[], channels: number): number => {
	let room = 0;
	let n = 0;
	while (n < hosts.length && room < channels) room += hosts[n++]?.cap ?? 0;
	return n;
};

/** Channels of campaigns with a deadline that burst hosts may carry. */
export interface Held {
	all: number;
	/** Of them those whose calls must not be cut off. */
	fixed: number;
}

/**
 * Burst hosts for a demand: more than are up only if what is worth starting for does not fit into those; else as many of them as what is in use
 * still needs. Campaigns that allow dropped calls get spot hosts, and use on-demand ones that are up.
 */
export const hostsFor = (
	phases: Phase[],
	keep: Spread,
	capacity: Capacity,
	settings: BurstSettings,
	held: Held,
	pays: Worth["pays"],
): Wanted => {
	const { channelsPerHost, minUseSec } = settings;
	const [onDemand = [], spot = []] = MARKETS.map((market) => capacity.up.filter((host) => host.market === market));
	const usableSpot = settings.spot ? spot : [];
	const fixed = (of: Spread): number => (settings.spot ? of.burstOnDemand : of.burst);
	const more = (of: (spread: Spread) => number, room: number, heldChannels: number): number =>
		hostsWorth(phases, of, room, { channelsPerHost, minUseSec, heldChannels, pays });

	const moreOnDemand = more(fixed, capsOf(onDemand), settings.spot ? held.fixed : held.all);
	const room = capsOf(onDemand) + moreOnDemand * channelsPerHost + capsOf(usableSpot);
	const moreSpot = settings.spot ? more(({ burst }) => burst, room, held.all) : 0;

	let kept = needed(onDemand, fixed(keep));
	const keptSpot = needed(usableSpot, keep.burst - capsOf(onDemand.slice(0, kept)));
	if (keptSpot === usableSpot.length) {
		kept = Math.max(kept, needed(onDemand, keep.burst - capsOf(usableSpot)));
	}
	return {
		onDemand: moreOnDemand > 0 || moreSpot > 0 ? onDemand.length + moreOnDemand : kept,
		spot: moreSpot > 0 ? usableSpot.length + moreSpot : keptSpot,
	};
};

type Sample = FleetItem["recent"][number];

/** Samples still needed: those within the idle time and the one that holds when it begins; equal ones after each other are one. */
export const pruneRecent = (recent: Sample[], now: number, idleSec: number): Sample[] => {
	const from = now - idleSec * 1_000;
	const sorted = [...recent].sort((a, b) => a.at - b.at);
	const first = sorted.findLastIndex(({ at }) => at <= from);
	return sorted.slice(Math.max(0, first)).filter((sample, i, all) => {
		const before = all[i - 1];
		return !before || before.onDemand !== sample.onDemand || before.spot !== sample.spot;
	});
};

/** Adds what is wanted now. A clock that went back adds at the newest sample's moment. */
export const addRecent = (recent: Sample[], wanted: Wanted, now: number, idleSec: number): Sample[] => {
	const at = Math.max(now, ...recent.map((sample) => sample.at));
	const before = recent.filter((sample) => sample.at < at);
	return pruneRecent([...before, { at, onDemand: wanted.onDemand, spot: wanted.spot }], now, idleSec);
};

/** The most that was wanted within the idle time keeps hosts that are up; it starts none. */
export const keepIdle = (wanted: Wanted, up: Wanted, recent: Sample[]): Wanted => {
	const most = (field: keyof Wanted): number =>
		Math.max(wanted[field], Math.min(up[field], Math.max(0, ...recent.map((sample) => sample[field]))));
	return { onDemand: most("onDemand"), spot: most("spot") };
};

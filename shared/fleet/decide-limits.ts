import type { BurstSettings } from "../config/burst-settings.ts";
import type { FleetItem } from "../store/items.ts";
import { type Capacity, totalOf } from "./capacity.ts";
import type { Wanted } from "./decision.ts";
import { hostsWords, plural, timeWords, usdWords } from "./words.ts";

export interface LimitInput {
	now: number;
	capacity: Capacity;
	settings: BurstSettings;
	fleet: Pick<FleetItem, "halted" | "failed" | "throttledUntil" | "starts">;
}

export interface Limited {
	wanted: Wanted;
	/** In words, in the order in which they were applied. */
	limits: string[];
}

/** Sums of prices in binary are not exact. */
const USD_EPSILON = 1e-9;
const MINUTE_MS = 60_000;

/** Hosts that must be started for what is wanted: beyond those up and those whose drain is taken back. */
export const startsFor = (wanted: Wanted, { upCount, reusable }: Capacity): Wanted => ({
	onDemand: Math.max(0, wanted.onDemand - upCount.onDemand - reusable.onDemand),
	spot: Math.max(0, wanted.spot - upCount.spot - reusable.spot),
});

/** Takes away `n` hosts: spot first, whatever needs the others can use nothing else. */
const takeAway = (wanted: Wanted, n: number, most: Wanted = wanted): Wanted => {
	const spot = Math.min(n, most.spot);
	const onDemand = Math.min(n - spot, most.onDemand);
	return { onDemand: wanted.onDemand - onDemand, spot: wanted.spot - spot };
};

/** At most `room` starts; hosts that are up or come back from a drain stay wanted. */
const cutStarts = (wanted: Wanted, room: number, capacity: Capacity): Wanted => {
	const starts = startsFor(wanted, capacity);
	return takeAway(wanted, Math.max(0, totalOf(starts) - Math.max(0, room)), starts);
};

/** At most so many in all: a limit that was lowered below what is up lets hosts go. */
const cutTo = (wanted: Wanted, most: number): Wanted =>
	takeAway(wanted, Math.max(0, totalOf(wanted) - Math.max(0, most)));

const isLess = (a: Wanted, b: Wanted): boolean => totalOf(a) < totalOf(b);

const byMaxHosts = (wanted: Wanted, { capacity, settings }: LimitInput): { wanted: Wanted; words: string } => {
	const { maxHosts } = settings;
	const up = totalOf(capacity.upCount);
	const next = cutTo(cutStarts(wanted, maxHosts - capacity.costing, capacity), maxHosts);
	const others = capacity.costing - up;
	const lowered = up > maxHosts ? `; ${up} are up, the surplus finishes its calls and is stopped` : "";
	const words = `At most ${hostsWords(maxHosts)} at once (BURST_MAX_HOSTS): ${totalOf(wanted)} would be wanted${
		others > 0 ? `, and ${others} that ${others === 1 ? "is" : "are"} ending or out of use count too` : ""
	}${lowered}.`;
	return { wanted: next, words };
};

const byPrice = (wanted: Wanted, { capacity, settings }: LimitInput): { wanted: Wanted; words: string } => {
	const { maxUsdPerHour } = settings;
	const { usdPerHour, nextUsdPerHour, up } = capacity;
	const room =
		nextUsdPerHour === undefined ? 0 : Math.floor((maxUsdPerHour - usdPerHour + USD_EPSILON) / nextUsdPerHour);
	let affordable = 0;
	let spent = 0;
	for (const host of up) {
		spent += host.usdPerHour;
		if (spent > maxUsdPerHour + USD_EPSILON) break;
		affordable++;
	}
	const started = cutStarts(wanted, room, capacity);
	// Only if those that are up cost too much by themselves are some of them given up.
	const next = affordable < up.length ? cutTo(started, affordable) : started;
	const price =
		nextUsdPerHour === undefined
			? "no instance type has a price (BURST_TYPES)"
			: `${usdWords(usdPerHour)} are spent now, one more costs ${usdWords(nextUsdPerHour)}`;
	const lowered = affordable < up.length ? "; the surplus finishes its calls and is stopped" : "";
	return {
		wanted: next,
		words: `At most ${usdWords(maxUsdPerHour)} an hour (BURST_MAX_USD_PER_HOUR): ${totalOf(wanted)} would be wanted, ${price}${lowered}.`,
	};
};

/** What is wanted, as far as the limits let it, and what they cut in words. */
export const applyLimits = (asked: Wanted, input: LimitInput): Limited => {
	const { now, capacity, settings, fleet } = input;
	const limits: string[] = [];
	let wanted = asked;
	const cut = (next: Wanted, words: string): void => {
		if (isLess(next, wanted)) limits.push(words);
		wanted = next;
	};

	if (settings.launchTemplate === "") {
		cut(
			cutStarts(wanted, 0, capacity),
			"The burst is off: no launch template is set (BURST_LAUNCH_TEMPLATE), so no host is started.",
		);
	}
	const hosts = byMaxHosts(wanted, input);
	cut(hosts.wanted, hosts.words);
	const price = byPrice(wanted, input);
	cut(price.wanted, price.words);
	const { halted, failed, throttledUntil, starts } = fleet;
	if (halted && halted.until > now) {
		cut(
			cutStarts(wanted, 0, capacity),
			`EC2 refused since ${timeWords(halted.at)}: ${halted.reason} Nothing is started before ${timeWords(halted.until)}.`,
		);
	}
	if (failed.count > 0 && failed.notBefore > now) {
		cut(
			cutStarts(wanted, 0, capacity),
			`${plural(failed.count, "start")} failed one after the other (${failed.reason}): none before ${timeWords(failed.notBefore)}.`,
		);
	}
	const starting = totalOf(startsFor(wanted, capacity));
	if (starting > 0 && throttledUntil > now) {
		limits.push(`EC2 asked to be asked less: nothing before ${timeWords(throttledUntil)}.`);
	}
	const lastMinute = starts.filter((at) => at > now - MINUTE_MS).length;
	if (starting > settings.maxStartsPerMin - lastMinute) {
		limits.push(
			`At most ${plural(settings.maxStartsPerMin, "start")} a minute (BURST_MAX_STARTS_PER_MIN): ${starting} to start, ${lastMinute} in the last minute.`,
		);
	}
	if (settings.dryRun && (starting > 0 || totalOf(wanted) < totalOf(capacity.upCount))) {
		limits.push("Dry run (BURST_DRY_RUN): EC2 is asked for nothing.");
	}
	return { wanted, limits };
};

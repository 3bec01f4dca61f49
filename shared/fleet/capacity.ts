import { type BurstSettings, findOffering, offeringsOf } from "../config/burst-settings.ts";
import type { FleetItem, HostItem } from "../store/items.ts";
import type { Wanted } from "./decision.ts";
import type { TrunkDemand } from "./demand.ts";
import { CAPACITY, COSTS, isDraining } from "./life.ts";
import type { Offering } from "./offerings.ts";

export type Market = Offering["market"];
export const MARKETS: readonly Market[] = ["on-demand", "spot"];
/** The same two as fields of {@link Wanted}. */
export const fieldOf = (market: Market): keyof Wanted => (market === "spot" ? "spot" : "onDemand");
export const totalOf = ({ onDemand, spot }: Wanted): number => onDemand + spot;

/** A burst host that is, or becomes, capacity; or one that is asked for and has no item yet. */
export interface UpHost {
	/** Absent: its instance is not there yet. */
	host?: HostItem;
	market: Market;
	cap: number;
	usdPerHour: number;
	/** When it takes calls, ms since 1970; not after now: it does. */
	readyAt: number;
}

export interface SteadyHost {
	host: HostItem;
	/** Channels that campaigns can have. */
	channels: number;
}

/** What the fleet has and what it costs, as the decision sees it. */
export interface Capacity {
	steady: SteadyHost[];
	/** Those that would be kept longest come first: the fullest. */
	up: UpHost[];
	upCount: Wanted;
	/** Draining for the fleet's own reasons: asked for again, they cost nothing more. */
	reusable: Wanted;
	/** Hosts that cost, those without an item yet included. */
	costing: number;
	usdPerHour: number;
	/** Price of the next host; undefined: there is nothing to ask for. */
	nextUsdPerHour: number | undefined;
}

export interface CapacityInput {
	now: number;
	hosts: HostItem[];
	intents: FleetItem["intents"];
	trunks: TrunkDemand[];
	settings: BurstSettings;
	bootSec: number;
	lostAfterSec: number;
}

const sumOf = (values: Record<string, number>): number => Object.values(values).reduce((n, value) => n + value, 0);

export const isSilent = (host: HostItem, now: number, lostAfterSec: number): boolean =>
	now - host.lastSeenAt > lostAfterSec * 1_000;

/** Whether a host may use a trunk by the trunk's own list. */
export const maySee = (trunk: Pick<TrunkDemand, "hosts">, host: Pick<HostItem, "hostId" | "tier">): boolean => {
	if (trunk.hosts === "all") return true;
	return trunk.hosts === "steady" ? host.tier === "steady" : trunk.hosts.includes(host.hostId);
};

/**
 * A host that has just become active says of its trunks what it knows, and that is nothing yet: its first word is believed only after the time
 * that it is given to find a usable one.
 */
const isNew = (host: HostItem, now: number, settings: BurstSettings): boolean =>
	host.inst?.readyAt !== undefined && now - host.inst.readyAt < settings.noTrunkSec * 1_000;

export const isDeadOn = (host: HostItem, trunkId: string, now: number, settings: BurstSettings): boolean =>
	(host.deadTrunks ?? []).includes(trunkId) && !isNew(host, now, settings);

/** Whether a host could carry a call now: Asterisk is up, and the carrier of one of its trunks answers. */
const canCarry = (host: HostItem, trunks: TrunkDemand[]): boolean => {
	if (host.health !== undefined && host.health !== "up") return false;
	const own = trunks.filter((trunk) => maySee(trunk, host));
	return own.length === 0 || own.some(({ trunkId }) => !(host.deadTrunks ?? []).includes(trunkId));
};

/** Channels that other people have up on a steady host: it says them only while it syncs. */
const foreignChannels = (host: HostItem): number => {
	const held = sumOf(host.held);
	return held === 0 ? 0 : Math.max(0, host.live - held);
};

const steadyHosts = ({ hosts, trunks, now, lostAfterSec }: CapacityInput): SteadyHost[] =>
	hosts
		.filter((host) => host.tier === "steady" && host.state === "active")
		.filter((host) => !isSilent(host, now, lostAfterSec) && canCarry(host, trunks))
		.map((host) => ({ host, channels: Math.max(0, host.cap - foreignChannels(host)) }));

/** When a host that is not active yet will probably be; one that is late is taken for about to be. */
const expectedAt = (startedAt: number, bootSec: number, now: number): number =>
	Math.max(now, startedAt + bootSec * 1_000);

/** A host of ours as capacity; undefined where it is none. */
const asUp = (host: HostItem, starting: boolean, input: CapacityInput): UpHost | undefined => {
	const { now, settings, bootSec, trunks, lostAfterSec } = input;
	const { inst } = host;
	if (!inst || (!starting && inst.failure !== undefined) || host.drainWanted) return undefined;
	const up = { host, market: inst.market, cap: host.cap, usdPerHour: inst.usdPerHour };
	if (starting) return { ...up, readyAt: expectedAt(now, bootSec, now) };
	if (!CAPACITY.includes(host.state)) return undefined;
	if (host.state !== "active") return { ...up, readyAt: expectedAt(inst.startedAt, bootSec, now) };
	if (isSilent(host, now, lostAfterSec)) return undefined;
	if (canCarry(host, trunks)) return { ...up, readyAt: now };
	const until = (inst.readyAt ?? 0) + settings.noTrunkSec * 1_000;
	return isNew(host, now, settings) ? { ...up, readyAt: until } : undefined;
};

/** What launch intents still have to bring, beyond the hosts that have an item already. */
const coming = (input: CapacityInput): UpHost[] => {
	const { intents, hosts, settings, bootSec, now } = input;
	return Object.entries(intents).flatMap(([intentId, intent]) => {
		if (intent.kind !== "launch") return [];
		const here = hosts.filter((host) => host.inst?.launchId === intentId).length;
		const offering = findOffering(settings, intent.offering);
		const one: UpHost = {
			market: offering?.market ?? (intent.offering.startsWith("spot/") ? "spot" : "on-demand"),
			cap: settings.channelsPerHost,
			usdPerHour: offering?.usdPerHour ?? Math.max(0, ...offeringsOf(settings).map(({ usdPerHour }) => usdPerHour)),
			readyAt: expectedAt(intent.at, bootSec, now),
		};
		return Array.from({ length: Math.max(0, intent.count - here) }, () => one);
	});
};

const isReusable = (host: HostItem, input: CapacityInput): boolean =>
	isDraining(host.state) &&
	host.drainBy === "fleet" &&
	host.inst?.stopAt === undefined &&
	!host.drainWanted &&
	!isSilent(host, input.now, input.lostAfterSec) &&
	canCarry(host, input.trunks);

const count = (list: { market: Market }[]): Wanted => ({
	onDemand: list.filter(({ market }) => market === "on-demand").length,
	spot: list.filter(({ market }) => market === "spot").length,
});

/** Fullest first, then the sooner ready, then by name: the order in which hosts are kept. */
const byKeeping = (a: UpHost, b: UpHost): number =>
	(b.host?.live ?? 0) - (a.host?.live ?? 0) ||
	a.readyAt - b.readyAt ||
	(a.host?.hostId ?? "~").localeCompare(b.host?.hostId ?? "~", "en");

export const capacityOf = (input: CapacityInput): Capacity => {
	const { hosts, intents, settings } = input;
	const starting = new Set(Object.values(intents).flatMap((intent) => (intent.kind === "start" ? intent.hosts : [])));
	const burst = hosts.filter((host) => host.tier === "burst" && host.inst);
	const isStarting = (host: HostItem): boolean => host.state === "stopped" && starting.has(host.hostId);
	const asked = coming(input);
	const up = [...burst.flatMap((host) => asUp(host, isStarting(host), input) ?? []), ...asked].sort(byKeeping);
	const costing = burst.filter((host) => COSTS.includes(host.state) || isStarting(host));
	const prices = [
		...offeringsOf(settings).map(({ usdPerHour }) => usdPerHour),
		// Without an offering what is stopped can still be started again.
		...burst.flatMap(({ state, inst }) => (state === "stopped" && inst ? [inst.usdPerHour] : [])),
	];
	return {
		steady: steadyHosts(input),
		up,
		upCount: count(up),
		reusable: count(
			burst.filter((host) => isReusable(host, input)).map(({ inst }) => ({ market: inst?.market ?? "on-demand" })),
		),
		costing: costing.length + asked.length,
		usdPerHour: [
			...costing.map(({ inst }) => inst?.usdPerHour ?? 0),
			...asked.map(({ usdPerHour }) => usdPerHour),
		].reduce((sum, usd) => sum + usd, 0),
		nextUsdPerHour: prices.length > 0 ? Math.min(...prices) : undefined,
	};
};

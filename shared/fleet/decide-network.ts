import type { BurstSettings } from "../config/burst-settings.ts";
import type { HostItem } from "../store/items.ts";
import { type Capacity, isDeadOn, maySee } from "./capacity.ts";
import { FlowNetwork } from "./decide-flow.ts";
import type { CampaignDemand, Demand, TrunkDemand } from "./demand.ts";

/** More than any sum of channels or channel-seconds: an edge without a limit of its own. */
const UNLIMITED = Number.MAX_SAFE_INTEGER / 4;

/** Who may carry what, at one look. */
export interface Carriers {
	now: number;
	demand: Demand;
	capacity: Capacity;
	/** Size of the pool of Elastic IPs; undefined: there is none. */
	addresses: number | undefined;
	settings: BurstSettings;
}

/** Channels by campaign. */
export type Figures = ReadonlyMap<string, number>;

/** What a trunk gives to a campaign, and what of the trunk bound it. */
export interface TrunkShare {
	channels: number;
	bound?: "cap" | "maxCps";
}

/**
 * What a trunk can give to its campaigns at most: its channels, and by its calls per second what Little's law makes of them (calls per second ×
 * mean channel time), the longest calls first, for they fill most. Calls that are up are no fewer than they are, whatever the estimate says.
 */
export const trunkShares = (
	trunk: TrunkDemand,
	campaigns: CampaignDemand[],
	figures: Figures,
): Map<string, TrunkShare> => {
	let channelsLeft = trunk.cap;
	let cpsLeft = trunk.maxCps;
	const shares = new Map<string, TrunkShare>();
	const order = [...campaigns].sort((a, b) => b.holdSec - a.holdSec || (a.campaignId < b.campaignId ? -1 : 1));
	for (const { campaignId, holdSec, inProgress } of order) {
		const figure = figures.get(campaignId) ?? 0;
		const bySpeed = Math.max(Math.ceil(cpsLeft * holdSec - 1e-9), inProgress);
		const channels = Math.max(0, Math.min(figure, channelsLeft, bySpeed));
		channelsLeft -= channels;
		cpsLeft = Math.max(0, cpsLeft - channels / holdSec);
		if (channels === figure) shares.set(campaignId, { channels });
		else shares.set(campaignId, { channels, bound: bySpeed < channelsLeft + channels ? "maxCps" : "cap" });
	}
	return shares;
};

export const campaignsOn = (demand: Demand, trunkId: string): CampaignDemand[] =>
	demand.campaigns.filter((campaign) => campaign.trunkId === trunkId);

/** Channels of a trunk that burst hosts can carry at most; `known`: their number is that of the pool's addresses. */
const burstRoom = (trunk: TrunkDemand, carriers: Carriers): { room: number; known: boolean } => {
	const { capacity, settings, now } = carriers;
	const known = trunk.addresses === "known";
	if (trunk.hosts === "steady") return { room: 0, known };
	const seeing = capacity.up.filter(({ host }) => !host || maySee(trunk, host));
	// All burst hosts that tried it have found its carrier silent: more of them would find the same.
	const tried = seeing.filter(({ host, readyAt }) => host && readyAt <= now);
	const dead = tried.length > 0 && tried.every(({ host }) => isDeadOn(host as HostItem, trunk.trunkId, now, settings));
	if (dead) return { room: 0, known };
	if (trunk.hosts === "all") return { room: UNLIMITED, known };
	// A list names hosts that are there; no new host can be on it.
	const named = seeing.filter(({ host }) => host !== undefined);
	return { room: named.reduce((n, { cap }) => n + cap, 0), known };
};

/** Steady hosts that can carry the same trunks, taken together. */
const steadyGroups = ({ capacity, demand, now, settings }: Carriers): { trunks: Set<string>; channels: number }[] => {
	const groups = new Map<string, { trunks: Set<string>; channels: number }>();
	for (const { host, channels } of capacity.steady) {
		const trunks = demand.trunks
			.filter((trunk) => maySee(trunk, host) && !isDeadOn(host, trunk.trunkId, now, settings))
			.map(({ trunkId }) => trunkId)
			.sort();
		const key = trunks.join(" ");
		const group = groups.get(key) ?? { trunks: new Set(trunks), channels: 0 };
		groups.set(key, { ...group, channels: group.channels + channels });
	}
	return [...groups.values()];
};

/** How channels are spread over who can carry them. */
export interface Spread {
	/** Channels that campaigns can use, their trunks' limits applied. */
	shares: Map<string, TrunkShare>;
	channels: number;
	steady: number;
	/** Beyond the steady hosts, on trunks that burst hosts may use. */
	burst: number;
	/** Of `burst` at most so many must not be cut off: not for spot. */
	burstOnDemand: number;
	/** What was left out because the pool has no more addresses. */
	noAddress: number;
}

/**
 * Steady hosts carry all they can; what is over on trunks that burst hosts may use is theirs. Both by the largest flow: steady hosts take first
 * what nobody else may carry wherever that makes the sum larger.
 */
export const spread = (carriers: Carriers, figures: Figures): Spread => {
	const { demand, addresses, settings } = carriers;
	const net = new FlowNetwork();
	const source = net.node();
	const sink = net.node();
	const burst = net.node();
	const known = net.node();
	const groups = steadyGroups(carriers).map((group) => ({ ...group, node: net.node() }));
	for (const group of groups) net.edge(group.node, sink, group.channels);
	const shares = new Map<string, TrunkShare>();
	const opened: { edge: number; room: number }[] = [];
	let mayNotDrop = 0;
	for (const trunk of demand.trunks) {
		const campaigns = campaignsOn(demand, trunk.trunkId);
		const given = trunkShares(trunk, campaigns, figures);
		let total = 0;
		for (const [campaignId, share] of given) {
			shares.set(campaignId, share);
			total += share.channels;
		}
		const node = net.node();
		net.edge(source, node, total);
		const { room, known: needsAddress } = burstRoom(trunk, carriers);
		const viaBurst = net.node();
		opened.push({ edge: net.edge(viaBurst, needsAddress ? known : burst, 0), room });
		let fixed = 0;
		for (const campaign of campaigns) {
			const own = net.node();
			net.edge(node, own, figures.get(campaign.campaignId) ?? 0);
			for (const group of groups) if (group.trunks.has(trunk.trunkId)) net.edge(own, group.node, UNLIMITED);
			if (campaign.notOnBurst !== undefined) continue;
			net.edge(own, viaBurst, UNLIMITED);
			if (!campaign.allowDroppedCalls) fixed += figures.get(campaign.campaignId) ?? 0;
		}
		mayNotDrop += Math.min(fixed, total, room);
	}
	const steady = net.augment(source, sink);
	for (const { edge, room } of opened) net.widen(edge, room);
	net.edge(burst, sink, UNLIMITED);
	const pool = net.edge(known, burst, (addresses ?? 0) * settings.channelsPerHost);
	const onBurst = net.augment(source, sink);
	let noAddress = 0;
	if (addresses !== undefined) {
		// What would be carried if there were addresses enough: only to say it.
		net.widen(pool, UNLIMITED);
		noAddress = net.augment(source, sink);
	}
	const channels = [...shares.values()].reduce((n, share) => n + share.channels, 0);
	return { shares, channels, steady, burst: onBurst, burstOnDemand: Math.min(onBurst, mayNotDrop), noAddress };
};

/**
 * Channel-seconds that will be done for each campaign, by the hosts that there are, until a host started now takes calls. Campaigns are served in
 * their order, older ones first, as the hosts do.
 * @param work channel-seconds that each campaign has, and may use in that time
 */
export const doneMeanwhile = (carriers: Carriers, work: Figures, bootSec: number): Map<string, number> => {
	const { demand, capacity, now, settings } = carriers;
	const net = new FlowNetwork();
	const sink = net.node();
	const classes = new Map<
		string,
		{ source: number; gate: number; node: number; campaigns: CampaignDemand[]; limit: number }
	>();
	const hosts: { trunks: Set<string>; spot: boolean; burst: boolean; node: number }[] = [];
	const addHost = (trunks: Set<string>, spot: boolean, burst: boolean, seconds: number): void => {
		const node = net.node();
		net.edge(node, sink, Math.round(seconds));
		hosts.push({ trunks, spot, burst, node });
	};
	for (const { trunks, channels } of steadyGroups(carriers)) addHost(trunks, false, false, channels * bootSec);
	for (const { host, market, cap, readyAt } of capacity.up) {
		const seconds = cap * Math.max(0, bootSec - Math.max(0, readyAt - now) / 1_000);
		const trunks = demand.trunks
			.filter((trunk) => burstRoom(trunk, carriers).room > 0 && (!host || maySee(trunk, host)))
			.filter(({ trunkId }) => !host || !isDeadOn(host, trunkId, now, settings))
			.map(({ trunkId }) => trunkId);
		if (seconds >= 1) addHost(new Set(trunks), market === "spot", true, seconds);
	}
	for (const trunk of demand.trunks) {
		for (const campaign of campaignsOn(demand, trunk.trunkId)) {
			const onBurst = campaign.notOnBurst === undefined;
			const key = `${trunk.trunkId} ${onBurst} ${campaign.allowDroppedCalls}`;
			let own = classes.get(key);
			if (!own) {
				const source = net.node();
				const node = net.node();
				own = { source, node, gate: net.edge(source, node, 0), campaigns: [], limit: 0 };
				for (const host of hosts) {
					const may = host.burst ? onBurst && (!host.spot || campaign.allowDroppedCalls) : true;
					if (may && host.trunks.has(trunk.trunkId)) net.edge(node, host.node, UNLIMITED);
				}
				classes.set(key, own);
			}
			own.campaigns.push(campaign);
			own.limit = Math.max(own.limit, Math.min(trunk.cap, trunk.maxCps * campaign.holdSec) * bootSec);
		}
	}
	const done = new Map<string, number>();
	for (const { source, gate, campaigns, limit } of classes.values()) {
		const want = campaigns.reduce((n, { campaignId }) => n + (work.get(campaignId) ?? 0), 0);
		net.widen(gate, Math.floor(Math.min(want, limit)));
		let left = net.augment(source, sink);
		for (const { campaignId } of campaigns) {
			const part = Math.min(left, work.get(campaignId) ?? 0);
			done.set(campaignId, part);
			left -= part;
		}
	}
	return done;
};

import { DEFAULT_PRIORITY } from "../contract/campaign.ts";
import { isDraining } from "../fleet/life.ts";
import type { CampaignItem, HostItem, InventoryItem, TrunkItem } from "../store/items.ts";
import { blockedByList, type SuppressionList } from "../suppression/suppressed-by.ts";
import { pacedCps } from "../sync/campaign-rate.ts";
import { hostHas } from "../sync/choose.ts";
import { trunksOf } from "../sync/lanes.ts";
import { sum } from "../sync/shares.ts";
import { mostCalls, slotsAvailable } from "../sync/slots.ts";
import { cpsAt, fullPaceAt, paceAt } from "../sync/trunk-pace.ts";
import { mayCarry, mayDial, mayUse } from "../sync/world.ts";
import type { Facts, Reason } from "./explain-words.ts";
import { fairShare } from "./fair-share.ts";

/** What stands between the due contacts of a campaign and one of its trunks. Pure; the conditions are the sync's own. */

/** Burst hosts that are being started. */
export interface Coming {
	/** Those that have an item. */
	hosts: readonly HostItem[];
	/** Launches that EC2 has not answered. */
	launches: number;
	/** Seconds from the start of a host to its first hello. */
	bootSec: number;
}

export interface TrunkWorld {
	now: number;
	campaign: CampaignItem;
	/** All of the tenant. */
	hosts: readonly HostItem[];
	/** Sounds and contexts of hosts, where the campaign needs one. */
	inventories: ReadonlyMap<string, InventoryItem>;
	/** Other campaigns on its trunks, as far as they were read. */
	others: ReadonlyMap<string, Pick<CampaignItem, "state" | "priority">>;
	lists: readonly SuppressionList[];
	coming: Coming;
	/** What the fleet's last decision says of burst hosts. */
	fleet?: string | undefined;
	lostAfterSec: number;
}

/** A reason with what its words are made of; where it is one of the trunk, with `trunk`. */
export interface Cause {
	reason: Reason;
	facts: Partial<Facts>;
}

/** So many contacts could be dialed by this limit within some seconds. */
export interface Limit extends Cause {
	room: number;
}

export interface TrunkLook {
	trunkId: string;
	/** Its part of the campaign's calls, less while it is slowed; 0: it is not used. */
	weight: number;
	trunk: TrunkItem | undefined;
	/** Nothing is dialed through it before this is mended. */
	blocked?: Cause;
	/** The least first; of equal ones in the order in which a sync comes to them. Empty where it is blocked. */
	limits: Limit[];
	/** Hosts that may dial the campaign through it. */
	able: readonly HostItem[];
}

/** Whether the host was heard of as one that is well is. */
export const isHeard = (host: HostItem, { now, lostAfterSec }: Pick<TrunkWorld, "now" | "lostAfterSec">): boolean =>
	now - host.lastSeenAt <= lostAfterSec * 1_000;

const names = (hosts: readonly HostItem[], most = 3): string =>
	hosts
		.slice(0, most)
		.map(({ hostId }) => hostId)
		.join(", ") + (hosts.length > most ? ` and ${hosts.length - most} more` : "");

/** `2 new, 1 lost`; hosts that were ended for good are no hosts. */
const statesWords = (hosts: readonly HostItem[]): string => {
	const counts = new Map<string, number>();
	for (const { state } of hosts) if (state !== "terminated") counts.set(state, (counts.get(state) ?? 0) + 1);
	return counts.size === 0 ? "there is none" : [...counts].map(([state, n]) => `${n} ${state}`).join(", ");
};

/** Burst hosts on their way that may dial the campaign through the trunk. */
const comingFor = (trunk: TrunkItem, { campaign, coming }: TrunkWorld): Cause | undefined => {
	const may = coming.hosts.filter((host) => mayUse(trunk, host) && mayCarry(campaign, host)).length;
	const hosts = may + (trunk.trunk.hosts === "all" ? coming.launches : 0);
	return hosts > 0 ? { reason: "hostsBooting", facts: { hosts, bootSec: coming.bootSec } } : undefined;
};

const hostsWanted = ({ trunk }: TrunkItem): string =>
	trunk.hosts === "steady" ? "steady hosts" : trunk.hosts === "all" ? "all hosts" : trunk.hosts.join(", ");

/**
 * The hosts that may dial, or why there is none: the condition of the sync that the hosts which come furthest do not meet.
 */
const ableHosts = (trunk: TrunkItem, world: TrunkWorld): readonly HostItem[] | Cause => {
	const { campaign, hosts, inventories, lists, now, fleet } = world;
	const trunkId = trunk.trunkId;
	const onWay = (otherwise: Cause): Cause => comingFor(trunk, world) ?? otherwise;
	const active = hosts.filter(({ state }) => state === "active");
	if (active.length === 0) {
		const draining = hosts.filter(({ state }) => isDraining(state));
		return onWay(
			draining.length > 0
				? { reason: "hostsDraining", facts: { detail: names(draining) } }
				: { reason: "noHost", facts: { detail: statesWords(hosts), ...(fleet ? { fleet } : {}) } },
		);
	}
	const heard = active.filter((host) => isHeard(host, world));
	if (heard.length === 0) return onWay({ reason: "hostsSilent", facts: { detail: names(active) } });
	const up = heard.filter(({ health }) => (health ?? "up") === "up");
	if (up.length === 0) return onWay({ reason: "asteriskDown", facts: { detail: names(heard) } });
	const may = up.filter((host) => mayUse(trunk, host));
	if (may.length === 0)
		return onWay({ reason: "noHostForTrunk", facts: { trunk: trunkId, detail: hostsWanted(trunk) } });
	const answered = may.filter(({ deadTrunks }) => !deadTrunks?.includes(trunkId));
	if (answered.length === 0) return { reason: "trunkDown", facts: { trunk: trunkId, detail: names(may) } };
	const known = answered.filter((host) => mayDial(trunk, host));
	if (known.length === 0) return { reason: "noAddress", facts: { trunk: trunkId } };
	const carries = known.filter((host) => mayCarry(campaign, host));
	if (carries.length === 0) return onWay({ reason: "spotOnly", facts: {} });
	const block = blockedByList(lists, campaign, now);
	if (block) return { reason: "listBlocked", facts: { detail: block.list, stale: block.reason === "stale" } };
	const able = carries.filter(({ hostId }) => hostHas(campaign, inventories.get(hostId)));
	if (able.length > 0) return able;
	return "play" in campaign.then
		? { reason: "noSound", facts: { detail: campaign.then.play } }
		: { reason: "noContext", facts: { detail: "context" in campaign.then ? campaign.then.context : "" } };
};

/** Channels of a host that nothing uses. */
const roomOf = (host: HostItem, trunk: TrunkItem): number =>
	Math.max(0, host.cap - Math.max(sum(host.held), host.live, sum(trunk.a[host.hostId]?.n ?? {})));

/** Channels of a trunk by who has them. */
export const channelsOn = (
	{ a, z, cap, free }: TrunkItem,
	campaignId: string,
): { cap: number; free: number; own: number; others: number; aside: number } => {
	const own = Object.values(a).reduce((n, share) => n + (share.n[campaignId] ?? 0), 0);
	const aside = Object.values(z).reduce((n, entry) => n + sum(entry.n), 0);
	const all = Object.values(a).reduce((n, share) => n + sum(share.n), 0);
	return { cap, free: Math.max(0, free), own, others: all - own, aside };
};

/** What the campaign is entitled to of the trunk's channels beside others that are dialed. */
const shareOf = (trunk: TrunkItem, { campaign, others }: TrunkWorld): number =>
	fairShare(
		trunk.cap,
		{ most: Math.min(campaign.maxChannels ?? trunk.cap, trunk.cap), priority: campaign.priority ?? DEFAULT_PRIORITY },
		Object.entries(trunk.c).flatMap(([campaignId, { cap }]) => {
			const other = others.get(campaignId);
			if (campaignId === campaign.campaignId || (other && other.state !== "running")) return [];
			return [{ most: Math.min(cap, trunk.cap), priority: other?.priority ?? DEFAULT_PRIORITY }];
		}),
	);

const limitsOf = (
	trunk: TrunkItem,
	entry: TrunkItem["c"][string],
	able: readonly HostItem[],
	world: TrunkWorld,
): Limit[] => {
	const { now, campaign } = world;
	const { trunkId } = trunk;
	const many = trunksOf(campaign).length > 1;
	const ofTrunk = many ? { trunk: trunkId } : {};
	const onWay = comingFor(trunk, world);
	const hosts: Cause = onWay ?? {
		reason: "hostsFull",
		facts: {
			hosts: able.length,
			cap: able.reduce((n, { cap }) => n + cap, 0),
			...(world.fleet ? { fleet: world.fleet } : {}),
		},
	};
	const limits: Limit[] = [{ ...hosts, room: able.reduce((n, host) => n + roomOf(host, trunk), 0) }];
	if (campaign.maxChannels !== undefined) {
		limits.push({ reason: "campaignChannels", facts: { cap: entry.cap, ...ofTrunk }, room: Math.max(0, entry.free) });
	}
	const ownCps = pacedCps(campaign, trunkId);
	if (ownCps !== undefined) {
		const room = ownCps > 0 ? slotsAvailable(Number.MAX_SAFE_INTEGER, entry.next ?? 0, now, ownCps) : 0;
		limits.push({ reason: "campaignRate", facts: { cps: ownCps, ...ofTrunk }, room });
	}
	const { maxCps } = trunk.trunk;
	const cpsNow = cpsAt(trunk, now);
	const rate = { trunk: trunkId, cps: maxCps, cpsNow };
	// What waits with the hosts for slots is as much as a few seconds of the rate: no more is granted.
	const ahead = able.reduce(
		(n, host) => n + Math.max(0, mostCalls(cpsNow) - Math.max(0, sum(host.held) - host.live)),
		0,
	);
	const slots = Math.min(ahead, slotsAvailable(Number.MAX_SAFE_INTEGER, trunk.nextDialAt, now, cpsNow));
	limits.push(
		paceAt(trunk, now) < 1
			? { reason: "trunkSlowed", facts: { ...rate, until: fullPaceAt(trunk) }, room: slots }
			: { reason: "trunkRate", facts: rate, room: slots },
	);
	const { cap, own, others, aside } = channelsOn(trunk, campaign.campaignId);
	const free = campaign.maxChannels === undefined ? Math.min(trunk.free, entry.free) : trunk.free;
	const channels = { trunk: trunkId, cap, own, others, aside, share: shareOf(trunk, world) };
	limits.push({ reason: "trunkChannels", facts: channels, room: Math.max(0, free) });
	// Sorting keeps the order of equal ones.
	return limits.sort((a, b) => a.room - b.room);
};

/** One of the campaign's trunks. @param trunk undefined: it is gone */
export const lookAtTrunk = (trunkId: string, trunk: TrunkItem | undefined, world: TrunkWorld): TrunkLook => {
	const { campaign, now } = world;
	const entry = trunk?.c[campaign.campaignId];
	const ofCampaign =
		pacedCps(campaign, trunkId) === 0 ? 0 : (trunksOf(campaign).find(({ id }) => id === trunkId)?.weight ?? 0);
	const weight = ofCampaign * (trunk ? paceAt(trunk, now) : 1);
	const look = { trunkId, weight, trunk, limits: [], able: [] };
	if (!trunk || !entry) return { ...look, blocked: { reason: "noTrunk", facts: { trunk: trunkId } } };
	const able = ableHosts(trunk, world);
	if ("reason" in able) return { ...look, blocked: able };
	return { ...look, able, limits: limitsOf(trunk, entry, able, world) };
};

/** The least limit, with the others that are used up as well. */
export const binding = ({ limits: [least, ...others] }: TrunkLook): Limit | undefined => {
	if (!least) return undefined;
	const also = others.filter(({ room }) => room === 0).map(({ reason }) => reason);
	return least.room > 0 || also.length === 0 ? least : { ...least, facts: { ...least.facts, also } };
};

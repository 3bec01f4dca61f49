import type { Settings } from "../config/settings.ts";
import type { CampaignItem, HostItem, TrunkItem } from "../store/items.ts";
import { sum } from "./shares.ts";
import { slotSpacingMs, slotsAreScarce } from "./slots.ts";
import { mayCarry, mayDial } from "./world.ts";

/**
 * Steady first: a burst host leaves to steady hosts, and to burst hosts that are fuller than it, what they have room for, so that the base load costs nothing
 * and the emptiest burst hosts empty. Contacts and channels are left, never for longer than it takes a host that is well to come for them: nothing
 * waits for one that does not come. Pure; which hosts there are is read by hosts-cache.ts.
 */

/** A host with calls syncs at least once in `maxSyncIntervalMs`: after so many of them without a sync nobody counts on it. */
const MISSED_SYNCS = 3;
/** An idle host asks for work at every peek: a contact that is due is left to it for so many, and for the sync that follows. */
const PEEKS_TO_COME = 2;
/** For a sync there and back, and for the age of the list of hosts. */
const SLACK_MS = 1_000;
/** Who was waited for in vain is not waited for again for so long. */
const NO_WAIT_MS = 60_000;
/** More contacts than this are not left: with so many due there is work for all, and each sync would have to look at them. */
const MOST_LEFT = 300;

type Times = Pick<Settings, "maxSyncIntervalMs" | "peekIntervalMs" | "peekWriteSec">;

/** How long work is left to hosts that come before: constant, so that nothing waits for a host that does not come. */
export const patienceMs = (times: Times): number => PEEKS_TO_COME * times.peekIntervalMs + SLACK_MS;

/** Whether the host syncs, or peeks, as one that is well does. */
const isThere = (host: HostItem, now: number, times: Times): boolean => {
	const busy = host.live > 0 || sum(host.held) > 0;
	const longestMs = busy
		? MISSED_SYNCS * times.maxSyncIntervalMs
		: times.peekWriteSec * 1_000 + PEEKS_TO_COME * times.peekIntervalMs;
	return host.state === "active" && (host.health ?? "up") === "up" && now - host.lastSeenAt <= longestMs + SLACK_MS;
};

/** A host that comes first: how many more calls it could take at once, and how many that it has wait for a slot, a channel being free. */
export interface Preferred {
	host: HostItem;
	room: number;
	waiting: number;
}

/** Channels of all trunks that the host holds. */
const loadOf = (hostId: string, trunks: Iterable<TrunkItem>): number => {
	let load = 0;
	for (const trunk of trunks) load += sum(trunk.a[hostId]?.n ?? {});
	return load;
};

/**
 * The hosts that come before `self`: steady ones, and burst hosts with more channels, or with as many and the lesser id. A strict order: no two hosts
 * wait for each other.
 */
export const preferredTo = (
	self: HostItem,
	hosts: Iterable<HostItem>,
	trunks: ReadonlyMap<string, TrunkItem>,
	now: number,
	times: Times,
): Preferred[] => {
	if (self.tier !== "burst") return [];
	const own = loadOf(self.hostId, trunks.values());
	const preferred: Preferred[] = [];
	for (const host of hosts) {
		if (host.hostId === self.hostId || !isThere(host, now, times)) continue;
		const load = loadOf(host.hostId, trunks.values());
		const before = host.tier === "steady" || load > own || (load === own && host.hostId < self.hostId);
		// Calls held beyond its shares, and other people's on a host that is also a PBX, take channels too.
		const room = Math.max(0, host.cap - Math.max(load, sum(host.held), host.live));
		const free = Math.max(0, host.cap - host.live);
		const waiting = Math.min(free, Math.max(0, sum(host.held) - host.live));
		if (before && room + waiting > 0) preferred.push({ host, room, waiting });
	}
	return preferred;
};

/** A contact that is due, as the index says. */
export interface Due {
	shardKey: string;
	contactKey: string;
	dueAt: number;
}

/** What a sync, or a peek, of a burst host leaves to others. Contacts that are left take up room: of the next campaign less is left. */
export class Precedence {
	readonly #rooms: Map<string, number>;
	readonly #preferred: Preferred[];
	readonly #patienceMs: number;
	readonly #now: number;

	constructor(preferred: Preferred[], now: number, times: Times) {
		this.#preferred = preferred;
		this.#rooms = new Map(preferred.map(({ host, room }) => [host.hostId, room]));
		this.#now = now;
		this.#patienceMs = patienceMs(times);
	}

	#able(trunk: TrunkItem, campaign?: CampaignItem): Preferred[] {
		return this.#preferred.filter(
			({ host }) => mayDial(trunk, host) && (campaign === undefined || mayCarry(campaign, host)),
		);
	}

	/** How many calls the hosts before could take on the trunk, or of the campaign: so many due contacts must be seen beyond one's own. */
	room(trunk: TrunkItem, campaign?: CampaignItem): number {
		return Math.min(
			MOST_LEFT,
			this.#able(trunk, campaign).reduce((n, { room }) => n + room, 0),
		);
	}

	/**
	 * Whether the trunk's rate binds, not channels: an empty host could use all its slots for as long as it is waited for. On a faster trunk it is
	 * full sooner than that, and who waits for it would only dial later.
	 */
	#isSlow(trunk: TrunkItem, campaign?: CampaignItem): boolean {
		const most = Math.max(0, ...this.#able(trunk, campaign).map(({ host }) => host.cap));
		return most * slotSpacingMs(trunk.trunk.maxCps) > this.#patienceMs;
	}

	/**
	 * Of the due contacts of a campaign those that are not left to others, the ones to take first ahead. The oldest are left: hosts take the oldest first, so
	 * each has a part of its own. Those due for too long are nobody's alone any more. On a slow trunk, all of whose slots the hosts before need for as long as
	 * they are waited for, there is nothing beyond.
	 */
	beyond(trunk: TrunkItem, campaign: CampaignItem, due: readonly Due[]): { taken: Due[]; late: number } {
		const sorted = [...due].sort((a, b) => a.dueAt - b.dueAt);
		const able = this.#able(trunk, campaign);
		let left = 0;
		for (const { host } of able) {
			const room = this.#rooms.get(host.hostId) ?? 0;
			const used = Math.min(room, sorted.length - left, MOST_LEFT - left);
			this.#rooms.set(host.hostId, room - used);
			left += used;
		}
		const isLate = ({ dueAt }: Due): boolean => this.#now - dueAt > this.#patienceMs;
		const late = sorted.slice(0, left).filter(isLate);
		const rest = sorted.slice(left);
		const beyond = left > 0 && this.#isSlow(trunk, campaign) ? rest.filter(isLate) : rest;
		return { taken: [...beyond, ...late], late: late.length };
	}

	/** Channels to leave free of those that are free: for what is due, as far as the hosts before have room. */
	channels(trunk: TrunkItem, due: number, campaign?: CampaignItem): number {
		return Math.min(due, this.room(trunk, campaign));
	}

	/** Whether a slow trunk's slots of the near future are taken while hosts before could use more: more for this one would be fewer for them. */
	slotsScarce(trunk: TrunkItem): boolean {
		const use = this.#able(trunk).reduce((n, { room, waiting }) => n + room + waiting, 0);
		return use > 0 && slotsAreScarce(trunk, this.#now) && this.#isSlow(trunk);
	}
}

/** Whether the host waited in vain not long ago: then it leaves nothing. */
export const waitsNoMore = (host: Pick<HostItem, "leavesSince">, now: number, times: Times): boolean => {
	const waited = host.leavesSince === undefined ? -1 : now - host.leavesSince;
	return waited >= patienceMs(times) && waited < patienceMs(times) + NO_WAIT_MS;
};

/**
 * What the host's item remembers of waiting.
 * @param unused whether this sync left channels that were free before it came, so that others had their chance
 */
export const nextLeavesSince = (
	host: Pick<HostItem, "leavesSince">,
	unused: boolean,
	now: number,
	times: Times,
): number | undefined => {
	if (waitsNoMore(host, now, times)) return host.leavesSince;
	const isPast = host.leavesSince !== undefined && now - host.leavesSince >= patienceMs(times);
	if (!unused) return undefined;
	return isPast ? now : (host.leavesSince ?? now);
};

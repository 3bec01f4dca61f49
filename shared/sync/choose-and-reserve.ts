import { MAX_CALLS_PER_SYNC, MAX_SLOTS_PER_SYNC } from "../contract/host.ts";
import { isDraining } from "../fleet/life.ts";
import type { HostItem, TrunkItem } from "../store/items.ts";
import { type Choice, campaignsFor, chooseCandidates } from "./choose.ts";
import { hostsOfLate } from "./hosts-cache.ts";
import { nextLeavesSince, Precedence, preferredTo, waitsNoMore } from "./precedence.ts";
import { reserve } from "./reserve.ts";
import type { Run } from "./run.ts";
import { type ByCampaign, type Leave, sum } from "./shares.ts";
import { mostCalls } from "./slots.ts";
import { mayDial, type World } from "./world.ts";

export interface Chosen {
	/** Candidates, cut to the reservations. */
	choices: Choice[];
	/** The trunks as they stand. */
	reserved: TrunkItem[];
	leavesSince: number | undefined;
}

const onTrunk = (world: World, trunkId: string, calls: ByCampaign): ByCampaign =>
	Object.fromEntries(Object.entries(calls).filter(([c]) => world.campaigns.get(c)?.trunk === trunkId));

/**
 * What is left to hosts that come first; undefined where none does. Read only for a burst host that could be granted calls: half a read unit for every
 * 4 KB of hosts, once a second and process.
 */
export const precedenceFor = async (
	{ deps, world }: Pick<Run, "deps" | "world">,
	host: HostItem,
): Promise<Precedence | undefined> => {
	const now = deps.now();
	if (host.tier !== "burst" || waitsNoMore(host, now, deps.settings)) return undefined;
	const preferred = preferredTo(host, await hostsOfLate(deps, host.tenant), world.trunks, now, deps.settings);
	return preferred.length === 0 ? undefined : new Precedence(preferred, now, deps.settings);
};

/** Chooses candidates and reserves share and slots, trunk by trunk. */
export const chooseAndReserve = async (run: Run, base: ByCampaign): Promise<Chosen> => {
	const { deps, request, host: hostRead, world } = run;
	const host: HostItem = { ...hostRead, ...(run.deadTrunks ? { deadTrunks: run.deadTrunks } : {}) };
	const draining = isDraining(host.state);
	const prefetch = Math.min(request.prefetch, host.cap);
	// The control plane's figure of the capacity rules: what would not fit is not granted.
	const room = Math.max(0, host.cap + prefetch - sum(base));
	let want = draining ? 0 : Math.min(request.want, room, MAX_CALLS_PER_SYNC);
	const byTrunk = want > 0 ? await campaignsFor(deps, host, world) : new Map<string, string[]>();
	const precedence = byTrunk.size > 0 ? await precedenceFor(run, host) : undefined;
	const choices: Choice[] = [];
	const reserved: TrunkItem[] = [];
	let leftUnused = false;
	const shares = new Map(
		[...world.trunks.values()].map((trunk) => [trunk.trunkId, sum(trunk.a[host.hostId]?.n ?? {})]),
	);
	for (const trunk of world.trunks.values()) {
		const trunkBase = onTrunk(world, trunk.trunkId, base);
		const mine = trunk.a[host.hostId]?.n ?? {};
		// What is held without a channel is at least what the host holds beyond all that is up there.
		const waiting = Math.max(0, sum(trunkBase) - request.live);
		const scarce = precedence?.slotsScarce(trunk) ?? false;
		const most = scarce ? 0 : Math.min(want, Math.max(0, mostCalls(trunk.trunk.maxCps) - waiting));
		const due: ByCampaign = {};
		const found = await chooseCandidates(
			deps,
			world,
			byTrunk.get(trunk.trunkId) ?? [],
			(c) => {
				const channels = Math.max(0, (trunk.c[c]?.free ?? 0) + (mine[c] ?? 0) - (trunkBase[c] ?? 0));
				return Math.min(most, channels + prefetch);
			},
			precedence && {
				room: (campaign) => precedence.room(trunk, campaign),
				beyond: (campaign, keys) => {
					due[campaign.campaignId] = keys.length;
					return precedence.beyond(trunk, campaign, keys).taken;
				},
			},
		);
		const leave = precedence && leaveOn(precedence, trunk, world, due);
		const others = [...shares].reduce((n, [id, share]) => (id === trunk.trunkId ? n : n + share), 0);
		const slots =
			draining || !mayDial(trunk, host) ? 0 : Math.min(request.slots[trunk.trunkId] ?? 0, MAX_SLOTS_PER_SYNC);
		const {
			trunk: after,
			calls,
			unused,
		} = await reserve(
			deps,
			{
				host,
				epoch: request.epoch,
				seq: request.seq,
				base: trunkBase,
				candidates: Object.fromEntries([...found].map(([c, list]) => [c, list.length])),
				hostRoom: host.cap - others,
				want: most,
				prefetch: Math.max(0, prefetch - (leave?.trunk ?? 0)),
				...(leave ? { leave } : {}),
				...(request.waiting === undefined ? {} : { waiting: request.waiting }),
				slotLeadMs: request.slotLeadMs,
				slots: scarce ? Math.min(slots, waiting) : slots,
			},
			trunk,
		);
		reserved.push(after);
		leftUnused ||= unused;
		shares.set(trunk.trunkId, sum(after.a[host.hostId]?.n ?? {}));
		for (const [c, count] of Object.entries(calls)) choices.push(...(found.get(c) ?? []).slice(0, count));
		want -= sum(calls);
	}
	return { choices, reserved, leavesSince: nextLeavesSince(host, leftUnused, deps.now(), deps.settings) };
};

/** Channels to leave free for what was seen to be due. */
const leaveOn = (precedence: Precedence, trunk: TrunkItem, world: World, due: ByCampaign): Leave => ({
	trunk: precedence.channels(trunk, sum(due)),
	campaigns: Object.fromEntries(
		Object.entries(due).map(([c, count]) => [c, precedence.channels(trunk, count, world.campaigns.get(c))]),
	),
});

import { DEFAULT_PRIORITY } from "../contract/campaign.ts";
import { MAX_CALLS_PER_SYNC, MAX_SLOTS_PER_SYNC } from "../contract/host.ts";
import { laneOf, slotKeyOf } from "../contract/ids.ts";
import { isDraining } from "../fleet/life.ts";
import type { CampaignItem, HostItem, TrunkItem } from "../store/items.ts";
import { pacedCps } from "./campaign-rate.ts";
import type { PacedAsk } from "./campaign-slots.ts";
import { type Allowed, type Choice, campaignsFor, chooseCandidates } from "./choose.ts";
import { hostsOfLate } from "./hosts-cache.ts";
import { divide, type Lane, onTrunk, trunkIndexOf, trunksOf } from "./lanes.ts";
import { nextLeavesSince, Precedence, preferredTo, waitsNoMore } from "./precedence.ts";
import { reserve } from "./reserve.ts";
import type { Run } from "./run.ts";
import { type ByCampaign, type Leave, sum } from "./shares.ts";
import { mostCalls } from "./slots.ts";
import { cpsAt, paceAt, withTrunksOff } from "./trunk-pace.ts";
import { type Uncalled, Vetting } from "./vetting.ts";
import { mayDial, type World } from "./world.ts";

export interface Chosen {
	/** Candidates, cut to the reservations. */
	choices: Choice[];
	/** The trunks as they stand. */
	reserved: TrunkItem[];
	/** Contacts that are to end without being called. */
	uncalled: Uncalled[];
	leavesSince: number | undefined;
}

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

/** Seconds of a campaign's own rate that a host holds calls for. */
const PACED_AHEAD_SEC = 3;

/** What one sync may take of a trunk, before anything is reserved. */
class Rooms {
	readonly #run: Run;
	readonly #host: HostItem;
	readonly #base: ByCampaign;
	readonly #now: number;
	readonly want: number;
	readonly prefetch: number;

	constructor(run: Run, host: HostItem, base: ByCampaign) {
		const { request } = run;
		this.#run = run;
		this.#host = host;
		this.#base = base;
		this.#now = run.deps.now();
		this.prefetch = Math.min(request.prefetch, host.cap);
		// The control plane's figure of the capacity rules: what would not fit is not granted.
		const room = Math.max(0, host.cap + this.prefetch - sum(base));
		this.want = isDraining(host.state) ? 0 : Math.min(request.want, room, MAX_CALLS_PER_SYNC);
	}

	/** Calls that the host holds on the trunk, by campaign. */
	held(trunk: TrunkItem): ByCampaign {
		return onTrunk(this.#run.world.campaigns, trunk.trunkId, this.#base);
	}
	/** Calls held without a channel: at least what the host holds beyond all that is up there. */
	waiting(trunk: TrunkItem): number {
		return Math.max(0, sum(this.held(trunk)) - this.#run.request.live);
	}
	/** Most calls to grant on the trunk: no more than its rate lets the host dial soon. */
	onTrunk(trunk: TrunkItem): number {
		return Math.max(0, mostCalls(cpsAt(trunk, this.#now)) - this.waiting(trunk));
	}
	/** Most calls of one campaign on the trunk, as {@link decideShare} would grant them: whatever is looked at beyond is read in vain. */
	ofCampaign(trunk: TrunkItem, campaignId: string): number {
		const mine = trunk.a[this.#host.hostId]?.n ?? {};
		const base = this.held(trunk);
		const held = base[campaignId] ?? 0;
		// What others of its calls have a channel for, they keep.
		const kept = Object.keys(base).reduce(
			(n, c) => (c === campaignId ? n : n + Math.min(base[c] ?? 0, mine[c] ?? 0)),
			0,
		);
		const channels = Math.min(
			(trunk.c[campaignId]?.free ?? 0) + (mine[campaignId] ?? 0),
			trunk.free + sum(mine) - kept,
		);
		const campaign = this.#run.world.campaigns.get(campaignId);
		const cps = campaign && pacedCps(campaign, trunk.trunkId);
		// Calls that are up need no slot any more.
		const waiting = Math.min(held, this.#run.request.waiting ?? this.waiting(trunk));
		const paced =
			cps === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Math.ceil(cps * PACED_AHEAD_SEC) - waiting);
		return Math.max(0, Math.min(channels + this.prefetch - held, paced));
	}
}

/** Campaigns with several trunks: their contacts are read once and divided over those that the host can dial through. */
const divideCampaigns = async (
	run: Run,
	rooms: Rooms,
	byTrunk: Map<string, string[]>,
	allowed: Allowed,
	precedence: Precedence | undefined,
): Promise<Map<string, Map<string, Choice[]>>> => {
	const { deps, world } = run;
	const now = deps.now();
	const lanes = new Map<string, Lane[]>();
	for (const [trunkId, campaignIds] of byTrunk) {
		const trunk = world.trunks.get(trunkId);
		for (const campaignId of campaignIds) {
			const campaign = world.campaigns.get(campaignId);
			if (!trunk || !campaign || trunksOf(campaign).length < 2) continue;
			const trunkIndex = trunkIndexOf(campaign, trunkId);
			const weight = (trunksOf(campaign)[trunkIndex]?.weight ?? 0) * paceAt(trunk, now);
			const free = trunk.free + sum(trunk.a[run.host.hostId]?.n ?? {}) - sum(rooms.held(trunk)) + rooms.prefetch;
			const room = Math.max(0, Math.min(rooms.onTrunk(trunk), rooms.ofCampaign(trunk, campaignId), free));
			lanes.set(campaignId, [...(lanes.get(campaignId) ?? []), { trunkIndex, trunk, weight, room }]);
		}
	}
	const divided = new Map<string, Map<string, Choice[]>>();
	const found = await chooseCandidates(
		deps,
		world,
		[...lanes.keys()],
		(c) =>
			Math.min(
				rooms.want,
				(lanes.get(c) ?? []).reduce((n, { room }) => n + room, 0),
			),
		allowed,
		precedence && {
			room: (campaign) => precedence.room(lanes.get(campaign.campaignId)?.[0]?.trunk as TrunkItem, campaign),
			beyond: (campaign, keys) =>
				precedence.beyond(lanes.get(campaign.campaignId)?.[0]?.trunk as TrunkItem, campaign, keys).taken,
		},
	);
	for (const [campaignId, choices] of found) {
		const contacts = choices.map(({ contact }) => contact);
		for (const [trunkIndex, own] of divide(contacts, lanes.get(campaignId) ?? [])) {
			const trunkId = trunksOf(world.campaigns.get(campaignId) as CampaignItem)[trunkIndex]?.id ?? "";
			const ofTrunk = divided.get(trunkId) ?? new Map<string, Choice[]>();
			ofTrunk.set(
				campaignId,
				own.map((contact) => ({ campaignId, contact, trunkIndex })),
			);
			divided.set(trunkId, ofTrunk);
		}
	}
	return divided;
};

const hasOneTrunk = (campaign: CampaignItem | undefined): boolean =>
	campaign !== undefined && trunksOf(campaign).length === 1;

/** Chooses candidates and reserves share and slots, trunk by trunk. @param slow trunks that refuse calls: their pace is lowered */
export const chooseAndReserve = async (run: Run, base: ByCampaign, slow: readonly string[] = []): Promise<Chosen> => {
	const { deps, request, host: hostRead, world } = run;
	const host = withTrunksOff({ ...hostRead, ...(run.deadTrunks ? { deadTrunks: run.deadTrunks } : {}) }, deps.now());
	const rooms = new Rooms(run, host, base);
	const { prefetch } = rooms;
	let { want } = rooms;
	const byTrunk = want > 0 ? await campaignsFor(deps, host, world) : new Map<string, string[]>();
	const precedence = byTrunk.size > 0 ? await precedenceFor(run, host) : undefined;
	const vetting = new Vetting(run);
	const allowed: Allowed = (campaign, due) => vetting.allowed(campaign, due);
	const divided = await divideCampaigns(run, rooms, byTrunk, allowed, precedence);
	const choices: Choice[] = [];
	const reserved: TrunkItem[] = [];
	let leftUnused = false;
	const shares = new Map(
		[...world.trunks.values()].map((trunk) => [trunk.trunkId, sum(trunk.a[host.hostId]?.n ?? {})]),
	);
	for (const trunk of furthestBehind(world, byTrunk)) {
		const trunkBase = rooms.held(trunk);
		const scarce = precedence?.slotsScarce(trunk) ?? false;
		const most = scarce ? 0 : Math.min(want, rooms.onTrunk(trunk));
		const due: ByCampaign = {};
		const found = await chooseCandidates(
			deps,
			world,
			(byTrunk.get(trunk.trunkId) ?? []).filter((c) => hasOneTrunk(world.campaigns.get(c))),
			(c) => Math.min(most, rooms.ofCampaign(trunk, c)),
			allowed,
			precedence && {
				room: (campaign) => precedence.room(trunk, campaign),
				beyond: (campaign, keys) => {
					due[campaign.campaignId] = keys.length;
					return precedence.beyond(trunk, campaign, keys).taken;
				},
			},
		);
		for (const [c, list] of divided.get(trunk.trunkId) ?? []) if (list.length > 0) found.set(c, list);
		const leave = precedence && leaveOn(precedence, trunk, world, due);
		const others = [...shares].reduce((n, [id, share]) => (id === trunk.trunkId ? n : n + share), 0);
		const mayDialNow = !isDraining(host.state) && mayDial(trunk, host);
		const slots = mayDialNow ? Math.min(request.slots[trunk.trunkId] ?? 0, MAX_SLOTS_PER_SYNC) : 0;
		const candidates = Object.fromEntries([...found].map(([c, list]) => [c, list.length]));
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
				candidates,
				weights: weightsOn(trunk, world),
				hostRoom: host.cap - others,
				want: most,
				prefetch: Math.max(0, prefetch - (leave?.trunk ?? 0)),
				...(leave ? { leave } : {}),
				...(request.waiting === undefined ? {} : { waiting: request.waiting }),
				slotLeadMs: request.slotLeadMs,
				slots: scarce ? Math.min(slots, rooms.waiting(trunk)) : slots,
				paced: mayDialNow ? pacedAsks(run, trunk, [...new Set([...found.keys(), ...Object.keys(trunkBase)])]) : [],
				pacedAlone: Object.keys(trunk.c).every((c) => !isDialed(world.campaigns.get(c)) || isPaced(world, c)),
				slow: slow.includes(trunk.trunkId),
			},
			trunk,
		);
		reserved.push(after);
		leftUnused ||= unused;
		shares.set(trunk.trunkId, sum(after.a[host.hostId]?.n ?? {}));
		for (const [c, count] of Object.entries(calls)) choices.push(...(found.get(c) ?? []).slice(0, count));
		want -= sum(calls);
	}
	const { uncalled } = vetting;
	return { choices, reserved, uncalled, leavesSince: nextLeavesSince(host, leftUnused, deps.now(), deps.settings) };
};

/** Trunks in the order in which a host that is nearly full serves them: first the one with the campaign that has the fewest channels for its priority. */
const furthestBehind = (world: World, byTrunk: ReadonlyMap<string, string[]>): TrunkItem[] => {
	const ahead = (trunk: TrunkItem): number =>
		Math.min(
			...(byTrunk.get(trunk.trunkId) ?? []).map((c) => {
				const entry = trunk.c[c];
				return entry
					? (entry.cap - entry.free) / (world.campaigns.get(c)?.priority ?? DEFAULT_PRIORITY)
					: Number.POSITIVE_INFINITY;
			}),
		);
	return [...world.trunks.values()]
		.map((trunk) => ({ trunk, ahead: ahead(trunk) }))
		.sort((a, b) => (a.ahead < b.ahead ? -1 : a.ahead > b.ahead ? 1 : 0))
		.map(({ trunk }) => trunk);
};

const isDialed = (campaign: CampaignItem | undefined): boolean => campaign?.state === "running";
const isPaced = (world: World, campaignId: string): boolean => world.campaigns.get(campaignId)?.maxCps !== undefined;

const weightsOn = (trunk: TrunkItem, world: World): ByCampaign =>
	Object.fromEntries(Object.keys(trunk.c).map((c) => [c, world.campaigns.get(c)?.priority ?? DEFAULT_PRIORITY]));

/** Slots that campaigns with rates of their own are to have: what the host asks for, and for new ones what it is about to be granted. */
const pacedAsks = ({ request, world }: Run, trunk: TrunkItem, campaignIds: readonly string[]): PacedAsk[] =>
	campaignIds.flatMap((campaignId) => {
		const campaign = world.campaigns.get(campaignId);
		const cps = campaign && pacedCps(campaign, trunk.trunkId);
		if (!campaign || cps === undefined) return [];
		const lane = laneOf({ campaignId, trunkIndex: trunkIndexOf(campaign, trunk.trunkId) });
		const asked = request.slots[slotKeyOf(lane)];
		const priority = campaign.priority ?? DEFAULT_PRIORITY;
		return [
			{ campaignId, cps, priority, slots: asked === undefined ? undefined : Math.min(asked, MAX_SLOTS_PER_SYNC) },
		];
	});

/** Channels to leave free for what was seen to be due. */
const leaveOn = (precedence: Precedence, trunk: TrunkItem, world: World, due: ByCampaign): Leave => ({
	trunk: precedence.channels(trunk, sum(due)),
	campaigns: Object.fromEntries(
		Object.entries(due).map(([c, count]) => [c, precedence.channels(trunk, count, world.campaigns.get(c))]),
	),
});

import type { PeekQuery, PeekResponse } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { isDraining, isUp } from "../fleet/life.ts";
import { getItem, queryAll, update } from "../store/db.ts";
import { type CampaignItem, type HostItem, shardKey, type TrunkItem } from "../store/items.ts";
import { campaignsFor, dueKeys } from "./choose.ts";
import { precedenceFor } from "./choose-and-reserve.ts";
import { noSuchHost, staleEpoch } from "./errors.ts";
import type { Precedence } from "./precedence.ts";
import { sum } from "./shares.ts";
import { withTrunksOff } from "./trunk-pace.ts";
import { type HostRef, readWorld, type World } from "./world.ts";

const hasDueContact = async (deps: Deps, campaign: CampaignItem): Promise<boolean> => {
	for (let shard = 0; shard < campaign.shards; shard++) {
		const due = await queryAll(
			deps.db,
			{
				TableName: deps.tables.contacts,
				IndexName: "due",
				KeyConditionExpression: "shardKey = :shard AND dueAt <= :now",
				ExpressionAttributeValues: {
					":shard": shardKey(campaign.tenant, campaign.campaignId, shard),
					":now": deps.now(),
				},
				Limit: 1,
			},
			1,
		);
		if (due.length > 0) return true;
	}
	return false;
};

/**
 * Whether contacts are due that are not left to others, and a channel for them. Contacts that nobody came for make work in any case: the sync that finds its
 * channels left to others in vain remembers it, and a later one takes them.
 */
const hasWorkBeyond = async (
	deps: Deps,
	precedence: Precedence,
	trunk: TrunkItem,
	campaign: CampaignItem,
	free: number,
): Promise<boolean> => {
	if (precedence.slotsScarce(trunk)) return false;
	const due = await dueKeys(deps, campaign, precedence.room(trunk, campaign) + 1);
	const { taken, late } = precedence.beyond(trunk, campaign, due);
	return late > 0 || (taken.length > 0 && free > precedence.channels(trunk, due.length));
};

/** Whether a sync would bring the host calls: of each campaign that has a free channel the contacts that are due are looked at. */
const hasWork = async (deps: Deps, host: HostItem, world: World): Promise<boolean> => {
	const byTrunk = await campaignsFor(deps, host, world);
	const precedence = byTrunk.size > 0 ? await precedenceFor({ deps, world }, host) : undefined;
	for (const [trunkId, campaignIds] of byTrunk) {
		const trunk = world.trunks.get(trunkId);
		const mine = trunk?.a[host.hostId]?.n ?? {};
		if (!trunk || trunk.free + sum(mine) <= 0) continue;
		for (const campaignId of campaignIds) {
			const campaign = world.campaigns.get(campaignId);
			const free = (trunk.c[campaignId]?.free ?? 0) + (mine[campaignId] ?? 0);
			if (!campaign || free <= 0) continue;
			const work = precedence
				? await hasWorkBeyond(deps, precedence, trunk, campaign, Math.min(free, trunk.free + sum(mine)))
				: await hasDueContact(deps, campaign);
			if (work) return true;
		}
	}
	return false;
};

/**
 * Says to an idle host whether a sync would probably bring calls. Takes no seq; writes `lastSeenAt` at most every
 * `peekWriteSec`.
 * @throws ApiError 404 unknown host; 409 staleEpoch
 */
export const peek = async (deps: Deps, ref: HostRef, query: PeekQuery = {}): Promise<PeekResponse> => {
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	if (!isUp(host.state)) throw staleEpoch(host);
	if (query.epoch !== undefined && query.epoch !== host.epoch) throw staleEpoch(host);
	const now = deps.now();
	if (now - host.lastSeenAt > deps.settings.peekWriteSec * 1_000) {
		const seen = await update(deps.db, {
			TableName: deps.tables.hosts,
			Key: { tenant: ref.tenant, hostId: ref.hostId },
			ConditionExpression: "#epoch = :epoch AND #state = :state AND #seen < :now",
			UpdateExpression: "SET #seen = :now",
			ExpressionAttributeNames: { "#epoch": "epoch", "#state": "state", "#seen": "lastSeenAt" },
			ExpressionAttributeValues: { ":epoch": host.epoch, ":state": host.state, ":now": now },
		});
		const standing = seen.item as HostItem | undefined;
		if (!seen.ok && standing && standing.epoch !== host.epoch) throw staleEpoch(standing);
	}
	const world = await readWorld(deps, host, []);
	// A share without calls (claims that all failed, say): one sync gives it back.
	const holds = sum(host.held) > 0;
	const idleShare = !holds && [...world.trunks.values()].some((trunk) => sum(trunk.a[host.hostId]?.n ?? {}) > 0);
	// A drain is ended by two syncs, and an idle host syncs only for work.
	const work =
		idleShare ||
		(isDraining(host.state) ? host.state === "draining" : await hasWork(deps, withTrunksOff(host, now), world));
	return {
		work,
		drain: isDraining(host.state),
		configVersion: world.configVersion,
		now: deps.now(),
		nextPeekMs: deps.settings.peekIntervalMs,
	};
};

import type { PeekQuery, PeekResponse } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { getItem, queryAll, update } from "../store/db.ts";
import { type CampaignItem, type HostItem, shardKey } from "../store/items.ts";
import { campaignsFor } from "./choose.ts";
import { noSuchHost, staleEpoch } from "./errors.ts";
import { sum } from "./shares.ts";
import { type HostRef, readWorld } from "./world.ts";

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
 * Says to an idle host whether a sync would probably bring calls. Takes no seq; writes `lastSeenAt` at most every
 * `peekWriteSec`.
 * @throws ApiError 404 unknown host; 409 staleEpoch
 */
export const peek = async (deps: Deps, ref: HostRef, query: PeekQuery = {}): Promise<PeekResponse> => {
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	if (host.state !== "active" && host.state !== "draining") throw staleEpoch(host);
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
	const drain = host.state === "draining";
	const world = await readWorld(deps, host, []);
	// A share without calls (claims that all failed, say): one sync gives it back.
	const holds = sum(host.held) > 0;
	let work = !holds && [...world.trunks.values()].some((trunk) => sum(trunk.a[host.hostId]?.n ?? {}) > 0);
	if (!drain) {
		const byTrunk = await campaignsFor(deps, host, world);
		for (const [trunkId, campaignIds] of byTrunk) {
			const trunk = world.trunks.get(trunkId);
			const mine = trunk?.a[host.hostId]?.n ?? {};
			if (!trunk || trunk.free + sum(mine) <= 0) continue;
			for (const campaignId of campaignIds) {
				const campaign = world.campaigns.get(campaignId);
				const free = (trunk.c[campaignId]?.free ?? 0) + (mine[campaignId] ?? 0);
				if (work || !campaign || free <= 0) continue;
				work = await hasDueContact(deps, campaign);
			}
		}
	}
	return {
		work,
		drain,
		configVersion: world.configVersion,
		now: deps.now(),
		nextPeekMs: deps.settings.peekIntervalMs,
	};
};

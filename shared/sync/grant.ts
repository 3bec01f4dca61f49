import type { Deps } from "../deps.ts";
import { getItem, put, update } from "../store/db.ts";
import {
	type CampaignItem,
	type Candidate,
	type ContactItem,
	type GrantItem,
	grantKey,
	hostKey,
	shardKey,
	shardOf,
} from "../store/items.ts";

/** Where the contact of a candidate is. */
export const contactKeyOfCandidate = (
	tenant: string,
	candidate: Candidate,
	campaign: Pick<CampaignItem, "shards">,
) => ({
	shardKey: shardKey(tenant, candidate.c, shardOf(candidate.k, campaign.shards)),
	contactKey: candidate.k,
});

export const readGrant = (
	deps: Deps,
	tenant: string,
	hostId: string,
	epoch: number,
	seq: number,
): Promise<GrantItem | undefined> =>
	getItem<GrantItem>(deps.db, deps.tables.grants, { host: hostKey(tenant, hostId), grant: grantKey(epoch, seq) });

/**
 * Writes what a sync sets out to claim, before it claims: it replays an answer and recovers a dead host. Written even
 * when it is empty: otherwise a twin could fill it after the answer was made.
 * @returns the record that stands: ours, a twin's, or the recovery's tombstone
 */
export const putGrant = async (
	deps: Deps,
	tenant: string,
	hostId: string,
	epoch: number,
	seq: number,
	record: Pick<GrantItem, "cands" | "tomb">,
): Promise<GrantItem> => {
	const key = { host: hostKey(tenant, hostId), grant: grantKey(epoch, seq) };
	const item: GrantItem = { ...key, ...record, ttl: Math.floor(deps.now() / 1_000 + deps.settings.grantTtlSec) };
	const result = await put<GrantItem>(
		deps.db,
		{
			TableName: deps.tables.grants,
			Item: item,
			ConditionExpression: "attribute_not_exists(#host)",
			ExpressionAttributeNames: { "#host": "host" },
		},
		key,
	);
	if (result.ok) return item;
	if (!result.item) throw new Error(`the grant ${key.grant} of ${key.host} stands in the way and cannot be read`);
	return result.item;
};

/**
 * Claims one candidate for the sync `me`: pending, and the version that was read.
 * @returns whether the contact is claimed by `me`, now or by an earlier try or a twin
 */
export const claim = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	ver: number,
	me: string,
): Promise<boolean> => {
	const result = await update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: key,
		ConditionExpression: "#state = :pending AND #ver = :ver",
		UpdateExpression: "SET #state = :claimed, #lease = :me, #ver = #ver + :one REMOVE #dueAt, #wait",
		ExpressionAttributeNames: {
			"#state": "state",
			"#lease": "lease",
			"#ver": "ver",
			"#dueAt": "dueAt",
			"#wait": "wait",
		},
		ExpressionAttributeValues: { ":pending": "pending", ":claimed": "claimed", ":ver": ver, ":me": me, ":one": 1 },
	});
	return result.ok || (result.item?.state === "claimed" && result.item.lease === me);
};

import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { ImportingCampaign } from "../contacts/import-items.ts";
import { forEachParallel } from "../contacts/parallel.ts";
import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import { type CampaignItem, type ContactItem, campaignKey, shardKey } from "../store/items.ts";

/** Conditional updates on their way at once. */
const SWEEP_CONCURRENCY = 40;
/** A sweep that works keeps others out for so long at most; a crash gives it up after that. */
const LEASE_MS = 60_000;

interface SweptCampaign extends ImportingCampaign {
	/** Until when a sweep is at work. */
	sweepUntil?: number;
}

/** What a look at a campaign's contacts found that is not done. */
interface Left {
	/** Seen in time: false where the deadline came first. */
	all: boolean;
	/** Held by hosts, or pending again. */
	open: number;
}

type Waiting = Pick<ContactItem, "contactKey" | "state" | "ver">;

/** Ends one pending contact; a host that claimed it meanwhile keeps it. */
const end = async (deps: Deps, shard: string, contact: Waiting): Promise<boolean> => {
	const result = await update(deps.db, {
		TableName: deps.tables.contacts,
		Key: { shardKey: shard, contactKey: contact.contactKey },
		ConditionExpression: "#state = :pending AND #ver = :ver",
		UpdateExpression: "SET #state = :done, #outcome = :cancelled, #ver = #ver + :one REMOVE #dueAt",
		ExpressionAttributeNames: { "#state": "state", "#ver": "ver", "#outcome": "outcome", "#dueAt": "dueAt" },
		ExpressionAttributeValues: {
			":pending": "pending",
			":ver": contact.ver,
			":done": "done",
			":cancelled": "cancelled",
			":one": 1,
		},
	});
	return result.ok;
};

/** Ends all pending contacts of a shard, read strongly from the table itself: the index may lag. */
const sweepShard = async (deps: Deps, shard: string, deadline: number): Promise<Left> => {
	let start: Record<string, unknown> | undefined;
	let open = 0;
	do {
		if (deps.now() >= deadline) return { all: false, open };
		const page = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.contacts,
				ConsistentRead: true,
				KeyConditionExpression: "shardKey = :shard",
				FilterExpression: "#state <> :done",
				ProjectionExpression: "contactKey, #state, #ver",
				ExpressionAttributeNames: { "#state": "state", "#ver": "ver" },
				ExpressionAttributeValues: { ":shard": shard, ":done": "done" },
				...(start ? { ExclusiveStartKey: start } : {}),
			}),
		);
		await forEachParallel((page.Items ?? []) as Waiting[], SWEEP_CONCURRENCY, async (contact) => {
			if (contact.state !== "pending" || !(await end(deps, shard, contact))) open++;
		});
		start = page.LastEvaluatedKey;
	} while (start);
	return { all: true, open };
};

/** Keeps other sweeps of the campaign out for a while; false where one is at work. */
const takeLease = async (deps: Deps, campaign: CampaignItem): Promise<boolean> => {
	const result = await update<SweptCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: "attribute_not_exists(sweptAt) AND (attribute_not_exists(sweepUntil) OR sweepUntil <= :now)",
		UpdateExpression: "SET sweepUntil = :until",
		ExpressionAttributeValues: { ":now": deps.now(), ":until": deps.now() + LEASE_MS },
	});
	return result.ok;
};

const release = async (deps: Deps, campaign: CampaignItem, swept: boolean): Promise<boolean> => {
	const result = await update<SweptCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		// An open import may still bring contacts.
		ConditionExpression: `attribute_exists(campaign)${swept ? " AND openImports = :none" : ""}`,
		UpdateExpression: `${swept ? "SET sweptAt = :now " : ""}REMOVE sweepUntil`,
		...(swept ? { ExpressionAttributeValues: { ":now": deps.now(), ":none": 0 } } : {}),
	});
	return result.ok;
};

/**
 * Ends every contact of a cancelled (or failed) campaign that no host holds. Repeated until nothing is pending or claimed:
 * returns and retries come after it.
 * @returns whether the campaign is swept for good
 */
export const sweepCampaign = async (deps: Deps, campaign: CampaignItem, deadline: number): Promise<boolean> => {
	if (campaign.sweptAt !== undefined) return true;
	if (!(await takeLease(deps, campaign))) return false;
	// Never longer than the lease: then another sweep may begin.
	const until = Math.min(deadline, deps.now() + LEASE_MS / 2);
	let open = 0;
	let all = true;
	try {
		for (let shard = 0; shard < campaign.shards && all; shard++) {
			const left = await sweepShard(deps, shardKey(campaign.tenant, campaign.campaignId, shard), until);
			open += left.open;
			all &&= left.all;
		}
	} catch (error) {
		await release(deps, campaign, false);
		throw error;
	}
	let swept = all && open === 0 && campaign.openImports === 0;
	// A return or an import between the look and now would be missed: what was not over then is not over now.
	if (swept) swept = await release(deps, campaign, true);
	if (!swept) await release(deps, campaign, false);
	deps.log.info("campaign.swept", { campaignId: campaign.campaignId, whole: all, open, swept });
	return swept;
};

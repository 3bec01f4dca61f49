import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { ImportingCampaign } from "../contacts/import-items.ts";
import { forEachParallel } from "../contacts/parallel.ts";
import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import { type CampaignItem, type ContactItem, campaignKey, shardKey } from "../store/items.ts";
import { heldOf } from "../sync/lanes.ts";
import { readHosts } from "./counts.ts";

/** Conditional updates on their way at once. */
const SWEEP_CONCURRENCY = 40;
/** A sweep that works keeps others out for so long at most; a crash gives it up after that. */
const LEASE_MS = 60_000;
/**
 * A pass over all contacts begins again at the latest after this, whatever hosts say that they hold: the contacts decide. Longer
 * than most calls, because a pass reads the whole campaign.
 */
const LOOK_ANYWAY_MS = 3_600_000;

/**
 * How far a pass over all contacts has come. It may take many sweeps: `done` is final and no import opens after the cancel,
 * so what was done when it was looked at still is.
 */
interface SweepMark {
	/** Shards before it are looked through; the number of shards: all are. */
	shard: number;
	/** The last contact of this shard that was looked at; absent: none. */
	after?: string;
	/** Something is not done or may still be added: another pass is needed. */
	open: boolean;
	/** When the pass ended, ms since 1970. */
	endedAt?: number;
}

interface SweptCampaign extends ImportingCampaign {
	/** Until when a sweep is at work, and which. */
	sweepUntil?: number;
	sweepBy?: string;
	sweep?: SweepMark;
}

type Waiting = Pick<ContactItem, "contactKey" | "state" | "ver">;

/** Ends one pending contact; a host that claimed it meanwhile keeps it. @returns whether it is done */
const end = async (deps: Deps, shard: string, contact: Waiting): Promise<boolean> => {
	const result = await update<ContactItem>(deps.db, {
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
	return result.ok || result.item?.state === "done";
};

/** Ends the pending contacts of the next page, read strongly from the table itself: the index may lag. */
const sweepPage = async (deps: Deps, campaign: CampaignItem, mark: SweepMark): Promise<SweepMark> => {
	const shard = shardKey(campaign.tenant, campaign.campaignId, mark.shard);
	const page = await deps.db.send(
		new QueryCommand({
			TableName: deps.tables.contacts,
			ConsistentRead: true,
			KeyConditionExpression: "shardKey = :shard",
			FilterExpression: "#state <> :done",
			ProjectionExpression: "contactKey, #state, #ver",
			ExpressionAttributeNames: { "#state": "state", "#ver": "ver" },
			ExpressionAttributeValues: { ":shard": shard, ":done": "done" },
			...(mark.after === undefined ? {} : { ExclusiveStartKey: { shardKey: shard, contactKey: mark.after } }),
		}),
	);
	let { open } = mark;
	await forEachParallel((page.Items ?? []) as Waiting[], SWEEP_CONCURRENCY, async (contact) => {
		if (contact.state !== "pending" || !(await end(deps, shard, contact))) open = true;
	});
	const last = page.LastEvaluatedKey?.["contactKey"] as string | undefined;
	return last === undefined ? { shard: mark.shard + 1, open } : { shard: mark.shard, after: last, open };
};

/** Keeps other sweeps of the campaign out for a while. @returns META, or undefined where another is at work */
const takeLease = async (deps: Deps, campaign: CampaignItem, me: string): Promise<SweptCampaign | undefined> => {
	const result = await update<SweptCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: "attribute_not_exists(sweptAt) AND (attribute_not_exists(sweepUntil) OR sweepUntil <= :now)",
		UpdateExpression: "SET sweepUntil = :until, sweepBy = :me",
		ExpressionAttributeValues: { ":now": deps.now(), ":until": deps.now() + LEASE_MS, ":me": me },
		ReturnValues: "ALL_NEW",
	});
	// Written by this very request, whose first try had no answer: it is this sweep's all the same.
	return result.ok || result.item?.sweepBy === me ? result.item : undefined;
};

/** Ends the lease and keeps what the next sweep goes on from. Does nothing where another sweep took over. */
const release = async (deps: Deps, campaign: CampaignItem, me: string, mark: SweepMark): Promise<void> => {
	await update<SweptCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: "sweepBy = :me",
		UpdateExpression: "SET #sweep = :mark REMOVE sweepUntil, sweepBy",
		ExpressionAttributeNames: { "#sweep": "sweep" },
		ExpressionAttributeValues: { ":me": me, ":mark": mark },
	});
};

/** Ends the sweeping for good; true whoever holds the lease. */
const finish = async (deps: Deps, campaign: CampaignItem): Promise<boolean> => {
	const result = await update<SweptCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		// An open import may still bring contacts.
		ConditionExpression: "attribute_exists(campaign) AND openImports = :none",
		UpdateExpression: "SET sweptAt = :now REMOVE sweepUntil, sweepBy, #sweep",
		ExpressionAttributeNames: { "#sweep": "sweep" },
		ExpressionAttributeValues: { ":now": deps.now(), ":none": 0 },
	});
	return result.ok;
};

/** Whether another pass over all contacts would be in vain: an import is open, or a host still holds calls. */
const mustWait = async (deps: Deps, campaign: SweptCampaign): Promise<boolean> => {
	const { sweep } = campaign;
	if (sweep?.endedAt === undefined || deps.now() >= sweep.endedAt + LOOK_ANYWAY_MS) return false;
	if (campaign.openImports > 0) return true;
	const hosts = await readHosts(deps, campaign.tenant);
	return hosts.some((host) => heldOf(host.held, campaign.campaignId) > 0);
};

/**
 * Ends every contact of a cancelled (or failed) campaign that no host holds. Repeated until a whole pass over the contacts
 * found nothing pending or claimed: returns and retries come after it. A pass goes on where the last sweep stopped.
 * @param deadline ms since 1970: then it stops, though not before one page of contacts is done
 * @returns whether the campaign is swept for good
 */
export const sweepCampaign = async (deps: Deps, campaign: CampaignItem, deadline: number): Promise<boolean> => {
	if (campaign.sweptAt !== undefined) return true;
	if (await mustWait(deps, campaign as SweptCampaign)) return false;
	const me = `${deps.now()}-${deps.random()}`;
	const meta = await takeLease(deps, campaign, me);
	if (!meta) return false;
	// Never longer than the lease: then another sweep may begin.
	const until = Math.min(deadline, deps.now() + LEASE_MS / 2);
	const begun = meta.sweep !== undefined && meta.sweep.endedAt === undefined;
	let mark: SweepMark = begun ? (meta.sweep as SweepMark) : { shard: 0, open: meta.openImports > 0 };
	try {
		do mark = await sweepPage(deps, meta, mark);
		while (mark.shard < meta.shards && deps.now() < until);
	} catch (error) {
		await release(deps, meta, me, mark);
		throw error;
	}
	const whole = mark.shard >= meta.shards;
	const swept = whole && !mark.open && (await finish(deps, meta));
	if (!swept) await release(deps, meta, me, whole ? { ...mark, open: true, endedAt: deps.now() } : mark);
	deps.log.info("campaign.swept", { campaignId: meta.campaignId, whole, open: mark.open, shard: mark.shard, swept });
	return swept;
};

import type { Deps } from "../deps.ts";
import { batchGet, getItem, queryAll, update } from "../store/db.ts";
import {
	type CampaignItem,
	type ContactItem,
	campaignKey,
	type HostItem,
	type InventoryItem,
	inventoryKey,
	shardKey,
} from "../store/items.ts";
import { mayUse, type World } from "./world.ts";

/** A contact that may be claimed, as just read. */
export interface Choice {
	campaignId: string;
	contact: ContactItem;
}

/** Whether the host has the sound or the context that the campaign's answered calls need. */
export const hostHas = (campaign: CampaignItem, inventory: InventoryItem | undefined): boolean => {
	if ("play" in campaign.then) return inventory?.sounds.includes(campaign.then.play) ?? false;
	if ("context" in campaign.then) return inventory?.contexts.includes(campaign.then.context) ?? false;
	return true;
};

/** A scheduled campaign whose time has come starts with the first sync that sees it. */
const startIfDue = async (deps: Deps, campaign: CampaignItem): Promise<CampaignItem> => {
	const now = deps.now();
	if (campaign.state !== "scheduled" || (campaign.startAt ?? 0) > now) return campaign;
	const result = await update<CampaignItem>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: "#state = :scheduled",
		UpdateExpression: "SET #state = :running, startedAt = if_not_exists(startedAt, :now)",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":scheduled": "scheduled", ":running": "running", ":now": now },
		ReturnValues: "ALL_NEW",
	});
	if (result.ok) deps.log.info("campaign.started", { campaignId: campaign.campaignId, startAt: campaign.startAt });
	return result.item ?? campaign;
};

/** Campaigns that the host may be granted now, by trunk, in order of creation. */
export const campaignsFor = async (deps: Deps, host: HostItem, world: World): Promise<Map<string, string[]>> => {
	const byTrunk = new Map<string, string[]>();
	let inventory: InventoryItem | undefined;
	for (const trunk of world.trunks.values()) {
		if (!mayUse(trunk, host)) continue;
		for (const campaignId of Object.keys(trunk.c).sort()) {
			let campaign = world.campaigns.get(campaignId);
			if (!campaign) continue;
			if (campaign.state === "scheduled") {
				campaign = await startIfDue(deps, campaign);
				world.campaigns.set(campaignId, campaign);
			}
			if (campaign.state !== "running") continue;
			if (!("wait" in campaign.then)) {
				inventory ??= await getItem<InventoryItem>(deps.db, deps.tables.hosts, inventoryKey(host.tenant, host.hostId));
				if (!hostHas(campaign, inventory)) continue;
			}
			byTrunk.set(trunk.trunkId, [...(byTrunk.get(trunk.trunkId) ?? []), campaignId]);
		}
	}
	return byTrunk;
};

/**
 * Due contacts of one campaign, at most `count`. The index may be seconds old, so each is read again strongly; the
 * claim's condition decides. Hosts begin at different shards so that they seldom choose the same contacts.
 */
const dueContacts = async (deps: Deps, campaign: CampaignItem, count: number): Promise<Choice[]> => {
	const now = deps.now();
	const first = Math.floor(deps.random() * campaign.shards);
	const chosen: Choice[] = [];
	for (let i = 0; i < campaign.shards && chosen.length < count; i++) {
		const shard = shardKey(campaign.tenant, campaign.campaignId, (first + i) % campaign.shards);
		const want = count - chosen.length;
		const keys = await queryAll<{ shardKey: string; contactKey: string }>(
			deps.db,
			{
				TableName: deps.tables.contacts,
				IndexName: "due",
				KeyConditionExpression: "shardKey = :shard AND dueAt <= :now",
				ExpressionAttributeValues: { ":shard": shard, ":now": now },
				Limit: want,
			},
			want,
		);
		if (keys.length === 0) continue;
		const contacts = await batchGet<ContactItem>(
			deps.db,
			deps.tables.contacts,
			keys.map((key) => ({ shardKey: key.shardKey, contactKey: key.contactKey })),
		);
		const due = contacts.filter((contact) => contact.state === "pending" && (contact.dueAt ?? Infinity) <= now);
		due.sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
		chosen.push(...due.slice(0, want).map((contact) => ({ campaignId: campaign.campaignId, contact })));
	}
	return chosen;
};

/**
 * Candidates of a trunk's campaigns.
 * @param most how many of a campaign can be granted at most: no more are read
 */
export const chooseCandidates = async (
	deps: Deps,
	world: World,
	campaignIds: string[],
	most: (campaignId: string) => number,
): Promise<Map<string, Choice[]>> => {
	const found = await Promise.all(
		campaignIds.map(async (campaignId): Promise<[string, Choice[]]> => {
			const campaign = world.campaigns.get(campaignId);
			const count = most(campaignId);
			return [campaignId, campaign && count > 0 ? await dueContacts(deps, campaign, count) : []];
		}),
	);
	return new Map(found.filter(([, choices]) => choices.length > 0));
};

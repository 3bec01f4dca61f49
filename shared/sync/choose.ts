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
import { callingRules } from "../suppression/calling-policy.ts";
import { blockedByList } from "../suppression/suppressed-by.ts";
import type { Due } from "./precedence.ts";
import { mayCarry, mayDial, type World } from "./world.ts";

/** A contact that may be claimed, as just read. */
export interface Choice {
	campaignId: string;
	contact: ContactItem;
	/** Which of the campaign's trunks it goes through; absent: the first. */
	trunkIndex?: number;
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
	const { lists } = await callingRules(deps, host.tenant);
	let inventory: InventoryItem | undefined;
	for (const trunk of world.trunks.values()) {
		if (!mayDial(trunk, host)) continue;
		for (const campaignId of Object.keys(trunk.c).sort()) {
			let campaign = world.campaigns.get(campaignId);
			if (!campaign) continue;
			if (campaign.state === "scheduled") {
				campaign = await startIfDue(deps, campaign);
				world.campaigns.set(campaignId, campaign);
			}
			if (campaign.state !== "running" || !mayCarry(campaign, host)) continue;
			// A list that it must honour and that cannot be relied on: its contacts wait.
			if (blockedByList(lists, campaign, deps.now())) continue;
			if (!("wait" in campaign.then)) {
				inventory ??= await getItem<InventoryItem>(deps.db, deps.tables.hosts, inventoryKey(host.tenant, host.hostId));
				if (!hostHas(campaign, inventory)) continue;
			}
			byTrunk.set(trunk.trunkId, [...(byTrunk.get(trunk.trunkId) ?? []), campaignId]);
		}
	}
	return byTrunk;
};

/** The oldest keys of a shard's due contacts, at most `count`, as the index has them: it may be seconds old. */
const dueOfShard = (deps: Deps, shard: string, now: number, count: number): Promise<Due[]> =>
	queryAll<Due & Record<string, unknown>>(
		deps.db,
		{
			TableName: deps.tables.contacts,
			IndexName: "due",
			KeyConditionExpression: "shardKey = :shard AND dueAt <= :now",
			ExpressionAttributeValues: { ":shard": shard, ":now": now },
			Limit: count,
		},
		count,
	);

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
		const keys = await dueOfShard(deps, shard, now, want);
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

/** The oldest keys of due contacts, shard by shard, at most `count`, as the index has them: it may be seconds old. */
export const dueKeys = async (deps: Deps, campaign: CampaignItem, count: number): Promise<Due[]> => {
	const now = deps.now();
	const first = Math.floor(deps.random() * campaign.shards);
	const due: Due[] = [];
	for (let i = 0; i < campaign.shards && due.length < count; i++) {
		const shard = shardKey(campaign.tenant, campaign.campaignId, (first + i) % campaign.shards);
		const left = count - due.length;
		due.push(...(await dueOfShard(deps, shard, now, left)));
	}
	return due;
};

/** What of a campaign's due contacts is left to hosts that come first. */
export interface Leaving {
	/** So many due contacts are looked at beyond those that the host could be granted. */
	room(campaign: CampaignItem): number;
	/** Those that are not left. Called for one campaign after the other. */
	beyond(campaign: CampaignItem, due: Due[]): Due[];
}

/** Due contacts, read strongly, in the order of the keys. */
const readDue = async (deps: Deps, campaign: CampaignItem, keys: Due[]): Promise<Choice[]> => {
	const contacts = await batchGet<ContactItem>(
		deps.db,
		deps.tables.contacts,
		keys.map(({ shardKey, contactKey }) => ({ shardKey, contactKey })),
	);
	const now = deps.now();
	const byKey = new Map(contacts.map((contact) => [`${contact.shardKey} ${contact.contactKey}`, contact]));
	return keys.flatMap(({ shardKey, contactKey }) => {
		const contact = byKey.get(`${shardKey} ${contactKey}`);
		const isDue = contact?.state === "pending" && (contact.dueAt ?? Number.POSITIVE_INFINITY) <= now;
		return isDue ? [{ campaignId: campaign.campaignId, contact }] : [];
	});
};

/** Of contacts that are due, those that may be called now. */
export type Allowed = (campaign: CampaignItem, choices: readonly Choice[]) => Promise<Choice[]>;

/** Where many of those that are due may not be called, so often are more of them looked at. */
const MAX_ROUNDS = 3;

/** Due contacts that may be called, at most `count`. */
const allowedContacts = async (
	deps: Deps,
	campaign: CampaignItem,
	count: number,
	allowed: Allowed,
): Promise<Choice[]> => {
	const seen = new Set<string>();
	const chosen: Choice[] = [];
	for (let round = 0; round < MAX_ROUNDS && chosen.length < count; round++) {
		const passedOver = seen.size - chosen.length;
		const due = await dueContacts(deps, campaign, count - chosen.length + passedOver);
		const fresh = due.filter(({ contact }) => !seen.has(contact.contactKey)).slice(0, count - chosen.length);
		for (const { contact } of fresh) seen.add(contact.contactKey);
		const found = await allowed(campaign, fresh);
		chosen.push(...found);
		if (found.length === fresh.length) break;
	}
	return chosen;
};

/**
 * Candidates of a trunk's campaigns.
 * @param most how many of a campaign can be granted at most: no more are read
 * @param leaving where others come first
 */
export const chooseCandidates = async (
	deps: Deps,
	world: World,
	campaignIds: string[],
	most: (campaignId: string) => number,
	allowed: Allowed,
	leaving?: Leaving,
): Promise<Map<string, Choice[]>> => {
	const wanted = campaignIds.flatMap((campaignId) => {
		const campaign = world.campaigns.get(campaignId);
		const count = most(campaignId);
		return campaign && count > 0 ? [{ campaign, count }] : [];
	});
	if (!leaving) {
		const found = await Promise.all(
			wanted.map(({ campaign, count }) => allowedContacts(deps, campaign, count, allowed)),
		);
		return byCampaign(wanted, found);
	}
	const due = await Promise.all(
		wanted.map(({ campaign, count }) => dueKeys(deps, campaign, count + leaving.room(campaign))),
	);
	const taken = wanted.map(({ campaign, count }, i) => leaving.beyond(campaign, due[i] ?? []).slice(0, count));
	return byCampaign(
		wanted,
		await Promise.all(
			wanted.map(async ({ campaign }, i) => allowed(campaign, await readDue(deps, campaign, taken[i] ?? []))),
		),
	);
};

const byCampaign = (wanted: { campaign: CampaignItem }[], found: Choice[][]): Map<string, Choice[]> =>
	new Map(wanted.flatMap(({ campaign }, i) => (found[i]?.length ? [[campaign.campaignId, found[i]]] : [])));

import { QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import type { Deps } from "../deps.ts";
import { batchGet, queryAll } from "../store/db.ts";
import { type CampaignItem, type ContactItem, shardKey } from "../store/items.ts";
import type { CampaignCounts } from "./counts.ts";
import { type LookedAt, tally } from "./explain-contacts.ts";
import type { ReadContacts } from "./explain-input.ts";

/**
 * Reads contacts for an explanation. Their keys are hashes, so the first ones of every shard are a fair sample of the whole list.
 */

/** Contacts looked at, at most; more would say little more. */
export const MAX_LOOKED_AT = 20_000;
/** Read units for them, at most: 2 MB read strongly. */
export const MAX_CONTACT_UNITS = 512;
/** Where fewer are pending than this, and the list is too long to be read, they are found by the index: a read unit each. */
export const FEW_PENDING = 1_000;
const PAGE_CONTACTS = 500;

const FIELDS = {
	"#key": "contactKey",
	"#state": "state",
	"#number": "number",
	"#tz": "tz",
	"#ni": "ni",
	"#attempt": "attempt",
	"#dueAt": "dueAt",
	"#hist": "hist",
	"#wait": "wait",
	"#outcome": "outcome",
	"#sup": "sup",
};

/** Contacts of one shard, until its part of the limits is used up. */
const readShard = async (
	deps: Deps,
	campaign: CampaignItem,
	shard: number,
): Promise<{ contacts: LookedAt[]; whole: boolean }> => {
	const contacts: LookedAt[] = [];
	let units = 0;
	let start: QueryCommandInput["ExclusiveStartKey"];
	do {
		const page = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.contacts,
				ConsistentRead: true,
				KeyConditionExpression: "shardKey = :shard",
				ExpressionAttributeValues: { ":shard": shardKey(campaign.tenant, campaign.campaignId, shard) },
				ProjectionExpression: Object.keys(FIELDS).join(", "),
				ExpressionAttributeNames: FIELDS,
				Limit: Math.min(PAGE_CONTACTS, Math.ceil(MAX_LOOKED_AT / campaign.shards) - contacts.length),
				ReturnConsumedCapacity: "TOTAL",
				...(start ? { ExclusiveStartKey: start } : {}),
			}),
		);
		contacts.push(...((page.Items ?? []) as LookedAt[]));
		units += page.ConsumedCapacity?.CapacityUnits ?? 0;
		start = page.LastEvaluatedKey;
	} while (start && contacts.length < MAX_LOOKED_AT / campaign.shards && units < MAX_CONTACT_UNITS / campaign.shards);
	return { contacts, whole: start === undefined };
};

const shardsOf = ({ shards }: CampaignItem): number[] => Array.from({ length: shards }, (_, shard) => shard);

/** Pending contacts by the index, which has only those. */
const readPending = async (deps: Deps, campaign: CampaignItem): Promise<LookedAt[]> => {
	const keys = await Promise.all(
		shardsOf(campaign).map((shard) =>
			queryAll<{ shardKey: string; contactKey: string }>(
				deps.db,
				{
					TableName: deps.tables.contacts,
					IndexName: "due",
					KeyConditionExpression: "shardKey = :shard",
					ExpressionAttributeValues: { ":shard": shardKey(campaign.tenant, campaign.campaignId, shard) },
					Limit: FEW_PENDING,
				},
				FEW_PENDING,
			),
		),
	);
	const found = await batchGet<ContactItem>(
		deps.db,
		deps.tables.contacts,
		keys.flat().map(({ shardKey, contactKey }) => ({ shardKey, contactKey })),
	);
	return found.filter(({ state }) => state === "pending");
};

/** @param at the moment that counts, as of {@link tally} */
export const readContacts = async (
	deps: Deps,
	campaign: CampaignItem,
	counts: CampaignCounts,
	at: number,
): Promise<ReadContacts> => {
	const shards = await Promise.all(shardsOf(campaign).map((shard) => readShard(deps, campaign, shard)));
	const contacts = shards.flatMap((shard) => shard.contacts);
	const whole = shards.every((shard) => shard.whole);
	const found = tally(campaign, contacts, at);
	if (whole || counts.pending === 0 || counts.pending > FEW_PENDING) return { ...found, whole, allPending: whole };
	const pending = await readPending(deps, campaign);
	// The index may lag: where it has none, the sample is better than nothing.
	if (pending.length === 0) return { ...found, whole, allPending: false };
	const { groups } = tally(campaign, pending, at);
	const looked = new Set([...contacts, ...pending].map(({ contactKey }) => contactKey)).size;
	return { ...found, groups, looked, whole, allPending: pending.length === counts.pending };
};

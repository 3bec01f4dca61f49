import type { Retry } from "../../../shared/contract/campaign.ts";
import { contactKeyOf } from "../../../shared/contract/ids.ts";
import { trunkSchema } from "../../../shared/contract/trunk.ts";
import {
	type CampaignItem,
	type ContactItem,
	campaignKey,
	DEFAULT_TENANT,
	type HostItem,
	shardKey,
	shardOf,
	type TrunkItem,
} from "../../../shared/store/items.ts";
import type { Attributes, MemoryDynamo } from "../memory-dynamo.ts";

export const TENANT = DEFAULT_TENANT;

export interface WorldConfig {
	hosts: { id: string; cap: number }[];
	trunks: { id: string; maxChannels: number; maxCps: number }[];
	campaigns: {
		/** One letter; {@link campaignIdOf} makes the id of it. */
		letter: string;
		trunk: string;
		contacts: number;
		cap: number;
		retry?: Retry;
		maxCallSec?: number;
		ringTimeoutSec?: number;
		shards?: number;
	}[];
}

export const campaignIdOf = (letter: string): string => `campaign0000000${letter}`;

const put = (dynamo: MemoryDynamo, table: string, item: object): void => {
	const result = dynamo.perform({ name: "Put", input: { TableName: table, Item: item as Attributes } });
	if (!result.ok) throw result.error;
};

const putContact = (dynamo: MemoryDynamo, letter: string, i: number, now: number, shards: number): void => {
	const contactKey = contactKeyOf(`${letter}${i}`);
	put(dynamo, "contacts", {
		shardKey: shardKey(TENANT, campaignIdOf(letter), shardOf(contactKey, shards)),
		contactKey,
		contactId: `${letter}${i}`,
		number: `+1202555${String(1_000 + i)}`,
		state: "pending",
		attempt: 1,
		ver: 1,
		dueAt: now - 1_000 + i / 1_024,
		imp: `one#${i}`,
	} satisfies ContactItem);
};

/** Adds contacts to a campaign of one shard as an import does; the index does not have them yet. */
export const addContacts = (dynamo: MemoryDynamo, letter: string, from: number, count: number, now: number): void => {
	for (let i = from; i < from + count; i++) putContact(dynamo, letter, i, now, 1);
	put(dynamo, "campaigns", {
		...campaignKey(TENANT, campaignIdOf(letter), `IMPORT#two#CHUNK#${from}`),
		accepted: count,
		duplicates: 0,
		rejectedCount: 0,
		rejected: [],
	});
};

/** Puts a world into empty tables: as if it had been made through the API. */
export const setUp = (dynamo: MemoryDynamo, config: WorldConfig, now: number): void => {
	for (const { id, cap } of config.hosts)
		put(dynamo, "hosts", {
			tenant: TENANT,
			hostId: id,
			tier: "steady",
			region: "on-premises",
			state: "new",
			cap,
			epoch: 0,
			seq: 0,
			ans: [],
			held: {},
			acc: {},
			low: 1,
			live: 0,
			lastSeenAt: now,
			createdAt: now,
		} satisfies HostItem);
	for (const campaign of config.campaigns) {
		const campaignId = campaignIdOf(campaign.letter);
		const shards = campaign.shards ?? 1;
		put(dynamo, "campaigns", {
			...campaignKey(TENANT, campaignId),
			kind: "META",
			tenant: TENANT,
			campaignId,
			origin: "campaign",
			name: campaign.letter,
			state: "running",
			trunk: campaign.trunk,
			then: { wait: 5 },
			ringTimeoutSec: campaign.ringTimeoutSec ?? 10,
			maxCallSec: campaign.maxCallSec ?? 30,
			retry: campaign.retry ?? {},
			shards,
			createdAt: now,
			startedAt: now,
			openImports: 0,
			importVersion: 1,
		} satisfies CampaignItem);
		put(dynamo, "campaigns", {
			...campaignKey(TENANT, campaignId, "IMPORT#one#CHUNK#0"),
			accepted: campaign.contacts,
			duplicates: 0,
			rejectedCount: 0,
			rejected: [],
		});
		for (let i = 0; i < campaign.contacts; i++) putContact(dynamo, campaign.letter, i, now, shards);
	}
	for (const { id, maxChannels, maxCps } of config.trunks) {
		const trunk = trunkSchema.parse({ type: "pjsip", host: "carrier.example", maxChannels, maxCps });
		put(dynamo, "trunks", {
			tenant: TENANT,
			trunkId: id,
			trunk: { ...trunk, id, countries: ["US"] },
			cap: maxChannels,
			free: maxChannels,
			c: Object.fromEntries(
				config.campaigns
					.filter((campaign) => campaign.trunk === id)
					.map((campaign) => [campaignIdOf(campaign.letter), { cap: campaign.cap, free: campaign.cap }]),
			),
			nextDialAt: 0,
			a: {},
			z: {},
		} satisfies TrunkItem);
	}
	put(dynamo, "trunks", { tenant: TENANT, trunkId: "#config", version: 1 });
	dynamo.applyIndexUpdates();
};

export const contactsOf = (dynamo: MemoryDynamo): ContactItem[] => dynamo.items<ContactItem>("contacts");
export const hostOf = (dynamo: MemoryDynamo, hostId: string): HostItem => {
	const host = dynamo.peek<HostItem>("hosts", { tenant: TENANT, hostId });
	if (!host) throw new Error(`no host ${hostId}`);
	return host;
};
export const trunkOf = (dynamo: MemoryDynamo, trunkId: string): TrunkItem => {
	const trunk = dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId });
	if (!trunk) throw new Error(`no trunk ${trunkId}`);
	return trunk;
};
export const campaignsOf = (dynamo: MemoryDynamo): CampaignItem[] =>
	dynamo.items<CampaignItem>("campaigns").filter((item) => item.kind === "META");

import type { Retry } from "../../../shared/contract/campaign.ts";
import type { CampaignItem, ContactItem, HostItem, TrunkItem } from "../../../shared/store/items.ts";
import { newCampaign, newChunk, newContact, newHost, newTrunk, TENANT } from "../items.ts";
import type { Attributes, MemoryDynamo } from "../memory-dynamo.ts";

export { TENANT };

export interface WorldConfig {
	hosts: {
		id: string;
		cap: number;
		/** Default: steady. */
		tier?: HostItem["tier"];
	}[];
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
		/** It goes through all trunks, the last of which has three times the weight of each other. */
		onAll?: boolean;
		priority?: number;
		maxCps?: number;
		/** Each contact has a second number. */
		twoNumbers?: boolean;
		/** Calls to one number are noted, and a second apart at least. */
		limited?: boolean;
	}[];
}

export const campaignIdOf = (letter: string): string => `campaign0000000${letter}`;

const put = (dynamo: MemoryDynamo, table: string, item: object): void => {
	const result = dynamo.perform({ name: "Put", input: { TableName: table, Item: item as Attributes } });
	if (!result.ok) throw result.error;
};

const putContact = (
	dynamo: MemoryDynamo,
	letter: string,
	i: number,
	now: number,
	shards: number,
	twoNumbers = false,
): void => {
	const [number, second] = [`+1202555${String(1_000 + i)}`, `+1202556${String(1_000 + i)}`];
	put(
		dynamo,
		"contacts",
		newContact(campaignIdOf(letter), shards, {
			contactId: `${letter}${i}`,
			number,
			...(twoNumbers ? { nums: [{ number }, { number: second }], ni: 0 } : {}),
			dueAt: now - 1_000 + i / 1_024,
			imp: `one#${i}`,
		}),
	);
};

/** Adds contacts to a campaign of one shard as an import does; the index does not have them yet. */
export const addContacts = (dynamo: MemoryDynamo, letter: string, from: number, count: number, now: number): void => {
	for (let i = from; i < from + count; i++) putContact(dynamo, letter, i, now, 1);
	put(dynamo, "campaigns", newChunk(campaignIdOf(letter), "two", from, count));
};

/** A campaign on all trunks begins without a channel on each: its division gives it those. */
const allTrunks = ({ trunks }: WorldConfig): { id: string; weight: number }[] =>
	trunks.map(({ id }, i) => ({ id, weight: i === trunks.length - 1 ? 3 : 1 }));

/** Puts a world into empty tables: as if it had been made through the API. */
export const setUp = (dynamo: MemoryDynamo, config: WorldConfig, now: number): void => {
	for (const { id, cap, tier = "steady" } of config.hosts) put(dynamo, "hosts", { ...newHost(id, cap, now), tier });
	for (const { letter, trunk, contacts, ringTimeoutSec, maxCallSec, retry, shards = 1, ...more } of config.campaigns) {
		const { cap, onAll = false, priority, maxCps, twoNumbers = false, limited = false } = more;
		const campaignId = campaignIdOf(letter);
		const campaign = newCampaign(campaignId, now, {
			name: letter,
			trunk,
			then: { wait: 5 },
			ringTimeoutSec: ringTimeoutSec ?? 10,
			maxCallSec: maxCallSec ?? 30,
			retry: retry ?? {},
			shards,
			startedAt: now,
			...(priority === undefined ? {} : { priority }),
			...(maxCps === undefined ? {} : { maxCps }),
			...(limited ? { calleeLimit: { max: 50, perHours: 1, minGapSec: 1 } } : {}),
			...(onAll ? { trunk: config.trunks[0]?.id ?? "", trunks: allTrunks(config), maxChannels: cap } : {}),
		});
		put(dynamo, "campaigns", campaign);
		put(dynamo, "campaigns", newChunk(campaignId, "one", 0, contacts));
		for (let i = 0; i < contacts; i++) putContact(dynamo, letter, i, now, shards, twoNumbers);
	}
	for (const { id, maxChannels, maxCps } of config.trunks) {
		const caps = Object.fromEntries(
			config.campaigns
				.filter((campaign) => campaign.onAll || campaign.trunk === id)
				.map(({ letter, cap, onAll }) => [campaignIdOf(letter), onAll ? { cap: 0, free: 0 } : { cap, free: cap }]),
		);
		put(dynamo, "trunks", newTrunk(id, { maxChannels, maxCps, numbering: "e164" }, caps));
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

import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { parseSettings } from "../../shared/config/settings.ts";
import type { SyncRequest } from "../../shared/contract/host.ts";
import { newCampaignId } from "../../shared/contract/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { jsonLog } from "../../shared/log.ts";
import type { Db } from "../../shared/store/db.ts";
import { type CampaignItem, CONTACT_SHARDS } from "../../shared/store/items.ts";
import { newCampaign, newChunk, newContact, newHost, newTrunk, TENANT } from "./items.ts";
import { PROJECT_TABLE_NAMES } from "./memory-dynamo.ts";

/** A tenant's tables filled by hand, for tests of the sync that need nothing of the API. */

export { TENANT };

export const testDeps = (db: Db, now: () => number, over: Partial<Deps> = {}): Deps => ({
	db,
	tables: PROJECT_TABLE_NAMES as Deps["tables"],
	now,
	random: () => 0,
	log: jsonLog(() => {}),
	settings: parseSettings({}),
	// Nobody listens: a test that does brings its own.
	queues: { send: async () => {} },
	...over,
});

const put = (deps: Deps, table: string, item: Record<string, unknown>) =>
	deps.db.send(new PutCommand({ TableName: table, Item: item }));

export const putTrunk = async (deps: Deps, trunkId: string, maxChannels: number, maxCps = 1_000): Promise<void> => {
	await put(deps, deps.tables.trunks, newTrunk(trunkId, { maxChannels, maxCps, numbering: "private" }));
};

export const putHost = async (deps: Deps, hostId: string, cap: number): Promise<void> => {
	await put(deps, deps.tables.hosts, newHost(hostId, cap, 0));
};

export interface TestCampaign {
	campaignId: string;
	contacts: { shardKey: string; contactKey: string }[];
}

/** A running campaign with `count` due contacts, registered on its trunk. */
export const putCampaign = async (
	deps: Deps,
	count: number,
	over: Partial<CampaignItem> & { trunk: string; maxChannels: number },
): Promise<TestCampaign> => {
	const campaignId = newCampaignId(deps.now(), Buffer.from(String(over["name"] ?? "camp").padEnd(4)));
	await put(deps, deps.tables.campaigns, newCampaign(campaignId, deps.now(), over));
	await put(deps, deps.tables.campaigns, newChunk(campaignId, "1", 0, count));
	const contacts: TestCampaign["contacts"] = [];
	for (let i = 0; i < count; i++) {
		const number = String(1_000 + i);
		const dueAt = deps.now() + i / 1e6;
		const item = newContact(campaignId, CONTACT_SHARDS, { contactId: number, number, dueAt, imp: `1#${i}` });
		await put(deps, deps.tables.contacts, item);
		contacts.push({ shardKey: item.shardKey, contactKey: item.contactKey });
	}
	const { registerCampaign } = await import("../../shared/campaigns/registration.ts");
	await registerCampaign(deps, TENANT, over.trunk, campaignId, over.maxChannels);
	return { campaignId, contacts };
};

export const syncRequest = (epoch: number, seq: number, over: Partial<SyncRequest> = {}): SyncRequest => ({
	epoch,
	seq,
	state: "up",
	live: 0,
	want: 0,
	prefetch: 0,
	slots: {},
	slotLeadMs: 0,
	completed: [],
	returned: [],
	...over,
});

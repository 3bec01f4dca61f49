import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { parseSettings } from "../../shared/config/settings.ts";
import type { SyncRequest } from "../../shared/contract/host.ts";
import { contactKeyOf, newCampaignId } from "../../shared/contract/ids.ts";
import { trunkSchema } from "../../shared/contract/trunk.ts";
import type { Deps } from "../../shared/deps.ts";
import { jsonLog } from "../../shared/log.ts";
import type { Db } from "../../shared/store/db.ts";
import {
	type CampaignItem,
	CONTACT_SHARDS,
	type ContactItem,
	campaignKey,
	type HostItem,
	shardKey,
	shardOf,
	type TrunkItem,
} from "../../shared/store/items.ts";
import { PROJECT_TABLE_NAMES } from "./memory-dynamo.ts";

/** A tenant's tables filled by hand, for tests of the sync that need nothing of the API. */

export const TENANT = "default";

export const testDeps = (db: Db, now: () => number, over: Partial<Deps> = {}): Deps => ({
	db,
	tables: PROJECT_TABLE_NAMES as Deps["tables"],
	now,
	random: () => 0,
	log: jsonLog(() => {}),
	settings: parseSettings({}),
	...over,
});

const put = (deps: Deps, table: string, item: Record<string, unknown>) =>
	deps.db.send(new PutCommand({ TableName: table, Item: item }));

export const putTrunk = async (deps: Deps, trunkId: string, maxChannels: number, maxCps = 1_000): Promise<void> => {
	const trunk = trunkSchema.parse({ type: "pjsip", host: "127.0.0.1", maxChannels, maxCps, numbering: "private" });
	const item: TrunkItem = {
		tenant: TENANT,
		trunkId,
		trunk: { ...trunk, id: trunkId, countries: [] },
		cap: maxChannels,
		free: maxChannels,
		c: {},
		nextDialAt: 0,
		a: {},
		z: {},
	};
	await put(deps, deps.tables.trunks, item);
};

export const putHost = async (deps: Deps, hostId: string, cap: number): Promise<void> => {
	const item: HostItem = {
		tenant: TENANT,
		hostId,
		tier: "steady",
		region: "test",
		state: "new",
		cap,
		epoch: 0,
		seq: 0,
		ans: [],
		held: {},
		acc: {},
		low: 1,
		live: 0,
		lastSeenAt: 0,
		createdAt: 0,
	};
	await put(deps, deps.tables.hosts, item);
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
	const meta: CampaignItem = {
		...campaignKey(TENANT, campaignId),
		kind: "META",
		tenant: TENANT,
		campaignId,
		origin: "campaign",
		name: "test",
		state: "running",
		then: { wait: 1 },
		ringTimeoutSec: 30,
		maxCallSec: 60,
		retry: {},
		shards: CONTACT_SHARDS,
		createdAt: deps.now(),
		openImports: 0,
		importVersion: 1,
		...over,
	};
	await put(deps, deps.tables.campaigns, meta);
	await put(deps, deps.tables.campaigns, {
		...campaignKey(TENANT, campaignId, "IMPORT#1#CHUNK#0"),
		accepted: count,
		duplicates: 0,
		rejectedCount: 0,
		rejected: [],
	});
	const contacts: TestCampaign["contacts"] = [];
	for (let i = 0; i < count; i++) {
		const number = String(1_000 + i);
		const contactKey = contactKeyOf(number);
		const item: ContactItem = {
			shardKey: shardKey(TENANT, campaignId, shardOf(contactKey, CONTACT_SHARDS)),
			contactKey,
			contactId: number,
			number,
			state: "pending",
			attempt: 1,
			ver: 1,
			dueAt: deps.now() + i / 1e6,
			imp: `1#${i}`,
		};
		await put(deps, deps.tables.contacts, item);
		contacts.push({ shardKey: item.shardKey, contactKey });
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

import { chunkKind } from "../../shared/contacts/import-items.ts";
import { contactKeyOf } from "../../shared/contract/ids.ts";
import { type TrunkInput, trunkSchema } from "../../shared/contract/trunk.ts";
import {
	type CampaignItem,
	CONTACT_SHARDS,
	type ContactItem,
	campaignKey,
	DEFAULT_TENANT,
	type HostItem,
	type ImportChunkItem,
	shardKey,
	shardOf,
	type TrunkItem,
} from "../../shared/store/items.ts";

/** What the tables hold of a tenant that has not dialed yet, as if it had been made through the API. */

export const TENANT = DEFAULT_TENANT;

/** A host that was enrolled then, and has never said hello. */
export const newHost = (hostId: string, cap: number, enrolledAt: number): HostItem => ({
	tenant: TENANT,
	hostId,
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
	lastSeenAt: enrolledAt,
	createdAt: enrolledAt,
});

/** A trunk that no host has a share of. */
export const newTrunk = (
	trunkId: string,
	input: Pick<TrunkInput, "maxChannels" | "maxCps" | "numbering">,
	c: TrunkItem["c"] = {},
): TrunkItem => ({
	tenant: TENANT,
	trunkId,
	trunk: {
		...trunkSchema.parse({ type: "pjsip", host: "carrier.example", ...input }),
		id: trunkId,
		countries: input.numbering === "e164" ? ["US"] : [],
	},
	cap: input.maxChannels,
	free: input.maxChannels,
	c,
	nextDialAt: 0,
	a: {},
	z: {},
});

/** A running campaign. */
export const newCampaign = (
	campaignId: string,
	createdAt: number,
	over: Partial<CampaignItem> & { trunk: string },
): CampaignItem => ({
	...campaignKey(TENANT, campaignId),
	kind: "META",
	tenant: TENANT,
	campaignId,
	origin: "campaign",
	// Its numbers have no place, so that no rule of law holds for them.
	numbering: "private",
	name: "test",
	state: "running",
	then: { wait: 1 },
	ringTimeoutSec: 30,
	maxCallSec: 60,
	retry: {},
	shards: CONTACT_SHARDS,
	createdAt,
	openImports: 0,
	importVersion: 1,
	...over,
});

/** A stored chunk of an import without a bad row. */
export const newChunk = (campaignId: string, importId: string, n: number, accepted: number): ImportChunkItem => ({
	...campaignKey(TENANT, campaignId, chunkKind(importId, n)),
	accepted,
	duplicates: 0,
	rejectedCount: 0,
	rejected: [],
});

/** A contact before its first attempt. */
export const newContact = (
	campaignId: string,
	shards: number,
	{ contactId, ...rest }: Pick<ContactItem, "contactId" | "number" | "dueAt" | "imp">,
): ContactItem => {
	const contactKey = contactKeyOf(contactId);
	return {
		shardKey: shardKey(TENANT, campaignId, shardOf(contactKey, shards)),
		contactKey,
		contactId,
		state: "pending",
		attempt: 1,
		ver: 1,
		...rest,
	};
};

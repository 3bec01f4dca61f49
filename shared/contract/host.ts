import { z } from "zod";
import { completedCallSchema, grantedCallSchema } from "./call.ts";
import { nameSchema } from "./trunk.ts";

/** The largest capacity a host may be enrolled with, channels. */
export const MAX_HOST_CAPACITY = 2_000;
export const DEFAULT_HOST_CAPACITY = 120;
/** Most calls one sync grants: keeps a grant record within a few write units and the answer small. */
export const MAX_CALLS_PER_SYNC = 200;
/** Most completions and returns one sync takes; a host with more sends the rest in the next one. */
export const MAX_COMPLETED_PER_SYNC = 200;
export const MAX_SLOTS_PER_SYNC = 500;
/** A host further away than this cannot use slots of some tens of milliseconds. */
export const MAX_SLOT_LEAD_MS = 1_000;
/** Where a host does not say: an API on another continent. */
export const DEFAULT_SLOT_LEAD_MS = 250;

/** `POST /v1/hosts`. */
export const enrolHostSchema = z.strictObject({
	hostId: nameSchema,
	/** Channels. The control plane's figure rules, whatever the host says later. */
	capacity: z.int().min(1).max(MAX_HOST_CAPACITY).default(DEFAULT_HOST_CAPACITY),
	region: z
		.string()
		.regex(/^[a-z0-9-]{1,32}$/)
		.default("on-premises"),
});

/** Sounds and contexts that the host has; a campaign is not granted to a host that lacks what it needs. */
export const inventorySchema = z.object({
	sounds: z.array(z.string().max(64)).max(1_000),
	contexts: z.array(z.string().max(64)).max(1_000),
});
export type Inventory = z.infer<typeof inventorySchema>;

/**
 * Whether the carrier of each trunk answers this host: any SIP reply to OPTIONS, or PONG to POKE, means `up`. Trunks with `qualify: "off"` are
 * left out: their first calls decide. A host is granted nothing on a trunk that is `down`.
 */
export const trunkHealthSchema = z.record(nameSchema, z.enum(["up", "down"]));
export type TrunkHealth = z.infer<typeof trunkHealthSchema>;

/** `POST /v1/hosts/{hostId}/hello`: asks for an epoch. */
export const helloRequestSchema = z.object({
	/** Drawn by the host once for each hello and journalled: a repeated hello gets the same epoch. */
	nonce: z.string().min(8).max(64),
	inventory: inventorySchema.optional(),
	trunks: trunkHealthSchema.optional(),
});
export type HelloRequest = z.infer<typeof helloRequestSchema>;
export interface HelloResponse {
	epoch: number;
	/** Milliseconds since 1970, by the control plane's clock. */
	now: number;
	configVersion: number;
}

/** A trunk's name, or `#` and a campaign on a trunk. */
const slotKeySchema = z
	.string()
	.regex(/^([a-z0-9][a-z0-9-]{0,31}|#[0-9a-z]{16}(\/[1-9a-z])?)$/, "a trunk, or # and a campaign");

/** `POST /v1/hosts/{hostId}/sync`. The host journals these bytes before the first send; every repeat sends the same ones. */
export const syncRequestSchema = z.object({
	epoch: z.int().min(1),
	seq: z
		.int()
		.min(1)
		.max(36 ** 6 - 1),
	state: z.enum(["up", "asteriskDown", "stopping"]),
	/**
	 * Drawn by the agent at its start. A repeated seq is answered only to the agent that sent it first: of two agents under one host id (a
	 * copied disk) one goes on, the other gets 409.
	 */
	agent: z.string().max(32).optional(),
	/** Channels up now, other people's on our trunks included. */
	live: z.int().min(0),
	/** Calls the host can use: free channels plus `prefetch`. More than its capacity is cut, not refused. */
	want: z.int().min(0),
	/** How many of `want` are beyond the free channels: what is expected to finish before the next answer. */
	prefetch: z.int().min(0).default(0),
	/**
	 * Calls that it holds, has not dialed and does not give back. A host without any, and granted none, is given no slots: nobody could use them.
	 * Absent: not known.
	 */
	waiting: z.int().min(0).optional(),
	/** Slots wanted by trunk; for a campaign with a rate of its own by `#` and its key in `campaignShare`. */
	slots: z.record(slotKeySchema, z.int().min(0)).default({}),
	/** Slots that are valid for less begin so far ahead, ms: the host's usual time from sending a request to being able to use its answer. */
	slotLeadMs: z.int().min(0).max(MAX_SLOT_LEAD_MS).default(DEFAULT_SLOT_LEAD_MS),
	completed: z.array(completedCallSchema).max(MAX_COMPLETED_PER_SYNC),
	/** Calls given back, never originated. */
	returned: z.array(z.string().max(160)).max(MAX_COMPLETED_PER_SYNC),
	/** The oldest seq of this epoch with a call that is not settled by this request; `seq` if none. */
	low: z.int().min(1).optional(),
	/**
	 * Calls of earlier epochs that still have, or may have, a channel. Their channels count against trunk and campaign until the host
	 * leaves them out here. Absent: the host does not know, and they count until `maxCallSec` has passed.
	 */
	earlier: z.array(z.string().max(160)).max(MAX_HOST_CAPACITY).optional(),
	/** Both are sent when they changed. */
	inventory: inventorySchema.optional(),
	trunks: trunkHealthSchema.optional(),
});
export type SyncRequest = z.infer<typeof syncRequestSchema>;

export const syncResponseSchema = z.object({
	seq: z.int(),
	/** The control plane's clock (ms since 1970) in the middle of its work on the request: with equal ways there and back, the middle of the round trip. */
	now: z.number(),
	calls: z.array(grantedCallSchema),
	/**
	 * Moments (ms since 1970, the control plane's clock) at which the host may start a call on the trunk. Calls that are `paced` have slots of their own, and use
	 * no others: their key is `#` and the key in `campaignShare`.
	 */
	slots: z.record(z.string(), z.array(z.number())),
	/** How long after its moment a slot of the trunk may still be used, ms. */
	slotValidMs: z.record(z.string(), z.number()),
	/** How many channels of the trunk the host may use at once. */
	share: z.record(z.string(), z.int()),
	/** The same by campaign on that trunk: both hold. The key is the campaign's id, on its further trunks with `/` and the trunk's index. What is not named has 0. */
	campaignShare: z.record(z.string(), z.int()),
	recall: z.array(z.string()),
	hangup: z.array(z.string()),
	refused: z.array(z.object({ callId: z.string(), reason: z.string() })),
	drain: z.boolean(),
	configVersion: z.int(),
	audioVersion: z.int(),
	/** When to sync next at the latest, ms from now. */
	nextSyncMs: z.int(),
});
export type SyncResponse = z.infer<typeof syncResponseSchema>;

/** Query of `GET /v1/hosts/{hostId}/peek`. */
export const peekQuerySchema = z.object({
	/** The host's epoch: where it has ended, the answer is 409 staleEpoch. Absent: not compared. */
	epoch: z.coerce.number().int().min(1).optional(),
});
export type PeekQuery = z.infer<typeof peekQuerySchema>;

/** `GET /v1/hosts/{hostId}/peek`. */
export const peekResponseSchema = z.object({
	/** Whether a sync would probably bring calls. */
	work: z.boolean(),
	drain: z.boolean(),
	configVersion: z.int(),
	now: z.number(),
	nextPeekMs: z.int(),
});
export type PeekResponse = z.infer<typeof peekResponseSchema>;

/** A trunk as a host needs it to render its files. */
export const hostTrunkSchema = z.object({
	id: nameSchema,
	type: z.enum(["pjsip", "iax2", "existing"]),
	host: z.string().optional(),
	port: z.int().optional(),
	username: z.string().optional(),
	secretRef: z.string().optional(),
	endpoint: z.string().optional(),
	codecs: z.array(z.string()),
	qualify: z.union([z.literal("off"), z.int()]),
	callerIdIn: z.enum(["from", "pai", "rpid"]),
});
export type HostTrunk = z.infer<typeof hostTrunkSchema>;

/** `GET /v1/hosts/{hostId}/config`. */
export const hostConfigSchema = z.object({
	configVersion: z.int(),
	/** Channels: the control plane's figure. */
	capacity: z.int(),
	trunks: z.array(hostTrunkSchema),
	/** A host without an answer for so long originates nothing more. */
	fenceSec: z.number(),
	/** A busy host syncs at least so often. */
	maxSyncIntervalMs: z.int(),
	/** An idle host peeks so often. */
	peekIntervalMs: z.int(),
});
export type HostConfig = z.infer<typeof hostConfigSchema>;

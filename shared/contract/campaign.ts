import { z } from "zod";
import {
	DEFAULT_MAX_CALL_SEC,
	DEFAULT_RING_TIMEOUT_SEC,
	MAX_CALL_LIMIT_SEC,
	MAX_RING_TIMEOUT_SEC,
	thenSchema,
	varsSchema,
} from "./call.ts";
import { RETRYABLE_OUTCOMES } from "./outcome.ts";
import { callerIdSchema, MAX_TRUNK_CHANNELS, nameSchema } from "./trunk.ts";

export const CAMPAIGN_STATES = [
	"importing",
	"scheduled",
	"running",
	"paused",
	"completed",
	"cancelled",
	"failed",
] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];
export const CONTACT_STATES = ["pending", "claimed", "done"] as const;
export type ContactState = (typeof CONTACT_STATES)[number];

/** Most attempts a contact may have in one campaign: bounds its history, and so its size. */
export const MAX_ATTEMPTS = 5;
/** The largest retry delay: 7 days. */
export const MAX_RETRY_DELAY_SEC = 7 * 86_400;
/** Rows that one request may bring and that are stored before it is answered; more go through the import queue. */
export const MAX_INLINE_ROWS = 500;
/** Larger bodies are refused with 413 naming the uploads (4 MB: Lambda's payload limit less base64). */
export const MAX_BODY_BYTES = 4_000_000;

/** One row of a list. Rows are checked one by one, so that a bad row is rejected alone. */
export const contactRowSchema = z.strictObject({
	number: z.string(),
	/** The row's own id; default: the number. A duplicate is the same id. */
	id: z
		.string()
		.regex(/^[A-Za-z0-9_.:@+-]{1,128}$/, "letters, digits and _ . : @ + - only, at most 128")
		.optional(),
	vars: varsSchema.optional(),
});
export type ContactRow = z.infer<typeof contactRowSchema>;

const retryRuleSchema = z.strictObject({
	/** Delay before the next attempt, seconds. */
	afterSec: z.int().min(1).max(MAX_RETRY_DELAY_SEC),
	/** Most further attempts after this outcome. */
	max: z
		.int()
		.min(0)
		.max(MAX_ATTEMPTS - 1),
});
export const retrySchema = z.partialRecord(z.enum(RETRYABLE_OUTCOMES), retryRuleSchema);
export type Retry = z.infer<typeof retrySchema>;

const maxChannelsSchema = z.int().min(1).max(MAX_TRUNK_CHANNELS);

/** `POST /v1/campaigns`. `contacts` is checked row by row, see {@link contactRowSchema}. */
export const campaignSchema = z.strictObject({
	name: z.string().min(1).max(128),
	trunk: nameSchema,
	/** Default: the trunk's first caller id. Must be one of the trunk's. */
	callerId: callerIdSchema.optional(),
	contacts: z.array(z.unknown()).min(1, "the list is empty; leave `contacts` out to add them later").optional(),
	then: thenSchema,
	/** Not before this time, ISO 8601. Default: now. */
	startAt: z.iso.datetime({ offset: true }).optional(),
	/**
	 * When it should be done, ISO 8601. The fleet starts burst hosts for it only as far as the deadline needs them; without one, as far as the caps
	 * allow. Dialing goes on after it.
	 */
	deadline: z.iso.datetime({ offset: true }).optional(),
	/** Whether calls may be cut off when a spot instance is taken away: then spot hosts may carry them. */
	allowDroppedCalls: z.boolean().default(false),
	/** Most channels at once. Default: the trunk's. */
	maxChannels: maxChannelsSchema.optional(),
	ringTimeoutSec: z.int().min(1).max(MAX_RING_TIMEOUT_SEC).default(DEFAULT_RING_TIMEOUT_SEC),
	maxCallSec: z.int().min(1).max(MAX_CALL_LIMIT_SEC).default(DEFAULT_MAX_CALL_SEC),
	retry: retrySchema.default({}),
});
export type CampaignInput = z.infer<typeof campaignSchema>;

/** `PATCH /v1/campaigns/{id}`: in force for the next grant. */
export const campaignPatchSchema = z
	.strictObject({
		maxChannels: maxChannelsSchema,
		callerId: callerIdSchema,
		retry: retrySchema,
		name: z.string().min(1).max(128),
		/** `null` takes it away. */
		deadline: z.iso.datetime({ offset: true }).nullable(),
	})
	.partial()
	.refine((patch) => Object.keys(patch).length > 0, "nothing to change");
export type CampaignPatch = z.infer<typeof campaignPatchSchema>;

/** Fields of the design that are not built yet: refused with 422, never silently ignored. */
export const NOT_BUILT_FIELDS = [
	"purpose",
	"trunks",
	"callerIds",
	"numbers",
	"maxCps",
	"priority",
	"window",
	"webhook",
	"amd",
	"from",
	"timeZone",
] as const;

/** `POST /v1/calls`: one test call, by the same rules as a campaign's. */
export const testCallSchema = z.strictObject({
	trunk: nameSchema,
	number: z.string(),
	callerId: callerIdSchema.optional(),
	then: thenSchema,
	vars: varsSchema.optional(),
	ringTimeoutSec: z.int().min(1).max(MAX_RING_TIMEOUT_SEC).default(DEFAULT_RING_TIMEOUT_SEC),
	maxCallSec: z.int().min(1).max(MAX_CALL_LIMIT_SEC).default(DEFAULT_MAX_CALL_SEC),
});

import { z } from "zod";
import { budgetSchema } from "./budget.ts";
import {
	DEFAULT_MAX_CALL_SEC,
	DEFAULT_RING_TIMEOUT_SEC,
	MAX_CALL_LIMIT_SEC,
	MAX_RING_TIMEOUT_SEC,
	MAX_VARS_BYTES,
	ON_MACHINE,
	thenSchema,
	varsSchema,
} from "./call.ts";
import { OUTCOMES, RETRYABLE_OUTCOMES } from "./outcome.ts";
import { callerIdSchema, MAX_TRUNK_CHANNELS, MAX_TRUNK_CPS, nameSchema } from "./trunk.ts";
import { purposeSchema, timeZoneSchema, windowSchema } from "./window.ts";

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
export const MAX_ATTEMPTS = 15;
/** The most that a retry rule may ask for. */
export const MAX_RETRIES = 9;
/** The largest retry delay: 7 days. */
export const MAX_RETRY_DELAY_SEC = 7 * 86_400;
/** Rows that one request may bring and that are stored before it is answered; more go through the import queue. */
export const MAX_INLINE_ROWS = 500;
/** Larger bodies are refused with 413 naming the uploads (4 MB: Lambda's payload limit less base64). */
export const MAX_BODY_BYTES = 4_000_000;

/** One of two fields, not both and, where one is `needed`, not none. */
const oneOf =
	(one: string, other: string, needed: boolean) =>
	(value: Record<string, unknown>, context: z.RefinementCtx): void => {
		const count = [one, other].filter((field) => value[field] !== undefined).length;
		const message = count > 1 ? `and \`${other}\` exclude each other` : `is missing (or \`${other}\`)`;
		if (count > 1 || (needed && count === 0)) context.addIssue({ code: "custom", path: [one], message });
	};

/** Numbers of one contact. */
export const MAX_NUMBERS = 5;
/**
 * What a contact brings along (variables, numbers, zone, consent), each as JSON, bytes: with the history of its first attempt it stays within one
 * write unit (1 KB).
 */
export const MAX_CONTACT_BYTES = MAX_VARS_BYTES;
/** Trunks of one campaign: a callId has one digit for which of them. */
export const MAX_TRUNKS = 8;

/** Consent that the callee gave, kept with the contact. */
export const consentSchema = z.strictObject({
	/** When, ISO 8601. */
	at: z.iso.datetime({ offset: true }).or(z.iso.date()),
	kind: z.enum(["written", "oral", "webForm", "existingCustomer"]),
});
export type Consent = z.infer<typeof consentSchema>;

/** One of the numbers of a contact. */
const contactNumberSchema = z.strictObject({
	number: z.string(),
	/** What it is, for the reports: home, mobile, work … */
	kind: z
		.string()
		.regex(/^[A-Za-z0-9_-]{1,16}$/, "letters, digits, _ and -, at most 16")
		.optional(),
});
export type ContactNumber = z.infer<typeof contactNumberSchema>;

const jsonBytes = (value: unknown): number => (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value)));

const contactFields = z.strictObject({
	/** Or `numbers`. */
	number: z.string().optional(),
	/** Tried in order. */
	numbers: z
		.array(contactNumberSchema)
		.min(1, "is empty")
		.max(MAX_NUMBERS, `has more than ${MAX_NUMBERS} numbers`)
		.superRefine((numbers, context) => {
			for (const [i, { number }] of numbers.entries()) {
				if (numbers.findIndex((other) => other.number === number) === i) continue;
				context.addIssue({ code: "custom", path: [i], message: "is there twice" });
			}
		})
		.optional(),
	/** The callee's zone where it is known better than from the number. */
	timeZone: timeZoneSchema.optional(),
	consent: consentSchema.optional(),
	/** The row's own id; default: the number, of several the first. A duplicate is the same id. */
	id: z
		.string()
		.regex(/^[A-Za-z0-9_.:@+-]{1,128}$/, "letters, digits and _ . : @ + - only, at most 128")
		.optional(),
	vars: varsSchema.optional(),
});

/** One row of a list. Rows are checked one by one, so that a bad row is rejected alone. */
export const contactRowSchema = contactFields
	.superRefine(oneOf("number", "numbers", true))
	.superRefine(({ vars, numbers, timeZone, consent }, context) => {
		const varsBytes = jsonBytes(vars);
		const bytes = varsBytes + jsonBytes(numbers) + jsonBytes(timeZone) + jsonBytes(consent);
		// Variables that are too long by themselves were told so.
		if (bytes <= MAX_CONTACT_BYTES || varsBytes > MAX_VARS_BYTES) return;
		context.addIssue({
			code: "custom",
			message: `vars, numbers, timeZone and consent take ${bytes} bytes as JSON, at most ${MAX_CONTACT_BYTES} are stored with a contact; shorten the variables`,
		});
	});
export type ContactRow = z.infer<typeof contactRowSchema>;

const retryRuleSchema = z.strictObject({
	/** Delay before the next attempt, seconds. */
	afterSec: z.int().min(1).max(MAX_RETRY_DELAY_SEC),
	/** Most further attempts after this outcome. */
	max: z.int().min(0).max(MAX_RETRIES),
	/** The delay of every further attempt is that of the one before times this (default 1); at most 7 days. */
	growth: z.number().min(1).max(10).optional(),
	/** Whether the next attempt is to go through another of the campaign's trunks. Default: after congestion and trunkFailure only. */
	otherTrunk: z.boolean().optional(),
});
export type RetryRule = z.infer<typeof retryRuleSchema>;
export const retrySchema = z.partialRecord(z.enum(RETRYABLE_OUTCOMES), retryRuleSchema);
export type Retry = z.infer<typeof retrySchema>;

/** Calls to one number that are remembered: more would not fit into the 1 KB that one write unit takes. */
export const MAX_CALLEE_CALLS = 50;
/** They are remembered for so long: 30 days. */
export const MAX_CALLEE_HOURS = 30 * 24;
/** Calls to one number, over all campaigns and caller ids. */
export const calleeLimitSchema = z
	.strictObject({
		/** At most `max` in any `perHours` hours. */
		max: z.int().min(1).max(MAX_CALLEE_CALLS).optional(),
		perHours: z.int().min(1).max(MAX_CALLEE_HOURS).optional(),
		/** From one call's start to the next, seconds. */
		minGapSec: z
			.int()
			.min(1)
			.max(MAX_CALLEE_HOURS * 3_600)
			.optional(),
	})
	.refine(({ max, perHours }) => (max === undefined) === (perHours === undefined), "max and perHours go together")
	.refine((limit) => Object.keys(limit).length > 0, "is empty");
export type CalleeLimit = z.infer<typeof calleeLimitSchema>;

/**
 * Answering machines: each answered call is listened to first (docs/amd.md). A person hears nothing meanwhile, 2 s after a short hello, 4.5 s where nobody says
 * anything.
 */
export const amdSchema = z.strictObject({
	/** False is as leaving `amd` out. */
	enabled: z.boolean(),
	/**
	 * `hangup`: the call ends. `play`: what `then` says begins when the greeting is over. `continue`: at once, as for a person; the dialplan sees
	 * the verdict.
	 */
	onMachine: z.enum(ON_MACHINE).default("hangup"),
});
export type Amd = z.infer<typeof amdSchema>;

const maxChannelsSchema = z.int().min(1).max(MAX_TRUNK_CHANNELS);
const maxCpsSchema = z.int().min(1).max(MAX_TRUNK_CPS);
export const DEFAULT_PRIORITY = 5;
/** A campaign has at most a hundred times the channels of another one on a full trunk. */
export const MAX_PRIORITY = 100;
const prioritySchema = z.int().min(1).max(MAX_PRIORITY);

/** `POST /v1/campaigns`. `contacts` is checked row by row, see {@link contactRowSchema}. */
const campaignFields = z.strictObject({
	name: z.string().min(1).max(128),
	/** What its calls are for: rules of law that do not hold for a purpose are not applied, and that is recorded. */
	purpose: purposeSchema.default("marketing"),
	/** Or `trunks`. */
	trunk: nameSchema.optional(),
	/** Several trunks, used in proportion to their weights; what one cannot take goes to the others. */
	trunks: z
		.array(z.strictObject({ id: nameSchema, weight: z.int().min(1).max(100).default(1) }))
		.min(1)
		.max(MAX_TRUNKS)
		.refine((trunks) => new Set(trunks.map(({ id }) => id)).size === trunks.length, "names a trunk twice")
		.optional(),
	/** Default: those of the trunk. Must be among the trunk's. */
	callerId: callerIdSchema.optional(),
	/** Or several: the one nearest to the callee's number is shown, equally near ones in turn; a contact always sees the same. */
	callerIds: z.array(callerIdSchema).min(1).max(100).optional(),
	/** Contacts of another campaign that ended so, as this one's list. That campaign may be in any state: those that are done by then count. */
	from: z
		.strictObject({
			campaignId: z.string().regex(/^[0-9a-z]{16}$/, "a campaignId"),
			/** As in the other campaign's `outcomes`; `cancelled` and `suppressed` too. */
			outcomes: z.array(z.enum(OUTCOMES)).min(1),
		})
		.optional(),
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
	/** Most calls per second, in any rolling second. Default: the trunks'. */
	maxCps: maxCpsSchema.optional(),
	/** Of a trunk that is full, campaigns have channels in proportion to this. */
	priority: prioritySchema.default(DEFAULT_PRIORITY),
	window: windowSchema.optional(),
	/** Calls to one number; those of the settings and of law hold besides. */
	calleeLimit: calleeLimitSchema.optional(),
	/** Do-not-call lists that it honours besides those for all campaigns. */
	suppressionLists: z.array(nameSchema).max(20).optional(),
	amd: amdSchema.optional(),
	/** What it may cost. */
	budget: budgetSchema.optional(),
	ringTimeoutSec: z.int().min(1).max(MAX_RING_TIMEOUT_SEC).default(DEFAULT_RING_TIMEOUT_SEC),
	maxCallSec: z.int().min(1).max(MAX_CALL_LIMIT_SEC).default(DEFAULT_MAX_CALL_SEC),
	retry: retrySchema.default({}),
});
export const campaignSchema = campaignFields
	.superRefine(oneOf("trunk", "trunks", true))
	.superRefine(oneOf("callerId", "callerIds", false))
	.superRefine(oneOf("contacts", "from", false));
export type CampaignInput = z.infer<typeof campaignSchema>;
/** Which contacts of which campaign another one is made of. */
export type From = NonNullable<CampaignInput["from"]>;

/** `PATCH /v1/campaigns/{id}`: in force for the next grant. */
export const campaignPatchSchema = z
	.strictObject({
		maxChannels: maxChannelsSchema,
		/** `null` takes it away. */
		maxCps: maxCpsSchema.nullable(),
		priority: prioritySchema,
		callerId: callerIdSchema,
		callerIds: z.array(callerIdSchema).min(1).max(100),
		/** `null` takes it away; the rules of law hold all the same. */
		window: windowSchema.nullable(),
		retry: retrySchema,
		/** `null` takes it away: what its `usdPerDay` paused goes on, what its `usd` paused is resumed by hand. */
		budget: budgetSchema.nullable(),
		name: z.string().min(1).max(128),
		/** `null` takes it away. */
		deadline: z.iso.datetime({ offset: true }).nullable(),
	})
	.partial()
	.superRefine(oneOf("callerId", "callerIds", false))
	.refine((patch) => Object.keys(patch).length > 0, "nothing to change");
export type CampaignPatch = z.infer<typeof campaignPatchSchema>;

/** Fields of the design that are not built yet: refused with 422, never silently ignored. */
export const NOT_BUILT_FIELDS = ["webhook"] as const;

/** `POST /v1/calls`: one test call, by the same rules as a campaign's. */
export const testCallSchema = z.strictObject({
	trunk: nameSchema,
	number: z.string(),
	callerId: callerIdSchema.optional(),
	then: thenSchema,
	vars: varsSchema.optional(),
	ringTimeoutSec: z.int().min(1).max(MAX_RING_TIMEOUT_SEC).default(DEFAULT_RING_TIMEOUT_SEC),
	maxCallSec: z.int().min(1).max(MAX_CALL_LIMIT_SEC).default(DEFAULT_MAX_CALL_SEC),
	amd: amdSchema.optional(),
});

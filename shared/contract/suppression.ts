import { z } from "zod";
import { calleeLimitSchema } from "./campaign.ts";
import { CAMPAIGN_ID_PATTERN } from "./ids.ts";
import { nameSchema } from "./trunk.ts";
import { purposeSchema } from "./window.ts";

/** The list that takes opt-outs: it is always there, is in force for every campaign and cannot be changed or deleted. */
export const OPT_OUT_LIST = "opt-outs";
/** `GET /v1/suppression/numbers/{number}` asks for a number, not for a list. */
const RESERVED_NAMES = ["numbers"];
export const suppressionNameSchema = nameSchema.refine((name) => !RESERVED_NAMES.includes(name), "is reserved");

/** The age in days beyond which the law lets nobody rely on a register (United States: 16 CFR 310.4(b)(3)(iv), 31 days). */
export const REGISTER_MAX_AGE_DAYS = 31;
/** A register that may be older than this is none. */
const MAX_AGE_LIMIT_DAYS = 366;

/** Which campaigns a list is in force for: all, those of some purposes, or only those that name it (in `suppressionLists`). */
export const suppressionScopeSchema = z.union(
	[
		z.enum(["all", "named"]),
		z
			.array(purposeSchema)
			.min(1)
			.refine((purposes) => new Set(purposes).size === purposes.length, "names a purpose twice"),
	],
	'must be "all", "named" or an array of purposes, as in ["marketing"]',
);
export type SuppressionScope = z.infer<typeof suppressionScopeSchema>;

/** `PUT /v1/suppression/{list}`. */
export const suppressionListSchema = z
	.strictObject({
		/** A campaign that names the list is bound by it, whatever the scope. */
		scope: suppressionScopeSchema,
		/** `own`: kept by you, valid for ever. `register`: a copy of an external register, which grows old. */
		kind: z.enum(["own", "register"]).default("own"),
		/** A register that was last loaded longer ago is stale: campaigns that it is in force for are granted nothing. Days; default 31. */
		maxAgeDays: z.int().min(1).max(MAX_AGE_LIMIT_DAYS).optional(),
	})
	.refine(({ kind, maxAgeDays }) => kind === "register" || maxAgeDays === undefined, {
		message: "is only for a list of kind register: your own list does not grow old",
		path: ["maxAgeDays"],
	});
export type SuppressionListInput = z.output<typeof suppressionListSchema>;

/** A number as campaigns dial it. */
export const calleeNumberSchema = z
	.string()
	.regex(
		/^(\+[1-9][0-9]{7,14}|[0-9]{1,32})$/,
		"is neither E.164 (+ and 8 to 15 digits) nor a number of a private trunk (at most 32 digits)",
	);

/** One row of `POST /v1/suppression/{list}/numbers`: the number, or a contact of which nothing but its number is read. */
export const suppressedRowSchema = z.union([z.string(), z.looseObject({ number: z.string() })]);
/** The query of `POST /v1/suppression/{list}/numbers`. */
export const addNumbersQuerySchema = z.strictObject({
	/** Rows before this line are passed over: where an answer said `nextLine`, the same body goes on from there. */
	fromLine: z.coerce.number().int().min(1).default(1),
	/** Other parts of the list follow: it counts as loaded with the first body that comes without this. */
	more: z.enum(["true", "false"]).default("false"),
});

/** Longest note to an opt-out, characters: it is kept in the number's item, which is to stay below 1 KB. */
const MAX_NOTE_CHARS = 200;

/** `POST /v1/opt-outs`: the callee does not want to be called again. */
export const optOutSchema = z.strictObject({
	number: calleeNumberSchema,
	/** The campaign in whose call it was said. */
	campaignId: z.string().regex(CAMPAIGN_ID_PATTERN, "a campaignId").optional(),
	/** How it came, for the records. */
	note: z.string().min(1).max(MAX_NOTE_CHARS).optional(),
});
export type OptOutInput = z.output<typeof optOutSchema>;

/** `PUT /v1/calling-policy`: what holds for every campaign. What is left out does not hold. */
export const callingPolicySchema = z.strictObject({
	/** Calls to one number, over all campaigns and caller ids. */
	calleeLimit: calleeLimitSchema.optional(),
});
export type CallingPolicy = z.output<typeof callingPolicySchema>;

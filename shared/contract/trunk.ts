import { z } from "zod";

/** Trunk and host ids: they become section names in Asterisk's files and parts of keys. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,31}$/;
export const nameSchema = z
	.string()
	.regex(NAME_PATTERN, "lower-case letters, digits and -, at most 32, beginning with a letter or digit");

export const MAX_TRUNK_CHANNELS = 10_000;
/** Above this, slots are closer than hosts can keep (spacing of 1 ms). */
export const MAX_TRUNK_CPS = 1_000;

const dialTextSchema = z.string().regex(/^[0-9+*#]{0,16}$/, "digits, +, * and # only, at most 16");

/** How a number is changed for the carrier: `+` taken off or kept, then `strip` leading digits, then `prefix`. */
export const numberFormatSchema = z.strictObject({
	/** Leading digits to take off (after the `+`). */
	strip: z.int().min(0).max(15).default(0),
	prefix: dialTextSchema.default(""),
	/** Whether the carrier wants a leading `+`. */
	plus: z.boolean().default(false),
});
export type NumberFormat = z.infer<typeof numberFormatSchema>;

const hostnameSchema = z
	.string()
	.max(253)
	.regex(
		/^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
		"a host name or an IPv4 address",
	);

export const e164Schema = z.string().regex(/^\+[1-9][0-9]{7,14}$/, "E.164: + and 8 to 15 digits");
export const privateNumberSchema = z.string().regex(/^[0-9]{1,32}$/, "digits only, at most 32");
export const callerIdSchema = z
	.string()
	.regex(/^(\+[1-9][0-9]{7,14}|[0-9]{1,32})$/, "E.164, or digits only on a private trunk");

export const CODECS = ["ulaw", "alaw", "g722", "g729", "gsm", "opus"] as const;

/** `PUT /v1/trunks/{id}`. */
export const trunkSchema = z.strictObject({
	/** `existing`: the endpoint is the operator's own; nothing is rendered. */
	type: z.enum(["pjsip", "iax2", "existing"]),
	/** Address of the carrier; not for `existing`. */
	host: hostnameSchema.optional(),
	port: z.int().min(1).max(65_535).optional(),
	username: z
		.string()
		.regex(/^[A-Za-z0-9._@+-]{1,64}$/, "letters, digits and . _ @ + - only")
		.optional(),
	/** Where the host finds the password: `host:NAME` is the file NAME in the agent's folder of secrets. */
	secretRef: z
		.string()
		.regex(/^host:[A-Za-z0-9._-]{1,64}$/, "host:NAME, NAME being a file in the agent's folder of secrets")
		.optional(),
	/** For `existing`: the technology and endpoint as in Dial(), for example `PJSIP/carrier`. */
	endpoint: z
		.string()
		.regex(/^(PJSIP|IAX2|SIP)\/[A-Za-z0-9_.-]{1,64}$/, "PJSIP/name, IAX2/name or SIP/name")
		.optional(),
	maxChannels: z.int().min(1).max(MAX_TRUNK_CHANNELS),
	/** Calls per second over all hosts, in any rolling second. */
	maxCps: z.int().min(1).max(MAX_TRUNK_CPS),
	/** Numbers that are yours to show. A campaign that names none shows the nearest to the callee's number. */
	callerIds: z.array(callerIdSchema).max(1_000).default([]),
	codecs: z.array(z.enum(CODECS)).min(1).max(CODECS.length).default(["ulaw", "alaw"]),
	/** Seconds between two OPTIONS to the carrier; `off` for carriers that do not answer them. */
	qualify: z.union([z.literal("off"), z.int().min(1).max(600)]).default(30),
	numbering: z.enum(["e164", "private"]).default("e164"),
	format: z
		.strictObject({
			number: numberFormatSchema.prefault({}),
			callerId: numberFormatSchema.prefault({}),
			/** Which header carries the caller id: From, P-Asserted-Identity or Remote-Party-ID. */
			callerIdIn: z.enum(["from", "pai", "rpid"]).default("from"),
		})
		.prefault({}),
	/** Countries that may be dialed, ISO 3166-1 alpha-2. Default: those of the caller ids. */
	countries: z
		.array(z.string().regex(/^[A-Z]{2}$/, "a country is two capital letters, as in US"))
		.max(250)
		.optional(),
	/**
	 * Whether the carrier must know the address that a call comes from: then a burst host may use the trunk only with an Elastic IP of the fleet's
	 * pool. Steady hosts have addresses that you gave the carrier yourself.
	 */
	addresses: z.enum(["any", "known"]).default("any"),
	/** Which hosts may use the trunk. */
	hosts: z.union([z.enum(["all", "steady"]), z.array(nameSchema).min(1).max(500)]).default("all"),
});
export type TrunkInput = z.infer<typeof trunkSchema>;
/** A trunk as it is stored and shown. */
export type Trunk = TrunkInput & { id: string; countries: string[] };

import { z } from "zod";
import { CALL_ID_PATTERN } from "./ids.ts";
import { HOST_OUTCOMES } from "./outcome.ts";

/** `[A-Za-z][A-Za-z0-9_]{0,63}`: nothing that Asterisk could take for a function, a group or an inherited variable. */
export const VARIABLE_NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Extension and sound names: no path, no dialplan syntax. */
export const EXTENSION_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
export const CONTEXT_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
export const SOUND_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Longest value of one variable, in characters. */
export const MAX_VARIABLE_CHARS = 256;
/** Most variables of one contact; with their values they must stay below {@link MAX_VARS_BYTES}. */
export const MAX_VARIABLES = 20;
/** All variables of one contact as JSON, in bytes: keeps a contact within one write unit (1 KB). */
export const MAX_VARS_BYTES = 512;

/** Upper limits of times of a call, in seconds. */
export const MAX_RING_TIMEOUT_SEC = 120;
export const MAX_CALL_LIMIT_SEC = 4 * 3600;
export const DEFAULT_RING_TIMEOUT_SEC = 30;
/** Every call ends at the latest after this; Asterisk and the agent both enforce it. */
export const DEFAULT_MAX_CALL_SEC = 3600;
export const MAX_WAIT_SEC = 3600;

/** Control characters are refused everywhere: they would end a line in a file, a header or a log. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

export const variableValueSchema = z
	.string()
	.max(MAX_VARIABLE_CHARS)
	.refine((value) => !CONTROL.test(value), "must not contain control characters such as line breaks")
	.refine((value) => !/\$[{[]/.test(value), "must not contain ${ or $[, which begin an expression in a dialplan");

export const varsSchema = z
	.record(
		z.string().regex(VARIABLE_NAME_PATTERN, "a variable's name is a letter, then up to 63 letters, digits or _"),
		variableValueSchema,
	)
	.refine((vars) => Object.keys(vars).length <= MAX_VARIABLES, `at most ${MAX_VARIABLES} variables`)
	.refine(
		(vars) => Buffer.byteLength(JSON.stringify(vars)) <= MAX_VARS_BYTES,
		`all variables together take at most ${MAX_VARS_BYTES} bytes as JSON`,
	);

/** What happens with an answered call. */
export const thenSchema = z.union(
	[
		z.strictObject({
			play: z.string().regex(SOUND_PATTERN, "a sound's name is letters, digits, _ and -, without path or ending"),
		}),
		z.strictObject({
			context: z.string().regex(CONTEXT_PATTERN, "a context's name is letters, digits, _ and -"),
			extension: z.string().regex(EXTENSION_PATTERN, "an extension is letters, digits, _ and -").default("s"),
		}),
		z.strictObject({ wait: z.int().min(1).max(MAX_WAIT_SEC) }),
	],
	{ error: 'must be { "play": sound }, { "context": name, "extension": name } or { "wait": seconds }' },
);
export type Then = z.infer<typeof thenSchema>;

/** What happens to a call that an answering machine took, see amdSchema. */
export const ON_MACHINE = ["hangup", "play", "continue"] as const;

/** A call as a sync grants it to a host. */
export const grantedCallSchema = z.object({
	callId: z.string().regex(CALL_ID_PATTERN),
	campaignId: z.string(),
	/** What the trunk's carrier takes: digits, `#`, `*` and `+` only; the trunk's `format` is already applied. */
	number: z.string().regex(/^[0-9#*+]{1,40}$/),
	trunk: z.string(),
	/** As the carrier takes it; `` for none. */
	callerId: z.string().regex(/^[0-9#*+]{0,40}$/),
	ringTimeoutSec: z.int().positive(),
	maxCallSec: z.int().positive(),
	then: thenSchema,
	vars: z.record(z.string(), z.string()),
	/** Its campaign has a rate of its own: only slots of that are for it. */
	paced: z.boolean().optional(),
	/** The answered call is listened to before what `then` says; absent: it is not. */
	amd: z.object({ onMachine: z.enum(ON_MACHINE) }).optional(),
});
export type GrantedCall = z.infer<typeof grantedCallSchema>;

const instant = z.iso.datetime({ offset: true, precision: 3 }).or(z.iso.datetime({ offset: true }));

/**
 * `notsure`: it did not decide in its time, and the call went on as a person's. `hangup`: the callee hung up before. `unavailable`: this host has no AMD(), or it
 * could not listen; the call went on as a person's.
 */
export const AMD_VERDICTS = ["human", "machine", "notsure", "hangup", "unavailable"] as const;
/** Longest {@link amdResultSchema} `cause`, in characters; Asterisk's are shorter. */
export const MAX_AMD_CAUSE_CHARS = 40;
/** A call is never longer than {@link MAX_CALL_LIMIT_SEC}. */
const amdTimeSchema = z
	.int()
	.min(0)
	.max(2 * MAX_CALL_LIMIT_SEC * 1_000);

/** What the detection of answering machines found in a call. */
export const amdResultSchema = z.object({
	verdict: z.enum(AMD_VERDICTS),
	/** AMD()'s AMDCAUSE, as `LONGGREETING-2500-2500`. */
	cause: z.string().max(MAX_AMD_CAUSE_CHARS).nullish(),
	/** From the answer to the verdict, ms: so long the callee heard nothing. Absent where the moment of the answer is not known. */
	decidedMs: amdTimeSchema.nullish(),
	/** From the answer until a machine's greeting was over, ms; only where that was waited for. */
	greetingMs: amdTimeSchema.nullish(),
	/** How its end was noticed. `limit`: it was not, the waiting was over. */
	greetingEnd: z.enum(["silence", "beep", "limit"]).nullish(),
});
export type AmdResult = z.infer<typeof amdResultSchema>;

/** A completion as a host reports it. Times are the control plane's (the host corrects by its offset), ISO 8601 with milliseconds. */
export const completedCallSchema = z.object({
	callId: z.string().max(160),
	outcome: z.enum(HOST_OUTCOMES),
	/** Q.850 hangup cause, 0 to 127. */
	cause: z.int().min(0).max(127).nullish(),
	/** The final SIP status, where the channel's technology reports one. */
	sipCode: z.int().min(0).max(699).nullish(),
	/** When the call was originated; absent where it never was. */
	startedAt: instant.nullish(),
	ringingAt: instant.nullish(),
	answeredAt: instant.nullish(),
	endedAt: instant.nullish(),
	/** What the dialplan left in variables named `BURST_RESULT_…`, without that prefix. */
	vars: z.record(z.string().regex(VARIABLE_NAME_PATTERN), z.string().max(MAX_VARIABLE_CHARS)).optional(),
	/** Where AMD() listened to the call, or should have. */
	amd: amdResultSchema.nullish(),
});
export type CompletedCall = z.infer<typeof completedCallSchema>;

import { z } from "zod";

/** How a call, or a contact, ended. The table that decides it is `host/agent/outcome.ts`. */
export const OUTCOMES = [
	"answered",
	"machine",
	"busy",
	"noAnswer",
	"unavailable",
	"rejected",
	"invalidNumber",
	"congestion",
	"trunkFailure",
	"hostLost",
	"unknown",
	"cancelled",
	"suppressed",
] as const;
export const outcomeSchema = z.enum(OUTCOMES);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Outcomes that a host can report of a call that it was granted. */
export const HOST_OUTCOMES = [
	"answered",
	"machine",
	"busy",
	"noAnswer",
	"unavailable",
	"rejected",
	"invalidNumber",
	"congestion",
	"trunkFailure",
	"unknown",
] as const satisfies readonly Outcome[];

/** Outcomes for which a campaign may ask for another attempt. */
export const RETRYABLE_OUTCOMES = [
	"busy",
	"noAnswer",
	"unavailable",
	"rejected",
	"congestion",
	"trunkFailure",
	"hostLost",
	"unknown",
] as const satisfies readonly Outcome[];

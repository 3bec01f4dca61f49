import { z } from "zod";

/**
 * What the command reads of the API's answers. Loose: fields that it does not know are passed on untouched with
 * `--json`, so that a newer control plane can be used.
 */

const time = z.union([z.string(), z.number()]).nullish();

/** Rows that were not taken, with line and reason. */
const rejectedSchema = z.array(
	z.looseObject({ line: z.number().nullish(), number: z.string().nullish(), reason: z.string() }),
);

/** What became of a list: at once, or later by the import queue. */
export const contactsResultSchema = z.looseObject({
	accepted: z.number().optional(),
	duplicates: z.number().optional(),
	rejected: rejectedSchema.optional(),
	rejectedCount: z.number().optional(),
	importId: z.string().optional(),
	state: z.string().optional(),
	failure: z.string().nullish(),
});
export type ContactsResult = z.infer<typeof contactsResultSchema>;

/** When a campaign will be done; an older control plane does not say it, and of one that is over there is none. */
/** What a campaign cost so far, US dollars. */
const costSchema = z.looseObject({
	usd: z.number(),
	perAttemptUsd: z.number().nullish(),
	perAnsweredUsd: z.number().nullish(),
	forecastUsd: z.number().nullish(),
	items: z.record(z.string(), z.number()),
	notCounted: z.array(z.string()),
});
const forecastSchema = z.looseObject({
	finishAt: time,
	deadline: z.looseObject({ at: time, meets: z.boolean(), bySec: z.number().nullish() }).nullish(),
	words: z.string(),
});
export type ForecastView = z.infer<typeof forecastSchema>;

/** What a campaign's answer says of its course. */
const courseShape = {
	forecast: forecastSchema.nullish(),
	cost: costSchema.nullish(),
	costProblem: z.string().nullish(),
	warnings: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
};

export const createdCampaignSchema = z.looseObject({
	campaignId: z.string(),
	state: z.string(),
	contacts: contactsResultSchema.optional(),
	...courseShape,
});

/** How often one number is called. */
export const calleeLimitSchema = z.looseObject({
	max: z.number().optional(),
	perHours: z.number().optional(),
	minGapSec: z.number().optional(),
});
export type CalleeLimitView = z.infer<typeof calleeLimitSchema>;

const countsSchema = z.looseObject({
	total: z.number(),
	pending: z.number(),
	inProgress: z.number(),
	done: z.number(),
});

export const campaignSchema = z.looseObject({
	campaignId: z.string(),
	name: z.string(),
	state: z.string(),
	trunk: z.string().nullish(),
	trunks: z.array(z.looseObject({ id: z.string(), weight: z.number() })).nullish(),
	purpose: z.string().nullish(),
	callerId: z.string().nullish(),
	callerIds: z.array(z.string()).nullish(),
	maxCps: z.number().nullish(),
	priority: z.number().nullish(),
	window: z
		.looseObject({
			from: z.string(),
			to: z.string(),
			days: z.array(z.number()).nullish(),
			holidays: z.array(z.string()).nullish(),
			timeZone: z.string().nullish(),
		})
		.nullish(),
	calleeLimit: calleeLimitSchema.nullish(),
	suppressionLists: z.array(z.string()).nullish(),
	budget: z
		.looseObject({
			usd: z.number().nullish(),
			usdPerDay: z.number().nullish(),
			atLimit: z.string(),
			level: z.string().nullish(),
			spentUsd: z.number().nullish(),
			spentTodayUsd: z.number().nullish(),
			reservedUsd: z.number().nullish(),
		})
		.nullish(),
	pausedBy: z.string().nullish(),
	amd: z.looseObject({ enabled: z.boolean(), onMachine: z.string().nullish() }).nullish(),
	retry: z
		.record(
			z.string(),
			z.looseObject({
				afterSec: z.number(),
				max: z.number(),
				growth: z.number().optional(),
				otherTrunk: z.boolean().optional(),
			}),
		)
		.nullish(),
	/** Rules of law that were not applied, because of the purpose. */
	exemptions: z.array(z.looseObject({ rule: z.string(), at: time, tokenId: z.string().nullish() })).nullish(),
	/** Whose contacts it calls. */
	from: z.looseObject({ campaignId: z.string(), outcomes: z.array(z.string()) }).nullish(),
	createdAt: time,
	startAt: time,
	deadline: time,
	startedAt: time,
	finishedAt: time,
	counts: countsSchema,
	outcomes: z.record(z.string(), z.number()),
	attempts: z.number(),
	channels: z.looseObject({ live: z.number(), cap: z.number().nullish() }).nullish(),
	imports: z.array(contactsResultSchema).optional(),
	failure: z.string().nullish(),
	/** Of a cancelled campaign: whether its contacts have all ended. */
	swept: z.boolean().nullish(),
	...courseShape,
});
export type CampaignView = z.infer<typeof campaignSchema>;

/** Why a campaign is not dialed, by reason. */
export const explanationSchema = z.looseObject({
	campaignId: z.string(),
	state: z.string(),
	notDone: z.number(),
	main: z.string().nullish(),
	words: z.string(),
	reasons: z.array(
		z.looseObject({
			reason: z.string(),
			contacts: z.number(),
			from: time,
			until: time,
			trunk: z.string().nullish(),
			detail: z.string().nullish(),
			words: z.string(),
		}),
	),
	suppressed: z.record(z.string(), z.number()),
	usedUp: z.record(z.string(), z.number()),
	estimated: z.boolean(),
	lookedAt: z.number(),
	hosts: z.looseObject({
		active: z.number(),
		silent: z.number(),
		draining: z.number(),
		coming: z.number(),
		mayDial: z.number(),
		freeChannels: z.number(),
	}),
	trunks: z.array(
		z.looseObject({
			id: z.string(),
			channels: z.looseObject({
				cap: z.number(),
				free: z.number(),
				own: z.number(),
				others: z.number(),
				aside: z.number(),
			}),
			cps: z.looseObject({ max: z.number(), now: z.number() }),
			down: z.array(z.string()),
		}),
	),
});
export type ExplanationView = z.infer<typeof explanationSchema>;

/** A campaign in a list: its counters may be left out there. */
export const campaignSummarySchema = z.looseObject({
	campaignId: z.string(),
	name: z.string(),
	state: z.string(),
	trunk: z.string().nullish(),
	createdAt: time,
	startedAt: time,
	finishedAt: time,
});

export const pageSchema = <T extends z.ZodType>(item: T) =>
	z.looseObject({ items: z.array(item), cursor: z.string().nullish() });

export const callRecordSchema = z.looseObject({
	callId: z.string(),
	contactId: z.string(),
	number: z.string(),
	kind: z.string().nullish(),
	attempt: z.number(),
	hostId: z.string().nullish(),
	trunk: z.string().nullish(),
	outcome: z.string().nullish(),
	cause: z.number().nullish(),
	sipCode: z.number().nullish(),
	startedAt: time,
	ringingAt: time,
	answeredAt: time,
	endedAt: time,
	amd: z
		.looseObject({
			verdict: z.string(),
			cause: z.string().nullish(),
			decidedMs: z.number().nullish(),
			greetingMs: z.number().nullish(),
			greetingEnd: z.string().nullish(),
		})
		.nullish(),
});
export type CallRecord = z.infer<typeof callRecordSchema>;

export const stateSchema = z.looseObject({ state: z.string().optional(), ...courseShape });
export type Course = Pick<CampaignView, "forecast" | "warnings">;

export const uploadSchema = z.looseObject({
	uploadId: z.string(),
	uploadUrl: z.string(),
	fields: z.record(z.string(), z.string()),
});

export const trunkViewSchema = z.looseObject({
	id: z.string(),
	type: z.string(),
	host: z.string().nullish(),
	port: z.number().nullish(),
	endpoint: z.string().nullish(),
	maxChannels: z.number(),
	maxCps: z.number(),
	cps: z.looseObject({ max: z.number(), now: z.number() }).nullish(),
	numbering: z.string().nullish(),
	countries: z.array(z.string()).nullish(),
	hosts: z.union([z.string(), z.array(z.string())]).nullish(),
});

export const hostViewSchema = z.looseObject({
	hostId: z.string(),
	tier: z.string().nullish(),
	region: z.string().nullish(),
	state: z.string(),
	capacity: z.number().nullish(),
	live: z.number().nullish(),
	held: z.number().nullish(),
	lastSeenAt: time,
	drainWanted: z.boolean().nullish(),
});

export const enrolledHostSchema = z.looseObject({ hostId: z.string(), token: z.string() });

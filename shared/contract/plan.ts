import { z } from "zod";
import { CODEC_KBITS, DEFAULT_CODEC } from "../plan/codecs.ts";
import {
	ASSUMED_CALL,
	BLOCKING,
	BOOT_SEC,
	DEFAULT_REGION,
	DEFAULT_TYPE,
	DRAIN_SEC,
	HOLD_SEC,
	STEP_SEC,
	TALK_SHARE,
	VOLUME_GB,
	WARM_HOSTS,
} from "../plan/defaults.ts";
import { MAX_CHANNELS, MAX_STEPS } from "../plan/profile.ts";
import { ownPricesSchema } from "../prices/price-data.ts";
import { DEFAULT_HOST_CAPACITY, MAX_HOST_CAPACITY } from "./host.ts";

/** `POST /v1/plan`, and what `burst-dialer plan …` makes of its options: one of four plans, told apart by `kind`. */

export const MAX_PLANNED_HOSTS = 1_000_000;
const MAX_WITHIN_SEC = 366 * 86_400;
/** Further attempts of a contact, at most. */
export const MAX_PLANNED_RETRIES = 4;
const MAX_SPAN_SEC = 7 * 86_400;
const MAX_USD = 1_000_000;
const MAX_GB = 1_000_000_000;

const usd = z.number("a number of US dollars").min(0, "is negative: a price cannot be").max(MAX_USD);
const share = z.number().min(0).max(1);
const spanSec = z.number().min(0).max(MAX_SPAN_SEC);
const perHost = z.int().min(1).max(MAX_HOST_CAPACITY).default(DEFAULT_HOST_CAPACITY);
const codec = z.enum(Object.keys(CODEC_KBITS) as [string, ...string[]]).default(DEFAULT_CODEC);
const billing = z.enum(["second", "hour"]).default("second");

/** What rented hosts are priced by. */
const priced = {
	/** AWS region whose prices count. */
	region: z.string().min(1).max(100).default(DEFAULT_REGION),
	/** Instance type of rented hosts. */
	type: z.string().min(1).max(60).default(DEFAULT_TYPE),
	/** Own prices for this plan, instead of those that are stored (`PUT /v1/prices`). */
	prices: ownPricesSchema.optional(),
};
const rented = {
	/** An hour of a rented host, instead of the type's price. */
	rentedUsdPerHour: usd.optional(),
	codec,
	/** GB that the account sends in the month besides. */
	usedGb: z.number().min(0).max(MAX_GB).default(0),
	bootSec: spanSec.default(BOOT_SEC),
	drainSec: spanSec.default(DRAIN_SEC),
};

/** How many hosts so many channels need. */
export const planHostsSchema = z.strictObject({
	kind: z.literal("hosts"),
	channels: z.int().min(1).max(MAX_CHANNELS),
	perHost,
});

/** What hosts cost that run for the same hours every working day; with `today` also by today's prices. */
export const planTableSchema = z.strictObject({
	kind: z.literal("table"),
	/** US dollars for an hour of one host. */
	pricePerHour: usd.refine((price) => price > 0, "must be above 0"),
	/** Paid hours of a working day. */
	hours: z.number().gt(0).max(24),
	hosts: z.int().min(1).max(MAX_PLANNED_HOSTS),
	/** Working days of a month. */
	days: z.number().gt(0).max(31),
	/** Adds what the same hours of the same number of hosts of `type` cost today, each with a public address. */
	today: z.boolean().default(false),
	billing,
	...priced,
});

/** Calls per second, channels, hosts and cost of a campaign. */
export const planCampaignSchema = z.strictObject({
	kind: z.literal("campaign"),
	contacts: z.int().min(1),
	/** From the first attempt to the last, seconds. */
	withinSec: z.number().gt(0).max(MAX_WITHIN_SEC),
	/** Part of the attempts that is answered. */
	answerRate: share.default(ASSUMED_CALL.answerRate),
	/** Ringing of a call that is answered, its talk, ringing of one that is not, seconds. */
	ringSec: spanSec.default(ASSUMED_CALL.ringSec),
	talkSec: spanSec.default(ASSUMED_CALL.talkSec),
	noAnswerRingSec: spanSec.default(ASSUMED_CALL.unansweredSec),
	/** Further attempts of a contact whose call was not answered, at most. */
	retries: z.int().min(0).max(MAX_PLANNED_RETRIES).default(0),
	perHost,
	/** Part of the attempts that may find no channel free. */
	blocking: z.number().gt(0).max(0.5).default(BLOCKING),
	...rented,
	...priced,
});

/** What to own and what to rent for a demand. */
export const planSplitSchema = z
	.strictObject({
		kind: z.literal("split"),
		/** Channels needed in each step. */
		channels: z
			.array(z.int().min(0).max(MAX_CHANNELS))
			.min(1)
			.max(MAX_STEPS)
			.refine((channels) => channels.some((each) => each > 0), "has no demand: all are 0"),
		/** Length of a step, seconds. */
		stepSec: z.number().min(1).max(MAX_SPAN_SEC).default(STEP_SEC),
		perHost,
		/** An own host: an hour, or a month of 730 hours; absent: `colocation` of the own prices. */
		ownedUsdPerHour: usd.optional(),
		ownedUsdPerMonth: usd.optional(),
		billing,
		/** Disk of a rented host. */
		volumeGb: z.number().min(0).max(65_536).default(VOLUME_GB),
		/** Stopped hosts that are kept. */
		warmHosts: z.int().min(0).max(MAX_PLANNED_HOSTS).default(WARM_HOSTS),
		/** Part of the channels' time with talk. */
		talkShare: share.default(TALK_SHARE),
		/** Mean time of an attempt on its channel, seconds. */
		holdSec: z.number().gt(0).max(MAX_SPAN_SEC).default(HOLD_SEC),
		...rented,
		...priced,
	})
	.refine(({ ownedUsdPerHour, ownedUsdPerMonth }) => ownedUsdPerHour === undefined || ownedUsdPerMonth === undefined, {
		path: ["ownedUsdPerMonth"],
		message: "is given by the hour too: keep one of them",
	});

export const planSchema = z.discriminatedUnion("kind", [
	planHostsSchema,
	planTableSchema,
	planCampaignSchema,
	planSplitSchema,
]);
export type PlanInput = z.input<typeof planSchema>;
export type PlanRequest = z.output<typeof planSchema>;
export type PlanKind = PlanRequest["kind"];
export type PlanRequestOf<K extends PlanKind> = Extract<PlanRequest, { kind: K }>;

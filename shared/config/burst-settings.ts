import { z } from "zod";
import { MAX_FLOOR } from "../contract/fleet.ts";
import { DEFAULT_HOST_CAPACITY, MAX_HOST_CAPACITY } from "../contract/host.ts";
import { type Offering, offeringKey } from "../fleet/offerings.ts";
import { ConfigError } from "./config-error.ts";

/** A public IPv4 address, attached or not, US dollars an hour (AWS, since 2024-02). */
export const PUBLIC_IPV4_USD_PER_HOUR = 0.005;
/** Size of the image's volume, GB (host/image). */
export const VOLUME_GB = 8;
/** The volume of a burst host, of gp3 at $0.08 a GB and month of 730 hours, US dollars an hour (AWS, us-east-1). */
export const VOLUME_USD_PER_HOUR = (VOLUME_GB * 0.08) / 730;

/**
 * Instance types that are asked for, in the order of preference where nothing else decides, with their on-demand price in us-east-1 in US
 * dollars an hour (AWS Price List, 2026-07-20). The image is for arm64, as are these.
 */
export const DEFAULT_TYPES = "c7g.large=0.0725,c8g.large=0.07976,m7g.large=0.0816,c6g.large=0.068";

const list = (text: string): string[] =>
	text
		.split(",")
		.map((part) => part.trim())
		.filter(Boolean);

const typesSchema = z
	.string()
	.default(DEFAULT_TYPES)
	.transform((text, context) =>
		list(text).flatMap((part) => {
			const [, type, price] = /^([a-z0-9-]+\.[a-z0-9-]+)=([0-9.]+)$/.exec(part) ?? [];
			const usdPerHour = Number(price);
			if (type && usdPerHour > 0) return [{ type, usdPerHour }];
			context.addIssue({ code: "custom", message: `"${part}" is not of the form c7g.large=0.0725` });
			return [];
		}),
	);

/**
 * The burst: what may be started, how much of it and for how long. Environment variable: `BURST_` and the name in capitals, for example
 * `BURST_MAX_HOSTS`.
 */
export const burstSettingsSchema = z.object({
	/** Value of the tag that all our instances carry: service and stage. */
	stack: z.string().default(""),
	/** Launch template with image, security group and profile; empty: no burst hosts. */
	launchTemplate: z.string().default(""),
	/** The template's image: stopped hosts of another one are not started again but ended; empty: whatever the image. */
	image: z.string().default(""),
	/** Subnet ids, comma separated, the preferred first. */
	subnets: z.string().default("").transform(list),
	types: typesSchema,
	/** Also spot instances, for campaigns that allow dropped calls. Their price is counted as the on-demand price. */
	spot: z.stringbool().default(false),
	/** Channels of one burst host. */
	channelsPerHost: z.coerce.number().int().min(1).max(MAX_HOST_CAPACITY).default(DEFAULT_HOST_CAPACITY),
	/** Most burst hosts at once, draining ones included. */
	maxHosts: z.coerce.number().int().min(0).max(MAX_FLOOR).default(10),
	/** Most that the running burst hosts together may cost an hour, US dollars. */
	maxUsdPerHour: z.coerce.number().min(0).default(2),
	/** Most starts in any minute: a mistake costs so much a minute at most. */
	maxStartsPerMin: z.coerce.number().int().min(1).default(20),
	/** Decides and reports, asks EC2 for nothing. */
	dryRun: z.stringbool().default(false),
	/** Stopped hosts kept to be started again; the rest is terminated. Each costs its volume. */
	warmHosts: z.coerce.number().int().min(0).default(2),
	/** A host is kept so long after it was last needed: billing is by the second, a start costs a minute. */
	idleSec: z.coerce.number().min(0).default(60),
	/** A host is started only for so much work: EC2 bills at least 60 s. */
	minUseSec: z.coerce.number().positive().default(60),
	/**
	 * What a start may cost beyond the work itself (its boot, its idle time, its drain), in US dollars for each hour of work at full load that the host
	 * takes: what it is worth to have that done sooner. So a dear host must have more to do than a cheap one: at 1 a c7g.large 12 s, a host of $2.32 an
	 * hour 6 min. Hosts that a deadline needs are started whatever it costs. 0: only those.
	 */
	maxOverheadUsdPerWorkHour: z.coerce.number().min(0).default(1),
	/** From the start to the first hello, until it was measured (published: 21 to 26 s; plan with 60). */
	bootSec: z.coerce.number().positive().default(60),
	/** Not active so long after its start: the start failed. */
	bootDeadlineSec: z.coerce.number().positive().default(300),
	/** No trunk of a host answers, or its Asterisk is down, for so long: the start failed. */
	noTrunkSec: z.coerce.number().positive().default(60),
	/** After so long a draining host's calls are ended: no shorter than the longest call. */
	drainDeadlineSec: z.coerce.number().positive().default(3_660),
	/** Calls that were told to end get so long before the host is stopped all the same. */
	drainGraceSec: z.coerce.number().positive().default(30),
	/** While something is under way the fleet is looked at so often. */
	lookSec: z.coerce.number().int().min(1).max(60).default(5),
	/** An offering out of capacity is not asked for again before (as karpenter does). */
	noCapacitySec: z.coerce.number().positive().default(180),
	/** After a refusal that a person must mend, or a used-up quota, it is tried again after so long. */
	haltSec: z.coerce.number().positive().default(600),
	/** Between two sightings of a stranger or a ghost: EC2's lists lag by some seconds. */
	sightingSec: z.coerce.number().positive().default(30),
	/** Allocation ids of Elastic IPs, comma separated, for trunks whose carrier must know our addresses. */
	addressPool: z.string().default("").transform(list),
	/** PEM certificates or public keys that sign identity documents, instead of those of AWS for the region. */
	identityKeys: z.string().default(""),
});
export type BurstSettings = z.output<typeof burstSettingsSchema>;

const envName = (key: string): string => `BURST_${key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`;

/** Reads the settings; throws one {@link ConfigError} that names every mistake. */
export const parseBurstSettings = (env: Record<string, string | undefined>): BurstSettings => {
	const raw: Record<string, string> = {};
	for (const key of Object.keys(burstSettingsSchema.shape)) {
		const value = env[envName(key)];
		if (value !== undefined && value !== "") raw[key] = value;
	}
	const parsed = burstSettingsSchema.safeParse(raw);
	const mistakes = parsed.success
		? []
		: parsed.error.issues.map((issue) => `${envName(String(issue.path[0]))}: ${issue.message}`);
	const s = parsed.data;
	if (s?.launchTemplate && s.subnets.length === 0) mistakes.push("BURST_SUBNETS: is missing");
	if (s?.launchTemplate && !s.stack) mistakes.push("BURST_STACK: is missing");
	if (!s || mistakes.length > 0) throw new ConfigError(mistakes);
	return s;
};

/** All that may be asked for, the preferred first: by type, then by subnet. */
export const offeringsOf = (settings: BurstSettings): Offering[] => {
	const markets = settings.spot ? (["on-demand", "spot"] as const) : (["on-demand"] as const);
	return markets.flatMap((market) =>
		settings.types.flatMap(({ type, usdPerHour }) =>
			settings.subnets.map((subnet) => ({
				type,
				subnet,
				market,
				usdPerHour: usdPerHour + PUBLIC_IPV4_USD_PER_HOUR,
			})),
		),
	);
};

export const findOffering = (settings: BurstSettings, key: string): Offering | undefined =>
	offeringsOf(settings).find((offering) => offeringKey(offering) === key);

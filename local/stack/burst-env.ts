import { burstSettingsSchema, parseBurstSettings } from "../../shared/config/burst-settings.ts";
import type { BurstOptions } from "./options.ts";

/** Nothing listens there: what has no EC2 here must not ask AWS. */
const NOWHERE = "http://127.0.0.1:9";
/** Limits on spending are for bills: here the number of hosts binds before. */
const SPEND_SLACK = 2;
/** Of a minute's starts, at least: the shipped limit. */
const LEAST_STARTS_PER_MIN = 20;
/** The settings take no boot in no time. */
const LEAST_BOOT_SEC = 0.1;
/** The image that instances are said to have; it makes the deployment's definition one with burst hosts. */
export const IMAGE_ID = "ami-00000000000000001";

const KEYS = Object.keys(burstSettingsSchema.shape);
const envName = (key: string): string => `BURST_${key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`;
const paramName = (key: string): string => `burst${key.charAt(0).toUpperCase()}${key.slice(1)}`;
/** What the definition says by itself once there is an image. */
const BY_IMAGE = ["stack", "launchTemplate"];

/** What is given to the deployment's definition, and what to all functions beside it. */
export interface BurstGiven {
	/** Values of the definition's parameters: as a deployment sets them, so that each function has what the definition gives it. */
	params: Record<string, string>;
	/** Variables for what is no parameter. */
	env: Record<string, string>;
}

export const NO_BURST: BurstGiven = {
	params: { burstImage: "" },
	env: { BURST_LAUNCH_TEMPLATE: "", AWS_ENDPOINT_URL_EC2: NOWHERE },
};

/** What the emulated EC2 is made of. */
export interface LocalEc2 {
	launchTemplate: string;
	/** As BURST_TYPES has them. */
	types: string;
	subnets: readonly string[];
	/** Allocation ids. */
	addressPool: readonly string[];
	/** PEM. */
	identityKey: string;
	channelsPerHost: number;
}

/**
 * The settings of the burst: what the emulated EC2 is made of always; limits that `env` has in place of the local ones; and `burst.settings` over
 * all. Throws a ConfigError that names every mistake.
 * @param paramNames parameters that the definition has
 */
export const burstGiven = (
	burst: BurstOptions,
	ec2: LocalEc2,
	env: Record<string, string | undefined>,
	paramNames: readonly string[],
): BurstGiven => {
	const given = Object.fromEntries(
		KEYS.flatMap((key) => {
			const value = env[envName(key)];
			return value === undefined || value === "" ? [] : [[envName(key), value]];
		}),
	);
	const { types } = parseBurstSettings({ BURST_TYPES: ec2.types });
	const dearest = Math.max(...types.map(({ usdPerHour }) => usdPerHour));
	const variables: Record<string, string> = {
		BURST_MAX_USD_PER_HOUR: String(Math.ceil(burst.max * dearest * SPEND_SLACK)),
		BURST_MAX_STARTS_PER_MIN: String(Math.max(LEAST_STARTS_PER_MIN, burst.max)),
		...given,
		BURST_STACK: "local",
		BURST_LAUNCH_TEMPLATE: ec2.launchTemplate,
		BURST_SUBNETS: ec2.subnets.join(","),
		BURST_TYPES: ec2.types,
		BURST_ADDRESS_POOL: ec2.addressPool.join(","),
		BURST_IDENTITY_KEYS: ec2.identityKey,
		BURST_MAX_HOSTS: String(burst.max),
		BURST_CHANNELS_PER_HOST: String(ec2.channelsPerHost),
		BURST_BOOT_SEC: String(Math.max(LEAST_BOOT_SEC, burst.bootSec)),
		...burst.settings,
	};
	parseBurstSettings(variables);
	const hasImage = paramNames.includes("burstImage");
	const said: BurstGiven = { params: hasImage ? { burstImage: IMAGE_ID } : {}, env: {} };
	for (const key of KEYS) {
		const value = variables[envName(key)];
		if (value === undefined || (hasImage && BY_IMAGE.includes(key))) continue;
		if (paramNames.includes(paramName(key))) said.params[paramName(key)] = value;
		else said.env[envName(key)] = value;
	}
	return said;
};

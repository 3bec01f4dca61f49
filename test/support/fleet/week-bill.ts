import { readFileSync } from "node:fs";
import type { Usage } from "./usage.ts";

/**
 * What a week costs, from what was used. It shares nothing with the code under test but the prices as they are shipped: amounts are whole seconds,
 * milliseconds and attempts, added up first and multiplied once.
 */

interface Listed {
	product: string;
	region: string;
	usd: number;
	fromGb?: number;
}
const listed = (
	JSON.parse(readFileSync(new URL("../../../shared/prices/data/prices.json", import.meta.url), "utf8")) as {
		prices: Listed[];
	}
).prices;

const REGION = "us-east-1";
const usdOf = (product: string, fromGb?: number): number => {
	const found = listed.filter(
		(each) =>
			each.product === product &&
			(each.region === REGION || each.region === "all") &&
			(fromGb === undefined || each.fromGb === fromGb),
	);
	if (found.length !== 1) throw new Error(`${found.length} prices of ${product} in ${REGION}`);
	return (found[0] as Listed).usd;
};

/** EC2 bills each start for at least so long. */
const MIN_BILLED_MS = 60_000;
const MS_PER_HOUR = 3_600_000;
const HOURS_PER_MONTH = 730;
const VOLUME_GB = 8;
/** G.711 with its headers: 80 kbit/s. */
const BYTES_PER_TALK_SEC = 10_000;
/** The account's free 100 GB a month are used up by others. */
const FREE_GB = 100;
/** What a GB costs beyond them. */
export const MARGINAL_EGRESS_USD = usdOf("egress", FREE_GB);
/** Syncs for each attempt of a host with 8 calls a second: measured at 3.5 and at 44, and between them a straight line. */
const SYNCS = (1.05 + ((8 - 3.5) / (44 - 3.5)) * (3.7 - 1.05)) / 8;
/** Of one attempt, of its contact's import, and of its part of a sync: as counted (docs/decisions/0028-control-plane-cost-is-counted.md). */
const PER_ATTEMPT = {
	writes: 3.04 + 2.003 + 2.96 * SYNCS,
	reads: 2.11 + 0.004 + 4.32 * SYNCS,
	apiRequests: 0.00007 + SYNCS,
	invocations: 0.0011 + SYNCS,
	gbSec: 0.00053 + 0.06 * SYNCS,
	logGb: (0.22 + 582 * SYNCS) / 1_000_000_000,
	sqsRequests: 0.00013,
};

/** Of the control plane, US dollars. */
export const PER_ATTEMPT_USD =
	PER_ATTEMPT.writes * usdOf("dynamodb.write") +
	PER_ATTEMPT.reads * usdOf("dynamodb.read") +
	PER_ATTEMPT.apiRequests * usdOf("api.request") +
	PER_ATTEMPT.invocations * usdOf("lambda.request") +
	PER_ATTEMPT.gbSec * usdOf("lambda.duration") +
	PER_ATTEMPT.logGb * usdOf("logs.ingest") +
	PER_ATTEMPT.sqsRequests * usdOf("sqs.request");

export interface Terms {
	steadyHosts: number;
	/** A steady host with a line of its own, US dollars a month. */
	steadyUsdPerMonth: number;
	hours: number;
	/** US dollars for a minute of talk; absent: the carrier is paid by somebody else. */
	carrierUsdPerMin?: number;
}
/** Quantities that are billed. */
export interface Used {
	/** Burst instances by type: milliseconds with the minimum of each start. */
	instanceMs: Record<string, number>;
	/** Milliseconds for which volumes existed. */
	volumeMs: number;
	/** Talk on burst hosts, and on all, milliseconds. */
	burstTalkMs: number;
	talkMs: number;
	attempts: number;
}
/** US dollars. */
export interface Bill {
	steadyUsd: number;
	instanceUsd: number;
	addressUsd: number;
	volumeUsd: number;
	egressUsd: number;
	controlPlaneUsd: number;
	carrierUsd: number;
	totalUsd: number;
}

/** @param endMs whatever still runs is billed until then */
export const usedOf = (usage: Usage, endMs: number): Used => {
	const instanceMs: Record<string, number> = {};
	for (const { type, fromMs, toMs = endMs } of usage.runs)
		instanceMs[type] = (instanceMs[type] ?? 0) + Math.max(MIN_BILLED_MS, toMs - fromMs);
	const used: Used = { instanceMs, volumeMs: 0, burstTalkMs: 0, talkMs: 0, attempts: 0 };
	for (const { fromMs, toMs = endMs } of usage.volumes) used.volumeMs += toMs - fromMs;
	for (const { tier, talkMs, attempts } of usage.calls) {
		used.talkMs += talkMs;
		used.attempts += attempts;
		if (tier === "burst") used.burstTalkMs += talkMs;
	}
	return used;
};

export const billOf = (used: Used, terms: Terms): Bill => {
	const { instanceMs, volumeMs, burstTalkMs, talkMs, attempts } = used;
	const types = Object.entries(instanceMs);
	const parts = {
		steadyUsd: (terms.steadyHosts * terms.hours * terms.steadyUsdPerMonth) / HOURS_PER_MONTH,
		instanceUsd: types.reduce((usd, [type, ms]) => usd + (ms * usdOf(`ec2.on-demand.${type}`)) / MS_PER_HOUR, 0),
		addressUsd: (types.reduce((sum, [, ms]) => sum + ms, 0) * usdOf("ec2.ipv4")) / MS_PER_HOUR,
		volumeUsd: (volumeMs * VOLUME_GB * usdOf("ec2.gp3")) / (MS_PER_HOUR * HOURS_PER_MONTH),
		egressUsd: ((burstTalkMs / 1_000) * BYTES_PER_TALK_SEC * MARGINAL_EGRESS_USD) / 1_000_000_000,
		controlPlaneUsd: attempts * PER_ATTEMPT_USD,
		carrierUsd: (talkMs / 60_000) * (terms.carrierUsdPerMin ?? 0),
	};
	return { ...parts, totalUsd: Object.values(parts).reduce((a, b) => a + b, 0) };
};

import { inProgressOf } from "../campaigns/counts.ts";
import { ASSUMED_CALL, assumedHoldSec, MEASURED_FROM, mostHoldSec } from "../campaigns/hold.ts";
import { type BurstSettings, VOLUME_GB } from "../config/burst-settings.ts";
import { burstHosts, costOf } from "../fleet/counting.ts";
import { isUp } from "../fleet/life.ts";
import { DEFAULT_CODEC, gbPerTalkSec } from "../plan/codecs.ts";
import { marginalUsdPerGb } from "../plan/egress.ts";
import { Exact, ZERO } from "../plan/exact.ts";
import { HOURS_PER_MONTH } from "../plan/split-cost.ts";
import type { CampaignItem, HostItem } from "../store/items.ts";
import { heldOf } from "../sync/lanes.ts";
import { nanosOf, sumOf } from "./amounts.ts";
import { type Reserve, reserve } from "./budget.ts";
import type { CampaignUsed } from "./campaign-cost.ts";
import type { DayCost } from "./day-cost.ts";
import { dayEndMs } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";
import { PEEKS_PER_HOUR, SEC_PER_SYNC } from "./sync-units.ts";

/** What is committed already, for the test of a budget. Pure. */

/** From the last call of a host to its stop, seconds: two syncs, a look, EC2. */
const STOP_SEC = 30;
/**
 * The longest of n calls that are up: if their lengths scatter about as much as their mean, it is over after mean × (ln n + 3) in 95 of 100 cases (Gumbel).
 */
const longestOf = (calls: number, meanSec: number): number => meanSec * (Math.log(Math.max(1, calls)) + 3);

/** What all checks of one look share. */
export interface Sight {
	now: number;
	hosts: readonly HostItem[];
	prices: LedgerPrices;
	today: DayCost;
	/** Hours until the day is over. */
	hoursLeft: number;
	hostsPerHour: bigint;
	standingPerHour: bigint;
	heldOnBurst: number;
	/** Campaigns that are dialed, or will be again today: see {@link isDialed}. */
	dialed: number;
}

/** What costs whether anybody is called or not: steady hosts, volumes, the control plane's looks. */
const standingPerHour = (hosts: readonly HostItem[], prices: LedgerPrices): bigint => {
	const steady = hosts.filter(({ tier }) => tier === "steady").length;
	const up = hosts.filter(({ state }) => isUp(state)).length;
	const disks = burstHosts([...hosts]).filter(({ state }) => state !== "terminated").length;
	return nanosOf(
		Exact.sum([
			(prices.steadyPerHour ?? ZERO).times(steady),
			prices.volumePerGbMonth.times(VOLUME_GB).by(HOURS_PER_MONTH).times(disks),
			prices.controlPlane.standingPerHour,
			// As if all were idle: a sync in place of a peek is reserved with its calls.
			prices.controlPlane.perPeek.times(up * PEEKS_PER_HOUR),
		]),
	);
};

const STANDING = new Set(["steady", "volume"]);

/** Whether a campaign is dialed now, or will be as soon as the budget of a day that is over lets it. */
const isDialed = ({ state, pausedBy }: CampaignItem): boolean => state === "running" || pausedBy?.day !== undefined;

/** A campaign's part of what stands, of 1: by today's ledger, and before anything was used today as if all that are dialed shared it evenly. */
const standingPart = ({ today, dialed }: Sight, campaign: CampaignItem): number => {
	const { campaignId } = campaign;
	const lines = today.lines.filter(({ item }) => STANDING.has(item));
	const all = sumOf(lines.map(({ nanoUsd, unattributed }) => nanoUsd - unattributed));
	const own = sumOf(lines.map(({ byCampaign }) => byCampaign.get(campaignId) ?? 0n));
	if (all === 0n) return isDialed(campaign) ? 1 / Math.max(1, dialed) : 0;
	return Number((own * 1_000n) / all) / 1_000;
};

/** What an attempt costs without its hosts, before it was measured: the heaviest codec, through burst hosts. */
const assumedPerAttempt = ({ prices }: Sight): bigint => {
	const talkSec = ASSUMED_CALL.answerRate * ASSUMED_CALL.talkSec;
	return nanosOf(
		Exact.sum([
			prices.controlPlane.perAttempt,
			prices.controlPlane.perSync,
			gbPerTalkSec(DEFAULT_CODEC).times(talkSec).times(marginalUsdPerGb(prices.egress)),
			(prices.carrierPerMin ?? ZERO).times(Math.max(talkSec, ASSUMED_CALL.answerRate * prices.carrierStepSec)).by(60),
		]),
	);
};

const perAttempt = (sight: Sight, used: CampaignUsed): bigint => {
	if (used.attempts < MEASURED_FROM) return assumedPerAttempt(sight);
	const own = (["controlPlane", "egress", "carrier"] as const).map((item) => used.nanoUsd.get(item) ?? 0n);
	return sumOf(own) / BigInt(used.attempts) + 1n;
};

/**
 * Attempts of a day that ended since the look before, as those of the campaigns that hold calls now: of them as many may start until the next. What each had at
 * the look before is not kept where it has no budget of its own.
 */
export const endedByCampaign = (
	hosts: readonly HostItem[],
	campaigns: readonly CampaignItem[],
	ended: number,
): Map<string, number> => {
	// One more each: where no call is up, they share evenly.
	const weights = campaigns.map(
		({ campaignId }) => [campaignId, inProgressOf(campaignId, [...hosts]) + 1] as [string, number],
	);
	const all = weights.reduce((n, [, weight]) => n + weight, 0);
	return new Map(weights.map(([campaignId, weight]) => [campaignId, (ended * weight) / all]));
};

/** What a campaign has committed already. @param sinceLastLook attempts that ended since the look before */
export const reserved = (sight: Sight, campaign: CampaignItem, used: CampaignUsed, sinceLastLook: number): Reserve => {
	const { hosts, heldOnBurst } = sight;
	const { campaignId } = campaign;
	const onBurst = hosts.reduce((n, { tier, held }) => (tier === "burst" ? n + heldOf(held, campaignId) : n), 0);
	const inProgress = inProgressOf(campaignId, [...hosts]);
	const meanSec =
		used.attempts < MEASURED_FROM ? assumedHoldSec(campaign) : used.channelMs / 1_000 / Math.max(1, used.attempts);
	const holding = hosts.filter(({ held }) => heldOf(held, campaignId) > 0).length;
	const drainSec = Math.min(mostHoldSec(campaign), longestOf(inProgress, meanSec)) + STOP_SEC;
	const syncs = nanosOf(sight.prices.controlPlane.perSync.times(Math.ceil((holding * drainSec) / SEC_PER_SYNC)));
	const part = (amount: bigint, of: number): bigint => (amount * BigInt(Math.round(of * 1_000))) / 1_000n;
	const found = reserve({
		inProgress,
		sinceLastLook,
		perAttempt: perAttempt(sight, used),
		hostsPerHour: heldOnBurst === 0 ? 0n : part(sight.hostsPerHour, onBurst / heldOnBurst),
		drainSec,
		standingPerHour: part(sight.standingPerHour, standingPart(sight, campaign)),
		standingHours: sight.hoursLeft,
	});
	return { ...found, drains: found.drains + syncs };
};

/** @param now ms since 1970 */
export const sightOf = (
	now: number,
	burst: Pick<BurstSettings, "types">,
	hosts: readonly HostItem[],
	campaigns: readonly CampaignItem[],
	prices: LedgerPrices,
	today: DayCost,
): Sight => {
	const { usdPerHour } = costOf([...hosts], { intents: {} }, burst);
	return {
		now,
		hosts,
		prices,
		today,
		hoursLeft: (dayEndMs(today.day) - now) / 3_600_000,
		hostsPerHour: nanosOf(Exact.of(usdPerHour)),
		standingPerHour: standingPerHour(hosts, prices),
		heldOnBurst: hosts.reduce(
			(n, { tier, held }) => (tier === "burst" ? n + Object.values(held).reduce((a, b) => a + b, 0) : n),
			0,
		),
		dialed: campaigns.filter(isDialed).length,
	};
};

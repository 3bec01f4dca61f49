import { inProgressOf } from "../campaigns/counts.ts";
import { ASSUMED_CALL, assumedHoldSec, MEASURED_FROM, mostHoldSec } from "../campaigns/hold.ts";
import type { BurstSettings } from "../config/burst-settings.ts";
import { burstHosts, costOf } from "../fleet/counting.ts";
import { isUp } from "../fleet/life.ts";
import { CODEC_KBITS, gbPerTalkSec } from "../plan/codecs.ts";
import { marginalUsdPerGb } from "../plan/egress.ts";
import { Exact, ZERO } from "../plan/exact.ts";
import { HOURS_PER_MONTH } from "../plan/split-cost.ts";
import type { CampaignItem, HostItem } from "../store/items.ts";
import { heldOf } from "../sync/lanes.ts";
import { nanosOf } from "./amounts.ts";
import { VOLUME_GB } from "./book-runs.ts";
import { type Reserve, reserve } from "./budget.ts";
import type { CampaignUsed } from "./campaign-cost.ts";
import type { DayCost } from "./day-cost.ts";
import { dayEndMs } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";

/** What is committed already, for the test of a budget. Pure. */

/** From the last call of a host to its stop, seconds: two syncs, a look, EC2. */
const STOP_SEC = 30;
/** Idle hosts peek every two seconds. */
const PEEKS_PER_HOUR = 1_800;
/** Hosts that hold calls sync so often. */
const SYNCS_PER_SEC = 1;
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
}

export const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((a, b) => a + b, 0n);

/** What costs whether anybody is called or not: own hosts, volumes, the control plane's looks. */
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

/** A campaign's part of what stands, thousandths: by today's ledger, and before there is one as if it were alone. */
const standingPart = ({ today }: Sight, campaignId: string): number => {
	const lines = today.lines.filter(({ item }) => STANDING.has(item));
	const all = sum(lines.map(({ nanoUsd, unattributed }) => nanoUsd - unattributed));
	const own = sum(lines.map(({ byCampaign }) => byCampaign.get(campaignId) ?? 0n));
	return all === 0n ? 1 : Number((own * 1_000n) / all) / 1_000;
};

/** What an attempt costs without its hosts, before it was measured: the heaviest codec, through rented hosts. */
const assumedPerAttempt = ({ prices }: Sight): bigint => {
	const talkSec = ASSUMED_CALL.answerRate * ASSUMED_CALL.talkSec;
	const heaviest = Object.keys(CODEC_KBITS).find((codec) => CODEC_KBITS[codec] === 80) ?? "ulaw";
	return nanosOf(
		Exact.sum([
			prices.controlPlane.perAttempt,
			prices.controlPlane.perSync,
			gbPerTalkSec(heaviest).times(talkSec).times(marginalUsdPerGb(prices.egress)),
			(prices.carrierPerMin ?? ZERO).times(Math.max(talkSec, ASSUMED_CALL.answerRate * prices.carrierStepSec)).by(60),
		]),
	);
};

const perAttempt = (sight: Sight, used: CampaignUsed): bigint => {
	if (used.attempts < MEASURED_FROM) return assumedPerAttempt(sight);
	const own = (["controlPlane", "egress", "carrier"] as const).map((item) => used.nanoUsd.get(item) ?? 0n);
	return sum(own) / BigInt(used.attempts) + 1n;
};

/** What a campaign has committed already. */
export const reserved = (sight: Sight, campaign: CampaignItem, used: CampaignUsed): Reserve => {
	const { hosts, heldOnBurst } = sight;
	const { campaignId } = campaign;
	const onBurst = hosts.reduce((n, { tier, held }) => (tier === "burst" ? n + heldOf(held, campaignId) : n), 0);
	const inProgress = inProgressOf(campaignId, [...hosts]);
	const meanSec =
		used.attempts < MEASURED_FROM ? assumedHoldSec(campaign) : used.channelMs / 1_000 / Math.max(1, used.attempts);
	const before = campaign.budgetState?.attempts ?? used.attempts;
	const holding = hosts.filter(({ held }) => heldOf(held, campaignId) > 0).length;
	const drainSec = Math.min(mostHoldSec(campaign), longestOf(inProgress, meanSec)) + STOP_SEC;
	const syncs = nanosOf(sight.prices.controlPlane.perSync.times(Math.ceil(holding * drainSec * SYNCS_PER_SEC)));
	const part = (amount: bigint, of: number): bigint => (amount * BigInt(Math.round(of * 1_000))) / 1_000n;
	const found = reserve({
		inProgress,
		sinceLastLook: Math.max(0, used.attempts - before),
		perAttempt: perAttempt(sight, used),
		hostsPerHour: heldOnBurst === 0 ? 0n : part(sight.hostsPerHour, onBurst / heldOnBurst),
		drainSec,
		standingPerHour: part(sight.standingPerHour, standingPart(sight, campaignId)),
		standingHours: sight.hoursLeft,
	});
	return { ...found, drains: found.drains + syncs };
};

/** @param now ms since 1970 */
export const sightOf = (
	now: number,
	burst: Pick<BurstSettings, "types">,
	hosts: readonly HostItem[],
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
	};
};

import { type BurstSettings, PUBLIC_IPV4_USD_PER_HOUR } from "../config/burst-settings.ts";
import { DEFAULT_PRIORITY } from "../contract/campaign.ts";
import type { Window } from "../contract/window.ts";
import { CAPACITY } from "../fleet/life.ts";
import type { CampaignItem, HostItem, TrunkItem } from "../store/items.ts";
import { mayCarry, mayUse } from "../sync/world.ts";
import type { CampaignCounts } from "./counts.ts";
import { fairShare, type Sharer } from "./fair-share.ts";
import type { ForecastInput } from "./forecast.ts";
import { meanHoldSec } from "./hold.ts";

/** From items to what a forecast is made of. Pure. */

/** What of a campaign bounds and steers its calls. */
export type ForecastCampaign = Pick<
	CampaignItem,
	"campaignId" | "state" | "trunk" | "then" | "ringTimeoutSec" | "maxCallSec" | "retry"
> & {
	[Field in Optional]?: CampaignItem[Field] | undefined;
};
type Optional =
	| "trunks"
	| "maxChannels"
	| "maxCps"
	| "priority"
	| "window"
	| "startAt"
	| "startedAt"
	| "deadline"
	| "allowDroppedCalls";

export interface ForecastWorld {
	now: number;
	campaign: ForecastCampaign;
	counts: Omit<CampaignCounts, "total">;
	/** Those of the campaign. */
	trunks: TrunkItem[];
	/** All hosts of the tenant. */
	hosts: HostItem[];
	/** Other campaigns that are entered on its trunks, as far as they were read; of the others only their entries are known. */
	others?: Map<string, Pick<CampaignItem, "state" | "priority" | "maxCps">>;
	burst: BurstSettings;
	unknown?: string | undefined;
	lastDueAt?: number | undefined;
}

/** The trunks that a campaign dials through. */
export const trunkIdsOf = ({ trunk, trunks }: Pick<CampaignItem, "trunk" | "trunks">): string[] =>
	trunks?.map(({ id }) => id) ?? [trunk];

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const DAY_MINUTES = 24 * 60;
const WEEK_DAYS = 7;
/** Part of the week in which a window is open. Holidays, and rules of law that are stricter, are not looked at. */
export const openShareOf = (window: Window | undefined): number => {
	if (!window) return 1;
	const until = window.to === "00:00" ? DAY_MINUTES : minutesOf(window.to);
	return ((until - minutesOf(window.from)) * new Set(window.days).size) / (DAY_MINUTES * WEEK_DAYS);
};

/** Burst hosts that may be up at once, by their number and by their price; none where there is no launch template. */
const mostBurstHosts = (burst: BurstSettings): number => {
	if (!burst.launchTemplate || burst.dryRun) return 0;
	const cheapest = Math.min(...burst.types.map(({ usdPerHour }) => usdPerHour)) + PUBLIC_IPV4_USD_PER_HOUR;
	return Math.min(burst.maxHosts, Math.floor(burst.maxUsdPerHour / cheapest));
};

/** Channels of hosts that may carry the campaign: of those that are there or boot, and with those that may be started. */
const hostChannels = ({ campaign, trunks, hosts, burst }: ForecastWorld): { now: number; most: number } => {
	const may = hosts.filter(
		(host) =>
			CAPACITY.includes(host.state) &&
			mayCarry(campaign as CampaignItem, host) &&
			trunks.some((trunk) => mayUse(trunk, host)),
	);
	const now = may.reduce((sum, { cap }) => sum + cap, 0);
	const up = may.filter(({ tier }) => tier === "burst").length;
	const byTrunk = trunks.map(({ trunk }) => {
		if (trunk.hosts === "steady") return 0;
		const named = trunk.hosts === "all" ? Number.POSITIVE_INFINITY : trunk.hosts.length;
		const addresses = trunk.addresses === "known" ? burst.addressPool.length : Number.POSITIVE_INFINITY;
		return Math.min(named, addresses);
	});
	const most = Math.min(mostBurstHosts(burst), Math.max(0, ...byTrunk));
	return { now, most: now + Math.max(0, most - up) * burst.channelsPerHost };
};

interface Other extends Sharer {
	campaignId: string;
	maxCps: number;
}

/** Other campaigns that are dialed on a trunk, as far as is known. */
const othersOn = (trunk: TrunkItem, { campaign, others }: ForecastWorld): Other[] =>
	Object.entries(trunk.c).flatMap(([campaignId, { cap }]) => {
		const other = others?.get(campaignId);
		if (campaignId === campaign.campaignId || (other && other.state !== "running")) return [];
		return [
			{
				campaignId,
				most: Math.min(cap, trunk.cap),
				priority: other?.priority ?? DEFAULT_PRIORITY,
				maxCps: other?.maxCps ?? Number.POSITIVE_INFINITY,
			},
		];
	});

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const campaignsWords = (n: number): string => `${n} other ${n === 1 ? "campaign" : "campaigns"}`;

/** Channels and calls per second that the campaign may use, and why no more channels. */
const shareOf = (
	world: ForecastWorld,
	holdSec: number,
): Pick<ForecastInput, "channels" | "channelsNow" | "cps" | "limit"> => {
	const { campaign, trunks } = world;
	const priority = campaign.priority ?? DEFAULT_PRIORITY;
	const own = campaign.maxChannels ?? Number.POSITIVE_INFINITY;
	const others = trunks.map((trunk) => othersOn(trunk, world));
	const count = new Set(others.flat().map(({ campaignId }) => campaignId)).size;
	const beside = count > 0 ? ` beside ${campaignsWords(count)}` : "";
	const names = `${trunks.length === 1 ? "trunk" : "trunks"} ${trunks.map(({ trunkId }) => trunkId).join(", ")}`;
	const ofTrunks = sumOf(
		trunks.map((trunk, i) => fairShare(trunk.cap, { most: Math.min(own, trunk.cap), priority }, others[i] ?? [])),
	);
	const hosts = hostChannels(world);
	const ofHosts = (total: number): number => fairShare(total, { most: total, priority }, others.flat());
	const channels = Math.min(own, ofTrunks, ofHosts(hosts.most));
	const limit =
		channels === own
			? "its cap"
			: channels === ofTrunks
				? `${count > 0 ? "its share of " : ""}${names}${beside}`
				: hosts.most === 0
					? "no host can dial for it"
					: `the hosts have ${hosts.most}${beside}`;
	// Of what others may start a second, no more than their channels can take.
	const cps = sumOf(
		trunks.map((trunk, i) =>
			fairShare(
				trunk.trunk.maxCps,
				{ most: Math.min(campaign.maxCps ?? Number.POSITIVE_INFINITY, trunk.trunk.maxCps), priority },
				(others[i] ?? []).map((other) => ({ ...other, most: Math.min(other.maxCps, other.most / holdSec) })),
			),
		),
	);
	return {
		channels,
		channelsNow: Math.min(channels, ofHosts(hosts.now)),
		cps: Math.min(cps, campaign.maxCps ?? Number.POSITIVE_INFINITY),
		limit,
	};
};

export const forecastInput = (world: ForecastWorld): ForecastInput => {
	const { now, campaign, counts } = world;
	const { attempts, outcomes, channelMs, timed, pending, inProgress, done } = counts;
	const startAt = campaign.startedAt ?? campaign.startAt;
	const elapsedSec = Math.max(0, now - (startAt ?? now)) / 1_000;
	const { holdSec } = meanHoldSec([{ h: channelMs, m: timed }], inProgress, campaign, elapsedSec);
	return {
		now,
		pending,
		inProgress,
		done,
		attempts,
		answered: (outcomes["answered"] ?? 0) + (outcomes["machine"] ?? 0),
		channelMs,
		timed,
		limits: campaign,
		retry: campaign.retry,
		...shareOf(world, holdSec),
		startAt,
		deadline: campaign.deadline,
		paused: campaign.state === "paused",
		unknown: world.unknown,
		openShare: openShareOf(campaign.window),
		lastDueAt: world.lastDueAt,
	};
};

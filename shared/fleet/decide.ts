import type { BurstSettings } from "../config/burst-settings.ts";
import { ALL_SILENT_HOLD_SEC } from "../recovery/silence.ts";
import type { FleetItem, FloorItem, HostItem, ScheduleItem } from "../store/items.ts";
import { type Capacity, capacityOf, isSilent, totalOf } from "./capacity.ts";
import { bootSecOf, type CampaignFigures, campaignFigures } from "./decide-campaigns.ts";
import { addRecent, hostsFor, keepIdle, pruneRecent } from "./decide-hosts.ts";
import { applyLimits, startsFor } from "./decide-limits.ts";
import { heldOf, marginalOf, nextHost } from "./decide-marginal.ts";
import { type Carriers, type Figures, type Spread, spread } from "./decide-network.ts";
import { phasesOf } from "./decide-phases.ts";
import type { CampaignShare, Decision, Wanted } from "./decision.ts";
import type { Demand } from "./demand.ts";
import { type Floor, floorOf, nextFloorChange } from "./floors.ts";
import { CAPACITY, isUp } from "./life.ts";
import { paysFor } from "./start-cost.ts";
import { hostsWords, plural, reasonWords, trunkWords } from "./words.ts";

/** All that a decision depends on. */
export interface DecideInput {
	/** ms since 1970. */
	now: number;
	/** Undefined: it could not be read; what was decided last stands. */
	demand: Demand | undefined;
	hosts: HostItem[];
	fleet: Pick<
		FleetItem,
		"recent" | "boots" | "intents" | "failed" | "halted" | "starts" | "throttledUntil" | "decision"
	>;
	floor: Pick<FloorItem, "min" | "until"> | undefined;
	schedules: ScheduleItem[];
	settings: BurstSettings;
	/** A host silent for so long is no capacity. */
	lostAfterSec: number;
	/** The pool of Elastic IPs, where one is set. */
	addresses?: { total: number };
}

export interface Decided {
	decision: Decision;
	/** What was wanted by demand lately: to be kept for the next decision. */
	recent: FleetItem["recent"];
	/** The next moment at which time alone may change the decision: a schedule's edge, a campaign's start. */
	nextAt?: number;
}

/** Hosts that fall silent together are believed to be cut off from us: two, and at least this part of all. */
const TOGETHER = 0.5;

const SILENT_TOGETHER = "were not heard of of late: the control plane was probably away";

/** Why nothing can be decided for want of data; undefined: it can. */
const missing = ({ demand, hosts, now, lostAfterSec, fleet }: DecideInput): string | undefined => {
	if (!demand) return "The demand could not be read.";
	const up = hosts.filter(({ state }) => isUp(state));
	const doubtful = up.filter((host) => isSilent(host, now, lostAfterSec) && !isSilent(host, now, ALL_SILENT_HOLD_SEC));
	const together = doubtful.length >= 2 && doubtful.length >= up.length * TOGETHER;
	// The first ones are heard again: until the rest is, or is declared lost, nobody is replaced.
	const still = doubtful.length > 0 && (fleet.decision?.held?.includes(SILENT_TOGETHER) ?? false);
	return together || still ? `${doubtful.length} of ${plural(up.length, "host")} ${SILENT_TOGETHER}.` : undefined;
};

/** What was decided last, at today's figures. */
const hold = (input: DecideInput, capacity: Capacity, floor: Floor, held: string): Decided => {
	const { now, fleet, settings } = input;
	const last = fleet.decision;
	const wanted = last?.wanted ?? capacity.upCount;
	return {
		decision: {
			at: now,
			wanted,
			up: capacity.upCount,
			reason: `${held} What was decided before stands: ${hostsWords(totalOf(wanted))}.`,
			demand: last?.demand ?? { campaigns: [], channels: 0, burstChannels: 0 },
			steady: steadyOf(capacity),
			floor: { hosts: floor.hosts, from: floor.from },
			limits: last?.limits ?? [],
			usdPerHour: { now: capacity.usdPerHour, limit: settings.maxUsdPerHour },
			held,
		},
		recent: pruneRecent(fleet.recent, now, settings.idleSec),
	};
};

const steadyOf = ({ steady }: Capacity): Decision["steady"] => ({
	hosts: steady.length,
	capacity: steady.reduce((n, { channels }) => n + channels, 0),
});

const figuresBy = (campaigns: CampaignFigures[], which: "start" | "free" | "keep" | "release"): Figures =>
	new Map(campaigns.map((each) => [each.campaign.campaignId, each[which].channels]));

/** Each campaign's channels with the reason for the figure, the largest first. */
const sharesOf = (
	campaigns: CampaignFigures[],
	which: "start" | "keep",
	spreadOf: Spread,
	demand: Demand,
): CampaignShare[] =>
	campaigns
		.map((each): CampaignShare => {
			const { campaignId, name, trunkId, notOnBurst } = each.campaign;
			const share = spreadOf.shares.get(campaignId);
			const trunk = demand.trunks.find((one) => one.trunkId === trunkId);
			const bound = share?.bound && trunk ? trunkWords(trunkId, share.bound, trunk) : undefined;
			const why = bound ?? each[which].why;
			return {
				campaignId,
				name,
				channels: share?.channels ?? 0,
				why: notOnBurst === undefined ? why : `${why}; not for burst hosts: ${notOnBurst}`,
			};
		})
		.sort((a, b) => b.channels - a.channels || (a.campaignId < b.campaignId ? -1 : 1));

/** On top of demand: hosts that are missing to the floor are on-demand ones. */
const withFloor = (wanted: Wanted, floor: Floor): Wanted => ({
	onDemand: wanted.onDemand + Math.max(0, floor.hosts - totalOf(wanted)),
	spot: wanted.spot,
});

const addressWords = (spreadOf: Spread, addresses: number, channelsPerHost: number): string[] =>
	spreadOf.noAddress === 0
		? []
		: [
				`The pool has ${plural(addresses, "Elastic IP")}: hosts for trunks whose carrier must know the address carry ${addresses * channelsPerHost} channels at most, ${spreadOf.noAddress} more are wanted.`,
			];

/**
 * Calls of hosts that drain, or are gone, end where they are. Counted as demand they would take their own host's drain back, again and again, and with it
 * the drain's deadline; or start another one for nothing.
 */
const withoutLeaving = (demand: Demand, hosts: HostItem[]): Demand => {
	const leaving = hosts.filter(({ state }) => !CAPACITY.includes(state));
	const campaigns = demand.campaigns.map((campaign) => {
		const inProgress = Math.max(
			0,
			campaign.inProgress - leaving.reduce((n, { held }) => n + (held[campaign.campaignId] ?? 0), 0),
		);
		return { ...campaign, inProgress };
	});
	return { ...demand, campaigns };
};

/** When a scheduled campaign begins to count. */
const campaignTimes = (demand: Demand, bootSec: number): number[] =>
	demand.campaigns.flatMap(({ startAt }) => (startAt === undefined ? [] : [startAt - bootSec * 1_000]));

/**
 * How many burst hosts are wanted now, and why. Pure: the same state gives the same decision, whatever caused the look. Going up it looks at
 * what is worth starting hosts for, going down at what those that run are still needed for.
 */
export const decide = (input: DecideInput): Decided => {
	const { now, hosts, fleet, settings, lostAfterSec, schedules } = input;
	const bootSec = bootSecOf(fleet.boots, settings);
	const trunks = input.demand?.trunks ?? [];
	const capacity = capacityOf({ now, hosts, intents: fleet.intents, trunks, settings, bootSec, lostAfterSec });
	const floor = floorOf(schedules, input.floor, now, bootSec);
	const held = missing(input);
	if (held !== undefined || !input.demand) return hold(input, capacity, floor, held ?? "");

	const demand = withoutLeaving(input.demand, hosts);
	const carriers: Carriers = { now, demand, capacity, addresses: input.addresses?.total, settings };
	const campaigns = campaignFigures(carriers, bootSec);
	const start = spread(carriers, figuresBy(campaigns, "start"));
	const keep = spread(carriers, figuresBy(campaigns, "keep"));
	const release = spread(carriers, figuresBy(campaigns, "release"));
	// Calls that are granted have their host: where nothing else is due, nothing is started or taken back for them.
	const isDue = campaigns.some(({ campaign }) => campaign.due > 0);
	const phases = isDue ? phasesOf(campaigns, start, carriers) : [];
	const forDeadlines = heldOf(campaigns, start);
	const next = nextHost(campaigns, start, capacity, settings, bootSec);
	const raw = hostsFor(phases, release, capacity, settings, forDeadlines, (workSec) =>
		paysFor(settings, next, workSec),
	);
	const recent = addRecent(fleet.recent, raw, now, settings.idleSec);
	const kept = keepIdle(raw, capacity.upCount, recent);
	const asked = withFloor(kept, floor);
	const { wanted, limits } = applyLimits(asked, { now, capacity, settings, fleet });

	const hasDeadline = campaigns.some(({ campaign }) => campaign.deadline !== undefined);
	const free = campaigns.map((each) => ({ ...each, start: each.free }));
	const marginal = marginalOf({
		now,
		bootSec,
		settings,
		capacity,
		isDue,
		phases,
		freePhases: isDue && hasDeadline ? phasesOf(free, spread(carriers, figuresBy(free, "start")), carriers) : phases,
		campaigns,
		held: forDeadlines,
		next,
		raw,
		starts: Math.max(0, totalOf(wanted) - totalOf(capacity.upCount)),
		limits,
	});
	const growing = totalOf(startsFor(raw, { ...capacity, reusable: { onDemand: 0, spot: 0 } })) > 0;
	const which = growing ? "start" : "keep";
	const shown = which === "start" ? start : keep;
	const shares = sharesOf(campaigns, which, shown, demand);
	const { addresses } = carriers;
	const steady = steadyOf(capacity);
	const nexts = [...campaignTimes(demand, bootSec), nextFloorChange(schedules, input.floor, now, bootSec) ?? 0].filter(
		(at) => at > now,
	);
	return {
		decision: {
			at: now,
			wanted,
			up: capacity.upCount,
			reason: reasonWords({
				campaigns: shares.filter(({ channels }) => channels > 0),
				channels: shown.channels,
				steady: { ...steady, carries: shown.steady },
				burst: shown.burst,
				channelsPerHost: settings.channelsPerHost,
				raw,
				up: capacity.upCount,
				notOnBurst: [...new Set(campaigns.flatMap(({ campaign }) => campaign.notOnBurst ?? []))],
				floor,
				idle: Math.max(0, totalOf(asked) - Math.max(totalOf(raw), floor.hosts)),
				idleSec: settings.idleSec,
				asked: totalOf(asked),
				wanted: totalOf(wanted),
			}),
			demand: { campaigns: shares, channels: shown.channels, burstChannels: shown.burst },
			steady,
			floor: { hosts: floor.hosts, from: floor.from },
			limits: [...(addresses === undefined ? [] : addressWords(shown, addresses, settings.channelsPerHost)), ...limits],
			usdPerHour: { now: capacity.usdPerHour, limit: settings.maxUsdPerHour },
			...(marginal ? { marginal } : {}),
		},
		recent,
		...(nexts.length > 0 ? { nextAt: Math.min(...nexts) } : {}),
	};
};

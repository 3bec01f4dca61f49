import type { BurstSettings } from "../config/burst-settings.ts";
import { VOLUME_USD_PER_HOUR } from "../config/burst-settings.ts";
import { type Capacity, totalOf } from "./capacity.ts";
import type { CampaignFigures } from "./decide-campaigns.ts";
import type { Held } from "./decide-hosts.ts";
import type { Spread } from "./decide-network.ts";
import { type Phase, secondsFor, workBeyond } from "./decide-phases.ts";
import type { Marginal, Wanted } from "./decision.ts";
import { type NextHost, overheadAllowed, startCost } from "./start-cost.ts";
import { marginalWords } from "./words.ts";

/** Start another host, or finish later: what the next one costs, what it would bring, and which was chosen. */

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** Channels that campaigns with a deadline need of burst hosts, as if all other work came first on steady ones. */
export const heldOf = (campaigns: CampaignFigures[], start: Spread): Held => {
	const needed = campaigns.filter(
		({ campaign }) => campaign.deadline !== undefined && campaign.notOnBurst === undefined,
	);
	const channels = (of: CampaignFigures[]): number =>
		sumOf(of.map(({ campaign }) => start.shares.get(campaign.campaignId)?.channels ?? 0));
	return {
		all: Math.min(start.burst, channels(needed)),
		fixed: Math.min(start.burstOnDemand, channels(needed.filter(({ campaign }) => !campaign.allowDroppedCalls))),
	};
};

/** Mean channel time of the calls that are to be made: so long a host goes on when it drains. */
const meanHoldSec = (campaigns: CampaignFigures[], start: Spread): number => {
	const shares = campaigns.map(({ campaign }) => ({
		holdSec: campaign.holdSec,
		channels: start.shares.get(campaign.campaignId)?.channels ?? 0,
	}));
	const channels = sumOf(shares.map((each) => each.channels));
	return channels === 0 ? 0 : sumOf(shares.map((each) => each.holdSec * each.channels)) / channels;
};

/** The host that would be started next, and what it is billed for without a call. */
export const nextHost = (
	campaigns: CampaignFigures[],
	start: Spread,
	{ nextUsdPerHour }: Capacity,
	{ idleSec }: BurstSettings,
	bootSec: number,
): NextHost => ({
	usdPerHour: nextUsdPerHour === undefined ? undefined : nextUsdPerHour + VOLUME_USD_PER_HOUR,
	overheadSec: bootSec + idleSec + meanHoldSec(campaigns, start),
});

export interface MarginalInput {
	now: number;
	bootSec: number;
	settings: BurstSettings;
	capacity: Capacity;
	/** Whether contacts are due at all. */
	isDue: boolean;
	/** Of what is worth starting for; none: nothing is left once a host started now is up. */
	phases: Phase[];
	/** As if no campaign had a deadline: for when all is done. */
	freePhases: Phase[];
	campaigns: CampaignFigures[];
	held: Held;
	next: NextHost;
	/** By demand, and hosts that are started of them within the limits. */
	raw: Wanted;
	starts: number;
	limits: string[];
}

/** Pure. undefined: nothing is left that a host could be started for. */
export const marginalOf = (input: MarginalInput): Marginal | undefined => {
	const { now, bootSec, settings, capacity, phases, freePhases, held, next, raw, starts, campaigns } = input;
	if (!input.isDue) return undefined;
	const { channelsPerHost, minUseSec } = settings;
	const worth = Math.max(0, totalOf(raw) - totalOf(capacity.upCount));
	// Where the limits let only some be started, the next one is the first that they forbid.
	const started = Math.min(worth, starts);
	const isCut = worth > started;
	const choice = started > 0 && !isCut ? "start" : "wait";
	const before = choice === "start" ? started - 1 : started;
	const channels = sumOf(capacity.up.map(({ cap }) => cap)) + before * channelsPerHost;
	const workSec = workBeyond(phases, ({ burst }) => burst, channels, channelsPerHost) / channelsPerHost;
	const cost = startCost(next, workSec);
	const allowed = overheadAllowed(settings, workSec);
	const doneAfter = (room: number): number | undefined => {
		const sec = secondsFor(freePhases, room);
		return sec === undefined ? undefined : Math.round(now + (bootSec + sec) * 1_000);
	};
	const without = doneAfter(channels);
	// Beside a host's channels something is always carried, or there was nothing for it.
	const doneAt = doneAfter(channels + channelsPerHost) ?? now;
	const deadlines = campaigns.flatMap(({ campaign }) => campaign.deadline ?? []);
	const figures = {
		choice,
		channels,
		workSec: Math.round(workSec * 10) / 10,
		overheadSec: Math.round(next.overheadSec * 10) / 10,
		usdPerHour: next.usdPerHour ?? null,
		usd: cost.usd.toNumber(),
		usdRunning: cost.usdRunning.toNumber(),
		usdOverhead: cost.usdOverhead.toNumber(),
		usdOverheadAllowed: allowed.toNumber(),
		doneAt,
		doneAtWithout: without ?? null,
		soonerSec: without === undefined ? null : Math.max(0, Math.round((without - doneAt) / 1_000)),
	} as const;
	const why = marginalWords({
		...figures,
		isCut,
		isNothingLeft: phases.length === 0,
		limits: input.limits,
		minUseSec,
		forDeadline: channels < held.all,
		deadline: deadlines.length > 0 ? Math.min(...deadlines) : undefined,
		steadyOnly: totalOf(capacity.upCount) === 0,
	});
	return { ...figures, why };
};

import type { BurstSettings } from "../config/burst-settings.ts";
import { DEFAULT_PRIORITY } from "../contract/campaign.ts";
import { channelsInTime, type Runner } from "./decide-deadlines.ts";
import { type Carriers, doneMeanwhile, type Figures } from "./decide-network.ts";
import type { CampaignDemand } from "./demand.ts";
import { contactsWords, deadlineWords, workWords } from "./words.ts";

/** A deadline is aimed at with so much more than is needed: estimates are wrong, calls wait, hosts die. */
export const DEADLINE_MARGIN = 1.25;
/**
 * The last calls are to have ended by a deadline, not to begin then, and some last far longer than the mean: so many times as long. Of calls whose length is
 * exponential one in fifty is longer.
 */
export const LAST_CALLS = 4;
/** Hosts that run are needed until even this is not: between the two figures nothing is started and nothing stopped. */
export const DEADLINE_KEEP_MARGIN = 1.3;

/**
 * Calls come and go: hosts that run are let go only when they would not be needed for this part more of them either (of a host's channels at
 * most). So demand that goes to and fro about a host's edge neither stops nor starts one; where a cap is what bounds it, it does not.
 */
export const RELEASE_ROOM = 0.05;

/** A number of channels, and why no more. */
export interface Figure {
	channels: number;
	why: string;
}

/** What a campaign can use. */
export interface CampaignFigures {
	campaign: CampaignDemand;
	/** Channel-seconds that are left once a host started now is up: more than is due by then, where not all of that was counted. */
	work: number;
	/** Worth starting hosts for. */
	start: Figure;
	/** What it would use if there were hosts without end: its deadline, which lets it do with less, left out. */
	free: Figure;
	/** Worth keeping those that run. */
	keep: Figure;
	/**
	 * Below which those that run are let go: `keep`, and room for calls to come and go. Nothing where no contact is due: then hosts only finish
	 * their calls, and for that they may as well be drained; asked for again they cost nothing.
	 */
	release: Figure;
}

/** The smallest; of equal ones the first. */
const least = (figures: Figure[]): Figure => figures.reduce((a, b) => (b.channels < a.channels ? b : a));

/** Whether its contacts are due when a host started now takes calls. */
export const isTime = (campaign: CampaignDemand, now: number, bootSec: number): boolean =>
	campaign.startAt === undefined || campaign.startAt - now <= bootSec * 1_000;

/** Channel-seconds of the calls that are due or in progress. */
const workOf = ({ inProgress, due, holdSec }: CampaignDemand): number => (inProgress + due) * holdSec;
/** Channel-seconds of all its calls: retries, which are due later, are to be done by the deadline too. */
const allWorkOf = (campaign: CampaignDemand): number =>
	(campaign.inProgress + Math.max(campaign.due, campaign.pending ?? 0)) * campaign.holdSec;

/** A campaign with a deadline. */
interface Dated extends Runner {
	trunkId: string;
	/** With how many it is done in time, if it has them all the time. */
	channels: number;
	/** All that it can use is not enough: it is late anyhow, and the sooner it is done the better. */
	isLate: boolean;
}

const dated = (
	campaigns: CampaignDemand[],
	margin: number,
	secOf: (campaign: CampaignDemand & { deadline: number }) => number,
	workOf: (campaign: CampaignDemand) => number,
): Dated[] =>
	campaigns.flatMap((campaign): Dated[] => {
		const { campaignId, trunkId, deadline, cap, inProgress, due, pending = 0, priority = DEFAULT_PRIORITY } = campaign;
		// Calls that only end take no turns.
		if (deadline === undefined || due + pending === 0) return [];
		const sec = secOf({ ...campaign, deadline }) / margin;
		const work = Math.max(0, workOf(campaign));
		const most = Math.min(cap, inProgress + Math.max(due, pending));
		const channels = sec > 0 ? Math.ceil(work / sec) : Number.POSITIVE_INFINITY;
		const common = { campaignId, trunkId, most, work, priority };
		if (channels <= most) return [{ ...common, sec, channels, isLate: false }];
		return most === 0 ? [] : [{ ...common, sec: work / most, channels: most, isLate: true }];
	});

/**
 * Channels of each that is not late: what it needs by itself, and what has to be added because the others of its trunk take their turns.
 */
const together = (all: Dated[]): Map<string, number> => {
	const figures = new Map<string, number>();
	for (const trunkId of new Set(all.map((each) => each.trunkId))) {
		const own = all.filter((each) => each.trunkId === trunkId).sort((a, b) => a.sec - b.sec);
		const sum = own.reduce((n, { channels }) => n + channels, 0);
		let missing = own.length > 1 ? Math.max(0, channelsInTime(own) - sum) : 0;
		for (const { campaignId, channels, most, isLate } of own) {
			if (isLate) continue;
			const more = Math.min(missing, most - channels);
			missing -= more;
			figures.set(campaignId, channels + more);
		}
	}
	return figures;
};

/** Channels that do all campaigns' work by their deadlines; a campaign that is not there has none that sets a limit. */
const byDeadlines = (
	campaigns: CampaignDemand[],
	done: Figures,
	now: number,
	bootSec: number,
): { start: Figures; keep: Figures } => {
	const leftSec = ({ deadline, holdSec }: CampaignDemand & { deadline: number }): number =>
		(deadline - now) / 1_000 - LAST_CALLS * holdSec;
	const start = together(
		dated(
			campaigns,
			DEADLINE_MARGIN,
			// Hosts that are started now are there then.
			(campaign) => leftSec(campaign) - bootSec,
			(campaign) => allWorkOf(campaign) - (done.get(campaign.campaignId) ?? 0),
		),
	);
	const keep = together(dated(campaigns, DEADLINE_KEEP_MARGIN, leftSec, allWorkOf));
	return {
		start,
		keep: new Map([...start].flatMap(([id, n]) => (keep.has(id) ? [[id, Math.max(n, keep.get(id) ?? 0)]] : []))),
	};
};

const figuresOf = (
	campaign: CampaignDemand,
	done: number,
	carriers: Carriers,
	deadline: { start: number | undefined; keep: number | undefined },
): CampaignFigures => {
	const { now, settings, demand } = carriers;
	const trunkCap = demand.trunks.find(({ trunkId }) => trunkId === campaign.trunkId)?.cap;
	const cap: Figure = {
		channels: campaign.cap,
		why: trunkCap !== undefined && campaign.cap >= trunkCap ? `the cap of trunk ${campaign.trunkId}` : "its cap",
	};
	const { inProgress, due } = campaign;
	const room = Math.ceil(Math.min(inProgress + due, settings.channelsPerHost) * RELEASE_ROOM);
	const contacts: Figure = { channels: inProgress + due, why: contactsWords(campaign) };
	const left = Math.max(0, workOf(campaign) - done);
	const work: Figure = {
		channels: Math.floor(left / settings.minUseSec),
		why: workWords(campaign, left, settings.minUseSec),
	};
	const inTime = (channels: number | undefined): Figure[] =>
		channels === undefined ? [] : [{ channels, why: deadlineWords(campaign.deadline ?? now) }];
	return {
		campaign,
		work: campaign.dueIsBound ? Math.max(0, allWorkOf(campaign) - done) : left,
		start: least([cap, contacts, ...inTime(deadline.start), work]),
		free: least([cap, contacts, work]),
		keep: least([cap, contacts, ...inTime(deadline.keep)]),
		release: least([
			cap,
			{ ...contacts, channels: due === 0 ? 0 : contacts.channels + room },
			...inTime(deadline.keep),
		]),
	};
};

/** What each campaign can use, and why no more. */
export const campaignFigures = (carriers: Carriers, bootSec: number): CampaignFigures[] => {
	const { demand, now } = carriers;
	const campaigns = demand.campaigns.filter((campaign) => isTime(campaign, now, bootSec));
	const meanwhile: Figures = new Map(
		campaigns.map((campaign) => {
			const waitsSec = Math.max(0, (campaign.startAt ?? now) - now) / 1_000;
			return [campaign.campaignId, Math.min(workOf(campaign), campaign.cap * Math.max(0, bootSec - waitsSec))];
		}),
	);
	const done = doneMeanwhile(carriers, meanwhile, bootSec);
	const { start, keep } = byDeadlines(campaigns, done, now, bootSec);
	return campaigns.map((campaign) => {
		const { campaignId } = campaign;
		const deadline = { start: start.get(campaignId), keep: keep.get(campaignId) };
		return figuresOf(campaign, done.get(campaignId) ?? 0, carriers, deadline);
	});
};

/** From the start of a host to its first hello, as measured of late. */
export const bootSecOf = (boots: number[], settings: Pick<BurstSettings, "bootSec">): number => {
	if (boots.length === 0) return settings.bootSec;
	const sorted = [...boots].sort((a, b) => a - b);
	const middle = (sorted.length - 1) / 2;
	return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
};

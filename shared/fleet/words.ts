import type { Marginal, Wanted } from "./decision.ts";
import type { CampaignDemand } from "./demand.ts";

/** What decide says, in words for people: the only place that makes sentences of figures. */

export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
export const hostsWords = (n: number): string => plural(n, "burst host");

/** `1 burst host`, `3 burst hosts`, `2 burst hosts and 5 on spot`. */
export const wantedWords = ({ onDemand, spot }: Wanted): string => {
	if (spot === 0) return hostsWords(onDemand);
	return onDemand === 0 ? `${hostsWords(spot)} on spot` : `${hostsWords(onDemand)} and ${spot} on spot`;
};

/** To the second, UTC. */
export const timeWords = (at: number): string =>
	`${new Date(Math.ceil(at / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
export const usdWords = (usd: number): string => `$${usd.toFixed(4).replace(/0{1,2}$/, "")}`;
const secWords = (sec: number): string => `${Math.round(sec * 10) / 10} s`;

/** `a, b and 3 more`. */
export const listWords = (parts: string[], most = 3): string => {
	if (parts.length <= most) {
		const last = parts.at(-1) ?? "";
		return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
	}
	return `${parts.slice(0, most).join(", ")} and ${parts.length - most} more`;
};

export const contactsWords = ({ due, dueIsBound, inProgress }: CampaignDemand): string => {
	const contacts = `${dueIsBound ? "at least " : ""}${plural(due, "contact")} due`;
	return inProgress > 0 ? `${contacts}, ${plural(inProgress, "call")} in progress` : contacts;
};
export const workWords = ({ holdSec, holdMeasured }: CampaignDemand, leftSec: number, minUseSec: number): string =>
	`its calls of ${secWords(holdSec)} (${holdMeasured ? "measured" : "assumed"}) leave ${Math.round(leftSec / 60)} channel-minutes once a host started now is up: work for so many channels for ${secWords(minUseSec)}`;
export const deadlineWords = (deadline: number): string => `enough to be done by ${timeWords(deadline)}`;
export const trunkWords = (trunkId: string, bound: "cap" | "maxCps", trunk: { cap: number; maxCps: number }): string =>
	bound === "cap"
		? `trunk ${trunkId} has ${plural(trunk.cap, "channel")} for all its campaigns`
		: `trunk ${trunkId} takes ${plural(trunk.maxCps, "call")} per second for all its campaigns`;

export interface ReasonFigures {
	/** Those that can use channels, the largest first. */
	campaigns: { name: string; channels: number; why: string }[];
	channels: number;
	steady: { hosts: number; capacity: number; carries: number };
	/** Channels for burst hosts. */
	burst: number;
	channelsPerHost: number;
	/** By demand alone. */
	raw: Wanted;
	up: Wanted;
	/** Why burst hosts cannot carry what is over. */
	notOnBurst: string[];
	floor: { hosts: number; from: string };
	/** Of those up, how many only the idle time keeps. */
	idle: number;
	idleSec: number;
	/** Before and after the limits. */
	asked: number;
	wanted: number;
}

const demandWords = ({ campaigns, channels }: ReasonFigures): string =>
	channels === 0
		? "No campaign has calls to make."
		: `Campaigns can use ${plural(channels, "channel")}: ${listWords(campaigns.map(({ name, channels: n, why }) => `${name} (${n}, ${why})`))}.`;

const steadyWords = ({ steady, channels }: ReasonFigures): string => {
	if (steady.hosts === 0) return "No steady host is up";
	const who = steady.hosts === 1 ? "The steady host" : `The ${steady.hosts} steady hosts`;
	const verb = steady.hosts === 1 ? "carries" : "carry";
	const what = steady.carries === channels ? `all of it (${steady.capacity} channels)` : `${steady.carries}`;
	return `${who} ${verb} ${what}`;
};

const burstHostsWords = ({ raw, up, burst, channelsPerHost }: ReasonFigures): string => {
	const isUp = up.onDemand + up.spot;
	if (raw.onDemand > up.onDemand || raw.spot > up.spot) {
		const short = burst > (raw.onDemand + raw.spot) * channelsPerHost;
		return short
			? `at ${channelsPerHost} a host are worth ${wantedWords(raw)}: one more would have too little to do`
			: `at ${channelsPerHost} a host need ${wantedWords(raw)}`;
	}
	const over = burst > isUp * channelsPerHost ? "; the rest is not worth starting one more for" : "";
	if (isUp > 0 && raw.onDemand + raw.spot === 0) return "keep no burst host: nothing more is due, or too little";
	if (isUp > 0) return `keep ${wantedWords(raw)} of the ${isUp} that ${isUp === 1 ? "is" : "are"} up${over}`;
	return "are not worth starting a host for: little would be left to do once it is up";
};

const burstWords = (figures: ReasonFigures): string => {
	const { burst, channels, steady, notOnBurst } = figures;
	if (channels === 0) return "";
	const over = channels - steady.carries;
	const parts: string[] = [];
	if (burst > 0) parts.push(`${burst} more ${burstHostsWords(figures)}`);
	if (over > burst) {
		const why = notOnBurst.length > 0 ? ` (${listWords(notOnBurst, 2)})` : "";
		parts.push(`${over - burst} must wait: burst hosts cannot carry them${why}`);
	}
	return ` ${[steadyWords(figures), ...parts].join("; ")}.`;
};

/** One or two sentences for people: what is wanted, for what, and what bound it. */
export const reasonWords = (figures: ReasonFigures): string => {
	const { floor, raw, idle, idleSec, asked, wanted } = figures;
	const demand = raw.onDemand + raw.spot;
	const more: string[] = [];
	if (floor.hosts > demand) {
		more.push(
			`${floor.from === "scale" ? "The floor set by hand" : `Floor of ${floor.from}`}: ${hostsWords(floor.hosts)}.`,
		);
	}
	if (idle > 0) {
		more.push(`${idle} more ${idle === 1 ? "is" : "are"} kept: wanted within the last ${secWords(idleSec)}.`);
	}
	if (wanted < asked) more.push(`The limits allow ${hostsWords(wanted)}.`);
	return [`${demandWords(figures)}${burstWords(figures)}`, ...more].join(" ");
};

export interface MarginalFigures extends Omit<Marginal, "why"> {
	isCut: boolean;
	/** Once a host started now is up. */
	isNothingLeft: boolean;
	limits: string[];
	minUseSec: number;
	/** It is needed to hold a deadline. */
	forDeadline: boolean;
	/** The earliest. */
	deadline: number | undefined;
	/** No burst host is up. */
	steadyOnly: boolean;
}

const soonerWords = ({ soonerSec, doneAt }: MarginalFigures): string =>
	soonerSec === null ? `done by ${timeWords(doneAt)}, and never without it` : `done ${secWords(soonerSec)} sooner`;

/** Why one host more is started, or is not. */
export const marginalWords = (figures: MarginalFigures): string => {
	const { choice, isCut, limits, workSec, minUseSec, forDeadline, deadline, usdOverhead, usdOverheadAllowed } = figures;
	if (isCut) return `It is worth starting, but the limits do not allow it${limits[0] ? `: ${limits[0]}` : "."}`;
	const cost = `${secWords(workSec)} of work at full load for ${usdWords(usdOverhead)} of boot, idle time and drain`;
	if (choice === "start") {
		if (forDeadline && deadline !== undefined) return `It is needed for the deadline ${timeWords(deadline)}: ${cost}.`;
		return `${cost}, at most ${usdWords(usdOverheadAllowed)} is worth it: all is ${soonerWords(figures)}.`;
	}
	if (figures.isNothingLeft) return "Nothing would be left to do once it is up.";
	if (workSec === 0) {
		const who = figures.steadyOnly ? "The steady hosts" : "The hosts that are up";
		return deadline === undefined
			? `${who} carry all of it.`
			: `${who} are enough${figures.doneAtWithout === null || figures.doneAtWithout > deadline ? "" : `: done by ${timeWords(figures.doneAtWithout)}, before the deadline ${timeWords(deadline)}`}.`;
	}
	if (workSec < minUseSec)
		return `It would have ${secWords(workSec)} of work at full load, less than ${secWords(minUseSec)}: later is cheaper.`;
	return `${cost}, more than the ${usdWords(usdOverheadAllowed)} that is worth it (BURST_MAX_OVERHEAD_USD_PER_WORK_HOUR): later is cheaper.`;
};

/**
 * What a split costs, counted as naively as can be: host by host, start by start, in floating point. It shares no code with the planner, which tests
 * compare with it.
 */

export interface NaiveCase {
	channels: number[];
	stepSec: number;
	perHost: number;
	billing: "second" | "hour";
	bootSec: number;
	drainSec: number;
	ownedPerHour: number;
	rentedPerHour: number;
	ipv4PerHour: number;
	volumeGb: number;
	volumePerGbMonth: number;
	warmHosts: number;
	talkShare: number;
	holdSec: number;
	gbPerTalkSec: number;
	/** Up to how many GB of a month, and what a GB costs there; the last has no end. */
	tiers: [number, number][];
	usedGb: number;
	controlPlanePerAttempt: number;
	carrierPerMin: number;
}

const MONTH_HOURS = 730;

/** Starts and ends of a rented host's paid times, seconds from the start of the profile: each from its boot to the end of its drain. */
const paidTimes = (needed: boolean[], of: NaiveCase): [number, number][] => {
	const times: [number, number][] = [];
	needed.forEach((isNeeded, i) => {
		if (!isNeeded) return;
		const [start, end] = [i * of.stepSec - of.bootSec, (i + 1) * of.stepSec + of.drainSec];
		const last = times.at(-1);
		// Still draining when it would have to boot again: it goes on.
		if (last && start <= last[1]) last[1] = end;
		else times.push([start, end]);
	});
	return times;
};

const billedSec = ([start, end]: [number, number], billing: string): number => {
	const sec = end - start;
	if (billing === "hour") {
		let hours = 0;
		while (hours * 3_600 < sec) hours++;
		return hours * 3_600;
	}
	return sec < 60 ? 60 : sec;
};

/** Tier by tier, each taking what is left for it. */
const trafficUsd = (monthGb: number, of: NaiveCase): number => {
	let usd = 0;
	let at = of.usedGb;
	let left = monthGb;
	for (const [upTo, perGb] of of.tiers) {
		const here = Math.min(left, Math.max(0, upTo - at));
		usd += here * perGb;
		at += here;
		left -= here;
	}
	return usd;
};

/** US dollars over the profile if so many hosts are owned. */
export const naiveCost = (of: NaiveCase, owned: number): number => {
	const profileHours = (of.channels.length * of.stepSec) / 3_600;
	let usd = owned * of.ownedPerHour * profileHours;
	const peak = Math.max(...of.channels);
	for (let host = owned; host * of.perHost < peak; host++) {
		const times = paidTimes(
			of.channels.map((channels) => channels > host * of.perHost),
			of,
		);
		const hours = times.reduce((sum, time) => sum + billedSec(time, of.billing), 0) / 3_600;
		usd += hours * (of.rentedPerHour + of.ipv4PerHour);
		const volumeHours = host - owned < of.warmHosts ? Math.max(hours, profileHours) : hours;
		usd += (volumeHours * of.volumeGb * of.volumePerGbMonth) / MONTH_HOURS;
	}
	let rentedChannelSec = 0;
	let allChannelSec = 0;
	for (const channels of of.channels) {
		rentedChannelSec += Math.max(0, channels - owned * of.perHost) * of.stepSec;
		allChannelSec += channels * of.stepSec;
	}
	const perMonth = MONTH_HOURS / profileHours;
	usd += trafficUsd(rentedChannelSec * of.talkShare * of.gbPerTalkSec * perMonth, of) / perMonth;
	usd += (allChannelSec / of.holdSec) * of.controlPlanePerAttempt;
	usd += ((allChannelSec * of.talkShare) / 60) * of.carrierPerMin;
	return usd;
};

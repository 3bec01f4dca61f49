import { type CallMix, holdTimes, type Profile, seedOf } from "./profile.ts";

/** A host as the day's model has it: how many calls of which campaign it has, and when they end. */
export interface DayHost {
	hostId: string;
	tier: "steady" | "burst";
	channels: number;
	live: number;
	byCampaign: Map<string, number>;
	/** Seconds one after the other without a call. */
	quiet: number;
}

/** A campaign of the day. */
export interface DayCampaign {
	id: string;
	calls: CallMix;
	startSec: number;
	/** Not dialed yet. */
	due: number;
	channelsAt: (second: number) => number;
	live: number;
	/** Ended calls and their channel time, seconds. */
	ended: number;
	endedSec: number;
	/** When its last call ended so far. */
	lastEndSec: number;
	nextHold: () => number;
}

export const isOver = (campaign: DayCampaign): boolean => campaign.due === 0 && campaign.live === 0;

interface Ending {
	host: DayHost;
	campaign: DayCampaign;
	holdSec: number;
}

/** The day's calls as figures: who dials how many, second by second. Campaigns are served in order; steady hosts first, then the fullest with room. */
export class DayLoad {
	readonly campaigns: DayCampaign[];
	readonly #maxCps: number;
	readonly #ends = new Map<number, Ending[]>();
	/** Calls that were cut because their host was stopped. */
	cut = 0;

	constructor(profile: Profile) {
		this.#maxCps = profile.trunk.maxCps;
		const baseAt = (second: number): number => profile.base.findLast(({ fromSec }) => fromSec <= second)?.channels ?? 0;
		const campaign = (
			id: string,
			calls: CallMix,
			rest: Pick<DayCampaign, "startSec" | "due" | "channelsAt">,
		): DayCampaign => ({
			id,
			calls,
			...rest,
			live: 0,
			ended: 0,
			endedSec: 0,
			lastEndSec: rest.startSec,
			nextHold: holdTimes(calls, seedOf(profile, id)),
		});
		this.campaigns = [
			campaign("base", profile.baseCalls, { startSec: 0, due: Number.POSITIVE_INFINITY, channelsAt: baseAt }),
			...profile.bursts.map(({ id, calls, startSec, contacts, channels }) =>
				campaign(id, calls, { startSec, due: contacts, channelsAt: () => channels }),
			),
		];
	}

	/**
	 * One second: calls end, others begin.
	 * @param granted hosts that may be granted calls
	 * @returns campaigns that began or were finished in it
	 */
	step(second: number, granted: readonly DayHost[]): { began: DayCampaign[]; finished: DayCampaign[] } {
		const began = this.campaigns.filter(({ startSec }) => startSec === second);
		const finished = new Set<DayCampaign>();
		for (const { host, campaign, holdSec } of this.#ends.get(second) ?? []) {
			host.live--;
			campaign.live--;
			host.byCampaign.set(campaign.id, (host.byCampaign.get(campaign.id) ?? 0) - 1);
			campaign.ended++;
			campaign.endedSec += holdSec;
			campaign.lastEndSec = second;
			if (isOver(campaign)) finished.add(campaign);
		}
		this.#ends.delete(second);
		let calls = this.#maxCps;
		const order = [...granted].sort(
			(a, b) => Number(a.tier === "burst") - Number(b.tier === "burst") || b.live - a.live,
		);
		for (const campaign of this.campaigns) {
			if (second < campaign.startSec) continue;
			let most = Math.min(campaign.channelsAt(second) - campaign.live, campaign.due, calls);
			for (const host of order) {
				for (; most > 0 && host.live < host.channels; most--) {
					this.#dial(second, host, campaign);
					calls--;
				}
			}
		}
		return { began, finished: [...finished] };
	}
	#dial(second: number, host: DayHost, campaign: DayCampaign): void {
		const holdSec = campaign.nextHold();
		host.live++;
		host.byCampaign.set(campaign.id, (host.byCampaign.get(campaign.id) ?? 0) + 1);
		campaign.live++;
		campaign.due--;
		const at = this.#ends.get(second + holdSec);
		if (at) at.push({ host, campaign, holdSec });
		else this.#ends.set(second + holdSec, [{ host, campaign, holdSec }]);
	}
}

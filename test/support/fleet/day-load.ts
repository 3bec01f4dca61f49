import type { Counted } from "../../../shared/sync/counters.ts";
import { type CallMix, callTimes, type DayCall, type Profile, seedOf } from "./profile.ts";

/** A host as the day's model has it: how many calls of which campaign it has, and when they end. */
export interface DayHost {
	hostId: string;
	tier: "steady" | "burst";
	channels: number;
	live: number;
	byCampaign: Map<string, number>;
	/** Seconds one after the other without a call. */
	quiet: number;
	/** Attempts that ended since its last sync. */
	ended: Counted[];
}

export const newDayHost = (hostId: string, tier: DayHost["tier"], channels: number): DayHost => ({
	hostId,
	tier,
	channels,
	live: 0,
	byCampaign: new Map(),
	quiet: 0,
	ended: [],
});

/** A campaign of the day. */
export interface DayCampaign {
	id: string;
	calls: CallMix;
	startSec: number;
	/** Not dialed yet. */
	due: number;
	/** In all; infinite for the base load. */
	contacts: number;
	deadlineSec: number | undefined;
	channelsAt: (second: number) => number;
	live: number;
	/** Ended calls, their channel time and their talk, seconds. */
	ended: number;
	endedSec: number;
	talkSec: number;
	/** When its last call ended so far. */
	lastEndSec: number;
	nextCall: () => DayCall;
}

export const isOver = (campaign: DayCampaign): boolean => campaign.due === 0 && campaign.live === 0;

interface Ending {
	host: DayHost;
	campaign: DayCampaign;
	call: DayCall;
}

export interface DayLoadOptions {
	/** A call ended. */
	onEnd?: (host: DayHost, campaign: DayCampaign, call: DayCall) => void;
}

/**
 * The day's calls as figures: who dials how many, second by second. Steady hosts first, then the fullest with room; campaigns in the order in which they
 * began, or by turns.
 */
export class DayLoad {
	/** In order of their begin. */
	readonly campaigns: DayCampaign[];
	readonly #maxCps: number;
	readonly #turns: "first" | "fair";
	readonly #options: DayLoadOptions;
	readonly #ends = new Map<number, Ending[]>();
	/** Began and are not over. */
	#open: DayCampaign[] = [];
	#began = 0;

	constructor(profile: Profile, options: DayLoadOptions = {}) {
		this.#maxCps = profile.trunk.maxCps;
		this.#turns = profile.turns ?? "first";
		this.#options = options;
		let at = 0;
		/** The base load's channels; time goes on only. */
		const baseAt = (second: number): number => {
			while ((profile.base[at + 1]?.fromSec ?? Number.POSITIVE_INFINITY) <= second) at++;
			return profile.base[at]?.channels ?? 0;
		};
		const campaign = (
			id: string,
			calls: CallMix,
			rest: Pick<DayCampaign, "startSec" | "contacts" | "channelsAt" | "deadlineSec">,
		): DayCampaign => ({
			id,
			calls,
			...rest,
			due: rest.contacts,
			live: 0,
			ended: 0,
			endedSec: 0,
			talkSec: 0,
			lastEndSec: rest.startSec,
			nextCall: callTimes(calls, seedOf(profile, id)),
		});
		const base = { startSec: 0, contacts: Number.POSITIVE_INFINITY, channelsAt: baseAt, deadlineSec: undefined };
		this.campaigns = [
			...(profile.base.length > 0 ? [campaign("base", profile.baseCalls, base)] : []),
			...profile.bursts.map(({ id, calls, startSec, contacts, channels, deadlineSec }) =>
				campaign(id, calls, { startSec, contacts, channelsAt: () => channels, deadlineSec }),
			),
		];
	}

	/** Those that began and are not over. */
	get open(): readonly DayCampaign[] {
		return this.#open;
	}
	/** When the next one begins. */
	get nextStartSec(): number {
		return this.campaigns[this.#began]?.startSec ?? Number.POSITIVE_INFINITY;
	}

	/**
	 * One second: calls end, others begin.
	 * @param granted hosts that may be granted calls
	 * @returns campaigns that began or were finished in it
	 */
	step(second: number, granted: readonly DayHost[]): { began: DayCampaign[]; finished: DayCampaign[] } {
		const began: DayCampaign[] = [];
		while (this.nextStartSec <= second) began.push(this.campaigns[this.#began++] as DayCampaign);
		this.#open.push(...began);
		const finished = this.#end(second);
		if (finished.length > 0) this.#open = this.#open.filter((campaign) => !isOver(campaign));
		const order = [...granted].sort(
			(a, b) => Number(a.tier === "burst") - Number(b.tier === "burst") || b.live - a.live,
		);
		if (this.#turns === "fair") this.#byTurns(second, order);
		else this.#inOrder(second, order);
		return { began, finished };
	}
	#end(second: number): DayCampaign[] {
		const finished = new Set<DayCampaign>();
		for (const { host, campaign, call } of this.#ends.get(second) ?? []) {
			const { holdSec, talkSec } = call;
			host.live--;
			campaign.live--;
			host.byCampaign.set(campaign.id, (host.byCampaign.get(campaign.id) ?? 0) - 1);
			// As a sync would count it: what more it counts of an attempt is to be said here.
			host.ended.push({
				campaignId: campaign.id,
				outcome: talkSec > 0 ? "answered" : "noAnswer",
				final: true,
				channelMs: holdSec * 1_000,
				talk: talkSec > 0 ? { ms: talkSec * 1_000, codec: "ulaw" } : undefined,
			});
			campaign.ended++;
			campaign.endedSec += holdSec;
			campaign.talkSec += talkSec;
			campaign.lastEndSec = second;
			this.#options.onEnd?.(host, campaign, call);
			if (isOver(campaign)) finished.add(campaign);
		}
		this.#ends.delete(second);
		return [...finished];
	}
	#inOrder(second: number, order: readonly DayHost[]): void {
		let calls = this.#maxCps;
		for (const campaign of this.#open) {
			let most = Math.min(campaign.channelsAt(second) - campaign.live, campaign.due, calls);
			for (const host of order) {
				for (; most > 0 && host.live < host.channels; most--) {
					this.#dial(second, host, campaign);
					calls--;
				}
			}
		}
	}
	/** As hosts share a trunk: the next call is of the campaign with the fewest channels. */
	#byTurns(second: number, order: readonly DayHost[]): void {
		const waiting = this.#open
			.map((campaign) => ({ campaign, channels: campaign.channelsAt(second) }))
			.filter(({ campaign, channels }) => campaign.due > 0 && campaign.live < channels);
		let at = 0;
		for (let calls = this.#maxCps; calls > 0; calls--) {
			while (at < order.length && (order[at] as DayHost).live >= (order[at] as DayHost).channels) at++;
			const host = order[at];
			let next: DayCampaign | undefined;
			for (const { campaign, channels } of waiting) {
				if (campaign.due === 0 || campaign.live >= channels) continue;
				if (!next || campaign.live < next.live) next = campaign;
			}
			if (!host || !next) return;
			this.#dial(second, host, next);
		}
	}
	#dial(second: number, host: DayHost, campaign: DayCampaign): void {
		const call = campaign.nextCall();
		host.live++;
		host.byCampaign.set(campaign.id, (host.byCampaign.get(campaign.id) ?? 0) + 1);
		campaign.live++;
		campaign.due--;
		const at = this.#ends.get(second + call.holdSec);
		if (at) at.push({ host, campaign, call });
		else this.#ends.set(second + call.holdSec, [{ host, campaign, call }]);
	}
}

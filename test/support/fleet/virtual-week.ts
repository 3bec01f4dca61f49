import type { BurstSettings } from "../../../shared/config/burst-settings.ts";
import type { Profile } from "./profile.ts";
import { START_MS, VirtualFleet } from "./virtual-fleet.ts";
import { type Bill, billOf, type Terms, usedOf } from "./week-bill.ts";
import { type Bound, boundOf } from "./week-bound.ts";
import { setWeekPrices } from "./week-ledger.ts";

/** A co-located server with flat bandwidth, US dollars a month. */
const STEADY_USD_PER_MONTH = 100;
/** Of the ledger's bill only: carrier's minutes are the same whoever carries them. */
const CARRIER_USD_PER_MIN = 0.006;
const BURST_TYPE = "c7g.large";
const SEC_PER_HOUR = 3_600;

export interface WeekResult {
	/** What was paid, and what no plan that knew the week could pay less than. US dollars. */
	bill: Bill;
	least: Bill;
	bound: Bound;
	/** Of all that is paid, and of burst instances' seconds alone. */
	ratio: { total: number; burst: number };
	burstSec: number;
	starts: number;
	parts: VirtualFleet["parts"];
	mostHosts: number;
	looks: number;
	/** Campaigns whose last call ended after their deadline. */
	missed: string[];
	/** How long before their deadlines campaigns were done, as a part of the time they had: the least and the mean. */
	early: { least: number; mean: number };
	/** Of the base load's wanted channel-seconds the part that was served. */
	baseServed: number;
	undone: number;
	stillRunning: number;
	failures: number;
}

/** A week of the fleet in virtual time, what it costs, and what it would cost at least whoever knew it. */
export class VirtualWeek {
	readonly profile: Profile;
	readonly terms: Terms;
	readonly fleet: VirtualFleet;

	constructor(profile: Profile, over: Partial<BurstSettings> = {}) {
		this.profile = profile;
		this.fleet = new VirtualFleet(profile, over);
		this.terms = {
			steadyHosts: profile.steady.hosts,
			steadyUsdPerMonth: STEADY_USD_PER_MONTH,
			hours: profile.daySec / SEC_PER_HOUR,
		};
	}

	/** The simulator's own bill until the last second of the run, with a carrier's minutes: what the ledger is held against. */
	billed(): Bill {
		const hours = this.fleet.second / SEC_PER_HOUR;
		const used = usedOf(this.fleet.usage, START_MS + this.fleet.second * 1_000);
		return billOf(used, { ...this.terms, hours, carrierUsdPerMin: CARRIER_USD_PER_MIN });
	}

	async run(): Promise<WeekResult> {
		const { fleet, profile, terms } = this;
		await setWeekPrices(fleet, { ...terms, carrierUsdPerMin: CARRIER_USD_PER_MIN });
		const base = fleet.load.campaigns.find(({ id }) => id === "base");
		const baseChannels = new Uint16Array(base ? profile.daySec : 0);
		let wantedSec = 0;
		let servedSec = 0;
		await fleet.run((second) => {
			if (!base || second >= profile.daySec) return;
			baseChannels[second] = base.live;
			// Calls of a cap that was lowered go on.
			const wanted = base.channelsAt(second);
			wantedSec += wanted;
			servedSec += Math.min(wanted, base.live);
			if (second === profile.daySec - 1) base.due = 0;
		});
		const lists = fleet.load.campaigns.filter(({ id }) => id !== "base");
		const used = usedOf(fleet.usage, START_MS + fleet.second * 1_000);
		const bill = billOf(used, terms);
		const bound = boundOf({
			profile,
			baseChannels,
			baseTalkShare: base ? base.talkSec / base.endedSec : 0,
			jobs: lists.map(({ startSec, deadlineSec, lastEndSec, endedSec, talkSec }) => ({
				startSec,
				endSec: deadlineSec ?? lastEndSec,
				channelSec: endedSec,
				talkSec,
			})),
		});
		const leastMs = bound.hostSec * 1_000;
		const least = billOf(
			{ ...used, instanceMs: { [BURST_TYPE]: leastMs }, volumeMs: leastMs, burstTalkMs: bound.talkSec * 1_000 },
			terms,
		);
		const burstSec = Object.values(used.instanceMs).reduce((a, b) => a + b, 0) / 1_000;
		const early = lists.flatMap(({ startSec, deadlineSec, lastEndSec }) =>
			deadlineSec === undefined ? [] : [(deadlineSec - lastEndSec) / (deadlineSec - startSec)],
		);
		return {
			bill,
			least,
			bound,
			ratio: { total: bill.totalUsd / least.totalUsd, burst: burstSec / bound.hostSec },
			burstSec,
			starts: fleet.cloud.starts(),
			parts: fleet.parts,
			mostHosts: fleet.mostHosts,
			looks: fleet.looks,
			missed: lists
				.filter(({ deadlineSec, lastEndSec }) => lastEndSec > (deadlineSec ?? lastEndSec))
				.map(({ id }) => id),
			early: { least: Math.min(...early), mean: early.reduce((a, b) => a + b, 0) / early.length },
			baseServed: base ? servedSec / wantedSec : 1,
			undone: lists.reduce((n, { due, live }) => n + due + live, 0),
			stillRunning: fleet.stillRunning,
			failures: fleet.failures,
		};
	}
}

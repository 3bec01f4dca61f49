/** What decide says, and why; shown by `GET /v1/fleet`, kept in the fleet's state and written to the log. */
export interface Decision {
	/** ms since 1970. */
	at: number;
	/** Burst hosts wanted now. */
	wanted: Wanted;
	/** Hosts that are or become capacity, intents included. */
	up: Wanted;
	/** One sentence for people: what was wanted, for what, and what bound it. */
	reason: string;
	/** Figures behind the reason. */
	demand: {
		/** Channels that campaigns could use now, by campaign, with the reason in words. */
		campaigns: CampaignShare[];
		channels: number;
		/** Of them on trunks that burst hosts may use. */
		burstChannels: number;
	};
	steady: { hosts: number; capacity: number };
	/** The largest of schedules and `scale`, and which one. */
	floor: { hosts: number; from: string };
	/** Limits that cut what was wanted, in words: hosts, spend, starts a minute, addresses, halted, failed starts, dry run. */
	limits: string[];
	usdPerHour: { now: number; limit: number };
	/** One host more, or done later; absent: no contact is due for which one could be started. */
	marginal?: Marginal;
	/** Data was missing: the last decision stands. */
	held?: string;
}
/**
 * The host at the margin: the last of those that are started, or else the next one, which is not. Amounts are US dollars; egress is not in them, for it is
 * the same on every instance of EC2.
 */
export interface Marginal {
	choice: "start" | "wait";
	/** For people. */
	why: string;
	/** Channels of burst hosts without it: those that run, come, or are started before it. */
	channels: number;
	/** Work that it would take, as seconds at full load. */
	workSec: number;
	/** Billed beside the work: boot, idle time, the last calls. */
	overheadSec: number;
	/** Instance, address and volume; null: no host can be had. */
	usdPerHour: number | null;
	/** It and its work: billed by the second, a minute at least. */
	usd: number;
	/** The same work on burst hosts that run; on steady ones it costs nothing. */
	usdRunning: number;
	/** What starting it costs beyond that, and what it may cost for so much work. */
	usdOverhead: number;
	usdOverheadAllowed: number;
	/** When all that is known to be left would be done with it and without it, ms since 1970; null: without it never. */
	doneAt: number;
	doneAtWithout: number | null;
	/** null: without it never. */
	soonerSec: number | null;
}
export interface Wanted {
	onDemand: number;
	spot: number;
}
export interface CampaignShare {
	campaignId: string;
	name: string;
	channels: number;
	why: string;
}

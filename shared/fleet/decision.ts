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
	/** Data was missing: the last decision stands. */
	held?: string;
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

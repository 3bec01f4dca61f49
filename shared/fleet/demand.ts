import type { Trunk } from "../contract/trunk.ts";

/** What campaigns could use of the fleet now; read by read-demand.ts, judged by decide.ts. */
export interface Demand {
	campaigns: CampaignDemand[];
	trunks: TrunkDemand[];
}

export interface CampaignDemand {
	/** A campaign with several trunks stands once for each: on further ones with `/` and the trunk's index. */
	campaignId: string;
	name: string;
	trunkId: string;
	/** Channels at most: the campaign's own cap, or the trunk's; without those that calls of lost hosts may still hold. */
	cap: number;
	/** Contacts due now and until a host started now would be at work. `dueIsBound`: there are at least so many; more would change nothing. */
	due: number;
	dueIsBound: boolean;
	/** Calls granted and not settled, by all hosts. */
	inProgress: number;
	/** Mean channel time of an attempt, seconds; `holdMeasured`: of this campaign's own attempts. */
	holdSec: number;
	holdMeasured: boolean;
	/** ms since 1970; ahead: it is scheduled, and its contacts are due then. */
	startAt?: number;
	/** ms since 1970. */
	deadline?: number;
	/** Contacts neither done nor in progress, due now or later, by the counters; only with a deadline, or where `due` is bound. */
	pending?: number;
	/** Where channels are short its turn comes in proportion; absent: as by default. */
	priority?: number;
	allowDroppedCalls: boolean;
	/** Why burst hosts cannot carry it, in words; absent: they can. */
	notOnBurst?: string;
}

export interface TrunkDemand {
	trunkId: string;
	/** Channels, without those that calls of lost hosts may still hold. */
	cap: number;
	maxCps: number;
	hosts: Trunk["hosts"];
	addresses: Trunk["addresses"];
}

import type { Inventory } from "../../contract/host.ts";
import type { HostState } from "../../fleet/life.ts";
import type { Refusals } from "../../sync/trunk-pace.ts";
import type { Counts } from "./campaign.ts";

// Table hosts: key (tenant, hostId)

export interface HostItem extends Record<string, unknown> {
	tenant: string;
	hostId: string;
	tier: "steady" | "burst";
	region: string;
	state: HostState;
	/** Channels. */
	cap: number;
	/** 0 before the first hello. */
	epoch: number;
	/** Nonce of the hello that got the epoch. */
	boot?: string;
	seq: number;
	/** Indexes of the candidates granted by `seq`. */
	ans: number[];
	/** Which agent sent `seq`. */
	agent?: string;
	/** Calls held of this epoch (granted, neither completed nor returned), by campaign and trunk: see laneOf in shared/contract/ids.ts. */
	held: Record<string, number>;
	/** Counters by campaign. */
	acc: Record<string, Counts>;
	/** Syncs that were ever committed: what the ledger counts requests by. Absent: none. */
	syncs?: number;
	/** Oldest seq of this epoch with an unsettled call. */
	low: number;
	/** Channels up, as the host last said. */
	live: number;
	lastSeenAt: number;
	createdAt: number;
	/** Epoch and seq that a loss ended. */
	lostE?: number;
	lostS?: number;
	/** An operator's drain: the host is to be drained after its recovery or restart too. */
	drainWanted?: boolean;
	/** Only while draining or drained: since when, by whom, and the moment after which its calls are ended (absent: never). */
	drainAt?: number;
	drainBy?: DrainBy;
	drainUntil?: number;
	/** Syncs one after the other, of this epoch and while draining, with nothing live and nothing unsettled. */
	quiet?: number;
	/** Asterisk and agent, as the last sync said. */
	health?: "up" | "asteriskDown" | "stopping";
	/** Trunks whose carrier does not answer this host, as it last said; absent: it never said. */
	deadTrunks?: string[];
	/** What its calls came to lately, by trunk, where some were refused. */
	refusals?: Record<string, Refusals>;
	/** Only for a burst host: since when its syncs leave channels free to hosts before it that do not take them; see shared/sync/precedence.ts. */
	leavesSince?: number;
	/** Only for a burst host. */
	inst?: Instance;
}

/** Who drains a host: a person, the fleet (not needed any more), a spot interruption, or a fault of the host. */
export type DrainBy = "operator" | "fleet" | "spot" | "fault";

/** The EC2 instance of a burst host. Times are ms since 1970. */
export interface Instance {
	instanceId: string;
	/** The intent that launched it: its ClientToken, and a tag of the instance. */
	launchId: string;
	/** As {@link Offering}. */
	type: string;
	subnet: string;
	market: "on-demand" | "spot";
	/** Price of the instance and its public address. */
	usdPerHour: number;
	/** As EC2 said when it was launched: an identity document must say the same. */
	imageId: string;
	account: string;
	/** Names this start: drawn anew whenever it is launched or started. */
	startId: string;
	/** EC2 was asked to launch or start it. */
	startedAt: number;
	/** First hello of this start. */
	readyAt?: number;
	/** The start that was enrolled, SHA-256 of the nonce that enrolled it, and the hash of the token it got. */
	enrolledStart?: string;
	enrolledBy?: string;
	tokenHash?: string;
	/** EC2 was asked to stop or terminate it, why, and which of both. */
	stopAt?: number;
	stopReason?: string;
	end?: "stop" | "terminate";
	/** Why this start failed. */
	failure?: string;
	/** Elastic IP from the pool, where one was associated. */
	addressId?: string;
	publicAddress?: string;
}

/** Key (`tenant#inventory`, hostId): apart, so that neither a sync nor a list of hosts pays for it. */
export interface InventoryItem extends Inventory, Record<string, unknown> {
	tenant: string;
	hostId: string;
}
export const inventoryKey = (tenant: string, hostId: string) => ({ tenant: `${tenant}#inventory`, hostId });

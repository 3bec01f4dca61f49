import type { Trunk } from "../../contract/trunk.ts";

// Table trunks: key (tenant, trunkId); `#config` holds the version of all configuration

export const CONFIG_ID = "#config";
export interface ConfigItem extends Record<string, unknown> {
	tenant: string;
	trunkId: typeof CONFIG_ID;
	version: number;
	/** The last time that somebody opted out, ms: a sync that sees a recent one looks again at the calls that are granted and not dialed. */
	optOutAt?: number;
}

export interface TrunkItem extends Record<string, unknown> {
	tenant: string;
	trunkId: string;
	/** As shown by the API. */
	trunk: Trunk;
	/** The channel cap that `free` was computed with. */
	cap: number;
	/** Channels of the trunk that no host holds; negative after the cap was lowered. */
	free: number;
	/**
	 * Campaigns that may dial through the trunk: cap and free channels of each; no call of a campaign with a rate of its own may start before `next`;
	 * `v`: the version of the campaign's division over its trunks that `cap` comes from.
	 */
	c: Record<string, { cap: number; free: number; next?: number; v?: number }>;
	/** ms since 1970: no call may start before it. */
	nextDialAt: number;
	/** Only after it refused calls: the part of its rate that it is used with, and since when; see shared/sync/trunk-pace.ts. */
	pace?: { f: number; at: number };
	/** Shares by host. */
	a: Record<string, ShareEntry>;
	/** Channels of lost hosts' calls that may still be up, by `hostId#epoch`. */
	z: Record<string, { n: Record<string, number>; until: number }>;
}
export interface ShareEntry {
	/** Epoch and seq of the sync that wrote it. */
	e: number;
	s: number;
	/** Channels by campaign, absolute. */
	n: Record<string, number>;
	/** First slot granted by that sync and how many; their distance and validity, ms: the trunk's rate may change meanwhile. */
	at: number;
	k: number;
	gap: number;
	/** Absent: that of a tight trunk. Nine hosts' entries fit into 1 KB with the trunk's own so: one write unit for each sync. */
	valid?: number;
	/** The moments of campaigns with a rate of their own, ms. */
	p?: Record<string, number[]>;
}

import type { Counts } from "./campaign.ts";

// Table ledger: key (book, entry). A book is one day of a tenant, UTC, as AWS bills; `…#cursor` says which book of a host is its latest.

/** @param day as 2026-11-28, UTC */
export const bookKey = (tenant: string, day: string): string => `${tenant}#${day}`;
export const cursorBook = (tenant: string): string => `${tenant}#cursor`;
export const useEntry = (hostId: string): string => `use#${hostId}`;
export const runEntry = (hostId: string, startId: string): string => `run#${hostId}#${startId}`;
export const diskEntry = (hostId: string): string => `disk#${hostId}`;
export const CLOSED_ENTRY = "#closed";

interface Entry extends Record<string, unknown> {
	book: string;
	entry: string;
	/** Seconds since 1970: DynamoDB deletes it some days after. */
	ttl: number;
}

/**
 * One start of an instance in one day's book; a run over midnight has an entry in both. EC2 bills from `running` to `stopping` or `shutting-down`.
 * Times are ms since 1970.
 */
export interface RunItem extends Entry {
	hostId: string;
	startId: string;
	type: string;
	market: "on-demand" | "spot";
	/** US dollars an hour of the instance, and of its public address. */
	usdPerHour: number;
	ipv4UsdPerHour: number;
	/** EC2 was asked to start it. */
	startedAt: number;
	/** As EC2's event says; absent: none came, and it is counted from `startedAt`. */
	runningAt?: number;
	/** Absent: it runs. */
	endedAt?: number;
	/** `endedAt` is of EC2's event. */
	endedByEvent?: boolean;
}

/** The volume of an instance, which is paid for from its launch to its termination, stopped or not. */
export interface DiskItem extends Entry {
	hostId: string;
	gb: number;
	from: number;
	to?: number;
}

/** What a host did in a day: the counters of its item now less those at the end of its book before. */
export interface UseItem extends Entry {
	hostId: string;
	tier: "steady" | "burst";
	/** Of the host's item: a steady host costs from then on. */
	createdAt: number;
	/** By campaign, absolute. */
	base: Record<string, Counts>;
	now: Record<string, Counts>;
	syncsBase: number;
	syncsNow: number;
	/** Last written, ms since 1970; absent: only begun. */
	at?: number;
	/** The next book has begun: this one does not change any more, what came after it is in that. */
	sealed?: boolean;
}

/** Key (`…#cursor`, hostId): the day of the host's latest {@link UseItem}, and of the one before, which is sealed; absent: there is none. */
export interface CursorItem extends Entry {
	day: string;
	before?: string;
}

/** What a day cost, once it is over; removed and made anew where something of it is heard later. Amounts are billionths of a US dollar. */
export interface ClosedItem extends Entry {
	at: number;
	/** What burst hosts sent in the month until the end of this day, GB. */
	monthGb: number;
	costs: { item: string; quantity: number; nanoUsd: number; unattributedNanoUsd: number }[];
	campaigns: Record<string, { attempts: number; answered: number; channelMs: number; nanoUsd: Record<string, number> }>;
}
export type LedgerItem = RunItem | DiskItem | UseItem | ClosedItem;

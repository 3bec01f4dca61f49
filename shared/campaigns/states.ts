import type { CampaignState } from "../contract/campaign.ts";

/** What can happen to a campaign. */
export type CampaignChange = "listDone" | "start" | "pause" | "resume" | "cancel" | "complete" | "fail";

/** The table of all transitions: from which states each change is possible. */
export const POSSIBLE_FROM: Record<CampaignChange, readonly CampaignState[]> = {
	/** Its first list is stored. */
	listDone: ["importing"],
	/** `startAt` has come. */
	start: ["scheduled"],
	pause: ["importing", "scheduled", "running"],
	resume: ["paused"],
	cancel: ["importing", "scheduled", "running", "paused"],
	/** Every contact is done. */
	complete: ["running", "paused"],
	/** Its list was never completely received. */
	fail: ["importing"],
};

/** Changes that a person asks for, in the order in which they are named to them. */
const ASKED = ["pause", "resume", "cancel"] as const;
export type AskedChange = (typeof ASKED)[number];

/** States in which an asked change is already true: a repeat whose first answer was lost gets the same answer. */
const ALREADY: Record<AskedChange, readonly CampaignState[]> = {
	pause: ["paused"],
	resume: ["importing", "scheduled", "running"],
	cancel: ["cancelled"],
};

export const isPossible = (change: CampaignChange, from: CampaignState): boolean =>
	POSSIBLE_FROM[change].includes(from);
export const isAlready = (change: AskedChange, state: CampaignState): boolean => ALREADY[change].includes(state);

/** `pause or cancel`; `` where nothing is possible any more. */
export const possibleChanges = (from: CampaignState): string =>
	ASKED.filter((change) => isPossible(change, from)).join(" or ");

/** States out of which a campaign never comes. */
export const isTerminal = (state: CampaignState): boolean => possibleChanges(state) === "";

/** Where a campaign whose first list is stored goes. */
export const afterFirstList = (startAt: number | undefined, now: number): "scheduled" | "running" =>
	startAt !== undefined && startAt > now ? "scheduled" : "running";

/** The update that makes a campaign run or wait for its time; sets `startedAt` once. */
export const runningUpdate = (next: "scheduled" | "running"): string =>
	next === "running" ? ", startedAt = if_not_exists(startedAt, :now)" : "";

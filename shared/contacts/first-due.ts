import type { CampaignItem } from "../store/items.ts";
import type { GoodRow } from "./rows.ts";

/**
 * When a row's contact may be dialed first, given when it could be at the earliest; both ms since 1970, with the fraction that keeps the order of
 * a list.
 */
export type FirstDue = (row: GoodRow, dueAt: number) => number;

/** The rule of one campaign, made once for each chunk of a list. Whatever brings contacts into a campaign asks it. */
export const firstDueOf = (_campaign: CampaignItem): FirstDue => {
	return (_row, dueAt) => dueAt;
};

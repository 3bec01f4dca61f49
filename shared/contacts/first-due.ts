import type { CampaignItem } from "../store/items.ts";
import { openFrom } from "../sync/vet.ts";
import { ROW_MS } from "./put-contact.ts";
import type { GoodRow } from "./rows.ts";

/**
 * When a row's contact may be dialed first, given when it could be at the earliest; both ms since 1970, with the fraction that keeps the order of
 * a list.
 */
export type FirstDue = (row: GoodRow, dueAt: number) => number;

/**
 * The rule of one campaign, made once for each chunk of a list. Whatever brings contacts into a campaign asks it. A contact outside its calling window is due at the
 * opening; one that may never be called is due at once, and ends when its turn comes.
 */
export const firstDueOf = (campaign: CampaignItem): FirstDue => {
	return (row, dueAt) => {
		const open = openFrom(campaign, { number: row.number, ...(row.timeZone ? { tz: row.timeZone } : {}) }, dueAt);
		return open.at === undefined || open.at <= dueAt ? dueAt : open.at + row.line * ROW_MS;
	};
};

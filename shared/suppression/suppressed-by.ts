import { OPT_OUT_LIST } from "../contract/suppression.ts";
import type { CampaignItem, OnList, SuppressedItem, SuppressionListEntry } from "../store/items.ts";
import { onListAttribute } from "../store/items.ts";

/** Decisions about do-not-call lists; pure. */

/** A list as it stands. */
export interface SuppressionList extends SuppressionListEntry {
	name: string;
}
/** What a campaign has to say about lists. */
export type ListsOfCampaign = Pick<CampaignItem, "purpose" | "suppressionLists">;

const DAY_MS = 86_400_000;

/** How a number is on a list; undefined where it is not. */
export const onList = (item: SuppressedItem | undefined, list: Pick<SuppressionList, "id">): OnList | undefined =>
	item?.[onListAttribute(list.id)] as OnList | undefined;

/** Whether a list binds a campaign. Where the purpose is not known, every one is meant. */
export const isInForce = (list: SuppressionList, campaign: ListsOfCampaign): boolean => {
	if (list.scope === "all" || campaign.suppressionLists?.includes(list.name)) return true;
	if (list.scope === "named") return false;
	return campaign.purpose === undefined || list.scope.includes(campaign.purpose);
};

/** Whole days since a list was last loaded; undefined where it never was. */
export const ageDaysOf = (list: Pick<SuppressionList, "updatedAt">, now: number): number | undefined =>
	list.updatedAt === undefined ? undefined : Math.max(0, Math.floor((now - list.updatedAt) / DAY_MS));

/** Whether nobody may rely on a list any more: a register that was never loaded, or too long ago. */
export const isStale = (list: Pick<SuppressionList, "maxAgeDays" | "updatedAt">, now: number): boolean =>
	list.maxAgeDays !== undefined && (list.updatedAt === undefined || now - list.updatedAt > list.maxAgeDays * DAY_MS);

/** Why nobody can be called for a campaign: a list that binds it cannot be relied on, or is not there. */
export interface ListBlock {
	list: string;
	reason: "stale" | "missing";
}

/** Where a list that binds the campaign cannot be evaluated, nobody is called for it; its contacts wait. */
export const blockedByList = (
	lists: readonly SuppressionList[],
	campaign: ListsOfCampaign,
	now: number,
): ListBlock | undefined => {
	const stale = lists.find((list) => isInForce(list, campaign) && isStale(list, now));
	if (stale) return { list: stale.name, reason: "stale" };
	const missing = campaign.suppressionLists?.find((name) => !lists.some((list) => list.name === name));
	return missing === undefined ? undefined : { list: missing, reason: "missing" };
};

/** The list that a number is on, and since when, ms since 1970. */
export interface SuppressionHit {
	list: string;
	since: number;
}

const optOutFirst = (a: SuppressionList, b: SuppressionList): number =>
	Number(b.name === OPT_OUT_LIST) - Number(a.name === OPT_OUT_LIST) || (a.name < b.name ? -1 : 1);

/** Why the campaign may not call the number: the first list that binds it and that the number is on. */
export const suppressedBy = (
	item: SuppressedItem | undefined,
	lists: readonly SuppressionList[],
	campaign: ListsOfCampaign,
): SuppressionHit | undefined => {
	if (item === undefined) return undefined;
	for (const list of [...lists].sort(optOutFirst)) {
		const on = onList(item, list);
		if (on && isInForce(list, campaign)) return { list: list.name, since: on.at };
	}
	return undefined;
};

import type { Trunk } from "../contract/trunk.ts";
import type { CampaignItem } from "../store/items.ts";
import { hashOf } from "../sync/lanes.ts";

/** The caller ids that a campaign may show on a trunk: its own that the trunk still has, else the trunk's. Any digits on a private trunk. */
export const callerIdsFor = (
	campaign: Pick<CampaignItem, "callerId" | "callerIds">,
	trunk: Pick<Trunk, "callerIds" | "numbering">,
): readonly string[] => {
	const wanted = campaign.callerIds ?? (campaign.callerId === undefined ? [] : [campaign.callerId]);
	const allowed = trunk.numbering === "private" ? wanted : wanted.filter((id) => trunk.callerIds.includes(id));
	return allowed.length > 0 ? allowed : trunk.callerIds;
};

const sharedPrefix = (a: string, b: string): number => {
	let n = 0;
	while (n < a.length && n < b.length && a[n] === b[n]) n++;
	return n;
};

/** A country code and an area code: fewer digits in common are no neighbourhood. */
const LOCAL_DIGITS = 4;

/**
 * The caller id that a contact sees: of those with the longest beginning in common with its number, if that is at least country and area; else of all.
 * Equal ones take turns over the contacts; the same contact always sees the same, so that a callback or a second try comes from a number that it knows.
 */
export const chooseCallerId = (callerIds: readonly string[], number: string, contactKey: string): string => {
	const digits = (text: string): string => text.replace(/^\+/, "");
	const near = callerIds.map((id) => sharedPrefix(digits(id), digits(number)));
	const nearest = Math.max(0, ...near);
	const among = nearest < LOCAL_DIGITS ? callerIds : callerIds.filter((_, i) => near[i] === nearest);
	return among[hashOf(contactKey) % Math.max(1, among.length)] ?? "";
};

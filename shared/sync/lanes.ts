import { campaignOfLane, laneOf } from "../contract/ids.ts";
import type { CampaignItem, TrunkItem } from "../store/items.ts";
import type { ByCampaign } from "./shares.ts";

/** The trunks of a campaign, in the order in which callIds name them. */
export const trunksOf = (campaign: Pick<CampaignItem, "trunk" | "trunks">): { id: string; weight: number }[] =>
	campaign.trunks ?? [{ id: campaign.trunk, weight: 1 }];

export const trunkIdAt = (
	campaign: Pick<CampaignItem, "trunk" | "trunks">,
	trunkIndex: number | undefined,
): string | undefined => trunksOf(campaign)[trunkIndex ?? 0]?.id;

/** -1 where the campaign is not on the trunk. */
export const trunkIndexOf = (campaign: Pick<CampaignItem, "trunk" | "trunks">, trunkId: string): number =>
	trunksOf(campaign).findIndex(({ id }) => id === trunkId);

/** Calls of a campaign that a host holds, on all trunks. */
export const heldOf = (held: Readonly<Record<string, number>>, campaignId: string): number =>
	Object.entries(held).reduce((n, [lane, count]) => (campaignOfLane(lane) === campaignId ? n + count : n), 0);

/** What is counted by lane, of one trunk, by campaign. */
export const onTrunk = (
	campaigns: ReadonlyMap<string, Pick<CampaignItem, "trunk" | "trunks">>,
	trunkId: string,
	byLane: Readonly<Record<string, number>>,
): ByCampaign => {
	const own: ByCampaign = {};
	for (const [campaignId, campaign] of campaigns) {
		const trunkIndex = trunkIndexOf(campaign, trunkId);
		const count = trunkIndex < 0 ? 0 : (byLane[laneOf({ campaignId, trunkIndex })] ?? 0);
		if (count > 0) own[campaignId] = count;
	}
	return own;
};

/** A hash of a text, even over 32 bits (FNV-1a with a final mix): for choices that are the same at every repeat. */
export const hashOf = (text: string): number => {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) {
		hash ^= text.charCodeAt(i);
		hash = Math.imul(hash, 0x01000193);
	}
	hash ^= hash >>> 16;
	hash = Math.imul(hash, 0x85ebca6b);
	hash ^= hash >>> 13;
	hash = Math.imul(hash, 0xc2b2ae35);
	hash ^= hash >>> 16;
	return hash >>> 0;
};

/** A trunk that a contact of a campaign may go through now. */
export interface Lane {
	trunkIndex: number;
	trunk: TrunkItem;
	/** Its part of the campaign's calls. */
	weight: number;
	/** Calls that it can take now. */
	room: number;
}

/**
 * Divides contacts over the trunks of their campaign: each goes to a trunk by the weights (the same one at every try, by its key), unless that one has no room or
 * is the one it is to be kept from; then to the next by the same order. Where no trunk has room it goes to its first, ahead of a channel.
 */
export const divide = <T extends { contactKey: string; attempt: number; not?: number }>(
	contacts: readonly T[],
	lanes: readonly Lane[],
): Map<number, T[]> => {
	const rooms = new Map(lanes.map((lane) => [lane.trunkIndex, lane.room]));
	const divided = new Map<number, T[]>(lanes.map((lane) => [lane.trunkIndex, []]));
	for (const contact of contacts) {
		// Rendezvous hashing with weights: the share of each trunk is its weight's, and a trunk that leaves moves only its own.
		const order = lanes
			.map((lane) => {
				const draw = (hashOf(`${contact.contactKey} ${contact.attempt} ${lane.trunk.trunkId}`) + 0.5) / 2 ** 32;
				return { lane, score: lane.weight <= 0 ? Number.POSITIVE_INFINITY : -Math.log(draw) / lane.weight };
			})
			.sort((a, b) => a.score - b.score)
			.map(({ lane }) => lane);
		const others = order.filter((lane) => lane.trunkIndex !== contact.not);
		const wanted = [...others, ...order.filter((lane) => lane.trunkIndex === contact.not)];
		const taken = wanted.find((lane) => (rooms.get(lane.trunkIndex) ?? 0) > 0) ?? wanted[0];
		if (!taken) continue;
		rooms.set(taken.trunkIndex, (rooms.get(taken.trunkIndex) ?? 0) - 1);
		divided.get(taken.trunkIndex)?.push(contact);
	}
	return divided;
};

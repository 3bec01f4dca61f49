import type { CampaignItem } from "../store/items.ts";
import { trunksOf } from "./lanes.ts";

/**
 * A whole number divided in proportion to weights, in whole numbers that add up to it: the largest remainders get what is left, of equal ones the first.
 */
export const divideWhole = (total: number, weights: readonly number[]): number[] => {
	const all = weights.reduce((a, b) => a + b, 0);
	if (all <= 0) return weights.map(() => 0);
	const exact = weights.map((weight) => (total * weight) / all);
	const parts = exact.map(Math.floor);
	const order = exact
		.map((value, i) => ({ i, rest: value - Math.floor(value) }))
		.sort((a, b) => b.rest - a.rest || a.i - b.i);
	let left = total - parts.reduce((a, b) => a + b, 0);
	for (const { i } of order) {
		if (left <= 0) break;
		parts[i] = (parts[i] ?? 0) + 1;
		left--;
	}
	return parts;
};

/**
 * Calls per second of a campaign on one of its trunks; undefined where the campaign has no rate of its own. Each trunk has a whole number of them, so that
 * their sum is never more in any rolling second; one that has none is not used.
 */
export const pacedCps = (
	campaign: Pick<CampaignItem, "trunk" | "trunks" | "maxCps">,
	trunkId: string,
): number | undefined => {
	if (campaign.maxCps === undefined) return undefined;
	const trunks = trunksOf(campaign);
	const parts = divideWhole(
		campaign.maxCps,
		trunks.map(({ weight }) => weight),
	);
	return parts[trunks.findIndex(({ id }) => id === trunkId)] ?? 0;
};

import type { TrunkHealth } from "../contract/host.ts";
import type { TrunkItem } from "../store/items.ts";

/**
 * Trunks whose carrier does not answer the host, from what it says; undefined where it says nothing. Only trunks that there are: names that a host makes
 * up must not fill its item.
 */
export const deadTrunksOf = (
	health: TrunkHealth | undefined,
	trunks: ReadonlyMap<string, TrunkItem>,
): string[] | undefined =>
	health === undefined
		? undefined
		: Object.entries(health)
				.filter(([trunkId, state]) => state === "down" && trunks.has(trunkId))
				.map(([trunkId]) => trunkId)
				.sort();

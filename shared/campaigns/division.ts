import type { Deps } from "../deps.ts";
import { getItem, update } from "../store/db.ts";
import { type CampaignItem, campaignKey, type TrunkItem } from "../store/items.ts";
import { divideWhole } from "../sync/campaign-rate.ts";
import { trunksOf } from "../sync/lanes.ts";
import { paceAt } from "../sync/trunk-pace.ts";

/**
 * A campaign's own channel cap over several trunks: each trunk's entry has a part of it, and the parts never add up to more. The parts follow the weights, and
 * move away from trunks that refuse calls. A division has a version; it is brought about in two steps, so that whatever crashes or overtakes, what may be up never
 * exceeds the cap: first every entry is stamped with the version and lowered to its part where it has more; only when all are, and their calls fit, are the others
 * raised. A stamp of an older version cannot follow.
 */
export interface Division {
	v: number;
	/** Channels by trunk. */
	caps: Record<string, number>;
}

/** Small changes of a trunk's pace are not worth moving channels for. */
const STEPS: readonly { from: number; part: number }[] = [
	{ from: 0.75, part: 1 },
	{ from: 0.35, part: 0.5 },
	{ from: 0.15, part: 0.25 },
	{ from: 0, part: 0.1 },
];

/** The parts that a campaign's trunks should have now. Every trunk has one channel if there are enough, so that it is tried. */
export const wantedCaps = (
	campaign: Pick<CampaignItem, "trunk" | "trunks">,
	maxChannels: number,
	trunks: ReadonlyMap<string, Pick<TrunkItem, "pace">>,
	now: number,
): Record<string, number> => {
	const all = trunksOf(campaign);
	const least = maxChannels >= all.length ? 1 : 0;
	const weights = all.map(({ id, weight }) => {
		const trunk = trunks.get(id);
		const pace = trunk ? paceAt(trunk, now) : 1;
		return weight * (STEPS.find(({ from }) => pace >= from)?.part ?? 0);
	});
	const parts = divideWhole(maxChannels - least * all.length, weights);
	return Object.fromEntries(all.map(({ id }, i) => [id, least + (parts[i] ?? 0)]));
};

const same = (a: Record<string, number>, b: Record<string, number>): boolean =>
	Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([id, n]) => b[id] === n);

/** The division that stands in META after this: as it is, or a new one where another is wanted. Undefined: META changed meanwhile. */
const settleDivision = async (
	deps: Deps,
	campaign: CampaignItem,
	caps: Record<string, number>,
): Promise<Division | undefined> => {
	const standing = campaign.division;
	if (standing && same(standing.caps, caps)) return standing;
	const division: Division = { v: (standing?.v ?? 0) + 1, caps };
	const result = await update<CampaignItem>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: `maxChannels = :cap AND ${standing ? "#division.#v = :read" : "attribute_not_exists(#division)"}`,
		UpdateExpression: "SET #division = :division",
		ExpressionAttributeNames: { "#division": "division", ...(standing ? { "#v": "v" } : {}) },
		ExpressionAttributeValues: {
			":cap": campaign.maxChannels,
			":division": division,
			...(standing ? { ":read": standing.v } : {}),
		},
	});
	if (!result.ok) return undefined;
	deps.log.info("campaign.divided", { campaignId: campaign.campaignId, from: standing?.caps, to: caps, v: division.v });
	return division;
};

const readTrunks = async (deps: Deps, campaign: CampaignItem): Promise<Map<string, TrunkItem>> => {
	const items = await Promise.all(
		trunksOf(campaign).map(({ id }) =>
			getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: campaign.tenant, trunkId: id }),
		),
	);
	return new Map(items.flatMap((item) => (item ? [[item.trunkId, item]] : [])));
};

/** Writes cap and version of a campaign's entry on a trunk, if it stands as it was read. */
const writeEntry = async (
	deps: Deps,
	trunk: TrunkItem,
	campaignId: string,
	cap: number,
	v: number,
): Promise<boolean> => {
	const entry = trunk.c[campaignId];
	if (!entry) return false;
	const result = await update(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: trunk.tenant, trunkId: trunk.trunkId },
		ConditionExpression: `#c.#id.#cap = :read AND ${entry.v === undefined ? "attribute_not_exists(#c.#id.#v)" : "#c.#id.#v = :vRead"}`,
		UpdateExpression: "SET #c.#id.#cap = :cap, #c.#id.#free = #c.#id.#free + :more, #c.#id.#v = :v",
		ExpressionAttributeNames: { "#c": "c", "#id": campaignId, "#free": "free", "#cap": "cap", "#v": "v" },
		ExpressionAttributeValues: {
			":read": entry.cap,
			":cap": cap,
			":more": cap - entry.cap,
			":v": v,
			...(entry.v === undefined ? {} : { ":vRead": entry.v }),
		},
	});
	return result.ok;
};

/**
 * Brings the entries of a campaign with a cap of its own and several trunks to the parts that they should have; called again until it is done, from the minute's tick
 * if need be.
 * @returns whether all stand as they should
 */
export const followDivision = async (deps: Deps, campaign: CampaignItem, maxChannels: number): Promise<boolean> => {
	const { campaignId } = campaign;
	const read = await readTrunks(deps, campaign);
	const division = await settleDivision(deps, campaign, wantedCaps(campaign, maxChannels, read, deps.now()));
	if (!division) return false;
	const part = (trunk: TrunkItem): number => division.caps[trunk.trunkId] ?? 0;
	for (const trunk of read.values()) {
		const entry = trunk.c[campaignId];
		if (entry && (entry.v ?? 0) < division.v) {
			await writeEntry(deps, trunk, campaignId, Math.min(entry.cap, part(trunk)), division.v);
		}
	}
	const stamped = await readTrunks(deps, campaign);
	const entries = [...stamped.values()].map((trunk) => trunk.c[campaignId]);
	const fits = entries.length === trunksOf(campaign).length && entries.every((e) => e?.v === division.v && e.free >= 0);
	if (!fits) return false;
	let done = true;
	for (const trunk of stamped.values()) {
		const entry = trunk.c[campaignId];
		if (entry && entry.cap < part(trunk))
			done = (await writeEntry(deps, trunk, campaignId, part(trunk), division.v)) && done;
	}
	return done;
};

import type { Deps } from "../deps.ts";
import { getItem, update } from "../store/db.ts";
import { type CampaignItem, campaignKey, type TrunkItem } from "../store/items.ts";
import { isOver } from "../sync/counters.ts";
import { trunksOf } from "../sync/lanes.ts";
import { readCampaigns, readTrunks } from "../sync/world.ts";
import { followDivision } from "./division.ts";

/** A campaign's entry on its trunk holds its channel cap and what is free of it; without it, it is not dialed. */

const names = (campaignId: string) => ({ "#c": "c", "#id": campaignId, "#free": "free", "#cap": "cap" });

/** Enters a campaign on its trunk with `cap` channels; harmless if it is there. */
export const registerCampaign = async (
	deps: Deps,
	tenant: string,
	trunkId: string,
	campaignId: string,
	cap: number,
): Promise<void> => {
	await update(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant, trunkId },
		ConditionExpression: "attribute_exists(#c) AND attribute_not_exists(#c.#id)",
		UpdateExpression: "SET #c.#id = :entry",
		ExpressionAttributeNames: { "#c": "c", "#id": campaignId },
		ExpressionAttributeValues: { ":entry": { cap, free: cap } },
	});
};

/**
 * Enters a campaign on all its trunks. With several and a cap of its own it begins without a channel on each; its division gives it those.
 * @throws Error where a trunk is gone
 */
export const registerOnTrunks = async (deps: Deps, campaign: CampaignItem): Promise<void> => {
	const { tenant, campaignId, maxChannels } = campaign;
	const trunks = trunksOf(campaign);
	for (const { id } of trunks) {
		const trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant, trunkId: id });
		if (!trunk) throw new Error(`Trunk "${id}" of campaign ${campaignId} is gone`);
		const cap = trunks.length > 1 && maxChannels !== undefined ? 0 : (maxChannels ?? trunk.cap);
		await registerCampaign(deps, tenant, id, campaignId, cap);
	}
	// A change of a cap since META was read found no entry to change.
	await followCampaignCap(deps, tenant, campaignId);
};

/** Takes a campaign off all its trunks; those where a channel is still held, the next time. */
export const unregisterFromTrunks = async (
	deps: Deps,
	campaign: Pick<CampaignItem, "tenant" | "campaignId" | "trunk" | "trunks">,
): Promise<void> => {
	for (const { id } of trunksOf(campaign)) await unregisterCampaign(deps, campaign.tenant, id, campaign.campaignId);
};

/** Takes a campaign off its trunk once no host holds a channel of it; otherwise leaves it for the next time. */
export const unregisterCampaign = async (
	deps: Deps,
	tenant: string,
	trunkId: string,
	campaignId: string,
): Promise<boolean> => {
	const result = await update(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant, trunkId },
		ConditionExpression: "attribute_exists(#c.#id) AND #c.#id.#free = #c.#id.#cap",
		UpdateExpression: "REMOVE #c.#id",
		ExpressionAttributeNames: names(campaignId),
	});
	return result.ok;
};

/** Changes a campaign's channel cap; a lower one takes effect as calls end, and no call is cut off. */
export const changeCampaignCap = async (
	deps: Deps,
	tenant: string,
	trunkId: string,
	campaignId: string,
	cap: number,
): Promise<void> => {
	for (;;) {
		const trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant, trunkId });
		const entry = trunk?.c[campaignId];
		if (!entry || entry.cap === cap) return;
		const result = await update(deps.db, {
			TableName: deps.tables.trunks,
			Key: { tenant, trunkId },
			ConditionExpression: "#c.#id.#cap = :read",
			UpdateExpression: "SET #c.#id.#cap = :cap, #c.#id.#free = #c.#id.#free + :more",
			ExpressionAttributeNames: names(campaignId),
			ExpressionAttributeValues: { ":read": entry.cap, ":cap": cap, ":more": cap - entry.cap },
		});
		if (result.ok) return;
	}
};

/**
 * Brings the cap of a campaign's entry on its trunk to what META says, or to the trunk's cap where it says none. To be called
 * after every write that META's cap, the trunk's cap or the entry itself comes from: whoever writes the entry looks at the
 * sources again afterwards, so that of crossing changes the last one stands in both places. Harmless without an entry.
 */
export const followCampaignCap = async (deps: Deps, tenant: string, campaignId: string): Promise<void> => {
	let written: number | undefined;
	for (;;) {
		const key = campaignKey(tenant, campaignId);
		const campaign = await getItem<CampaignItem>(deps.db, deps.tables.campaigns, key);
		if (!campaign) return;
		if (trunksOf(campaign).length > 1) return followCaps(deps, campaign);
		const trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant, trunkId: campaign.trunk });
		const cap = campaign.maxChannels ?? trunk?.cap;
		if (cap === undefined || cap === written) return;
		await changeCampaignCap(deps, tenant, campaign.trunk, campaignId, cap);
		written = cap;
	}
};

/** The caps of a campaign with several trunks. */
const followCaps = async (deps: Deps, campaign: CampaignItem): Promise<void> => {
	const { tenant, campaignId, maxChannels } = campaign;
	if (maxChannels !== undefined) {
		await followDivision(deps, campaign, maxChannels);
		return;
	}
	for (const { id } of trunksOf(campaign)) {
		const trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant, trunkId: id });
		if (trunk) await changeCampaignCap(deps, tenant, id, campaignId, trunk.cap);
	}
};

/** Takes campaigns that are over off their trunks where that could not be done at once. */
export const tidyTrunks = async (deps: Deps, tenant: string): Promise<void> => {
	const { trunks } = await readTrunks(deps, tenant);
	const campaigns = await readCampaigns(
		deps,
		tenant,
		[...trunks.values()].flatMap((trunk) => Object.keys(trunk.c)),
	);
	for (const trunk of trunks.values()) {
		for (const campaignId of Object.keys(trunk.c)) {
			const campaign = campaigns.get(campaignId);
			if (campaign && (isOver(campaign) || campaign.state === "failed")) {
				await unregisterCampaign(deps, tenant, trunk.trunkId, campaignId);
			}
		}
	}
};

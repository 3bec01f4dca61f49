import type { Deps } from "../deps.ts";
import { nudgeFleet } from "../fleet/nudge.ts";
import { update } from "../store/db.ts";
import { type CampaignItem, campaignKey } from "../store/items.ts";
import { countsFrom, readCampaignItems, readHosts } from "./counts.ts";
import { unregisterFromTrunks } from "./registration.ts";

/**
 * Completes a campaign whose every contact is done: decided from counters, never from an empty index. No import may be
 * open, nor have begun since the counters were read.
 * @returns whether the campaign is completed now
 */
export const completeIfDone = async (deps: Deps, tenant: string, campaignId: string): Promise<boolean> => {
	const items = await readCampaignItems(deps, tenant, campaignId);
	const { meta } = items;
	if (!meta || (meta.state !== "running" && meta.state !== "paused") || meta.openImports > 0) return false;
	const counts = countsFrom(campaignId, items, await readHosts(deps, tenant));
	if (counts.total === 0 || counts.done < counts.total) return false;
	const result = await update<CampaignItem>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId),
		ConditionExpression: "#state = :state AND openImports = :none AND importVersion = :read",
		UpdateExpression: "SET #state = :completed, finishedAt = :now",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: {
			":state": meta.state,
			":none": 0,
			":read": meta.importVersion,
			":completed": "completed",
			":now": deps.now(),
		},
	});
	// Completed by somebody else, or by this very request, whose first answer was lost.
	if (!result.ok && result.item?.state !== "completed") return false;
	if (result.ok) {
		deps.log.info("campaign.completed", { campaignId, ...counts });
		await nudgeFleet(deps, tenant, "a campaign completed");
	}
	await unregisterFromTrunks(deps, meta);
	return true;
};

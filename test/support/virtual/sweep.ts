import type { Deps } from "../../../shared/deps.ts";
import { queryAll, update } from "../../../shared/store/db.ts";
import { type CampaignItem, type ContactItem, campaignKey, shardKey } from "../../../shared/store/items.ts";
import { readCampaigns } from "../../../shared/sync/world.ts";

/** The sweep of a cancelled campaign as the protocol has it: repeated until nothing is pending or claimed. */
export const sweepCampaign = async (deps: Deps, tenant: string, campaignId: string): Promise<void> => {
	const campaign: CampaignItem | undefined = (await readCampaigns(deps, tenant, [campaignId])).get(campaignId);
	if (campaign?.state !== "cancelled" || campaign.sweptAt !== undefined) return;
	let left = 0;
	for (let shard = 0; shard < campaign.shards; shard++) {
		const contacts = await queryAll<ContactItem>(deps.db, {
			TableName: deps.tables.contacts,
			ConsistentRead: true,
			KeyConditionExpression: "shardKey = :shard",
			ExpressionAttributeValues: { ":shard": shardKey(tenant, campaignId, shard) },
		});
		for (const contact of contacts) {
			if (contact.state === "done") continue;
			left++;
			if (contact.state === "pending")
				await update(deps.db, {
					TableName: deps.tables.contacts,
					Key: { shardKey: contact.shardKey, contactKey: contact.contactKey },
					ConditionExpression: "#state = :pending",
					UpdateExpression: "SET #state = :done, #outcome = :cancelled, #ver = #ver + :one REMOVE #dueAt",
					ExpressionAttributeNames: { "#state": "state", "#outcome": "outcome", "#ver": "ver", "#dueAt": "dueAt" },
					ExpressionAttributeValues: { ":pending": "pending", ":done": "done", ":cancelled": "cancelled", ":one": 1 },
				});
		}
	}
	if (left > 0) return;
	await update(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId),
		ConditionExpression: "attribute_not_exists(sweptAt)",
		UpdateExpression: "SET sweptAt = :now",
		ExpressionAttributeValues: { ":now": deps.now() },
	});
};

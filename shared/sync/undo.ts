import type { Deps } from "../deps.ts";
import { getItem, update } from "../store/db.ts";
import type { CampaignItem, Candidate, ContactItem } from "../store/items.ts";
import { releaseUndialed } from "./claim-within-limits.ts";
import { contactKeyOfCandidate } from "./grant.ts";
import { giveBack } from "./settle.ts";

export type CampaignOf = (campaignId: string) => Promise<CampaignItem | undefined>;

/**
 * Takes back what a sync that will never be answered with calls has claimed, and keeps a slow execution of it from claiming more:
 * a contact claimed under its lease is pending again, a contact that it could still claim gets another version.
 */
export const undoClaims = async (
	deps: Deps,
	tenant: string,
	lease: string,
	cands: Candidate[],
	campaignOf: CampaignOf,
): Promise<void> => {
	for (const candidate of cands) {
		const campaign = await campaignOf(candidate.c);
		if (!campaign) continue;
		const key = contactKeyOfCandidate(tenant, candidate, campaign);
		// Until one write holds or neither applies: the sync may claim between our read and our write.
		for (;;) {
			const contact = await getItem<ContactItem>(deps.db, deps.tables.contacts, key);
			if (contact?.state === "claimed" && contact.lease === lease) {
				const back = await giveBack(deps, key, lease, campaign.state === "cancelled");
				if (back.ok && back.item) await releaseUndialed(deps, tenant, campaign, back.item, candidate.a, candidate.v);
				if (back.ok) break;
			} else if (contact?.state === "pending" && contact.ver === candidate.v) {
				const bumped = await update(deps.db, {
					TableName: deps.tables.contacts,
					Key: key,
					ConditionExpression: "#state = :pending AND #ver = :ver",
					UpdateExpression: "SET #ver = #ver + :one",
					ExpressionAttributeNames: { "#state": "state", "#ver": "ver" },
					ExpressionAttributeValues: { ":pending": "pending", ":ver": candidate.v, ":one": 1 },
				});
				if (bumped.ok) break;
			} else break;
		}
	}
};

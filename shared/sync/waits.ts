import type { Deps } from "../deps.ts";
import { update, type WriteResult } from "../store/db.ts";
import type { CampaignItem, Candidate, ContactItem } from "../store/items.ts";

/** Writes upon contacts that are due and not called now. Each holds only for a contact that is pending in the version that was read. */

const keyOf = ({ shardKey, contactKey }: ContactItem) => ({ shardKey, contactKey });
/** Reasons are told back; they come from rules and names of lists. */
const MAX_WHY_CHARS = 160;

/**
 * Lets a contact wait: it is due again at `until`, ms. Costs three write units, as the index moves too. Its version is raised: a twin of the same sync that judges
 * otherwise cannot claim it any more.
 */
export const letWait = async (
	deps: Deps,
	contact: ContactItem,
	until: number,
	wait: NonNullable<ContactItem["wait"]>,
): Promise<WriteResult<ContactItem>> =>
	update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: keyOf(contact),
		ConditionExpression: "#state = :pending AND #ver = :ver",
		UpdateExpression: "SET #dueAt = :until, #wait = :wait, #ver = #ver + :one",
		ExpressionAttributeNames: { "#state": "state", "#ver": "ver", "#dueAt": "dueAt", "#wait": "wait" },
		ExpressionAttributeValues: {
			":pending": "pending",
			":ver": contact.ver,
			":until": until,
			":wait": { for: wait.for, rule: wait.rule.slice(0, MAX_WHY_CHARS) },
			":one": 1,
		},
	});

/** Lets the contact be called under its next number. @returns whether it has one */
export const tryNextNumber = async (deps: Deps, contact: ContactItem): Promise<boolean> => {
	const index = (contact.ni ?? 0) + 1;
	const next = contact.nums?.[index];
	if (!next) return false;
	await update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: keyOf(contact),
		ConditionExpression: "#state = :pending AND #ver = :ver",
		UpdateExpression: "SET #number = :number, #ni = :index, #ver = #ver + :one",
		ExpressionAttributeNames: { "#state": "state", "#ver": "ver", "#number": "number", "#ni": "ni" },
		ExpressionAttributeValues: {
			":pending": "pending",
			":ver": contact.ver,
			":number": next.number,
			":index": index,
			":one": 1,
		},
	});
	return true;
};

/**
 * Ends a contact that may not be called, or need not be any more. It stands in the grant record of the sync `me`, so that whoever commits that sync counts it.
 * @returns whether it was ended by `me`, now or by an earlier try or a twin
 */
export const endUncalled = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	ver: number,
	me: string,
	{ o, why }: NonNullable<Candidate["x"]>,
): Promise<boolean> => {
	const result = await update<ContactItem>(deps.db, {
		TableName: deps.tables.contacts,
		Key: key,
		ConditionExpression: "#state = :pending AND #ver = :ver",
		UpdateExpression: "SET #state = :done, #outcome = :outcome, #sup = :sup, #ver = #ver + :one REMOVE #dueAt, #wait",
		ExpressionAttributeNames: {
			"#state": "state",
			"#ver": "ver",
			"#outcome": "outcome",
			"#sup": "sup",
			"#dueAt": "dueAt",
			"#wait": "wait",
		},
		ExpressionAttributeValues: {
			":pending": "pending",
			":done": "done",
			":outcome": o,
			":ver": ver,
			":sup": { by: me, why: why.slice(0, MAX_WHY_CHARS) },
			":one": 1,
		},
	});
	return result.ok || result.item?.sup?.by === me;
};

/** Records with the campaign that rules of law were not applied to its calls, once for each rule. */
export const recordExemptions = async (deps: Deps, campaign: CampaignItem, rules: Iterable<string>): Promise<void> => {
	for (const rule of rules) {
		if (campaign.exemptions === undefined || campaign.exemptions[rule]) continue;
		const used = { at: deps.now(), ...(campaign.tokenId === undefined ? {} : { tokenId: campaign.tokenId }) };
		campaign.exemptions[rule] = used;
		await update(deps.db, {
			TableName: deps.tables.campaigns,
			Key: { campaign: campaign.campaign, kind: campaign.kind },
			ConditionExpression: "attribute_not_exists(#exemptions.#rule)",
			UpdateExpression: "SET #exemptions.#rule = :used",
			ExpressionAttributeNames: { "#exemptions": "exemptions", "#rule": rule },
			ExpressionAttributeValues: { ":used": used },
		});
		deps.log.info("campaign.exemption", { campaignId: campaign.campaignId, purpose: campaign.purpose, rule, ...used });
	}
};

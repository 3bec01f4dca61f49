import { contactKeyOf } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { put } from "../store/db.ts";
import { type CampaignItem, type ContactItem, shardKey, shardOf } from "../store/items.ts";
import type { FirstDue } from "./first-due.ts";
import type { GoodRow } from "./rows.ts";

/**
 * One row's part of a millisecond: keeps the order of a list among contacts that are due at once. A power of two, so that
 * a time of today plus it is exact as a double (12 bits are left for fractions); a million rows take 0.25 s.
 */
export const ROW_MS = 1 / 4096;

/** When a row of a list may be dialed first, ms since 1970 with a fraction. */
export const dueAtOf = (importedAt: number, startAt: number | undefined, line: number): number =>
	Math.max(Math.floor(importedAt), startAt ?? 0) + line * ROW_MS;

/**
 * Stores a contact unless its campaign has it already.
 * @param importId the import it came with: a repeat of the same row is recognised by it
 * @param firstDue moves its first time to one at which it may be called
 * @returns whether the row is this import's contact; a duplicate is left exactly as it stands
 */
export const putContact = async (
	deps: Deps,
	campaign: Pick<CampaignItem, "tenant" | "campaignId" | "shards" | "startAt">,
	importId: string,
	importedAt: number,
	row: GoodRow,
	firstDue: FirstDue,
): Promise<boolean> => {
	const contactKey = contactKeyOf(row.contactId);
	const key = {
		shardKey: shardKey(campaign.tenant, campaign.campaignId, shardOf(contactKey, campaign.shards)),
		contactKey,
	};
	const imp = `${importId}#${row.line}`;
	const item: ContactItem = {
		...key,
		contactId: row.contactId,
		number: row.number,
		...(row.numbers ? { nums: row.numbers, ni: 0 } : {}),
		...(row.kind === undefined ? {} : { kind: row.kind }),
		...(row.timeZone === undefined ? {} : { tz: row.timeZone }),
		...(row.consent ? { consent: row.consent } : {}),
		...(row.vars ? { vars: row.vars } : {}),
		state: "pending",
		attempt: 1,
		ver: 1,
		dueAt: firstDue(row, dueAtOf(importedAt, campaign.startAt, row.line)),
		imp,
	};
	const written = await put<ContactItem>(
		deps.db,
		{ TableName: deps.tables.contacts, Item: item, ConditionExpression: "attribute_not_exists(contactKey)" },
		key,
	);
	return written.ok || written.item?.imp === imp;
};

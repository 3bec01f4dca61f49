import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { ImportingCampaign } from "../contacts/import-items.ts";
import { CAMPAIGN_ID_PATTERN } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { batchGet } from "../store/db.ts";
import { campaignKey } from "../store/items.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { summarize } from "./view.ts";

export const listQuerySchema = z.strictObject({
	limit: z.coerce.number().int().min(1).max(1_000).default(50),
	cursor: z.string().max(500).optional(),
});

const cursorSchema = z.strictObject({ after: z.string().regex(CAMPAIGN_ID_PATTERN) });

/** Pages of the index read for one answer: test calls are left out, and there may be many. */
const MAX_PAGES = 10;

/**
 * Campaigns, newest first; test calls are not among them. One made a moment ago may be missing (the index lags).
 * @returns a cursor where there may be more
 */
export const listCampaigns = async (
	deps: Deps,
	tenant: string,
	query: z.output<typeof listQuerySchema>,
): Promise<{ items: ReturnType<typeof summarize>[]; cursor: string | null }> => {
	let after = readCursor(cursorSchema, query.cursor)?.after;
	const items: ReturnType<typeof summarize>[] = [];
	for (let page = 0; page < MAX_PAGES; page++) {
		const answer = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.campaigns,
				IndexName: "list",
				KeyConditionExpression: `tenant = :tenant${after ? " AND campaignId < :after" : ""}`,
				ExpressionAttributeValues: { ":tenant": tenant, ...(after ? { ":after": after } : {}) },
				ScanIndexForward: false,
				Limit: query.limit - items.length,
			}),
		);
		const ids = (answer.Items ?? []).map((item) => String(item["campaignId"]));
		const found = await batchGet<ImportingCampaign>(
			deps.db,
			deps.tables.campaigns,
			ids.map((id) => campaignKey(tenant, id)),
		);
		const byId = new Map(found.map((item) => [item.campaignId, item]));
		for (const id of ids) {
			const item = byId.get(id);
			if (item?.origin === "campaign") items.push(summarize(item));
		}
		after = ids.at(-1) ?? after;
		if (!answer.LastEvaluatedKey) return { items, cursor: null };
		if (items.length >= query.limit) break;
	}
	return { items, cursor: after ? writeCursor({ after }) : null };
};

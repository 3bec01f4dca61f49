import type { Deps } from "../deps.ts";
import { queryAll } from "../store/db.ts";

/**
 * The list of campaigns that are not over: a marker each, so that the minute's tick reads just those, and strongly. The marker
 * is written before the campaign and deleted by the tick only, after the campaign's end.
 */
export interface OpenMarker extends Record<string, unknown> {
	campaign: string;
	/** The campaignId. */
	kind: string;
	createdAt: number;
}

/** No campaign has such an id. */
const openPartition = (tenant: string): string => `${tenant}#open`;

export const markerKey = (tenant: string, campaignId: string) => ({
	campaign: openPartition(tenant),
	kind: campaignId,
});

export const listOpen = (deps: Deps, tenant: string): Promise<OpenMarker[]> =>
	queryAll<OpenMarker>(deps.db, {
		TableName: deps.tables.campaigns,
		ConsistentRead: true,
		KeyConditionExpression: "campaign = :open",
		ExpressionAttributeValues: { ":open": openPartition(tenant) },
	});

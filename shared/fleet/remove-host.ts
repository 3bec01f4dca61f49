import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { Deps } from "../deps.ts";
import { bookUse } from "../ledger/book-use.ts";
import { dayOf } from "../ledger/days.ts";
import { pruneShare } from "../recovery/prune-shares.ts";
import { getItem } from "../store/db.ts";
import { type Counts, campaignKey, inventoryKey, type StatsItem, type TrunkItem } from "../store/items.ts";
import { asOf, copyStats, statsKind } from "../sync/counters.ts";
import { type BurstHost, sumOf } from "./counting.ts";

/** Whether the copy of a campaign's counters says all that the host's item says. */
const isSafe = async (deps: Deps, host: BurstHost, campaignId: string, counts: Counts): Promise<boolean> => {
	const key = campaignKey(host.tenant, campaignId, statsKind(host.hostId));
	const stats = await getItem<StatsItem>(deps.db, deps.tables.campaigns, key);
	if (!stats || stats.asOf < asOf(host)) return false;
	return [...Object.keys(counts), ...Object.keys(stats.counts)].every(
		(name) => (stats.counts[name] ?? 0) === (counts[name] ?? 0),
	);
};

/**
 * Removes the item of a host that was terminated: its counters are copied to STATS first, and its entries taken off the trunks. May be begun again
 * at any place. What cannot be done safely is said and left: an item costs nothing, a lost counter is a wrong campaign.
 * @returns whether the item is gone
 */
export const removeHost = async (deps: Deps, host: BurstHost, trunks: TrunkItem[]): Promise<boolean> => {
	const { tenant, hostId } = host;
	const keep = (why: string): false => {
		deps.log.error("host.notRemoved", { hostId, why });
		return false;
	};
	if (sumOf(host.held) > 0) return keep("it still holds calls");
	for (const [campaignId, counts] of Object.entries(host.acc)) {
		await copyStats(deps, host, campaignId, counts);
		if (!(await isSafe(deps, host, campaignId, counts)))
			return keep(`the copy of its counters for campaign ${campaignId} says something else`);
	}
	await bookUse(deps, host, dayOf(deps.now()));
	for (const trunk of trunks) {
		// A trunk that was written meanwhile: the next look.
		if (!(await pruneShare(deps, trunk, hostId))) return false;
	}
	await deps.db.send(new DeleteCommand({ TableName: deps.tables.hosts, Key: inventoryKey(tenant, hostId) }));
	try {
		await deps.db.send(
			new DeleteCommand({
				TableName: deps.tables.hosts,
				Key: { tenant, hostId },
				ConditionExpression: "#state = :terminated AND #epoch = :epoch AND #seq = :seq",
				ExpressionAttributeNames: { "#state": "state", "#epoch": "epoch", "#seq": "seq" },
				ExpressionAttributeValues: { ":terminated": "terminated", ":epoch": host.epoch, ":seq": host.seq },
			}),
		);
	} catch (error) {
		if (!(error instanceof ConditionalCheckFailedException)) throw error;
		// Another look was faster, or the host is not what was read: nothing is lost by leaving it.
		return false;
	}
	deps.log.info("host.removed", { hostId, campaigns: Object.keys(host.acc).length });
	return true;
};

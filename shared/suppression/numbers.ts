import { ApiError } from "../contract/errors.ts";
import { OPT_OUT_LIST, type OptOutInput } from "../contract/suppression.ts";
import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import {
	CONFIG_ID,
	type ConfigItem,
	calleeKey,
	type OnList,
	onListAttribute,
	type SuppressedItem,
} from "../store/items.ts";
import { countNumbers, readList } from "./lists.ts";
import { onList, type SuppressionList } from "./suppressed-by.ts";

/**
 * Puts a number on a list; how it is on it already stands. One write without a condition, so that neither a repeat nor another list gets in its way.
 * @returns how it was on the list before
 */
export const addNumber = async (
	deps: Deps,
	tenant: string,
	list: Pick<SuppressionList, "id">,
	number: string,
	entry: OnList,
): Promise<OnList | undefined> => {
	const { item } = await update<SuppressedItem>(deps.db, {
		TableName: deps.tables.suppression,
		Key: calleeKey(tenant, number),
		UpdateExpression: "SET #on = if_not_exists(#on, :entry)",
		ExpressionAttributeNames: { "#on": onListAttribute(list.id) },
		ExpressionAttributeValues: { ":entry": entry },
		ReturnValues: "UPDATED_OLD",
	});
	return onList(item, list);
};

/** Takes a number off a list; throws 404 where it is not on it. */
export const removeNumber = async (
	deps: Deps,
	tenant: string,
	tokenId: string,
	name: string,
	number: string,
): Promise<{ list: string; number: string; since: string }> => {
	const list = await readList(deps, tenant, name);
	const removed = await update<SuppressedItem>(deps.db, {
		TableName: deps.tables.suppression,
		Key: calleeKey(tenant, number),
		ConditionExpression: "attribute_exists(#on)",
		UpdateExpression: "REMOVE #on",
		ExpressionAttributeNames: { "#on": onListAttribute(list.id) },
		ReturnValues: "UPDATED_OLD",
	});
	const was = removed.ok ? onList(removed.item, list) : undefined;
	if (!was) throw new ApiError(404, "notFound", `${number} is not on the suppression list "${name}".`);
	await countNumbers(deps, tenant, list, -1);
	deps.log.warn("suppression.numberRemoved", { tenant, list: name, tokenId, since: was.at });
	return { list: name, number, since: new Date(was.at).toISOString() };
};

/**
 * Says to all syncs that somebody opted out, after the number is on the list: calls to it that are granted and not dialed are recalled. It is in the item of
 * the configuration's version, which every sync reads anyway, and leaves that version as it is.
 */
export const markOptOut = async (deps: Deps, tenant: string): Promise<void> => {
	const now = deps.now();
	await update<ConfigItem>(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant, trunkId: CONFIG_ID },
		// Of two clocks the one that is ahead counts.
		ConditionExpression: "attribute_not_exists(#at) OR #at < :now",
		UpdateExpression: "SET #at = :now, #version = if_not_exists(#version, :none)",
		ExpressionAttributeNames: { "#at": "optOutAt", "#version": "version" },
		ExpressionAttributeValues: { ":now": now, ":none": 0 },
	});
};

/** What an opt-out is answered with. */
export interface OptedOut {
	number: string;
	list: typeof OPT_OUT_LIST;
	/** ISO 8601; of a repeat, that of the first. */
	since: string;
	already: boolean;
}

/** Nobody calls the number again, from the next grant on. Repeatable: a repeat completes what a crash left. */
export const optOut = async (deps: Deps, tenant: string, tokenId: string, input: OptOutInput): Promise<OptedOut> => {
	const list = await readList(deps, tenant, OPT_OUT_LIST);
	const { number, campaignId, note } = input;
	const entry: OnList = {
		at: deps.now(),
		by: tokenId,
		...(campaignId === undefined ? {} : { campaignId }),
		...(note === undefined ? {} : { note }),
	};
	const before = await addNumber(deps, tenant, list, number, entry);
	await markOptOut(deps, tenant);
	if (!before) await countNumbers(deps, tenant, list, 1, entry.at);
	deps.log.info("suppression.optOut", { tenant, tokenId, campaignId, already: before !== undefined });
	const since = new Date((before ?? entry).at).toISOString();
	return { number, list: OPT_OUT_LIST, since, already: before !== undefined };
};

import { registerOnTrunks } from "../campaigns/registration.ts";
import { afterFirstList, runningUpdate } from "../campaigns/states.ts";
import { tryAgain } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { nudgeFleet } from "../fleet/nudge.ts";
import { update } from "../store/db.ts";
import { campaignKey, type ImportChunkItem } from "../store/items.ts";
import { type ImportingCampaign, type ImportState, importKind, readCampaign } from "./import-items.ts";

/** Another import, a pause or a cancel can change META in between; so often is it read again. */
const MAX_TRIES = 10;

/**
 * Lets META forget an import that is done or failed. The first that brought contacts makes the campaign run or wait for
 * its time; it is entered on its trunk before, so that it is never running without being dialed.
 */
const closeInCampaign = async (deps: Deps, tenant: string, campaignId: string, done: ImportState): Promise<void> => {
	for (let i = 0; i < MAX_TRIES; i++) {
		const campaign = await readCampaign(deps, tenant, campaignId);
		if (!campaign || campaign.open[done.importId] === undefined) return;
		const now = deps.now();
		const starts =
			(done.accepted ?? 0) > 0 &&
			(campaign.state === "importing" || (campaign.state === "paused" && campaign.pausedFrom === "importing"));
		const fails = campaign.state === "importing" && done.state === "failed" && campaign.initialImport === done.importId;
		const next = afterFirstList(campaign.startAt, now);
		let change = "";
		if (starts) {
			await registerOnTrunks(deps, campaign);
			change = campaign.state === "paused" ? ", pausedFrom = :next" : `, #state = :next${runningUpdate(next)}`;
		} else if (fails) {
			change = ", #state = :failed, failure = :failure, finishedAt = :now";
		}
		const result = await update<ImportingCampaign>(deps.db, {
			TableName: deps.tables.campaigns,
			Key: campaignKey(tenant, campaignId),
			ConditionExpression: "#state = :read AND attribute_exists(#open.#id)",
			UpdateExpression: `SET openImports = openImports - :one${change} REMOVE #open.#id`,
			ExpressionAttributeNames: { "#state": "state", "#open": "open", "#id": done.importId },
			ExpressionAttributeValues: {
				":read": campaign.state,
				":one": 1,
				...(change.includes(":next") ? { ":next": next } : {}),
				...(change.includes(":now") ? { ":now": now } : {}),
				...(fails ? { ":failed": "failed", ":failure": done.failure ?? "its list failed" } : {}),
			},
		});
		if (result.ok) {
			deps.log.info("import.closed", {
				campaignId,
				importId: done.importId,
				state: done.state,
				accepted: done.accepted,
				duplicates: done.duplicates,
				rejected: done.rejectedCount,
				campaignFrom: campaign.state,
				...(starts ? { campaignTo: next } : {}),
			});
			const now = starts && campaign.state === "importing" ? next : campaign.state;
			if (now === "running" && (done.accepted ?? 0) > 0) await nudgeFleet(deps, tenant, "contacts were added");
			return;
		}
	}
	throw tryAgain(`Campaign "${campaignId}" is being changed by others; repeat the request.`);
};

const whyEmpty = (open: ImportState, rejectedCount: number): string => {
	if (open.source !== "campaign") return "no row of the list could be taken";
	if (rejectedCount === 0) return "no contact of the campaign named in `from` has ended with one of its outcomes";
	return `the trunk may dial none of the ${rejectedCount} contact(s) that ended with one of the outcomes`;
};

/** Ends an import with the sums of its chunks. Repeatable at every point. */
export const finishImport = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	open: ImportState,
	chunks: ImportChunkItem[],
): Promise<ImportState> => {
	const total = (of: (chunk: ImportChunkItem) => number): number => chunks.reduce((n, chunk) => n + of(chunk), 0);
	const accepted = total((chunk) => chunk.accepted);
	const duplicates = total((chunk) => chunk.duplicates);
	const rejectedCount = total((chunk) => chunk.rejectedCount);
	const empty = accepted + duplicates === 0;
	let done = open;
	if (open.state === "open") {
		const result = await update<ImportState>(deps.db, {
			TableName: deps.tables.campaigns,
			Key: campaignKey(tenant, campaignId, importKind(open.importId)),
			ConditionExpression: "#state = :open",
			UpdateExpression: `SET #state = :done, finishedAt = :now, accepted = :accepted, duplicates = :duplicates, rejectedCount = :rejectedCount${
				empty ? ", failure = if_not_exists(failure, :failure)" : ""
			} REMOVE #rows`,
			ExpressionAttributeNames: { "#state": "state", "#rows": "rows" },
			ExpressionAttributeValues: {
				":open": "open",
				":done": empty ? "failed" : "done",
				":now": deps.now(),
				":accepted": accepted,
				":duplicates": duplicates,
				":rejectedCount": rejectedCount,
				...(empty ? { ":failure": whyEmpty(open, rejectedCount) } : {}),
			},
			ReturnValues: "ALL_NEW",
		});
		if (!result.item) throw new Error(`The import ${open.importId} of campaign ${campaignId} is gone`);
		done = result.item;
	}
	await closeInCampaign(deps, tenant, campaignId, done);
	return done;
};

/** Gives an import up that brought nothing and cannot; only before its first contact was stored. */
export const failImport = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
	failure: string,
): Promise<void> => {
	const result = await update<ImportState>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId, importKind(importId)),
		// An import that was never written is written as failed: a slow request that comes after finds it so.
		ConditionExpression: "attribute_not_exists(#state) OR (#state = :open AND seen = :none)",
		UpdateExpression:
			"SET #state = :failed, importId = :id, failure = :failure, finishedAt = :now, createdAt = if_not_exists(createdAt, :now), progressAt = :now, seen = :none, chunks = if_not_exists(chunks, :none), #split = :true, accepted = :none, duplicates = :none, rejectedCount = :none, #source = if_not_exists(#source, :item) REMOVE #rows",
		ExpressionAttributeNames: { "#state": "state", "#rows": "rows", "#source": "source", "#split": "split" },
		ExpressionAttributeValues: {
			":open": "open",
			":failed": "failed",
			":id": importId,
			":failure": failure,
			":now": deps.now(),
			":none": 0,
			":true": true,
			":item": "item",
		},
		ReturnValues: "ALL_NEW",
	});
	if (!result.item || (result.item.state !== "failed" && result.item.state !== "done")) return;
	await closeInCampaign(deps, tenant, campaignId, result.item);
};

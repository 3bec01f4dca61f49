import type { ImportingCampaign } from "../contacts/import-items.ts";
import { readCampaign } from "../contacts/import-items.ts";
import type { ApiDeps } from "../contacts/ports.ts";
import { type CampaignPatch, campaignPatchSchema } from "../contract/campaign.ts";
import { conflict, notFound, tryAgain } from "../contract/errors.ts";
import { update } from "../store/db.ts";
import { campaignKey } from "../store/items.ts";
import { withTechnicalRetry } from "../sync/retry.ts";
import { parseOrRefuse } from "../validation/details.ts";
import { checkCallerIds, checkDeadline, checkWindow, refuseNotBuilt, trunksFor } from "./check-campaign.ts";
import { followCampaignCap } from "./registration.ts";
import {
	type AskedChange,
	afterFirstList,
	isAlready,
	isPossible,
	isTerminal,
	possibleChanges,
	runningUpdate,
} from "./states.ts";

/** The campaign changes by itself too (its list is done, its time has come): so often is a change looked at again. */
const MAX_TRIES = 10;

const changing = (campaignId: string): Error =>
	tryAgain(`The state of campaign "${campaignId}" is changing; repeat the request.`);

const impossible = (change: string, campaign: ImportingCampaign): Error => {
	const possible = possibleChanges(campaign.state);
	return conflict(
		"notPossible",
		`Campaign "${campaign.campaignId}" is ${campaign.state}; ${change} is not possible from there${
			possible ? ` (possible: ${possible})` : ": it is over"
		}.`,
		{ state: campaign.state },
	);
};

/** The state that a change leads to, and what else the same write sets. */
const transition = (
	change: AskedChange,
	campaign: ImportingCampaign,
	now: number,
	by: ImportingCampaign["pausedBy"],
): { next: ImportingCampaign["state"]; also: string; values: Record<string, unknown> } => {
	if (change === "pause") {
		const also = `, pausedFrom = :read${by ? ", pausedBy = :by" : " REMOVE pausedBy"}`;
		return { next: "paused", also, values: by ? { ":by": by } : {} };
	}
	if (change === "cancel") return { next: "cancelled", also: ", finishedAt = :now", values: { ":now": now } };
	const from = campaign.pausedFrom ?? "running";
	// Its time may have come while it was paused.
	const next = from === "scheduled" ? afterFirstList(campaign.startAt, now) : from;
	const starts = next === "running" ? runningUpdate(next) : "";
	return { next, also: `${starts} REMOVE pausedFrom, pausedBy`, values: starts ? { ":now": now } : {} };
};

/** Who pauses what a day's budget has paused means it: it does not go on by itself. @returns undefined: the campaign changed meanwhile */
const keepPaused = async (deps: ApiDeps, campaign: ImportingCampaign): Promise<ImportingCampaign | undefined> => {
	const { tenant, campaignId } = campaign;
	const result = await update<ImportingCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId),
		ConditionExpression: "#state = :read",
		UpdateExpression: "REMOVE pausedBy",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":read": campaign.state },
		ReturnValues: "ALL_NEW",
	});
	if (!result.ok || !result.item) return undefined;
	deps.log.info("campaign.pause", { tenant, campaignId, from: campaign.state, to: campaign.state });
	return result.item;
};

/**
 * Pauses, resumes or cancels a campaign in one conditional write; throws 404, or 409 naming what is possible.
 * @param by what pauses it, where it is no person
 */
export const changeState = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	change: AskedChange,
	by?: ImportingCampaign["pausedBy"],
): Promise<ImportingCampaign> => {
	for (let i = 0; i < MAX_TRIES; i++) {
		const campaign = await readCampaign(deps, tenant, campaignId);
		if (!campaign) throw notFound("campaign", campaignId);
		if (isAlready(change, campaign.state)) {
			if (change !== "pause" || by || campaign.pausedBy?.day === undefined) return campaign;
			const kept = await keepPaused(deps, campaign);
			if (kept) return kept;
			continue;
		}
		if (!isPossible(change, campaign.state)) throw impossible(change, campaign);
		const { next, also, values } = transition(change, campaign, deps.now(), by);
		const result = await update<ImportingCampaign>(deps.db, {
			TableName: deps.tables.campaigns,
			Key: campaignKey(tenant, campaignId),
			ConditionExpression: "#state = :read",
			UpdateExpression: `SET #state = :next${also}`,
			ExpressionAttributeNames: { "#state": "state" },
			ExpressionAttributeValues: { ":read": campaign.state, ":next": next, ...values },
			ReturnValues: "ALL_NEW",
		});
		if (!result.ok || !result.item) continue;
		deps.log.info(`campaign.${change}`, {
			tenant,
			campaignId,
			from: campaign.state,
			to: next,
			...(by ? { by: by.why } : {}),
		});
		return result.item;
	}
	throw changing(campaignId);
};

/** Asks for the sweep of a cancelled campaign; the minute's tick asks again until it is done. */
export const askForSweep = (deps: ApiDeps, tenant: string, campaignId: string): Promise<void> =>
	deps.queues.send("sweeps", [{ body: { tenant, campaignId, round: 0 } }]);

export const parsePatch = (body: unknown): CampaignPatch => {
	refuseNotBuilt(body);
	return parseOrRefuse(campaignPatchSchema, body, "change");
};

/** Changes a campaign that is not over; in force for the next grant. Throws 404, 409 or 422. */
export const patchCampaign = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	patch: CampaignPatch,
): Promise<ImportingCampaign> => {
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) throw notFound("campaign", campaignId);
	if (isTerminal(campaign.state)) throw impossible("a change", campaign);
	if (patch.callerId !== undefined || patch.callerIds !== undefined)
		checkCallerIds(await trunksFor(deps, tenant, campaign), patch);
	if (patch.window) checkWindow(patch.window, await trunksFor(deps, tenant, campaign), false);
	const { deadline, maxCps, window, retry, budget, ...rest } = patch;
	const set = {
		...rest,
		...(retry === undefined ? {} : { retry: withTechnicalRetry(retry) }),
		...(typeof maxCps === "number" ? { maxCps } : {}),
		...(window ? { window } : {}),
		...(budget ? { budget } : {}),
		...(typeof deadline === "string" ? { deadline: checkDeadline(deadline, campaign.startAt, deps.now()) } : {}),
	};
	// One of both names the caller ids.
	const removed = [
		...(deadline === null ? ["deadline"] : []),
		...(maxCps === null ? ["maxCps"] : []),
		...(window === null ? ["window"] : []),
		...(budget === null ? ["budget", "budgetState"] : []),
		...(patch.callerIds !== undefined ? ["callerId"] : patch.callerId !== undefined ? ["callerIds"] : []),
	];
	const fields = Object.entries(set).filter(([, value]) => value !== undefined);
	const clauses = [
		...(fields.length > 0 ? [`SET ${fields.map(([name]) => `#${name} = :${name}`).join(", ")}`] : []),
		...(removed.length > 0 ? [`REMOVE ${removed.map((name) => `#${name}`).join(", ")}`] : []),
	];
	const result = await update<ImportingCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId),
		ConditionExpression: "NOT #state IN (:completed, :cancelled, :failed)",
		UpdateExpression: clauses.join(" "),
		ExpressionAttributeNames: {
			"#state": "state",
			...Object.fromEntries([...fields.map(([name]) => name), ...removed].map((name) => [`#${name}`, name])),
		},
		ExpressionAttributeValues: {
			":completed": "completed",
			":cancelled": "cancelled",
			":failed": "failed",
			...Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
		},
		ReturnValues: "ALL_NEW",
	});
	if (!result.item) throw notFound("campaign", campaignId);
	if (!result.ok) throw impossible("a change", result.item);
	// After META: a campaign that is registered a moment later takes the new cap from there.
	if (patch.maxChannels !== undefined) await followCampaignCap(deps, tenant, campaignId);
	deps.log.info("campaign.changed", { tenant, campaignId, fields: Object.keys(patch) });
	return result.item;
};

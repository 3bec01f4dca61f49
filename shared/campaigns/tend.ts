import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { type ImportingCampaign, readCampaign } from "../contacts/import-items.ts";
import type { ApiDeps } from "../contacts/ports.ts";
import { resumeImports } from "../contacts/resume-imports.ts";
import { nudgeFleet } from "../fleet/nudge.ts";
import { update } from "../store/db.ts";
import { campaignKey } from "../store/items.ts";
import { completeIfDone } from "./complete.ts";
import { markerKey } from "./open-campaigns.ts";
import { followCampaignCap, unregisterFromTrunks } from "./registration.ts";
import { isPossible, runningUpdate } from "./states.ts";
import { sweepCampaign } from "./sweep.ts";

/** Calls that still ring end soon: a sweep looks again after so many seconds, then leaves it to the minute's tick. */
export const LOOK_AGAIN_SEC = [1, 2, 4, 8, 15, 30];
/** A marker without its campaign is of a request that died: by then nobody is about to write the campaign. */
const ORPHAN_MARKER_MS = 10 * 60_000;

/** A message of the sweeps queue: a campaign to be looked after. */
export const tendMessageSchema = z.object({
	tenant: z.string().min(1),
	campaignId: z.string().min(1),
	/** How often a sweep has looked again already. */
	round: z.int().min(0).default(LOOK_AGAIN_SEC.length),
	/** When its marker was written, ms since 1970; from the tick. */
	markedAt: z.number().optional(),
});
export type TendMessage = z.infer<typeof tendMessageSchema>;

/** Takes a campaign that is over out of the list that the tick reads. */
const forget = async (deps: ApiDeps, tenant: string, campaignId: string): Promise<void> => {
	await deps.db.send(new DeleteCommand({ TableName: deps.tables.campaigns, Key: markerKey(tenant, campaignId) }));
};

const startIfDue = async (deps: ApiDeps, campaign: ImportingCampaign): Promise<void> => {
	const now = deps.now();
	if ((campaign.startAt ?? 0) > now || !isPossible("start", campaign.state)) return;
	const result = await update(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(campaign.tenant, campaign.campaignId),
		ConditionExpression: "#state = :scheduled",
		UpdateExpression: `SET #state = :running${runningUpdate("running")}`,
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":scheduled": "scheduled", ":running": "running", ":now": now },
	});
	if (!result.ok) return;
	deps.log.info("campaign.started", { campaignId: campaign.campaignId, startAt: campaign.startAt });
	await nudgeFleet(deps, campaign.tenant, "a campaign's time came");
};

/** @returns whether the campaign is over for good */
const tendOver = async (deps: ApiDeps, campaign: ImportingCampaign, message: TendMessage, deadline: number) => {
	const { tenant, campaignId } = message;
	if (!(await sweepCampaign(deps, campaign, deadline))) {
		const delaySec = LOOK_AGAIN_SEC[message.round];
		if (delaySec !== undefined) {
			await deps.queues.send("sweeps", [{ body: { tenant, campaignId, round: message.round + 1 }, delaySec }]);
		}
		return false;
	}
	await unregisterFromTrunks(deps, campaign);
	return true;
};

/**
 * Does what a campaign needs and nobody else does: takes up imports, starts it when its time has come, completes it, sweeps
 * it when it was cancelled, forgets it when it is over. Repeatable.
 */
export const tendCampaign = async (deps: ApiDeps, message: TendMessage, deadline: number): Promise<void> => {
	const { tenant, campaignId } = message;
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) {
		const age = message.markedAt === undefined ? 0 : deps.now() - message.markedAt;
		if (age > ORPHAN_MARKER_MS) await forget(deps, tenant, campaignId);
		return;
	}
	if (campaign.openImports > 0) await resumeImports(deps, campaign);
	switch (campaign.state) {
		case "scheduled":
			return startIfDue(deps, campaign);
		case "running":
		case "paused":
			if (await completeIfDone(deps, tenant, campaignId)) return forget(deps, tenant, campaignId);
			// A change that died between META and the trunk.
			return followCampaignCap(deps, tenant, campaignId);
		case "cancelled":
		case "failed":
			if (await tendOver(deps, campaign, message, deadline)) await forget(deps, tenant, campaignId);
			return;
		case "completed":
			return forget(deps, tenant, campaignId);
		case "importing":
			return;
	}
};

import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { type ImportingCampaign, readCampaign } from "../contacts/import-items.ts";
import { importList, type ListReport } from "../contacts/import-list.ts";
import type { ApiDeps } from "../contacts/ports.ts";
import { type CheckedList, checkRows, type RejectedRow } from "../contacts/rows.ts";
import type { Then } from "../contract/call.ts";
import type { CampaignState, Retry } from "../contract/campaign.ts";
import { ApiError, unprocessable } from "../contract/errors.ts";
import type { Trunk } from "../contract/trunk.ts";
import { ruleOf } from "../numbers/check.ts";
import { put } from "../store/db.ts";
import { CONTACT_SHARDS, campaignKey, type TrunkItem } from "../store/items.ts";
import { checkCallerId, checkDeadline, parseCampaign, trunkItemFor } from "./check-campaign.ts";
import { markerKey, type OpenMarker } from "./open-campaigns.ts";

/** Bad rows told back in an answer, which is kept for its Idempotency-Key; the rest is counted. */
export const MAX_REJECTED_IN_ANSWER = 200;

/** What a campaign is made of, checked. */
export interface NewCampaign {
	origin: ImportingCampaign["origin"];
	name: string;
	trunk: Trunk;
	/** Its trunks as they were read, for the forecast. Absent: no forecast is made. */
	trunkItems?: TrunkItem[];
	callerId?: string | undefined;
	then: Then;
	startAt?: number | undefined;
	deadline?: number | undefined;
	/** Absent: false. */
	allowDroppedCalls?: boolean;
	maxChannels?: number | undefined;
	ringTimeoutSec: number;
	maxCallSec: number;
	retry: Retry;
	/** Absent: the list comes later. */
	list?: CheckedList | undefined;
}

export interface CreatedCampaign {
	campaignId: string;
	state: CampaignState;
	contacts: ListReport;
}

const MAX_REJECTED_DETAILS = 50;

/** Refuses a list of which no row can be dialed. */
export const refuseEmptyList = (list: CheckedList): void => {
	if (list.rows.length > 0) return;
	const details = list.rejected.slice(0, MAX_REJECTED_DETAILS).map((row: RejectedRow) => ({
		path: `contacts[${row.line - 1}]`,
		message: row.number ? `${row.number}: ${row.reason}` : row.reason,
	}));
	const error = unprocessable(
		"noUsableContacts",
		`None of the ${list.rejectedCount} row(s) can be dialed; nothing was stored.`,
		details,
	);
	throw new ApiError(error.status, error.code, error.message, {
		details,
		extra: { rejected: list.rejected, rejectedCount: list.rejectedCount },
	});
};

/** Looks at the body of `POST /v1/campaigns` without storing anything; throws 400 or 422. */
export const checkNewCampaign = async (deps: ApiDeps, tenant: string, body: unknown): Promise<NewCampaign> => {
	const input = parseCampaign(body);
	const trunkItem = await trunkItemFor(deps, tenant, input.trunk ?? "");
	const { trunk } = trunkItem;
	checkCallerId(trunk, input.callerId);
	const list =
		input.contacts &&
		checkRows(
			ruleOf(trunk),
			input.contacts.map((value, i) => ({ line: i + 1, value })),
			MAX_REJECTED_IN_ANSWER,
		);
	if (list) refuseEmptyList(list);
	const startAt = input.startAt === undefined ? undefined : Date.parse(input.startAt);
	return {
		origin: "campaign",
		name: input.name,
		trunk,
		trunkItems: [trunkItem],
		callerId: input.callerId,
		then: input.then,
		startAt,
		deadline: input.deadline === undefined ? undefined : checkDeadline(input.deadline, startAt, deps.now()),
		allowDroppedCalls: input.allowDroppedCalls,
		maxChannels: input.maxChannels,
		ringTimeoutSec: input.ringTimeoutSec,
		maxCallSec: input.maxCallSec,
		retry: input.retry,
		list,
	};
};

const NO_LIST: ListReport = { accepted: 0, rejected: [], rejectedCount: 0, duplicates: 0 };

/**
 * Creates a campaign under a given id. Repeatable: a repeat goes on where an earlier try stopped. Its META stands before
 * the first contact, in state `importing`, so that nothing of it is dialed before all of it is there.
 */
export const createCampaign = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	wanted: NewCampaign,
): Promise<CreatedCampaign> => {
	const now = deps.now();
	const importId = campaignId;
	const marker: OpenMarker = { ...markerKey(tenant, campaignId), createdAt: now };
	await deps.db.send(new PutCommand({ TableName: deps.tables.campaigns, Item: marker }));
	const item: ImportingCampaign = {
		...(campaignKey(tenant, campaignId) as { campaign: string; kind: "META" }),
		tenant,
		campaignId,
		origin: wanted.origin,
		name: wanted.name,
		state: "importing",
		trunk: wanted.trunk.id,
		...(wanted.callerId === undefined ? {} : { callerId: wanted.callerId }),
		then: wanted.then,
		...(wanted.startAt === undefined ? {} : { startAt: wanted.startAt }),
		...(wanted.deadline === undefined ? {} : { deadline: wanted.deadline }),
		...(wanted.allowDroppedCalls ? { allowDroppedCalls: true } : {}),
		...(wanted.maxChannels === undefined ? {} : { maxChannels: wanted.maxChannels }),
		ringTimeoutSec: wanted.ringTimeoutSec,
		maxCallSec: wanted.maxCallSec,
		retry: wanted.retry,
		shards: CONTACT_SHARDS,
		createdAt: now,
		...(wanted.list
			? { open: { [importId]: now }, openImports: 1, importVersion: 1, initialImport: importId }
			: { open: {}, openImports: 0, importVersion: 0 }),
	};
	const written = await put<ImportingCampaign>(
		deps.db,
		{ TableName: deps.tables.campaigns, Item: item, ConditionExpression: "attribute_not_exists(campaign)" },
		campaignKey(tenant, campaignId),
	);
	const report = wanted.list
		? (await importList(deps, tenant, campaignId, importId, wanted.list, true)).report
		: NO_LIST;
	const standing = wanted.list ? await readCampaign(deps, tenant, campaignId) : written.item;
	if (written.ok) {
		deps.log.info("campaign.created", {
			tenant,
			campaignId,
			origin: wanted.origin,
			trunk: wanted.trunk.id,
			state: standing?.state,
			accepted: report.accepted,
			duplicates: report.duplicates,
			rejected: report.rejectedCount,
		});
	}
	return { campaignId, state: standing?.state ?? "importing", contacts: report };
};

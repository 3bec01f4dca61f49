import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beginRecycling } from "../contacts/begin-import.ts";
import { type ImportingCampaign, readCampaign } from "../contacts/import-items.ts";
import { importList, type ListReport } from "../contacts/import-list.ts";
import type { ApiDeps } from "../contacts/ports.ts";
import { type CheckedList, checkRows, type RejectedRow } from "../contacts/rows.ts";
import type { Budget } from "../contract/budget.ts";
import type { Then } from "../contract/call.ts";
import type { Amd, CalleeLimit, CampaignState, From, Retry } from "../contract/campaign.ts";
import { ApiError, unprocessable } from "../contract/errors.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { Purpose, Window } from "../contract/window.ts";
import { ruleOfAll } from "../numbers/check.ts";
import { put } from "../store/db.ts";
import { CONTACT_SHARDS, campaignKey, type TrunkItem } from "../store/items.ts";
import { withTechnicalRetry } from "../sync/retry.ts";
import {
	checkCallerIds,
	checkDeadline,
	checkSuppressionLists,
	checkWindow,
	parseCampaign,
	trunkItemsFor,
} from "./check-campaign.ts";
import { markerKey, type OpenMarker } from "./open-campaigns.ts";

/** Bad rows told back in an answer, which is kept for its Idempotency-Key; the rest is counted. */
export const MAX_REJECTED_IN_ANSWER = 200;

/** What a campaign is made of, checked. */
export interface NewCampaign {
	origin: ImportingCampaign["origin"];
	name: string;
	/** The first of its trunks. */
	trunk: Trunk;
	/** All of them, where there are several. */
	trunks?: { id: string; weight: number }[] | undefined;
	/** Its trunks as they were read, for the forecast. Absent: no forecast is made. */
	trunkItems?: TrunkItem[];
	callerId?: string | undefined;
	callerIds?: string[] | undefined;
	/** Absent: `informational`, as a test call is. */
	purpose?: Purpose | undefined;
	/** Of the token that made it. */
	tokenId?: string | undefined;
	maxCps?: number | undefined;
	/** Absent: as any other. */
	priority?: number | undefined;
	window?: Window | undefined;
	then: Then;
	startAt?: number | undefined;
	deadline?: number | undefined;
	/** Absent: false. */
	allowDroppedCalls?: boolean;
	maxChannels?: number | undefined;
	calleeLimit?: CalleeLimit | undefined;
	/** Absent: none besides those for all. */
	suppressionLists?: string[];
	ringTimeoutSec: number;
	maxCallSec: number;
	retry: Retry;
	amd?: Amd | undefined;
	budget?: Budget | undefined;
	/** Neither of both: the list comes later. */
	list?: CheckedList | undefined;
	from?: From | undefined;
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

/** The campaign whose contacts are wanted must exist; throws 422. */
const checkSource = async (deps: ApiDeps, tenant: string, { campaignId }: From): Promise<void> => {
	if (await readCampaign(deps, tenant, campaignId)) return;
	throw unprocessable(
		"unknownCampaign",
		`There is no campaign "${campaignId}" whose contacts could be called again. GET /v1/campaigns lists them.`,
		[{ path: "from.campaignId", message: "is not known" }],
	);
};

const hasZone = (row: unknown): boolean => typeof row === "object" && row !== null && Object.hasOwn(row, "timeZone");

/** Looks at the body of `POST /v1/campaigns` without storing anything; throws 400 or 422. */
export const checkNewCampaign = async (deps: ApiDeps, tenant: string, body: unknown): Promise<NewCampaign> => {
	const input = parseCampaign(body);
	const trunkItems = await trunkItemsFor(deps, tenant, input);
	const [{ trunk }, ...others] = trunkItems;
	const trunks: [Trunk, ...Trunk[]] = [trunk, ...others.map((item) => item.trunk)];
	checkCallerIds(trunks, input);
	if (input.from) await checkSource(deps, tenant, input.from);
	checkWindow(input.window, trunks, (input.contacts ?? []).length > 0 && (input.contacts ?? []).every(hasZone));
	const suppressionLists = [...new Set(input.suppressionLists ?? [])];
	await checkSuppressionLists(deps, tenant, suppressionLists);
	const list =
		input.contacts &&
		checkRows(
			ruleOfAll(trunks),
			input.contacts.map((value, i) => ({ line: i + 1, value })),
			MAX_REJECTED_IN_ANSWER,
		);
	if (list) refuseEmptyList(list);
	const startAt = input.startAt === undefined ? undefined : Date.parse(input.startAt);
	return {
		origin: "campaign",
		name: input.name,
		trunk,
		trunks: trunks.length > 1 ? input.trunks : undefined,
		trunkItems,
		callerId: input.callerId,
		callerIds: input.callerIds,
		purpose: input.purpose,
		maxCps: input.maxCps,
		priority: input.priority,
		window: input.window,
		then: input.then,
		startAt,
		deadline: input.deadline === undefined ? undefined : checkDeadline(input.deadline, startAt, deps.now()),
		allowDroppedCalls: input.allowDroppedCalls,
		maxChannels: input.maxChannels,
		calleeLimit: input.calleeLimit,
		suppressionLists,
		ringTimeoutSec: input.ringTimeoutSec,
		maxCallSec: input.maxCallSec,
		retry: withTechnicalRetry(input.retry),
		amd: input.amd,
		budget: input.budget,
		list,
		from: input.from,
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
	const recycling = wanted.from && (await beginRecycling(deps, tenant, campaignId, importId));
	const item: ImportingCampaign = {
		...(campaignKey(tenant, campaignId) as { campaign: string; kind: "META" }),
		tenant,
		campaignId,
		origin: wanted.origin,
		name: wanted.name,
		state: "importing",
		trunk: wanted.trunk.id,
		numbering: wanted.trunk.numbering,
		...(wanted.trunks === undefined ? {} : { trunks: wanted.trunks }),
		...(wanted.callerId === undefined ? {} : { callerId: wanted.callerId }),
		...(wanted.callerIds === undefined ? {} : { callerIds: wanted.callerIds }),
		...(wanted.purpose === undefined ? {} : { purpose: wanted.purpose }),
		// Rules that do not hold for the purpose are noted here when they come up.
		...(wanted.purpose === undefined || wanted.purpose === "marketing" ? {} : { exemptions: {} }),
		...(wanted.tokenId === undefined ? {} : { tokenId: wanted.tokenId }),
		...(wanted.maxCps === undefined ? {} : { maxCps: wanted.maxCps }),
		...(wanted.priority === undefined ? {} : { priority: wanted.priority }),
		...(wanted.window === undefined ? {} : { window: wanted.window }),
		...(wanted.from ? { from: wanted.from } : {}),
		then: wanted.then,
		...(wanted.startAt === undefined ? {} : { startAt: wanted.startAt }),
		...(wanted.deadline === undefined ? {} : { deadline: wanted.deadline }),
		...(wanted.allowDroppedCalls ? { allowDroppedCalls: true } : {}),
		...(wanted.maxChannels === undefined ? {} : { maxChannels: wanted.maxChannels }),
		...(wanted.calleeLimit === undefined ? {} : { calleeLimit: wanted.calleeLimit }),
		...(wanted.suppressionLists?.length ? { suppressionLists: wanted.suppressionLists } : {}),
		ringTimeoutSec: wanted.ringTimeoutSec,
		maxCallSec: wanted.maxCallSec,
		retry: wanted.retry,
		...(wanted.amd === undefined ? {} : { amd: wanted.amd }),
		...(wanted.budget === undefined ? {} : { budget: wanted.budget }),
		shards: CONTACT_SHARDS,
		createdAt: now,
		...(wanted.list || wanted.from
			? { open: { [importId]: now }, openImports: 1, importVersion: 1, initialImport: importId }
			: { open: {}, openImports: 0, importVersion: 0 }),
	};
	const written = await put<ImportingCampaign>(
		deps.db,
		{ TableName: deps.tables.campaigns, Item: item, ConditionExpression: "attribute_not_exists(campaign)" },
		campaignKey(tenant, campaignId),
	);
	// Again if it is repeated: the first message may never have been sent.
	if (recycling?.state === "open") {
		await deps.queues.send("imports", [{ body: { kind: "split", tenant, campaignId, importId } }]);
	}
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
			...(wanted.from ? { from: wanted.from } : {}),
			accepted: report.accepted,
			duplicates: report.duplicates,
			rejected: report.rejectedCount,
		});
	}
	return { campaignId, state: standing?.state ?? "importing", contacts: report };
};

import { conflict, notFound } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import { campaignKey } from "../store/items.ts";
import {
	type ImportingCampaign,
	type ImportState,
	importKind,
	MAX_OPEN_IMPORTS,
	putOnce,
	readCampaign,
	readImport,
} from "./import-items.ts";

/** States in which a campaign takes contacts. */
const TAKES_CONTACTS = ["importing", "scheduled", "running", "paused"] as const;

export const takesContacts = (campaign: Pick<ImportingCampaign, "state">): boolean =>
	(TAKES_CONTACTS as readonly string[]).includes(campaign.state);

export const notTaking = (campaign: ImportingCampaign): Error =>
	conflict("campaignOver", `Campaign "${campaign.campaignId}" is ${campaign.state}; it takes no more contacts.`);

/** Lets META know an import, so that the campaign cannot complete before it is done. Harmless if it is known. */
const openInCampaign = async (deps: Deps, tenant: string, campaignId: string, importId: string): Promise<void> => {
	const result = await update<ImportingCampaign>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId),
		ConditionExpression:
			"#state IN (:importing, :scheduled, :running, :paused) AND attribute_not_exists(#open.#id) AND openImports < :max",
		UpdateExpression: "SET #open.#id = :now, openImports = openImports + :one, importVersion = importVersion + :one",
		ExpressionAttributeNames: { "#state": "state", "#open": "open", "#id": importId },
		ExpressionAttributeValues: {
			...Object.fromEntries(TAKES_CONTACTS.map((state) => [`:${state}`, state])),
			":now": deps.now(),
			":one": 1,
			":max": MAX_OPEN_IMPORTS,
		},
	});
	if (result.ok) return;
	if (!result.item) throw notFound("campaign", campaignId);
	if (result.item.open[importId] !== undefined) return;
	if (!takesContacts(result.item)) throw notTaking(result.item);
	throw conflict(
		"tooManyImports",
		`Campaign "${campaignId}" has ${MAX_OPEN_IMPORTS} lists on their way; add more when one is done.`,
	);
};

/** What an import begins with: everything but its keys and counters. */
export type NewImport = Pick<ImportState, "source" | "chunks" | "split"> &
	Partial<Pick<ImportState, "rows" | "bytes" | "sha256" | "wanted">>;

export const importItem = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
	begin: NewImport,
	state: ImportState["state"],
): ImportState => ({
	...(campaignKey(tenant, campaignId, importKind(importId)) as { campaign: string; kind: string }),
	importId,
	state,
	createdAt: deps.now(),
	seen: 0,
	progressAt: deps.now(),
	...begin,
});

/** Opens the import that makes a campaign of another's contacts, before the campaign itself: then the tick can always go on with it. Repeatable. */
export const beginRecycling = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
): Promise<ImportState> =>
	putOnce(
		deps,
		importItem(deps, tenant, campaignId, importId, { source: "campaign", chunks: 0, split: false }, "open"),
	);

/**
 * Opens an import whose rows are durable already. Repeatable: a standing import is left as it is.
 * @param known whether META knows the import since it was created with it
 * @returns the import as it stands: open, or done where an earlier try got that far
 */
export const beginImport = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
	begin: NewImport,
	known: boolean,
): Promise<ImportState> => {
	const standing = await readImport(deps, tenant, campaignId, importId);
	if (standing?.state === "done" || standing?.state === "failed") return standing;
	if (!known) await openInCampaign(deps, tenant, campaignId, importId);
	return putOnce(deps, importItem(deps, tenant, campaignId, importId, begin, "open"));
};

/** Opens an import whose list was uploaded. Repeatable. */
export const beginUploaded = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	uploaded: ImportState,
): Promise<ImportState> => {
	if (uploaded.state !== "uploading") return uploaded;
	await openInCampaign(deps, tenant, campaignId, uploaded.importId);
	const result = await update<ImportState>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId, importKind(uploaded.importId)),
		ConditionExpression: "#state = :uploading",
		UpdateExpression: "SET #state = :open, progressAt = :now",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":uploading": "uploading", ":open": "open", ":now": deps.now() },
		ReturnValues: "ALL_NEW",
	});
	return result.item ?? uploaded;
};

/** The campaign, where it takes contacts; throws 404 or 409. */
export const campaignForContacts = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
): Promise<ImportingCampaign> => {
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) throw notFound("campaign", campaignId);
	if (!takesContacts(campaign)) throw notTaking(campaign);
	return campaign;
};

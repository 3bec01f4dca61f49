import { update } from "../store/db.ts";
import { campaignKey } from "../store/items.ts";
import { beginUploaded } from "./begin-import.ts";
import { failImport } from "./finish-import.ts";
import { type ImportingCampaign, type ImportState, importKind, readImport } from "./import-items.ts";
import { chunkMessages } from "./import-list.ts";
import type { ApiDeps } from "./ports.ts";
import { endIfComplete, storedChunks } from "./store-chunk.ts";

/** An import that was taken up again this often waits no longer than that for the next time. */
const MAX_DOUBLINGS = 5;

interface ResumedImport extends ImportState {
	/** How often it was taken up again. */
	drives?: number;
}

const sendAgain = async (deps: ApiDeps, campaign: ImportingCampaign, item: ResumedImport): Promise<void> => {
	const { tenant, campaignId } = campaign;
	const { importId } = item;
	await update(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId, importKind(importId)),
		ConditionExpression: "#state = :open",
		UpdateExpression: "SET progressAt = :now ADD drives :one",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":open": "open", ":now": deps.now(), ":one": 1 },
	});
	if (item.source === "upload" || (item.source === "campaign" && !item.split)) {
		await deps.queues.send("imports", [{ body: { kind: "split", tenant, campaignId, importId } }]);
		return;
	}
	const stored = await storedChunks(deps, tenant, campaignId, importId);
	const missing = Array.from({ length: item.chunks }, (_, n) => n).filter((n) => !stored.has(n));
	await deps.queues.send("imports", chunkMessages(tenant, campaignId, importId, missing));
};

const resumeOne = async (
	deps: ApiDeps,
	campaign: ImportingCampaign,
	importId: string,
	openedAt: number,
): Promise<void> => {
	const { tenant, campaignId } = campaign;
	const staleMs = deps.settings.importStaleSec * 1_000;
	if (deps.now() - openedAt < staleMs) return;
	const item: ResumedImport | undefined = await readImport(deps, tenant, campaignId, importId);
	if (!item) {
		deps.log.warn("import.given-up", { campaignId, importId });
		await failImport(deps, tenant, campaignId, importId, "the list was never completely received; send it again");
		return;
	}
	if (item.state === "uploading") {
		await sendAgain(deps, campaign, await beginUploaded(deps, tenant, campaignId, item));
		return;
	}
	const waits = staleMs * 2 ** Math.min(item.drives ?? 0, MAX_DOUBLINGS);
	if (item.state === "open" && deps.now() - item.progressAt < waits) return;
	// Not by `seen`: the last chunk may have died between its result and its report. The results decide.
	const after = await endIfComplete(deps, tenant, campaignId, { ...item, seen: item.chunks });
	if (after.state !== "open") return;
	deps.log.warn("import.resumed", {
		campaignId,
		importId,
		source: item.source,
		chunks: item.chunks,
		seen: item.seen,
		drives: item.drives ?? 0,
	});
	await sendAgain(deps, campaign, item);
};

/** Takes up imports that a crash left: nothing of a list is lost once its rows were durable. */
export const resumeImports = async (deps: ApiDeps, campaign: ImportingCampaign): Promise<void> => {
	for (const [importId, openedAt] of Object.entries(campaign.open)) {
		await resumeOne(deps, campaign, importId, openedAt);
	}
};

import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import { campaignKey, type ImportChunkItem } from "../store/items.ts";
import { finishImport } from "./finish-import.ts";
import { firstDueOf } from "./first-due.ts";
import {
	type Chunk,
	chunkKind,
	type ImportingCampaign,
	type ImportState,
	importKind,
	MAX_REJECTED_PER_CHUNK,
	putOnce,
	readCampaign,
	readChunk,
	readChunks,
} from "./import-items.ts";
import { forEachParallel } from "./parallel.ts";
import { putContact } from "./put-contact.ts";

/** Conditional puts on their way at once in one process; the SDK's pool has 50 sockets. */
export const PUT_CONCURRENCY = 40;

/** Stores the contacts of one chunk and says once what became of them. Repeatable: a stored chunk is left as it is. */
export const storeChunk = async (
	deps: Deps,
	campaign: ImportingCampaign,
	open: Pick<ImportState, "importId" | "createdAt">,
	n: number,
	chunk: Chunk,
): Promise<ImportChunkItem> => {
	const { tenant, campaignId } = campaign;
	let accepted = 0;
	let duplicates = chunk.duplicates;
	const firstDue = firstDueOf(campaign);
	// Also where the campaign was cancelled meanwhile: a slow twin may be storing them too, and the sweep, which waits until
	// no import is open, must find them all.
	await forEachParallel(chunk.rows, PUT_CONCURRENCY, async (row) => {
		if (await putContact(deps, campaign, open.importId, open.createdAt, row, firstDue)) accepted++;
		else duplicates++;
	});
	return putOnce<ImportChunkItem>(deps, {
		...campaignKey(tenant, campaignId, chunkKind(open.importId, n)),
		accepted,
		duplicates,
		rejectedCount: chunk.rejectedCount,
		rejected: chunk.rejected.slice(0, MAX_REJECTED_PER_CHUNK),
	});
};

/** Reports progress, and ends the import if this was its last chunk. */
export const reportChunk = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
): Promise<ImportState | undefined> => {
	const reported = await update<ImportState>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: campaignKey(tenant, campaignId, importKind(importId)),
		ConditionExpression: "attribute_exists(#state)",
		UpdateExpression: "SET seen = seen + :one, progressAt = :now",
		ExpressionAttributeNames: { "#state": "state" },
		ExpressionAttributeValues: { ":one": 1, ":now": deps.now() },
		ReturnValues: "ALL_NEW",
	});
	return reported.item && endIfComplete(deps, tenant, campaignId, reported.item);
};

/** Ends the import once every chunk has its result. `seen` may count a chunk twice, so the results decide. */
export const endIfComplete = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	item: ImportState,
): Promise<ImportState> => {
	if (item.state === "done" || item.state === "failed") return finishImport(deps, tenant, campaignId, item, []);
	if (item.state !== "open" || !item.split || item.seen < item.chunks) return item;
	const chunks =
		item.chunks === 1
			? [await readChunk(deps, tenant, campaignId, item.importId, 0)].filter((chunk) => chunk !== undefined)
			: await readChunks(deps, tenant, campaignId, item.importId);
	return chunks.length < item.chunks ? item : finishImport(deps, tenant, campaignId, item, chunks);
};

/** Numbers of the chunks that have their result. */
export const storedChunks = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
): Promise<Set<number>> => {
	const chunks = await readChunks(deps, tenant, campaignId, importId);
	return new Set(chunks.map((chunk) => Number(chunk.kind.slice(chunk.kind.lastIndexOf("#") + 1))));
};

/** One chunk of an open import from its rows to its report. */
export const runChunk = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	open: ImportState,
	n: number,
	load: () => Promise<Chunk>,
): Promise<ImportState | undefined> => {
	if (open.state === "open" && !(await readChunk(deps, tenant, campaignId, open.importId, n))) {
		const campaign = await readCampaign(deps, tenant, campaignId);
		if (!campaign) throw new Error(`Campaign ${campaignId} of import ${open.importId} is gone`);
		await storeChunk(deps, campaign, open, n, await load());
	}
	return reportChunk(deps, tenant, campaignId, open.importId);
};

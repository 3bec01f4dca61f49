import { MAX_INLINE_ROWS } from "../contract/campaign.ts";
import { conflict } from "../contract/errors.ts";
import { beginImport, type NewImport } from "./begin-import.ts";
import { type Chunk, type ImportState, readChunk, stagedKey } from "./import-items.ts";
import type { ApiDeps } from "./ports.ts";
import type { CheckedList, RejectedRow } from "./rows.ts";
import { runChunk } from "./store-chunk.ts";

/** A chunk up to so many bytes travels in the import's own item: cheaper and faster than an object. */
const MAX_ITEM_BYTES = 8_192;
/** Staged objects on their way at once. */
const STAGE_PARALLEL = 8;

/** What the answer says of a list. */
export interface ListReport {
	accepted: number;
	/** The first bad rows; `rejectedCount` says how many there are. */
	rejected: RejectedRow[];
	rejectedCount: number;
	duplicates: number;
}

/** Messages that make the import function store chunks. */
export const chunkMessages = (
	tenant: string,
	campaignId: string,
	importId: string,
	chunks: Iterable<number>,
): { body: Record<string, unknown> }[] =>
	Array.from(chunks, (n) => ({ body: { kind: "chunk", tenant, campaignId, importId, n } }));

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Cuts a list into chunks; what is known of bad rows goes with the first. */
const chunksOf = (list: CheckedList, rowsPerChunk: number): Chunk[] => {
	const count = Math.max(1, Math.ceil(list.rows.length / rowsPerChunk));
	return range(count).map((n) => ({
		rows: list.rows.slice(n * rowsPerChunk, (n + 1) * rowsPerChunk),
		rejected: n === 0 ? list.rejected : [],
		rejectedCount: n === 0 ? list.rejectedCount : 0,
		duplicates: n === 0 ? list.duplicates : 0,
	}));
};

/**
 * Adds a checked list to a campaign. A short one is stored before this returns; a long one is staged, and the import
 * function stores it. Repeatable with the same `importId`.
 * @param known whether the campaign was created with this import
 */
export const importList = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	importId: string,
	list: CheckedList,
	known: boolean,
): Promise<{ item: ImportState; report: ListReport }> => {
	const inline = list.rows.length <= MAX_INLINE_ROWS;
	const chunks = chunksOf(list, inline ? MAX_INLINE_ROWS : deps.settings.importChunkRows);
	const first = chunks[0] as Chunk;
	const rows = inline ? JSON.stringify(first) : "";
	const inItem = inline && Buffer.byteLength(rows) <= MAX_ITEM_BYTES;

	if (!inItem) {
		for (let i = 0; i < chunks.length; i += STAGE_PARALLEL) {
			await Promise.all(
				chunks
					.slice(i, i + STAGE_PARALLEL)
					.map((chunk, n) => deps.objects.put(stagedKey(tenant, campaignId, importId, i + n), JSON.stringify(chunk))),
			);
		}
	}
	const begin: NewImport = {
		source: inItem ? "item" : "staged",
		chunks: chunks.length,
		split: true,
		...(inItem ? { rows } : {}),
	};
	const open = await beginImport(deps, tenant, campaignId, importId, begin, known);
	if (open.state === "failed" && open.failure) {
		throw conflict(
			"importFailed",
			`The list was given up before it was completely received (${open.failure}). Send it again with a new Idempotency-Key.`,
		);
	}
	const report = (accepted: number, duplicates: number): ListReport => ({
		accepted,
		rejected: list.rejected,
		rejectedCount: list.rejectedCount,
		duplicates,
	});
	if (!inline) {
		if (open.state === "open") {
			await deps.queues.send("imports", chunkMessages(tenant, campaignId, importId, range(open.chunks)));
		}
		return { item: open, report: report(list.rows.length, list.duplicates) };
	}
	const item = (await runChunk(deps, tenant, campaignId, open, 0, async () => first)) ?? open;
	const result = await readChunk(deps, tenant, campaignId, importId, 0);
	return { item, report: report(result?.accepted ?? 0, result?.duplicates ?? 0) };
};

import type { Deps } from "../deps.ts";
import { getItem, type Item, put, queryAll } from "../store/db.ts";
import { type CampaignItem, campaignKey, type ImportChunkItem, type ImportItem } from "../store/items.ts";
import type { ListShape } from "./parse.ts";
import type { GoodRow, RejectedRow } from "./rows.ts";

/**
 * An import is one list on its way into a campaign. Its rows are durable (in its item, in staged objects or in the
 * uploaded object) before the first contact is stored, so that whatever crashes, another run brings it to its end.
 *
 * Order of writes: rows staged → campaign META knows the import (`open`) → IMPORT item → contacts → CHUNK items →
 * IMPORT item done → campaign registered on its trunk → META forgets the import and, the first time, starts.
 *
 * Of another campaign's contacts, which are durable where they are, it is a PAGE item (which of them, decided once) that goes before the contacts.
 */

/** META as the imports see it. */
export interface ImportingCampaign extends CampaignItem {
	/** Open imports: when each began. `openImports` is their number. */
	open: Record<string, number>;
	/** The import that the campaign was created with. */
	initialImport?: string;
}

export interface ImportState extends ImportItem {
	/** Where the rows are: in this item, in staged objects (one per chunk), in the uploaded object, in another campaign's contacts. */
	source: "item" | "staged" | "upload" | "campaign";
	/** Source `item`: the only chunk, as JSON. */
	rows?: string;
	/** Source `upload`: how to read it, once it was opened; its size, and what it must hash to. */
	shape?: ListShape;
	/** Source `upload`: rows per chunk, once the splitting began. */
	chunkRows?: number;
	wanted?: ListShape["format"];
	bytes?: number;
	sha256?: string;
	/** Chunks reported stored, repeats included: at least `chunks` once all are; decided by the CHUNK items then. */
	seen: number;
	/** Last sign of progress, ms since 1970. */
	progressAt: number;
}

/** A chunk's rows, ready to be stored, and what is already known of the others. */
export interface Chunk {
	rows: GoodRow[];
	rejected: RejectedRow[];
	rejectedCount: number;
	duplicates: number;
}

/** Bad rows of a chunk kept with line and reason; the others are counted. Its item stays small. */
export const MAX_REJECTED_PER_CHUNK = 50;
/** Imports of one campaign that may be open at once. */
export const MAX_OPEN_IMPORTS = 20;

export const importKind = (importId: string): string => `IMPORT#${importId}`;
/** Zero-padded, so that chunks are in order. */
export const chunkKind = (importId: string, n: number): string =>
	`${importKind(importId)}#CHUNK#${String(n).padStart(7, "0")}`;

export const readCampaign = (deps: Deps, tenant: string, campaignId: string): Promise<ImportingCampaign | undefined> =>
	getItem<ImportingCampaign>(deps.db, deps.tables.campaigns, campaignKey(tenant, campaignId));

export const readImport = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
): Promise<ImportState | undefined> =>
	getItem<ImportState>(deps.db, deps.tables.campaigns, campaignKey(tenant, campaignId, importKind(importId)));

export const readChunk = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
	n: number,
): Promise<ImportChunkItem | undefined> =>
	getItem<ImportChunkItem>(deps.db, deps.tables.campaigns, campaignKey(tenant, campaignId, chunkKind(importId, n)));

/** The results of all chunks that are stored, in order. */
export const readChunks = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
): Promise<ImportChunkItem[]> =>
	queryAll<ImportChunkItem>(deps.db, {
		TableName: deps.tables.campaigns,
		ConsistentRead: true,
		KeyConditionExpression: "campaign = :campaign AND begins_with(#kind, :prefix)",
		ExpressionAttributeNames: { "#kind": "kind" },
		ExpressionAttributeValues: {
			":campaign": campaignKey(tenant, campaignId).campaign,
			":prefix": `${importKind(importId)}#CHUNK#`,
		},
	});

/** Writes an item beside a campaign, unless it is there. @returns the item that stands there now */
export const putOnce = async <T extends Item & { campaign: string; kind: string }>(deps: Deps, item: T): Promise<T> => {
	const { campaign, kind } = item;
	const written = await put<T>(
		deps.db,
		{
			TableName: deps.tables.campaigns,
			Item: item,
			ConditionExpression: "attribute_not_exists(#kind)",
			ExpressionAttributeNames: { "#kind": "kind" },
		},
		{ campaign, kind },
	);
	return written.item ?? item;
};

/** Keys in the bucket. */
export const stagedKey = (tenant: string, campaignId: string, importId: string, n: number): string =>
	`${tenant}/${campaignId}/${importId}/chunk-${n}.json`;
export const uploadKey = (tenant: string, campaignId: string, importId: string): string =>
	`${tenant}/${campaignId}/${importId}/upload`;

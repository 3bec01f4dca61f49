import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import type { ImportState } from "./import-items.ts";
import type { ListShape } from "./parse.ts";

/** Keeps how far the cutting of a list into chunks is. @returns the import as it stands then */
export const saveSplit = async (
	deps: Deps,
	item: ImportState,
	change: { shape: ListShape; chunkRows: number } | { chunks: number; split: boolean; failure?: string },
): Promise<ImportState | undefined> => {
	const entries = Object.entries(change);
	const result = await update<ImportState>(deps.db, {
		TableName: deps.tables.campaigns,
		Key: { campaign: item.campaign, kind: item.kind },
		// Never back: a repeated message may be behind.
		ConditionExpression: `#state = :open AND #split = :false${"chunks" in change ? " AND #chunks <= :chunks" : ""}`,
		UpdateExpression: `SET progressAt = :now, ${entries.map(([name]) => `#${name} = :${name}`).join(", ")}`,
		ExpressionAttributeNames: {
			"#state": "state",
			"#split": "split",
			...Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
		},
		ExpressionAttributeValues: {
			":open": "open",
			":false": false,
			":now": deps.now(),
			...Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
		},
		ReturnValues: "ALL_NEW",
	});
	return result.item;
};

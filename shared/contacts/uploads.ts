import { z } from "zod";
import { conflict, notFound, unprocessable } from "../contract/errors.ts";
import { beginUploaded, campaignForContacts, importItem } from "./begin-import.ts";
import { type ImportState, putOnce, readImport, uploadKey } from "./import-items.ts";
import type { ApiDeps } from "./ports.ts";

/** The longest list that one upload takes: some ten million rows; longer ones are cut by their sender. */
export const MAX_UPLOAD_BYTES = 256 * 1024 * 1024;
/** A form is valid for so long. */
const UPLOAD_EXPIRES_SEC = 3_600;

/** `POST /v1/campaigns/{id}/uploads`. */
export const uploadSchema = z.strictObject({
	/** Exact size of the list, bytes. */
	bytes: z.int().min(1).max(MAX_UPLOAD_BYTES, `at most ${MAX_UPLOAD_BYTES} bytes; cut the list into several uploads`),
	/** SHA-256 of the list, hex: what arrives is compared with it. */
	sha256: z
		.string()
		.regex(/^[0-9a-f]{64}$/, "64 hex digits in lower case")
		.optional(),
	/** Default: found out from the list's beginning. */
	format: z.enum(["csv", "ndjson", "json"]).optional(),
});
export type UploadInput = z.output<typeof uploadSchema>;

/** Makes a form for uploading a list. Repeatable with the same id. */
export const createUpload = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	uploadId: string,
	input: UploadInput,
): Promise<{ uploadId: string; uploadUrl: string; fields: Record<string, string> }> => {
	const item = importItem(
		deps,
		tenant,
		campaignId,
		uploadId,
		{
			source: "upload",
			chunks: 0,
			split: false,
			bytes: input.bytes,
			...(input.sha256 === undefined ? {} : { sha256: input.sha256 }),
			...(input.format === undefined ? {} : { wanted: input.format }),
		},
		"uploading",
	);
	await putOnce(deps, item);
	const form = await deps.objects.presignPost(uploadKey(tenant, campaignId, uploadId), input.bytes, UPLOAD_EXPIRES_SEC);
	return { uploadId, ...form };
};

const UPLOAD_ID = /^[0-9a-z]{16}$/;

/** Starts the import of an uploaded list. Repeatable: the same list is imported once. */
export const completeUpload = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	uploadId: string,
): Promise<{ importId: string; state: ImportState["state"] }> => {
	const item = UPLOAD_ID.test(uploadId) ? await readImport(deps, tenant, campaignId, uploadId) : undefined;
	if (item?.source !== "upload") throw notFound("upload", uploadId.slice(0, 100));
	if (item.state === "uploading") {
		await campaignForContacts(deps, tenant, campaignId);
		const size = await deps.objects.size(uploadKey(tenant, campaignId, uploadId));
		if (size === undefined) {
			throw conflict(
				"notUploaded",
				"The list is not there yet. POST it to the upload's uploadUrl with its fields first.",
			);
		}
		if (size !== item.bytes) {
			throw unprocessable("uploadSize", `The uploaded list has ${size} bytes, announced were ${item.bytes}.`);
		}
	}
	const open = await beginUploaded(deps, tenant, campaignId, item);
	// Again if it is repeated: the first message may never have been sent.
	if (open.state === "open") {
		await deps.queues.send("imports", [{ body: { kind: "split", tenant, campaignId, importId: uploadId } }]);
	}
	return { importId: uploadId, state: open.state };
};

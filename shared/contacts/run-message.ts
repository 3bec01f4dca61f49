import { z } from "zod";
import { numberRuleFor } from "../campaigns/check-campaign.ts";
import {
	type Chunk,
	type ImportState,
	MAX_REJECTED_PER_CHUNK,
	readCampaign,
	readImport,
	stagedKey,
	uploadKey,
} from "./import-items.ts";
import { parseRecords, splitterFor } from "./parse.ts";
import type { ApiDeps } from "./ports.ts";
import { loadPage } from "./recycle-page.ts";
import { checkRows } from "./rows.ts";
import { splitCampaign } from "./split-campaign.ts";
import { splitUpload } from "./split-upload.ts";
import { runChunk } from "./store-chunk.ts";

const common = { tenant: z.string().min(1), campaignId: z.string().min(1), importId: z.string().min(1) };
const at = { offset: z.int().min(0), line: z.int().min(1), n: z.int().min(0) };

/** What the imports queue carries. */
export const importMessageSchema = z.discriminatedUnion("kind", [
	z.object({
		kind: z.literal("split"),
		...common,
		/** Of an upload: where to go on. */
		from: z.object(at).optional(),
		/** Of another campaign's contacts: where to go on. */
		page: z.object({ n: z.int().min(0), shard: z.int().min(0), after: z.string().optional() }).optional(),
	}),
	z.object({
		kind: z.literal("chunk"),
		...common,
		n: z.int().min(0),
		/** Of an upload: which bytes. */
		start: z.int().min(0).optional(),
		end: z.int().min(0).optional(),
		line: z.int().min(1).optional(),
	}),
]);
export type ImportMessage = z.infer<typeof importMessageSchema>;

const loadStaged = async (
	deps: ApiDeps,
	item: ImportState,
	message: ImportMessage & { kind: "chunk" },
): Promise<Chunk> => {
	const text =
		item.source === "item"
			? item.rows
			: Buffer.from(
					await deps.objects.get(stagedKey(message.tenant, message.campaignId, item.importId, message.n)),
				).toString("utf8");
	if (text === undefined) throw new Error(`Import ${item.importId} has no rows`);
	return JSON.parse(text) as Chunk;
};

const loadUploaded = async (
	deps: ApiDeps,
	item: ImportState,
	message: ImportMessage & { kind: "chunk" },
): Promise<Chunk> => {
	const { tenant, campaignId, start, end, line } = message;
	const { shape } = item;
	if (!shape || start === undefined || end === undefined || line === undefined) {
		throw new Error(`Chunk ${message.n} of upload ${item.importId} does not say what it is`);
	}
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) throw new Error(`Campaign ${campaignId} is gone`);
	const rule = await numberRuleFor(deps, tenant, campaign);
	const bytes = await deps.objects.get(uploadKey(tenant, campaignId, item.importId), { start, end });
	const splitter = splitterFor(shape, { offset: start, line });
	const ranges = [...splitter.push(bytes), ...splitter.end()];
	return checkRows(rule, parseRecords(shape, bytes, start, ranges), MAX_REJECTED_PER_CHUNK);
};

const loadRecycled = async (
	deps: ApiDeps,
	item: ImportState,
	{ tenant, campaignId, n }: ImportMessage & { kind: "chunk" },
): Promise<Chunk> => {
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) throw new Error(`Campaign ${campaignId} of import ${item.importId} is gone`);
	return loadPage(deps, tenant, campaign, item.importId, n);
};

const LOADERS = { item: loadStaged, staged: loadStaged, upload: loadUploaded, campaign: loadRecycled } as const;

/** Does what a message of the imports queue asks for. Repeatable. */
export const runImportMessage = async (deps: ApiDeps, message: ImportMessage, deadline: number): Promise<void> => {
	const { tenant, campaignId, importId } = message;
	const item = await readImport(deps, tenant, campaignId, importId);
	// Sent before the item was written, or long after everything was deleted: the tick takes care of the first.
	if (!item) {
		deps.log.warn("import.unknown", { campaignId, importId });
		return;
	}
	if (message.kind === "split") {
		if (item.source === "campaign") await splitCampaign(deps, tenant, campaignId, item, message.page, deadline);
		else await splitUpload(deps, tenant, campaignId, item, message.from, deadline);
		return;
	}
	await runChunk(deps, tenant, campaignId, item, message.n, () => LOADERS[item.source](deps, item, message));
};

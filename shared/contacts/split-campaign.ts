import { numberRuleFor } from "../campaigns/check-campaign.ts";
import { type ImportState, readCampaign } from "./import-items.ts";
import { chunkMessages } from "./import-list.ts";
import type { ApiDeps } from "./ports.ts";
import { decidePage, isChunk, type PageStart, readPage } from "./recycle-page.ts";
import { saveSplit } from "./save-split.ts";
import { endIfComplete } from "./store-chunk.ts";

/** Where the cutting of another campaign's contacts into pages goes on: page `n` is looked for from there. */
export interface PageAt extends PageStart {
	n: number;
}

/** Where an import that was begun goes on: after the last page that it counts. */
const placeOf = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	item: ImportState,
): Promise<PageAt | null> => {
	const n = item.chunks;
	if (n === 0) return { n, shard: 0 };
	const before = await readPage(deps, tenant, campaignId, item.importId, n - 1);
	if (!before) throw new Error(`Page ${n - 1} of import ${item.importId} of campaign ${campaignId} is gone`);
	return before.next && { n, ...before.next };
};

/**
 * Makes chunks of the contacts of another campaign that ended as wanted, page by page, and sends each to be stored. What a page consists of and
 * where the next one begins is decided by one conditional write, so repeats and twins walk along the same pages, although contacts end, or are
 * added, meanwhile. Stops at the deadline and sends itself on.
 */
export const splitCampaign = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	item: ImportState,
	from: PageAt | undefined,
	deadline: number,
): Promise<void> => {
	const { importId } = item;
	if (item.state !== "open" || item.split) {
		await endIfComplete(deps, tenant, campaignId, item);
		return;
	}
	const campaign = await readCampaign(deps, tenant, campaignId);
	const wanted = campaign?.from;
	if (!wanted) throw new Error(`Campaign ${campaignId} of import ${importId} is gone, or made of no other's contacts`);
	const rule = await numberRuleFor(deps, tenant, campaign);
	const source = await readCampaign(deps, tenant, wanted.campaignId);
	let at = from ?? (await placeOf(deps, tenant, campaignId, item));
	let chunks = at?.n ?? item.chunks;
	while (at && source) {
		const { n, ...start } = at;
		const decided = await decidePage(deps, { ...campaign, from: wanted }, source, rule, importId, n, start, deadline);
		if (decided.lookOn) {
			at = { n, ...decided.lookOn };
		} else {
			const { page } = decided;
			at = page.next && { n: n + 1, ...page.next };
			if (isChunk(page)) {
				await deps.queues.send("imports", chunkMessages(tenant, campaignId, importId, [n]));
				chunks = n + 1;
			}
		}
		if (!at) break;
		await saveSplit(deps, item, { chunks, split: false });
		if (deps.now() >= deadline) {
			await deps.queues.send("imports", [{ body: { kind: "split", tenant, campaignId, importId, page: at } }]);
			return;
		}
	}
	const failure = source
		? {}
		: { failure: `campaign ${wanted.campaignId} was deleted while its contacts were being taken over` };
	const final = await saveSplit(deps, item, { chunks, split: true, ...failure });
	if (final) await endIfComplete(deps, tenant, campaignId, final);
};

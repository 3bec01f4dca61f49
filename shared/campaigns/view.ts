import type { ImportingCampaign, ImportState } from "../contacts/import-items.ts";
import { chunkKind } from "../contacts/import-items.ts";
import { DEFAULT_PRIORITY } from "../contract/campaign.ts";
import { describeCampaignCost, readCampaignUsed, type ShownCampaignCost } from "../ledger/campaign-cost.ts";
import { readLedgerPrices } from "../ledger/read-prices.ts";
import { PriceError } from "../prices/price-error.ts";
import type { ImportChunkItem, TrunkItem } from "../store/items.ts";
import { trunksOf } from "../sync/lanes.ts";
import type { CampaignCounts } from "./counts.ts";
import {
	type ForecastDeps,
	type ReadCampaign,
	readCampaignFigures,
	readForecast,
	type ShownForecast,
	type Warning,
} from "./read-forecast.ts";

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

/** What a campaign is, without its figures. */
export const describeCampaign = (item: ImportingCampaign) => ({
	campaignId: item.campaignId,
	name: item.name,
	state: item.state,
	purpose: item.purpose ?? "informational",
	trunk: item.trunk,
	...(item.trunks ? { trunks: item.trunks } : {}),
	callerId: item.callerId ?? null,
	...(item.callerIds ? { callerIds: item.callerIds } : {}),
	...(item.from ? { from: item.from } : {}),
	then: item.then,
	maxChannels: item.maxChannels ?? null,
	maxCps: item.maxCps ?? null,
	priority: item.priority ?? DEFAULT_PRIORITY,
	window: item.window ?? null,
	calleeLimit: item.calleeLimit ?? null,
	suppressionLists: item.suppressionLists ?? [],
	ringTimeoutSec: item.ringTimeoutSec,
	maxCallSec: item.maxCallSec,
	retry: item.retry,
	amd: item.amd ?? null,
	/** Rules of law that were not applied to calls because of the purpose: since when, and by whose token the campaign was made. */
	exemptions: Object.entries(item.exemptions ?? {})
		.map(([rule, { at, tokenId }]) => ({ rule, at: iso(at), tokenId: tokenId ?? null }))
		.sort((a, b) => (a.rule < b.rule ? -1 : 1)),
	createdAt: iso(item.createdAt),
	startAt: iso(item.startAt),
	deadline: iso(item.deadline),
	allowDroppedCalls: item.allowDroppedCalls ?? false,
	startedAt: iso(item.startedAt),
	finishedAt: iso(item.finishedAt),
	...(item.pausedFrom === undefined ? {} : { pausedFrom: item.pausedFrom }),
	...(item.failure === undefined ? {} : { failure: item.failure }),
	...(item.state === "cancelled" ? { swept: item.sweptAt !== undefined } : {}),
});

/** A campaign in a list. */
export const summarize = (item: ImportingCampaign) => ({
	campaignId: item.campaignId,
	name: item.name,
	state: item.state,
	trunk: item.trunk,
	createdAt: iso(item.createdAt),
	startAt: iso(item.startAt),
	startedAt: iso(item.startedAt),
	finishedAt: iso(item.finishedAt),
});

/** Bad rows shown for each import: the answer stays far below 4 MB. */
const MAX_REJECTED_PER_VIEW = 100;

const describeImport = (item: ImportState, chunks: ImportChunkItem[]) => {
	const prefix = chunkKind(item.importId, 0).slice(0, -7);
	const own = chunks.filter((chunk) => chunk.kind.startsWith(prefix));
	const sum = (of: (chunk: ImportChunkItem) => number): number => own.reduce((n, chunk) => n + of(chunk), 0);
	return {
		importId: item.importId,
		state: item.state,
		createdAt: iso(item.createdAt),
		finishedAt: iso(item.finishedAt),
		/** How many chunks there are is known once the list is split. */
		chunks: { known: item.chunks, stored: own.length, final: item.split },
		accepted: sum((chunk) => chunk.accepted),
		duplicates: sum((chunk) => chunk.duplicates),
		rejectedCount: sum((chunk) => chunk.rejectedCount),
		rejected: own.flatMap((chunk) => chunk.rejected).slice(0, MAX_REJECTED_PER_VIEW),
		...(item.failure === undefined ? {} : { failure: item.failure }),
	};
};
/** Channels of a campaign on all its trunks: those that hosts hold for it, or that may still be up on lost ones, and its cap. */
const channelsOf = (
	campaign: ImportingCampaign,
	trunks: readonly (TrunkItem | undefined)[],
): { live: number; cap: number | null } => {
	let live = 0;
	let cap: number | null = null;
	for (const trunk of trunks) {
		const entry = trunk?.c[campaign.campaignId];
		const own = entry?.cap ?? campaign.maxChannels ?? trunk?.cap;
		if (own !== undefined) cap = (cap ?? 0) + Math.min(own, trunk?.cap ?? own);
		if (entry) live += entry.cap - entry.free;
	}
	return { live, cap: cap === null ? null : Math.min(cap, campaign.maxChannels ?? cap) };
};

export type CampaignView = ReturnType<typeof describeCampaign> &
	CampaignViewFigures & { imports: ReturnType<typeof describeImport>[] };
interface CampaignViewFigures {
	counts: Pick<CampaignCounts, "total" | "pending" | "inProgress" | "done">;
	outcomes: CampaignCounts["outcomes"];
	attempts: number;
	channels: { live: number; cap: number | null };
	/** null: a price is missing, and `costProblem` says which. */
	cost: ShownCampaignCost | null;
	costProblem?: string;
	/** null: it is over. */
	forecast: ShownForecast | null;
	/** Absent: there is nothing to warn of. */
	warnings?: Warning[];
}

/** What it cost so far and will have cost; a campaign is shown all the same where that cannot be counted. */
const costOf = async (
	deps: ForecastDeps,
	{ campaign, hosts }: ReadCampaign,
	forecast: ShownForecast | null,
): Promise<Pick<CampaignViewFigures, "cost" | "costProblem">> => {
	try {
		const prices = await readLedgerPrices(deps, campaign.tenant, deps.burst.channelsPerHost);
		const used = await readCampaignUsed(deps, campaign, prices, hosts);
		return { cost: describeCampaignCost(used, prices, forecast?.attemptsLeft ?? 0) };
	} catch (error) {
		if (!(error instanceof PriceError)) throw error;
		return { cost: null, costProblem: `${error.message} To mend it: ${error.remedy}` };
	}
};

/** Everything about one campaign; throws 404. */
export const viewCampaign = async (deps: ForecastDeps, tenant: string, campaignId: string): Promise<CampaignView> => {
	const read = await readCampaignFigures(deps, tenant, campaignId);
	const meta = read.campaign as ImportingCampaign;
	const { outcomes, attempts, total, pending, inProgress, done } = read.counts;
	const { forecast, warnings } = await readForecast(deps, tenant, read);
	return {
		...describeCampaign(meta),
		counts: { total, pending, inProgress, done },
		outcomes,
		attempts,
		channels: channelsOf(
			meta,
			trunksOf(meta).map(({ id }) => read.trunks.find(({ trunkId }) => trunkId === id)),
		),
		...(await costOf(deps, read, forecast)),
		forecast,
		...(warnings ? { warnings } : {}),
		imports: (read.items.imports as ImportState[])
			.sort((a, b) => a.createdAt - b.createdAt || a.importId.localeCompare(b.importId))
			.map((item) => describeImport(item, read.items.chunks)),
	};
};

/** A campaign as it stands after a change, and when it will be done now. */
export const describeChanged = async (
	deps: ForecastDeps,
	tenant: string,
	campaign: ImportingCampaign,
): Promise<ReturnType<typeof describeCampaign> & { forecast: ShownForecast | null; warnings?: Warning[] }> => ({
	...describeCampaign(campaign),
	...(await readForecast(deps, tenant, await readCampaignFigures(deps, tenant, campaign.campaignId))),
});

import type { BurstSettings } from "../config/burst-settings.ts";
import { notFound } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { queryAll } from "../store/db.ts";
import { type CampaignItem, type HostItem, shardKey, type TrunkItem } from "../store/items.ts";
import { readCampaigns } from "../sync/world.ts";
import { readTrunk } from "../trunks/trunks.ts";
import { type CampaignCounts, type CampaignItems, countsFrom, readCampaignItems, readHosts } from "./counts.ts";
import { type Forecast, forecast } from "./forecast.ts";
import { type ForecastWorld, forecastInput, trunkIdsOf } from "./forecast-input.ts";
import { isTerminal } from "./states.ts";

/** What a forecast needs of the outside besides the usual. */
export interface ForecastDeps extends Deps {
	burst: BurstSettings;
}

/** More other campaigns on its trunks are not read: of those only the entries on the trunk are known, as if each were dialed with the usual priority. */
const MAX_OTHERS = 50;

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

/** A forecast as the API shows it. */
export const showForecast = ({ deadline, ...figures }: Forecast) => ({
	/** When the last contact is done; null: not known, and `why`. */
	finishAt: iso(figures.finishAt),
	why: figures.why ?? null,
	/** Time that it still takes, seconds; of a paused campaign once it is resumed. */
	leftSec: figures.leftSec ?? null,
	basis: figures.basis,
	answerRate: figures.answerRate,
	meanHoldSec: figures.meanHoldSec,
	attemptsLeft: figures.attemptsLeft,
	/** What it may use, and what it needs for its deadline. */
	channels: figures.channels,
	cps: figures.cps,
	channelsNeeded: figures.channelsNeeded ?? null,
	cpsNeeded: figures.cpsNeeded ?? null,
	binding: figures.binding,
	deadline: deadline
		? {
				at: iso(deadline.at),
				meets: deadline.meets,
				bySec: deadline.bySec ?? null,
				needs: deadline.needs
					? {
							channels: deadline.needs.channels ?? null,
							cps: deadline.needs.cps ?? null,
							deadline: iso(deadline.needs.deadline),
						}
					: null,
			}
		: null,
	/** All of it in words, times in UTC. */
	words: figures.words,
});
export type ShownForecast = ReturnType<typeof showForecast>;

/** Something that was accepted, and will not go as it was asked for. */
export interface Warning {
	path: string;
	message: string;
}

/** A forecast as it is shown, with a warning where the deadline cannot be met within the caps. */
export const forecastAnswer = (world: ForecastWorld): { forecast: ShownForecast; warnings?: Warning[] } => {
	const found = forecast(forecastInput(world));
	const shown = showForecast(found);
	if (found.deadline === undefined || found.deadline.meets) return { forecast: shown };
	return { forecast: shown, warnings: [{ path: "deadline", message: found.words }] };
};

const lastDueOf = async (deps: Deps, shard: string): Promise<number | undefined> => {
	const [last] = await queryAll<{ dueAt: number } & Record<string, unknown>>(
		deps.db,
		{
			TableName: deps.tables.contacts,
			IndexName: "due",
			KeyConditionExpression: "shardKey = :shard",
			ExpressionAttributeValues: { ":shard": shard },
			ScanIndexForward: false,
			Limit: 1,
		},
		1,
	);
	return last?.dueAt;
};

/** When the last pending contact is due; looked up once every contact had its first attempt: before, that says nothing. */
const readLastDue = async (
	deps: Deps,
	campaign: CampaignItem,
	{ total, attempts, inProgress, pending }: CampaignCounts,
): Promise<number | undefined> => {
	if (pending === 0 || attempts + inProgress < total) return undefined;
	const found = await Promise.all(
		Array.from({ length: campaign.shards }, (_, shard) =>
			lastDueOf(deps, shardKey(campaign.tenant, campaign.campaignId, shard)),
		),
	);
	const due = found.filter((at) => at !== undefined);
	return due.length > 0 ? Math.max(...due) : undefined;
};

/** Why nothing can be said of a campaign without contacts. */
const whyNot = ({ openImports }: CampaignItem, total: number): string | undefined =>
	total > 0 ? undefined : openImports > 0 ? "its list is being imported" : "it has no list yet";

/** What was read of a campaign for its view. */
export interface ReadCampaign {
	campaign: CampaignItem;
	counts: CampaignCounts;
	hosts: HostItem[];
	/** Its trunks, as far as they are there. */
	trunks: TrunkItem[];
}

/** Everything of a campaign that its figures come from; throws 404. */
export const readCampaignFigures = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
): Promise<ReadCampaign & { items: CampaignItems }> => {
	const [items, hosts] = await Promise.all([readCampaignItems(deps, tenant, campaignId), readHosts(deps, tenant)]);
	const campaign = items.meta;
	if (!campaign) throw notFound("campaign", campaignId);
	const trunks = await Promise.all(trunkIdsOf(campaign).map((id) => readTrunk(deps, tenant, id)));
	return {
		campaign,
		items,
		hosts,
		counts: countsFrom(campaignId, items, hosts),
		trunks: trunks.filter((trunk) => trunk !== undefined),
	};
};

/** The forecast of a campaign that exists; null where it is over. */
export const readForecast = async (
	deps: ForecastDeps,
	tenant: string,
	{ campaign, counts, hosts, trunks }: ReadCampaign,
): Promise<{ forecast: ShownForecast | null; warnings?: Warning[] }> => {
	if (isTerminal(campaign.state)) return { forecast: null };
	const ids = new Set(trunks.flatMap(({ c }) => Object.keys(c)));
	ids.delete(campaign.campaignId);
	const [others, lastDueAt] = await Promise.all([
		readCampaigns(deps, tenant, [...ids].slice(0, MAX_OTHERS)),
		readLastDue(deps, campaign, counts),
	]);
	return forecastAnswer({
		now: deps.now(),
		campaign,
		counts,
		trunks,
		hosts,
		others,
		burst: deps.burst,
		unknown: whyNot(campaign, counts.total),
		lastDueAt,
	});
};

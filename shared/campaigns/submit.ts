import type { ApiDeps } from "../contacts/ports.ts";
import { readHosts } from "./counts.ts";
import { type CreatedCampaign, createCampaign, type NewCampaign } from "./create.ts";
import { type ForecastDeps, forecastAnswer, type ShownForecast, type Warning } from "./read-forecast.ts";

/** Nothing was dialed yet. */
const NOTHING = { inProgress: 0, done: 0, attempts: 0, channelMs: 0, timed: 0, outcomes: {} };

export type SubmittedCampaign = CreatedCampaign & { forecast: ShownForecast; warnings?: Warning[] };

/**
 * Creates a campaign, repeatably as {@link createCampaign}, and says when it will be done; a deadline that cannot be met within the caps is a warning, not a
 * refusal. Costs one read more: the hosts. What other campaigns on its trunks can use is taken from their entries there.
 */
export const submitCampaign = async (
	deps: ApiDeps & ForecastDeps,
	tenant: string,
	campaignId: string,
	wanted: NewCampaign,
): Promise<SubmittedCampaign> => {
	// First: what cannot be read leaves nothing half done.
	const hosts = await readHosts(deps, tenant);
	const created = await createCampaign(deps, tenant, campaignId, wanted);
	const answer = forecastAnswer({
		now: deps.now(),
		campaign: { ...wanted, campaignId, state: created.state, trunk: wanted.trunk.id },
		counts: { ...NOTHING, pending: created.contacts.accepted },
		trunks: wanted.trunkItems ?? [],
		hosts,
		burst: deps.burst,
		unknown: wanted.list ? undefined : "it has no list yet",
	});
	if (answer.warnings) {
		deps.log.info("campaign.deadlineNotMet", { tenant, campaignId, forecast: answer.forecast });
	}
	return { ...created, ...answer };
};

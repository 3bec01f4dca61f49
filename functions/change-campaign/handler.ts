import { askForSweep, changeState, parsePatch, patchCampaign } from "../../shared/campaigns/change.ts";
import type { AskedChange } from "../../shared/campaigns/states.ts";
import { describeCampaign, describeChanged } from "../../shared/campaigns/view.ts";
import { nudgeFleet } from "../../shared/fleet/nudge.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { httpFunction } from "../lambda/http.ts";
import { type ApiRequest, type ApiResponse, jsonOf, param } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

const change =
	(asked: AskedChange) =>
	async (request: ApiRequest): Promise<ApiResponse> => {
		const campaignId = param(request, "campaignId");
		const campaign = await changeState(request.deps, request.tenant, campaignId, asked);
		if (asked === "cancel" && campaign.sweptAt === undefined) {
			await askForSweep(request.deps, request.tenant, campaignId);
		}
		await nudgeFleet(request.deps, request.tenant, `a campaign: ${asked}`);
		return { status: 200, body: describeCampaign(campaign) };
	};

export const make = (runtime: Runtime, burst: BurstRuntime = burstFromEnvironment) =>
	httpFunction(
		[
			route("PATCH", "/v1/campaigns/{campaignId}", "operator", async (request) => {
				const { deps, tenant } = request;
				const campaign = await patchCampaign(deps, tenant, param(request, "campaignId"), parsePatch(jsonOf(request)));
				await nudgeFleet(deps, tenant, "a campaign was changed");
				return { status: 200, body: await describeChanged({ ...deps, burst: burst() }, tenant, campaign) };
			}),
			route("POST", "/v1/campaigns/{campaignId}/pause", "operator", change("pause")),
			route("POST", "/v1/campaigns/{campaignId}/resume", "operator", change("resume")),
			route("POST", "/v1/campaigns/{campaignId}/cancel", "operator", change("cancel")),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { checkNewCampaign } from "../../shared/campaigns/create.ts";
import { submitCampaign } from "../../shared/campaigns/submit.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { creating } from "../lambda/creating.ts";
import { httpFunction } from "../lambda/http.ts";
import { jsonOf } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime, burst: BurstRuntime = burstFromEnvironment) =>
	httpFunction(
		[
			route("POST", "/v1/campaigns", "operator", (request) =>
				creating(request, {
					check: () => checkNewCampaign(request.deps, request.tenant, jsonOf(request)),
					run: async (campaignId, wanted) => ({
						status: 201,
						body: await submitCampaign({ ...request.deps, burst: burst() }, request.tenant, campaignId, {
							...wanted,
							tokenId: request.principal.tokenId,
						}),
					}),
				}),
			),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

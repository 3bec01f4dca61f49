import { createCampaign } from "../../shared/campaigns/create.ts";
import { checkTestCall } from "../../shared/campaigns/test-call.ts";
import { creating } from "../lambda/creating.ts";
import { httpFunction } from "../lambda/http.ts";
import { jsonOf } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("POST", "/v1/calls", "operator", (request) =>
				creating(request, {
					check: () => checkTestCall(request.deps, request.tenant, jsonOf(request)),
					run: async (campaignId, wanted) => {
						const created = await createCampaign(request.deps, request.tenant, campaignId, {
							...wanted,
							tokenId: request.principal.tokenId,
						});
						return { status: 201, body: { campaignId, state: created.state } };
					},
				}),
			),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { callsCsv, callsQuerySchema, listCalls } from "../../shared/campaigns/calls.ts";
import { listCampaigns, listQuerySchema } from "../../shared/campaigns/list.ts";
import { explainCampaign } from "../../shared/campaigns/read-explain.ts";
import { viewCampaign } from "../../shared/campaigns/view.ts";
import { type BurstRuntime, burstFromEnvironment } from "../lambda/burst.ts";
import { httpFunction } from "../lambda/http.ts";
import { param, parseQuery } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

/** Whether the caller would rather have CSV than JSON. */
const wantsCsv = (accept: string | undefined): boolean => /^\s*text\/csv\s*(;|,|$)/i.test(accept ?? "");

export const make = (runtime: Runtime, burst: BurstRuntime = burstFromEnvironment) =>
	httpFunction(
		[
			route("GET", "/v1/campaigns", "operator", async (request) => ({
				status: 200,
				body: await listCampaigns(request.deps, request.tenant, parseQuery(request, listQuerySchema)),
			})),
			route("GET", "/v1/campaigns/{campaignId}", "operator", async (request) => ({
				status: 200,
				body: await viewCampaign({ ...request.deps, burst: burst() }, request.tenant, param(request, "campaignId")),
			})),
			route("GET", "/v1/campaigns/{campaignId}/explain", "operator", async (request) => ({
				status: 200,
				body: await explainCampaign({ ...request.deps, burst: burst() }, request.tenant, param(request, "campaignId")),
			})),
			route("GET", "/v1/campaigns/{campaignId}/calls", "operator", async (request) => {
				const query = parseQuery(request, callsQuerySchema);
				const page = await listCalls(request.deps, request.tenant, param(request, "campaignId"), query);
				if (!wantsCsv(request.headers["accept"])) return { status: 200, body: page };
				return {
					status: 200,
					text: callsCsv(page.items),
					headers: {
						"content-type": "text/csv; charset=utf-8",
						// CSV has no place for it: send it back as `cursor` for the next page.
						...(page.cursor ? { "x-next-cursor": page.cursor } : {}),
					},
				};
			}),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

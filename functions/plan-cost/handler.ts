import { answerPlan } from "../../shared/plan/plan-request.ts";
import { getOwnPrices, putOwnPrices } from "../../shared/prices/read-prices.ts";
import { httpFunction } from "../lambda/http.ts";
import { jsonOf } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("POST", "/v1/plan", "operator", async (request) => ({
				status: 200,
				body: await answerPlan(request.deps, request.tenant, jsonOf(request)),
			})),
			route("PUT", "/v1/prices", "operator", async (request) => {
				const { deps, tenant, principal } = request;
				return { status: 200, body: await putOwnPrices(deps, tenant, principal.tokenId, jsonOf(request)) };
			}),
			route("GET", "/v1/prices", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: await getOwnPrices(deps, tenant),
			})),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { nameSchema, trunkSchema } from "../../shared/contract/trunk.ts";
import { listTrunks, putTrunk } from "../../shared/trunks/trunks.ts";
import { parseOrRefuse } from "../../shared/validation/details.ts";
import { httpFunction } from "../lambda/http.ts";
import { param, parseBody } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("PUT", "/v1/trunks/{trunkId}", "operator", async (request) => {
				const trunkId = parseOrRefuse(nameSchema, param(request, "trunkId"), "trunk's id");
				const input = parseBody(request, trunkSchema);
				const { created, trunk } = await putTrunk(request.deps, request.tenant, trunkId, input);
				return { status: created ? 201 : 200, body: trunk };
			}),
			route("GET", "/v1/trunks", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: { items: await listTrunks(deps, tenant), cursor: null },
			})),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

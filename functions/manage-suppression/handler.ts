import {
	addNumbersQuerySchema,
	calleeNumberSchema,
	callingPolicySchema,
	optOutSchema,
	suppressionListSchema,
	suppressionNameSchema,
} from "../../shared/contract/suppression.ts";
import { addNumbers, parseNumbers } from "../../shared/suppression/add-numbers.ts";
import { putCallingPolicy, readCallingPolicy } from "../../shared/suppression/calling-policy.ts";
import { putList, readList, readLists, removeList, showList } from "../../shared/suppression/lists.ts";
import { optOut, removeNumber } from "../../shared/suppression/numbers.ts";
import { showNumber } from "../../shared/suppression/show-number.ts";
import { parseOrRefuse } from "../../shared/validation/details.ts";
import { httpFunction } from "../lambda/http.ts";
import { type ApiRequest, param, parseBody, parseQuery } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

const listOf = (request: ApiRequest): string =>
	parseOrRefuse(suppressionNameSchema, param(request, "list"), "suppression list's name");
const numberOf = (request: ApiRequest): string => parseOrRefuse(calleeNumberSchema, param(request, "number"), "number");

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("GET", "/v1/suppression", "operator", async ({ deps, tenant }) => {
				const items = (await readLists(deps, tenant)).map((list) => showList(list, deps.now()));
				return { status: 200, body: { items, cursor: null } };
			}),
			route("PUT", "/v1/suppression/{list}", "operator", async (request) => {
				const name = listOf(request);
				const input = parseBody(request, suppressionListSchema);
				const { created, list } = await putList(request.deps, request.tenant, name, input);
				return { status: created ? 201 : 200, body: list };
			}),
			route("DELETE", "/v1/suppression/{list}", "operator", async (request) => ({
				status: 200,
				body: await removeList(request.deps, request.tenant, listOf(request)),
			})),
			route("POST", "/v1/suppression/{list}/numbers", "operator", async (request) => {
				const { deps, tenant, principal, headers, body } = request;
				const { fromLine, more } = parseQuery(request, addNumbersQuerySchema);
				const list = await readList(deps, tenant, listOf(request));
				const checked = parseNumbers(headers["content-type"], body, fromLine);
				const added = await addNumbers(deps, tenant, principal.tokenId, list, checked, more === "true");
				return { status: 200, body: added };
			}),
			route("DELETE", "/v1/suppression/{list}/numbers/{number}", "operator", async (request) => {
				const { deps, tenant, principal } = request;
				const [name, number] = [listOf(request), numberOf(request)];
				return { status: 200, body: await removeNumber(deps, tenant, principal.tokenId, name, number) };
			}),
			route("GET", "/v1/suppression/numbers/{number}", "operator", async (request) => ({
				status: 200,
				body: await showNumber(request.deps, request.tenant, numberOf(request)),
			})),
			route("POST", "/v1/opt-outs", "operator", async (request) => {
				const { deps, tenant, principal } = request;
				const answer = await optOut(deps, tenant, principal.tokenId, parseBody(request, optOutSchema));
				return { status: answer.already ? 200 : 201, body: answer };
			}),
			route("GET", "/v1/calling-policy", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: await readCallingPolicy(deps, tenant),
			})),
			route("PUT", "/v1/calling-policy", "operator", async (request) => {
				const { deps, tenant, principal } = request;
				const policy = parseBody(request, callingPolicySchema);
				return { status: 200, body: await putCallingPolicy(deps, tenant, principal.tokenId, policy) };
			}),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

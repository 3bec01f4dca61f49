import { helloRequestSchema, peekQuerySchema } from "../../shared/contract/host.ts";
import { logUnreadable, parseSyncRequest, withRefused } from "../../shared/hosts/parse-sync.ts";
import { hello } from "../../shared/sync/hello.ts";
import { hostConfig } from "../../shared/sync/host-config.ts";
import { peek } from "../../shared/sync/peek.ts";
import { sync } from "../../shared/sync/sync.ts";
import { httpFunction } from "../lambda/http.ts";
import { type ApiRequest, jsonOf, param, parseBody, parseQuery } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

const hostOf = (request: ApiRequest) => ({ tenant: request.tenant, hostId: param(request, "hostId") });

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("POST", "/v1/hosts/{hostId}/sync", "host", async (request) => {
				const parsed = parseSyncRequest(jsonOf(request));
				logUnreadable(request.deps.log, hostOf(request).hostId, parsed);
				const answer = await sync(request.deps, hostOf(request), parsed.request);
				return { status: 200, body: withRefused(answer, parsed.refused) };
			}),
			route("GET", "/v1/hosts/{hostId}/peek", "host", async (request) => ({
				status: 200,
				body: await peek(request.deps, hostOf(request), parseQuery(request, peekQuerySchema)),
			})),
			route("POST", "/v1/hosts/{hostId}/hello", "host", async (request) => ({
				status: 200,
				body: await hello(request.deps, hostOf(request), parseBody(request, helloRequestSchema)),
			})),
			route("GET", "/v1/hosts/{hostId}/config", "host", async (request) => ({
				status: 200,
				body: await hostConfig(request.deps, hostOf(request)),
			})),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

import { enrolHostSchema } from "../../shared/contract/host.ts";
import { enrolHost } from "../../shared/hosts/enrol.ts";
import { readHosts, setDrain, showHost } from "../../shared/hosts/hosts.ts";
import { creating } from "../lambda/creating.ts";
import { httpFunction } from "../lambda/http.ts";
import { type ApiRequest, param, parseBody } from "../lambda/request.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

const drain = (wanted: boolean) => async (request: ApiRequest) => ({
	status: 200,
	body: await setDrain(request.deps, request.tenant, param(request, "hostId"), wanted),
});

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("POST", "/v1/hosts", "operator", (request) =>
				creating(request, {
					check: async () => parseBody(request, enrolHostSchema),
					run: async (requestId, input) => ({
						status: 201,
						body: await enrolHost(request.deps, request.tenant, input, requestId),
						secret: true,
					}),
				}),
			),
			route("GET", "/v1/hosts", "operator", async ({ deps, tenant }) => ({
				status: 200,
				body: { items: (await readHosts(deps, tenant)).map(showHost), cursor: null },
			})),
			route("POST", "/v1/hosts/{hostId}/drain", "operator", drain(true)),
			route("POST", "/v1/hosts/{hostId}/undrain", "operator", drain(false)),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

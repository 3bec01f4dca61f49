import { httpFunction } from "../lambda/http.ts";
import { route } from "../lambda/router.ts";
import { fromEnvironment, type Runtime } from "../lambda/runtime.ts";

export const make = (runtime: Runtime) =>
	httpFunction(
		[
			route("GET", "/v1/health", "public", async ({ deps }) => ({
				status: 200,
				body: { status: "ok", now: new Date(deps.now()).toISOString() },
			})),
		],
		runtime,
	);

export const handler = make(fromEnvironment);

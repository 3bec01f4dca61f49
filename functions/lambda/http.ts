import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import type { ApiDeps } from "../../shared/contacts/ports.ts";
import { ApiError, forbidden } from "../../shared/contract/errors.ts";
import { authenticate, type Principal, TokenCache } from "../../shared/tokens/authenticate.ts";
import { errorResponse, toApiError } from "./errors.ts";
import { type ApiRequest, type ApiResponse, bodyOf } from "./request.ts";
import { findRoute, type Route } from "./router.ts";
import { fromEnvironment, type Runtime } from "./runtime.ts";

/** What the middleware hands on from one to the next. */
interface Internal extends Record<string, unknown> {
	deps: ApiDeps;
	startedAt: number;
	route?: Route;
	params?: Record<string, string>;
	principal?: Principal;
}
/** The event with what the middleware found: middy hands its `internal` to middleware only. */
type Event = APIGatewayProxyEventV2 & { found?: Internal };
type Result = APIGatewayProxyStructuredResultV2;
type Middleware = middy.MiddlewareObj<Event, Result, Error, Context, Internal>;

/** The principal of routes that ask for none. */
const NOBODY: Principal = { tenant: "", tokenId: "", kind: "operator" };

const toResult = (response: ApiResponse): Result => {
	const headers = { "cache-control": "no-store", ...response.headers };
	if (response.text !== undefined) return { statusCode: response.status, headers, body: response.text };
	return {
		statusCode: response.status,
		headers: { ...headers, "content-type": "application/json; charset=utf-8" },
		body: JSON.stringify(response.body ?? {}),
	};
};

/** One line for every request: who, what, how it ended and how long it took. Never a body, never a header. */
const logRequest: NonNullable<Middleware["after"]> = ({ event, response, internal }) => {
	internal.deps.log.info("request", {
		requestId: event.requestContext.requestId,
		method: event.requestContext.http.method,
		route: internal.route?.path ?? "none",
		status: response?.statusCode,
		ms: Math.round(internal.deps.now() - internal.startedAt),
		...(internal.principal ? { tenant: internal.principal.tenant, tokenId: internal.principal.tokenId } : {}),
	});
};
const requestLog: Middleware = { after: logRequest, onError: logRequest };

/** Every failure becomes an answer with the design's body. */
const answerErrors: Middleware = {
	onError: (request) => {
		const { deps } = request.internal;
		const error = toApiError(request.error, deps.log, request.event.requestContext.requestId);
		request.response = toResult(errorResponse(error));
	},
};

const chooseRoute = (routes: Route[]): Middleware => ({
	before: ({ event, internal }) => {
		const { method } = event.requestContext.http;
		const found = findRoute(routes, method, event.rawPath);
		if (!found) throw new ApiError(404, "notFound", `There is no ${method} ${event.rawPath.slice(0, 200)}.`);
		internal.route = found.route;
		internal.params = found.params;
	},
});

/** Checks the token before anything of the body is looked at. */
const checkToken = (cacheOf: (deps: ApiDeps) => TokenCache): Middleware => ({
	before: async ({ event, internal }) => {
		const { deps, route, params } = internal;
		if (!route || route.access === "public") return;
		const { authorization } = event.headers ?? {};
		const principal = await authenticate(deps, cacheOf(deps), deps.settings.tokenCacheSec, authorization);
		internal.principal = principal;
		if (route.access === "operator" && principal.kind !== "operator") {
			throw forbidden("This token is a host's; an operator's token is needed.");
		}
		if (route.access === "host") {
			if (principal.kind !== "host") throw forbidden("This token is an operator's; the host's own token is needed.");
			if (principal.hostId !== params?.["hostId"]) throw forbidden("This token is another host's.");
		}
	},
});

/**
 * The Lambda handler of a function with these routes (API Gateway HTTP API, payload 2.0).
 * @param runtime what it works with; the deployed one reads the environment once
 */
export const httpFunction = (
	routes: Route[],
	runtime: Runtime = fromEnvironment,
): ((event: Event, context?: Context) => Promise<Result>) => {
	const caches = new WeakMap<ApiDeps, TokenCache>();
	const cacheOf = (deps: ApiDeps): TokenCache => {
		const known = caches.get(deps);
		if (known) return known;
		const cache = new TokenCache();
		caches.set(deps, cache);
		return cache;
	};
	const handler = middy<Event, Result, Error, Context, Internal>()
		.use({
			before: ({ event, internal }) => {
				internal.deps = runtime();
				internal.startedAt = internal.deps.now();
				event.found = internal;
			},
		} satisfies Middleware)
		// `after` and `onError` run in the opposite order: the log line is written when the answer is made.
		.use(requestLog)
		.use(answerErrors)
		.use(chooseRoute(routes))
		.use(checkToken(cacheOf))
		.handler(async (event: Event): Promise<Result> => {
			const { deps, route, params, principal } = event.found as Required<Internal>;
			const request: ApiRequest = {
				deps,
				principal: principal ?? NOBODY,
				tenant: (principal ?? NOBODY).tenant,
				method: event.requestContext.http.method,
				path: event.rawPath,
				params,
				query: event.queryStringParameters ?? {},
				headers: event.headers ?? {},
				body: bodyOf(event),
			};
			return toResult(await route.run(request));
		});
	return (event, context) => handler(event, context ?? ({} as Context));
};

import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Route } from "./functions.ts";

export interface HttpRequest {
	method: string;
	/** Path and query as received. */
	url: string;
	/** Names in lower case; several of one name joined by commas. */
	headers: Record<string, string>;
	body: Buffer;
	sourceIp: string;
}

export interface MatchedRoute {
	route: Route;
	pathParameters: Record<string, string>;
}

/** A path with a `%` that decodes to nothing. */
export class MalformedPath extends Error {
	override readonly name = "MalformedPath";
}

const decode = (segment: string): string => {
	try {
		return decodeURIComponent(segment);
	} catch (cause) {
		throw new MalformedPath(`The path has a malformed escape: ${segment}`, { cause });
	}
};

const matchPath = (pattern: string, path: string): Record<string, string> | undefined => {
	if (pattern === "*") return {};
	const wanted = pattern.split("/");
	const given = path.split("/");
	const parameters: Record<string, string> = {};
	for (const [i, part] of wanted.entries()) {
		const name = /^\{([^}+]+)(\+?)\}$/.exec(part);
		if (name?.[2]) {
			if (given.length <= i) return undefined;
			parameters[name[1] ?? ""] = given.slice(i).map(decode).join("/");
			return parameters;
		}
		const value = given[i];
		if (value === undefined || (name ? value === "" : value !== part)) return undefined;
		if (name) parameters[name[1] ?? ""] = decode(value);
	}
	return wanted.length === given.length ? parameters : undefined;
};

/** The most specific route: a literal path before one with parameters, a method before any. */
export const matchRoute = (routes: Route[], method: string, path: string): MatchedRoute | undefined => {
	const vagueness = (route: Route): number =>
		(route.path === "*" ? 1_000 : 0) +
		(route.path.includes("+}") ? 100 : 0) +
		(route.path.match(/\{/g) ?? []).length * 2 +
		(route.method === "*" ? 1 : 0);
	return routes
		.filter((route) => route.method === "*" || route.method === method)
		.flatMap((route) => {
			const pathParameters = matchPath(route.path, path);
			return pathParameters ? [{ route, pathParameters }] : [];
		})
		.sort((a, b) => vagueness(a.route) - vagueness(b.route))[0];
};

const TEXT_TYPE = /^(text\/|application\/(json|javascript|xml)|[^;]*\+(json|xml))/i;

/** Payload format 2.0 of API Gateway's HTTP API. */
export const httpEvent = (request: HttpRequest, match: MatchedRoute, now: number) => {
	const question = request.url.indexOf("?");
	const rawPath = question < 0 ? request.url : request.url.slice(0, question);
	const rawQueryString = question < 0 ? "" : request.url.slice(question + 1);
	const query: Record<string, string> = {};
	for (const [name, value] of new URLSearchParams(rawQueryString)) {
		query[name] = name in query ? `${query[name]},${value}` : value;
	}
	const { method, path } = match.route;
	const routeKey = path === "*" ? "$default" : `${method === "*" ? "ANY" : method} ${path}`;
	const isText = TEXT_TYPE.test(request.headers["content-type"] ?? "text/plain") && isUtf8(request.body);
	return {
		version: "2.0",
		routeKey,
		rawPath,
		rawQueryString,
		headers: request.headers,
		...(rawQueryString === "" ? {} : { queryStringParameters: query }),
		...(Object.keys(match.pathParameters).length > 0 ? { pathParameters: match.pathParameters } : {}),
		requestContext: {
			accountId: "000000000000",
			apiId: "local",
			domainName: request.headers["host"] ?? "localhost",
			domainPrefix: "local",
			http: {
				method: request.method,
				path: rawPath,
				protocol: "HTTP/1.1",
				sourceIp: request.sourceIp,
				userAgent: request.headers["user-agent"] ?? "",
			},
			requestId: randomUUID(),
			routeKey,
			stage: "$default",
			time: new Date(now).toISOString(),
			timeEpoch: now,
		},
		...(request.body.length > 0 ? { body: request.body.toString(isText ? "utf8" : "base64") } : {}),
		isBase64Encoded: request.body.length > 0 && !isText,
	};
};
export type HttpEvent = ReturnType<typeof httpEvent>;

export interface HttpAnswer {
	status: number;
	headers: Record<string, string>;
	body: Buffer;
}

/** A function's result as HTTP: without `statusCode` the whole result is the body, as JSON. */
export const httpAnswer = (result: unknown): HttpAnswer => {
	if (result === null || typeof result !== "object" || !("statusCode" in result)) {
		return {
			status: 200,
			headers: { "content-type": "application/json" },
			body: Buffer.from(typeof result === "string" ? result : JSON.stringify(result ?? null)),
		};
	}
	const {
		statusCode,
		headers = {},
		body = "",
		isBase64Encoded,
	} = result as {
		statusCode: number | string;
		headers?: Record<string, string | number | boolean>;
		body?: string;
		isBase64Encoded?: boolean;
	};
	const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
	return {
		status: Number(statusCode),
		headers: { "content-type": "text/plain; charset=utf-8", ...Object.fromEntries(named) },
		body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
	};
};

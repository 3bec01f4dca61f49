import { badRequest } from "../../shared/contract/errors.ts";
import type { ApiRequest, ApiResponse } from "./request.ts";

/** Who may use a route: an operator's token, the token of the very host in `{hostId}`, or anybody. */
export type Access = "operator" | "host" | "public";

export interface Route {
	method: string;
	/** As in serverless.yml: `/v1/campaigns/{campaignId}`. */
	path: string;
	access: Access;
	run: (request: ApiRequest) => Promise<ApiResponse>;
}

export const route = (method: string, path: string, access: Access, run: Route["run"]): Route => ({
	method,
	path,
	access,
	run,
});

/** No id is longer; a longer one is of nothing, and would not fit into a key. */
const MAX_PARAM_CHARS = 128;

const decode = (part: string): string => {
	try {
		return decodeURIComponent(part);
	} catch (error) {
		throw badRequest(`The path has a part that is not percent-encoded UTF-8: ${(error as Error).message}`);
	}
};

const match = (pattern: string, path: string): Record<string, string> | undefined => {
	const wanted = pattern.split("/");
	const given = path.split("/");
	if (wanted.length !== given.length) return undefined;
	const params: Record<string, string> = {};
	for (const [i, part] of wanted.entries()) {
		const value = given[i] ?? "";
		if (part.startsWith("{")) {
			const decoded = decode(value);
			if (decoded === "" || decoded.length > MAX_PARAM_CHARS) return undefined;
			params[part.slice(1, -1)] = decoded;
		} else if (part !== value) return undefined;
	}
	return params;
};

/** The route of a request and the values of its path; undefined where there is none. */
export const findRoute = (
	routes: Route[],
	method: string,
	path: string,
): { route: Route; params: Record<string, string> } | undefined => {
	for (const candidate of routes) {
		if (candidate.method !== method) continue;
		const params = match(candidate.path, path);
		if (params) return { route: candidate, params };
	}
	return undefined;
};

import { isUtf8 } from "node:buffer";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { z } from "zod";
import type { ApiDeps } from "../../shared/contacts/ports.ts";
import { MAX_BODY_BYTES } from "../../shared/contract/campaign.ts";
import { ApiError, badRequest } from "../../shared/contract/errors.ts";
import type { Principal } from "../../shared/tokens/authenticate.ts";
import { parseOrRefuse } from "../../shared/validation/details.ts";
import { findHiddenField } from "../../shared/validation/hidden-field.ts";

/** A request as the functions see it: API Gateway's shape ends here. */
export interface ApiRequest {
	deps: ApiDeps;
	principal: Principal;
	tenant: string;
	method: string;
	path: string;
	/** Values of the path's `{names}`, decoded. */
	params: Record<string, string>;
	query: Record<string, string | undefined>;
	/** Names in lower case. */
	headers: Record<string, string | undefined>;
	body: Buffer;
}

export interface ApiResponse {
	status: number;
	/** Sent as JSON. */
	body?: unknown;
	/** Sent as it is, instead of `body`. */
	text?: string;
	headers?: Record<string, string>;
}

/** The body's bytes, whatever API Gateway made of them; throws 413 where they are too many. */
export const bodyOf = (event: APIGatewayProxyEventV2): Buffer => {
	const body = event.body ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8") : Buffer.alloc(0);
	if (body.length > MAX_BODY_BYTES) {
		throw new ApiError(
			413,
			"tooLarge",
			`The body has ${body.length} bytes; at most ${MAX_BODY_BYTES} are taken. Upload a long list instead: create the campaign without \`contacts\`, then POST /v1/campaigns/{id}/uploads. Numbers of a suppression list: send them in parts, with more=true but for the last.`,
		);
	}
	return body;
};

/** The body as JSON; an empty one is refused with `{}` in mind. */
export const jsonOf = (request: Pick<ApiRequest, "body">): unknown => {
	const { body } = request;
	if (body.length === 0) throw badRequest("The body is empty; a JSON object is needed.");
	if (!isUtf8(body)) throw badRequest("The body is not UTF-8.", [{ path: "", message: "is not UTF-8" }]);
	let value: unknown;
	try {
		value = JSON.parse(body.toString("utf8").replace(/^\uFEFF/, ""));
	} catch (error) {
		const message = error instanceof Error ? error.message : String(error);
		throw badRequest(`The body is not valid JSON: ${message}`, [{ path: "", message }]);
	}
	const hidden = findHiddenField(value);
	if (hidden !== undefined) {
		throw badRequest("`__proto__` is the name of no field.", [{ path: hidden, message: "is not a known field" }]);
	}
	return value;
};

/** The body by its schema; throws 400 with every mistake. */
export const parseBody = <S extends z.ZodType>(request: Pick<ApiRequest, "body">, schema: S): z.output<S> =>
	parseOrRefuse(schema, jsonOf(request), "request");

/** The query string by its schema; throws 400 with every mistake. */
export const parseQuery = <S extends z.ZodType>(request: Pick<ApiRequest, "query">, schema: S): z.output<S> =>
	parseOrRefuse(schema, request.query, "query");

/** A value of the path; a route without it is a fault of ours. */
export const param = (request: Pick<ApiRequest, "params">, name: string): string => {
	const value = request.params[name];
	if (value === undefined) throw new Error(`The route has no {${name}}`);
	return value;
};

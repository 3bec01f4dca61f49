import type { AriConnection, SimAri } from "./ari.ts";

interface RestRequest {
	type?: unknown;
	transaction_id?: unknown;
	request_id?: unknown;
	method?: unknown;
	uri?: unknown;
	query_strings?: unknown;
	content_type?: unknown;
	message_body?: unknown;
}

const REASONS: Record<number, string> = {
	200: "OK",
	204: "No Content",
	400: "Bad Request",
	404: "Not Found",
	405: "Method Not Allowed",
	409: "Conflict",
	422: "Unprocessable Entity",
	500: "Internal Server Error",
};
export const reasonOf = (status: number): string => REASONS[status] ?? "";

const asText = (value: unknown): string => (typeof value === "string" ? value : "");

/**
 * A request that came as a message on a websocket (`RESTRequest`).
 * @returns the message to answer with; undefined where the answer is lost (a fault)
 */
export const answerMessage = (
	ari: SimAri,
	message: string,
	connection: AriConnection,
): Record<string, unknown> | undefined => {
	const answer = (request: RestRequest, status: number, body: unknown, reason = reasonOf(status)) => ({
		type: "RESTResponse",
		transaction_id: asText(request.transaction_id),
		request_id: asText(request.request_id),
		status_code: status,
		reason_phrase: reason,
		uri: asText(request.uri),
		...(body === undefined ? {} : { content_type: "application/json", message_body: JSON.stringify(body) }),
	});
	let request: RestRequest;
	try {
		request = JSON.parse(message) as RestRequest;
	} catch {
		return answer({}, 400, undefined, "Failed to parse request message JSON");
	}
	if (request.type !== "RESTRequest") return answer(request, 400, { message: "Unknown request type." }, "Bad request");
	const uri = asText(request.uri);
	// Asterisk takes the path without a slash in front here, and this is what it says to others.
	if (uri.startsWith("/")) return answer(request, 405, { message: "Invalid method" });
	const [path = "", query = ""] = uri.split("?");
	const parameters: Record<string, unknown> = Object.fromEntries(new URLSearchParams(query));
	if (Array.isArray(request.query_strings))
		for (const pair of request.query_strings as { name?: unknown; value?: unknown }[])
			parameters[asText(pair.name)] = pair.value;
	const body = asText(request.message_body);
	if (body !== "") {
		const given = parseBody(asText(request.content_type), body);
		if (!given) return answer(request, 400, { message: "Error parsing request body" });
		Object.assign(parameters, given);
	}
	const result = ari.request({ method: asText(request.method), path: `/${path}`, parameters, connection });
	return result && answer(request, result.status, result.body);
};

/** @returns undefined where it is not what the content type says */
export const parseBody = (contentType: string, body: string): Record<string, unknown> | undefined => {
	if (contentType.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(body));
	if (!contentType.startsWith("application/json")) return {};
	try {
		const parsed: unknown = JSON.parse(body);
		return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
};

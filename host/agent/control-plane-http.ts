import { Agent, request } from "undici";
import type { ControlPlane, HttpAnswer } from "./ports.ts";

export interface ControlPlaneOptions {
	/** Without `/v1`. */
	url: string;
	hostId: string;
	/** Reads the token; called again after a 401, for it may have been renewed. */
	readToken: () => string | Promise<string>;
	/** No answer for so long: given up, ms. */
	timeoutMs: number;
}

/** More than one: a sync that hangs must not keep its repeat from being sent. */
const CONNECTIONS = 4;
/** API Gateway closes idle connections after a minute or so. */
const KEEP_ALIVE_MS = 30_000;
const MAX_ANSWER_BYTES = 8 * 1_024 * 1_024;

const retryAfterMs = (header: string | string[] | undefined): number | undefined => {
	const seconds = Number(Array.isArray(header) ? header[0] : header);
	return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
};

/** The control plane over HTTPS. */
export const httpControlPlane = (
	options: ControlPlaneOptions,
): { controlPlane: ControlPlane; close: () => Promise<void> } => {
	const dispatcher = new Agent({
		connections: CONNECTIONS,
		keepAliveTimeout: KEEP_ALIVE_MS,
		maxResponseSize: MAX_ANSWER_BYTES,
	});
	const base = `${options.url.replace(/\/+$/, "")}/v1/hosts/${encodeURIComponent(options.hostId)}`;
	let token: Promise<string> | undefined;
	const readToken = (): Promise<string> => {
		if (token !== undefined) return token;
		const reading = (async () => options.readToken())();
		// What cannot be read now may be readable for the next request.
		reading.catch(() => {
			if (token === reading) token = undefined;
		});
		token = reading;
		return reading;
	};
	const call = async (method: "GET" | "POST", path: string, body?: string): Promise<HttpAnswer> => {
		const reading = readToken();
		const bearer = await reading;
		const answer = await request(base + path, {
			method,
			dispatcher,
			headers: {
				authorization: `Bearer ${bearer}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body }),
			headersTimeout: options.timeoutMs,
			bodyTimeout: options.timeoutMs,
		});
		const text = await answer.body.text();
		if (answer.statusCode === 401 && token === reading) token = undefined;
		let parsed: unknown;
		try {
			parsed = JSON.parse(text);
		} catch {
			// A gateway's own error page: its status says enough.
			parsed = undefined;
		}
		const after = retryAfterMs(answer.headers["retry-after"]);
		return { status: answer.statusCode, body: parsed, ...(after === undefined ? {} : { retryAfterMs: after }) };
	};
	return {
		controlPlane: {
			hello: (body) => call("POST", "/hello", JSON.stringify(body)),
			sync: (body) => call("POST", "/sync", body),
			peek: (epoch) => call("GET", `/peek?epoch=${epoch}`),
			config: () => call("GET", "/config"),
		},
		close: () => dispatcher.destroy(),
	};
};

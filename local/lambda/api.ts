import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../../shared/log.ts";
import { closeServer, httpServer, listen } from "../aws/dynamodb/upstream.ts";
import type { FaultyApi } from "../faults/api.ts";
import { FunctionFailure } from "./execute.ts";
import type { Route } from "./functions.ts";
import { type HttpAnswer, type HttpEvent, httpAnswer, httpEvent, MalformedPath, matchRoute } from "./http-event.ts";
import type { Runtime } from "./runtime.ts";

/** API Gateway's own limit of a body. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Lambda's limit of an event and of a result. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
/** API Gateway's own limit of an answer's time. */
const MAX_INTEGRATION_SEC = 30;

/** Answers of the gateway itself: its `message`, and the same in the shape of the API's errors. */
const gatewayAnswer = (status: number, message: string, code: string, text: string): HttpAnswer => ({
	status,
	headers: { "content-type": "application/json" },
	body: Buffer.from(JSON.stringify({ message, error: { code, message: text, details: [] } })),
});
const TOO_LARGE = gatewayAnswer(
	413,
	"Request Entity Too Large",
	"bodyTooLarge",
	"The body is too large for one request. Long lists are uploaded: POST /v1/campaigns/{id}/uploads.",
);

/** @returns undefined where it is too large; then the rest is read and thrown away, so that the sender hears the answer. */
const bodyOf = async (req: IncomingMessage): Promise<Buffer | undefined> => {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of req) {
		bytes += chunk.length;
		if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
	}
	return bytes <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
};

export interface ApiServer {
	url: string;
	port: number;
	/** Requests under way. */
	active(): number;
	stop(): Promise<void>;
}

/** API Gateway: routes requests to the functions of serverless.yml. Throws EADDRINUSE where the port is taken. */
export const startApi = async (options: {
	port: number;
	routes: Route[];
	runtime: Runtime;
	faults: FaultyApi;
	log: Log;
}): Promise<ApiServer> => {
	const { routes, runtime, faults, log } = options;
	let active = 0;

	const execute = async (functionName: string, event: HttpEvent): Promise<HttpAnswer> => {
		let timer: NodeJS.Timeout | undefined;
		const tooLate = new Promise<never>((_, reject) => {
			timer = setTimeout(
				() => reject(new FunctionFailure("timeout", `${functionName} took longer than the gateway waits.`)),
				MAX_INTEGRATION_SEC * 1000,
			);
		});
		try {
			const answer = httpAnswer(await Promise.race([runtime.invoke(functionName, event), tooLate]));
			if (answer.body.length > MAX_PAYLOAD_BYTES) {
				throw new FunctionFailure("thrown", `The answer of ${functionName} is larger than Lambda passes on.`);
			}
			return answer;
		} catch (error) {
			log.error("function.failed", { function: functionName, routeKey: event.routeKey, error });
			const late = error instanceof FunctionFailure && error.kind === "timeout";
			return late
				? gatewayAnswer(503, "Service Unavailable", "tryAgain", "The request took too long; repeat it.")
				: gatewayAnswer(500, "Internal Server Error", "internal", "The request failed; the log says why.");
		} finally {
			clearTimeout(timer);
		}
	};

	const route = async (req: IncomingMessage): Promise<HttpAnswer | "cut"> => {
		const body = await bodyOf(req);
		if (!body) return TOO_LARGE;
		const headers: Record<string, string> = {};
		for (const [name, value] of Object.entries(req.headersDistinct)) headers[name] = (value ?? []).join(",");
		const url = req.url ?? "/";
		const method = req.method ?? "GET";
		const match = matchRoute(routes, method, url.split("?")[0] ?? "");
		if (!match) return gatewayAnswer(404, "Not Found", "notFound", `There is no ${method} ${url.split("?")[0]}.`);
		const sourceIp = req.socket.remoteAddress ?? "127.0.0.1";
		const event = httpEvent({ method, url, headers, body, sourceIp }, match, Date.now());
		if (body.length > MAX_PAYLOAD_BYTES / 2 && Buffer.byteLength(JSON.stringify(event)) > MAX_PAYLOAD_BYTES)
			return TOO_LARGE;
		return faults.handle(event, (one) => execute(match.route.functionName, one));
	};

	const respond = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		let answer: HttpAnswer | "cut";
		try {
			answer = await route(req);
		} catch (error) {
			if (!(error instanceof MalformedPath)) throw error;
			answer = gatewayAnswer(400, "Bad Request", "badRequest", error.message);
		}
		if (answer === "cut") {
			req.socket.destroy();
			return;
		}
		res.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
		res.end(answer.body);
	};

	const server = httpServer((req, res) => {
		active++;
		respond(req, res)
			.catch((error: unknown) => {
				// The caller went away in the middle of its request, or the server is stopping.
				log.warn("api.requestFailed", { reason: (error as Error).message });
				res.destroy();
			})
			.finally(() => {
				active--;
			});
	});
	const port = await listen(server, options.port);
	return { url: `http://127.0.0.1:${port}`, port, active: () => active, stop: () => closeServer(server) };
};

import { EventEmitter } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import dynalite from "dynalite";
import { Agent, request as httpRequest } from "undici";

/** A request of DynamoDB's JSON protocol. */
export interface DynamoRequest {
	/** For example `UpdateItem`. */
	operation: string;
	headers: IncomingHttpHeaders;
	body: string;
}
export interface DynamoAnswer {
	status: number;
	headers: Record<string, string>;
	body: string;
}

/** What answers the requests: the emulator in this process, or a service elsewhere. */
export interface Upstream {
	send(request: DynamoRequest): Promise<DynamoAnswer>;
	close(): Promise<void>;
}

/** As much of a response as the emulator uses. */
class CapturedResponse {
	statusCode = 200;
	readonly headers: Record<string, string> = {};
	readonly #done: (answer: DynamoAnswer) => void;
	constructor(done: (answer: DynamoAnswer) => void) {
		this.#done = done;
	}
	setHeader(name: string, value: unknown): void {
		this.headers[name.toLowerCase()] = String(value);
	}
	end(body = ""): void {
		this.#done({ status: this.statusCode, headers: this.headers, body });
	}
}

/**
 * The emulator, called without a connection in between.
 * @param path folder to keep the data in; in memory without
 */
export const dynaliteUpstream = async (path?: string): Promise<Upstream> => {
	const server: Server = dynalite({
		createTableMs: 0,
		deleteTableMs: 0,
		updateTableMs: 0,
		...(path === undefined ? {} : { path }),
	});
	const handle = server.listeners("request")[0] as unknown as (req: unknown, res: unknown) => void;
	// Its own server must listen to be closed in order, which closes the store; nothing is said to it.
	server.removeAllListeners("request");
	await listen(server, 0);
	return {
		send: (request) =>
			new Promise((resolve) => {
				const req = Object.assign(new EventEmitter(), { method: "POST", url: "/", headers: request.headers });
				handle(req, new CapturedResponse(resolve));
				req.emit("data", Buffer.from(request.body));
				req.emit("end");
			}),
		close: () => closeServer(server),
	};
};

/** Longest that a request may wait for an external service. */
const EXTERNAL_TIMEOUT_MS = 30_000;
/** Of the connection, not of the request; or set anew for the way on. */
const OWN_HEADERS = new Set(["host", "connection", "content-length", "transfer-encoding", "expect"]);

/** A service elsewhere. */
export const httpUpstream = (endpoint: string): Upstream => {
	const dispatcher = new Agent({ headersTimeout: EXTERNAL_TIMEOUT_MS, bodyTimeout: EXTERNAL_TIMEOUT_MS });
	return {
		send: async (request) => {
			const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name)));
			const answer = await httpRequest(endpoint, {
				dispatcher,
				method: "POST",
				headers: headers as Record<string, string>,
				body: request.body,
			});
			const kept = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.has(name));
			return {
				status: answer.statusCode,
				headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
				body: await answer.body.text(),
			};
		},
		close: () => dispatcher.close(),
	};
};

/** Listens on a loopback address; @returns the port. */
export const listen = (server: Server, port: number, address = "127.0.0.1"): Promise<number> =>
	new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, address, () => {
			server.off("error", reject);
			resolve((server.address() as { port: number }).port);
		});
	});

/** Stops listening and cuts what is still connected. */
export const closeServer = (server: Server): Promise<void> =>
	new Promise((resolve, reject) => {
		server.close((error) => (error ? reject(error) : resolve()));
		server.closeAllConnections();
	});

export const httpServer = (listener: RequestListener): Server => createServer({ keepAliveTimeout: 60_000 }, listener);

import { once } from "node:events";
import http from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { AriConnection, SimAri } from "./ari.ts";
import { answerMessage, parseBody } from "./websocket.ts";

/** Largest request body, bytes. */
const MAX_BODY_BYTES = 1_000_000;

export interface AriServerOptions {
	ari: SimAri;
	/** User → password, as they are now. */
	users: () => Map<string, string>;
	/** Runs it now, or once the process goes on where it is stopped. */
	whenRunning: (action: () => void) => void;
	server?: string;
}

/** ARI's HTTP and inbound websockets on an address of its own. */
export class AriServer {
	private readonly options: AriServerOptions;
	private readonly websockets = new WebSocketServer({
		noServer: true,
		handleProtocols: (protocols) => (protocols.has("ari") ? "ari" : false),
	});
	private readonly detach = new Set<() => void>();
	private readonly connections = new WeakMap<Duplex, AriConnection>();
	private server: http.Server | undefined;

	constructor(options: AriServerOptions) {
		this.options = options;
	}

	async listen(address: string, port: number): Promise<void> {
		const server = http.createServer((request, response) => {
			this.options.whenRunning(() => this.answer(request, response));
		});
		server.on("upgrade", (request, socket, head) => {
			this.options.whenRunning(() => this.upgrade(request, socket, head));
		});
		this.server = server;
		server.listen(port, address);
		await once(server, "listening");
	}

	/** Breaks every connection and frees the port, as the end of a process does. */
	async close(): Promise<void> {
		const { server } = this;
		this.server = undefined;
		this.dropWebsockets();
		if (!server) return;
		const closed = once(server, "close");
		server.close();
		server.closeAllConnections();
		await closed;
	}

	/** Breaks the inbound websockets without a goodbye. */
	dropWebsockets(): void {
		for (const detach of this.detach) detach();
		this.detach.clear();
		for (const client of this.websockets.clients) client.terminate();
	}

	private allowed(request: http.IncomingMessage, url: URL): boolean {
		const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
		const given = basic === undefined ? url.searchParams.get("api_key") : Buffer.from(basic, "base64").toString("utf8");
		const [user = "", ...rest] = (given ?? "").split(":");
		const password = this.options.users().get(user);
		return password !== undefined && password === rest.join(":");
	}

	private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
		const url = new URL(request.url ?? "/", "http://simulated");
		if (!url.pathname.startsWith("/ari/")) {
			send(response, 404, undefined);
			return;
		}
		if (!this.allowed(request, url)) {
			send(
				response,
				401,
				{ message: "Authentication required" },
				{
					"www-authenticate": 'Basic realm="Asterisk REST Interface"',
				},
			);
			return;
		}
		const chunks: Buffer[] = [];
		let bytes = 0;
		request.on("data", (chunk: Buffer) => {
			bytes += chunk.length;
			if (bytes > MAX_BODY_BYTES) {
				send(response, 413, { message: "Request body too large" });
				request.destroy();
			} else chunks.push(chunk);
		});
		request.on("end", () =>
			this.options.whenRunning(() => {
				const parameters: Record<string, unknown> = Object.fromEntries(url.searchParams);
				if (chunks.length > 0) {
					const body = parseBody(request.headers["content-type"] ?? "", Buffer.concat(chunks).toString("utf8"));
					if (!body) {
						send(response, 400, { message: "Error parsing request body" });
						return;
					}
					Object.assign(parameters, body);
				}
				const path = url.pathname.slice("/ari".length);
				const connection = this.connections.get(request.socket) ?? { idTaken: false };
				this.connections.set(request.socket, connection);
				const method = request.method ?? "GET";
				const answer = this.options.ari.request({ method, path, parameters, connection });
				if (answer) send(response, answer.status, answer.body, answer.headers);
				else request.socket.destroy();
			}),
		);
	}

	private upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
		const url = new URL(request.url ?? "/", "http://simulated");
		const apps = (url.searchParams.get("app") ?? "").split(",").filter((app) => app !== "");
		const refused =
			url.pathname !== "/ari/events" ? 404 : !this.allowed(request, url) ? 401 : apps.length === 0 ? 400 : 0;
		if (refused > 0) {
			socket.end(`HTTP/1.1 ${refused} ${http.STATUS_CODES[refused]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
			return;
		}
		const subscribeAll = url.searchParams.get("subscribeAll") === "true";
		this.websockets.handleUpgrade(request, socket, head, (websocket) => {
			this.detach.add(serveWebsocket(websocket, { ...this.options, apps, subscribeAll }));
		});
	}
}

/**
 * Events out, requests in, for either kind of websocket.
 * @returns ends the events at once
 */
export const serveWebsocket = (
	websocket: WebSocket,
	{ ari, whenRunning, apps, subscribeAll }: AriServerOptions & { apps: string[]; subscribeAll: boolean },
): (() => void) => {
	const sink = (text: string): void => {
		if (websocket.readyState === WebSocket.OPEN) websocket.send(text);
	};
	const detached = apps.map((app) => ari.apps.attach(app, sink, () => websocket.close(1000), subscribeAll));
	const detach = (): void => {
		for (const each of detached) each();
	};
	const connection: AriConnection = { idTaken: false };
	websocket.on("message", (data: RawData) =>
		whenRunning(() => {
			const answer = answerMessage(ari, data.toString(), connection);
			if (answer) sink(ari.apps.message(apps[0] ?? "", answer));
			else websocket.terminate();
		}),
	);
	websocket.on("close", detach);
	// An error is always followed by close, which is all there is to do about it.
	websocket.on("error", () => websocket.terminate());
	return detach;
};

const send = (
	response: http.ServerResponse,
	status: number,
	body: unknown,
	headers: Record<string, string> = {},
): void => {
	const text = body === undefined ? "" : JSON.stringify(body);
	response.writeHead(status, {
		"cache-control": "no-cache, no-store",
		...(text === "" ? {} : { "content-type": "application/json" }),
		"content-length": Buffer.byteLength(text),
		server: "Asterisk/22.10.1-simulated",
		...headers,
	});
	response.end(text);
};

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { AriEvent } from "./client.ts";
import { eventually } from "./eventually.ts";

/** The agent's end of Asterisk's outbound websocket: a server on loopback that keeps every event. */
export class AgentEnd {
	readonly events: AriEvent[] = [];
	/** What was wrong with how Asterisk connected. */
	readonly problems: string[] = [];
	port = 0;
	private server: http.Server | undefined;
	private websocket: WebSocket | undefined;
	private requests = 0;

	/** @returns `address:port` */
	async listen(address: string, port = 0): Promise<string> {
		const server = http.createServer((_, response) => response.writeHead(404).end());
		const websockets = new WebSocketServer({
			server,
			handleProtocols: (protocols) => {
				if (protocols.has("ari")) return "ari";
				this.problems.push(`protocols ${[...protocols].join()}`);
				return false;
			},
		});
		websockets.on("connection", (websocket, request) => {
			if (!request.headers.authorization?.startsWith("Basic ")) this.problems.push("no Basic auth");
			this.websocket = websocket;
			websocket.on("message", (data) => this.events.push(JSON.parse(data.toString()) as AriEvent));
			websocket.on("close", () => {
				if (this.websocket === websocket) this.websocket = undefined;
			});
		});
		server.listen(port, address);
		await once(server, "listening");
		this.server = server;
		this.port = (server.address() as AddressInfo).port;
		return `${address}:${this.port}`;
	}

	async connected(): Promise<void> {
		await eventually(() => this.websocket?.readyState === WebSocket.OPEN, "Asterisk's websocket");
	}

	async until(condition: (event: AriEvent) => boolean, what: string): Promise<AriEvent> {
		let found: AriEvent | undefined;
		await eventually(() => {
			found = this.events.find(condition);
			return found !== undefined;
		}, what);
		return found as AriEvent;
	}

	/** A request over the websocket. */
	async rest(request: Record<string, unknown>): Promise<AriEvent> {
		await this.connected();
		const requestId = String(++this.requests);
		this.websocket?.send(JSON.stringify({ type: "RESTRequest", request_id: requestId, ...request }));
		return this.until(
			(event) => event.type === "RESTResponse" && event["request_id"] === requestId,
			`the answer to ${String(request["uri"])}`,
		);
	}

	/** As when the agent dies: connections break, nothing listens. */
	async close(): Promise<void> {
		const { server } = this;
		this.server = undefined;
		this.websocket?.terminate();
		this.websocket = undefined;
		if (!server) return;
		const closed = once(server, "close");
		server.close();
		server.closeAllConnections();
		await closed;
	}
}

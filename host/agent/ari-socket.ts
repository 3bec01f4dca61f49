import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocket as WebSocketClient, WebSocketServer } from "ws";
import { AriEvents } from "./ari-events.ts";
import type { AriHttp, AriOptions } from "./ari-http.ts";
import type { Ari, AriListener, Log } from "./ports.ts";

/** Pause before the agent connects to Asterisk again (events "inbound"). */
const RECONNECT_MS = 500;
const MAX_MESSAGE_BYTES = 1_024 * 1_024;

export interface SocketOptions {
	ari: AriOptions;
	log: Log;
	/** `outbound`: where Asterisk connects to. */
	listen?: { address: string; port: number };
}

const same = (a: string, b: string): boolean => {
	const [left, right] = [Buffer.from(a), Buffer.from(b)];
	return left.length === right.length && timingSafeEqual(left, right);
};

/** Passes one socket's messages on. */
const follow = (socket: WebSocket, listener: AriListener, log: Log): void => {
	const events = new AriEvents(() => Date.now());
	socket.on("message", (data) => {
		try {
			const event = events.parse(data.toString());
			if (event !== undefined) listener.onEvent(event);
		} catch (error) {
			log.error("ariMessageNotUnderstood", { error });
		}
	});
	socket.on("error", (error) => log.warn("ariSocketError", { error: error.message }));
};

/** Events come from Asterisk's own connection to us, which queues them while we are away (Asterisk 22). */
class OutboundEvents {
	readonly #options: SocketOptions;
	#server: Server | undefined;
	#current: WebSocket | undefined;

	constructor(options: SocketOptions) {
		this.#options = options;
	}

	#allowed(request: IncomingMessage): boolean {
		const { username, password } = this.#options.ari;
		const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
		return same(request.headers.authorization ?? "", expected);
	}

	listen(): Promise<number> {
		const { address, port } = this.#options.listen ?? { address: "127.0.0.1", port: 0 };
		const server = createServer((_, response) => {
			response.writeHead(426).end();
		});
		this.#server = server;
		return new Promise((resolve, reject) => {
			server.once("error", reject);
			server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
		});
	}

	start(listener: AriListener): void {
		const { log } = this.#options;
		const sockets = new WebSocketServer({
			noServer: true,
			maxPayload: MAX_MESSAGE_BYTES,
			handleProtocols: (protocols) => (protocols.has("ari") ? "ari" : false),
		});
		this.#server?.on("upgrade", (request, socket, head) => {
			if (!this.#allowed(request)) {
				log.error("asteriskRefused", {
					remedy: "websocket_client.conf must have the username and password of the agent's configuration",
				});
				socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
				return;
			}
			sockets.handleUpgrade(request, socket, head, (webSocket) => {
				const before = this.#current;
				this.#current = webSocket;
				before?.terminate();
				webSocket.on("close", () => {
					if (this.#current !== webSocket) return;
					this.#current = undefined;
					listener.onDisconnected();
				});
				listener.onConnected();
				follow(webSocket, listener, log);
			});
		});
	}

	stop(): Promise<void> {
		this.#current?.terminate();
		return new Promise((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
	}
}

/** Events come over our connection to Asterisk; what happens while it is down is lost, and found by comparing channels. */
class InboundEvents {
	readonly #options: SocketOptions;
	#socket: WebSocketClient | undefined;
	#stopped = false;
	#timer: NodeJS.Timeout | undefined;

	constructor(options: SocketOptions) {
		this.#options = options;
	}

	start(listener: AriListener): void {
		const { ari, log } = this.#options;
		const url = new URL(`${ari.url.replace(/\/+$/, "")}/events`);
		url.protocol = "ws:";
		url.searchParams.set("app", ari.app);
		url.searchParams.set("subscribeAll", "false");
		const socket = new WebSocketClient(url, { auth: `${ari.username}:${ari.password}`, maxPayload: MAX_MESSAGE_BYTES });
		this.#socket = socket;
		let open = false;
		socket.on("open", () => {
			open = true;
			listener.onConnected();
		});
		follow(socket, listener, log);
		socket.on("close", () => {
			if (open) listener.onDisconnected();
			if (this.#stopped) return;
			this.#timer = setTimeout(() => this.start(listener), RECONNECT_MS);
		});
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		clearTimeout(this.#timer);
		this.#socket?.terminate();
	}
}

/** ARI for the agent: requests over HTTP, events over a websocket. Listening (events "outbound") begins at once. */
export const connectAri = async (
	http: AriHttp,
	options: SocketOptions,
): Promise<Ari & { port: number | undefined }> => {
	const outbound = options.listen === undefined ? undefined : new OutboundEvents(options);
	const port = await outbound?.listen();
	const events = outbound ?? new InboundEvents(options);
	return {
		port,
		start: (listener) => events.start(listener),
		stop: async () => {
			await events.stop();
			await http.close();
		},
		originate: (request) => http.originate(request),
		hangup: (channelId, cause) => http.hangup(channelId, cause),
		listChannels: () => http.listChannels(),
		subscribe: (endpoints) => http.subscribe(endpoints),
		info: () => http.info(),
	};
};

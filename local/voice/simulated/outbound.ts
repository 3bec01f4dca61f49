import { once } from "node:events";
import { WebSocket } from "ws";
import { type AriServerOptions, serveWebsocket } from "./ari-server.ts";
import type { OutboundSettings } from "./host-files.ts";

/** Longest wait for a connection to open, ms. */
const OPEN_LIMIT_MS = 5_000;
/** Longest wait for the other side's goodbye, ms. */
const CLOSE_LIMIT_MS = 1_000;

/** Asterisk's outbound websocket: connects to the agent, and again after every loss, for as long as Asterisk runs. */
export class OutboundWebsocket {
	private readonly settings: OutboundSettings;
	private readonly options: AriServerOptions;
	private websocket: WebSocket | undefined;
	private timer: NodeJS.Timeout | undefined;
	private stopped = false;
	private detach: (() => void) | undefined;

	constructor(settings: OutboundSettings, options: AriServerOptions) {
		this.settings = settings;
		this.options = options;
	}

	start(): void {
		this.stopped = false;
		this.connect();
	}

	/** Breaks the connection without a goodbye; there will be no other. */
	stop(): void {
		this.stopped = true;
		clearTimeout(this.timer);
		this.drop();
	}

	/** Ends the connection with a goodbye, after what was sent before; waits for it, not for long. */
	async finish(): Promise<void> {
		this.stopped = true;
		clearTimeout(this.timer);
		const { websocket } = this;
		if (websocket?.readyState !== WebSocket.OPEN) return;
		websocket.close(1000);
		await once(websocket, "close", { signal: AbortSignal.timeout(CLOSE_LIMIT_MS) }).catch((error: Error) => {
			if (error.name !== "AbortError") throw error;
		});
	}

	/** Breaks the connection without a goodbye; it is made again after the reconnect interval. */
	drop(): void {
		this.detach?.();
		this.detach = undefined;
		this.websocket?.terminate();
	}

	private connect(): void {
		const { uri, protocols, username, password, apps, subscribeAll } = this.settings;
		const websocket = new WebSocket(uri, protocols, {
			headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
			handshakeTimeout: OPEN_LIMIT_MS,
			perMessageDeflate: false,
		});
		this.websocket = websocket;
		websocket.on("open", () =>
			this.options.whenRunning(() => {
				if (this.websocket !== websocket || websocket.readyState !== WebSocket.OPEN) return;
				this.detach = serveWebsocket(websocket, { ...this.options, apps, subscribeAll });
				for (const app of apps) this.options.ari.apps.registered(app);
			}),
		);
		// The agent is away: `close` follows and asks for another try.
		websocket.on("error", () => undefined);
		websocket.on("close", () => this.options.whenRunning(() => this.again(websocket)));
	}

	private again(websocket: WebSocket): void {
		if (this.stopped || this.websocket !== websocket) return;
		this.websocket = undefined;
		this.timer = setTimeout(() => this.options.whenRunning(() => this.connect()), this.settings.reconnectIntervalMs);
		this.timer.unref();
	}
}

import { once } from "node:events";
import http from "node:http";
import { text as readText } from "node:stream/consumers";
import { WebSocket } from "ws";
import type { VoiceHost } from "../../../local/voice/types.ts";

/** An event as it came, with the fields that tests look at. */
export type AriEvent = Record<string, unknown> & {
	type: string;
	timestamp: string;
	channel?: { id: string; state: string };
	peer?: { id: string; state: string };
	dialstatus?: string;
	cause?: number;
	tech_cause?: number;
	soft?: boolean;
	variable?: string;
	value?: string;
	dialplan_app?: string;
};

export interface AriAnswer {
	status: number;
	/** Parsed; undefined where there is none. */
	body: unknown;
}

const authorizationOf = ({ username, password }: VoiceHost["ari"]): string =>
	`Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** Plain requests to ARI. */
export class AriClient {
	private readonly access: VoiceHost["ari"];
	private readonly agent: http.Agent | false;

	constructor(access: VoiceHost["ari"], { oneConnection = false } = {}) {
		this.access = access;
		this.agent = oneConnection ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : false;
	}

	get(path: string): Promise<AriAnswer> {
		return this.request("GET", path);
	}

	post(path: string, body?: object): Promise<AriAnswer> {
		return this.request("POST", path, body);
	}

	/** Each request has a connection of its own, unless the client was made for one that is kept. */
	async request(method: string, path: string, body?: object): Promise<AriAnswer> {
		const request = http.request(`${this.access.baseUrl}${path}`, {
			method,
			agent: this.agent,
			headers: {
				authorization: authorizationOf(this.access),
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
		});
		request.end(body === undefined ? undefined : JSON.stringify(body));
		const [response] = (await once(request, "response")) as [http.IncomingMessage];
		const text = await readText(response);
		return { status: response.statusCode ?? 0, body: text === "" ? undefined : JSON.parse(text) };
	}

	close(): void {
		if (this.agent) this.agent.destroy();
	}
}

/** Events over an inbound websocket: from the agent to Asterisk. */
export class InboundEvents {
	readonly events: AriEvent[] = [];
	private readonly websocket: WebSocket;

	private constructor(websocket: WebSocket) {
		this.websocket = websocket;
		websocket.on("message", (data) => this.events.push(JSON.parse(data.toString()) as AriEvent));
	}

	static async connect(access: VoiceHost["ari"], app: string): Promise<InboundEvents> {
		const websocket = new WebSocket(`${access.baseUrl.replace(/^http/, "ws")}/events?app=${app}`, {
			headers: { authorization: authorizationOf(access) },
		});
		const events = new InboundEvents(websocket);
		await once(websocket, "open");
		return events;
	}

	async close(): Promise<void> {
		this.websocket.close();
		await once(this.websocket, "close");
	}
}

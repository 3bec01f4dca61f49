import { Pool } from "undici";
import { WANTED_EVENTS } from "./ari-events.ts";
import { type AriChannel, AsteriskGoneError, type OriginateRequest, type OriginateResult } from "./ports.ts";

/** The ARI application whose events Asterisk sends over its own connection; ari.conf names it. */
export const OUTBOUND_APP = "burst-dialer";
/** The one that the agent registers by connecting: another, so that a change of the setting does not mix their queues. */
export const INBOUND_APP = "burst-dialer-inbound";
/** Asterisk's listen backlog is 10 (measured): more connections at once are refused. */
const CONNECTIONS = 8;
const TIMEOUT_MS = 5_000;

export interface AriOptions {
	/** As http://127.0.0.1:8088/ari */
	url: string;
	username: string;
	password: string;
	/** The application to subscribe for. */
	app: string;
}

/** ARI answered with an error. */
export class AriError extends Error {
	override readonly name = "AriError";
	readonly status: number;
	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

const isRefused = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === "ECONNREFUSED";

/** ARI's requests. */
export class AriHttp {
	readonly #pool: Pool;
	readonly #path: string;
	readonly #authorization: string;
	readonly #app: string;

	constructor(options: AriOptions) {
		const url = new URL(options.url);
		this.#pool = new Pool(url.origin, {
			connections: CONNECTIONS,
			headersTimeout: TIMEOUT_MS,
			bodyTimeout: TIMEOUT_MS,
		});
		this.#app = options.app;
		this.#path = url.pathname.replace(/\/+$/, "");
		this.#authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`;
	}

	close(): Promise<void> {
		return this.#pool.destroy();
	}

	async #send(
		method: "GET" | "POST" | "PUT" | "DELETE",
		path: string,
		body?: unknown,
	): Promise<{ status: number; body: unknown }> {
		const answer = await this.#pool.request({
			method,
			path: this.#path + path,
			headers: {
				authorization: this.#authorization,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const text = await answer.body.text();
		let parsed: unknown;
		try {
			parsed = text === "" ? undefined : JSON.parse(text);
		} catch {
			parsed = { message: text.slice(0, 200) };
		}
		return { status: answer.statusCode, body: parsed };
	}

	/** @throws AsteriskGoneError, AriError, or the connection's error */
	async #expect(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> {
		const answer = await this.#send(method, path, body).catch((error: unknown) => {
			if (isRefused(error)) throw new AsteriskGoneError("nothing listens at Asterisk's address", { cause: error });
			throw error;
		});
		if (answer.status >= 300)
			throw new AriError(answer.status, `${method} ${path.split("?")[0]}: ${answer.status} ${messageOf(answer.body)}`);
		return answer.body;
	}

	async originate(call: OriginateRequest): Promise<OriginateResult> {
		let answer: { status: number; body: unknown };
		try {
			answer = await this.#send("POST", "/channels", {
				channelId: call.channelId,
				endpoint: call.endpoint,
				context: call.context,
				extension: call.extension,
				priority: 1,
				timeout: call.timeoutSec,
				...(call.callerId === "" ? {} : { callerId: call.callerId }),
				variables: call.variables,
			});
		} catch (error) {
			if (isRefused(error)) return { kind: "notSent", message: (error as Error).message };
			throw error;
		}
		if (answer.status < 300) return { kind: "created" };
		// After one true 409 Asterisk 22 answers 409 to every later failed originate on the same connection: only a channel that is there is a duplicate.
		if (answer.status === 409 && (await this.#exists(call.channelId))) return { kind: "duplicate" };
		return { kind: "refused", status: answer.status, message: messageOf(answer.body) };
	}

	async #exists(channelId: string): Promise<boolean> {
		return (await this.#send("GET", `/channels/${encodeURIComponent(channelId)}`)).status === 200;
	}

	async hangup(channelId: string, cause: number): Promise<void> {
		try {
			await this.#expect("DELETE", `/channels/${encodeURIComponent(channelId)}?reason_code=${cause}`);
		} catch (error) {
			if (!(error instanceof AriError && error.status === 404)) throw error;
		}
	}

	async listChannels(): Promise<AriChannel[]> {
		const list = (await this.#expect("GET", "/channels")) as { id: string; name: string; state: string }[];
		return list.map(({ id, name, state }) => ({ id, name, state }));
	}

	async subscribe(endpoints: string[]): Promise<void> {
		await this.#expect("PUT", `/applications/${this.#app}/eventFilter`, {
			allowed: WANTED_EVENTS.map((type) => ({ type })),
		});
		for (const endpoint of endpoints) {
			const source = encodeURIComponent(`endpoint:${endpoint}`);
			await this.#expect("POST", `/applications/${this.#app}/subscription?eventSource=${source}`).catch(
				(error: unknown) => {
					// A trunk that could not be rendered has no endpoint; the others are to work all the same.
					if (!(error instanceof AriError && error.status === 422)) throw error;
				},
			);
		}
	}

	async info(): Promise<{ startedAt: string }> {
		const info = (await this.#expect("GET", "/asterisk/info?only=status")) as { status?: { startup_time?: string } };
		return { startedAt: info.status?.startup_time ?? "" };
	}

	/** `online`, `offline` or `unknown` of an endpoint (`PJSIP/name`); undefined where there is none of that name. */
	async endpointState(endpoint: string): Promise<string | undefined> {
		const path = endpoint.split("/").map(encodeURIComponent).join("/");
		try {
			return ((await this.#expect("GET", `/endpoints/${path}`)) as { state?: string }).state;
		} catch (error) {
			if (error instanceof AriError && error.status === 404) return undefined;
			throw error;
		}
	}

	/** @param module as `res_pjsip.so` */
	async reloadModule(module: string): Promise<void> {
		await this.#expect("PUT", `/asterisk/modules/${encodeURIComponent(module)}`);
	}
}

const messageOf = (body: unknown): string => {
	const { message, error } = (body ?? {}) as { message?: unknown; error?: unknown };
	return typeof message === "string" ? message : typeof error === "string" ? error : "";
};

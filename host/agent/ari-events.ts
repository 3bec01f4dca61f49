import type { AriEvent } from "./ports.ts";

/** What the agent asks Asterisk to send; all else is left out at the source. */
export const WANTED_EVENTS = ["Dial", "ChannelCreated", "ChannelStateChange", "ChannelDestroyed", "ChannelVarset"];

const RESULT_PREFIX = "BURST_RESULT_";
const AMD_VARIABLE = "AMDSTATUS";

interface RawChannel {
	id?: unknown;
	name?: unknown;
	state?: unknown;
}
interface RawEvent {
	type?: unknown;
	timestamp?: unknown;
	dialstatus?: unknown;
	peer?: RawChannel;
	channel?: RawChannel;
	cause?: unknown;
	tech_cause?: unknown;
	variable?: unknown;
	value?: unknown;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Turns Asterisk's messages into events; keeps the variables that the dialplan leaves until the call ends. */
export class AriEvents {
	readonly #wallMs: () => number;
	readonly #vars = new Map<string, Record<string, string>>();

	/** @param wallMs for messages without a time */
	constructor(wallMs: () => number) {
		this.#wallMs = wallMs;
	}

	/** @returns undefined for a message that the agent has no use for. @throws SyntaxError where it is no JSON */
	parse(message: string): AriEvent | undefined {
		// By far the most frequent message, and hardly ever of interest: not worth parsing.
		if (message.includes('"ChannelVarset"') && !message.includes(RESULT_PREFIX) && !message.includes(AMD_VARIABLE))
			return undefined;
		const raw = JSON.parse(message) as RawEvent;
		const parsedAt = Date.parse(text(raw.timestamp));
		const atMs = Number.isNaN(parsedAt) ? this.#wallMs() : parsedAt;
		const channelId = text((raw.type === "Dial" ? raw.peer : raw.channel)?.id);
		if (channelId === "") return undefined;
		switch (raw.type) {
			case "Dial":
				return { type: "dial", channelId, status: text(raw.dialstatus), atMs };
			case "ChannelCreated":
				return { type: "channelCreated", channelId, name: text(raw.channel?.name), atMs };
			case "ChannelStateChange":
				return { type: "channelState", channelId, state: text(raw.channel?.state), atMs };
			case "ChannelVarset":
				this.#keep(channelId, text(raw.variable), text(raw.value));
				return undefined;
			case "ChannelDestroyed": {
				const vars = this.#vars.get(channelId);
				this.#vars.delete(channelId);
				return {
					type: "channelDestroyed",
					channelId,
					name: text(raw.channel?.name),
					state: text(raw.channel?.state),
					cause: typeof raw.cause === "number" ? raw.cause : 0,
					...(typeof raw.tech_cause === "number" && raw.tech_cause > 0 ? { techCause: raw.tech_cause } : {}),
					...(vars === undefined ? {} : { vars }),
					atMs,
				};
			}
			default:
				return undefined;
		}
	}

	#keep(channelId: string, variable: string, value: string): void {
		const name = variable.startsWith(RESULT_PREFIX)
			? variable.slice(RESULT_PREFIX.length)
			: variable === AMD_VARIABLE
				? variable
				: "";
		if (name === "") return;
		const vars = this.#vars.get(channelId) ?? {};
		vars[name] = value;
		this.#vars.set(channelId, vars);
	}
}

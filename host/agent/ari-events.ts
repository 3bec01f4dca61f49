import { AMD_VERDICTS, type AmdResult, MAX_AMD_CAUSE_CHARS } from "../../shared/contract/call.ts";
import { AMD_GREETING_VARIABLE, AMD_VARIABLE } from "./caller.ts";
import type { AriEvent } from "./ports.ts";

/** What the agent asks Asterisk to send; all else is left out at the source. */
export const WANTED_EVENTS = ["Dial", "ChannelCreated", "ChannelStateChange", "ChannelDestroyed", "ChannelVarset"];

const RESULT_PREFIX = "BURST_RESULT_";
/** Set by AMD(), in whatever context, as are their reasons; and by the agent's own context. */
const AMD_STATUS = "AMDSTATUS";
const AMD_CAUSE = "AMDCAUSE";
/** Variables that are of interest; a message with none of these texts has none of them. */
const WANTED_TEXTS = [RESULT_PREFIX, AMD_STATUS, AMD_CAUSE, AMD_VARIABLE];
const GREETING_ENDS: readonly string[] = ["silence", "beep", "limit"] satisfies AmdResult["greetingEnd"][];

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
		if (message.includes('"ChannelVarset"') && !WANTED_TEXTS.some((wanted) => message.includes(wanted)))
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
				return this.#variable(channelId, text(raw.variable), text(raw.value), atMs);
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

	#variable(channelId: string, variable: string, value: string, atMs: number): AriEvent | undefined {
		if (variable.startsWith(RESULT_PREFIX)) {
			const name = variable.slice(RESULT_PREFIX.length);
			if (name !== "") this.#vars.set(channelId, { ...this.#vars.get(channelId), [name]: value });
			return undefined;
		}
		if (variable === AMD_CAUSE) {
			const cause = value.slice(0, MAX_AMD_CAUSE_CHARS);
			return cause === "" ? undefined : { type: "amdCause", channelId, cause, atMs };
		}
		if (variable === AMD_GREETING_VARIABLE && GREETING_ENDS.includes(value)) {
			return { type: "greetingEnd", channelId, by: value as NonNullable<AmdResult["greetingEnd"]>, atMs };
		}
		// The agent's own context repeats what AMD() said; only where there is none it says something new.
		const isVerdict = variable === AMD_STATUS || (variable === AMD_VARIABLE && value === "unavailable");
		const verdict = isVerdict ? AMD_VERDICTS.find((each) => each === value.toLowerCase()) : undefined;
		return verdict === undefined ? undefined : { type: "amdVerdict", channelId, verdict, atMs };
	}
}

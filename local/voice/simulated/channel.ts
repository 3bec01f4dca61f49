import type { Sound } from "../carrier/audio.ts";
import type { DialplanLine, DialplanTarget } from "./dialplan.ts";

/** An endpoint of the host's configuration and the carrier behind it. */
export interface SimEndpoint {
	/** As in a dial string. */
	technology: "PJSIP";
	/** Section name in pjsip.conf. */
	resource: string;
	/** The endpoint's own context, shown until the call is answered. */
	context: string;
	/** `address:port` of its contact; undefined where it has none. */
	contact: string | undefined;
	/** Time between two OPTIONS, s; 0 for none. */
	qualifySec: number;
	/** Time without an answer after which the contact is unreachable, s. */
	qualifyTimeoutSec: number;
}

/** An endpoint that is qualified as Asterisk does it where pjsip.conf says nothing else: not at all. */
export const simEndpoint = (resource: string, contact: string, qualifySec = 0): SimEndpoint => ({
	technology: "PJSIP",
	resource,
	context: "default",
	contact,
	qualifySec,
	qualifyTimeoutSec: 3,
});

export interface SimChannel {
	readonly id: string;
	/** As `PJSIP/trunk-0000001f`. */
	readonly name: string;
	/** SIP Call-ID. */
	readonly callId: string;
	readonly endpoint: SimEndpoint;
	readonly number: string;
	/** What follows `PJSIP/`. */
	readonly dialString: string;
	readonly createdAt: number;
	readonly caller: { name: string; number: string };
	/** Where the call goes once it is answered. */
	readonly then: { context: string; extension: string; priority: number };
	readonly variables: Map<string, string>;
	state: "Down" | "Ringing" | "Up";
	dialplan: { context: string; exten: string; priority: number; app_name: string; app_data: string };
	/** Lines still to run once it is answered. */
	lines: DialplanLine[];
	/** The INVITE was sent. */
	invited: boolean;
	/** The carrier replied to it. */
	replied: boolean;
	/** Being hung up. */
	ending: boolean;
	timers: Set<unknown>;
	/** What its far end says, counted from `answeredAt`, ms of the clock. */
	audio: readonly Sound[];
	answeredAt: number;
	/** TONE_DETECT: the tone for so long, ms, sends the call there. */
	tone: { ms: number; target: DialplanTarget } | undefined;
	/** That of TIMEOUT(absolute). */
	absoluteTimer: unknown;
}

/** `"Name" <number>`, `Name <number>` or a bare number, as Asterisk reads it. */
export const parseCallerId = (text: string): { name: string; number: string } => {
	const match = /^\s*(?:"([^"]*)"|([^<]*?))\s*<([^>]*)>\s*$/.exec(text);
	if (match) return { name: match[1] ?? match[2] ?? "", number: match[3] ?? "" };
	const bare = text.trim();
	return /^[+0-9*#A-Da-d().-]*$/.test(bare) ? { name: "", number: bare } : { name: bare, number: "" };
};

/**
 * Number and endpoint of a PJSIP dial string: `number@endpoint`, `endpoint/sip:number@host` or `endpoint`.
 */
export const parseDialString = (dialString: string): { resource: string; number: string } => {
	const slash = dialString.indexOf("/");
	if (slash >= 0) {
		const uri = /^sips?:([^@;]*)@/.exec(dialString.slice(slash + 1));
		return { resource: dialString.slice(0, slash), number: uri?.[1] ?? "" };
	}
	const at = dialString.indexOf("@");
	return at < 0
		? { resource: dialString, number: "" }
		: { resource: dialString.slice(at + 1), number: dialString.slice(0, at) };
};

/** A time as ARI writes it. */
export const ariTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "+0000");

/**
 * The channel as ARI shows it.
 * @param shown the names of `channelvars` in ari.conf
 */
export const channelJson = (channel: SimChannel, shown: readonly string[]): Record<string, unknown> => ({
	id: channel.id,
	name: channel.name,
	state: channel.state,
	protocol_id: channel.dialplan.app_name === "" ? "" : channel.callId,
	caller: { ...channel.caller },
	connected: { ...channel.caller },
	accountcode: "",
	dialplan: { ...channel.dialplan },
	creationtime: ariTime(channel.createdAt),
	language: "en",
	...(shown.length === 0
		? {}
		: { channelvars: Object.fromEntries(shown.map((name) => [name, channel.variables.get(name) ?? ""])) }),
});

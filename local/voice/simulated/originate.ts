import type { SimOriginate, SimOriginateResult } from "./asterisk-types.ts";
import { parseDialString, type SimChannel, type SimEndpoint } from "./channel.ts";

/** The longest unique id Asterisk takes. */
export const MAX_CHANNEL_ID_CHARS = 149;

/** A request to originate that can be tried. */
export interface ReadOriginate {
	kind: "read";
	id: string;
	/** As `PJSIP/trunk`. */
	endpointName: string;
	number: string;
	dialString: string;
	then: SimChannel["then"];
}

type Refused = Extract<SimOriginateResult, { kind: "refused" }>;

export const refused = (status: Refused["status"], message: string): Refused => ({ kind: "refused", status, message });

/**
 * What a request asks for, as far as it can be told without a look at endpoints and channels.
 * @param ownId the channel's id where the caller left it out
 */
export const readOriginate = (request: SimOriginate, ownId: string): ReadOriginate | Refused => {
	const slash = request.endpoint.indexOf("/");
	if (request.endpoint === "") return refused(400, "Endpoint must be specified");
	if (slash < 1 || slash === request.endpoint.length - 1) return refused(400, "Invalid endpoint specified");
	if (!request.extension) return refused(400, "Application or extension must be specified");
	const id = request.channelId || ownId;
	if (id.length > MAX_CHANNEL_ID_CHARS)
		return refused(400, `Uniqueid length exceeds maximum of ${MAX_CHANNEL_ID_CHARS}`);
	const dialString = request.endpoint.slice(slash + 1);
	const { resource, number } = parseDialString(dialString);
	return {
		kind: "read",
		id,
		endpointName: `${request.endpoint.slice(0, slash)}/${resource}`,
		number,
		dialString,
		then: {
			context: request.context || "default",
			extension: request.extension,
			priority: request.priority && request.priority > 0 ? request.priority : 1,
		},
	};
};

/** A channel that nothing has happened to yet. */
export const newChannel = (
	{ id, number, dialString, then }: ReadOriginate,
	made: { name: string; callId: string; endpoint: SimEndpoint; createdAt: number },
): SimChannel => ({
	id,
	number,
	dialString,
	then,
	...made,
	caller: { name: "", number: "" },
	variables: new Map(),
	state: "Down",
	dialplan: { context: made.endpoint.context, exten: "s", priority: 1, app_name: "", app_data: "" },
	lines: [],
	invited: false,
	replied: false,
	ending: false,
	timers: new Set(),
	audio: [],
	answeredAt: 0,
	tone: undefined,
	absoluteTimer: undefined,
});

/** A SIP Call-ID in the form of a UUID, as Asterisk makes them. */
export const newCallId = (random: () => number): string => {
	let hex = "";
	for (let i = 0; i < 8; i++)
		hex += Math.floor(random() * 65_536)
			.toString(16)
			.padStart(4, "0");
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

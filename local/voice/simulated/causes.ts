/** Hangup causes (Q.850) and SIP statuses as Asterisk 22's chan_pjsip translates them. */

const TEXTS: Record<number, string> = {
	0: "Unknown",
	1: "Unallocated (unassigned) number",
	2: "No route to specified transmit network",
	3: "No route to destination",
	6: "Channel unacceptable",
	7: "Call awarded and being delivered in an established channel",
	16: "Normal Clearing",
	17: "User busy",
	18: "No user responding",
	19: "User alerting, no answer",
	20: "Subscriber absent",
	21: "Call Rejected",
	22: "Number changed",
	26: "Answered elsewhere",
	27: "Destination out of order",
	28: "Invalid number format",
	29: "Facility rejected",
	30: "Response to STATus ENQuiry",
	31: "Normal, unspecified",
	34: "Circuit/channel congestion",
	38: "Network out of order",
	41: "Temporary failure",
	42: "Switching equipment congestion",
	43: "Access information discarded",
	44: "Requested channel not available",
	50: "Facility not subscribed",
	57: "Bearer capability not authorized",
	58: "Bearer capability not available",
	65: "Bearer capability not implemented",
	66: "Channel not implemented",
	69: "Facility not implemented",
	88: "Incompatible destination",
	95: "Invalid message unspecified",
	102: "Recover on timer expiry",
	111: "Protocol error, unspecified",
	127: "Interworking, unspecified",
};
export const causeText = (cause: number): string => TEXTS[cause] ?? "Unknown";

const CAUSE_OF_STATUS: Record<number, number> = {
	401: 21,
	403: 21,
	404: 1,
	405: 127,
	407: 21,
	408: 18,
	409: 41,
	410: 22,
	415: 127,
	420: 3,
	480: 19,
	481: 127,
	482: 127,
	483: 19,
	484: 28,
	485: 1,
	486: 17,
	487: 127,
	488: 58,
	491: 127,
	500: 38,
	501: 29,
	502: 27,
	503: 34,
	504: 102,
	505: 127,
	600: 17,
	603: 21,
	604: 1,
	606: 58,
};
/** The cause of a call that the far end refused. */
export const causeOfStatus = (status: number): number =>
	CAUSE_OF_STATUS[status] ?? (status < 500 ? 127 : status < 600 ? 38 : 127);

const STATUS_OF_CAUSE: Record<number, number> = {
	1: 404,
	2: 404,
	3: 404,
	17: 486,
	18: 408,
	19: 480,
	20: 480,
	21: 403,
	22: 410,
	27: 502,
	28: 484,
	29: 501,
	31: 480,
	34: 503,
	38: 500,
	42: 503,
	58: 488,
	66: 503,
	127: 500,
};
/** `tech_cause` of a call that was ended on this side; undefined where Asterisk names none, as for 16. */
export const statusOfCause = (cause: number): number | undefined => STATUS_OF_CAUSE[cause];

/** The status of the last Dial event of a call that was not answered. */
export const dialStatusOf = (cause: number): string => {
	if (cause === 17) return "BUSY";
	if (cause === 34) return "CONGESTION";
	if (cause === 3 || cause === 20) return "CHANUNAVAIL";
	return "NOANSWER";
};

/** The names that `DELETE /channels/{id}?reason=` takes. */
export const CAUSE_OF_REASON: Record<string, number> = {
	normal: 16,
	busy: 17,
	congestion: 34,
	no_answer: 19,
	timeout: 18,
	rejected: 21,
	unallocated: 1,
	normal_unspecified: 31,
	number_incomplete: 28,
	codec_mismatch: 58,
	interworking: 127,
	failure: 38,
	answered_elsewhere: 26,
};

import { describe, expect, test } from "@jest/globals";
import { type Ended, endedByFarEnd, outcomeOf } from "../../../host/agent/outcome.ts";

const ended = (change: Partial<Ended>): Ended => ({
	rang: false,
	answered: false,
	machine: false,
	dialStatus: "",
	cause: 16,
	sipCode: undefined,
	...change,
});

describe("outcomes, as real Asterisk reports them", () => {
	test.each([
		["answered, BYE without Reason header", { rang: true, answered: true, cause: 0 }, "answered", true],
		["answered, Hangup(16) in the dialplan", { rang: true, answered: true, cause: 16 }, "answered", false],
		["answered at once, without ringing", { answered: true, cause: 0 }, "answered", true],
		["answered by a machine", { answered: true, machine: true, cause: 16 }, "machine", false],
		["486", { cause: 17, sipCode: 486, dialStatus: "BUSY" }, "busy", true],
		["600", { cause: 17, sipCode: 600, dialStatus: "BUSY" }, "busy", true],
		["404", { cause: 1, sipCode: 404, dialStatus: "NOANSWER" }, "invalidNumber", true],
		["410", { cause: 22, sipCode: 410, dialStatus: "NOANSWER" }, "invalidNumber", true],
		["484", { cause: 28, sipCode: 484, dialStatus: "NOANSWER" }, "invalidNumber", true],
		["604", { cause: 1, sipCode: 604, dialStatus: "NOANSWER" }, "invalidNumber", true],
		["480 after ringing", { rang: true, cause: 19, sipCode: 480, dialStatus: "NOANSWER" }, "unavailable", true],
		["480 at once", { cause: 19, sipCode: 480, dialStatus: "NOANSWER" }, "unavailable", true],
		["rings until our timeout", { rang: true, cause: 19, sipCode: 480 }, "noAnswer", false],
		[
			"rings until our CANCEL is a Dial event",
			{ rang: true, cause: 19, sipCode: 480, dialStatus: "CANCEL" },
			"noAnswer",
			false,
		],
		["no reply at all", { cause: 19, sipCode: 480 }, "trunkFailure", false],
		["408 after ringing", { rang: true, cause: 18, sipCode: 408, dialStatus: "NOANSWER" }, "noAnswer", true],
		["408 without ringing", { cause: 18, sipCode: 408, dialStatus: "NOANSWER" }, "trunkFailure", true],
		["487 after ringing", { rang: true, cause: 127, sipCode: 487 }, "noAnswer", false],
		["403", { cause: 21, sipCode: 403, dialStatus: "NOANSWER" }, "rejected", true],
		["603", { cause: 21, sipCode: 603, dialStatus: "NOANSWER" }, "rejected", true],
		["607", { cause: 21, sipCode: 607, dialStatus: "NOANSWER" }, "rejected", true],
		["608", { cause: 21, sipCode: 608, dialStatus: "NOANSWER" }, "rejected", true],
		["500", { cause: 38, sipCode: 500, dialStatus: "CONGESTION" }, "congestion", true],
		["502", { cause: 27, sipCode: 502, dialStatus: "CONGESTION" }, "congestion", true],
		["503", { cause: 34, sipCode: 503, dialStatus: "CONGESTION" }, "congestion", true],
		["504", { cause: 102, sipCode: 504, dialStatus: "CONGESTION" }, "congestion", true],
		["401", { cause: 21, sipCode: 401, dialStatus: "NOANSWER" }, "trunkFailure", true],
		["407", { cause: 21, sipCode: 407, dialStatus: "NOANSWER" }, "trunkFailure", true],
		["488", { cause: 58, sipCode: 488, dialStatus: "CHANUNAVAIL" }, "trunkFailure", true],
		["IAX2: busy", { cause: 17, dialStatus: "BUSY" }, "busy", false],
		["IAX2: unallocated", { cause: 1, dialStatus: "CHANUNAVAIL" }, "invalidNumber", false],
		["IAX2: no such extension", { cause: 3, dialStatus: "CHANUNAVAIL" }, "invalidNumber", false],
		["IAX2: congestion", { cause: 34, dialStatus: "CONGESTION" }, "congestion", false],
		["IAX2: our timeout after ringing", { rang: true, cause: 19 }, "noAnswer", false],
		["IAX2: nobody replied", { cause: 19 }, "trunkFailure", false],
		["IAX2: rejected", { cause: 21 }, "rejected", false],
		["network out of order", { cause: 38 }, "congestion", false],
		["switching equipment congestion", { cause: 42 }, "congestion", false],
		["no ChannelDestroyed", { rang: true, cause: undefined }, "unknown", false],
		["an unknown code", { cause: 127, sipCode: 420 }, "unknown", false],
		["an unknown cause", { cause: 99 }, "unknown", false],
	] as [string, Partial<Ended>, string, boolean][])("%s", (_, change, outcome, byFarEnd) => {
		const call = ended(change);
		expect(outcomeOf(call).outcome).toBe(outcome);
		expect(outcomeOf(call).source).not.toBe("");
		expect(endedByFarEnd(call)).toBe(byFarEnd);
	});
});

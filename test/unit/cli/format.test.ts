import { describe, expect, test } from "@jest/globals";
import { describeCalls, describeCampaign, describeContacts, describeCourse } from "../../../cli/describe.ts";
import { duration, facts, instant, percent, plain, table } from "../../../cli/format.ts";

describe("durations", () => {
	test.each([
		[0, "0 s"],
		[0.4, "0 s"],
		[59.4, "59 s"],
		[59.6, "1:00 min"],
		[185, "3:05 min"],
		[3_599.7, "1:00 h"],
		[7_199, "2:00 h"],
		[2 * 86_400, "2 d 0 h"],
		[3 * 86_400 + 4 * 3_600, "3 d 4 h"],
		[-5, "0 s"],
	])("%s s are %s", (sec, text) => {
		expect(duration(sec)).toBe(text);
	});
});

describe("percents", () => {
	test.each([
		[0, 300, "0 %"],
		[1, 100_000, "1 %"],
		[150, 300, "50 %"],
		[99_999, 100_000, "99 %"],
		[300, 300, "100 %"],
		[0, 0, "-"],
	])("%s of %s is %s", (part, whole, text) => {
		expect(percent(part, whole)).toBe(text);
	});
});

test("instants are shown to the second in UTC, whatever the API sends", () => {
	expect(instant("2026-12-01T14:00:00.123+01:00")).toBe("2026-12-01T13:00:00Z");
	expect(instant(0)).toBe("1970-01-01T00:00:00Z");
	expect(instant(undefined)).toBe("-");
	expect(instant("soon")).toBe("soon");
});

describe("tables", () => {
	test("numbers stand to the right, text to the left, without trailing blanks", () => {
		expect(
			table(
				["host", "live", "note"],
				[
					["a", 1_234, "x"],
					["bbbbbbb", 5, undefined],
				],
			),
		).toBe("host      live  note\na        1,234  x\nbbbbbbb      5  -");
	});

	test("a column with a missing number stays a column of numbers", () => {
		expect(table(["n"], [[undefined], [10]])).toBe(" n\n -\n10");
	});

	test("control characters of names cannot redraw the terminal", () => {
		expect(table(["name"], [["a\u001b[2Jb\n"]])).toBe("name\na?[2Jb?");
		expect(plain("\u009b31mred")).toBe("?31mred");
	});
});

test("facts leave out what is not known", () => {
	expect(
		facts([
			["name", "x"],
			["trunk", undefined],
			["calls placed", 1_000],
		]),
	).toBe("name          x\ncalls placed  1,000");
});

describe("a campaign in words", () => {
	const view = {
		campaignId: "01k9x0d7w3a8c2mf",
		name: "storm warning",
		state: "running",
		trunk: "carrier-a",
		counts: { total: 300, pending: 180, inProgress: 60, done: 60 },
		outcomes: { busy: 10, answered: 50, noAnswer: 0 },
		attempts: 70,
		channels: { live: 58, cap: 60 },
		startedAt: "2026-12-01T14:00:00.000Z",
	};

	test("says how far it is, outcomes most frequent first", () => {
		const text = describeCampaign(view, Date.parse("2026-12-01T14:01:05Z"));
		expect(text).toContain("contacts  60 of 300 done (20 %), 60 in progress, 180 pending");
		expect(text).toContain("channels  58 live of at most 60");
		expect(text).toContain("took      1:05 min");
		expect(text).toContain("outcome   contacts  share\nanswered        50  83 %\nbusy            10  17 %");
		expect(text).not.toContain("noAnswer");
	});

	test("a campaign that waits for its start says when", () => {
		const { startedAt: _, ...rest } = view;
		expect(describeCampaign({ ...rest, state: "scheduled", startAt: "2026-12-02T08:00:00Z" }, 0)).toContain(
			"starts    2026-12-02T08:00:00Z",
		);
	});

	test("its lists and what was refused of them are shown", () => {
		const imports = [
			{
				importId: "i-1",
				state: "done",
				accepted: 299,
				duplicates: 0,
				rejectedCount: 1,
				rejected: [{ line: 7, number: "+1", reason: "too short" }],
			},
			{ importId: "i-2", state: "open", accepted: 10, duplicates: 0, rejectedCount: 0, rejected: [] },
			{ importId: "i-3", state: "uploading", accepted: 0, duplicates: 0, rejectedCount: 0, rejected: [] },
		];
		const text = describeCampaign({ ...view, imports }, 0);
		expect(text).toContain("List i-1: 299 contacts accepted, 0 duplicates, 1 rejected:\n  line 7: +1: too short");
		expect(text).toContain("List i-2 is being imported: 10 contacts accepted");
		expect(text).not.toContain("i-3");
	});

	test("a forecast and its deadline are shown", () => {
		const words =
			"done about 16:20 UTC (measured: 38 % answer, 31 s a call); the deadline 16:00 UTC is missed by 20 min";
		const shown = describeCampaign({ ...view, deadline: "2026-12-01T16:00:00.000Z", forecast: { words } }, 0);
		expect(shown).toMatch(/^deadline {2,}2026-12-01T16:00:00Z$/m);
		expect(shown).toMatch(/^forecast {2,}done about 16:20 UTC \(measured: .* is missed by 20 min$/m);
		expect(describeCampaign({ ...view, forecast: null }, 0)).not.toMatch(/forecast|deadline/);
	});

	test("what is said of its course: warnings, or else the forecast", () => {
		expect(describeCourse({ forecast: { words: "done about 16:20 UTC" } })).toBe("Forecast: done about 16:20 UTC.");
		expect(
			describeCourse({ forecast: { words: "x" }, warnings: [{ path: "deadline", message: "missed by 5 min" }] }),
		).toBe("Warning: deadline: missed by 5 min.");
		expect(describeCourse({})).toBe("");
	});

	test("what it may do and must keep to is shown as it is set", () => {
		const shown = describeCampaign(
			{
				...view,
				purpose: "informational",
				trunks: [
					{ id: "carrier-a", weight: 3 },
					{ id: "carrier-b", weight: 1 },
				],
				callerId: null,
				callerIds: ["+12025550100", "+12125550100"],
				maxCps: 5,
				priority: 20,
				window: { from: "09:00", to: "00:00", days: [1, 2, 3], holidays: ["2026-12-24"], timeZone: "UTC" },
				calleeLimit: { max: 3, perHours: 24, minGapSec: 3_600 },
				suppressionLists: ["customers-of-b"],
				amd: { enabled: true, onMachine: "play" },
				retry: { busy: { afterSec: 300, max: 3, growth: 2 }, congestion: { afterSec: 30, max: 5 } },
				exemptions: [{ rule: "us-federal-hours", at: "2026-12-01T14:00:01.000Z", tokenId: "tok-1" }],
			},
			0,
		);
		const line = (name: string) => new RegExp(`^${name} {2,}(.*)$`, "m").exec(shown)?.[1];
		expect(line("trunks")).toBe("carrier-a (weight 3), carrier-b (weight 1)");
		expect(line("purpose")).toBe("informational");
		expect(line("window")).toBe("09:00-24:00, Mon-Wed, not on 2026-12-24; UTC where the callee's zone is not known");
		expect(line("caller id")).toBe("+12025550100, +12125550100");
		expect(line("calls/s")).toBe("at most 5");
		expect(line("priority")).toBe("20");
		expect(line("one number")).toBe("at most 3 in any 24 hours, 1:00 h apart at least");
		expect(line("do-not-call")).toBe("customers-of-b");
		expect(line("machines")).toBe("play");
		expect(line("retry")).toBe("busy=300x3,growth=2 congestion=30x5");
		expect(line("not applied")).toBe("us-federal-hours (since 2026-12-01T14:00:01Z, token tok-1)");
	});

	test("of what is not set there is no line", () => {
		const none = { callerId: null, maxCps: null, window: null, calleeLimit: null, amd: { enabled: false } };
		const shown = describeCampaign({ ...view, ...none, suppressionLists: [], exemptions: [], retry: {} }, 0);
		expect(shown).toMatch(/^trunk {2,}carrier-a$/m);
		expect(shown).not.toMatch(/trunks|caller|calls\/s|window|one number|do-not-call|machines|retry|not applied/);
	});

	test("a failed one says why", () => {
		expect(describeCampaign({ ...view, state: "failed", failure: "the list is gone" }, 0)).toContain(
			"failed: the list is gone",
		);
	});
});

describe("what became of a list", () => {
	test("rejected rows come with line and reason, the first ten", () => {
		const rejected = Array.from({ length: 12 }, (_, i) => ({ line: i + 2, number: `x${i}`, reason: "not E.164" }));
		const text = describeContacts({ accepted: 1_000, duplicates: 3, rejected });
		expect(text.split("\n")[0]).toBe("1,000 contacts accepted, 3 duplicates, 12 rejected:");
		expect(text).toContain("  line 2: x0: not E.164");
		expect(text).toContain("… and 2 more");
		expect(text).not.toContain("x10");
	});

	test("more rejected rows than were sent along are counted", () => {
		expect(
			describeContacts({ accepted: 0, rejectedCount: 500, rejected: [{ line: 1, number: "x", reason: "bad" }] }),
		).toContain("… and 499 more");
	});

	test("one that was read and is stored in the background has its figures", () => {
		const text = describeContacts({ importId: "i-1", state: "open", accepted: 9_000, duplicates: 0, rejected: [] });
		expect(text).toBe(
			"9,000 contacts accepted, 0 duplicates, 0 rejected.\nThey are being stored in the background; progress: campaign show.",
		);
	});

	test("one that is imported in the background says so", () => {
		expect(describeContacts({ importId: "i-1", state: "open" })).toContain("being imported (import i-1)");
	});
});

test("call records: codes are no amounts, talk time is from answer to end", () => {
	const text = describeCalls([
		{
			callId: "c",
			contactId: "c-1",
			number: "+12025550123",
			attempt: 1,
			hostId: "pbx-1",
			outcome: "answered",
			cause: 16,
			sipCode: 200,
			startedAt: "2026-12-01T14:00:00.000Z",
			answeredAt: "2026-12-01T14:00:05.000Z",
			endedAt: "2026-12-01T14:01:10.000Z",
		},
		{ callId: "d", contactId: "c-2", number: "+12025550124", kind: "work", attempt: 2, outcome: null },
	]);
	expect(text.split("\n")[1]).toMatch(/^2026-12-01T14:00:00Z {2}\+12025550123 +1 {2}answered {2}16 +200 {2}1:05 min/);
	expect(text.split("\n")[2]).toMatch(/^- +\+12025550124 \(work\) +2 {2}- /);
});

test("call records: a column for answering machines where any call was listened to", () => {
	const record = { contactId: "c", number: "1", attempt: 1, hostId: "pbx-1", outcome: "machine" };
	const text = describeCalls([
		{
			callId: "a",
			...record,
			amd: { verdict: "machine", cause: "MAXWORDS-3-2", decidedMs: 3_140, greetingMs: 8_420, greetingEnd: "beep" },
		},
		{ callId: "b", ...record, amd: { verdict: "human", decidedMs: 1_860, greetingMs: null, greetingEnd: null } },
		{ callId: "c", ...record },
	]);
	const [head, ...rows] = text.split("\n");
	expect(head).toMatch(/talk +amd +host/);
	expect(rows[0]).toContain("machine in 3.1 s, beep after 8.4 s");
	expect(rows[1]).toMatch(/human in 1\.9 s +pbx-1/);
	expect(rows[2]).toMatch(/ - +pbx-1/);
	expect(describeCalls([{ callId: "c", ...record }])).not.toContain("amd");
});

import { describe, expect, test } from "@jest/globals";
import type { Purpose, Window } from "../../../shared/contract/window.ts";
import {
	type CallTarget,
	callingLaw,
	leastRingSecOf,
	opennessOf,
	placeLimitsOf,
} from "../../../shared/rules/calling-rules.ts";
import { windowProblem } from "../../../shared/rules/window-problem.ts";

const at = (text: string): number => Date.parse(text);
const number = (e164: string, timeZone?: string): CallTarget => ({ number: e164, isPrivate: false, timeZone });
const extension = (timeZone?: string): CallTarget => ({ number: "201", isPrivate: true, timeZone });
const windowOf = (over: Partial<Window> = {}): Window => ({
	from: "09:00",
	to: "17:00",
	days: [1, 2, 3, 4, 5, 6, 7],
	holidays: [],
	...over,
});

/** `open until …`, `open`, `closed until …` or `never`, in UTC. */
const say = (target: CallTarget, when: string, window?: Window, purpose: Purpose = "marketing"): string => {
	const openness = opennessOf(target, { purpose, window }, at(when));
	const text = (moment: number): string => new Date(moment).toISOString().replace(":00.000Z", "Z");
	if (openness.open) return openness.closesAt === undefined ? "open" : `open until ${text(openness.closesAt)}`;
	return openness.opensAt === undefined ? "never" : `closed until ${text(openness.opensAt)}`;
};

const WASHINGTON_DC = number("+12025550123");
const MIAMI = number("+13055550123");
/** Pensacola is an hour behind Tallahassee. */
const WEST_FLORIDA = number("+18505550123");
/** Boise is an hour ahead of Coeur d'Alene. */
const IDAHO = number("+12085550123");
const TOLL_FREE = number("+18005550100");
const PARIS = number("+33142685300");
const LONDON = number("+442071234567");
const SYDNEY = number("+61291234567");
const AUSTRALIAN_MOBILE = number("+61412345678");
const SAO_PAULO = number("+5511987654321");
const MOSCOW_MOBILE = number("+79161234567");

describe("by default, the law of the number's place", () => {
	test.each([
		["8:00 in the callee's own time", WASHINGTON_DC, "2026-11-25T12:59:59Z", "closed until 2026-11-25T13:00Z"],
		["… is when it opens", WASHINGTON_DC, "2026-11-25T13:00:00Z", "open until 2026-11-26T02:00Z"],
		["… and 21:00 when it closes", WASHINGTON_DC, "2026-11-26T02:00:00Z", "closed until 2026-11-26T13:00Z"],
		["Florida closes at 20:00", MIAMI, "2026-11-25T13:00:00Z", "open until 2026-11-26T01:00Z"],
		[
			"an area code in two zones opens when the western one does",
			WEST_FLORIDA,
			"2026-11-25T13:30:00Z",
			"closed until 2026-11-25T14:00Z",
		],
		["… and closes when the eastern one does", WEST_FLORIDA, "2026-11-25T14:00:00Z", "open until 2026-11-26T01:00Z"],
		["Idaho has Mountain and Pacific Time", IDAHO, "2026-11-25T16:00:00Z", "open until 2026-11-26T04:00Z"],
		[
			// Kentucky's 10:00 in Honolulu, Rhode Island's 18:00 in New York.
			"a toll-free number may be in any zone and state",
			TOLL_FREE,
			"2026-11-25T12:00:00Z",
			"closed until 2026-11-25T20:00Z",
		],
		["… not on the holidays of any", TOLL_FREE, "2026-11-26T00:00:00Z", "closed until 2026-11-27T20:00Z"],
		["France has a pause at noon", PARIS, "2026-11-25T11:30:00Z", "open until 2026-11-25T12:00Z"],
		["… and another span after it", PARIS, "2026-11-25T12:00:00Z", "closed until 2026-11-25T13:00Z"],
		["… no Saturdays and Sundays", PARIS, "2026-11-28T10:00:00Z", "closed until 2026-11-30T09:00Z"],
		["… no holidays: Easter Monday", PARIS, "2026-04-03T20:00:00Z", "closed until 2026-04-07T08:00Z"],
		[
			"Rhode Island: Saturday, then Monday",
			number("+14015550123"),
			"2026-11-28T22:00:00Z",
			"closed until 2026-11-30T14:00Z",
		],
		["Texas begins Sunday at noon", number("+12145550123"), "2026-11-29T14:00:00Z", "closed until 2026-11-29T18:00Z"],
		["Australia: mobiles have no region", AUSTRALIAN_MOBILE, "2026-06-10T23:30:00Z", "closed until 2026-06-11T01:00Z"],
		["… fixed lines have one", SYDNEY, "2026-06-10T23:30:00Z", "open until 2026-06-11T09:30Z"],
		["the United Kingdom sets no hours", LONDON, "2026-11-25T03:00:00Z", "open"],
		["no rules are held for Brazil", SAO_PAULO, "2026-11-25T03:00:00Z", "open"],
		[
			"the contact's zone goes before the number's",
			number("+18505550123", "America/Los_Angeles"),
			"2026-11-25T15:00:00Z",
			"closed until 2026-11-25T16:00Z",
		],
		[
			"… the rules stay those of the number",
			number("+13055550123", "Europe/Paris"),
			"2026-11-25T18:59:00Z",
			"open until 2026-11-25T19:00Z",
		],
		["a number of no country is never called", number("+80012345678"), "2026-11-25T15:00:00Z", "never"],
		["nor what is no number", number("12"), "2026-11-25T15:00:00Z", "never"],
		["nor somebody whose zone is none", number("+12025550123", "Mars/Olympus"), "2026-11-25T18:00:00Z", "never"],
		["an offset is no zone", number("+12025550123", "-05:00"), "2026-11-25T18:00:00Z", "never"],
	])("%s", (_sentence, target, when, openness) => {
		expect(say(target, when)).toBe(openness);
	});
	test("it says who keeps it closed, where, and what time it is there", () => {
		expect(opennessOf(WEST_FLORIDA, { purpose: "marketing" }, at("2026-11-25T13:30:00Z"))).toMatchObject({
			open: false,
			why: expect.stringMatching(/^rule us-federal-hours \(47 CFR .* Wed 2026-11-25 07:30 in America\/Chicago$/),
		});
	});
});

describe("a campaign's window", () => {
	test.each([
		["narrows the law", WASHINGTON_DC, windowOf(), "2026-11-25T13:30:00Z", "closed until 2026-11-25T14:00Z"],
		[
			"does not widen it",
			MIAMI,
			windowOf({ from: "06:00", to: "00:00" }),
			"2026-11-25T12:00:00Z",
			"closed until 2026-11-25T13:00Z",
		],
		[
			"… at its end either",
			MIAMI,
			windowOf({ from: "06:00", to: "00:00" }),
			"2026-11-25T15:00:00Z",
			"open until 2026-11-26T01:00Z",
		],
		[
			"is in all zones of the number",
			WEST_FLORIDA,
			windowOf(),
			"2026-11-25T14:30:00Z",
			"closed until 2026-11-25T15:00Z",
		],
		[
			"… not in its own, which is for those without one",
			WEST_FLORIDA,
			windowOf({ timeZone: "Asia/Tokyo" }),
			"2026-11-25T14:30:00Z",
			"closed until 2026-11-25T15:00Z",
		],
		[
			"is in the contact's zone",
			number("+18505550123", "America/Chicago"),
			windowOf(),
			"2026-11-25T15:00:00Z",
			"open until 2026-11-25T23:00Z",
		],
		["has days", WASHINGTON_DC, windowOf({ days: [1] }), "2026-11-24T15:00:00Z", "closed until 2026-11-30T14:00Z"],
		[
			"has holidays",
			WASHINGTON_DC,
			windowOf({ holidays: ["2026-11-26"] }),
			"2026-11-26T02:00:00Z",
			"closed until 2026-11-27T14:00Z",
		],
		["holds where no rules are held", SAO_PAULO, windowOf(), "2026-11-25T11:59:00Z", "closed until 2026-11-25T12:00Z"],
		[
			"that law leaves nothing of is never open",
			WASHINGTON_DC,
			windowOf({ from: "21:30", to: "23:00" }),
			"2026-11-25T15:00:00Z",
			"never",
		],
		[
			"that has no time in common over eleven zones is never open",
			MOSCOW_MOBILE,
			windowOf({ from: "09:00", to: "18:00" }),
			"2026-11-25T06:00:00Z",
			"never",
		],
		[
			"… and is with the contact's zone",
			number("+79161234567", "Europe/Moscow"),
			windowOf(),
			"2026-11-25T06:00:00Z",
			"open until 2026-11-25T14:00Z",
		],
		[
			"beyond the look-ahead is never",
			WASHINGTON_DC,
			windowOf({ holidays: Array.from({ length: 16 }, (_, i) => `2026-12-${String(i + 1).padStart(2, "0")}`) }),
			"2026-12-01T15:00:00Z",
			"never",
		],
		[
			"of the whole day, every day, does not close",
			extension(),
			windowOf({ from: "00:00", to: "00:00", timeZone: "Europe/Paris" }),
			"2026-11-25T06:00:00Z",
			"open",
		],
		[
			"of a day ends at its midnight",
			extension(),
			windowOf({ from: "18:00", to: "00:00", timeZone: "Europe/Paris" }),
			"2026-11-25T20:00:00Z",
			"open until 2026-11-25T23:00Z",
		],
	])("%s", (_sentence, target, window, when, openness) => {
		expect(say(target, when, window)).toBe(openness);
	});
	test("that is malformed keeps everybody closed", () => {
		for (const over of [
			{ from: "9" },
			{ to: "08:00" },
			{ days: [] },
			{ days: [8] },
			{ holidays: ["26.11.2026"] },
			{ timeZone: "Nowhere" },
		]) {
			expect(
				opennessOf(WASHINGTON_DC, { purpose: "marketing", window: windowOf(over) }, at("2026-11-25T18:00:00Z")),
			).toMatchObject({
				open: false,
				opensAt: undefined,
				why: "the campaign's window is malformed",
			});
		}
	});
	test("an unknown time is no time to call", () => {
		expect(opennessOf(LONDON, { purpose: "marketing" }, Number.NaN).open).toBe(false);
	});
	test("two windows with the same times are the same, and one does not answer for another", () => {
		expect(say(SAO_PAULO, "2026-11-25T13:00:00Z", windowOf())).toBe(say(SAO_PAULO, "2026-11-25T13:00:00Z", windowOf()));
		expect(say(SAO_PAULO, "2026-11-25T13:00:00Z", windowOf({ from: "11:00" }))).toBe("closed until 2026-11-25T14:00Z");
	});
});

describe("a private number", () => {
	test.each([
		["has no law", extension(), undefined, "2026-11-25T03:00:00Z", "open"],
		[
			"has the window in the window's zone",
			extension(),
			windowOf({ timeZone: "Europe/Berlin" }),
			"2026-11-25T07:00:00Z",
			"closed until 2026-11-25T08:00Z",
		],
		[
			"… or in the contact's",
			extension("Asia/Tokyo"),
			windowOf({ timeZone: "Europe/Berlin" }),
			"2026-11-25T07:00:00Z",
			"open until 2026-11-25T08:00Z",
		],
		["… and without a zone is never called", extension(), windowOf(), "2026-11-25T07:00:00Z", "never"],
		["… nor in a wrong one", extension("Berlin"), windowOf(), "2026-11-25T07:00:00Z", "never"],
		[
			"that looks like one of a country is still private",
			{ number: "12025550123", isPrivate: true },
			undefined,
			"2026-11-25T03:00:00Z",
			"open",
		],
	])("%s", (_sentence, target, window, when, openness) => {
		expect(say(target, when, window)).toBe(openness);
	});
	test("without a zone is found at submission", () => {
		expect(windowProblem(windowOf(), ["e164", "private"], false)).toMatch(/timeZone/);
		expect(windowProblem(windowOf(), ["private"], true)).toBeUndefined();
		expect(windowProblem(windowOf({ timeZone: "Europe/Berlin" }), ["private"], false)).toBeUndefined();
		expect(windowProblem(windowOf(), ["e164"], false)).toBeUndefined();
		expect(windowProblem(undefined, ["private"], false)).toBeUndefined();
	});
});

describe("on the days the clocks are changed", () => {
	const night = windowOf({ from: "01:30", to: "02:30" });
	test.each([
		// Put forward: 02:00 becomes 03:00 at 07:00Z; the window is cut off by the jump.
		[
			"New York in spring: before",
			number("+40212345678", "America/New_York"),
			"2026-03-08T06:29:00Z",
			"closed until 2026-03-08T06:30Z",
		],
		[
			"… cut off by the jump",
			number("+40212345678", "America/New_York"),
			"2026-03-08T06:30:00Z",
			"open until 2026-03-08T07:00Z",
		],
		[
			"… the next night it is as ever",
			number("+40212345678", "America/New_York"),
			"2026-03-08T07:00:00Z",
			"closed until 2026-03-09T05:30Z",
		],
		// Put back: 02:00 becomes 01:00 at 06:00Z; 01:30 to 02:00 comes twice.
		[
			"New York in autumn: the first time",
			number("+40212345678", "America/New_York"),
			"2026-11-01T05:30:00Z",
			"open until 2026-11-01T06:00Z",
		],
		[
			"… not between",
			number("+40212345678", "America/New_York"),
			"2026-11-01T06:00:00Z",
			"closed until 2026-11-01T06:30Z",
		],
		[
			"… the second time",
			number("+40212345678", "America/New_York"),
			"2026-11-01T06:30:00Z",
			"open until 2026-11-01T07:30Z",
		],
		// 01:00 becomes 02:00 at 01:00Z.
		[
			"London in spring: begins with the jump",
			number("+40212345678", "Europe/London"),
			"2026-03-29T00:00:00Z",
			"closed until 2026-03-29T01:00Z",
		],
		["… until 02:30", number("+40212345678", "Europe/London"), "2026-03-29T01:00:00Z", "open until 2026-03-29T01:30Z"],
		// 02:00 becomes 01:00 at 01:00Z.
		[
			"London in autumn: the first time",
			number("+40212345678", "Europe/London"),
			"2026-10-25T00:30:00Z",
			"open until 2026-10-25T01:00Z",
		],
		[
			"… the second time",
			number("+40212345678", "Europe/London"),
			"2026-10-25T01:00:00Z",
			"closed until 2026-10-25T01:30Z",
		],
		// 02:00 becomes 03:00 on Sunday 4 October at 16:00Z on Saturday.
		[
			"Sydney in its spring",
			number("+40212345678", "Australia/Sydney"),
			"2026-10-03T15:30:00Z",
			"open until 2026-10-03T16:00Z",
		],
		// 03:00 becomes 02:00 on Sunday 5 April at 16:00Z on Saturday: 02:00 to 02:30 comes twice.
		[
			"Sydney in its autumn: the first time",
			number("+40212345678", "Australia/Sydney"),
			"2026-04-04T14:30:00Z",
			"open until 2026-04-04T15:30Z",
		],
		[
			"… not between",
			number("+40212345678", "Australia/Sydney"),
			"2026-04-04T15:30:00Z",
			"closed until 2026-04-04T16:00Z",
		],
		[
			"… the second time",
			number("+40212345678", "Australia/Sydney"),
			"2026-04-04T16:00:00Z",
			"open until 2026-04-04T16:30Z",
		],
		// Half an hour: 02:00 becomes 02:30 at 15:30Z.
		[
			"Lord Howe changes by half an hour",
			number("+40212345678", "Australia/Lord_Howe"),
			"2026-10-03T15:00:00Z",
			"open until 2026-10-03T15:30Z",
		],
		// No daylight saving time since 2019.
		[
			"São Paulo in October",
			number("+40212345678", "America/Sao_Paulo"),
			"2026-10-18T04:30:00Z",
			"open until 2026-10-18T05:30Z",
		],
		[
			"São Paulo in February",
			number("+40212345678", "America/Sao_Paulo"),
			"2026-02-22T04:30:00Z",
			"open until 2026-02-22T05:30Z",
		],
	])("%s", (_sentence, target, when, openness) => {
		expect(say(target, when, night)).toBe(openness);
	});
	test.each([
		["New York, the day before spring", WASHINGTON_DC, "2026-03-08T01:00:00Z", "open until 2026-03-08T02:00Z"],
		[
			"… the day itself opens an hour earlier in UTC",
			WASHINGTON_DC,
			"2026-03-08T02:00:00Z",
			"closed until 2026-03-08T12:00Z",
		],
		["… and in autumn an hour later", WASHINGTON_DC, "2026-11-01T02:00:00Z", "closed until 2026-11-01T13:00Z"],
		// Broken Hill has Sydney's area code and is half an hour behind.
		[
			"Sydney's Saturday and Monday around the change",
			SYDNEY,
			"2026-10-03T08:00:00Z",
			"closed until 2026-10-04T22:30Z",
		],
	])("%s", (_sentence, target, when, openness) => {
		expect(say(target, when)).toBe(openness);
	});
});

describe("a purpose", () => {
	test.each<[Purpose, string, string]>([
		["marketing", "2026-11-25T03:00:00Z", "closed until 2026-11-25T13:00Z"],
		["informational", "2026-11-25T03:00:00Z", "open"],
		["emergency", "2026-11-25T03:00:00Z", "open"],
	])("%s in Miami at night", (purpose, when, openness) => {
		expect(say(MIAMI, when, undefined, purpose)).toBe(openness);
	});
	test("that is exempt is told with the rules that were not applied", () => {
		const exemptions = [
			{ rule: "us-federal-hours", purpose: "informational" },
			{ rule: "us-fl-hours", purpose: "informational" },
		];
		expect(opennessOf(MIAMI, { purpose: "informational" }, at("2026-11-25T03:00:00Z"))).toEqual({
			open: true,
			closesAt: undefined,
			exemptions,
		});
		// Also where the window keeps it closed.
		expect(
			opennessOf(MIAMI, { purpose: "informational", window: windowOf() }, at("2026-11-25T03:00:00Z")),
		).toMatchObject({ open: false, exemptions });
		expect(opennessOf(MIAMI, { purpose: "marketing" }, at("2026-11-25T15:00:00Z")).exemptions).toEqual([]);
		expect(opennessOf(extension(), { purpose: "emergency" }, at("2026-11-25T15:00:00Z")).exemptions).toEqual([]);
	});
	test("does not exempt from a campaign's own window", () => {
		expect(say(MIAMI, "2026-11-25T03:00:00Z", windowOf(), "emergency")).toBe("closed until 2026-11-25T14:00Z");
	});
	test("informational is not exempt in Canada, emergency is", () => {
		expect(say(number("+14165550123"), "2026-11-25T03:00:00Z", undefined, "informational")).toBe(
			"closed until 2026-11-25T14:00Z",
		);
		expect(say(number("+14165550123"), "2026-11-25T03:00:00Z", undefined, "emergency")).toBe("open");
	});
});

describe("limits of the place", () => {
	test.each([
		["Florida", MIAMI, [{ rule: "us-fl-attempts", max: 3, perHours: 24 }]],
		["Oklahoma", number("+14055550123"), [{ rule: "us-ok-attempts", max: 3, perHours: 24 }]],
		["Maryland", number("+14105550123"), [{ rule: "us-md-attempts", max: 3, perHours: 24 }]],
		["France: four in thirty days", PARIS, [{ rule: "fr-attempts", max: 4, perHours: 720 }]],
		["none in Washington, D.C.", WASHINGTON_DC, []],
		["none for a private number", extension(), []],
		["none for a number of no country: nobody calls it anyway", number("+80012345678"), []],
	])("%s", (_place, target, limits) => {
		expect(placeLimitsOf(target, "marketing")).toEqual({ limits, exemptions: [] });
	});
	test("a toll-free number may be in each of the states that have one", () => {
		expect(placeLimitsOf(TOLL_FREE, "marketing").limits.map(({ rule }) => rule)).toEqual([
			"us-fl-attempts",
			"us-md-attempts",
			"us-ok-attempts",
		]);
	});
	test("an exempt purpose has none, and that is told", () => {
		expect(placeLimitsOf(MIAMI, "informational")).toEqual({
			limits: [],
			exemptions: [{ rule: "us-fl-attempts", purpose: "informational" }],
		});
	});
	test("the longest gap of several rules is the one", () => {
		const rule = (id: string, minGapSec: number) => ({
			id,
			places: ["BR"],
			exempt: [],
			minGapSec,
			source: { law: "a law", url: "https://example.org/law", basis: "text" },
		});
		const { placeLimitsOf: limitsOf } = callingLaw({ rules: [rule("short-gap", 60), rule("long-gap", 3_600)] });
		expect(limitsOf(SAO_PAULO, "marketing")).toEqual({ limits: [], minGapSec: 3_600, exemptions: [] });
	});
	test.each<[string, CallTarget, Purpose, number | undefined]>([
		["15 s in the United States", WASHINGTON_DC, "marketing", 15],
		["… for marketing only", WASHINGTON_DC, "informational", undefined],
		["15 s in the United Kingdom for all", LONDON, "emergency", 15],
		["no rule in France", PARIS, "marketing", undefined],
		["nor for a private number", extension(), "marketing", undefined],
	])("least ring time: %s", (_sentence, target, purpose, seconds) => {
		expect(leastRingSecOf(target, purpose)).toBe(seconds);
	});
});

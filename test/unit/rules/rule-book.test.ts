import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type CallTarget, callingLaw } from "../../../shared/rules/calling-rules.ts";
import rulesData from "../../../shared/rules/data/rules.json" with { type: "json" };
import { readRuleBook } from "../../../shared/rules/rule-book.ts";

const NOON = Date.parse("2026-11-25T18:00:00Z");
const number = (e164: string): CallTarget => ({ number: e164, isPrivate: false });
const MIAMI = number("+13055550123");
const NEW_YORK = number("+12125550123");
const TOLL_FREE = number("+18005550100");
const LONDON = number("+442071234567");

const ruleOf = (over: object = {}) => ({
	id: "us-fl-test",
	places: ["US-FL"],
	exempt: ["emergency"],
	hours: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "08:00", to: "20:00" }],
	source: { law: "a law", url: "https://example.org/law", basis: "text" },
	...over,
});

describe("the rules that are in force by default", () => {
	const book = readRuleBook(rulesData);
	test("are all well-formed", () => {
		expect(book.malformed).toEqual([]);
		expect(book.rules).toHaveLength(rulesData.rules.length);
	});
	test("say when they were checked and that they are no legal advice", () => {
		expect(rulesData.checked).toMatch(/^\d{4}-\d{2}-\d{2}$/);
		expect(rulesData.notice).toMatch(/Not legal advice/);
	});
	test("are all in the operators' document", () => {
		const text = readFileSync(new URL("../../../docs/calling-rules.md", import.meta.url), "utf8");
		expect(rulesData.rules.map(({ id }) => id).filter((id) => !text.includes(`| \`${id}\` |`))).toEqual([]);
	});
	test("use every calendar", () => {
		const used = new Set(rulesData.rules.flatMap((rule) => ("closedOn" in rule ? rule.closedOn : [])));
		const included = Object.values(rulesData.calendars).flatMap((one) => ("include" in one ? one.include : []));
		expect(Object.keys(rulesData.calendars).filter((name) => !used.has(name) && !included.includes(name))).toEqual([]);
	});
	test("never widen the federal hours: every state's hours are within them", () => {
		for (const rule of book.rules.filter(({ places }) => places.some((place) => place.startsWith("US-")))) {
			for (const { from, to } of rule.hours ?? []) expect(from >= "08:00" && to <= "21:00").toBe(true);
		}
	});
});

describe("a malformed rule closes the places it names, whatever the purpose", () => {
	test.each<[string, unknown]>([
		["an hour that is none", ruleOf({ hours: [{ days: [1], from: "8:00", to: "20:00" }] })],
		["an end before the begin", ruleOf({ hours: [{ days: [1], from: "20:00", to: "08:00" }] })],
		["a day that is none", ruleOf({ hours: [{ days: [0], from: "08:00", to: "20:00" }] })],
		["no days", ruleOf({ hours: [] })],
		["a misspelt field", ruleOf({ openOn: ["us-federal"] })],
		["a purpose that is none", ruleOf({ exempt: ["private"] })],
		["nothing that it asks for", ruleOf({ hours: undefined })],
		["no source", ruleOf({ source: undefined })],
		["a calendar that is not there", ruleOf({ closedOn: ["atlantis"] })],
		["a calendar that is malformed", ruleOf({ closedOn: ["wrong"] })],
		["a calendar that includes itself", ruleOf({ closedOn: ["circle"] })],
		["a calendar's name that every object has", ruleOf({ closedOn: ["constructor"] })],
		["an attempt limit of none", ruleOf({ hours: undefined, attempts: { max: 0, perHours: 24 } })],
	])("%s", (_what, rule) => {
		const data = {
			rules: [rule],
			calendars: {
				wrong: { days: [{ name: "30 February", month: 2, day: 30 }] },
				circle: { include: ["circle"], days: [{ name: "New Year", month: 1, day: 1 }] },
			},
		};
		const { opennessOf } = callingLaw(data);
		for (const purpose of ["marketing", "informational", "emergency"] as const) {
			for (const target of [MIAMI, TOLL_FREE]) {
				expect(opennessOf(target, { purpose }, NOON)).toMatchObject({
					open: false,
					opensAt: undefined,
					why: expect.stringMatching(/^rule us-fl-test is malformed: ./),
				});
			}
			expect(opennessOf(NEW_YORK, { purpose }, NOON).open).toBe(true);
			expect(opennessOf(LONDON, { purpose }, NOON).open).toBe(true);
		}
	});
	test("two rules of one id", () => {
		const { opennessOf } = callingLaw({ rules: [ruleOf(), ruleOf()] });
		expect(opennessOf(MIAMI, { purpose: "marketing" }, NOON).open).toBe(false);
		expect(opennessOf(NEW_YORK, { purpose: "marketing" }, NOON).open).toBe(true);
	});
	test("the others hold as ever", () => {
		const other = ruleOf({ id: "gb-test", places: ["GB"], hours: [{ days: [4], from: "08:00", to: "20:00" }] });
		const { opennessOf } = callingLaw({ rules: [ruleOf({ exempt: 1 }), other] });
		expect(opennessOf(LONDON, { purpose: "marketing" }, NOON)).toMatchObject({
			open: false,
			opensAt: Date.parse("2026-11-26T08:00:00Z"),
		});
	});
	test.each<[string, unknown]>([
		["no places", ruleOf({ places: [] })],
		["a place that cannot be read", ruleOf({ places: ["US-FL", "Florida"] })],
		["no rule at all", "us-fl-test"],
		["null", null],
	])("one that names %s closes all countries, and no private number", (_what, rule) => {
		const { opennessOf } = callingLaw({ rules: [rule] });
		expect(opennessOf(LONDON, { purpose: "emergency" }, NOON).open).toBe(false);
		expect(opennessOf({ number: "201", isPrivate: true }, { purpose: "marketing" }, NOON).open).toBe(true);
	});
	test.each([undefined, null, 1, [], {}, { rules: {} }])("data without a list of rules: %j", (data) => {
		expect(callingLaw(data).opennessOf(LONDON, { purpose: "emergency" }, NOON).open).toBe(false);
	});
});

describe("a country whose zones are unknown", () => {
	const place = { country: "FL", states: [], zones: [] };
	const window = { from: "09:00", to: "17:00", days: [1, 2, 3, 4, 5, 6, 7], holidays: [] };
	const ask = (rules: unknown[], over: { timeZone?: string; window?: typeof window & { timeZone?: string } }) =>
		callingLaw({ rules }, () => place).opennessOf(
			{ ...LONDON, timeZone: over.timeZone },
			{ purpose: "marketing", window: over.window },
			NOON,
		);
	const rule = ruleOf({ id: "fl-test", places: ["FL"] });
	test("is closed where a rule of it needs one, and a window's zone does not help", () => {
		expect(ask([rule], {})).toMatchObject({
			open: false,
			opensAt: undefined,
			why: expect.stringMatching(/no zone is known for FL/),
		});
		expect(ask([rule], { window: { ...window, timeZone: "Europe/London" } }).open).toBe(false);
	});
	test("is closed where there is a window without a zone", () => {
		expect(ask([], { window })).toMatchObject({ open: false, opensAt: undefined });
	});
	test("is open by a window's or a contact's zone, and where nothing asks for one", () => {
		expect(ask([], { window: { ...window, timeZone: "America/New_York" } }).open).toBe(true);
		expect(ask([rule], { timeZone: "America/New_York" }).open).toBe(true);
		expect(ask([], {}).open).toBe(true);
	});
});

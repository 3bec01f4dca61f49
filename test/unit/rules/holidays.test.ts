import { describe, expect, test } from "@jest/globals";
import rulesData from "../../../shared/rules/data/rules.json" with { type: "json" };
import { easterOf, type Holiday, holidaysOf } from "../../../shared/rules/holidays.ts";
import { readRuleBook } from "../../../shared/rules/rule-book.ts";

const text = (day: number): string => new Date(day).toISOString().slice(0, 10);
const daysOf = (holidays: readonly Holiday[], year: number): string[] =>
	[...holidaysOf(holidays, year)].sort((a, b) => a - b).map(text);
const ofRule = (id: string, year: number): string[] =>
	daysOf(readRuleBook(rulesData).rules.find((rule) => rule.id === id)?.holidays ?? [], year);

test.each([
	[2024, "2024-03-31"],
	[2025, "2025-04-20"],
	[2026, "2026-04-05"],
	[2027, "2027-03-28"],
	[2038, "2038-04-25"],
	[2285, "2285-03-22"],
])("Easter of %i", (year, day) => {
	expect(text(easterOf(year))).toBe(day);
});

describe("substitutes of a holiday at a weekend", () => {
	const christmas = (substitute: "nearest" | "following" | "afterSunday"): Holiday[] => [
		{ name: "Christmas Day", month: 12, day: 25, substitute },
		{ name: "the day after", month: 12, day: 26, substitute },
	];
	test.each([
		// 25 December 2027 is a Saturday.
		["nearest", 2027, ["2027-12-24", "2027-12-25", "2027-12-26", "2027-12-27"]],
		["following", 2027, ["2027-12-25", "2027-12-26", "2027-12-27", "2027-12-28"]],
		["afterSunday", 2027, ["2027-12-25", "2027-12-26", "2027-12-27"]],
		// 2022: a Sunday.
		["nearest", 2022, ["2022-12-25", "2022-12-26"]],
		["following", 2022, ["2022-12-25", "2022-12-26", "2022-12-27"]],
		["following", 2026, ["2026-12-25", "2026-12-26", "2026-12-28"]],
	] as const)("%s, %i", (substitute, year, days) => {
		expect(daysOf(christmas(substitute), year)).toEqual(days);
	});
	test("New Year's Day on a Saturday is kept on the last day of the year before", () => {
		const newYear: Holiday[] = [{ name: "New Year's Day", month: 1, day: 1, substitute: "nearest" }];
		expect(daysOf(newYear, 2027)).toEqual(["2027-01-01", "2027-12-31"]);
		expect(daysOf(newYear, 2028)).toEqual(["2028-01-01"]);
	});
});

describe("the calendars", () => {
	test("of the United States, 2026, with those of Utah", () => {
		expect(ofRule("us-ut-hours", 2026)).toEqual([
			"2026-01-01",
			"2026-01-19",
			"2026-02-16",
			"2026-05-25",
			"2026-06-15",
			"2026-06-19",
			"2026-07-03",
			"2026-07-04",
			"2026-07-24",
			"2026-09-07",
			"2026-10-12",
			"2026-11-11",
			"2026-11-26",
			"2026-12-25",
		]);
	});
	test("of Alabama has Mardi Gras, Confederate Memorial Day and Jefferson Davis' birthday", () => {
		expect(ofRule("us-al-hours", 2026)).toEqual(expect.arrayContaining(["2026-02-17", "2026-04-27", "2026-06-01"]));
	});
	test("of Rhode Island has its election days every other year", () => {
		expect(ofRule("us-ri-hours", 2026)).toContain("2026-11-03");
		expect(ofRule("us-ri-hours", 2027)).not.toContain("2027-11-02");
		expect(ofRule("us-pa-holidays", 2027)).toContain("2027-11-02");
	});
	test("of France, 2026", () => {
		expect(ofRule("fr-hours", 2026)).toEqual([
			"2026-01-01",
			"2026-04-06",
			"2026-05-01",
			"2026-05-08",
			"2026-05-14",
			"2026-05-25",
			"2026-07-14",
			"2026-08-15",
			"2026-11-01",
			"2026-11-11",
			"2026-12-25",
		]);
	});
	test("of Australia, 2026: Boxing Day is a Saturday", () => {
		expect(ofRule("au-hours", 2026)).toEqual([
			"2026-01-01",
			"2026-01-26",
			"2026-04-03",
			"2026-04-06",
			"2026-04-25",
			"2026-12-25",
			"2026-12-26",
			"2026-12-28",
		]);
	});
});

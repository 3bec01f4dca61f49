import { describe, expect, test } from "@jest/globals";
import { InvalidArgumentError } from "commander";
import { listFormat, placeOf } from "../../../cli/files.ts";
import {
	daysInWords,
	nameValue,
	pointInTime,
	retryRule,
	timeSpan,
	weekdays,
	wholeNumber,
} from "../../../cli/options.ts";
import { commandLine } from "../../../cli/repeat.ts";

describe("whole numbers", () => {
	test.each(["", "1.5", "-1", "1e3", "0x10", " 5", "99999999999999999999"])("%j is none", (text) => {
		expect(() => wholeNumber(1)(text)).toThrow("whole number, at least 1");
	});
	test("the least one is taken", () => {
		expect(wholeNumber(1)("1")).toBe(1);
		expect(() => wholeNumber(5)("4")).toThrow("at least 5");
	});
});

describe("NAME=VALUE", () => {
	test("is collected; only the first = separates", () => {
		expect(nameValue("b=1=2", { a: "x" })).toEqual({ a: "x", b: "1=2" });
		expect(nameValue("a=")).toEqual({ a: "" });
	});
	test.each(["", "a", "=x"])("%j is none", (text) => {
		expect(() => nameValue(text)).toThrow("NAME=VALUE");
	});
});

describe("retry rules", () => {
	test("are collected by outcome", () => {
		expect(retryRule("noAnswer=3600x1", retryRule("busy=300x2"))).toEqual({
			busy: { afterSec: 300, max: 2 },
			noAnswer: { afterSec: 3_600, max: 1 },
		});
	});
	test("none takes all away", () => {
		expect(retryRule("none", { busy: { afterSec: 1, max: 1 } })).toEqual({});
	});
	test.each(["busy", "busy=300", "busy=x2", "answered=300x2", "toString=1x1"])("%j is refused", (text) => {
		expect(() => retryRule(text)).toThrow("busy=300x2");
	});
});

describe("points in time", () => {
	const at = pointInTime(() => Date.parse("2026-12-01T00:00:00Z"));
	test("days count from now", () => {
		expect(at("90d")).toBe(Date.parse("2027-03-01T00:00:00Z"));
	});
	test("ISO 8601 is taken as it is", () => {
		expect(at("2027-01-01T00:00:00Z")).toBe(Date.parse("2027-01-01T00:00:00Z"));
	});
	test.each(["", "soon", "2020-01-01T00:00:00Z", "0d"])("%j is refused", (text) => {
		expect(() => at(text)).toThrow();
	});
});

describe("the format of a list", () => {
	test.each([
		["people.csv", undefined, "csv"],
		["people.CSV", undefined, "csv"],
		["a/people.jsonl", undefined, "ndjson"],
		["people.txt", "csv", "csv"],
		["-", "json", "json"],
	])("%s with --format %s is %s", (path, given, format) => {
		expect(listFormat(path, given)).toBe(format);
	});
	test.each([["people.xlsx"], ["people"], ["-"], ["x.constructor"]])("%s is not known", (path) => {
		expect(() => listFormat(path, undefined)).toThrow("is not known");
	});
});

test("a place in a text is a line and a column from 1", () => {
	expect(placeOf("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
	expect(placeOf("ab", 0)).toEqual({ line: 1, column: 1 });
});

test("a command that is shown again is quoted for a shell, without its key and without secrets", () => {
	expect(
		commandLine(["campaign", "submit", "my list.json", "--key", "k", "--token=t", "--token", "t", "--watch", "it's"]),
	).toBe("burst-dialer campaign submit 'my list.json' --watch 'it'\\''s'");
});

describe("weekdays", () => {
	test.each([
		["mon-fri", [1, 2, 3, 4, 5]],
		["sat,sun", [6, 7]],
		["fri-mon", [1, 5, 6, 7]],
		["Wednesday, mon", [1, 3]],
		["tue-tue", [2]],
		["mon-sun", [1, 2, 3, 4, 5, 6, 7]],
	])("%s", (text, days) => {
		expect(weekdays(text)).toEqual(days);
	});
	test.each(["", "fry", "mon-", "mon-tue-wed", "1-5", "mon;tue"])("%j is refused", (text) => {
		expect(() => weekdays(text)).toThrow(InvalidArgumentError);
	});
	test.each([
		[[1, 2, 3, 4, 5], "Mon-Fri"],
		[[6, 7], "Sat, Sun"],
		[[1, 3, 5, 6, 7], "Mon, Wed, Fri-Sun"],
		[[1, 2, 3, 4, 5, 6, 7], "every day"],
	])("%j are %s", (days, words) => {
		expect(daysInWords(days)).toBe(words);
	});
});

describe("lengths of time", () => {
	test.each([
		["90m", 5_400],
		["2h", 7_200],
		["3d", 259_200],
	])("%s", (text, sec) => {
		expect(timeSpan(text)).toBe(sec);
	});
	test.each(["", "0h", "2", "h", "-1h", "1.5h", "2w"])("%j is refused", (text) => {
		expect(() => timeSpan(text)).toThrow("90m, 2h or 3d");
	});
});

import { describe, expect, test } from "@jest/globals";
import { InvalidArgumentError } from "commander";
import { listFormat, placeOf } from "../../../cli/files.ts";
import {
	callingWindow,
	commaList,
	daysInWords,
	nameValue,
	numberBetween,
	orNone,
	pointInTime,
	retryInWords,
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

describe("numbers within bounds, and none", () => {
	test("both bounds are taken", () => {
		expect(["1", "100"].map(numberBetween(1, 100))).toEqual([1, 100]);
	});
	test.each(["0", "101", "", "-1", "5.5", "1e1", "many"])("%j is refused", (text) => {
		expect(() => numberBetween(1, 100)(text)).toThrow("from 1 to 100");
	});
	test("none takes away, and is named where a value is wrong", () => {
		const parse = orNone(numberBetween(1, 9));
		expect([parse("none"), parse("3")]).toEqual(["none", 3]);
		expect(() => parse("nothing")).toThrow("It must be a whole number from 1 to 9. Or none.");
	});
});

describe("several values", () => {
	test("are separated by commas", () => {
		expect(commaList("+12025550100, +12125550100")).toEqual(["+12025550100", "+12125550100"]);
	});
	test.each(["", ",", "a,", "a,,b"])("%j is refused", (text) => {
		expect(() => commaList(text)).toThrow("one or more values");
	});
});

describe("calling windows", () => {
	test.each([
		["08:00-21:00", { from: "08:00", to: "21:00" }],
		["08:00-24:00", { from: "08:00", to: "00:00" }],
		["08:00-21:00,mon-fri", { from: "08:00", to: "21:00", days: [1, 2, 3, 4, 5] }],
		[
			"09:00-18:00,mon,wed-fri,2026-12-24,2026-12-31,America/New_York",
			{
				from: "09:00",
				to: "18:00",
				days: [1, 3, 4, 5],
				holidays: ["2026-12-24", "2026-12-31"],
				timeZone: "America/New_York",
			},
		],
		["08:00-21:00,UTC", { from: "08:00", to: "21:00", timeZone: "UTC" }],
	])("%s", (text, window) => {
		expect(callingWindow(text)).toEqual(window);
	});
	test.each([
		["", "It must be times as in 08:00-21:00"],
		["8-21", "It must be times as in 08:00-21:00"],
		["08:00", "It must be times as in 08:00-21:00"],
		["mon-fri,08:00-21:00", "It must be times as in 08:00-21:00"],
		["21:00-08:00", "08:00: must be after `from`; a window does not reach over midnight"],
		["08:00-08:00", "must be after `from`"],
		["08:00-25:00", "25:00: a time of day as HH:MM"],
		["24:00-24:00", "24:00: a time of day as HH:MM"],
		["08:00-21:00,fry", "fry: is no IANA time zone"],
		["08:00-21:00,mon-fry", "mon-fry: is no IANA time zone"],
		["08:00-21:00,+01:00", "+01:00: is no IANA time zone"],
		["08:00-21:00,", ": is no IANA time zone"],
		["08:00-21:00,2026-02-30", "2026-02-30: Invalid ISO date"],
		["08:00-21:00,UTC,Asia/Tokyo", '"UTC" and "Asia/Tokyo" cannot both be the time zone'],
	])("%j is refused", (text, message) => {
		expect(() => callingWindow(text)).toThrow(message);
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
	test("may grow, and go through another trunk; they are shown as they are given", () => {
		const texts = ["busy=300x3,growth=1.5", "congestion=30x5,otherTrunk=no,growth=2", "noAnswer=60x0,otherTrunk=yes"];
		const rules = texts.reduce((before, text) => retryRule(text, before), {});
		expect(rules).toEqual({
			busy: { afterSec: 300, max: 3, growth: 1.5 },
			congestion: { afterSec: 30, max: 5, otherTrunk: false, growth: 2 },
			noAnswer: { afterSec: 60, max: 0, otherTrunk: true },
		});
		expect(retryInWords(rules)).toEqual([
			"busy=300x3,growth=1.5",
			"congestion=30x5,growth=2,otherTrunk=no",
			"noAnswer=60x0,otherTrunk=yes",
		]);
	});
	test.each(["busy", "busy=300", "busy=x2", "answered=300x2", "toString=1x1", "busy=3x2 growth=2", ""])(
		"%j is refused",
		(text) => {
			expect(() => retryRule(text)).toThrow("busy=300x2");
		},
	);
	test.each([
		["busy=300x2,growth", '"growth"'],
		["busy=300x2,growth=-1", '"growth=-1"'],
		["busy=300x2,growth=x", '"growth=x"'],
		["busy=300x2,otherTrunk=maybe", '"otherTrunk=maybe"'],
		["busy=300x2,", '""'],
		["busy=300x2,noAnswer=5x1", '"noAnswer=5x1"'],
	])("%j: what is not known is named", (text, named) => {
		expect(() => retryRule(text)).toThrow(`${named} is not known in a retry rule`);
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

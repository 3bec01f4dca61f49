import { describe, expect, test } from "@jest/globals";
import { ExpressionError, nextFiring, readCron } from "../../../local/scheduler/cron.ts";

const firings = (expression: string, timeZone: string, after: string, count: number): string[] => {
	const cron = readCron(expression);
	const found: string[] = [];
	let at: number | undefined = Date.parse(after);
	while (found.length < count) {
		at = nextFiring(cron, timeZone, at);
		if (at === undefined) break;
		found.push(new Date(at).toISOString());
	}
	return found;
};

describe("when an entry fires", () => {
	test.each([
		[
			"every day",
			"cron(30 8 ? * * *)",
			"UTC",
			"2026-01-01T08:30:00Z",
			["2026-01-02T08:30:00.000Z", "2026-01-03T08:30:00.000Z"],
		],
		[
			"later the same day",
			"cron(30 8 ? * * *)",
			"UTC",
			"2026-01-01T08:29:59.999Z",
			["2026-01-01T08:30:00.000Z", "2026-01-02T08:30:00.000Z"],
		],
		// 2026-01-02 is a Friday.
		[
			"on some days of the week",
			"cron(0 9 ? * MON,FRI *)",
			"UTC",
			"2026-01-01T00:00:00Z",
			["2026-01-02T09:00:00.000Z", "2026-01-05T09:00:00.000Z"],
		],
		[
			"on days given by AWS's numbers (1 is Sunday)",
			"cron(0 9 ? * 1 *)",
			"UTC",
			"2026-01-01T00:00:00Z",
			["2026-01-04T09:00:00.000Z", "2026-01-11T09:00:00.000Z"],
		],
		[
			"over the end of the week",
			"cron(0 9 ? * SAT-MON *)",
			"UTC",
			"2026-01-01T00:00:00Z",
			["2026-01-03T09:00:00.000Z", "2026-01-04T09:00:00.000Z", "2026-01-05T09:00:00.000Z", "2026-01-10T09:00:00.000Z"],
		],
		[
			"by the day of the month, with steps and ranges",
			"cron(0/30 22-23 31 1,3 ? *)",
			"UTC",
			"2026-02-01T00:00:00Z",
			["2026-03-31T22:00:00.000Z", "2026-03-31T22:30:00.000Z", "2026-03-31T23:00:00.000Z", "2026-03-31T23:30:00.000Z"],
		],
		[
			"by a clock that is behind",
			"cron(0 20 ? * SUN *)",
			"America/Los_Angeles",
			"2026-07-05T00:00:00Z",
			["2026-07-06T03:00:00.000Z", "2026-07-13T03:00:00.000Z"],
		],
		[
			"by a clock that is ahead by a fraction of an hour",
			"cron(15 0 ? * * *)",
			"Asia/Kathmandu",
			"2026-07-05T00:00:00Z",
			["2026-07-05T18:30:00.000Z"],
		],
		[
			"the same local time before and after the clock is put forward",
			"cron(30 8 ? * * *)",
			"Europe/Berlin",
			"2026-03-27T12:00:00Z",
			["2026-03-28T07:30:00.000Z", "2026-03-29T06:30:00.000Z", "2026-03-30T06:30:00.000Z"],
		],
		[
			"not at a time that the clock leaves out",
			"cron(30 2 ? * * *)",
			"Europe/Berlin",
			"2026-03-27T12:00:00Z",
			["2026-03-28T01:30:00.000Z", "2026-03-30T00:30:00.000Z"],
		],
		[
			"once at a time that comes twice",
			"cron(30 2 ? * * *)",
			"Europe/Berlin",
			"2026-10-24T12:00:00Z",
			["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
		],
		[
			"at midnight where midnight is left out: the day after",
			"cron(0 0 ? * * *)",
			"Africa/Cairo",
			"2026-04-22T23:00:00Z",
			["2026-04-24T21:00:00.000Z"],
		],
		["never again after the last year", "cron(0 0 1 1 ? 2025)", "UTC", "2026-01-01T00:00:00Z", []],
	])("%s", (_, expression, timeZone, after, expected) => {
		expect(firings(expression, timeZone, after, Math.max(1, expected.length))).toEqual(expected);
	});
});

describe("what is refused", () => {
	test.each([
		["rate(5 minutes)"],
		["at(2026-01-01T00:00:00)"],
		["cron(0 8 * * * *)"],
		["cron(0 8 ? * ? *)"],
		["cron(0 8 ? * *)"],
		["cron(60 8 ? * * *)"],
		["cron(0 24 ? * * *)"],
		["cron(0 8 L * ? *)"],
		["cron(0 8 ? * MON#1 *)"],
		["cron(0 8 ? * FUN *)"],
		["cron(0/0 8 ? * * *)"],
		["cron(*-5 8 ? * * *)"],
		["cron(, 8 ? * * *)"],
		[""],
	])("%j", (expression) => {
		expect(() => readCron(expression)).toThrow(ExpressionError);
	});

	test("a zone that is none", () => {
		expect(() => nextFiring(readCron("cron(0 8 ? * * *)"), "Europe/Nowhere", 0)).toThrow(ExpressionError);
	});
});

import { describe, expect, test } from "@jest/globals";
import { withPrefix } from "../../../cli/commands/suppression-add.ts";
import { parseList } from "../../../shared/contacts/parse.ts";
import { checkNumbers } from "../../../shared/suppression/check-numbers.ts";

const rows = (...values: unknown[]) => values.map((value, i) => ({ line: i + 1, value }));

describe("the rows of a list", () => {
	test("are numbers, or objects with one, each taken once", () => {
		expect(
			checkNumbers(rows("+12025550123", { number: "4711" }, "+12025550123", { number: " 12 ", id: "x" }), 1),
		).toEqual({
			numbers: [
				{ line: 1, number: "+12025550123" },
				{ line: 2, number: "4711" },
				{ line: 4, number: "12" },
			],
			repeated: 1,
			rejected: [],
			rejectedCount: 0,
		});
	});
	test.each([
		"+1 202 555 0123",
		"(202) 555-0123",
		"+0123456789",
		"+1",
		"",
		"1".repeat(33),
		"+1202555012X",
		"１２３",
		12025550123,
		null,
		["+12025550123"],
		{ phone: "+12025550123" },
		{ number: 12025550123 },
	])("%j is told back with its line", (value) => {
		const checked = checkNumbers(rows("+12025550123", value), 1);
		expect(checked.numbers).toHaveLength(1);
		expect(checked.rejected).toMatchObject([{ line: 2, reason: expect.stringMatching(/number/) }]);
	});
	test("before the line to begin with are passed over, bad ones too", () => {
		expect(checkNumbers(rows("x", "+12025550123", "+12025550124"), 3)).toMatchObject({
			numbers: [{ line: 3 }],
			rejectedCount: 0,
		});
	});
	test("that are bad are counted beyond those that are told", () => {
		const checked = checkNumbers(rows(...Array.from({ length: 300 }, () => "x")), 1);
		expect(checked).toMatchObject({ rejectedCount: 300, numbers: [] });
		expect(checked.rejected).toHaveLength(200);
	});
});

test("a file's numbers have the country put before them where it is missing", () => {
	const csv = parseList(Buffer.from("number,name\n2025550123,A\n+442079460000,B\n 2025550124 ,C\n1,2,3\n"), "csv");
	expect(checkNumbers(withPrefix(csv, "+1"), 1)).toMatchObject({
		numbers: [
			{ line: 2, number: "+12025550123" },
			{ line: 3, number: "+442079460000" },
			{ line: 4, number: "+12025550124" },
		],
		rejected: [{ line: 5 }],
	});
	expect(withPrefix(csv, undefined)).toBe(csv);
});

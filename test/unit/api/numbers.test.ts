import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { numberFormatSchema, privateNumberSchema } from "../../../shared/contract/trunk.ts";
import { checkNumber, type NumberRule } from "../../../shared/numbers/check.ts";
import { DIAL_PATTERN, dialNumber } from "../../../shared/numbers/format.ts";

const format = (over: Record<string, unknown> = {}) => numberFormatSchema.parse(over);

describe("dialNumber", () => {
	test.each([
		[{}, "+12025550123", "12025550123"],
		[{ plus: true }, "+12025550123", "+12025550123"],
		[{ strip: 1 }, "+12025550123", "2025550123"],
		[{ prefix: "00" }, "+12025550123", "0012025550123"],
		[{ prefix: "9#", strip: 2 }, "+4930123456", "9#30123456"],
		[{ plus: true, prefix: "49", strip: 1 }, "+12025550123", "+492025550123"],
		[{ plus: true }, "4711", "4711"],
		[{ strip: 9 }, "4711", ""],
	])("%j makes of %s %s", (over, number, dialed) => expect(dialNumber(format(over), number)).toBe(dialed));

	test("nothing but what may be dialed ever comes out", () => {
		const formats = fc.record({
			strip: fc.integer({ min: 0, max: 15 }),
			prefix: fc.stringMatching(/^[0-9+*#]{0,16}$/),
			plus: fc.boolean(),
		});
		fc.assert(
			fc.property(formats, fc.string(), (given, number) => {
				expect(dialNumber(given, number)).toMatch(/^[0-9+*#]*$/);
			}),
		);
		fc.assert(
			fc.property(formats, fc.stringMatching(/^\+?[0-9;&\r\n]{1,40}$/), (given, number) => {
				const rule: NumberRule = { numbering: "private", countries: [], format: given };
				const checked = checkNumber(rule, number);
				if (!checked.ok) return;
				expect(privateNumberSchema.safeParse(number).success).toBe(true);
				expect(dialNumber(given, checked.number)).toMatch(DIAL_PATTERN);
			}),
		);
	});
});

describe("checkNumber", () => {
	const rule = (...countries: string[]): NumberRule => ({ numbering: "e164", countries, format: format() });
	const ALL = rule("US", "GB", "DE", "FR", "JM", "CA");
	test.each(["+12025550123", "+442079460000", "+4930123456", "+18005550123"])("%s is taken", (number) =>
		expect(checkNumber(ALL, number)).toEqual({ ok: true, number }),
	);
	test.each([
		["12025550123", "is not E.164"],
		["+1202555012345678", "is not E.164"],
		["+11115550123", "is not a valid number"],
		["+19005550123", "premium-rate"],
		["+448431234567", "premium-rate"],
		["+33899123456", "premium-rate"],
		["+979123456789", "premium-rate"],
		["+491805123456", "shared-cost"],
		["+447012345678", "personal"],
		["+881612345678", "satellite"],
		["+870773123456", "satellite"],
		["+88213123456", "satellite"],
		["+8835100012345", "satellite"],
		["+80012345678", "no country"],
	])("%s is refused: %s", (number, reason) =>
		expect(checkNumber(ALL, number)).toEqual({ ok: false, reason: expect.stringContaining(reason) }),
	);
	test("a number of a country that the trunk may not dial is refused, in the same numbering plan too", () => {
		expect(checkNumber(rule("US"), "+18765550123")).toEqual({ ok: false, reason: "is in JM; the trunk may dial US" });
		expect(checkNumber(rule(), "+12025550123")).toEqual({ ok: false, reason: "is in US; the trunk may dial none" });
	});
	test("what the trunk's format would make undialable is refused", () => {
		const strict: NumberRule = { numbering: "private", countries: [], format: format({ prefix: "1".repeat(16) }) };
		expect(checkNumber(strict, "1".repeat(24)).ok).toBe(true);
		expect(checkNumber(strict, "1".repeat(25)).ok).toBe(false);
		expect(checkNumber({ ...strict, format: format({ strip: 5 }) }, "12345").ok).toBe(false);
	});
});

import { describe, expect, test } from "@jest/globals";
import { getCountries } from "libphonenumber-js/max";
import data from "../../../shared/rules/data/places.json" with { type: "json" };
import { placeOf } from "../../../shared/rules/places.ts";
import { isZone } from "../../../shared/time/clock.ts";

describe("where a number may be", () => {
	test.each([
		["+12025550123", { country: "US", states: ["US-DC"], zones: ["America/New_York"] }],
		["+13055550123", { country: "US", states: ["US-FL"], zones: ["America/New_York"] }],
		// Its area code is laid over 407: Orlando.
		["+16895550123", { country: "US", states: ["US-FL"], zones: ["America/New_York"] }],
		["+18505550123", { country: "US", states: ["US-FL"], zones: ["America/Chicago", "America/New_York"] }],
		// Laid over 850: the same territory.
		["+14485550123", { country: "US", states: ["US-FL"], zones: ["America/Chicago", "America/New_York"] }],
		[
			"+16055550123",
			{ country: "US", states: ["US-SD"], zones: ["America/Chicago", "America/Denver", "America/North_Dakota/Center"] },
		],
		["+19285550123", { country: "US", states: ["US-AZ"], zones: ["America/Denver", "America/Phoenix"] }],
		["+19155550123", { country: "US", states: ["US-TX"], zones: ["America/Denver"] }],
		["+19025550123", { country: "CA", states: ["CA-NS", "CA-PE"], zones: ["America/Halifax"] }],
		["+17875550123", { country: "PR", states: [], zones: ["America/Puerto_Rico"] }],
		["+18765550123", { country: "JM", states: [], zones: ["America/Jamaica"] }],
		["+5511987654321", { country: "BR", states: [], zones: ["America/Sao_Paulo"] }],
		["+5568987654321", { country: "BR", states: [], zones: ["America/Rio_Branco"] }],
		["+442071234567", { country: "GB", states: [], zones: ["Europe/London"] }],
		["+4930123456", { country: "DE", states: [], zones: ["Europe/Berlin", "Europe/Zurich"] }],
	])("%s", (number, place) => {
		expect(placeOf(number)).toEqual(place);
	});
	test.each([["+80012345678"], ["+88213300000"], ["12025550123"], ["+1"], [""], ["nobody"]])(
		"%j is nowhere",
		(number) => {
			expect(placeOf(number)).toBeUndefined();
		},
	);
	test("a toll-free number is anywhere in its country", () => {
		const place = placeOf("+18005550100");
		expect(place).toMatchObject({ country: "US", states: [] });
		expect(place?.zones).toEqual(expect.arrayContaining(["America/New_York", "Pacific/Honolulu", "America/Adak"]));
	});
	test("an Australian mobile is anywhere in Australia, a fixed line in its region", () => {
		expect(placeOf("+61412345678")?.zones).toEqual(expect.arrayContaining(["Australia/Perth", "Australia/Sydney"]));
		expect(placeOf("+61891234567")?.zones).toEqual(expect.arrayContaining(["Australia/Perth", "Australia/Darwin"]));
		expect(placeOf("+61891234567")?.zones).not.toContain("Australia/Sydney");
		// The Cocos Islands have numbers of Western Australia.
		expect(placeOf("+61891621234")).toEqual({ country: "CC", states: [], zones: ["Asia/Yangon"] });
	});
	test("numbers of one area code have the same place, so that what is worked out for one serves all", () => {
		expect(placeOf("+12025550123")).toBe(placeOf("+12025550199"));
	});
});

describe("the table", () => {
	const zonesOf = (groups: Record<string, string>): string[] =>
		Object.keys(groups).flatMap((key) => (key.split("|")[1] ?? "").split(" "));
	test("names zones of this runtime only", () => {
		const all = new Set([
			...Object.values(data.countries).flatMap((zones) => zones.split(" ")),
			...zonesOf(data.prefixes),
			...zonesOf(data.fixedLinePrefixes),
		]);
		expect([...all].filter((zone) => !isZone(zone))).toEqual([]);
	});
	test("has every country that has numbers", () => {
		expect(getCountries().filter((country) => !(country in data.countries))).toEqual([]);
	});
	test("has every prefix once", () => {
		const all = Object.values(data.prefixes).flatMap((prefixes) => prefixes.split(" "));
		expect(new Set(all).size).toBe(all.length);
	});
	test("has all states of the United States", () => {
		const states = new Set(Object.keys(data.prefixes).flatMap((key) => (key.split("|")[0] ?? "").split(" ")));
		expect([...states].filter((state) => state.startsWith("US-"))).toHaveLength(51);
		expect([...states].filter((state) => state.startsWith("CA-"))).toHaveLength(13);
	});
});

import { describe, expect, test } from "@jest/globals";
import { callerIdsFor, chooseCallerId } from "../../../shared/numbers/caller-id.ts";

const OWN = ["+12025550100", "+12125550100", "+12125550101", "+442071230000"];

describe("which caller ids a campaign may show", () => {
	const trunk = { callerIds: OWN, numbering: "e164" as const };
	test("its own that the trunk still has; else the trunk's", () => {
		expect(callerIdsFor({ callerIds: ["+12125550100", "+19995550100"] }, trunk)).toEqual(["+12125550100"]);
		expect(callerIdsFor({ callerId: "+19995550100" }, trunk)).toEqual(OWN);
		expect(callerIdsFor({}, trunk)).toEqual(OWN);
		expect(callerIdsFor({ callerId: "777" }, { callerIds: [], numbering: "private" })).toEqual(["777"]);
	});
});

describe("which one a contact sees", () => {
	test("the nearest to its number, at least of its country and area", () => {
		expect(chooseCallerId(OWN, "+12025551234", "k")).toBe("+12025550100");
		expect(chooseCallerId(OWN, "+442071239999", "k")).toBe("+442071230000");
	});
	test("equally near ones in turn over the contacts, the same contact always the same", () => {
		const seen = new Map<string, number>();
		for (let i = 0; i < 1_000; i++) {
			const chosen = chooseCallerId(OWN, "+12125559999", `contact${i}`);
			expect(chooseCallerId(OWN, "+12125559999", `contact${i}`)).toBe(chosen);
			seen.set(chosen, (seen.get(chosen) ?? 0) + 1);
		}
		expect([...seen.keys()].sort()).toEqual(["+12125550100", "+12125550101"]);
		for (const count of seen.values()) expect(count).toBeGreaterThan(400);
	});
	test("all in turn for a number that none is near to; none of none", () => {
		const seen = new Set(Array.from({ length: 200 }, (_, i) => chooseCallerId(OWN, "+4930123456", `contact${i}`)));
		expect(seen.size).toBe(OWN.length);
		expect(chooseCallerId([], "+12025551234", "k")).toBe("");
	});
});

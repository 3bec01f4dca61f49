import { describe, expect, test } from "@jest/globals";
import type { Outcome } from "../../../shared/contract/outcome.ts";
import type { Settled } from "../../../shared/sync/settle.ts";
import { cpsAt, lowered, observe, paceAt, withTrunksOff } from "../../../shared/sync/trunk-pace.ts";
import { newTrunk } from "../../support/items.ts";

const CAMPAIGN = "01m8gt4n1dcac16k";
const campaigns = new Map([[CAMPAIGN, { trunk: "a", trunks: ["a", "b"].map((id) => ({ id, weight: 1 })) }]]);
const trunk = (pace?: { f: number; at: number }) => ({
	...newTrunk("a", { maxChannels: 10, maxCps: 40, numbering: "private" }),
	...(pace ? { pace } : {}),
});
const ended = (outcome: Outcome, count: number, trunkIndex = 0): Settled[] =>
	Array.from({ length: count }, (_, i) => ({
		callId: `${outcome}${i}`,
		ref: { campaignId: CAMPAIGN, contactKey: "k", attempt: 1, ver: 2, epoch: 1, seq: 1, trunkIndex },
		counted: { outcome, final: true },
		gone: true,
	}));

describe("the pace of a trunk", () => {
	test("is whole where it refused nothing, and comes back by itself", () => {
		expect(paceAt(trunk(), 0)).toBe(1);
		const slow = trunk({ f: 0.25, at: 0 });
		expect(paceAt(slow, 5_000)).toBe(0.25);
		expect(paceAt(slow, 10_000)).toBe(0.5);
		expect(paceAt(slow, 15_000)).toBe(1);
		expect(paceAt(slow, 1e9)).toBe(1);
		expect(cpsAt(slow, 10_000)).toBe(20);
	});
	test("is halved, not again at once, and never to nothing", () => {
		expect(lowered(trunk(), 1_000)).toEqual({ f: 0.5, at: 1_000 });
		expect(lowered(trunk({ f: 0.5, at: 1_000 }), 2_500)).toBeUndefined();
		expect(lowered(trunk({ f: 0.5, at: 1_000 }), 3_500)).toEqual({ f: 0.25, at: 3_500 });
		expect(cpsAt(trunk({ f: 1e-9, at: 0 }), 0)).toBe(0.2);
		const least = lowered(trunk({ f: 0.2 / 40, at: 0 }), 4_000);
		expect(least && cpsAt(trunk(least), 4_000)).toBe(0.2);
	});
});

describe("what a host's calls came to", () => {
	test("is remembered only while there are refusals", () => {
		expect(observe(undefined, ended("answered", 50), campaigns, 0)).toEqual({ refusals: undefined, slow: [], off: [] });
		expect(observe(undefined, ended("congestion", 1), campaigns, 0)).toEqual({
			refusals: { a: { n: 1, r: 1, at: 0 } },
			slow: [],
			off: [],
		});
	});
	test("slows the trunk at the third of many refusals, and begins anew", () => {
		const { refusals } = observe(undefined, ended("congestion", 2), campaigns, 0);
		const third = observe(refusals, ended("congestion", 1), campaigns, 100);
		expect(third).toEqual({ refusals: undefined, slow: ["a"], off: [] });
	});
	test("a few among many are the callees' networks", () => {
		const { refusals, slow } = observe(undefined, [...ended("congestion", 3), ...ended("busy", 20)], campaigns, 0);
		expect(slow).toEqual([]);
		expect(refusals?.["a"]).toEqual({ n: 23, r: 3, at: 0 });
	});
	test("fades, and is forgotten", () => {
		const { refusals } = observe(undefined, ended("congestion", 2), campaigns, 0);
		expect(observe(refusals, ended("congestion", 1), campaigns, 30_000).slow).toEqual([]);
		expect(observe(refusals, ended("answered", 1), campaigns, 60_000).refusals).toBeUndefined();
		// Nothing new: nothing is written.
		expect(observe(refusals, [], campaigns, 60_000).refusals).toEqual(refusals);
	});
	test("is of the trunk that each call went through", () => {
		const { slow } = observe(undefined, [...ended("congestion", 3, 1), ...ended("busy", 3)], campaigns, 0);
		expect(slow).toEqual(["b"]);
	});
	test("a host all of whose calls fail leaves the trunk for a while, by itself", () => {
		const found = observe(undefined, ended("trunkFailure", 3), campaigns, 1_000);
		expect(found).toEqual({ refusals: { a: { n: 0, r: 0, at: 1_000, offUntil: 31_000 } }, slow: [], off: ["a"] });
		const host = { refusals: found.refusals ?? {}, deadTrunks: ["z"] };
		expect(withTrunksOff(host, 30_999).deadTrunks).toEqual(["z", "a"]);
		expect(withTrunksOff(host, 31_001)).toBe(host);
		expect(observe(found.refusals, [], campaigns, 40_000).refusals).toBeUndefined();
		// Some among others are no reason.
		expect(observe(undefined, [...ended("trunkFailure", 3), ...ended("busy", 3)], campaigns, 0).off).toEqual([]);
	});
});

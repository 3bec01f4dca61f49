import { describe, expect, test } from "@jest/globals";
import { strandedCalls, type Usage } from "../../../host/agent/usage.ts";

const usage = (held: Record<string, number>, byCampaign: Record<string, number>): Usage => ({
	used: Object.values(byCampaign).reduce((a, b) => a + b, 0),
	byTrunk: {},
	byCampaign,
	held: Object.entries(held).flatMap(([campaignId, n]) =>
		Array.from({ length: n }, (_, i) => ({ callId: `${campaignId}-${i}`, trunk: "t", campaignId })),
	),
	returns: 0,
	urgentReturns: 0,
	reportable: 0,
	coolingReports: 0,
	total: 0,
});

describe("held calls that keep channels idle", () => {
	test("those of a full campaign, the newest first, as many as channels idle", () => {
		expect(strandedCalls(usage({ a: 5 }, { a: 60 }), { a: 60 }, 3, 0)).toEqual(["a-2", "a-3", "a-4"]);
	});
	test("not those that calls which end soon will free a channel for", () => {
		expect(strandedCalls(usage({ a: 5 }, { a: 60 }), { a: 60 }, 10, 4)).toEqual(["a-4"]);
		expect(strandedCalls(usage({ a: 5 }, { a: 60 }), { a: 60 }, 10, 5)).toEqual([]);
	});
	test("not on a full host, and not where other held calls take the free channels", () => {
		expect(strandedCalls(usage({ a: 5 }, { a: 120 }), { a: 120 }, 0, 0)).toEqual([]);
		expect(strandedCalls(usage({ a: 5, b: 3 }, { a: 60, b: 57 }), { a: 60, b: 60 }, 3, 0)).toEqual([]);
	});
	test("not those that can be dialed, whatever the share of others", () => {
		expect(strandedCalls(usage({ a: 5 }, { a: 10 }), { a: 15 }, 100, 0)).toEqual([]);
	});
	test("a campaign without a share strands all of its calls", () => {
		expect(strandedCalls(usage({ a: 2 }, {}), {}, 5, 0)).toEqual(["a-0", "a-1"]);
	});
});

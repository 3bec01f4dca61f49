import { describe, expect, test } from "@jest/globals";
import { Stranded, strandedCalls } from "../../../host/agent/stranded.ts";
import { ToldState } from "../../../host/agent/told-state.ts";
import type { Usage } from "../../../host/agent/usage.ts";

const usage = (held: Record<string, number>, byLane: Record<string, number>): Usage => ({
	used: Object.values(byLane).reduce((a, b) => a + b, 0),
	byTrunk: {},
	byLane,
	bySlots: {},
	held: Object.entries(held).flatMap(([lane, n]) =>
		Array.from({ length: n }, (_, i) => ({ callId: `${lane}-${i}`, trunk: "t", lane, slots: "t" })),
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

test("only what was stranded twice in a row is given back", () => {
	const stranded = new Stranded();
	expect(stranded.look(["a", "b"])).toEqual([]);
	expect(stranded.look(["b", "c"])).toEqual(["b"]);
	expect(stranded.look([])).toEqual([]);
	expect(stranded.look(["c"])).toEqual([]);
});

describe("what was told of Asterisk", () => {
	test("its absence before it was there is no news, its coming back is, and so is its end", () => {
		const told = new ToldState();
		told.begin();
		expect(told.isNews("asteriskDown")).toBe(false);
		told.forRequest("asteriskDown");
		told.acknowledged();
		expect(told.isNews("up")).toBe(true);
		told.forRequest("up");
		expect(told.isNews("up")).toBe(true);
		told.acknowledged();
		expect(told.isNews("up")).toBe(false);
		expect(told.isNews("asteriskDown")).toBe(true);
	});
	test("an agent that starts again in an epoch does not know what was told", () => {
		expect(new ToldState().isNews("up")).toBe(true);
	});
});

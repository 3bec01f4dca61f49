import { describe, expect, test } from "@jest/globals";
import {
	expectedCompletions,
	nextSyncAt,
	type SyncFacts,
	targetIntervalMs,
	wantedCalls,
	wantedSlots,
} from "../../../host/agent/sync-plan.ts";

const facts = (change: Partial<SyncFacts>): SyncFacts => ({
	lastSendMs: 10_000,
	lastAnswerMs: 10_020,
	emptyOfCalls: 0,
	emptyOfSlots: 0,
	rttMs: 20,
	rate: 0,
	reportable: 0,
	reportableAt: undefined,
	urgentReturns: 0,
	returns: 0,
	live: 10,
	held: 10,
	lackCall: 0,
	lackSlot: 0,
	slotsLeft: 100,
	maxSyncIntervalMs: 1_000,
	minSyncGapMs: 50,
	batch: 12,
	nextSyncMs: 1_000,
	...change,
});

describe("when the next sync is due", () => {
	test("an idle host does not sync", () => {
		expect(nextSyncAt(facts({ live: 0, held: 0 }))).toBeUndefined();
	});

	test.each([
		["with calls live or held: the longest interval", {}, 11_000],
		["the control plane may ask for a shorter one", { nextSyncMs: 300 }, 10_300],
		["a batch of completions", { reportable: 12 }, 10_050],
		["less than a batch waits", { reportable: 11 }, 11_000],
		["a channel idles for want of a call", { lackCall: 1 }, 10_050],
		["a channel idles for want of a slot", { lackSlot: 1 }, 10_050],
		["nothing came: twice the gap", { lackCall: 1, emptyOfCalls: 1 }, 10_100],
		["nothing came for long: the longest interval", { lackCall: 1, emptyOfCalls: 9 }, 11_000],
		["calls came but no slots: patience with the slots only", { lackCall: 1, emptyOfSlots: 9 }, 10_050],
		["what is held would be used up before an answer", { rate: 50, held: 1 }, 10_050],
		["enough is held", { rate: 50, held: 9 }, 11_000],
		["a recall is given back at once", { urgentReturns: 1 }, 10_050],
		["other returns wait", { returns: 1 }, 11_000],
		["not straight after an answer: what ends together goes together", { lackCall: 1, lastAnswerMs: 10_048 }, 10_063],
	] as [string, Partial<SyncFacts>, number][])("%s", (_, change, at) => {
		expect(nextSyncAt(facts(change))).toBe(at);
	});
});

describe("what to ask for", () => {
	test("the interval holds a batch of completions", () => {
		const at = (rate: number) => targetIntervalMs({ rate, batch: 12, minSyncGapMs: 50, maxSyncIntervalMs: 1_000 });
		expect([at(0), at(1), at(24), at(120), at(10_000)]).toEqual([1_000, 1_000, 500, 100, 50]);
	});

	test("expected completions: the mean and a wide spread", () => {
		expect(expectedCompletions(0, 1_000)).toBe(0);
		expect(expectedCompletions(16, 1_000)).toBe(36);
	});

	test("want is what is free and what will be, less what is held", () => {
		const base = { free: 5, capacity: 120, held: 3, live: 115, rate: 16, rttMs: 0, intervalMs: 1_000 };
		expect(wantedCalls(base)).toEqual({ want: 38, prefetch: 36 });
		expect(wantedCalls({ ...base, live: 4 })).toEqual({ want: 6, prefetch: 4 });
		expect(wantedCalls({ ...base, held: 500 })).toEqual({ want: 0, prefetch: 36 });
		expect(wantedCalls({ ...base, free: 100_000, capacity: 100_000 }).want).toBe(200);
	});

	test("slots: for what starts now and what will free, and to last until the next answer", () => {
		const base = {
			startable: 0,
			expected: 10,
			left: 0,
			intervalMs: 1_000,
			rttMs: 0,
			validMs: 500,
			spacingMs: 2,
			aheadMs: 0,
		};
		expect(wantedSlots({ ...base, expected: 0 })).toBe(0);
		expect(wantedSlots({ ...base, validMs: 1_000 })).toBe(11);
		expect(wantedSlots(base)).toBe(250);
		// Others' slots lie before ours: those are not asked for.
		expect(wantedSlots({ ...base, aheadMs: 400 })).toBe(50);
		expect(wantedSlots({ ...base, aheadMs: 2_000 })).toBe(11);
		expect(wantedSlots({ ...base, validMs: undefined, spacingMs: undefined })).toBe(11);
		expect(wantedSlots({ ...base, startable: 5_000 })).toBe(500);
	});
});

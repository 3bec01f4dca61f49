import { describe, expect, test } from "@jest/globals";
import {
	afterFirstList,
	isAlready,
	isPossible,
	isTerminal,
	possibleChanges,
} from "../../../shared/campaigns/states.ts";
import { minuteDelays } from "../../../shared/campaigns/tick.ts";
import { dueAtOf } from "../../../shared/contacts/put-contact.ts";
import { CAMPAIGN_STATES } from "../../../shared/contract/campaign.ts";

describe("campaign states", () => {
	test("what may be asked from each state", () => {
		expect(Object.fromEntries(CAMPAIGN_STATES.map((state) => [state, possibleChanges(state)]))).toEqual({
			importing: "pause or cancel",
			scheduled: "pause or cancel",
			running: "pause or cancel",
			paused: "resume or cancel",
			completed: "",
			cancelled: "",
			failed: "",
		});
	});
	test("no way leads out of a terminal state", () => {
		for (const state of CAMPAIGN_STATES.filter(isTerminal)) {
			for (const change of ["listDone", "start", "pause", "resume", "cancel", "complete", "fail"] as const) {
				expect(isPossible(change, state)).toBe(false);
			}
		}
	});
	test("a repeat of what is already true is no mistake, except after the end", () => {
		expect([isAlready("pause", "paused"), isAlready("resume", "running"), isAlready("cancel", "cancelled")]).toEqual([
			true,
			true,
			true,
		]);
		expect([isAlready("pause", "completed"), isAlready("resume", "failed"), isAlready("cancel", "completed")]).toEqual([
			false,
			false,
			false,
		]);
	});
	test("a list that is done starts the campaign, or lets it wait for its time", () => {
		expect(afterFirstList(undefined, 5)).toBe("running");
		expect(afterFirstList(5, 5)).toBe("running");
		expect(afterFirstList(6, 5)).toBe("scheduled");
	});
});

test("recoveries are spread over the minute", () => {
	expect(minuteDelays(20)).toEqual([0, 20, 40]);
	expect(minuteDelays(60)).toEqual([0]);
	expect(minuteDelays(25)).toEqual([0, 25, 50]);
	expect(minuteDelays(0.1)).toHaveLength(60);
	expect(Math.max(...minuteDelays(7.3))).toBeLessThan(60);
});

test("rows of a list are due in its order, exactly, up to millions", () => {
	const at = Date.parse("2026-11-02T10:00:00.123Z");
	for (const line of [1, 2, 999, 1_000_000, 9_999_999]) {
		expect(dueAtOf(at, undefined, line)).toBeLessThan(dueAtOf(at, undefined, line + 1));
	}
	expect(dueAtOf(at, at + 5_000, 0)).toBe(at + 5_000);
	expect(dueAtOf(at, at - 5_000, 0)).toBe(at);
});

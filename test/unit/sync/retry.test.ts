import { describe, expect, test } from "@jest/globals";
import { MAX_ATTEMPTS, MAX_RETRY_DELAY_SEC, type Retry } from "../../../shared/contract/campaign.ts";
import type { Outcome } from "../../../shared/contract/outcome.ts";
import type { HistoryEntry } from "../../../shared/store/items.ts";
import { type AfterAttempt, afterAttempt, type RetryInput, withTechnicalRetry } from "../../../shared/sync/retry.ts";

const entry = (o: HistoryEntry["o"], n?: number): HistoryEntry => ({
	o,
	by: "h#1#1",
	lease: "h#1#1",
	ver: 2,
	fin: false,
	...(n === undefined ? {} : { n }),
});
const RETRY: Retry = { busy: { afterSec: 300, max: 2 }, hostLost: { afterSec: 10, max: 1 } };

const next = (outcome: Outcome, change: Partial<RetryInput> = {}): AfterAttempt =>
	afterAttempt({
		retry: RETRY,
		outcome,
		attempt: 1,
		contact: {},
		trunkIndex: 0,
		trunks: 1,
		campaign: { ringTimeoutSec: 20, maxCallSec: 40 },
		now: 0,
		...change,
	});

describe("one number", () => {
	test("an outcome without a rule ends the contact", () => {
		expect(next("noAnswer")).toEqual({ final: true });
	});
	test("a rule makes the contact due again after its delay", () => {
		expect(next("busy", { now: 1_000 })).toEqual({ final: false, dueAt: 301_000 });
	});
	test("a rule is used up after its maximum, counted by its own outcome", () => {
		const hist = { "1": entry("busy"), "2": entry("hostLost"), "3": entry("busy") };
		expect(next("busy", { attempt: 3, contact: { hist: { "1": entry("busy"), "2": entry("hostLost") } } }).final).toBe(
			false,
		);
		expect(next("busy", { attempt: 4, contact: { hist } }).final).toBe(true);
	});
	test("no contact has more attempts than its history can hold", () => {
		expect(next("busy", { attempt: MAX_ATTEMPTS }).final).toBe(true);
	});
	test("delays grow, up to a week", () => {
		const retry: Retry = { noAnswer: { afterSec: 100, max: 9, growth: 10 } };
		const delays = [1, 2, 3, 4, 5, 6].map((attempt) => {
			const hist = Object.fromEntries(Array.from({ length: attempt - 1 }, (_, i) => [i + 1, entry("noAnswer")]));
			const following = next("noAnswer", { retry, attempt, contact: { hist } });
			return following.final ? undefined : following.dueAt / 1_000;
		});
		expect(delays).toEqual([100, 1_000, 10_000, 100_000, MAX_RETRY_DELAY_SEC, MAX_RETRY_DELAY_SEC]);
	});
	test("a call lost with its host is not retried while it may still be up", () => {
		expect(next("hostLost")).toEqual({ final: false, dueAt: 60_000 });
	});
	test("an unknown call is only tried again where the campaign says so, and not while it may ring", () => {
		expect(next("unknown")).toEqual({ final: true });
		expect(next("unknown", { retry: { unknown: { afterSec: 1, max: 1 } } })).toEqual({ final: false, dueAt: 50_000 });
	});
});

describe("technical failures", () => {
	const retry = withTechnicalRetry(RETRY);
	test("are tried five times more, later and later, and end as what they are", () => {
		const dues: (number | undefined)[] = [];
		const hist: Record<string, HistoryEntry> = {};
		for (let attempt = 1; attempt <= 6; attempt++) {
			const following = next("congestion", { retry, attempt, contact: { hist: { ...hist } } });
			dues.push(following.final ? undefined : following.dueAt / 1_000);
			hist[attempt] = entry("congestion");
		}
		expect(dues).toEqual([30, 60, 120, 240, 480, undefined]);
	});
	test("do not use up what other outcomes have", () => {
		const hist = Object.fromEntries([1, 2, 3, 4].map((a) => [a, entry("congestion")]));
		expect(next("busy", { retry, attempt: 5, contact: { hist } }).final).toBe(false);
	});
	test("go through another trunk where there is one; a campaign's own rule stands in their place", () => {
		expect(next("congestion", { retry, trunks: 2, trunkIndex: 1 })).toEqual({ final: false, dueAt: 30_000, not: 1 });
		expect(next("busy", { retry, trunks: 2, trunkIndex: 1 })).toEqual({ final: false, dueAt: 300_000 });
		expect(withTechnicalRetry({ congestion: { afterSec: 1, max: 0 } }).congestion).toEqual({ afterSec: 1, max: 0 });
		expect(next("congestion", { retry: withTechnicalRetry({ congestion: { afterSec: 1, max: 0 } }) }).final).toBe(true);
	});
	test("of several numbers try the same one again", () => {
		const contact = { nums: [{ number: "1" }, { number: "2" }], ni: 1 };
		expect(next("congestion", { retry, contact })).toEqual({ final: false, dueAt: 30_000 });
	});
});

describe("several numbers", () => {
	const nums = [{ number: "10" }, { number: "20" }, { number: "30" }];
	test("are tried in order, at once", () => {
		expect(next("noAnswer", { contact: { nums, ni: 0 }, now: 7 })).toEqual({
			final: false,
			dueAt: 7,
			number: { index: 1, number: "20" },
		});
		const hist = { "1": entry("noAnswer", 0) };
		expect(next("invalidNumber", { attempt: 2, contact: { nums, ni: 1, hist }, now: 7 })).toEqual({
			final: false,
			dueAt: 7,
			number: { index: 2, number: "30" },
		});
	});
	test("end with the last where no rule calls for another round", () => {
		const hist = { "1": entry("noAnswer", 0), "2": entry("invalidNumber", 1) };
		expect(next("rejected", { attempt: 3, contact: { nums, ni: 2, hist } })).toEqual({ final: true });
	});
	test("begin another round after the first number's delay, without those that do not exist", () => {
		const hist = { "1": entry("invalidNumber", 0), "2": entry("busy", 1) };
		expect(next("rejected", { attempt: 3, contact: { nums, ni: 2, hist }, now: 0 })).toEqual({
			final: false,
			dueAt: 300_000,
			number: { index: 1, number: "20" },
		});
		const second = { ...hist, "3": entry("rejected", 2) };
		// In the second round the third number, which ended without a rule, is not called again.
		expect(next("busy", { attempt: 4, contact: { nums, ni: 1, hist: second } })).toEqual({
			final: false,
			dueAt: 300_000,
		});
		const third = { ...second, "4": entry("busy", 1) };
		expect(next("busy", { attempt: 5, contact: { nums, ni: 1, hist: third } })).toEqual({ final: true });
	});
	test("an answer ends the contact", () => {
		expect(next("answered", { contact: { nums, ni: 0 } })).toEqual({ final: true });
		expect(next("machine", { contact: { nums, ni: 0 } })).toEqual({ final: true });
	});
});

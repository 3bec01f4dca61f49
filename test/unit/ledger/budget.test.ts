import { describe, expect, test } from "@jest/globals";
import { budgetSchema, dayBudgetSchema } from "../../../shared/contract/budget.ts";
import { nanosOf } from "../../../shared/ledger/amounts.ts";
import { budgetWords, checkBudget, levelOf, reserve } from "../../../shared/ledger/budget.ts";
import { Exact } from "../../../shared/plan/exact.ts";

const DAY = "2026-11-27";
const usd = (value: number): bigint => nanosOf(Exact.of(value));

test.each([
	[10, 7.99, 0, "ok"],
	[10, 8, 0, "warned"],
	[10, 6, 2, "warned"],
	[10, 9.99, 0, "warned"],
	[10, 10, 0, "reached"],
	[10, 4, 6, "reached"],
	[10, 12, 0, "reached"],
] as const)("of $%d, $%d spent and $%d committed: %s", (limit, spent, reserved, level) => {
	expect(levelOf(usd(limit), usd(spent), usd(reserved))).toBe(level);
});

describe("a campaign's budget", () => {
	test.each([
		["its own", { usd: 10 }, 9, 1, "warned", "campaign"],
		["of the day", { usdPerDay: 2 }, 9, 2, "reached", "day"],
		["the higher level of both", { usd: 10, usdPerDay: 2 }, 9, 2, "reached", "day"],
		["of equal ones that of the campaign", { usd: 10, usdPerDay: 2 }, 10, 2, "reached", "campaign"],
		["neither", { usd: 10, usdPerDay: 2 }, 1, 1, "ok", undefined],
	] as const)("%s", (_, budget, spent, today, level, of) => {
		const checked = checkBudget(budget, usd(spent), usd(today), 0n, DAY);
		expect(checked.level).toBe(level);
		expect(checked.of).toBe(of);
	});

	test.each([
		["the same limit", { usd: 10 }, DAY, "reached"],
		["the same limit on another day", { usd: 10 }, "2026-11-26", "reached"],
		["another limit", { usd: 9.5 }, DAY, "warned"],
	] as const)("what was reached stays so after calls have ended: %s", (_, limits, day, level) => {
		const before = { limits, day, levels: { campaign: "reached" } } as const;
		expect(checkBudget({ usd: 10 }, usd(8.5), 0n, 0n, DAY, before).level).toBe(level);
	});

	test.each([
		["the same day", DAY, "reached"],
		["another day", "2026-11-26", "ok"],
	])("a day's is new on %s", (_, day, level) => {
		const before = { limits: { usdPerDay: 10 }, day, levels: { day: "reached" } } as const;
		expect(checkBudget({ usdPerDay: 10 }, 0n, usd(1), 0n, DAY, before).level).toBe(level);
	});

	test("in words", () => {
		expect(budgetWords(checkBudget({ usd: 50 }, usd(41.2), 0n, usd(8.8), DAY))).toBe(
			"$41.20 of $50.00 are spent, $8.80 more committed",
		);
		expect(budgetWords(checkBudget({ usdPerDay: 1 }, usd(41), usd(0.9), usd(0.125), DAY))).toBe(
			"$0.90 of $1.00 for the day are spent, $0.125 more committed",
		);
	});
});

test("calls that are up, those until the next look, drains, and what stands until the day's end", () => {
	const found = reserve({
		inProgress: 75,
		sinceLastLook: 25,
		perAttempt: usd(0.01),
		hostsPerHour: usd(0.36),
		drainSec: 100,
		standingPerHour: usd(0.2),
		standingHours: 1.5,
	});
	// Twice 75 calls and 25, and three times the root of that; 100 s of the hosts; an hour and a half.
	expect(found).toEqual({ calls: usd(2.14687), drains: usd(0.01008), standing: usd(0.3) });
});

test("nothing up and nothing standing: nothing is reserved", () => {
	const none = { inProgress: 0, sinceLastLook: 0, drainSec: 0, standingHours: -1 };
	expect(reserve({ ...none, perAttempt: 1n, hostsPerHour: 1n, standingPerHour: 1n })).toEqual({
		calls: 0n,
		drains: 0n,
		standing: 0n,
	});
});

test.each([
	[{}, "needs `usd`"],
	[{ atLimit: "pause" }, "needs `usd`"],
	[{ usd: 0 }, "above 0"],
	[{ usd: -5 }, "above 0"],
	[{ usd: "5" }, "a number of US dollars"],
	[{ usd: 5, atLimit: "stop" }, "`noNewHosts`"],
	[{ usd: 5, eur: 5 }, "eur"],
	[{ usdPerDay: 2_000_000 }, "at most 1000000"],
])("%j is refused", (budget, why) => {
	const parsed = budgetSchema.safeParse(budget);
	expect(JSON.stringify(parsed.error?.issues)).toContain(why);
});

test("what happens at the limit is a pause, unless something else is said", () => {
	expect(budgetSchema.parse({ usd: 5 })).toEqual({ usd: 5, atLimit: "pause" });
	expect(dayBudgetSchema.safeParse({ atLimit: "pause" }).success).toBe(false);
});

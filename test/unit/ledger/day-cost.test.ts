import { describe, expect, test } from "@jest/globals";
import { usdOf } from "../../../shared/ledger/amounts.ts";
import { billedSecUntil, type CostItem, type DayBook, type DayCost, dayCost } from "../../../shared/ledger/day-cost.ts";
import { ZERO } from "../../../shared/plan/exact.ts";
import { DAY, HOUR_MS, PRICES, run, START_MS, use } from "./ledger-fixtures.ts";

const book = (parts: Partial<DayBook>): DayBook => ({ day: DAY, runs: [], disks: [], uses: [], ...parts });
const NOW = START_MS + 48 * HOUR_MS;
const line = (cost: DayCost, item: CostItem) => {
	const found = cost.lines.find((each) => each.item === item);
	if (!found) throw new Error(`no line of ${item}`);
	const { quantity, nanoUsd, unattributed, byCampaign } = found;
	const shares = Object.fromEntries([...byCampaign].map(([id, nanos]) => [id, usdOf(nanos)]));
	return { quantity, usd: usdOf(nanoUsd), unattributed: usdOf(unattributed), ...shares };
};

describe("seconds that a run is billed", () => {
	const at = (sec: number) => START_MS + sec * 1_000;
	test.each([
		["from running, not from the request", { startedAt: at(0), runningAt: at(5), endedAt: at(105) }, at(200), 100],
		["from the request where no event came", { startedAt: at(0), endedAt: at(105) }, at(200), 105],
		["a minute at least", { startedAt: at(0), runningAt: at(5), endedAt: at(15) }, at(200), 60],
		["as it goes, less than a minute", { startedAt: at(0), runningAt: at(5) }, at(15), 10],
		["begun seconds are whole ones", { startedAt: at(0), runningAt: at(0), endedAt: at(90) + 1 }, at(200), 91],
		["not yet running", { startedAt: at(0), runningAt: at(50) }, at(40), 0],
		["ended before it ran: not billed", { startedAt: at(0), runningAt: at(50), endedAt: at(40) }, at(200), 0],
	])("%s", (_, times, until, sec) => {
		expect(billedSecUntil(times, until)).toBe(sec);
	});
});

describe("a day", () => {
	test("a burst host is shared by those who used it, by channel time", () => {
		const cost = dayCost(
			book({
				runs: [run("b1", { endedAt: START_MS + 10 * HOUR_MS })],
				uses: [use("b1", "burst", { a: { a: 10, h: 3_000 }, b: { a: 10, h: 1_000 } })],
			}),
			PRICES,
			ZERO,
			NOW,
		);
		expect(line(cost, "instance")).toEqual({ quantity: 36_000, usd: 3.6, unattributed: 0, a: 2.7, b: 0.9 });
		expect(line(cost, "address")).toEqual({ quantity: 10, usd: 0.36, unattributed: 0, a: 0.27, b: 0.09 });
	});

	test("a host that nobody used is shared by the use of the others of its tier", () => {
		const cost = dayCost(
			book({
				runs: [run("b1", { endedAt: START_MS + HOUR_MS }), run("b2", { endedAt: START_MS + HOUR_MS })],
				uses: [use("b2", "burst", { a: { a: 1, h: 500 } }), use("s1", "steady", { b: { a: 100, h: 90_000 } })],
			}),
			PRICES,
			ZERO,
			NOW,
		);
		expect(line(cost, "instance")).toEqual({ quantity: 7_200, usd: 0.72, unattributed: 0, a: 0.72 });
	});

	test("what nobody used is nobody's", () => {
		const cost = dayCost(book({ uses: [use("s1", "steady", {})] }), PRICES, ZERO, NOW);
		expect(line(cost, "steady")).toEqual({ quantity: 24, usd: 4.8, unattributed: 4.8 });
		expect(line(cost, "controlPlane")).toEqual({ quantity: 0, usd: 0.24, unattributed: 0.24 });
	});

	test("a steady host costs from its enrolment; calls that it carries send over its own line", () => {
		const counts = { a: { a: 4, n: 2, h: 120_000, t_ulaw: 60_000, s: 60, s6: 60, s60: 120 } };
		const cost = dayCost(
			book({ uses: [use("s1", "steady", counts, { createdAt: START_MS + 12 * HOUR_MS })] }),
			PRICES,
			ZERO,
			NOW,
		);
		expect(line(cost, "steady")).toEqual({ quantity: 12, usd: 2.4, unattributed: 0, a: 2.4 });
		expect(line(cost, "egress")).toEqual({ quantity: 0, usd: 0, unattributed: 0 });
		// Two calls, each rounded up to a minute.
		expect(line(cost, "carrier")).toEqual({ quantity: 2, usd: 0.012, unattributed: 0, a: 0.012 });
	});

	test("egress by codec, shared by what was sent", () => {
		const hour = { a: { a: 1, h: 1, t_ulaw: HOUR_MS * 100 }, b: { a: 1, h: 1, t_g729: HOUR_MS * 100 } };
		const cost = dayCost(book({ uses: [use("b1", "burst", hour)] }), PRICES, ZERO, NOW);
		// 100 hours: 3.6 GB of G.711, 1.08 GB of G.729.
		expect(line(cost, "egress")).toEqual({ quantity: 4.68, usd: 0.468, unattributed: 0, a: 0.36, b: 0.108 });
	});

	test("a run over midnight has a part in both days, together what it is billed", () => {
		const long = run("b1", { startedAt: START_MS - HOUR_MS, endedAt: START_MS + HOUR_MS });
		const before = dayCost({ ...book({ runs: [long] }), day: "2026-11-26" }, PRICES, ZERO, NOW);
		const after = dayCost(book({ runs: [long] }), PRICES, ZERO, NOW);
		expect([line(before, "instance").quantity, line(after, "instance").quantity]).toEqual([3_600, 3_600]);
	});

	test("a short run over midnight: the rest of its minute is of the day in which it ends", () => {
		const short = run("b1", { startedAt: START_MS - 10_000, endedAt: START_MS + 20_000 });
		const before = dayCost({ ...book({ runs: [short] }), day: "2026-11-26" }, PRICES, ZERO, NOW);
		const after = dayCost(book({ runs: [short] }), PRICES, ZERO, NOW);
		expect([line(before, "instance").quantity, line(after, "instance").quantity]).toEqual([10, 50]);
	});

	test("only what came since the book before, and a counter that is lower counts nothing", () => {
		const cost = dayCost(
			book({
				uses: [
					use("s1", "steady", { a: { a: 30, f: 20, n: 9 } }, { base: { a: { a: 10, f: 20, n: 10 } }, syncsNow: 100 }),
				],
			}),
			{ ...PRICES, controlPlane: { ...PRICES.controlPlane, standingPerHour: ZERO } },
			ZERO,
			NOW,
		);
		expect(cost.calls.get("a")).toEqual({ attempts: 20, answered: 0, channelMs: 0 });
		// 20 attempts and 100 syncs.
		expect(line(cost, "controlPlane")).toMatchObject({ quantity: 20, usd: 0.0014, a: 0.0014 });
	});

	test("on the day of the first enrolment nothing stands before it", () => {
		const at = (hour: number) => ({ createdAt: START_MS + hour * HOUR_MS });
		const uses = [use("s1", "steady", {}, at(20)), use("s2", "steady", {}, at(22))];
		const cost = dayCost(book({ uses }), PRICES, ZERO, NOW);
		expect(line(cost, "controlPlane").usd).toBe(0.04);
	});

	test("a day that is not over is counted until now", () => {
		const cost = dayCost(book({ uses: [use("s1", "steady", {})] }), PRICES, ZERO, START_MS + 6 * HOUR_MS);
		expect(cost.untilMs).toBe(START_MS + 6 * HOUR_MS);
		expect(line(cost, "steady").quantity).toBe(6);
	});
});

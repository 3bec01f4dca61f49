import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { VOLUME_USD_PER_HOUR } from "../../../shared/config/burst-settings.ts";
import { totalOf } from "../../../shared/fleet/capacity.ts";
import { decide } from "../../../shared/fleet/decide.ts";
import type { Marginal } from "../../../shared/fleet/decision.ts";
import type { CampaignDemand } from "../../../shared/fleet/demand.ts";
import { overheadAllowed, paysFor, startCost } from "../../../shared/fleet/start-cost.ts";
import {
	bursts,
	campaign,
	decided,
	HOST_USD,
	type InputOver,
	input,
	NOW,
	SETTINGS,
	steady,
	wanted,
} from "./decide-fixtures.ts";

/** Calls that are all known. */
const calls = (due: number, over: Partial<CampaignDemand> = {}): CampaignDemand =>
	campaign({ due, dueIsBound: false, pending: due, ...over });
const until = (min: number, due: number, over: Partial<CampaignDemand> = {}): CampaignDemand =>
	calls(due, { dueIsBound: true, deadline: NOW + min * 60_000, ...over });
const marginal = (over: InputOver): Marginal => {
	const { decision } = decided(over);
	if (!decision.marginal) throw new Error(decision.reason);
	return decision.marginal;
};
const priced = (usdPerHour: number, over: Partial<typeof SETTINGS> = {}) => ({
	settings: { ...SETTINGS, types: [{ type: "x.large", usdPerHour }], maxUsdPerHour: 1_000, ...over },
});

describe("what a start costs", () => {
	const next = { usdPerHour: 0.36, overheadSec: 150 };
	test("is billed by the second, from the boot to the last call", () => {
		const cost = startCost(next, 450);
		expect(cost.usd.toNumber()).toBe(0.06);
		expect(cost.usdRunning.toNumber()).toBe(0.045);
		expect(cost.usdOverhead.toNumber()).toBe(0.015);
	});
	test("for a minute at least", () => {
		expect(startCost({ usdPerHour: 0.36, overheadSec: 10 }, 20).usd.toNumber()).toBe(0.006);
	});
	test("pays to the cent and not beyond", () => {
		const at = (usd: number) => paysFor({ maxOverheadUsdPerWorkHour: usd }, next, 450);
		expect(overheadAllowed({ maxOverheadUsdPerWorkHour: 0.12 }, 450).toNumber()).toBe(0.015);
		expect(at(0.12)).toBe(true);
		expect(at(0.119_999)).toBe(false);
	});
	test("nothing is worth a start without work", () => {
		expect(paysFor({ maxOverheadUsdPerWorkHour: 1 }, next, 0)).toBe(false);
	});
});

describe("start another host, or finish later", () => {
	type Row = [sentence: string, over: InputOver, hosts: number, choice: Marginal["choice"], why: RegExp];
	test.each<Row>([
		[
			"no deadline, much to do: the last host that is started is told",
			{ campaigns: [calls(100_000)] },
			8,
			"start",
			/work at full load for \$0\.0033 of boot, idle time and drain.*all is done .* sooner/,
		],
		[
			"steady hosts enough",
			{ campaigns: [calls(1_000, { cap: 100 })] },
			0,
			"wait",
			/^The steady hosts carry all of it/,
		],
		[
			"a deadline that is far: the steady hosts finish by it",
			{ campaigns: [until(600, 10_000)] },
			0,
			"wait",
			/^The steady hosts are enough: done by 2026-11-02T10:\d\d:\d\dZ, before the deadline 2026-11-02T20:00:00Z/,
		],
		[
			"a deadline that the hosts which run hold",
			{ campaigns: [until(121, 100_000)], hosts: [steady(), ...bursts(4)] },
			4,
			"wait",
			/^The hosts that are up are enough: done by /,
		],
		["a nearer one: hosts for it", { campaigns: [until(121, 100_000)] }, 4, "start", /^It is needed for the deadline/],
		["one that nothing can meet", { campaigns: [until(5, 100_000)] }, 8, "start", /needed for the deadline/],
		["one too near for a boot", { campaigns: [until(0.9, 100_000)] }, 8, "start", /needed for the deadline/],
		["… and for a slow one", { campaigns: [until(4, 100_000)], fleet: { boots: [300] } }, 8, "start", /deadline/],
		["one that has passed", { campaigns: [until(-5, 100_000)] }, 8, "start", /deadline/],
		["nothing left", { campaigns: [calls(200)] }, 0, "wait", /^Nothing would be left to do once it is up/],
		["too little to do", { campaigns: [calls(500)] }, 0, "wait", /less than 60 s: later is cheaper/],
		[
			"the last one of several would have too little",
			{ campaigns: [calls(1_000)] },
			2,
			"start",
			/of work at full load/,
		],
		[
			"a dear type: the work is not worth it",
			{ ...priced(20), campaigns: [calls(3_000)] },
			0,
			"wait",
			/more than the \$\d+\.\d+ that is worth it \(BURST_MAX_OVERHEAD_USD_PER_WORK_HOUR\)/,
		],
		["… a cheap one it is", { ...priced(0.02), campaigns: [calls(3_000)] }, 7, "start", /sooner/],
		[
			"… with a deadline it is started all the same",
			{ ...priced(20), campaigns: [until(10, 9_000)] },
			6,
			"start",
			/deadline/,
		],
		[
			"nothing is to be paid for being sooner",
			{ ...priced(0.0725, { maxOverheadUsdPerWorkHour: 0 }) },
			0,
			"wait",
			/worth it/,
		],
		[
			"many campaigns: together they are worth what none is alone",
			{
				campaigns: Array.from({ length: 20 }, (_, i) => calls(150, { name: `c${i}`, campaignId: `c${i}`, cap: 20 })),
			},
			2,
			"start",
			/sooner/,
		],
		[
			"the limit of hosts",
			{ settings: { ...SETTINGS, maxHosts: 3 }, campaigns: [calls(100_000)] },
			3,
			"wait",
			/^It is worth starting, but the limits do not allow it: At most 3 burst hosts/,
		],
		[
			"a floor starts hosts; by demand none is worth it",
			{ campaigns: [calls(500)], floor: { min: 2, until: NOW + 600_000 } },
			2,
			"wait",
			/later is cheaper/,
		],
		[
			"no steady host: without one it is never done",
			{ campaigns: [calls(1_000, { cap: 120 })], hosts: [] },
			1,
			"start",
			/never without it/,
		],
	])("%s", (_sentence, over, hosts, choice, why) => {
		const found = marginal(over);
		expect({ hosts: wanted(over), choice: found.choice }).toEqual({ hosts, choice });
		expect(found.why).toMatch(why);
	});
	test("nothing is due: there is no choice", () => {
		for (const campaigns of [[], [calls(0, { inProgress: 100 })]])
			expect(decided({ campaigns }).decision.marginal).toBeUndefined();
	});
	test("its figures: one host for 60 channels beyond the steady ones for 20 minutes", () => {
		// 180 channels of 10 s for 1,200 s once a host started now is up; the steady host does 7,200 channel-seconds meanwhile.
		const found = marginal({ campaigns: [calls((180 * 1_200 + 7_200) / 10, { cap: 180, holdSec: 10 })] });
		const usdPerHour = HOST_USD + VOLUME_USD_PER_HOUR;
		expect(found).toEqual({
			choice: "start",
			why: expect.any(String),
			channels: 0,
			workSec: 600,
			overheadSec: 60 + 60 + 10,
			usdPerHour,
			usd: expect.closeTo((usdPerHour * 730) / 3_600, 6),
			usdRunning: expect.closeTo((usdPerHour * 600) / 3_600, 6),
			usdOverhead: expect.closeTo((usdPerHour * 130) / 3_600, 6),
			usdOverheadAllowed: expect.closeTo(600 / 3_600, 6),
			doneAt: NOW + 1_260_000,
			// 216,000 channel-seconds on 120 channels.
			doneAtWithout: NOW + 1_860_000,
			soonerSec: 600,
		});
	});
	test("a deadline and the work of others: hosts for both, told as what is done last", () => {
		const campaigns = [until(121, 50_000), calls(2_000, { name: "b", campaignId: "b", cap: 200 })];
		const both = decided({ campaigns }).decision;
		expect(totalOf(both.wanted)).toBeGreaterThanOrEqual(wanted({ campaigns: campaigns.slice(0, 1) }));
		expect(both.marginal?.choice).toBe("start");
	});
});

describe("whatever the campaigns", () => {
	const RUNS = { numRuns: 1_500, seed: 20_261_128 };
	const one = fc.record({
		cap: fc.integer({ min: 1, max: 1_500 }),
		due: fc.integer({ min: 0, max: 30_000 }),
		inProgress: fc.integer({ min: 0, max: 300 }),
		holdSec: fc.integer({ min: 5, max: 200 }),
		deadlineMin: fc.option(fc.integer({ min: 1, max: 600 }), { nil: undefined, freq: 3 }),
	});
	const some = fc.array(one, { minLength: 1, maxLength: 4 }).map((list) =>
		list.map(({ deadlineMin, ...each }, i) =>
			calls(each.due, {
				...each,
				name: `c${i}`,
				campaignId: `c${i}`,
				...(deadlineMin === undefined ? {} : { deadline: NOW + deadlineMin * 60_000 }),
			}),
		),
	);
	const up = fc.integer({ min: 0, max: 12 });
	const usd = fc.integer({ min: 1, max: 4_000 }).map((cents) => cents / 100);
	const hostsOf = (n: number) => [steady(), ...bursts(n)];
	const count = (over: InputOver): number => totalOf(decide(input(over)).decision.wanted);

	/** Hosts with the deadlines as they are, and with one of them later. */
	const later = (campaigns: CampaignDemand[], n: number, price: number, which: number, min: number) => {
		const at = which % campaigns.length;
		const base = { ...priced(price, { maxHosts: 500, maxUsdPerHour: 1e6 }), hosts: hostsOf(n) };
		const more = campaigns.map((each, i) =>
			i === at && each.deadline !== undefined ? { ...each, deadline: each.deadline + min * 60_000 } : each,
		);
		return [count({ ...base, campaigns }), count({ ...base, campaigns: more })] as const;
	};
	const moreMin = fc.integer({ min: 1, max: 600 });
	test("more time never wants more hosts", () => {
		fc.assert(
			fc.property(some, up, usd, moreMin, (campaigns, n, price, min) => {
				const one = campaigns.map(({ deadline, ...each }, i) =>
					i === 0 && deadline !== undefined ? { ...each, deadline } : each,
				);
				const [now, then] = later(one, n, price, 0, min);
				expect(then).toBeLessThanOrEqual(now);
			}),
			RUNS,
		);
	});
	/** Whether it can be done in time, with the margin and its last calls, by hosts that are started now. */
	const canBeInTime = ({ deadline, cap, due, inProgress, holdSec }: CampaignDemand): boolean => {
		if (deadline === undefined) return true;
		const sec = (deadline - NOW) / 1_000 - 4 * holdSec - SETTINGS.bootSec;
		return (due + inProgress) * holdSec * 1.25 <= Math.min(cap, due + inProgress) * sec;
	};
	test("… nor for one of several that can all be in time", () => {
		let seen = 0;
		fc.assert(
			fc.property(some, up, usd, fc.nat(), moreMin, (campaigns, n, price, which, min) => {
				if (!campaigns.every(canBeInTime)) return;
				seen++;
				const [now, then] = later(campaigns, n, price, which, min);
				expect(then).toBeLessThanOrEqual(now);
			}),
			{ ...RUNS, numRuns: 3_000 },
		);
		expect(seen).toBeGreaterThan(500);
	});
	test("a dearer host never wants more", () => {
		fc.assert(
			fc.property(some, up, usd, usd, (campaigns, n, a, b) => {
				const at = (price: number) => count({ ...priced(price), campaigns, hosts: hostsOf(n) });
				expect(at(Math.max(a, b))).toBeLessThanOrEqual(at(Math.min(a, b)));
			}),
			RUNS,
		);
	});
	test("a deadline that the hosts there are can hold, with the margin, starts none", () => {
		fc.assert(
			fc.property(one, up, fc.integer({ min: 2, max: 600 }), (each, n, min) => {
				const { deadlineMin: _, ...over } = each;
				const channels = 120 * (1 + n);
				const withNewHostsSec = min * 60 - 4 * over.holdSec - SETTINGS.bootSec;
				if (withNewHostsSec <= 0) return;
				const work = (over.due + over.inProgress) * over.holdSec;
				if (Math.min(channels, over.cap) * withNewHostsSec < work * 1.25) return;
				const found = decided({ campaigns: [until(min, over.due, over)], hosts: hostsOf(n) }).decision;
				expect(totalOf(found.wanted)).toBeLessThanOrEqual(n);
				expect(found.marginal?.choice ?? "wait").toBe("wait");
			}),
			RUNS,
		);
	});
	test("the choice is what is done, and its figures go with it", () => {
		const seen = { start: 0, wait: 0 };
		fc.assert(
			fc.property(some, up, usd, (campaigns, n, price) => {
				const over = { ...priced(price, { maxHosts: 500, maxUsdPerHour: 1e6 }), campaigns, hosts: hostsOf(n) };
				const { decision } = decided(over);
				const found = decision.marginal;
				if (!found) return;
				seen[found.choice]++;
				expect(found.choice).toBe(totalOf(decision.wanted) > totalOf(decision.up) ? "start" : "wait");
				expect(found.usd).toBeGreaterThanOrEqual(found.usdRunning);
				expect(found.doneAtWithout ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(found.doneAt);
				expect(found.why).not.toMatch(/NaN|undefined|Infinity/);
				const isHeld = campaigns.some(({ deadline }) => deadline !== undefined);
				if (found.choice === "start" && !isHeld)
					expect(found.usdOverhead).toBeLessThanOrEqual(found.usdOverheadAllowed);
			}),
			RUNS,
		);
		expect(Math.min(seen.start, seen.wait)).toBeGreaterThan(100);
	});
});

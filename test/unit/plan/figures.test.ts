import { describe, expect, test } from "@jest/globals";
import { type CampaignInput, type CampaignPrices, planCampaign } from "../../../shared/plan/campaign.ts";
import { gbPerTalkSec } from "../../../shared/plan/codecs.ts";
import { egressUsd, marginalUsdPerGb } from "../../../shared/plan/egress.ts";
import { channelsFor, erlangsOf } from "../../../shared/plan/erlang.ts";
import { Exact } from "../../../shared/plan/exact.ts";
import { planHosts, planTable, tableToday } from "../../../shared/plan/hosts.ts";
import type { Tier } from "../../../shared/prices/price-book.ts";

/** As AWS has them: 100 GB free, then by what the month has sent. */
const TIERS: Tier[] = [
	[0, 100, 0],
	[100, 10_240, 0.09],
	[10_240, undefined, 0.085],
].map(([from = 0, to, usd = 0]) => ({
	fromGb: Exact.of(from),
	toGb: to === undefined ? undefined : Exact.of(to),
	usdPerGb: Exact.of(usd),
}));

describe("exact amounts", () => {
	test.each([
		[0.1, 0.2, 0.3],
		[6.25e-7, 1e-6, 0.000001625],
		[1_000_000, 0.000001, 1_000_000.000001],
	])("%d and %d are %d", (a, b, sum) => {
		expect(Exact.of(a).plus(Exact.of(b)).compare(Exact.of(sum))).toBe(0);
	});

	test("a third is rounded once, at the end", () => {
		const third = Exact.of(1).by(3);
		expect(third.toNumber()).toBe(0.333333);
		expect(third.times(3).toNumber()).toBe(1);
		expect(Exact.of(2).by(3).toNumber()).toBe(0.666667);
		expect(Exact.of(-2).by(3).toNumber()).toBe(-0.666667);
		expect(Exact.of(0.0000005).micros()).toBe(1n);
	});

	test.each([Number.NaN, Number.POSITIVE_INFINITY])("%d is no amount", (value) => {
		expect(() => Exact.of(value)).toThrow(RangeError);
	});

	test("nothing is divided by zero", () => {
		expect(() => Exact.of(1).by(0)).toThrow(RangeError);
	});
});

describe("channels for a load at 1 % blocking (Erlang B)", () => {
	test.each([
		[0, 0],
		[10, 18],
		[50, 64],
		[100, 117],
		[500, 527],
		[1_000, 1_029],
	])("%d erlangs need %d channels", (erlangs, channels) => {
		expect(channelsFor(erlangs, 0.01)).toBe(channels);
	});

	test("by the formula with factorials, where those are still finite", () => {
		const blocked = (erlangs: number, channels: number): number => {
			let term = 1;
			let sum = 1;
			for (let n = 1; n <= channels; n++) {
				term *= erlangs / n;
				sum += term;
			}
			return term / sum;
		};
		for (const erlangs of [0.5, 3, 17, 80]) {
			for (const blocking of [0.001, 0.01, 0.2]) {
				const channels = channelsFor(erlangs, blocking);
				expect(blocked(erlangs, channels)).toBeLessThanOrEqual(blocking);
				expect(blocked(erlangs, channels - 1)).toBeGreaterThan(blocking);
			}
		}
	});

	test("a load of a hundred thousand stays finite", () => {
		const channels = channelsFor(100_000, 0.01);
		expect(channels).toBeGreaterThan(98_000);
		expect(channels).toBeLessThan(101_000);
	});

	test("Little's law", () => expect(erlangsOf(32, 31)).toBe(992));
});

test.each([
	[1_000, 120, 9],
	[960, 120, 8],
	[961, 120, 9],
	[1, 120, 1],
])("%d channels at %d a host are %d hosts", (channels, perHost, hosts) => {
	expect(planHosts({ channels, perHost })).toEqual({ hosts });
});

test.each([
	[0.2, 10, 4, 22, 8, 176, 2_112],
	[0.8, 10, 2, 23, 16, 368, 4_416],
	[0.2, 24, 3, 22, 14.4, 316.8, 3_801.6],
	[0.8, 24, 2, 23, 38.4, 883.2, 10_598.4],
	// Binary floating point would say 0.7250000000000001 and 15.950000000000001.
	[0.0725, 10, 1, 22, 0.725, 15.95, 191.4],
	[0.0000001, 1, 1, 10, 0, 0.000001, 0.000012],
])("$%d × %d h × %d hosts × %d days", (pricePerHour, hours, hosts, days, perDay, perMonth, perYear) => {
	expect(planTable({ pricePerHour, hours, hosts, days })).toEqual({ perDay, perMonth, perYear });
});

describe("egress", () => {
	test("G.711 with RTP, UDP and IP headers at 50 packets a second: 80 kbit/s, 36 MB an hour", () => {
		expect(gbPerTalkSec("ulaw").times(3_600).toNumber()).toBe(0.036);
		expect(
			gbPerTalkSec("ulaw")
				.times(35_000 * 30)
				.toNumber(),
		).toBe(10.5);
	});

	test("an unknown codec is no free one", () => expect(() => gbPerTalkSec("g723")).toThrow("ulaw"));

	test.each([
		[10.5, 0, 0],
		[100, 0, 0],
		[101, 0, 0.09],
		[10.5, 100, 0.945],
		[10.5, 95, 0.495],
		[10_240, 0, 912.6],
		[10_340, 0, 921.1],
		[20, 10_230, 1.75],
	])("%d GB after %d cost $%d", (gb, used, usd) => {
		expect(egressUsd(TIERS, Exact.of(gb), Exact.of(used)).toNumber()).toBe(usd);
	});

	test("one more GB beyond the free ones", () => {
		expect(marginalUsdPerGb(TIERS).toNumber()).toBe(0.09);
		expect(marginalUsdPerGb(TIERS, Exact.of(20_000)).toNumber()).toBe(0.085);
	});
});

describe("a campaign", () => {
	const input: CampaignInput = {
		contacts: 100_000,
		withinSec: 7_200,
		answerRate: 0.35,
		ringSec: 12,
		talkSec: 30,
		noAnswerRingSec: 25,
		retries: 0,
		perHost: 120,
		codec: "ulaw",
		blocking: 0.01,
		usedGb: 0,
		bootSec: 60,
		drainSec: 90,
	};
	const prices: CampaignPrices = {
		hostPerHour: Exact.of(0.0725),
		ipv4PerHour: Exact.of(0.005),
		egress: TIERS,
		controlPlanePerAttempt: Exact.of(0.000004),
		carrierPerMin: undefined,
	};

	test("100,000 contacts in two hours", () => {
		const plan = planCampaign(input, prices);
		expect(plan).toMatchObject({
			attempts: 100_000,
			answered: 35_000,
			channels: 456,
			hosts: 4,
			egressGb: 10.5,
			egressUsd: 0,
			egressUsdMarginal: 0.945,
			// 4 hosts for 7,350 s.
			hostHours: 8.166667,
			hostUsd: 0.592083,
			ipv4Usd: 0.040833,
			controlPlaneUsd: 0.4,
			carrierUsd: null,
			totalUsd: 1.032917,
		});
		expect(plan.holdSec).toBeCloseTo(30.95, 9);
		expect(plan.cps).toBeCloseTo(13.8889, 4);
		expect(plan.erlangs).toBeCloseTo(429.861, 3);
	});

	test("in one hour", () => {
		const plan = planCampaign({ ...input, withinSec: 3_600 }, prices);
		expect(plan).toMatchObject({ channels: 889, hosts: 8 });
		expect(plan.erlangs).toBeCloseTo(859.722, 3);
	});

	test("retries of those who did not answer", () => {
		const plan = planCampaign({ ...input, retries: 2 }, prices);
		expect(plan).toMatchObject({ attempts: 207_250, answered: 72_537.5 });
	});

	test("when the month's free GB are gone the bill is the marginal one; carrier's minutes where they are given", () => {
		const plan = planCampaign({ ...input, usedGb: 500 }, { ...prices, carrierPerMin: Exact.of(0.004) });
		expect(plan).toMatchObject({ egressUsd: 0.945, egressUsdMarginal: 0.945, carrierUsd: 70, totalUsd: 71.977917 });
	});

	test("a carrier's steps: the mean talk is rounded up to them", () => {
		const carrierUsd = (talkSec: number, carrierIncrementSec: number): number | null =>
			planCampaign({ ...input, talkSec }, { ...prices, carrierPerMin: Exact.of(0.006), carrierIncrementSec })
				.carrierUsd;
		expect(carrierUsd(30, 1)).toBe(105);
		expect(carrierUsd(30, 60)).toBe(210);
		expect(carrierUsd(60, 60)).toBe(210);
		expect(carrierUsd(60.5, 60)).toBe(420);
		expect(carrierUsd(0, 60)).toBe(0);
	});
});

describe("the tables of then, today", () => {
	test("by the second what is used, by the hour what has begun", () => {
		const of = (hours: number, billing: "second" | "hour") =>
			tableToday({ hours, hosts: 2, days: 10, type: "t", region: "r", billing }, Exact.of(0.07), Exact.of(0.005));
		expect(of(9.5, "second")).toMatchObject({ paidHoursPerDay: 9.5, perDay: 1.425, perMonth: 14.25, perYear: 171 });
		expect(of(9.5, "hour")).toMatchObject({ paidHoursPerDay: 10, perDay: 1.5, perMonth: 15, perYear: 180 });
	});
});

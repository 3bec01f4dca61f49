import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { breakEven } from "../../shared/plan/break-even.ts";
import { Exact } from "../../shared/plan/exact.ts";
import { planSplit } from "../../shared/plan/split.ts";
import { cheapest, hoursOf, type SplitModel, splitCosts } from "../../shared/plan/split-cost.ts";
import { type NaiveCase, naiveCost } from "../support/naive-split.ts";

const RUNS = 1_000;
/** Amounts agree to a hundred-thousandth of a dollar, far below a cent; floating point adds some on the naive side. */
const CLOSE = 5;

const usd = (most: number) => fc.integer({ min: 0, max: most }).map((tenThousandths) => tenThousandths / 10_000);

const caseArbitrary: fc.Arbitrary<NaiveCase> = fc.record({
	channels: fc
		.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })), { minLength: 1, maxLength: 48 })
		.map((channels) => (channels.every((each) => each === 0) ? [1, ...channels] : channels)),
	stepSec: fc.constantFrom(10, 600, 3_600),
	perHost: fc.constantFrom(50, 120, 333),
	billing: fc.constantFrom("second" as const, "hour" as const),
	bootSec: fc.constantFrom(0, 25, 60),
	drainSec: fc.constantFrom(0, 90, 3_600),
	ownedPerHour: usd(3_000),
	rentedPerHour: usd(3_000),
	ipv4PerHour: fc.constantFrom(0, 0.005),
	volumeGb: fc.constantFrom(0, 8, 100),
	volumePerGbMonth: fc.constantFrom(0.08, 0.5),
	warmHosts: fc.integer({ min: 0, max: 4 }),
	talkShare: fc.constantFrom(0, 0.3393, 1),
	holdSec: fc.constantFrom(30.95, 300),
	gbPerTalkSec: fc.constantFrom(0.00001, 0.000003),
	tiers: fc.constantFrom<[number, number][]>(
		[
			[100, 0],
			[10_240, 0.09],
			[Number.POSITIVE_INFINITY, 0.085],
		],
		[[Number.POSITIVE_INFINITY, 0.09]],
	),
	usedGb: fc.constantFrom(0, 60, 20_000),
	controlPlanePerAttempt: fc.constantFrom(0, 0.000004),
	carrierPerMin: fc.constantFrom(0, 0.005),
});

const modelOf = (given: NaiveCase): SplitModel => ({
	channels: given.channels,
	stepSec: given.stepSec,
	perHost: given.perHost,
	steady: { usdPerHour: Exact.of(given.ownedPerHour), billedEgress: false },
	rented: {
		billing: given.billing,
		bootSec: given.bootSec,
		drainSec: given.drainSec,
		usdPerHour: Exact.of(given.rentedPerHour),
		ipv4PerHour: Exact.of(given.ipv4PerHour),
		volumeGb: given.volumeGb,
		volumePerGbMonth: Exact.of(given.volumePerGbMonth),
		warmHosts: given.warmHosts,
	},
	calls: {
		talkShare: given.talkShare,
		holdSec: given.holdSec,
		gbPerTalkSec: Exact.of(given.gbPerTalkSec),
		egress: given.tiers.map(([to, perGb], i) => ({
			fromGb: Exact.of(given.tiers[i - 1]?.[0] ?? 0),
			toGb: Number.isFinite(to) ? Exact.of(to) : undefined,
			usdPerGb: Exact.of(perGb),
		})),
		usedGb: given.usedGb,
		controlPlanePerAttempt: Exact.of(given.controlPlanePerAttempt),
		carrierPerMin: Exact.of(given.carrierPerMin),
	},
});

describe("splits", () => {
	test("every split of a random profile costs what a naive count says, and the cheapest is the cheapest", () => {
		fc.assert(
			fc.property(caseArbitrary, (given) => {
				const costs = splitCosts(modelOf(given));
				const naive = costs.map((_, owned) => naiveCost(given, owned));
				expect(costs).toHaveLength(Math.ceil(Math.max(...given.channels) / given.perHost) + 1);
				costs.forEach(({ totalUsd }, owned) => {
					expect(totalUsd.toNumber()).toBeCloseTo(naive[owned] ?? Number.NaN, CLOSE);
				});
				expect(naive[cheapest(costs).steadyHosts]).toBeCloseTo(Math.min(...naive), CLOSE);
			}),
			{ numRuns: RUNS },
		);
	});

	test("in the continuous limit one more is owned as long as P(D > S) exceeds owned / rented price", () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 48 }).filter((all) => all.some(Boolean)),
				fc.integer({ min: 0, max: 2_000 }),
				fc.integer({ min: 1, max: 2_000 }),
				(channels, owned, rented) => {
					const given: NaiveCase = {
						channels,
						stepSec: 3_600,
						// Hosts of one channel, there at once and for nothing else than their use.
						perHost: 1,
						billing: "second",
						bootSec: 0,
						drainSec: 0,
						ownedPerHour: owned / 10_000,
						rentedPerHour: rented / 10_000,
						ipv4PerHour: 0,
						volumeGb: 0,
						volumePerGbMonth: 0.08,
						warmHosts: 0,
						talkShare: 0,
						holdSec: 31,
						gbPerTalkSec: 0.00001,
						tiers: [[Number.POSITIVE_INFINITY, 0.09]],
						usedGb: 0,
						controlPlanePerAttempt: 0,
						carrierPerMin: 0,
					};
					let byRule = 0;
					// In whole numbers: needed / all > owned / rented.
					while (channels.filter((each) => each > byRule).length * rented > owned * channels.length) byRule++;
					expect(cheapest(splitCosts(modelOf(given))).steadyHosts).toBe(byRule);
				},
			),
			{ numRuns: RUNS },
		);
	});

	test("at the break-even the split turns, and not before", () => {
		fc.assert(
			fc.property(caseArbitrary, (given) => {
				const model = modelOf(given);
				const costs = splitCosts(model);
				const best = cheapest(costs).steadyHosts;
				const { fewerAbove, moreBelow } = breakEven(costs, hoursOf(model));
				const at = (usdPerHour: Exact) => splitCosts({ ...model, steady: { ...model.steady, usdPerHour } });
				const bestAt = (usdPerHour: Exact): number => cheapest(at(usdPerHour)).steadyHosts;
				expect(fewerAbove === undefined).toBe(best === 0);
				// At the break-even itself both cost the same, and the one with fewer owned hosts is taken.
				if (fewerAbove) {
					expect(bestAt(fewerAbove.usdPerHour)).toBe(fewerAbove.steadyHosts);
					expect(fewerAbove.steadyHosts).toBeLessThan(best);
					const middle = fewerAbove.usdPerHour.plus(model.steady.usdPerHour).by(2);
					if (middle.compare(fewerAbove.usdPerHour) < 0) expect(bestAt(middle)).toBe(best);
				}
				if (moreBelow) {
					const there = at(moreBelow.usdPerHour);
					expect(bestAt(moreBelow.usdPerHour)).toBe(best);
					expect(moreBelow.steadyHosts).toBeGreaterThan(best);
					const [same, other] = [there[best]?.totalUsd, there[moreBelow.steadyHosts]?.totalUsd];
					expect(other && same?.compare(other)).toBe(0);
				}
			}),
			{ numRuns: 200 },
		);
	});

	test("the plan says the same as its parts, and each turn that it names is one", () => {
		fc.assert(
			fc.property(caseArbitrary, (given) => {
				const model = modelOf(given);
				const plan = planSplit(model, {
					savingsPlanPerHour: undefined,
					reservedPerHour: undefined,
					spotPerHour: undefined,
				});
				const best = cheapest(splitCosts(model));
				expect(plan.best).toMatchObject({ steadyHosts: best.steadyHosts, totalUsd: best.totalUsd.toNumber() });
				expect(plan.strategies.allOnDemand?.totalUsd).toBe(plan.splits[0]?.totalUsd);
				expect(plan.strategies.allOwned?.totalUsd).toBe(plan.splits.at(-1)?.totalUsd);
				for (const line of plan.sensitivity.filter(({ assumption }) => assumption === "price of a rented host")) {
					for (const turn of [line.ifLess, line.ifMore]) {
						if (!turn) continue;
						const usdPerHour = Exact.of(turn.value);
						const turned = cheapest(splitCosts({ ...model, rented: { ...model.rented, usdPerHour } })).steadyHosts;
						expect(turned).toBe(turn.steadyHosts);
						expect(turned).not.toBe(best.steadyHosts);
					}
				}
			}),
			{ numRuns: 20 },
		);
	});
});

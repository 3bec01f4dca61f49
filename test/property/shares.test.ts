import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { callsWithinShare, decideShare, type ShareInput, sum } from "../../shared/sync/shares.ts";

const CAMPAIGNS = ["a", "b", "c"];
const byCampaign = (max: number, min = 0): fc.Arbitrary<Record<string, number>> =>
	fc.dictionary(fc.constantFrom(...CAMPAIGNS), fc.integer({ min, max }), { noNullPrototype: true });
/** Free channels may be negative, after a cap was lowered. */
const inputs: fc.Arbitrary<ShareInput> = fc.record({
	trunkFree: fc.integer({ min: -5, max: 20 }),
	campaignFree: byCampaign(10, -3),
	shareNow: byCampaign(6),
	base: byCampaign(8),
	candidates: byCampaign(12),
	hostRoom: fc.integer({ min: 0, max: 20 }),
	want: fc.integer({ min: 0, max: 20 }),
	prefetch: fc.integer({ min: 0, max: 10 }),
});
const of = (values: Record<string, number>, c: string): number => values[c] ?? 0;
const RUNS = { numRuns: 500, seed: 20_261_123 };

describe("a host's share", () => {
	test("rises only out of what is free, on the trunk and in each campaign", () => {
		fc.assert(
			fc.property(inputs, (input) => {
				const { share } = decideShare(input);
				const more = sum(share) - sum(input.shareNow);
				if (more > 0) expect(more).toBeLessThanOrEqual(Math.max(0, input.trunkFree));
				for (const c of CAMPAIGNS) {
					const risen = of(share, c) - of(input.shareNow, c);
					if (risen > 0) expect(risen).toBeLessThanOrEqual(Math.max(0, of(input.campaignFree, c)));
				}
			}),
			RUNS,
		);
	});
	test("never falls below the calls that may have a channel, and never exceeds the calls that are held", () => {
		fc.assert(
			fc.property(inputs, (input) => {
				const { share, calls } = decideShare(input);
				for (const c of CAMPAIGNS) {
					expect(of(share, c)).toBeGreaterThanOrEqual(Math.min(of(input.base, c), of(input.shareNow, c)));
					expect(of(share, c)).toBeLessThanOrEqual(of(input.base, c) + of(calls, c));
				}
			}),
			RUNS,
		);
	});
	test("grants no more than was wanted, than there are candidates, and than prefetch allows beyond it", () => {
		fc.assert(
			fc.property(inputs, (input) => {
				const { share, calls } = decideShare(input);
				expect(sum(calls)).toBeLessThanOrEqual(input.want);
				for (const c of CAMPAIGNS) expect(of(calls, c)).toBeLessThanOrEqual(of(input.candidates, c));
				const beyond = CAMPAIGNS.reduce(
					(n, c) => n + (of(calls, c) > 0 ? Math.max(0, of(input.base, c) + of(calls, c) - of(share, c)) : 0),
					0,
				);
				const before = CAMPAIGNS.reduce((n, c) => n + Math.max(0, of(input.base, c) - of(input.shareNow, c)), 0);
				expect(beyond).toBeLessThanOrEqual(Math.max(input.prefetch, before));
			}),
			RUNS,
		);
	});
	test("a repeat finds calls for what was reserved, and no more", () => {
		fc.assert(
			fc.property(inputs, (input) => {
				const first = decideShare(input);
				const again = callsWithinShare(input, first.share);
				expect(sum(again)).toBeLessThanOrEqual(input.want);
				for (const c of CAMPAIGNS)
					if (of(again, c) > 0)
						expect(of(input.base, c) + of(again, c) - of(first.share, c)).toBeLessThanOrEqual(input.prefetch);
			}),
			RUNS,
		);
	});
});

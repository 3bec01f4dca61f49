import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { fairShare, type Sharer } from "../../../shared/campaigns/fair-share.ts";

const own: Sharer = { most: 1_000, priority: 5 };

describe("a fair share", () => {
	test.each<[string, Sharer[], number]>([
		["alone: all of it", [], 100],
		["of two alike: half", [own], 50],
		["by priority", [{ most: 1_000, priority: 15 }], 25],
		["what another cannot use is for the others", [{ most: 10, priority: 5 }], 90],
		["of three, one content", [{ most: 10, priority: 5 }, own], 45],
		["others with nothing", [{ most: 0, priority: 100 }], 100],
	])("%s", (_what, others, share) => {
		expect(fairShare(100, own, others)).toBeCloseTo(share, 9);
	});
	test("at most what it can use, and nothing of nothing", () => {
		expect(fairShare(100, { most: 7, priority: 5 }, [])).toBe(7);
		expect(fairShare(0, own, [own])).toBe(0);
		expect(fairShare(-3, own, [own])).toBe(0);
	});
	test("all shares together are all there is, or all that they can use", () => {
		const sharer = fc.record({ most: fc.integer({ min: 0, max: 500 }), priority: fc.integer({ min: 1, max: 100 }) });
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 1_000 }),
				fc.array(sharer, { minLength: 1, maxLength: 6 }),
				(total, all) => {
					const shares = all.map((each, i) => fairShare(total, each, all.toSpliced(i, 1)));
					const used = shares.reduce((sum, share) => sum + share, 0);
					const wanted = all.reduce((sum, { most }) => sum + most, 0);
					expect(used).toBeCloseTo(Math.min(total, wanted), 6);
				},
			),
			{ numRuns: 300, seed: 20_261_128 },
		);
	});
});

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { divideWhole, pacedCps } from "../../../shared/sync/campaign-rate.ts";
import { decidePaced, type PacedWant } from "../../../shared/sync/campaign-slots.ts";
import { slotSpacingMs, slotTimes } from "../../../shared/sync/slots.ts";

const ask = (campaignId: string, cps: number, slots: number): PacedWant => ({ campaignId, cps, slots });
const trunk = (c: Record<string, number | undefined>, nextDialAt = 0) => ({
	nextDialAt,
	c: Object.fromEntries(
		Object.entries(c).map(([id, next]) => [id, { cap: 9, free: 9, ...(next === undefined ? {} : { next }) }]),
	),
});

describe("a rate over several trunks", () => {
	test("is divided in whole numbers that add up to it", () => {
		expect(divideWhole(10, [1, 1, 1])).toEqual([4, 3, 3]);
		expect(divideWhole(1, [1, 3])).toEqual([0, 1]);
		expect(divideWhole(5, [0, 0])).toEqual([0, 0]);
		const campaign = {
			trunk: "a",
			trunks: [
				{ id: "a", weight: 1 },
				{ id: "b", weight: 3 },
			],
			maxCps: 2,
		};
		expect([pacedCps(campaign, "a"), pacedCps(campaign, "b")]).toEqual([1, 1]);
		expect(pacedCps({ trunk: "a" }, "a")).toBeUndefined();
		expect(pacedCps({ trunk: "a", maxCps: 7 }, "a")).toBe(7);
	});
	test("always adds up, and nobody is more than one off", () => {
		fc.assert(
			fc.property(
				fc.nat(500),
				fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
				(total, w) => {
					const parts = divideWhole(total, w);
					const all = w.reduce((a, b) => a + b, 0);
					expect(parts.reduce((a, b) => a + b, 0)).toBe(total);
					for (const [i, part] of parts.entries()) expect(Math.abs(part - (total * (w[i] ?? 0)) / all)).toBeLessThan(1);
				},
			),
		);
	});
});

describe("slots of campaigns with rates of their own", () => {
	test("lie a campaign's spacing apart, alone up to two seconds ahead", () => {
		const { slots, next } = decidePaced(trunk({ a: undefined }), [ask("a", 5, 50)], 1_000, 1_000, 100, true, 1_000);
		const gap = slotSpacingMs(5);
		expect(slots["a"]).toHaveLength(Math.floor(2_000 / gap) + 1);
		for (const [i, moment] of (slots["a"] ?? []).entries()) expect(moment).toBeCloseTo(1_000 + i * gap, 1);
		expect(next).toBeCloseTo(1_000 + ((slots["a"]?.length ?? 0) - 1) * gap + slotSpacingMs(100), 2);
	});
	test("begin where the campaign's last one ended, and reach less far where others dial too", () => {
		const shared = decidePaced(trunk({ a: 1_300 }), [ask("a", 20, 50)], 1_000, 1_000, 100, false, 1_000);
		expect(shared.slots["a"]?.[0]).toBe(1_300);
		expect(shared.slots["a"]).toHaveLength(Math.floor(100 / slotSpacingMs(20)) + 1);
		expect(decidePaced(trunk({ a: 1_401 }), [ask("a", 20, 50)], 1_000, 1_000, 100, false, 1_000).slots).toEqual({});
	});
	test("take no slot that others wait for: one at a time, and only without a gap", () => {
		const scarce = trunk({ a: 1_900, b: 2_100 }, 2_000);
		const { slots, next } = decidePaced(scarce, [ask("a", 20, 9), ask("b", 20, 9)], 1_000, 2_000, 100, false, 1_000);
		expect(slots).toEqual({ a: [2_000] });
		expect(next).toBeCloseTo(2_000 + slotSpacingMs(100), 2);
	});
	test("campaigns that the trunk cannot all serve share it by priority", () => {
		const item = trunk({ a: undefined, b: undefined });
		const given = { a: 0, b: 0 };
		for (let now = 1_000; now < 61_000; now += 500) {
			const from = Math.max(now, item.nextDialAt);
			const asks = [
				{ ...ask("a", 10, 20), priority: 1 },
				{ ...ask("b", 10, 20), priority: 3 },
			];
			const { slots, after, next } = decidePaced(item, asks, now, from, 10, true, now);
			for (const of of ["a", "b"] as const) {
				given[of] += slots[of]?.length ?? 0;
				if (after[of] !== undefined) (item.c[of] as { next?: number }).next = after[of];
			}
			item.nextDialAt = next;
		}
		expect(given.a + given.b).toBeGreaterThan(550);
		expect(given.b / given.a).toBeGreaterThan(2.5);
		expect(given.b / given.a).toBeLessThan(3.5);
	});
	test("nothing for a campaign that is not on the trunk, or has no part of the rate", () => {
		expect(decidePaced(trunk({}), [ask("a", 5, 5)], 0, 0, 100, true, 0)).toEqual({ slots: {}, after: {}, next: 0 });
		expect(decidePaced(trunk({ a: 0 }), [ask("a", 0, 5)], 0, 0, 100, true, 0).slots).toEqual({});
	});

	test("over any sequence of syncs neither the trunk's nor a campaign's rate is passed in a rolling second", () => {
		const step = fc.record({
			gone: fc.integer({ min: 0, max: 700 }),
			general: fc.nat(5),
			a: fc.nat(8),
			b: fc.nat(8),
			alone: fc.boolean(),
		});
		fc.assert(
			fc.property(
				fc.array(step, { minLength: 1, maxLength: 40 }),
				fc.constantFrom(3, 10, 50),
				fc.constantFrom(1, 2, 9),
				fc.constantFrom(1, 4),
				(steps, cps, ofA, ofB) => {
					const item = trunk({ a: undefined, b: undefined });
					const times: { at: number; of: string }[] = [];
					let now = 0;
					for (const { gone, general, a, b, alone } of steps) {
						now += gone;
						const at = Math.max(now, item.nextDialAt);
						const gap = slotSpacingMs(cps);
						const { slots, after, next } = decidePaced(
							item,
							[ask("a", ofA, a), ask("b", ofB, b)],
							now,
							at + general * gap,
							cps,
							alone,
							now,
						);
						times.push(...slotTimes(at, general, gap).map((moment) => ({ at: moment, of: "all" })));
						for (const [of, granted] of Object.entries(slots)) {
							times.push(...granted.map((moment) => ({ at: moment, of })));
							(item.c[of] as { next?: number }).next = after[of] ?? 0;
						}
						item.nextDialAt = next;
						// However many sync in a row, none is laid further ahead than it may be used.
						const last = Math.max(0, ...Object.values(slots).flat());
						expect(last).toBeLessThanOrEqual(now + 2_000);
					}
					const most = (list: number[]): number =>
						Math.max(0, ...list.map((from) => list.filter((each) => each >= from && each < from + 1_000).length));
					expect(most(times.map(({ at }) => at))).toBeLessThanOrEqual(cps);
					expect(most(times.filter(({ of }) => of === "a").map(({ at }) => at))).toBeLessThanOrEqual(ofA);
					expect(most(times.filter(({ of }) => of === "b").map(({ at }) => at))).toBeLessThanOrEqual(ofB);
				},
			),
		);
	});
});

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { divideWhole, pacedCps } from "../../../shared/sync/campaign-rate.ts";
import { decidePaced, nextAfter, type PacedWant } from "../../../shared/sync/campaign-slots.ts";
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
		expect(slots["a"]).toEqual({ at: 1_000, k: Math.floor(2_000 / gap) + 1, gap });
		expect(next).toBe(1_000 + ((slots["a"]?.k ?? 0) - 1) * gap + slotSpacingMs(100));
	});
	test("begin where the campaign's last one ended, and reach less far where others dial too", () => {
		const shared = decidePaced(trunk({ a: 1_300 }), [ask("a", 20, 50)], 1_000, 1_000, 100, false, 1_000);
		expect(shared.slots["a"]?.at).toBe(1_300);
		expect(shared.slots["a"]?.k).toBe(Math.floor(100 / slotSpacingMs(20)) + 1);
		expect(decidePaced(trunk({ a: 1_401 }), [ask("a", 20, 50)], 1_000, 1_000, 100, false, 1_000).slots).toEqual({});
	});
	test("take no slot that others wait for: one at a time, and only without a gap", () => {
		const scarce = trunk({ a: 1_900, b: 2_100 }, 2_000);
		const { slots, next } = decidePaced(scarce, [ask("a", 20, 9), ask("b", 20, 9)], 1_000, 2_000, 100, false, 1_000);
		expect(slots).toEqual({ a: { at: 2_000, k: 1, gap: slotSpacingMs(20) } });
		expect(next).toBe(2_000 + slotSpacingMs(100));
	});
	test("nothing for a campaign that is not on the trunk, or has no part of the rate", () => {
		expect(decidePaced(trunk({}), [ask("a", 5, 5)], 0, 0, 100, true, 0)).toEqual({ slots: {}, next: 0 });
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
						const { slots, next } = decidePaced(
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
							times.push(...slotTimes(granted.at, granted.k, granted.gap).map((moment) => ({ at: moment, of })));
							(item.c[of] as { next?: number }).next = nextAfter(granted);
						}
						item.nextDialAt = next;
						// However many sync in a row, none is laid further ahead than it may be used.
						const last = Math.max(
							0,
							...Object.values(slots).map((granted) => granted.at + (granted.k - 1) * granted.gap),
						);
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

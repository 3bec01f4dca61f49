import { describe, expect, test } from "@jest/globals";
import {
	earliestSlot,
	SLOT_HORIZON_MS,
	slotSpacingMs,
	slotsAvailable,
	slotTimes,
	slotValidMs,
	usefulSlots,
} from "../../../shared/sync/slots.ts";

test.each([1, 5, 20, 100, 399, 400, 1_000])(
	"%i calls a second: slots used as early and late as allowed keep the rate",
	(maxCps) => {
		const times = slotTimes(0, maxCps * 3, slotSpacingMs(maxCps));
		// The worst case: the first of a window is used as late as possible, the others at once.
		for (let i = 0; i + maxCps < times.length; i++) {
			const first = (times[i] ?? 0) + slotValidMs(maxCps);
			const next = times[i + maxCps] ?? 0;
			expect(next - first).toBeGreaterThan(1_000);
		}
	},
);
test("a tight trunk gives at least 95 % of its rate", () => {
	expect(1_000 / slotSpacingMs(20)).toBeGreaterThanOrEqual(19);
});
test("no slot is granted beyond the horizon", () => {
	expect(slotsAvailable(500, 0, 10_000, 20)).toBe(Math.floor(SLOT_HORIZON_MS / slotSpacingMs(20)));
	expect(slotsAvailable(500, 10_000 + SLOT_HORIZON_MS, 10_000, 20)).toBe(0);
	expect(slotsAvailable(3, 0, 10_000, 20)).toBe(3);
	expect(slotsAvailable(0, 0, 10_000, 20)).toBe(0);
});
test("a short slot begins when the host can have it, a long one at once", () => {
	expect(earliestSlot(1_000, 80, 20)).toBe(1_080);
	expect(earliestSlot(1_000, 80, 1_000)).toBe(1_000);
});

describe("slots that are of use", () => {
	const of = (changed: Partial<Parameters<typeof usefulSlots>[0]>) =>
		usefulSlots({ asked: 100, calls: 30, toDial: 10, share: 40, expected: 12, scarce: false, ...changed });
	test("none for who has nothing to dial, however many it asks for", () => {
		expect(of({ toDial: 0 })).toBe(0);
		expect(of({ toDial: 0, scarce: true })).toBe(0);
	});
	test("all that are asked for while there are enough: they cover every moment until the next answer", () => {
		expect(of({})).toBe(100);
	});
	test("while they are scarce: for what can start now, and some for the calls that end", () => {
		expect(of({ scarce: true })).toBe(10 + 3);
		expect(of({ scarce: true, asked: 4 })).toBe(4);
	});
	test("a full host is not in need: its calls wait for a channel, not for a slot", () => {
		expect(of({ scarce: true, calls: 130, toDial: 10, share: 120 })).toBe(3);
		expect(of({ scarce: true, calls: 130, toDial: 10, share: 120, expected: 0 })).toBe(0);
	});
	test("a host that fills up gets one for each free channel", () => {
		expect(of({ scarce: true, asked: 132, calls: 120, toDial: 120, share: 120, expected: 0 })).toBe(120);
	});
});

import { expect, test } from "@jest/globals";
import {
	earliestSlot,
	SLOT_HORIZON_MS,
	slotSpacingMs,
	slotsAvailable,
	slotTimes,
	slotValidMs,
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

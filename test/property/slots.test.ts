import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
	earliestSlot,
	SLOT_HORIZON_MS,
	SLOT_JITTER_MS,
	slotSpacingMs,
	slotsAvailable,
	slotTimes,
	slotValidMs,
} from "../../shared/sync/slots.ts";

/** Grants of slots to any number of hosts at any times, each slot used at any moment of its validity and under way for as long as is allowed for. */
const grants = fc.record({
	maxCps: fc.constantFrom(1, 2, 3, 7, 20, 60, 399, 400, 1_000),
	grants: fc.array(
		fc.record({
			/** Since the grant before, ms. */
			after: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3_000, noNaN: true })),
			wanted: fc.integer({ min: 1, max: 60 }),
			/** The way of the answer to the host, ms. */
			leadMs: fc.integer({ min: 0, max: 400 }),
			/** Of each slot: how late in its validity it is used (0 to 1), how long it is under way; undefined: not used. */
			uses: fc.array(
				fc.option(
					fc.record({
						late: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
						way: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
					}),
					{ nil: undefined, freq: 6 },
				),
				{ minLength: 1, maxLength: 60 },
			),
		}),
		{ minLength: 1, maxLength: 30 },
	),
});
/** Sums of fractions of milliseconds are rounded. */
const ROUNDING_MS = 1e-3;

test("no rolling second holds more calls than the trunk takes, whatever the grants and their use", () => {
	fc.assert(
		fc.property(grants, ({ maxCps, grants }) => {
			let now = 1_795_435_200_000;
			let nextDialAt = 0;
			const invites: number[] = [];
			for (const { after, wanted, leadMs, uses } of grants) {
				now += after;
				const earliest = earliestSlot(now, leadMs, maxCps);
				const count = slotsAvailable(wanted, nextDialAt, earliest, maxCps);
				const first = Math.max(nextDialAt, earliest);
				const times = slotTimes(first, count, slotSpacingMs(maxCps));
				if (count > 0) nextDialAt = first + count * slotSpacingMs(maxCps);
				times.forEach((at, i) => {
					const use = uses[i % uses.length];
					if (use) invites.push(at + use.late * slotValidMs(maxCps) + use.way * SLOT_JITTER_MS);
				});
			}
			invites.sort((a, b) => a - b);
			let closest = Number.POSITIVE_INFINITY;
			for (let i = maxCps; i < invites.length; i++)
				closest = Math.min(closest, (invites[i] as number) - (invites[i - maxCps] as number));
			expect(closest).toBeGreaterThanOrEqual(1_000 - ROUNDING_MS);
		}),
		{ numRuns: 400, seed: 20_261_123 },
	);
});

test("no slot lies further ahead than the horizon, and none before now", () => {
	fc.assert(
		fc.property(
			fc.record({
				maxCps: fc.integer({ min: 1, max: 1_000 }),
				wanted: fc.integer({ min: 0, max: 5_000 }),
				ahead: fc.double({ min: -10_000, max: 10_000, noNaN: true }),
			}),
			({ maxCps, wanted, ahead }) => {
				const now = 1_795_435_200_000;
				const nextDialAt = now + ahead;
				const count = slotsAvailable(wanted, nextDialAt, now, maxCps);
				expect(count).toBeGreaterThanOrEqual(0);
				expect(count).toBeLessThanOrEqual(wanted);
				const times = slotTimes(Math.max(nextDialAt, now), count, slotSpacingMs(maxCps));
				expect(Math.min(now, ...times)).toBe(now);
				expect(Math.max(now, ...times)).toBeLessThanOrEqual(now + SLOT_HORIZON_MS + ROUNDING_MS);
			},
		),
		{ numRuns: 300, seed: 20_261_123 },
	);
});

import { describe, expect, test } from "@jest/globals";
import { CONTROL_PLANE_USE } from "../../../shared/ledger/sync-units.ts";
import {
	controlPlaneUsd,
	standingUsdPerHour,
	syncsPerAttempt,
	usdOfUnits,
} from "../../../shared/plan/control-plane.ts";
import { PriceBook } from "../../../shared/prices/price-book.ts";
import { PriceError } from "../../../shared/prices/price-error.ts";

const book = new PriceBook("us-east-1");
const million = (cpsPerHost?: number): number =>
	controlPlaneUsd(book, cpsPerHost === undefined ? undefined : { cpsPerHost })
		.times(1_000_000)
		.toNumber();

describe("what an attempt costs", () => {
	test("within $5 a million at a thousand channels over nine hosts, 31 s each", () => {
		expect(million(32 / 9)).toBeLessThan(5);
		expect(million(32 / 9)).toBeGreaterThan(4);
	});

	test("the fewer calls a host makes, the more each costs", () => {
		const costs = [0.1, 0.5, 1, 2, 3.5, 5, 10, 44, 100].map((cps) => million(cps));
		expect(costs).toEqual([...costs].sort((a, b) => b - a));
		expect(new Set(costs).size).toBeGreaterThan(7);
	});

	test("where nothing is said of the load, about six share a sync", () => {
		const { perAttempt, perSync, perContact } = CONTROL_PLANE_USE;
		const expected = [perAttempt, perContact].map((units) => usdOfUnits(book, units).times(1_000_000).toNumber());
		const sync = usdOfUnits(book, perSync).times(1_000_000).toNumber();
		const shared = sync / (million() - (expected[0] ?? 0) - (expected[1] ?? 0));
		expect(shared).toBeGreaterThan(5.5);
		expect(shared).toBeLessThan(6.5);
	});

	test("a unit costs what the book says, a GB of log for each 10^9 bytes", () => {
		const none = {
			writeUnits: 0,
			readUnits: 0,
			apiRequests: 0,
			invocations: 0,
			gbSeconds: 0,
			logBytes: 0,
			sqsRequests: 0,
		};
		expect(usdOfUnits(book, none).toNumber()).toBe(0);
		expect(usdOfUnits(book, { ...none, logBytes: 2_000_000_000 }).toNumber()).toBe(1);
		expect(usdOfUnits(book, { ...none, writeUnits: 1_000_000, readUnits: 1_000_000 }).toNumber()).toBe(0.75);
	});

	test("a price that is missing is an error", () => {
		expect(() => controlPlaneUsd(new PriceBook("mars-1"))).toThrow(PriceError);
	});
});

describe("syncs for an attempt", () => {
	test("are those that were measured, and between them lie between them", () => {
		expect(syncsPerAttempt(3.5)).toBeCloseTo(1.05 / 3.5, 9);
		expect(syncsPerAttempt(44)).toBeCloseTo(3.7 / 44, 9);
		expect(syncsPerAttempt(500)).toBeCloseTo(3.7 / 44, 9);
		const between = syncsPerAttempt(20);
		expect(between).toBeLessThan(1.05 / 3.5);
		expect(between).toBeGreaterThan(3.7 / 44);
	});

	test.each([0, -1, Number.NaN])("no host makes %d calls a second", (cps) => {
		expect(() => syncsPerAttempt(cps)).toThrow(RangeError);
	});
});

test("what stands grows with idle hosts only", () => {
	const one = standingUsdPerHour(book, 1).minus(standingUsdPerHour(book, 0));
	expect(one.compare(usdOfUnits(book, CONTROL_PLANE_USE.perPeek).times(1_800))).toBe(0);
	// The README: $2 to $3 a month for an idle host.
	expect(one.times(730).toNumber()).toBeGreaterThan(2);
	expect(one.times(730).toNumber()).toBeLessThan(3.5);
});

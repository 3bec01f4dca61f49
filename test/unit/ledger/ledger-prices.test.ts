import { describe, expect, test } from "@jest/globals";
import { ledgerPrices } from "../../../shared/ledger/ledger-prices.ts";
import { PriceBook, parseOwnPrices } from "../../../shared/prices/price-book.ts";

const pricesWith = (own: Record<string, unknown>) =>
	ledgerPrices(new PriceBook("us-east-1", parseOwnPrices({ currency: "USD", date: "2026-11-01", ...own })), 120);

describe("what the ledger counts with", () => {
	test("without own prices: what the runs were entered with, and neither steady hosts nor the carrier", () => {
		const prices = ledgerPrices(new PriceBook("us-east-1"), 120);
		expect(prices.instancePerHour("c7g.large", "on-demand")).toBeUndefined();
		expect([prices.steadyPerHour, prices.carrierPerMin, prices.carrierStepSec]).toEqual([undefined, undefined, 1]);
	});

	test("a discount, a price of a type, and of spot", () => {
		const prices = pricesWith({
			discounts: [{ product: "ec2.on-demand", percent: 10 }],
			prices: [{ product: "ec2.on-demand.m9z.large", unit: "hour", usd: 0.5 }],
			spot: { usdPerHour: 0.03 },
		});
		expect(prices.instancePerHour("c7g.large", "on-demand")?.toNumber()).toBe(0.06525);
		expect(prices.instancePerHour("m9z.large", "on-demand")?.toNumber()).toBe(0.5);
		expect(prices.instancePerHour("c7g.large", "spot")?.toNumber()).toBe(0.03);
		// A discount of a type without a list price: the price that it was started at.
		expect(prices.instancePerHour("x1y.large", "on-demand")).toBeUndefined();
	});

	test("steady hosts by the month or by the channel, the carrier by its steps", () => {
		expect(pricesWith({ colocation: { usdPerMonth: 73 } }).steadyPerHour?.toNumber()).toBe(0.1);
		expect(pricesWith({ colocation: { usdPerChannelMonth: 0.73 } }).steadyPerHour?.toNumber()).toBe(0.12);
		const { carrierPerMin, carrierStepSec } = pricesWith({ carrier: { usdPerMin: 0.006, incrementSec: 60 } });
		expect([carrierPerMin?.toNumber(), carrierStepSec]).toEqual([0.006, 60]);
	});
});

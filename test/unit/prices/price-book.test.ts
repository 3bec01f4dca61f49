import { describe, expect, test } from "@jest/globals";
import { PUBLIC_IPV4_USD_PER_HOUR, parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { controlPlaneUsd } from "../../../shared/plan/control-plane.ts";
import { PriceBook, parseOwnPrices, parsePriceList } from "../../../shared/prices/price-book.ts";
import { CARRIER_INCREMENTS_SEC, type Price } from "../../../shared/prices/price-data.ts";
import { PriceError } from "../../../shared/prices/price-error.ts";
import { BILLED_STEPS } from "../../../shared/sync/counters.ts";

const OWN = { currency: "USD", date: "2026-11-01" };
const TYPE = "ec2.on-demand.c7g.large";
const price = (more: Partial<Price> = {}): Price => ({
	product: TYPE,
	region: "us-east-1",
	unit: "hour",
	usd: 0.1,
	date: "2026-11-01",
	source: "a test",
	certainty: "seen",
	...more,
});
const NOW = Date.parse("2026-12-01T00:00:00Z");

const failure = (run: () => unknown): string => {
	try {
		run();
	} catch (error) {
		if (!(error instanceof PriceError)) throw error;
		return [error.message, ...error.mistakes.map(({ path, message }) => `${path}: ${message}`), error.remedy].join(
			"\n",
		);
	}
	throw new Error("it was taken");
};

describe("the shipped prices", () => {
	test.each(["us-east-1", "eu-west-1"])("of %s are all that a plan needs", (region) => {
		const book = new PriceBook(region);
		expect(book.usd(TYPE).toNumber()).toBeGreaterThan(0.05);
		expect(book.usd("ec2.ipv4").toNumber()).toBe(0.005);
		expect(book.usd("ec2.gp3").toNumber()).toBeGreaterThan(0.05);
		expect(book.usd("ec2.savings-plan-1y").toNumber()).toBe(0.73);
		expect(book.tiers("egress").map(({ usdPerGb }) => usdPerGb.toNumber())).toEqual([0, 0.09, 0.085, 0.07, 0.05]);
		// The README says $4 to $5 for a million.
		expect(controlPlaneUsd(book).times(1_000_000).toNumber()).toBeGreaterThan(4);
		expect(controlPlaneUsd(book).times(1_000_000).toNumber()).toBeLessThan(5);
	});
});

test("the fleet's settings count with the same prices", () => {
	const book = new PriceBook("us-east-1");
	for (const { type, usdPerHour } of parseBurstSettings({}).types) {
		expect({ type, usd: book.usd(`ec2.on-demand.${type}`).toNumber() }).toEqual({ type, usd: usdPerHour });
	}
	expect(book.usd("ec2.ipv4").toNumber()).toBe(PUBLIC_IPV4_USD_PER_HOUR);
});

describe("a price that cannot be used", () => {
	test("missing: product, unit, region, and what to write", () => {
		const words = failure(() => new PriceBook("mars-1").usd(TYPE));
		expect(words).toContain(
			`no price of ${TYPE} in mars-1, US dollars per hour (there is one in eu-west-1, us-east-1)`,
		);
		expect(words).toContain(`{ "product": "${TYPE}", "region": "mars-1", "unit": "hour", "usd": … }`);
		expect(failure(() => new PriceBook("mars-1").tiers("egress"))).toContain("US dollars per GB");
	});

	test("two that fit", () => {
		const book = new PriceBook("us-east-1", undefined, [price(), price({ region: "all", usd: 0.2 })]);
		expect(failure(() => book.usd(TYPE))).toContain(`Two prices fit: ${TYPE} in us-east-1`);
	});

	test.each([
		[[price({ usd: -1 })], "prices.0.usd: is negative"],
		[[price(), price()], `prices.1: ${TYPE} in us-east-1, US dollars per hour is there twice`],
		[[price({ unit: "month" })], `prices.0.unit: ${TYPE} is priced per hour, not per month`],
		[[price({ product: "ec2.fax" })], "prices.0.product: ec2.fax is no product"],
		[[price({ date: "yesterday" })], "prices.0.date: a date as in"],
	])("in a list: %#", (prices, words) => {
		expect(failure(() => parsePriceList({ currency: "USD", prices }))).toContain(words);
	});

	test("another currency", () => {
		expect(failure(() => parsePriceList({ currency: "EUR", prices: [] }))).toContain("only US dollars");
		expect(failure(() => parseOwnPrices({ ...OWN, currency: "EUR" }))).toContain("currency: only US dollars (USD)");
	});

	test.each([
		[{ prices: [{ product: TYPE, unit: "hour", usd: -0.1 }] }, "prices.0.usd: is negative"],
		[{ prices: [{ product: TYPE, unit: "hour" }] }, "prices.0.usd: a number of US dollars"],
		[{ prices: [1, 2].map((usd) => ({ product: TYPE, unit: "hour", usd })) }, "is there twice"],
		[{ colocation: { usdPerMonth: -5 } }, "colocation.usdPerMonth: is negative"],
		[{ discounts: [{ product: "ec2", percent: 120 }] }, "discounts.0.percent"],
		[
			{ discounts: ["ec2.on-demand", TYPE].map((product) => ({ product, percent: 5 })) },
			`discounts.1: ${TYPE} has two discounts`,
		],
		[{ colocations: {} }, "colocations"],
		[{ date: undefined }, "date: a date as in 2026-07-20"],
	])("of one's own: %#", (more, words) => {
		expect(failure(() => parseOwnPrices({ ...OWN, ...more }))).toContain(words);
	});

	test.each([
		["a gap", [0, 100], [200, undefined]],
		["an overlap", [0, 100], [50, undefined]],
		["no first", [100, 200], [200, undefined]],
		["an end", [0, 100], [100, 200]],
	])("tiers with %s", (_, ...tiers) => {
		const list = tiers.map(([fromGb, toGb]) =>
			price({ product: "egress", unit: "GB", fromGb, ...(toGb ? { toGb } : {}) }),
		);
		expect(failure(() => new PriceBook("us-east-1", undefined, list).tiers("egress"))).toContain(
			"do not follow each other",
		);
	});
});

describe("one's own prices", () => {
	test("count instead of the shipped ones", () => {
		const own = parseOwnPrices({ ...OWN, prices: [{ product: TYPE, unit: "hour", usd: 0.06 }] });
		expect(new PriceBook("us-east-1", own).usd(TYPE).toNumber()).toBe(0.06);
		expect(new PriceBook("mars-1", own).usd(TYPE).toNumber()).toBe(0.06);
	});

	test("discounts count for shipped prices, not for one's own", () => {
		const own = parseOwnPrices({
			...OWN,
			prices: [{ product: "ec2.ipv4", unit: "hour", usd: 0.004 }],
			discounts: [
				{ product: "ec2", percent: 10 },
				{ product: "egress", percent: 50 },
			],
		});
		const book = new PriceBook("us-east-1", own);
		expect(book.usd(TYPE).toNumber()).toBe(0.06525);
		expect(book.usd("ec2.ipv4").toNumber()).toBe(0.004);
		expect(book.tiers("egress")[1]?.usdPerGb.toNumber()).toBe(0.045);
		expect(book.usd("dynamodb.write").compare(new PriceBook("us-east-1").usd("dynamodb.write"))).toBe(0);
	});
});

describe("prices that AWS was asked for", () => {
	const tier = (usd: number, fromGb: number, toGb?: number): Price =>
		price({ product: "egress", unit: "GB", usd, fromGb, ...(toGb === undefined ? {} : { toGb }) });
	const shipped = [price(), tier(0.09, 0, 100), tier(0.05, 100), price({ product: "ec2.ipv4", usd: 0.005 })];

	test("count instead of the shipped ones of the same product, never mixed with them", () => {
		const book = new PriceBook("us-east-1", undefined, shipped, [
			price({ usd: 0.2 }),
			tier(0.07, 0, 500),
			tier(0.03, 500),
		]);
		expect(book.usd(TYPE).toNumber()).toBe(0.2);
		expect(book.tiers("egress").map(({ usdPerGb }) => usdPerGb.toNumber())).toEqual([0.07, 0.03]);
		expect(book.usd("ec2.ipv4").toNumber()).toBe(0.005);
		expect(new PriceBook("us-east-1", undefined, shipped, [price({ region: "eu-west-1" })]).usd(TYPE).toNumber()).toBe(
			0.1,
		);
	});

	test("give way to one's own, and are discounted", () => {
		const refreshed = [price({ usd: 0.2 }), price({ product: "ec2.ipv4", usd: 0.01 })];
		const own = parseOwnPrices({
			...OWN,
			prices: [{ product: "ec2.ipv4", unit: "hour", usd: 0.004 }],
			discounts: [{ product: "ec2", percent: 10 }],
		});
		const book = new PriceBook("us-east-1", own, shipped, refreshed);
		expect(book.usd("ec2.ipv4").toNumber()).toBe(0.004);
		expect(book.usd(TYPE).toNumber()).toBe(0.18);
		expect(book.all().map(({ price: { product }, usd }) => [product, usd.toDecimal()])).toEqual([
			["ec2.ipv4", 0.004],
			[TYPE, 0.18],
			["egress", 0.09],
			["egress", 0.05],
		]);
		// Listing is not asking.
		expect(new PriceBook("us-east-1", own, shipped, refreshed).used).toEqual([]);
	});

	test("where neither has a region, both are named", () => {
		const book = new PriceBook("mars-1", undefined, shipped, [price({ region: "eu-west-1" })]);
		expect(failure(() => book.usd(TYPE))).toContain("(there is one in eu-west-1, us-east-1)");
	});
});

test("a carrier bills in the steps in which talk is counted", () => {
	expect(Object.keys(BILLED_STEPS).map(Number)).toEqual([...CARRIER_INCREMENTS_SEC]);
});

describe("what is said of prices", () => {
	const said = (more: Partial<Price>, days: number): string[] => {
		const book = new PriceBook("us-east-1", undefined, [price(more)]);
		book.usd(TYPE);
		return book.warnings(Date.parse("2026-11-01") + days * 86_400_000);
	};

	test("old from 91 days on", () => {
		expect(said({}, 90)).toEqual([]);
		expect(said({}, 91)).toEqual([`${TYPE} in us-east-1, $0.1 per hour: 91 days old`]);
	});

	test("of no known day; not verified; one moment's", () => {
		expect(said({ date: null }, 0)).toEqual([expect.stringContaining("its day is not known")]);
		expect(said({ certainty: "unverified" }, 0)).toEqual([expect.stringContaining("not verified")]);
		expect(said({ certainty: "snapshot" }, 0)).toEqual([expect.stringContaining("spot prices change")]);
	});

	test("only of those that were asked for", () => {
		expect(new PriceBook("us-east-1").warnings(NOW)).toEqual([]);
	});
});

import { z } from "zod";
import type { AwsProduct, PriceFilter } from "./aws-products.ts";
import { type Price, unitOf } from "./price-data.ts";

/** Reads what the AWS Price List (GetProducts) answers. Pure. */

/** The account's free traffic of a month: AWS grants it over all regions, so it is not among a region's tiers. */
const FREE_EGRESS_GB = 100;
/** Names of products that are shown in a mistake; more help nobody. */
const MAX_SHOWN = 8;

/** One product of a PriceList, which is a list of texts of JSON. Only what is read. */
const listedSchema = z.looseObject({
	product: z.looseObject({ sku: z.string().min(1), attributes: z.record(z.string(), z.string()) }),
	terms: z.looseObject({
		OnDemand: z
			.record(
				z.string(),
				z.looseObject({
					priceDimensions: z.record(
						z.string(),
						z.looseObject({
							unit: z.string(),
							beginRange: z.string().default("0"),
							endRange: z.string().default("Inf"),
							pricePerUnit: z.record(z.string(), z.string()),
						}),
					),
				}),
			)
			.default({}),
	}),
});
type Listed = z.output<typeof listedSchema>;

export interface PriceMistake {
	path: string;
	message: string;
}
export type ReadPrices = { prices: Price[]; mistakes?: undefined } | { prices?: undefined; mistakes: PriceMistake[] };

/** All filters that a product is asked for with. */
export const filtersOf = (product: AwsProduct, region: string): PriceFilter[] => [
	...product.filters,
	[product.regionField, region],
];

const decimalOf = (text: string): number | undefined =>
	/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text) ? Number(text) : undefined;

/** `SKU (usage type)` of products, for a mistake. */
const shown = (found: readonly Listed[]): string =>
	found.length === 0
		? "none"
		: found
				.slice(0, MAX_SHOWN)
				.map(({ product }) => `${product.sku} (${product.attributes["usagetype"] ?? "no usage type"})`)
				.join(", ") + (found.length > MAX_SHOWN ? ` and ${found.length - MAX_SHOWN} more` : "");

interface Tier {
	from: number;
	to: number | undefined;
	usd: number;
}

/** The tiers of the one product that was found, or what is wrong with them. */
const tiersOf = (listed: Listed, { awsUnits }: AwsProduct): { tiers: Tier[]; wrong: string[] } => {
	const terms = Object.values(listed.terms.OnDemand);
	if (terms.length !== 1) return { tiers: [], wrong: [`has ${terms.length} on-demand offers; one is needed`] };
	const wrong: string[] = [];
	const tiers: Tier[] = [];
	for (const dimension of Object.values(terms[0]?.priceDimensions ?? {})) {
		const { unit, beginRange, endRange, pricePerUnit } = dimension;
		const usdText = pricePerUnit["USD"];
		const usd = decimalOf(usdText ?? "");
		const [from, to] = [decimalOf(beginRange), endRange === "Inf" ? Number.POSITIVE_INFINITY : decimalOf(endRange)];
		if (!awsUnits.includes(unit)) wrong.push(`is priced per ${unit}, not per ${awsUnits.join(" or ")}`);
		if (usdText === undefined) {
			wrong.push(`is priced in ${Object.keys(pricePerUnit).join(", ") || "no currency"}, not in USD`);
		} else if (usd === undefined) wrong.push(`costs "${usdText}", which is no number`);
		else if (usd < 0) wrong.push(`costs $${usdText}: a price cannot be negative`);
		if (from === undefined || to === undefined) wrong.push(`has a tier from "${beginRange}" to "${endRange}"`);
		else if (usd !== undefined) tiers.push({ from, to: Number.isFinite(to) ? to : undefined, usd });
	}
	tiers.sort((a, b) => a.from - b.from);
	const gapless = tiers.every(
		({ from, to }, i) => from === (i === 0 ? 0 : tiers[i - 1]?.to) && (i === tiers.length - 1) === (to === undefined),
	);
	if (wrong.length === 0 && (tiers.length === 0 || !gapless)) {
		wrong.push("has tiers that do not follow each other from 0 to the end");
	}
	return { tiers, wrong: [...new Set(wrong)] };
};

/** Traffic: the free GB of the account first, unless AWS says itself what is free. */
const withFreeEgress = (tiers: readonly Tier[]): (Tier & { granted?: true })[] => {
	if (tiers[0]?.usd === 0) return [...tiers];
	const paid = tiers
		.filter(({ to }) => to === undefined || to > FREE_EGRESS_GB)
		.map((tier) => ({ ...tier, from: Math.max(tier.from, FREE_EGRESS_GB) }));
	return [{ from: 0, to: FREE_EGRESS_GB, usd: 0, granted: true }, ...paid];
};

const priceOf = (wanted: AwsProduct, region: string, sku: string, date: string, usd: number): Price => ({
	product: wanted.product,
	region,
	unit: unitOf(wanted.product) ?? "unit",
	usd,
	date,
	source: `AWS Price List API, ${wanted.serviceCode} SKU ${sku}`,
	certainty: "seen",
});

/**
 * The prices of one product in one region, of all texts that AWS answered (every page). There must be exactly one product of the usage type.
 * @param date the day on which AWS was asked, as in 2026-12-01
 */
export const readProduct = (
	wanted: AwsProduct,
	region: string,
	answered: readonly string[],
	date: string,
): ReadPrices => {
	const path = `${wanted.product} in ${region}`;
	const asked = `${wanted.serviceCode} ${filtersOf(wanted, region)
		.map(([field, value]) => `${field}=${value}`)
		.join(" ")}`;
	const mistake = (message: string): ReadPrices => ({
		mistakes: [{ path, message: `${message} (asked for ${asked})` }],
	});
	const all: Listed[] = [];
	for (const text of answered) {
		let parsed: unknown;
		try {
			parsed = JSON.parse(text);
		} catch (error) {
			return mistake(`AWS answered with what is no JSON: ${(error as Error).message}`);
		}
		const listed = listedSchema.safeParse(parsed);
		if (!listed.success) {
			const [issue] = listed.error.issues;
			return mistake(`AWS answered with a product of another shape: ${issue?.path.join(".")} ${issue?.message}`);
		}
		all.push(listed.data);
	}
	const found = all.filter(({ product }) => wanted.usageType.test(product.attributes["usagetype"] ?? ""));
	const [only, second] = found;
	if (!only) return mistake(`AWS has no such product; products that it answered: ${shown(all)}`);
	if (second) return mistake(`AWS has ${found.length} such products, one is needed: ${shown(found)}`);
	const { tiers, wrong } = tiersOf(only, wanted);
	const [first, ...beyond] = tiers;
	// Traffic may be free up to some amount; nothing else that is counted is.
	const free = wanted.tiered ? beyond.some(({ usd }) => usd === 0) : first?.usd === 0;
	if (wrong.length === 0 && free) wrong.push("costs $0, which cannot be");
	if (!first || wrong.length > 0) return mistake(`SKU ${only.product.sku} ${wrong.join("; ")}`);
	const { sku } = only.product;
	if (!wanted.tiered) return { prices: [priceOf(wanted, region, sku, date, first.usd)] };
	return {
		prices: withFreeEgress(tiers).map(({ from, to, usd, granted }) => ({
			...priceOf(wanted, region, sku, date, usd),
			...(granted
				? {
						source: "AWS free tier of the account over all regions; not in the price list",
						certainty: "unverified" as const,
					}
				: {}),
			fromGb: from,
			...(to === undefined ? {} : { toGb: to }),
		})),
	};
};

/** A list in which some prices are replaced: every product and region of `fresh` wholly, so that tiers of two lists never mix. */
export const replacePrices = (before: readonly Price[], fresh: readonly Price[]): Price[] => {
	const replaced = new Set(fresh.map(({ product, region }) => `${region} ${product}`));
	const order = (a: Price, b: Price): number =>
		a.region.localeCompare(b.region) || a.product.localeCompare(b.product) || (a.fromGb ?? 0) - (b.fromGb ?? 0);
	return [...before.filter(({ product, region }) => !replaced.has(`${region} ${product}`)), ...fresh].sort(order);
};

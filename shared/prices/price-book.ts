import type { z } from "zod";
import { Exact } from "../plan/exact.ts";
import { DAY_MS } from "../time/clock.ts";
import shipped from "./data/prices.json" with { type: "json" };
import { type OwnPrices, ownPricesSchema, type Price, priceListSchema, unitOf } from "./price-data.ts";
import { PriceError } from "./price-error.ts";

/** A price older than this may have changed. AWS changes prices some times a year. */
export const STALE_DAYS = 90;

/** A part of a month's quantity and what a GB of it costs. */
export interface Tier {
	fromGb: Exact;
	/** undefined: without end. */
	toGb: Exact | undefined;
	usdPerGb: Exact;
}

const at = ({ product, region, unit }: Pick<Price, "product" | "region" | "unit">): string =>
	`${product} in ${region}, US dollars per ${unit}`;

const mistakesOf = (error: z.ZodError): { path: string; message: string }[] =>
	error.issues.flatMap((issue) => {
		const nested = issue.code === "invalid_union" ? issue.errors.flat() : [];
		const path = issue.path.join(".");
		if (nested.length === 0) return [{ path, message: issue.message }];
		const deepest = nested.find(({ code }) => code !== "unrecognized_keys" && code !== "invalid_type") ?? nested[0];
		return [{ path: [path, ...(deepest?.path ?? [])].join("."), message: deepest?.message ?? issue.message }];
	});

/** Units that are not ours, products that are none, prices that are there twice. */
const mistakesIn = (prices: readonly Price[]): { path: string; message: string }[] => {
	const keys = prices.map(({ product, region, fromGb }) => JSON.stringify([product, region, fromGb ?? null]));
	return prices.flatMap((price, i) => {
		const path = `prices.${i}`;
		const unit = unitOf(price.product);
		if (unit === undefined) {
			return [{ path: `${path}.product`, message: `${price.product} is no product that is counted; see docs/plan.md` }];
		}
		if (unit !== price.unit) {
			return [
				{ path: `${path}.unit`, message: `${price.product} is priced per ${unit}, not per ${price.unit}: convert it` },
			];
		}
		const twice = keys.indexOf(keys[i] ?? "") !== i;
		return twice ? [{ path, message: `${at(price)} is there twice: keep one of them` }] : [];
	});
};

/** Checks a user's file of prices. Throws {@link PriceError} that names every mistake. */
export const parseOwnPrices = (value: unknown): OwnPrices => {
	const parsed = ownPricesSchema.safeParse(value);
	const own = parsed.data;
	const mistakes = parsed.success ? [] : mistakesOf(parsed.error);
	if (own) {
		mistakes.push(...mistakesIn(ownAsPrices(own)));
		for (const [i, { product }] of own.discounts.entries()) {
			if (own.discounts.some((other, k) => k !== i && covers(other.product, product))) {
				mistakes.push({ path: `discounts.${i}`, message: `${product} has two discounts: keep one of them` });
			}
		}
	}
	if (!own || mistakes.length > 0) {
		throw new PriceError(
			"The prices cannot be used.",
			"mend them there; docs/plan.md shows what they look like",
			mistakes,
		);
	}
	return own;
};

const ownAsPrices = (own: OwnPrices): Price[] =>
	own.prices.map((price) => ({
		...price,
		date: price.date ?? own.date,
		source: price.source ?? own.source ?? "own prices",
		certainty: "own" as const,
	}));

/** Whether a discount of a product, or of all whose name begins so, is one of this. */
export const covers = (product: string, of: string): boolean => of === product || of.startsWith(`${product}.`);

/** Checks a list of prices, as it is shipped or as AWS was asked for it. Throws {@link PriceError}. */
export const parsePriceList = (value: unknown, remedy = "mend shared/prices/data/prices.json"): Price[] => {
	const parsed = priceListSchema.safeParse(value);
	const mistakes = parsed.success ? mistakesIn(parsed.data.prices) : mistakesOf(parsed.error);
	if (!parsed.success || mistakes.length > 0) {
		throw new PriceError("The list of prices cannot be used.", remedy, mistakes);
	}
	return parsed.data.prices;
};

let shippedList: readonly Price[] | undefined;
/** The prices that are shipped, checked once. */
export const shippedPrices = (): readonly Price[] => {
	shippedList ??= parsePriceList(shipped);
	return shippedList;
};

/** Whole days since a price was true; null: nobody knows. */
export const ageDays = ({ date }: Pick<Price, "date">, nowMs: number): number | null =>
	date === null ? null : Math.floor((nowMs - Date.parse(date)) / DAY_MS);

/** A price that counts, less its discount. */
export interface Counted {
	price: Price;
	usd: Exact;
}

/** Prices of one region. It remembers which were asked for, and what is to be said of them. */
export class PriceBook {
	readonly region: string;
	readonly own: OwnPrices | undefined;
	/** One's own, those that AWS was asked for, the shipped ones: of a product the first list counts that has it, and no other. */
	readonly #lists: readonly (readonly Price[])[];
	readonly #used = new Map<string, Price>();

	/**
	 * @param list as shipped, unless a test gives its own
	 * @param refreshed as AWS was asked for: instead of the shipped ones of the same product
	 */
	constructor(
		region: string,
		own?: OwnPrices,
		list: readonly Price[] = shippedPrices(),
		refreshed: readonly Price[] = [],
	) {
		this.region = region;
		this.own = own;
		this.#lists = [own ? ownAsPrices(own) : [], refreshed, list];
	}

	/** Prices of a product that count here: of one's own as they are, of others less a discount. */
	#look(product: string): Counted[] {
		const here = ({ product: name, region }: Price): boolean =>
			name === product && (region === this.region || region === "all");
		const lists = this.#lists.map((list) => list.filter(here));
		const at = lists.findIndex((list) => list.length > 0);
		const percent = at === 0 ? 0 : (this.own?.discounts.find((each) => covers(each.product, product))?.percent ?? 0);
		return (lists[at] ?? []).map((price) => ({
			price,
			usd: Exact.of(price.usd)
				.times(Exact.of(100).minus(Exact.of(percent)))
				.by(100),
		}));
	}

	#find(product: string): Counted[] {
		const found = this.#look(product);
		for (const { price } of found) this.#used.set(JSON.stringify([product, price.region, price.fromGb]), price);
		return found;
	}

	/** All that count here, by product; nothing of it is remembered as asked for. */
	all(): Counted[] {
		const names = new Set(this.#lists.flat().map(({ product }) => product));
		return [...names].sort().flatMap((product) => this.#look(product));
	}

	#missing(product: string): PriceError {
		const unit = unitOf(product) ?? "unit";
		const regions = [
			...new Set(
				this.#lists
					.flat()
					.filter((each) => each.product === product)
					.map(({ region }) => region),
			),
		].sort();
		return new PriceError(
			`There is no price of ${product} in ${this.region}, US dollars per ${unit}${regions.length > 0 ? ` (there is one in ${regions.join(", ")})` : ""}.`,
			`give it in your own prices: "prices": [{ "product": "${product}", "region": "${this.region}", "unit": "${unit}", "usd": … }]`,
		);
	}

	/** Whether there is a price of it here at all. */
	has(product: string): boolean {
		return this.#look(product).length > 0;
	}

	/** Throws {@link PriceError} where there is none or more than one. */
	usd(product: string): Exact {
		const [first, second] = this.#find(product);
		if (!first) throw this.#missing(product);
		if (second) {
			throw new PriceError(
				`Two prices fit: ${at(first.price)}, and ${at(second.price)}.`,
				"keep one of them: the one of the region, or the one of all",
			);
		}
		return first.usd;
	}

	/** Tiers without gap or overlap, from 0 on. Throws {@link PriceError}. */
	tiers(product: string): Tier[] {
		const found = this.#find(product).sort((a, b) => (a.price.fromGb ?? 0) - (b.price.fromGb ?? 0));
		if (found.length === 0) throw this.#missing(product);
		for (const [i, { price }] of found.entries()) {
			const wanted = i === 0 ? 0 : found[i - 1]?.price.toGb;
			if ((price.fromGb ?? 0) !== wanted || (i === found.length - 1) !== (price.toGb === undefined)) {
				throw new PriceError(
					`The tiers of ${at(price)} do not follow each other from 0 GB to the end.`,
					"let each `fromGb` be the `toGb` before it, the first 0, and leave out the last `toGb`",
				);
			}
		}
		return found.map(({ price, usd }) => ({
			fromGb: Exact.of(price.fromGb ?? 0),
			toGb: price.toGb === undefined ? undefined : Exact.of(price.toGb),
			usdPerGb: usd,
		}));
	}

	/** The prices that were asked for so far. */
	get used(): Price[] {
		return [...this.#used.values()];
	}

	/** What is to be said of those that were asked for: too old, of no known day, hearsay. One line for a product; of tiers the oldest speaks. */
	warnings(nowMs: number): string[] {
		const products = [...new Set(this.used.map(({ product }) => product))];
		return products.flatMap((product) => {
			const prices = this.used.filter((each) => each.product === product);
			const oldest = Math.max(...prices.map((price) => ageDays(price, nowMs) ?? 0));
			const why = [
				...(prices.some(({ date }) => date === null) ? ["its day is not known"] : []),
				...(oldest > STALE_DAYS ? [`${oldest} days old`] : []),
				...(prices.some(({ certainty }) => certainty === "unverified") ? ["not verified"] : []),
				...(prices.some(({ certainty }) => certainty === "snapshot") ? ["spot prices change all the time"] : []),
			];
			const [first] = prices;
			if (!first || why.length === 0) return [];
			const what =
				prices.length > 1
					? `tiers per ${first.unit}`
					: first.unit.startsWith("of ")
						? `${first.usd} ${first.unit}`
						: `$${first.usd} per ${first.unit}`;
			return [`${product} in ${this.region}, ${what}: ${why.join(", ")}`];
		});
	}
}

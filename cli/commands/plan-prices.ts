import { type Command, Option } from "commander";
import { DEFAULT_REGION, DEFAULT_TYPE } from "../../shared/plan/defaults.ts";
import { HOURS_PER_MONTH } from "../../shared/plan/split-cost.ts";
import { PriceBook, parseOwnPrices } from "../../shared/prices/price-book.ts";
import type { OwnPrices } from "../../shared/prices/price-data.ts";
import type { Context } from "../context.ts";
import { nameOf, readJsonObject } from "../files.ts";
import type { Io } from "../io.ts";
import { asCliError, readPriceFile } from "../price-file.ts";
import { priceListFile } from "../settings.ts";

/** What plans count with: one's own prices, those that AWS was asked for, the shipped ones. */

export { DEFAULT_REGION };

export interface PriceOptions {
	prices?: string;
	region: string;
	type: string;
}

/** The options that say which prices count. */
export const withPriceOptions = (command: Command): Command =>
	command
		.option("--prices <file>", "your own prices as JSON: co-location, carrier, discounts … (docs/plan.md)")
		.option("--region <region>", "of the rented hosts", DEFAULT_REGION)
		.option("--type <type>", "instance type of the rented hosts", DEFAULT_TYPE);

export const rentedPriceOption = (price: (text: string) => number): Option =>
	new Option("--rented-price <usd>", "for an hour of a rented host, instead of the type's list price").argParser(price);

/** One's own prices from a file, checked. */
export const readOwnPriceFile = async (io: Io, path: string): Promise<OwnPrices> => {
	const own = await readJsonObject(io, path);
	try {
		return parseOwnPrices(own);
	} catch (error) {
		throw asCliError(error, nameOf(path));
	}
};

/** Gives the prices of a region, by the options and by what was refreshed. */
export const priceBooks = async (
	{ io, options: global }: Context,
	{ prices }: Pick<PriceOptions, "prices">,
): Promise<(region: string) => PriceBook> => {
	const own = prices === undefined ? undefined : await readOwnPriceFile(io, prices);
	const refreshed = await readPriceFile(priceListFile(io, global));
	return (region) => new PriceBook(region, own, undefined, refreshed);
};

/** An amount for an hour, or for a month as in `100/month`. */
export const ownedPrice = (text: string): { ownedUsdPerHour: number } | { ownedUsdPerMonth: number } | undefined => {
	const [, usd, unit] = /^(\d+(?:\.\d+)?)(?:\/(hour|month))?$/.exec(text) ?? [];
	if (usd === undefined) return undefined;
	return unit === "month" ? { ownedUsdPerMonth: Number(usd) } : { ownedUsdPerHour: Number(usd) };
};
/** Hours of a month, in words. */
export const OWNED_WORDS = `for an own host: an hour as in 0.14, or 100/month (${HOURS_PER_MONTH} h)`;

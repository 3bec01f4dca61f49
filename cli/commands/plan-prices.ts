import { type Command, Option } from "commander";
import { Exact } from "../../shared/plan/exact.ts";
import type { SplitModel } from "../../shared/plan/split-cost.ts";
import { HOURS_PER_MONTH } from "../../shared/plan/split-cost.ts";
import { PriceBook, parseOwnPrices } from "../../shared/prices/price-book.ts";
import { PriceError } from "../../shared/prices/price-error.ts";
import { CliError, EXIT_USAGE, usageError } from "../errors.ts";
import { nameOf, readJsonObject } from "../files.ts";
import type { Io } from "../io.ts";

/** What `plan campaign` and `plan split` count with. */

export interface PriceOptions {
	prices?: string;
	region: string;
	type: string;
	rentedPrice?: number;
}

const DEFAULT_REGION = "us-east-1";
/** The first that the fleet asks for. */
const DEFAULT_TYPE = "c7g.large";

/** The options that say which prices count. */
export const withPriceOptions = (command: Command, price: (text: string) => number): Command =>
	command
		.option("--prices <file>", "your own prices as JSON: co-location, carrier, discounts … (docs/plan.md)")
		.option("--region <region>", "of the rented hosts", DEFAULT_REGION)
		.option("--type <type>", "instance type of the rented hosts", DEFAULT_TYPE)
		.addOption(
			new Option("--rented-price <usd>", "for an hour of a rented host, instead of the type's list price").argParser(
				price,
			),
		);

/** A mistake in prices, as the command shows it. */
const asCliError = (error: unknown, where: string | undefined): unknown =>
	error instanceof PriceError
		? new CliError(error.message, {
				exitCode: EXIT_USAGE,
				code: "price",
				details: [...error.mistakes],
				remedy: error.remedy,
				where,
			})
		: error;

/** Runs what looks prices up; a mistake in them becomes an error of the command line. */
export const pricing = <T>(look: () => T, where?: string): T => {
	try {
		return look();
	} catch (error) {
		throw asCliError(error, where);
	}
};

/** The prices of the region, with the user's own. */
export const priceBook = async (io: Io, { prices, region }: PriceOptions): Promise<PriceBook> => {
	if (prices === undefined) return pricing(() => new PriceBook(region));
	const own = await readJsonObject(io, prices);
	return pricing(() => new PriceBook(region, parseOwnPrices(own)), nameOf(prices));
};

/** An hour of a rented host. */
export const rentedPerHour = (book: PriceBook, options: PriceOptions): Exact =>
	options.rentedPrice === undefined ? book.usd(`ec2.on-demand.${options.type}`) : Exact.of(options.rentedPrice);

export const carrierPerMin = (book: PriceBook): Exact | undefined =>
	book.own?.carrier ? Exact.of(book.own.carrier.usdPerMin) : undefined;

/** An amount for an hour, or for a month as in `100/month`. @returns US dollars an hour */
export const ownedPrice = (text: string): Exact | undefined => {
	const [, usd, unit] = /^(\d+(?:\.\d+)?)(?:\/(hour|month))?$/.exec(text) ?? [];
	if (usd === undefined) return undefined;
	const amount = Exact.of(Number(usd));
	return unit === "month" ? amount.by(HOURS_PER_MONTH) : amount;
};

/** An hour of an own host: as given, or from the co-location in the file of prices. */
export const ownedPerHour = (book: PriceBook, given: Exact | undefined, perHost: number): Exact => {
	if (given) return given;
	const own = book.own?.colocation;
	if (!own) {
		throw usageError(
			"What an own host costs is not known.",
			'give --owned-price 0.14 (an hour) or 100/month, or "colocation": { "usdPerMonth": 100 } in the file of --prices',
		);
	}
	const perMonth = "usdPerMonth" in own ? Exact.of(own.usdPerMonth) : Exact.of(own.usdPerChannelMonth).times(perHost);
	return perMonth.by(HOURS_PER_MONTH);
};

/** What the type costs otherwise, where that is known. */
export const otherPrices = (book: PriceBook, options: PriceOptions, { rented }: SplitModel) => {
	const { savingsPlan, reserved, spot } = book.own ?? {};
	const plan = (): Exact =>
		savingsPlan && "usdPerHour" in savingsPlan
			? Exact.of(savingsPlan.usdPerHour)
			: rented.usdPerHour.times(savingsPlan ? savingsPlan.partOfOnDemand : book.usd("ec2.savings-plan-1y"));
	const spotProduct = `ec2.spot.${options.type}`;
	return {
		savingsPlanPerHour: plan(),
		reservedPerHour: reserved ? Exact.of(reserved.usdPerHour) : undefined,
		spotPerHour: spot ? Exact.of(spot.usdPerHour) : book.has(spotProduct) ? book.usd(spotProduct) : undefined,
	};
};

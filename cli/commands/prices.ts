import type { Command } from "commander";
import { z } from "zod";
import { replacePrices } from "../../shared/prices/aws-price-list.ts";
import { awsProducts, NOT_REFRESHED } from "../../shared/prices/aws-products.ts";
import { ageDays, type Counted, PriceBook, STALE_DAYS, shippedPrices } from "../../shared/prices/price-book.ts";
import type { OwnPrices, Price } from "../../shared/prices/price-data.ts";
import { Context } from "../context.ts";
import { CliError, withContext } from "../errors.ts";
import { nameOf, readJsonObject } from "../files.ts";
import { table } from "../format.ts";
import type { Io } from "../io.ts";
import { regionName, several, typeName } from "../options.ts";
import { PRICES_PATH } from "../paths.ts";
import { readPriceFile, writePriceFile } from "../price-file.ts";
import { priceListFile } from "../settings.ts";
import { DEFAULT_REGION, readOwnPriceFile } from "./plan-prices.ts";

const ON_DEMAND = "ec2.on-demand.";

/** All digits, none as a power of ten. */
const decimals = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 20 });

/** The instance types that a list has prices of. */
const typesOf = (prices: readonly Price[]): string[] => [
	...new Set(prices.flatMap(({ product }) => (product.startsWith(ON_DEMAND) ? [product.slice(ON_DEMAND.length)] : []))),
];

interface RefreshOptions {
	region?: string[];
	type?: string[];
	out?: string;
}

const refresh = async (context: Context, options: RefreshOptions): Promise<void> => {
	const { io } = context;
	const path = options.out ?? priceListFile(io, context.options);
	// A list that cannot be read is not replaced by one that has less: it is told first.
	const before = await readPriceFile(path);
	const regions = options.region ?? [DEFAULT_REGION];
	const types = options.type ?? typesOf(shippedPrices());
	const date = new Date(io.now()).toISOString().slice(0, 10);
	// The SDK is loaded only here: it takes longer to load than most commands take to run.
	const { askPriceList } = await import("../price-list-api.ts");
	const fresh = await askPriceList(io, awsProducts(types), regions, date);
	await writePriceFile(path, replacePrices(before, fresh));
	const left = Object.entries(NOT_REFRESHED).map(([product, why]) => `  ${product}: ${why}`);
	context.result(
		{ file: path, regions, types, refreshed: fresh, notRefreshed: NOT_REFRESHED },
		`${fresh.length} prices of ${regions.join(", ")} are written to ${path}; plans count with them from now on.\n\nNot refreshed, as the AWS Price List API does not have them; those of before count:\n${left.join("\n")}`,
	);
};

interface ShowOptions {
	region?: string[];
	prices?: string;
}

const stateOf = ({ certainty, date }: Price, age: number | null): string =>
	[
		...(date === null ? ["day not known"] : []),
		...(age !== null && age > STALE_DAYS ? ["old"] : []),
		...(certainty === "seen" || certainty === "own" || certainty === "computed" ? [] : [certainty]),
	].join(", ");

const show = async (context: Context, options: ShowOptions): Promise<void> => {
	const { io } = context;
	const path = priceListFile(io, context.options);
	const refreshed = await readPriceFile(path);
	const own: OwnPrices | undefined =
		options.prices === undefined ? undefined : await readOwnPriceFile(io, options.prices);
	const regions =
		options.region ??
		[...new Set([...shippedPrices(), ...refreshed].map(({ region }) => region))]
			.filter((each) => each !== "all")
			.sort();
	const items = regions.flatMap((region) =>
		new PriceBook(region, own, shippedPrices(), refreshed).all().map(({ price, usd }: Counted) => ({
			...price,
			region,
			usd: usd.toDecimal(),
			list: refreshed.includes(price) ? "refreshed" : price.certainty === "own" ? "own" : "shipped",
			ageDays: ageDays(price, io.now()),
		})),
	);
	const tier = ({ fromGb, toGb }: Price): string =>
		fromGb === undefined ? "" : ` ${fromGb} to ${toGb === undefined ? "…" : toGb}`;
	context.result(
		{ items, file: path },
		items.length === 0
			? `There is no price of ${regions.join(", ")}.`
			: `${table(
					["product", "region", "US dollars", "per", "day", "days old", "list", "", "source"],
					items.map((item) => [
						item.product + tier(item),
						item.region,
						// A part of another price is no amount.
						`${item.unit.startsWith("of ") ? "" : "$"}${decimals(item.usd)}`,
						item.unit,
						item.date,
						item.ageDays,
						item.list,
						stateOf(item, item.ageDays) || " ",
						shortened(item.source),
					]),
				)}\n\nRefreshed prices are kept in ${path}${refreshed.length === 0 ? ", which is not there yet: burst-dialer prices refresh" : ""}.`,
	);
};

/** A source in a table; `--json` has all of it. */
const MAX_SOURCE_CHARS = 60;
const shortened = (source: string): string =>
	source.length <= MAX_SOURCE_CHARS ? source : `${source.slice(0, MAX_SOURCE_CHARS - 1)}…`;

const answerSchema = z.looseObject({ prices: z.array(z.looseObject({})).default([]) });

/** `burst-dialer prices …` */
export const addPriceCommands = (program: Command, io: Io): void => {
	const prices = program.command("prices").description("the prices that plans count with");
	prices
		.command("refresh")
		.description("ask the AWS Price List for them, with your AWS credentials; all of them, or nothing is stored")
		.option("--region <region>", `whose prices; repeatable (default: ${DEFAULT_REGION})`, several(regionName))
		.option("--type <type>", "instance type; repeatable (default: those that are shipped)", several(typeName))
		.option("--out <file>", "where to, instead of beside the settings file")
		.addHelpText(
			"after",
			`
Needs permission for pricing:GetProducts. What is written counts instead of the shipped prices of the same product and region.

Examples:
  $ AWS_PROFILE=me burst-dialer prices refresh
  $ burst-dialer prices refresh --region eu-central-1 --type c7g.large --type c7g.xlarge`,
		)
		.action(async (options: RefreshOptions, command: Command) => refresh(new Context(io, command), options));
	prices
		.command("show")
		.description("the prices that count, how old they are and where they are from")
		.option("--region <region>", "only of it; repeatable", several(regionName))
		.option("--prices <file>", "with your own prices as JSON (docs/plan.md)")
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer prices show --region us-east-1\n  $ burst-dialer prices show --json | jq '.items[] | select(.ageDays > 90)'",
		)
		.action(async (options: ShowOptions, command: Command) => show(new Context(io, command), options));
	prices
		.command("set")
		.argument("<file>", "your own prices as JSON (docs/plan.md); - for standard input")
		.description("store your own prices in the control plane, instead of those stored before")
		.addHelpText("after", "\nExample:\n  $ burst-dialer prices set mine.json")
		.action(async (file: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const json = await readJsonObject(io, file);
			const client = await context.client();
			const answer = await client.json(answerSchema, "PUT", PRICES_PATH, { body: { json } }).catch((error) => {
				throw error instanceof CliError && error.details.length > 0
					? withContext(error, { where: `${nameOf(file)}, sent to ${error.where}` })
					: error;
			});
			context.result(answer, "Your own prices are stored; plans and costs of the control plane count with them.");
		});
	prices
		.command("get")
		.description("your own prices, as they are stored in the control plane")
		.addHelpText("after", "\nExample:\n  $ burst-dialer prices get > mine.json")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const answer = await (await context.client()).json(answerSchema, "GET", PRICES_PATH);
			// A document to be edited and set again, in words too.
			context.result(answer, JSON.stringify(answer, null, 2));
		});
};

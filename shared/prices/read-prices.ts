import { type ErrorDetail, notFound, unprocessable } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { getItem, put } from "../store/db.ts";
import { FLEET_PRICES_ID, type PricesItem } from "../store/items.ts";
import { PriceBook, parseOwnPrices } from "./price-book.ts";
import type { OwnPrices } from "./price-data.ts";
import { PriceError } from "./price-error.ts";

/** A tenant's own prices, kept in the control plane. */

type Store = Pick<Deps, "db" | "tables">;

/** An item has at most 400 KB; this leaves room for what DynamoDB counts besides. */
export const MAX_STORED_BYTES = 300_000;

/** `prices.3.usd` → `prices[3].usd`, as the API writes paths. @param prefix field of the request that holds the prices */
const detailOf = ({ path, message }: { path: string; message: string }, prefix: string): ErrorDetail => ({
	path: [prefix, path]
		.filter((part) => part !== "")
		.join(".")
		.replaceAll(/\.(\d+)(?=\.|$)/g, "[$1]"),
	message,
});

/** A mistake in prices as the API says it: 422 with every mistake; anything else is thrown on. */
export const refusePrices = (error: unknown, prefix = ""): never => {
	if (!(error instanceof PriceError)) throw error;
	const details = error.mistakes.map((mistake) => detailOf(mistake, prefix));
	throw unprocessable(
		"price",
		`${error.message} To mend it: ${error.remedy}.`,
		details.length > 0 ? details : [{ path: "prices", message: error.message }],
	);
};

/** Checks own prices of a request; throws 422 with every mistake. */
export const parseSentPrices = (value: unknown, prefix = ""): OwnPrices => {
	try {
		return parseOwnPrices(value);
	} catch (error) {
		return refusePrices(error, prefix);
	}
};

/** The tenant's own prices, read strongly; undefined where none are stored. */
export const readOwnPrices = async (deps: Store, tenant: string): Promise<OwnPrices | undefined> => {
	const item = await getItem<PricesItem>(deps.db, deps.tables.fleet, { tenant, id: FLEET_PRICES_ID });
	return item?.own;
};

/** The tenant's own prices; throws 404 where none are stored. */
export const getOwnPrices = async (deps: Store, tenant: string): Promise<OwnPrices> => {
	const own = await readOwnPrices(deps, tenant);
	if (!own) throw notFound("list of own prices", tenant);
	return own;
};

/** Replaces the tenant's own prices. Throws 422 with every mistake. */
export const putOwnPrices = async (deps: Deps, tenant: string, tokenId: string, value: unknown): Promise<OwnPrices> => {
	const own = parseSentPrices(value);
	const bytes = Buffer.byteLength(JSON.stringify(own));
	if (bytes > MAX_STORED_BYTES) {
		throw unprocessable("tooLarge", `The prices have ${bytes} bytes; at most ${MAX_STORED_BYTES} are stored.`, [
			{ path: "prices", message: "is too long: leave out what is not used, or shorten the sources" },
		]);
	}
	const key = { tenant, id: FLEET_PRICES_ID } as const;
	const item: PricesItem = { ...key, own, updatedAt: deps.now(), tokenId };
	await put(deps.db, { TableName: deps.tables.fleet, Item: item }, key);
	deps.log.info("prices.set", { tenant, tokenId, prices: own.prices.length, discounts: own.discounts.length });
	return own;
};

/** The prices that count for a tenant in a region: its own ones, and the shipped ones. */
export const priceBookOf = async (deps: Store, tenant: string, region: string): Promise<PriceBook> =>
	new PriceBook(region, await readOwnPrices(deps, tenant));

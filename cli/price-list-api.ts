import { PricingClient, paginateGetProducts } from "@aws-sdk/client-pricing";
import { filtersOf, type PriceMistake, readProduct } from "../shared/prices/aws-price-list.ts";
import type { AwsProduct } from "../shared/prices/aws-products.ts";
import type { Price } from "../shared/prices/price-data.ts";
import { CREDENTIAL_ERRORS } from "./aws-errors.ts";
import { CliError } from "./errors.ts";
import type { Io } from "./io.ts";

/** Asks the AWS Price List. */

/** The Price List is served from few regions; prices of all regions are in each. */
const API_REGION = "us-east-1";
const TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 3;
/** The most that AWS puts on a page. */
const PAGE_SIZE = 100;
/** A filter that finds more than this is none. */
const MAX_PAGES = 20;

/** A client by the environment; what it does not say the SDK finds by itself (profile, role). */
const clientOf = ({ env }: Io): PricingClient => {
	const endpoint = env["AWS_ENDPOINT_URL_PRICING"] || env["AWS_ENDPOINT_URL"];
	const [accessKeyId, secretAccessKey] = [env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]];
	const sessionToken = env["AWS_SESSION_TOKEN"];
	return new PricingClient({
		region: API_REGION,
		maxAttempts: MAX_ATTEMPTS,
		requestHandler: { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
		...(endpoint ? { endpoint } : {}),
		...(accessKeyId && secretAccessKey
			? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
			: {}),
	});
};

/** What stands in the way of asking at all, in words. */
const failed = (error: unknown, { product }: AwsProduct, region: string): CliError => {
	const { name, message } = error as Error;
	const where = `AWS Price List API (${API_REGION}), for ${product} in ${region}`;
	if (CREDENTIAL_ERRORS.includes(name)) {
		return new CliError(`There are no AWS credentials that work: ${message}`, {
			code: "credentials",
			where,
			remedy: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			cause: error,
		});
	}
	if (name === "AccessDeniedException") {
		return new CliError(`These AWS credentials may not ask for prices: ${message}`, {
			code: "access",
			where,
			remedy: "allow them pricing:GetProducts",
			cause: error,
		});
	}
	return new CliError(`The AWS Price List cannot be asked: ${message || name}`, {
		code: "aws",
		where,
		remedy: "check the network (and AWS_ENDPOINT_URL_PRICING, if set), then repeat; nothing was stored",
		cause: error,
	});
};

/** All pages of one product. */
const answersOf = async (client: PricingClient, product: AwsProduct, region: string): Promise<string[]> => {
	const texts: string[] = [];
	let pages = 0;
	const Filters = filtersOf(product, region).map(([Field, Value]) => ({ Type: "TERM_MATCH" as const, Field, Value }));
	const paging = { client, pageSize: PAGE_SIZE, stopOnSameToken: true };
	const asked = { ServiceCode: product.serviceCode, FormatVersion: "aws_v1", Filters };
	for await (const page of paginateGetProducts(paging, asked)) {
		texts.push(...(page.PriceList ?? []).map(String));
		pages += 1;
		if (pages >= MAX_PAGES && page.NextToken) throw new Error(`it answers with more than ${MAX_PAGES} pages`);
	}
	return texts;
};

/**
 * Prices of products in regions, all of them: a {@link CliError} names every product that AWS has no single usable price of.
 * @param date today, as in 2026-12-01
 */
export const askPriceList = async (
	io: Io,
	products: readonly AwsProduct[],
	regions: readonly string[],
	date: string,
): Promise<Price[]> => {
	const client = clientOf(io);
	const prices: Price[] = [];
	const mistakes: PriceMistake[] = [];
	try {
		for (const region of regions) {
			for (const product of products) {
				// One after the other: AWS allows few requests a second.
				const answered = await answersOf(client, product, region).catch((error: unknown) => {
					throw failed(error, product, region);
				});
				const read = readProduct(product, region, answered, date);
				prices.push(...(read.prices ?? []));
				mistakes.push(...(read.mistakes ?? []));
			}
		}
	} finally {
		client.destroy();
	}
	if (mistakes.length > 0) {
		throw new CliError("The AWS Price List does not have one usable price of each product; nothing was stored.", {
			code: "price",
			details: mistakes,
			where: `AWS Price List API (${API_REGION})`,
			remedy:
				"check --region and --type; where AWS has changed its attributes, mend shared/prices/aws-products.ts, or give your own price by --prices",
		});
	}
	return prices;
};

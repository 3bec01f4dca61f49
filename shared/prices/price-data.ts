import { z } from "zod";

/** What a price is of and what it is per. A product's last part may be an instance type. */
export const PRODUCT_UNITS: Readonly<Record<string, string>> = {
	"ec2.on-demand": "hour",
	"ec2.spot": "hour",
	/** What a plan of one year, nothing upfront, costs as a part of the on-demand price. */
	"ec2.savings-plan-1y": "of on-demand",
	/** A public IPv4 address, attached or not. */
	"ec2.ipv4": "hour",
	/** A volume of the usual kind. */
	"ec2.gp3": "GB-month",
	/** From EC2 to the internet, in tiers of the month's total of the account. */
	egress: "GB",
	"dynamodb.write": "write unit",
	"dynamodb.read": "read unit",
	"lambda.request": "request",
	/** On arm64. */
	"lambda.duration": "GB-second",
	"api.request": "request",
	/** Taken in by CloudWatch Logs, standard class. */
	"logs.ingest": "GB",
	/** To a standard queue, by 64 KB. */
	"sqs.request": "request",
};

/** The unit of a product as it is priced here; undefined where the product is none. */
export const unitOf = (product: string): string | undefined =>
	PRODUCT_UNITS[product] ??
	PRODUCT_UNITS[/^(ec2\.(?:on-demand|spot))\.[a-z0-9-]+\.[a-z0-9-]+$/.exec(product)?.[1] ?? ""];

export const dateSchema = z.iso.date("a date as in 2026-07-20");

/** US dollars; a price is never negative, and none is an infinity. */
export const usdSchema = z
	.number("a number of US dollars")
	.min(0, "is negative: a price cannot be; write a discount as `discounts`, in percent");

const priceShape = {
	/** As in PRODUCT_UNITS; for instances with the type: `ec2.on-demand.c7g.large`. */
	product: z.string().min(1),
	unit: z.string().min(1),
	usd: usdSchema,
	/** Of a tier: from so many GB of the month … */
	fromGb: z.number().min(0).optional(),
	/** … to so many; absent: whatever is beyond. */
	toGb: z.number().positive().optional(),
};

export const priceSchema = z.strictObject({
	...priceShape,
	/** `all`: everywhere. */
	region: z.string().min(1),
	/** When it was true; null: nobody knows. Where only the month is known, its first day. */
	date: dateSchema.nullable(),
	source: z.string().min(1),
	/** `seen` in the source; `computed` from such; `snapshot`: of one moment, for spot; `unverified`: hearsay. */
	certainty: z.enum(["seen", "computed", "snapshot", "unverified", "own"]),
});
export type Price = z.infer<typeof priceSchema>;

const currencySchema = z.literal("USD", "only US dollars (USD) are counted: convert the prices and say USD");

/** The prices that are shipped. */
export const priceListSchema = z.strictObject({ currency: currencySchema, prices: z.array(priceSchema) });

/** A user's own prices, in a file. */
export const ownPricesSchema = z.strictObject({
	currency: currencySchema,
	/** When they were agreed or looked up. */
	date: dateSchema,
	/** Where from: a contract, an invoice. */
	source: z.string().min(1).optional(),
	/** Instead of the shipped ones of the same product. */
	prices: z
		.array(
			z.strictObject({
				...priceShape,
				/** Absent: in all. */
				region: z.string().min(1).default("all"),
				date: dateSchema.optional(),
				source: z.string().min(1).optional(),
			}),
		)
		.default([]),
	/** An own host, by the month: the machine, or each of its channels. */
	colocation: z
		.union([z.strictObject({ usdPerMonth: usdSchema }), z.strictObject({ usdPerChannelMonth: usdSchema })])
		.optional(),
	/** What the carrier takes for a minute of talk. */
	carrier: z.strictObject({ usdPerMin: usdSchema }).optional(),
	/** Of the shipped prices of a product, or of all whose name begins so: `ec2.on-demand`. Percent. */
	discounts: z.array(z.strictObject({ product: z.string().min(1), percent: z.number().min(0).max(100) })).default([]),
	/** Of an instance, every hour of the month. */
	savingsPlan: z
		.union([z.strictObject({ usdPerHour: usdSchema }), z.strictObject({ partOfOnDemand: z.number().min(0).max(1) })])
		.optional(),
	reserved: z.strictObject({ usdPerHour: usdSchema }).optional(),
	spot: z.strictObject({ usdPerHour: usdSchema }).optional(),
});
export type OwnPrices = z.infer<typeof ownPricesSchema>;

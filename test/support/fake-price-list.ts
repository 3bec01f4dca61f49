import { type SeenRequest, startTestServer, type TestServer } from "./cli-harness.ts";

/** The AWS Price List on loopback: GetProducts by JSON 1.1, with filters and pages as AWS has them. */

type Attributes = Record<string, string>;
interface Dimension {
	from?: string;
	to?: string;
	unit: string;
	/** By currency. */
	price: Record<string, string>;
}
export interface FakeProduct {
	sku: string;
	serviceCode: string;
	family?: string;
	attributes: Attributes;
	/** One on-demand offer with these; none: no offer at all. */
	dimensions: Dimension[];
}

const TERM = "JRTCKXETXF";

/** A product as the PriceList has it: a text of JSON. */
export const listText = ({ sku, serviceCode, family, attributes, dimensions }: FakeProduct): string =>
	JSON.stringify({
		product: {
			...(family === undefined ? {} : { productFamily: family }),
			attributes: { servicecode: serviceCode, locationType: "AWS Region", ...attributes },
			sku,
		},
		serviceCode,
		terms:
			dimensions.length === 0
				? {}
				: {
						OnDemand: {
							[`${sku}.${TERM}`]: {
								priceDimensions: Object.fromEntries(
									dimensions.map(({ from = "0", to = "Inf", unit, price }, i) => [
										`${sku}.${TERM}.${i}`,
										{
											unit,
											beginRange: from,
											endRange: to,
											description: `${Object.values(price)[0]} per ${unit}`,
											appliesTo: [],
											rateCode: `${sku}.${TERM}.${i}`,
											pricePerUnit: price,
										},
									]),
								),
								sku,
								effectiveDate: "2026-11-01T00:00:00Z",
								offerTermCode: TERM,
								termAttributes: {},
							},
						},
						Reserved: {},
					},
		version: "20261120000000",
		publicationDate: "2026-11-20T00:00:00Z",
	});

const flat = (unit: string, usd: string): Dimension[] => [{ unit, price: { USD: usd } }];

/** What AWS has of a region, with the neighbours that a loose filter finds too. @param prefix of its usage types, as `EU-` */
export const productsOf = (regionCode: string, prefix: string, types: Record<string, string>): FakeProduct[] => {
	const named = (sku: string): string => `${sku}${regionCode.replaceAll("-", "").toUpperCase()}`;
	const of = (
		sku: string,
		serviceCode: string,
		usagetype: string,
		attributes: Attributes,
		dimensions: Dimension[],
		family?: string,
	): FakeProduct => ({
		sku: named(sku),
		serviceCode,
		...(family === undefined ? {} : { family }),
		attributes: { regionCode, usagetype: `${prefix}${usagetype}`, ...attributes },
		dimensions,
	});
	const lambda = (group: string, usagetype: string, dimensions: Dimension[]): FakeProduct =>
		of(group, "AWSLambda", usagetype, { group }, dimensions, "Serverless");
	const dynamo = (group: string, usagetype: string, unit: string, usd: string): FakeProduct =>
		of(
			usagetype,
			"AmazonDynamoDB",
			usagetype,
			{ group, operation: "PayPerRequestThroughput" },
			flat(unit, usd),
			"Amazon DynamoDB PayPerRequest Throughput",
		);
	return [
		...Object.entries(types).map(([instanceType, usd]) =>
			of(
				instanceType.replaceAll(".", ""),
				"AmazonEC2",
				`BoxUsage:${instanceType}`,
				{
					...{ instanceType, operatingSystem: "Linux", tenancy: "Shared", preInstalledSw: "NA" },
					...{ capacitystatus: "Used", licenseModel: "No License required", marketoption: "OnDemand" },
				},
				flat("Hrs", usd),
				"Compute Instance",
			),
		),
		of("INUSE", "AmazonVPC", "PublicIPv4:InUseAddress", { group: "VPCPublicIPv4Address" }, flat("Hrs", "0.0050000000")),
		of("IDLE", "AmazonVPC", "PublicIPv4:IdleAddress", { group: "VPCPublicIPv4Address" }, flat("Hrs", "0.0050000000")),
		of("GP3", "AmazonEC2", "EBS:VolumeUsage.gp3", { volumeApiName: "gp3" }, flat("GB-Mo", "0.0880000000"), "Storage"),
		{
			sku: named("OUT"),
			serviceCode: "AWSDataTransfer",
			family: "Data Transfer",
			attributes: {
				...{ fromRegionCode: regionCode, toLocation: "External", transferType: "AWS Outbound" },
				usagetype: `${prefix}DataTransfer-Out-Bytes`,
			},
			// In no order, as AWS has them.
			dimensions: [
				{ from: "10240", to: "51200", unit: "GB", price: { USD: "0.0850000000" } },
				{ from: "153600", unit: "GB", price: { USD: "0.0500000000" } },
				{ from: "0", to: "10240", unit: "GB", price: { USD: "0.0900000000" } },
				{ from: "51200", to: "153600", unit: "GB", price: { USD: "0.0700000000" } },
			],
		},
		dynamo("DDB-WriteUnits", "WriteRequestUnits", "WriteRequestUnits", "0.0000007050"),
		dynamo("DDB-ReadUnits", "ReadRequestUnits", "ReadRequestUnits", "0.0000001415"),
		lambda("AWS-Lambda-Requests-ARM", "Request-ARM", flat("Requests", "0.0000002000")),
		lambda("AWS-Lambda-Duration-ARM", "Lambda-GB-Second-ARM", [
			{ to: "7500000000", unit: "Lambda-GB-Second", price: { USD: "0.0000133334" } },
			{ from: "7500000000", to: "18750000000", unit: "Lambda-GB-Second", price: { USD: "0.0000120001" } },
			{ from: "18750000000", unit: "Lambda-GB-Second", price: { USD: "0.0000106667" } },
		]),
		of(
			"HTTP",
			"AmazonApiGateway",
			"ApiGatewayHttpRequest",
			{ operation: "ApiGatewayHttpApi" },
			[
				{ to: "300000000", unit: "Requests", price: { USD: "0.0000011100" } },
				{ from: "300000000", unit: "Requests", price: { USD: "0.0000010000" } },
			],
			"API Calls",
		),
		of(
			"LOGS",
			"AmazonCloudWatch",
			"DataProcessing-Bytes",
			{ group: "Ingested Logs", operation: "PutLogEvents" },
			flat("GB", "0.5700000000"),
			"Data Payload",
		),
		of(
			"VENDED",
			"AmazonCloudWatch",
			"VendedLog-Bytes",
			{ group: "Vended Logs", operation: "PutLogEvents" },
			flat("GB", "0.2500000000"),
			"Data Payload",
		),
		of(
			"SQS",
			"AWSQueueService",
			prefix === "" ? "Requests-RBP" : "Requests-Tier1",
			{ group: "SQS-APIRequest-Tier1", queueType: "Standard" },
			[
				{ to: "100000000000", unit: "Requests", price: { USD: "0.0000004000" } },
				{ from: "100000000000", unit: "Requests", price: { USD: "0.0000003000" } },
			],
			"API Request",
		),
	];
};

interface Asked {
	ServiceCode: string;
	FormatVersion: string;
	Filters: { Type: string; Field: string; Value: string }[];
	MaxResults?: number;
	NextToken?: string;
}

export interface FakePriceList {
	/** What it has; a test changes it. */
	products: FakeProduct[];
	/** The most on one page, less than what is asked for. */
	pageSize: number;
	/** Refuses everything, as AWS does. */
	failure: { status: number; type: string; message: string } | undefined;
	server: TestServer;
	asked: () => Asked[];
	/** The environment in which a command asks it. */
	env: Record<string, string>;
}

export const startFakePriceList = async (products: FakeProduct[]): Promise<FakePriceList> => {
	const fits = (product: FakeProduct, { Type, Field, Value }: Asked["Filters"][number]): boolean => {
		if (Type !== "TERM_MATCH") throw new Error(`${Type} is not known here`);
		const have = Field === "productFamily" ? product.family : product.attributes[Field];
		// AWS compares without regard to case.
		return have?.toLowerCase() === Value.toLowerCase();
	};
	const bodyOf = ({ body }: SeenRequest): Asked => JSON.parse(body) as Asked;
	const server = await startTestServer((request) => {
		const type = { "content-type": "application/x-amz-json-1.1" };
		if (request.headers["x-amz-target"] !== "AWSPriceListService.GetProducts") {
			return { status: 400, json: { __type: "UnknownOperationException" }, headers: type };
		}
		const { failure } = fake;
		if (failure) {
			return { status: failure.status, json: { __type: failure.type, message: failure.message }, headers: type };
		}
		const { ServiceCode, Filters, MaxResults = 100, NextToken } = bodyOf(request);
		const found = fake.products.filter(
			(product) => product.serviceCode === ServiceCode && Filters.every((filter) => fits(product, filter)),
		);
		const from = Number(NextToken?.slice("page-".length) ?? 0);
		const to = from + Math.min(MaxResults, fake.pageSize);
		return {
			json: {
				FormatVersion: "aws_v1",
				PriceList: found.slice(from, to).map(listText),
				...(to < found.length ? { NextToken: `page-${to}` } : {}),
			},
			headers: type,
		};
	});
	const fake: FakePriceList = {
		products,
		pageSize: 100,
		failure: undefined,
		server,
		asked: () => server.seen.map(bodyOf),
		env: {
			AWS_ENDPOINT_URL_PRICING: server.url,
			AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
			AWS_SECRET_ACCESS_KEY: "example",
		},
	};
	return fake;
};

/**
 * How each product is found in the AWS Price List: one row a product. What it cannot say (spot, savings plans) has none.
 *
 * Usage types begin with the region's short name (`EU-`, `USE1-`) or with nothing, so they cannot be asked for by an exact filter: AWS is asked by attributes
 * that are alike in all regions, and the usage type decides among what it answers.
 */

/** An attribute and the value it must have. */
export type PriceFilter = readonly [field: string, value: string];

export interface AwsProduct {
	/** A key of PRODUCT_UNITS. */
	product: string;
	serviceCode: string;
	/** As GetProducts takes them; the region's comes on top. */
	filters: readonly PriceFilter[];
	/** Attribute that names the region. */
	regionField: "regionCode" | "fromRegionCode";
	/** The usage type without the region's short name. */
	usageType: RegExp;
	/** Units that AWS may answer in; any other is a mistake. All of them are our own unit, only called otherwise. */
	awsUnits: readonly string[];
	/** Whether all tiers are kept; else the first counts, which is the dearest. */
	tiered: boolean;
}

/** Of a region; a local zone's has more parts (`USE1-BOS1-`), a global product's is `Global-`. */
const PREFIX = "^(?:[A-Z]{2,4}\\d{0,2}-)?";
const usage = (words: string): RegExp => new RegExp(`${PREFIX}(?:${words})$`);

/** A product that is one for each instance type. */
const onDemand = (type: string): AwsProduct => ({
	product: `ec2.on-demand.${type}`,
	serviceCode: "AmazonEC2",
	filters: [
		["instanceType", type],
		["operatingSystem", "Linux"],
		["tenancy", "Shared"],
		["preInstalledSw", "NA"],
		["capacitystatus", "Used"],
		["licenseModel", "No License required"],
		["marketoption", "OnDemand"],
	],
	regionField: "regionCode",
	usageType: usage(`BoxUsage:${type.replaceAll(".", "\\.")}`),
	awsUnits: ["Hrs"],
	tiered: false,
});

const PRODUCTS: readonly AwsProduct[] = [
	{
		product: "ec2.ipv4",
		serviceCode: "AmazonVPC",
		filters: [["group", "VPCPublicIPv4Address"]],
		regionField: "regionCode",
		// The idle one is another product, at the same price.
		usageType: usage("PublicIPv4:InUseAddress"),
		awsUnits: ["Hrs"],
		tiered: false,
	},
	{
		product: "ec2.gp3",
		serviceCode: "AmazonEC2",
		filters: [
			["productFamily", "Storage"],
			["volumeApiName", "gp3"],
		],
		regionField: "regionCode",
		usageType: usage("EBS:VolumeUsage\\.gp3"),
		awsUnits: ["GB-Mo"],
		tiered: false,
	},
	{
		product: "egress",
		serviceCode: "AWSDataTransfer",
		filters: [
			["transferType", "AWS Outbound"],
			["toLocation", "External"],
		],
		regionField: "fromRegionCode",
		usageType: usage("DataTransfer-Out-Bytes"),
		awsUnits: ["GB"],
		tiered: true,
	},
	{
		product: "dynamodb.write",
		serviceCode: "AmazonDynamoDB",
		filters: [
			["group", "DDB-WriteUnits"],
			["operation", "PayPerRequestThroughput"],
		],
		regionField: "regionCode",
		usageType: usage("WriteRequestUnits"),
		awsUnits: ["WriteRequestUnits"],
		tiered: false,
	},
	{
		product: "dynamodb.read",
		serviceCode: "AmazonDynamoDB",
		filters: [
			["group", "DDB-ReadUnits"],
			["operation", "PayPerRequestThroughput"],
		],
		regionField: "regionCode",
		usageType: usage("ReadRequestUnits"),
		awsUnits: ["ReadRequestUnits"],
		tiered: false,
	},
	{
		product: "lambda.request",
		serviceCode: "AWSLambda",
		filters: [["group", "AWS-Lambda-Requests-ARM"]],
		regionField: "regionCode",
		usageType: usage("Request-ARM"),
		awsUnits: ["Requests", "Request"],
		tiered: false,
	},
	{
		product: "lambda.duration",
		serviceCode: "AWSLambda",
		filters: [["group", "AWS-Lambda-Duration-ARM"]],
		regionField: "regionCode",
		usageType: usage("Lambda-GB-Second-ARM"),
		awsUnits: ["Lambda-GB-Second"],
		tiered: false,
	},
	{
		product: "api.request",
		serviceCode: "AmazonApiGateway",
		filters: [
			["productFamily", "API Calls"],
			["operation", "ApiGatewayHttpApi"],
		],
		regionField: "regionCode",
		usageType: usage("ApiGatewayHttpRequest"),
		awsUnits: ["Requests"],
		tiered: false,
	},
	{
		product: "logs.ingest",
		serviceCode: "AmazonCloudWatch",
		filters: [["productFamily", "Data Payload"]],
		regionField: "regionCode",
		usageType: usage("DataProcessing-Bytes"),
		awsUnits: ["GB"],
		tiered: false,
	},
	{
		product: "sqs.request",
		serviceCode: "AWSQueueService",
		filters: [
			["group", "SQS-APIRequest-Tier1"],
			["queueType", "Standard"],
		],
		regionField: "regionCode",
		// `RBP` in us-east-1, `Tier1` elsewhere.
		usageType: usage("Requests-RBP|Requests-Tier1"),
		awsUnits: ["Requests"],
		tiered: false,
	},
];

/** All products that the AWS Price List has, for these instance types. */
export const awsProducts = (types: readonly string[]): AwsProduct[] => [...types.map(onDemand), ...PRODUCTS];

/** What the AWS Price List does not have, and why. */
export const NOT_REFRESHED: Readonly<Record<string, string>> = {
	"ec2.spot": "spot prices change all the time and are in EC2's own API",
	"ec2.savings-plan-1y": "savings plans have a price list of their own",
};

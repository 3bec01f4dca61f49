import { createHash } from "node:crypto";
import type { CreateTableCommandInput, TimeToLiveSpecification } from "@aws-sdk/client-dynamodb";
import { conditionHolds, type ResolveContext, type ResourceValue, resolveIntrinsics } from "./intrinsics.ts";
import type { Resource, ServerlessFile } from "./serverless-file.ts";
import { TemplateError } from "./template-error.ts";

export interface TableDefinition {
	logicalId: string;
	create: CreateTableCommandInput & { TableName: string };
	ttl?: TimeToLiveSpecification;
}
export interface QueueDefinition {
	logicalId: string;
	name: string;
	/** Attributes of CreateQueue. */
	attributes: Record<string, string>;
}
export interface BucketDefinition {
	logicalId: string;
	name: string;
}
/** What the local stack creates, as the deployment defines it. */
export interface Definitions {
	tables: TableDefinition[];
	/** Dead-letter queues before the queues that name them. */
	queues: QueueDefinition[];
	buckets: BucketDefinition[];
	/** Service and stage: the deployed stack's name. */
	stack: string;
	/** Names of the groups of EventBridge Scheduler. */
	scheduleGroups: string[];
	/** Whether the template has a resource, its condition considered. */
	exists: (logicalId: string) => boolean;
	/** Resolves values of serverless.yml (environments, event sources) in the same way. */
	resolve: (value: unknown, where: string) => unknown;
}

/** The account of emulators. */
export const LOCAL_ACCOUNT = "000000000000";

/** Properties that change nothing on an emulator. A property that is in neither list is refused, so that nothing is lost in silence. */
const TABLE_IGNORED = new Set([
	...["BillingMode", "PointInTimeRecoverySpecification", "SSESpecification", "Tags", "DeletionProtectionEnabled"],
	...["TableClass", "ContributorInsightsSpecification", "OnDemandThroughput", "WarmThroughput"],
]);
const QUEUE_ATTRIBUTES = new Set([
	...["DelaySeconds", "VisibilityTimeout", "MessageRetentionPeriod", "MaximumMessageSize", "RedrivePolicy"],
	...["ReceiveMessageWaitTimeSeconds", "FifoQueue", "ContentBasedDeduplication"],
]);
const QUEUE_IGNORED = new Set([
	...[
		"QueueName",
		"SqsManagedSseEnabled",
		"KmsMasterKeyId",
		"KmsDataKeyReusePeriodSeconds",
		"Tags",
		"RedriveAllowPolicy",
	],
]);

const tableDefinition = (logicalId: string, name: string, properties: Record<string, unknown>): TableDefinition => {
	const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, LocalSecondaryIndexes, ...rest } = properties;
	const { TimeToLiveSpecification: ttl, TableName: _, ...others } = rest;
	const strange = Object.keys(others).filter((key) => !TABLE_IGNORED.has(key));
	if (strange.length > 0) throw new TemplateError(`${logicalId}: the local stack does not know ${strange.join(", ")}`);
	return {
		logicalId,
		create: {
			TableName: name,
			BillingMode: "PAY_PER_REQUEST",
			KeySchema,
			AttributeDefinitions,
			...(GlobalSecondaryIndexes ? { GlobalSecondaryIndexes } : {}),
			...(LocalSecondaryIndexes ? { LocalSecondaryIndexes } : {}),
		} as TableDefinition["create"],
		...(ttl ? { ttl: ttl as TimeToLiveSpecification } : {}),
	};
};

const queueDefinition = (logicalId: string, name: string, properties: Record<string, unknown>): QueueDefinition => {
	const attributes: Record<string, string> = {};
	for (const [key, value] of Object.entries(properties)) {
		if (QUEUE_ATTRIBUTES.has(key)) attributes[key] = typeof value === "object" ? JSON.stringify(value) : String(value);
		else if (!QUEUE_IGNORED.has(key)) throw new TemplateError(`${logicalId}: the local stack does not know ${key}`);
	}
	return { logicalId, name, attributes };
};

const NAME_PROPERTY: Record<string, string> = {
	"AWS::DynamoDB::Table": "TableName",
	"AWS::SQS::Queue": "QueueName",
	"AWS::S3::Bucket": "BucketName",
	"AWS::Scheduler::ScheduleGroup": "Name",
};

/** What begins the ids that `Ref` gives of resources that are named by AWS. */
const ID_PREFIX: Record<string, string> = {
	"AWS::EC2::LaunchTemplate": "lt",
	"AWS::EC2::SecurityGroup": "sg",
	"AWS::EC2::Subnet": "subnet",
	"AWS::EC2::VPC": "vpc",
};

export interface DefinitionOptions {
	region: string;
	/** The URL of a queue, by its name. */
	queueUrl: (name: string) => string;
}

/** Finds what is to be created in the definition of the deployment. */
export const readDefinitions = (file: ServerlessFile, options: DefinitionOptions): Definitions => {
	const stack = `${file.service}-${file.stage}`;
	const pseudo: Record<string, string> = {
		"AWS::Region": options.region,
		"AWS::AccountId": LOCAL_ACCOUNT,
		"AWS::Partition": "aws",
		"AWS::StackName": stack,
		"AWS::URLSuffix": "amazonaws.com",
	};
	const nameOf = (logicalId: string, resource: Resource): string => {
		const given = resource.Properties?.[NAME_PROPERTY[resource.Type] ?? ""];
		if (given !== undefined) return String(resolveIntrinsics(given, context, logicalId));
		const made = `${stack}-${logicalId}`;
		return resource.Type === "AWS::S3::Bucket" ? made.toLowerCase() : made;
	};
	const resourceValue = (logicalId: string, resource: Resource): ResourceValue | undefined => {
		const name = () => nameOf(logicalId, resource);
		switch (resource.Type) {
			case "AWS::DynamoDB::Table":
				return {
					ref: name(),
					attributes: { Arn: `arn:aws:dynamodb:${options.region}:${LOCAL_ACCOUNT}:table/${name()}` },
				};
			case "AWS::SQS::Queue": {
				const url = options.queueUrl(name());
				const arn = `arn:aws:sqs:${options.region}:${LOCAL_ACCOUNT}:${name()}`;
				return { ref: url, attributes: { Arn: arn, QueueName: name(), QueueUrl: url } };
			}
			case "AWS::S3::Bucket":
				return { ref: name(), attributes: { Arn: `arn:aws:s3:::${name()}` } };
			default:
				return standIn(resource.Type, logicalId, name());
		}
	};
	/** Of resources that nothing here is made for: a value of the right shape, the same each time. */
	const standIn = (type: string, logicalId: string, name: string): ResourceValue => {
		const service = type.split("::")[1]?.toLowerCase() ?? "";
		const arn =
			type === "AWS::IAM::Role"
				? `arn:aws:iam::${LOCAL_ACCOUNT}:role/${name}`
				: `arn:aws:${service}:${options.region}:${LOCAL_ACCOUNT}:${name}`;
		const hex = createHash("sha256").update(logicalId).digest("hex").slice(0, 17);
		const prefix = ID_PREFIX[type];
		return {
			ref: prefix ? `${prefix}-${hex}` : type === "AWS::SNS::Topic" ? arn : name,
			attributes: { Arn: arn, LatestVersionNumber: "1", DefaultVersionNumber: "1" },
		};
	};
	const context: ResolveContext = {
		pseudo: { ...file.parameters, ...pseudo },
		conditions: file.conditions,
		resource: (id) => {
			const resource = file.resources[id];
			return resource && exists(id) ? resourceValue(id, resource) : undefined;
		},
	};
	const exists = (logicalId: string): boolean => {
		const resource = file.resources[logicalId];
		const condition = resource?.["Condition"];
		return resource !== undefined && (condition === undefined || conditionHolds(String(condition), context, logicalId));
	};
	const resolve = (value: unknown, where: string): unknown => resolveIntrinsics(value, context, where);

	const definitions: Definitions = {
		stack,
		tables: [],
		queues: [],
		buckets: [],
		scheduleGroups: [],
		exists,
		resolve,
	};
	for (const [logicalId, resource] of Object.entries(file.resources)) {
		if (!exists(logicalId)) continue;
		const properties = () => resolve(resource.Properties ?? {}, logicalId) as Record<string, unknown>;
		switch (resource.Type) {
			case "AWS::DynamoDB::Table":
				definitions.tables.push(tableDefinition(logicalId, nameOf(logicalId, resource), properties()));
				break;
			case "AWS::SQS::Queue":
				definitions.queues.push(queueDefinition(logicalId, nameOf(logicalId, resource), properties()));
				break;
			case "AWS::S3::Bucket":
				definitions.buckets.push({ logicalId, name: nameOf(logicalId, resource) });
				break;
			case "AWS::Scheduler::ScheduleGroup":
				definitions.scheduleGroups.push(nameOf(logicalId, resource));
				break;
			case "AWS::DynamoDB::GlobalTable":
				throw new TemplateError(`${logicalId}: the local stack cannot create a ${resource.Type}`);
			default:
			// Alarms, roles and the like have nothing to do on one machine.
		}
	}
	const leadsTo = (queue: QueueDefinition): number => (queue.attributes["RedrivePolicy"] ? 1 : 0);
	definitions.queues.sort((a, b) => leadsTo(a) - leadsTo(b));
	return definitions;
};

import { BUCKET_ENV, QUEUE_ENV, TABLE_ENV } from "../../shared/config/resources.ts";
import { fenceFindings, fenceProblems, isFenced } from "./fences.ts";
import { type DeployedFunction, deployedFunctions } from "./grants.ts";
import { type Finding, resourcesOf, type Template } from "./types.ts";

/** The project's own rules for its deployment: least privilege, nothing without a dead-letter queue or an alarm. */

/** What a function may be allowed at all. An action that is missing here is a slip, or needs a thought. */
const ACTIONS: Record<string, readonly string[]> = {
	"AWS::Logs::LogGroup": ["logs:CreateLogStream", "logs:PutLogEvents"],
	"AWS::DynamoDB::Table": [
		...["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"],
		...["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"],
	],
	"AWS::SQS::Queue": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
	"AWS::S3::Bucket": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
};
/** What Lambda itself needs to take messages from a queue for a function. */
const CONSUMER_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/** Lambda's advice: a message stays invisible for at least six times the function's timeout. */
const VISIBILITY_TIMEOUTS = 6;
/** API Gateway gives up after 30 s. */
const MAX_HTTP_TIMEOUT_SEC = 29;

const pascal = (name: string): string =>
	name.replace(/(^|[-_])([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
/** Logical id of the resource that an environment variable names. */
const VARIABLES: Record<string, string> = {
	...Object.fromEntries(Object.entries(TABLE_ENV).map(([name, variable]) => [variable, `${pascal(name)}Table`])),
	...Object.fromEntries(Object.entries(QUEUE_ENV).map(([name, variable]) => [variable, `${pascal(name)}Queue`])),
	[BUCKET_ENV]: "UploadsBucket",
};

const roleFindings = (fn: DeployedFunction, template: Template): Finding[] => {
	const findings: Finding[] = [];
	const report = (problem: string): void => void findings.push({ where: `${fn.name} (${fn.role})`, problem });
	const consumed = fn.sources.map((source) => source.queue);
	const named = Object.values(fn.resources);

	for (const problem of fenceProblems(fn, template)) report(problem);
	for (const { action, target, path } of fn.grants.filter((grant) => !isFenced(grant.action))) {
		const type = template.Resources[target]?.Type ?? "";
		if (action.includes("*")) report(`allows ${action}: a wildcard`);
		else if (!ACTIONS[type]?.includes(action))
			report(`allows ${action} on ${target}: not among the known actions of ${type}`);
		if (target === "*") report(`allows ${action} on ${path}: not one resource of this stack`);
		else if (type === "AWS::Logs::LogGroup") {
			if (`${fn.logicalId}` !== target.replace(/LogGroup$/, "LambdaFunction")) report(`writes the log of ${target}`);
		} else if (!named.includes(target) && !(consumed.includes(target) && CONSUMER_ACTIONS.includes(action))) {
			report(`allows ${action} on ${target}, which its environment does not name`);
		}
	}
	const may = (action: string, target: string): boolean =>
		fn.grants.some((grant) => grant.action === action && grant.target === target && grant.path === "");
	for (const [variable, id] of Object.entries(fn.resources)) {
		if (VARIABLES[variable] !== id) report(`${variable} names ${id}, not ${VARIABLES[variable]}`);
		const used = fn.grants.some((grant) => grant.target === id && !CONSUMER_ACTIONS.includes(grant.action));
		if (!used) report(`${variable} names ${id}, which its role does not allow`);
		const writes = ["dynamodb:PutItem", "dynamodb:UpdateItem"].some((action) => may(action, id));
		if (writes && !may("dynamodb:GetItem", id))
			report(`writes ${id} without dynamodb:GetItem: a failed condition is read`);
	}
	for (const queue of consumed) {
		for (const action of CONSUMER_ACTIONS) if (!may(action, queue)) report(`is started by ${queue} without ${action}`);
	}
	if (!fn.grants.some(({ action }) => action === "logs:PutLogEvents")) report("cannot write its log");
	return findings;
};

const functionFindings = (functions: DeployedFunction[], template: Template): Finding[] => {
	const findings: Finding[] = [];
	const users = new Map<string, string>();
	for (const fn of functions) {
		const report = (problem: string): void => void findings.push({ where: fn.name, problem });
		const other = users.get(fn.role);
		if (other) report(`shares its role with ${other}`);
		users.set(fn.role, fn.name);
		const logGroup = template.Resources[fn.logicalId.replace(/LambdaFunction$/, "LogGroup")];
		if (!logGroup?.Properties?.["RetentionInDays"]) report("has no log group with a retention");
		for (const metric of ["Errors", "Throttles"]) {
			const name = template.Resources[fn.logicalId]?.Properties?.["FunctionName"];
			const watched = resourcesOf(template, "AWS::CloudWatch::Alarm").some(
				([, { Properties: alarm }]) =>
					alarm?.["MetricName"] === metric && JSON.stringify(alarm["Dimensions"] ?? []).includes(`"${name}"`),
			);
			if (!watched) report(`has no alarm for ${metric}`);
		}
		for (const { queue, maximumConcurrency, reportsFailures } of fn.sources) {
			if (!maximumConcurrency) report(`is started by ${queue} without a maximum concurrency`);
			if (!reportsFailures) report(`does not report which messages of ${queue} failed`);
			const visibility = Number(template.Resources[queue]?.Properties?.["VisibilityTimeout"] ?? 30);
			if (visibility < VISIBILITY_TIMEOUTS * fn.timeoutSec) {
				report(`${queue} hides a message for ${visibility} s: less than six times ${fn.timeoutSec} s`);
			}
		}
		const byHttp = resourcesOf(template, "AWS::ApiGatewayV2::Integration").some(([, integration]) =>
			JSON.stringify(integration.Properties).includes(`"${fn.logicalId}"`),
		);
		if (byHttp && fn.timeoutSec > MAX_HTTP_TIMEOUT_SEC) report(`takes ${fn.timeoutSec} s; API Gateway waits for 30 s`);
	}
	return findings;
};

const queueFindings = (template: Template): Finding[] => {
	const findings: Finding[] = [];
	const queues = resourcesOf(template, "AWS::SQS::Queue");
	const deadLetterQueue = (properties: Record<string, unknown> = {}): string | undefined => {
		const policy = properties["RedrivePolicy"] as { deadLetterTargetArn?: { "Fn::GetAtt"?: string[] } } | undefined;
		return policy?.deadLetterTargetArn?.["Fn::GetAtt"]?.[0];
	};
	const dead = new Set(queues.map(([, queue]) => deadLetterQueue(queue.Properties)));
	for (const [id, queue] of queues) {
		const report = (problem: string): void => void findings.push({ where: id, problem });
		if (dead.has(id)) {
			const watched = resourcesOf(template, "AWS::CloudWatch::Alarm").some(([, alarm]) =>
				JSON.stringify(alarm.Properties?.["Dimensions"] ?? []).includes(`"${id}"`),
			);
			if (!watched) report("no alarm watches these dead letters");
		} else {
			const letters = deadLetterQueue(queue.Properties);
			if (!letters || !template.Resources[letters]) report("has no dead-letter queue");
		}
		if (queue.Properties?.["SqsManagedSseEnabled"] !== true) report("is not encrypted");
	}
	return findings;
};

const bucketFindings = (template: Template): Finding[] =>
	resourcesOf(template, "AWS::S3::Bucket").flatMap(([id, { Properties: bucket = {} }]) => {
		const missing = ["PublicAccessBlockConfiguration", "BucketEncryption"].filter((name) => !bucket[name]);
		const policies = resourcesOf(template, "AWS::S3::BucketPolicy").filter(([, policy]) =>
			JSON.stringify(policy.Properties?.["Bucket"]).includes(`"${id}"`),
		);
		const tls = policies.some(([, policy]) => JSON.stringify(policy).includes("aws:SecureTransport"));
		return [
			...missing.map((name) => ({ where: id, problem: `has no ${name}` })),
			...(tls ? [] : [{ where: id, problem: "can be reached without TLS" }]),
		];
	});

/** Where the deployment breaks the project's rules. */
export const checkRules = (template: Template): Finding[] => {
	const functions = deployedFunctions(template);
	return [
		...functions.flatMap((fn) => roleFindings(fn, template)),
		...functionFindings(functions, template),
		...queueFindings(template),
		...bucketFindings(template),
		...fenceFindings(template),
	];
};

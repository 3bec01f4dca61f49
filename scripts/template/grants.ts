import { resourcesOf, type Template } from "./types.ts";

/** Something a role may do to something. */
export interface Grant {
	/** For example `dynamodb:GetItem`. */
	action: string;
	/** Logical id of the table, queue, bucket or log group; `*` where the statement names none. */
	target: string;
	/** What follows the resource's ARN: an index (`index/due`), objects (`*`), or nothing. */
	path: string;
}

/** A Lambda as the template deploys it. */
export interface DeployedFunction {
	/** Name of its folder. */
	name: string;
	logicalId: string;
	/** Logical id of its role. */
	role: string;
	timeoutSec: number;
	/** Environment variables that name a table, a queue or a bucket, with the logical id named. */
	resources: Record<string, string>;
	grants: Grant[];
	/** Queues that start it, by logical id. */
	sources: { queue: string; maximumConcurrency: number | undefined; reportsFailures: boolean }[];
}

type Tree = Record<string, unknown>;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** Reads what an ARN of a statement names. */
const targetOf = (resource: unknown): Pick<Grant, "target" | "path"> => {
	const { "Fn::GetAtt": getAtt, "Fn::Sub": sub } = (typeof resource === "object" ? resource : {}) as Tree;
	if (Array.isArray(getAtt) && getAtt[1] === "Arn") return { target: String(getAtt[0]), path: "" };
	const [, target = "", path = ""] = /^\$\{(\w+)\.Arn\}\/(.+)$/.exec(String(sub)) ?? [];
	return target ? { target, path } : { target: "*", path: JSON.stringify(resource) };
};

const grantsOf = (role: Tree): Grant[] =>
	list(role["Policies"])
		.flatMap((policy) => list(((policy as Tree)["PolicyDocument"] as Tree)["Statement"]) as Tree[])
		.filter((statement) => statement["Effect"] === "Allow")
		.flatMap((statement) => {
			// `NotAction` and `NotResource` allow all but something.
			const actions = "NotAction" in statement ? ["*"] : list(statement["Action"]);
			const targets = "NotResource" in statement ? ["*"] : list(statement["Resource"]);
			return actions.flatMap((action) => targets.map((target) => ({ action: String(action), ...targetOf(target) })));
		});

const attOf = (value: unknown): string => String(list((value as Tree | undefined)?.["Fn::GetAtt"])[0] ?? "");

/** The functions of a packaged template with all that they are given and may do. */
export const deployedFunctions = (template: Template): DeployedFunction[] =>
	resourcesOf(template, "AWS::Lambda::Function").map(([logicalId, { Properties: properties = {} }]) => {
		const role = attOf(properties["Role"]);
		const variables = ((properties["Environment"] as Tree | undefined)?.["Variables"] ?? {}) as Tree;
		const named = Object.entries(variables).flatMap(([variable, value]): [string, string][] => {
			const ref = (value as Tree | null)?.["Ref"];
			return typeof ref === "string" ? [[variable, ref]] : [];
		});
		const sources = resourcesOf(template, "AWS::Lambda::EventSourceMapping")
			.filter(([, mapping]) => JSON.stringify(mapping.Properties?.["FunctionName"]).includes(`"${logicalId}"`))
			.map(([, { Properties: mapping = {} }]) => ({
				queue: attOf(mapping["EventSourceArn"]),
				maximumConcurrency: (mapping["ScalingConfig"] as Tree | undefined)?.["MaximumConcurrency"] as
					| number
					| undefined,
				reportsFailures: list(mapping["FunctionResponseTypes"]).includes("ReportBatchItemFailures"),
			}));
		return {
			name: String(properties["Handler"]).split("/")[1] ?? "",
			logicalId,
			role,
			timeoutSec: Number(properties["Timeout"]),
			resources: Object.fromEntries(named),
			grants: grantsOf(template.Resources[role]?.Properties ?? {}),
			sources,
		};
	});

import { resourcesOf, type Template } from "./types.ts";

/** Something a role may do to something. */
export interface Grant {
	/** For example `dynamodb:GetItem`. */
	action: string;
	/** Logical id of the table, queue, bucket, role or log group; the service (`ec2`) where the statement writes out an ARN; `*` where it names none. */
	target: string;
	/** What follows the resource's ARN: an index (`index/due`), objects (`*`), or nothing; of a written ARN its last part (`instance/*`). */
	path: string;
	/** The statement's conditions, as the template has them. */
	condition?: Conditions;
}
/** By operator and key: `{ StringEquals: { "aws:ResourceTag/x": "y" } }`. */
export type Conditions = Record<string, Record<string, unknown>>;

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
	/** Environment variables with a text. */
	texts: Record<string, string>;
	grants: Grant[];
	/** Queues that start it, by logical id. */
	sources: { queue: string; maximumConcurrency: number | undefined; reportsFailures: boolean }[];
}

type Tree = Record<string, unknown>;
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** `arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*` → `ec2` and `instance/*`. */
const WRITTEN_ARN = /^arn:[^:]*:([a-z0-9-]+):[^:]*:[^:]*:(.+)$/;

/** Reads what an ARN of a statement names. */
export const targetOf = (resource: unknown): Pick<Grant, "target" | "path"> => {
	const { "Fn::GetAtt": getAtt, "Fn::Sub": sub } = (typeof resource === "object" ? resource : {}) as Tree;
	if (Array.isArray(getAtt) && getAtt[1] === "Arn") return { target: String(getAtt[0]), path: "" };
	const [, service, last] = WRITTEN_ARN.exec(String(sub).replace(/\$\{AWS::(\w+)\}/g, "$1")) ?? [];
	if (service && last) return { target: service, path: last };
	const [, target = "", path = ""] = /^\$\{(\w+)\.Arn\}\/(.+)$/.exec(String(sub)) ?? [];
	return target ? { target, path } : { target: "*", path: JSON.stringify(resource) };
};

const statementsOf = (document: unknown): Grant[] =>
	(list((document as Tree)["Statement"]) as Tree[])
		.filter((statement) => statement["Effect"] === "Allow")
		.flatMap((statement) => {
			// `NotAction` and `NotResource` allow all but something.
			const actions = "NotAction" in statement ? ["*"] : list(statement["Action"]);
			const targets = "NotResource" in statement ? ["*"] : list(statement["Resource"]);
			const condition = statement["Condition"] as Conditions | undefined;
			return actions.flatMap((action) =>
				targets.map((target) => ({
					action: String(action),
					...targetOf(target),
					...(condition ? { condition } : {}),
				})),
			);
		});

/** All that a role may do: by its own policies, and by those that are attached to it. */
export const grantsOfRole = (template: Template, role: string): Grant[] => {
	const own = list(template.Resources[role]?.Properties?.["Policies"]) as Tree[];
	const attached = resourcesOf(template, "AWS::IAM::Policy")
		.map(([, { Properties: policy = {} }]) => policy)
		.filter((policy) => list(policy["Roles"]).some((attachedTo) => (attachedTo as Tree)["Ref"] === role));
	return [...own, ...attached].flatMap((policy) => statementsOf(policy["PolicyDocument"]));
};

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
			texts: Object.fromEntries(
				Object.entries(variables).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
			),
			grants: grantsOfRole(template, role),
			sources,
		};
	});

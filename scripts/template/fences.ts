import { type Conditions, type DeployedFunction, type Grant, grantsOfRole, list } from "./grants.ts";
import { type Finding, resourcesOf, type Template } from "./types.ts";

/**
 * What costs money or can be turned against others: instances, their addresses, roles that are handed on, queues that others may send to. Each action
 * is allowed under conditions only, and each condition is demanded here.
 */

type Tree = Record<string, unknown>;

/** The tag of all our instances (shared/fleet/ec2.ts), as a condition. */
const OURS = "aws:ResourceTag/burst-dialer:stack";
const MADE_OURS = "aws:RequestTag/burst-dialer:stack";

// biome-ignore lint/suspicious/noTemplateCurlyInString: as CloudFormation has it
const LAUNCH_TEMPLATE = "launch-template/${BurstLaunchTemplate}";

/** What a launch makes: all of it gets our tag. */
const MADE_AT_LAUNCH = /^(instance|network-interface|spot-instances-request|volume)\/\*$/;

/** A condition's values under an operator that compares whole texts. Wildcards and negations are not taken for it. */
const exactly = (condition: Conditions | undefined, operator: "StringEquals" | "ArnEquals", key: string): string[] =>
	list(condition?.[operator]?.[key]).map((value) =>
		typeof value === "string" ? value : String((value as Tree)["Fn::Sub"] ?? JSON.stringify(value)),
	);

const isOnly = (values: string[], wanted: string): boolean => values.length > 0 && values.every((v) => v === wanted);

interface Fence {
	/** Resources that may be named: the last part of a written ARN, or `*`. */
	on: RegExp;
	/** @returns what is missing */
	demands: (grant: Grant, stack: string, template: Template) => string | undefined;
}

const taggedAsOurs: Fence = {
	on: /^(instance|elastic-ip|network-interface)\/\*$/,
	demands: ({ condition }, stack) =>
		isOnly(exactly(condition, "StringEquals", OURS), stack) ? undefined : `without the condition ${OURS} = ${stack}`,
};
/** EC2 can be asked for lists as a whole only. */
const anything: Fence = { on: /^"\*"$/, demands: () => undefined };

const byOurTemplate: Fence = {
	on: /^(launch-template\/\$\{BurstLaunchTemplate\}|image\/.*|snapshot\/\*|security-group\/\$\{BurstSecurityGroup\.GroupId\}|subnet\/\*|spot-instances-request\/\*|network-interface\/\*|instance\/\*|volume\/\*)$/,
	demands: ({ condition, path }, stack) => {
		const templates = exactly(condition, "ArnEquals", "ec2:LaunchTemplate");
		const spotRequest = path.startsWith("spot-instances-request/");
		if (!spotRequest && (templates.length === 0 || !templates.every((arn) => arn.endsWith(`:${LAUNCH_TEMPLATE}`)))) {
			return "by another launch template than ours, or without one";
		}
		if (path.startsWith("image/") && path.includes("*")) return "from any image";
		if (path.startsWith("subnet/") && exactly(condition, "ArnEquals", "ec2:Vpc").length === 0) return "in any VPC";
		if (!MADE_AT_LAUNCH.test(path) || isOnly(exactly(condition, "StringEquals", MADE_OURS), stack)) return undefined;
		return `without the condition ${MADE_OURS} = ${stack}`;
	},
};

const atLaunchOnly: Fence = {
	on: MADE_AT_LAUNCH,
	demands: ({ condition }, stack) => {
		if (!isOnly(exactly(condition, "StringEquals", "ec2:CreateAction"), "RunInstances")) {
			return "not only at a launch: any instance could be made ours";
		}
		return isOnly(exactly(condition, "StringEquals", MADE_OURS), stack)
			? undefined
			: `without the condition ${MADE_OURS} = ${stack}`;
	},
};

/** Who may take a role on: services, as its trust policy says. */
const trusted = (template: Template, role: string): string[] => {
	const document = template.Resources[role]?.Properties?.["AssumeRolePolicyDocument"] as Tree | undefined;
	return (list(document?.["Statement"]) as Tree[]).flatMap((statement) =>
		Object.values(statement["Principal"] as Tree).map(String),
	);
};

/** Services that our roles are handed to. */
const HANDED_TO = ["ec2.amazonaws.com", "scheduler.amazonaws.com"];
const handedOn: Fence = {
	on: /^$/,
	demands: ({ condition, target }, _stack, template) => {
		const services = exactly(condition, "StringEquals", "iam:PassedToService");
		const [service = ""] = services;
		if (services.length !== 1 || !HANDED_TO.includes(service)) return `of ${target} to any service`;
		return trusted(template, target).every((by) => by === service)
			? undefined
			: `of ${target}, which is not ${service}'s`;
	},
};

const ourEntries: Fence = {
	on: /^schedule\//,
	demands: ({ path }, stack) => (path === `schedule/${stack}/*` ? undefined : `on ${path}: not our group of schedules`),
};

const FENCES: Record<string, Fence> = {
	"ec2:DescribeInstances": anything,
	"ec2:DescribeAddresses": anything,
	"ec2:StartInstances": taggedAsOurs,
	"ec2:StopInstances": taggedAsOurs,
	"ec2:TerminateInstances": taggedAsOurs,
	"ec2:AssociateAddress": taggedAsOurs,
	"ec2:RunInstances": byOurTemplate,
	"ec2:CreateTags": atLaunchOnly,
	"iam:PassRole": handedOn,
	"scheduler:CreateSchedule": ourEntries,
	"scheduler:UpdateSchedule": ourEntries,
	"scheduler:DeleteSchedule": ourEntries,
};

/** Whether an action is looked at here and nowhere else. */
export const isFenced = (action: string): boolean => action in FENCES;

/** Where a function's fenced actions are not fenced. */
export const fenceProblems = (fn: DeployedFunction, template: Template): string[] =>
	fn.grants.flatMap((grant) => {
		const fence = FENCES[grant.action];
		if (!fence) return [];
		const stack = fn.texts["BURST_STACK"];
		if (!stack) return [`allows ${grant.action} without saying whose (BURST_STACK)`];
		if (!fence.on.test(grant.path)) return [`allows ${grant.action} on ${grant.path}`];
		const missing = fence.demands(grant, stack, template);
		return missing ? [`allows ${grant.action} ${missing}`] : [];
	});

/** Roles of other services than Lambda: who may take them on, and what they may do. */
const otherRoleFindings = (template: Template): Finding[] =>
	resourcesOf(template, "AWS::IAM::Role").flatMap(([id, { Properties: role = {} }]) => {
		const by = trusted(template, id);
		if (by.every((service) => service === "lambda.amazonaws.com")) return [];
		const findings: Finding[] = [];
		const report = (problem: string): void => void findings.push({ where: id, problem });
		for (const service of by) if (!HANDED_TO.includes(service)) report(`can be taken on by ${service}`);
		const document = role["AssumeRolePolicyDocument"] as { Statement: { Condition?: Conditions }[] };
		const guarded = document.Statement.every(({ Condition: condition }) =>
			JSON.stringify(condition?.["StringEquals"]?.["aws:SourceAccount"] ?? "").includes("AWS::AccountId"),
		);
		// EC2 takes a role on for an instance only where somebody was allowed to hand it on; the Scheduler for anybody's schedule.
		if (by.includes("scheduler.amazonaws.com") && !guarded) report("can be taken on for other accounts' schedules");
		for (const { action, target } of grantsOfRole(template, id)) {
			if (action !== "sqs:SendMessage" || target !== "FleetQueue") report(`allows ${action} on ${target}`);
		}
		return findings;
	});

const queuePolicyFindings = (template: Template): Finding[] =>
	resourcesOf(template, "AWS::SQS::QueuePolicy").flatMap(([id, { Properties: policy = {} }]) =>
		(list((policy["PolicyDocument"] as Tree)["Statement"]) as Tree[])
			.filter((statement) => statement["Effect"] === "Allow")
			.flatMap((statement) => {
				const sources = list((statement["Condition"] as Conditions | undefined)?.["ArnEquals"]?.["aws:SourceArn"]);
				const rules = sources.map((source) => String(list((source as Tree)["Fn::GetAtt"])[0]));
				const ours = rules.every((rule) => template.Resources[rule]?.Type === "AWS::Events::Rule");
				return rules.length > 0 && ours ? [] : [{ where: id, problem: "lets others than our rules send" }];
			}),
	);

const instanceFindings = (template: Template): Finding[] => {
	const findings: Finding[] = [];
	for (const [id, { Properties: properties }] of resourcesOf(template, "AWS::EC2::LaunchTemplate")) {
		const data = properties?.["LaunchTemplateData"] as Tree;
		const metadata = data["MetadataOptions"] as Tree | undefined;
		if (metadata?.["HttpTokens"] !== "required" || Number(metadata["HttpPutResponseHopLimit"]) !== 1) {
			findings.push({ where: id, problem: "must have IMDSv2 only, within one hop" });
		}
		const disks = list(data["BlockDeviceMappings"]) as { Ebs?: Tree }[];
		if (disks.length === 0 || disks.some(({ Ebs: disk }) => disk?.["Encrypted"] !== true)) {
			findings.push({ where: id, problem: "has a disk that is not encrypted" });
		}
	}
	for (const [id, { Properties: rule }] of resourcesOf(template, "AWS::EC2::SecurityGroupIngress")) {
		const cidr = String(rule?.["CidrIp"]);
		if (rule?.["IpProtocol"] !== "udp" || !/\/([89]|[12]\d|3[0-2])$/.test(cidr)) {
			findings.push({ where: id, problem: `lets ${rule?.["IpProtocol"]} in from ${cidr}` });
		}
	}
	for (const [id, { Properties: group }] of resourcesOf(template, "AWS::EC2::SecurityGroup")) {
		if (group?.["SecurityGroupIngress"] !== undefined)
			findings.push({ where: id, problem: "lets in more than carriers" });
	}
	return findings;
};

/** Where roles, queues and instances are open to more than they need. */
export const fenceFindings = (template: Template): Finding[] => [
	...otherRoleFindings(template),
	...queuePolicyFindings(template),
	...instanceFindings(template),
];

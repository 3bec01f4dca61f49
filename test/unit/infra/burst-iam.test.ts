import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { deployedFunctions } from "../../../scripts/template/grants.ts";
import { packageService } from "../../../scripts/template/package-service.ts";
import { checkRules } from "../../../scripts/template/rules.ts";
import { checkAgainstSpec } from "../../../scripts/template/spec.ts";
import { showFindings, type Template } from "../../../scripts/template/types.ts";
import { burstSettingsSchema } from "../../../shared/config/burst-settings.ts";
import { STACK_TAG } from "../../../shared/fleet/ec2.ts";

/** Bundling and packaging take about 5 s on an idle machine. */
const PACKAGE_LIMIT_MS = 120_000;
const ROOT = process.cwd();
const STACK = "burst-dialer-dev";
const CARRIERS = ["192.0.2.0/24", "198.51.100.7/32"];
const PARAMS = {
	burstImage: "ami-0123456789abcdef0",
	burstVpc: "vpc-0123456789abcdef0",
	burstSubnets: "subnet-0a,subnet-0b",
	burstMaxHosts: "4",
	burstShell: "ssm",
	carrierCidrs: CARRIERS.join(", "),
};

type Tree = Record<string, unknown>;
interface Statement extends Tree {
	Action: string[];
	Resource: unknown;
	Condition?: Record<string, Tree>;
}

let folder: string;
let template: Template;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-dialer-iam-"));
	template = (await packageService(ROOT, folder, PARAMS)).template;
}, PACKAGE_LIMIT_MS);
afterAll(async () => {
	await rm(folder, { recursive: true, force: true });
});

const properties = (of: Template, id: string): Tree => of.Resources[id]?.Properties ?? {};
const statementsOf = (of: Template, id: "ScaleFleetRole" | "ManageFleetRole" | "BurstLaunchPolicy"): Statement[] => {
	const inline = properties(of, id)["Policies"] as { PolicyDocument: unknown }[] | undefined;
	const document = inline?.[0]?.PolicyDocument ?? properties(of, id)["PolicyDocument"];
	return (document as { Statement: Statement[] }).Statement;
};
const statement = (of: Template, id: Parameters<typeof statementsOf>[1], action: string, on = ""): Statement => {
	const found = statementsOf(of, id).find(
		(candidate) => candidate.Action.includes(action) && JSON.stringify(candidate.Resource).includes(on),
	);
	if (!found) throw new Error(`${id} has no ${action} on ${on}`);
	return found;
};

describe("a deployment with burst hosts", () => {
	test("agrees with AWS's definitions and keeps the project's rules", async () => {
		expect(showFindings(await checkAgainstSpec(template))).toBe("");
		expect(showFindings(checkRules(template))).toBe("");
	});

	test("starts, stops and terminates only what carries the stack's tag", () => {
		for (const action of [
			"ec2:StartInstances",
			"ec2:StopInstances",
			"ec2:TerminateInstances",
			"ec2:AssociateAddress",
		]) {
			const { Condition: condition, Resource: resource } = statement(template, "ScaleFleetRole", action);
			expect(condition).toEqual({ StringEquals: { [`aws:ResourceTag/${STACK_TAG}`]: STACK } });
			expect(JSON.stringify(resource)).toContain("instance/*");
		}
		expect(deployedFunctions(template).find(({ name }) => name === "scale-fleet")?.texts["BURST_STACK"]).toBe(STACK);
	});

	test("only scale-fleet may touch EC2, and only manage-fleet the Scheduler", () => {
		const may = (service: string) =>
			deployedFunctions(template)
				.filter(({ grants }) => grants.some(({ action }) => action.startsWith(`${service}:`)))
				.map(({ name }) => name);
		expect(may("ec2")).toEqual(["scale-fleet"]);
		expect(may("scheduler")).toEqual(["manage-fleet"]);
		expect(may("iam")).toEqual(["scale-fleet", "manage-fleet"]);
	});

	test("has an instance that knows the API's address and no secret", () => {
		const data = properties(template, "BurstLaunchTemplate")["LaunchTemplateData"] as {
			UserData: { "Fn::Base64": { "Fn::Sub": string } };
			ImageId: string;
		};
		const text = data.UserData["Fn::Base64"]["Fn::Sub"]
			.replace(/\$\{HttpApi\}/, "abc123")
			.replace(/\$\{AWS::Region\}/, "eu-central-1")
			.replace(/\$\{AWS::URLSuffix\}/, "amazonaws.com");
		expect(JSON.parse(text)).toEqual({
			burstDialer: { controlPlaneUrl: "https://abc123.execute-api.eu-central-1.amazonaws.com" },
		});
		expect(data.ImageId).toBe(PARAMS.burstImage);
	});

	test("lets in SIP, IAX2 and RTP from carriers, and nothing else", () => {
		const ingress = Object.values(template.Resources).filter(({ Type }) => Type === "AWS::EC2::SecurityGroupIngress");
		expect(
			ingress.map(
				({ Properties: rule }) =>
					`${rule?.["IpProtocol"]} ${rule?.["FromPort"]}-${rule?.["ToPort"]} ${rule?.["CidrIp"]}`,
			),
		).toEqual(
			CARRIERS.flatMap((cidr) => [`udp 5060-5060 ${cidr}`, `udp 4569-4569 ${cidr}`, `udp 10000-19999 ${cidr}`]),
		);
	});

	test("gives both functions of the fleet the same settings, each of them one that there is", () => {
		const variables = (id: string): [string, unknown][] =>
			Object.entries((properties(template, id)["Environment"] as { Variables: Tree }).Variables).filter(
				([name]) => name.startsWith("BURST_") && !name.startsWith("BURST_SCHEDULE_"),
			);
		const given = variables("ScaleDashfleetLambdaFunction");
		expect(variables("ManageDashfleetLambdaFunction")).toEqual(given);
		const known = Object.keys(burstSettingsSchema.shape).map(
			(key) => `BURST_${key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`,
		);
		expect(known).toEqual(expect.arrayContaining(given.map(([name]) => name)));
		expect(Object.fromEntries(given)).toMatchObject({ BURST_SUBNETS: PARAMS.burstSubnets, BURST_MAX_HOSTS: "4" });
	});

	test("everything that an image is needed for hangs on there being one", () => {
		const conditional = Object.entries(template.Resources).filter(
			([, { Condition: condition }]) => condition === "Burst",
		);
		expect(conditional.map(([id]) => id)).toEqual(
			expect.arrayContaining([
				"BurstLaunchTemplate",
				"BurstLaunchPolicy",
				"BurstInstanceRole",
				"BurstStateRule",
				"BurstSpotRule",
			]),
		);
		for (const [id, { Condition: condition }] of Object.entries(template.Resources)) {
			if (id.startsWith("Burst")) expect({ id, condition }).toEqual({ id, condition: "Burst" });
		}
	});
});

describe("a role that is too wide is found", () => {
	const ROLE = "ScaleFleetRole";
	const LAUNCH = "BurstLaunchPolicy";
	const otherTemplate = { "Fn::Sub": "arn:aws:ec2:eu-central-1:123456789012:launch-template/*" };
	test.each<[string, (t: Template) => void, RegExp]>([
		[
			"stopping anything",
			(t) => delete statement(t, ROLE, "ec2:StopInstances").Condition,
			/TerminateInstances without the condition/,
		],
		[
			"terminating what carries another stack's tag",
			(t) => {
				statement(t, ROLE, "ec2:TerminateInstances").Condition = {
					StringEquals: { [`aws:ResourceTag/${STACK_TAG}`]: "burst-dialer-prod" },
				};
			},
			/TerminateInstances without the condition/,
		],
		[
			"the tag by a pattern",
			(t) => {
				statement(t, ROLE, "ec2:StartInstances").Condition = {
					StringLike: { [`aws:ResourceTag/${STACK_TAG}`]: STACK },
				};
			},
			/StartInstances without the condition/,
		],
		[
			"the tag only where there is one",
			(t) => {
				statement(t, ROLE, "ec2:StartInstances").Condition = {
					StringEqualsIfExists: { [`aws:ResourceTag/${STACK_TAG}`]: STACK },
				};
			},
			/StartInstances without the condition/,
		],
		[
			"one more value for the tag",
			(t) => {
				statement(t, ROLE, "ec2:StartInstances").Condition = {
					StringEquals: { [`aws:ResourceTag/${STACK_TAG}`]: [STACK, "other"] },
				};
			},
			/StartInstances without the condition/,
		],
		[
			"a second statement without the tag",
			(t) =>
				statementsOf(t, ROLE).push({
					Effect: "Allow",
					Action: ["ec2:TerminateInstances"],
					Resource: { "Fn::Sub": "arn:aws:ec2:eu-central-1:123456789012:instance/*" },
				}),
			/TerminateInstances without the condition/,
		],
		[
			"another action on EC2",
			(t) => void statement(t, ROLE, "ec2:StopInstances").Action.push("ec2:ModifyInstanceAttribute"),
			/ModifyInstanceAttribute/,
		],
		["all of EC2", (t) => void statement(t, ROLE, "ec2:StopInstances").Action.push("ec2:*"), /wildcard/],
		[
			"an address for anything",
			(t) => delete statement(t, ROLE, "ec2:AssociateAddress").Condition,
			/AssociateAddress without the condition/,
		],
		[
			"launching by any template",
			(t) => {
				statement(t, LAUNCH, "ec2:RunInstances", "instance/*").Condition = {
					ArnEquals: { "ec2:LaunchTemplate": otherTemplate },
					StringEquals: { [`aws:RequestTag/${STACK_TAG}`]: STACK },
				};
			},
			/RunInstances by another launch template/,
		],
		[
			"launching without a template",
			(t) => delete statement(t, LAUNCH, "ec2:RunInstances", "security-group/").Condition,
			/RunInstances by another launch template/,
		],
		[
			"launching without the tag",
			(t) => delete statement(t, LAUNCH, "ec2:RunInstances", "instance/*").Condition?.["StringEquals"],
			/RunInstances without the condition aws:RequestTag/,
		],
		[
			"asking for spot instances without the tag",
			(t) => delete statement(t, LAUNCH, "ec2:RunInstances", "spot-instances-request/*").Condition,
			/RunInstances without the condition aws:RequestTag/,
		],
		[
			"launching any image",
			(t) => {
				const found = statement(t, LAUNCH, "ec2:RunInstances", "image/");
				found.Resource = [{ "Fn::Sub": "arn:aws:ec2:eu-central-1::image/*" }];
			},
			/RunInstances from any image/,
		],
		[
			"launching in any VPC",
			(t) => delete statement(t, LAUNCH, "ec2:RunInstances", "subnet/*").Condition?.["ArnEquals"]?.["ec2:Vpc"],
			/RunInstances in any VPC/,
		],
		[
			"launching whatever",
			(t) => Object.assign(statement(t, LAUNCH, "ec2:RunInstances", "subnet/*"), { Resource: "*" }),
			/RunInstances on/,
		],
		[
			"making any instance ours",
			(t) => delete statement(t, LAUNCH, "ec2:CreateTags").Condition?.["StringEquals"]?.["ec2:CreateAction"],
			/CreateTags not only at a launch/,
		],
		[
			"tagging as somebody else's",
			(t) => delete statement(t, LAUNCH, "ec2:CreateTags").Condition?.["StringEquals"]?.[`aws:RequestTag/${STACK_TAG}`],
			/CreateTags without the condition/,
		],
		[
			"handing the role to any service",
			(t) => delete statement(t, LAUNCH, "iam:PassRole").Condition,
			/PassRole of BurstInstanceRole to any/,
		],
		[
			"handing another role on",
			(t) =>
				Object.assign(statement(t, LAUNCH, "iam:PassRole"), { Resource: { "Fn::GetAtt": ["ScaleFleetRole", "Arn"] } }),
			/PassRole of ScaleFleetRole, which is not/,
		],
		[
			"others' schedules",
			(t) =>
				Object.assign(statement(t, "ManageFleetRole", "scheduler:CreateSchedule"), {
					Resource: { "Fn::Sub": "arn:aws:scheduler:eu-central-1:123456789012:schedule/*" },
				}),
			/CreateSchedule on schedule\/\*/,
		],
		[
			"a schedule's role for every account",
			(t) => {
				const document = properties(t, "FleetScheduleRole")["AssumeRolePolicyDocument"] as { Statement: Statement[] };
				delete document.Statement[0]?.Condition;
			},
			/FleetScheduleRole: can be taken on for other accounts/,
		],
		[
			"an instance with permissions",
			(t) =>
				Object.assign(properties(t, "BurstInstanceRole"), {
					Policies: [{ PolicyDocument: { Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] } }],
				}),
			/BurstInstanceRole: allows s3:GetObject/,
		],
		[
			"a queue that everybody's events may fill",
			(t) => {
				const document = properties(t, "BurstEventsPolicy")["PolicyDocument"] as { Statement: Statement[] };
				delete document.Statement[0]?.Condition;
			},
			/BurstEventsPolicy: lets others/,
		],
		[
			"a metadata service for whatever runs on the host",
			(t) => {
				const data = properties(t, "BurstLaunchTemplate")["LaunchTemplateData"] as { MetadataOptions: Tree };
				data.MetadataOptions["HttpPutResponseHopLimit"] = 2;
			},
			/BurstLaunchTemplate: must have IMDSv2/,
		],
		[
			"a disk in the clear",
			(t) => {
				const data = properties(t, "BurstLaunchTemplate")["LaunchTemplateData"] as {
					BlockDeviceMappings: { Ebs: Tree }[];
				};
				for (const { Ebs: disk } of data.BlockDeviceMappings) disk["Encrypted"] = false;
			},
			/BurstLaunchTemplate: has a disk/,
		],
		[
			"hosts open to the world",
			(t) => Object.assign(properties(t, "BurstIngressSip192x0x2x0x24"), { CidrIp: "0.0.0.0/0" }),
			/lets udp in from 0\.0\.0\.0\/0/,
		],
	])("%s", (_, plant, expected) => {
		const planted = structuredClone(template);
		plant(planted);
		expect(showFindings(checkRules(planted))).toMatch(expected);
	});
});

describe("parameters that make no sense stop the deployment", () => {
	const carriers = async (text: string): Promise<unknown> => {
		const make = createRequire(import.meta.url)("../../../infra/carriers.cjs") as (given: {
			resolveVariable: (name: string) => Promise<string>;
		}) => Promise<{ Resources: Tree }>;
		return make({ resolveVariable: async () => text });
	};
	test.each([
		"192.0.2.0",
		"192.0.2.0/33",
		"192.0.2.256/24",
		"0.0.0.0/0",
		"10.0.0.0/7",
		"carrier.example",
		"2001:db8::/32",
	])("carrierCidrs %s", async (text) => {
		await expect(carriers(`198.51.100.0/24,${text}`)).rejects.toThrow(`"${text}"`);
	});
	test("no carrier is no rule, and one that is named twice has one rule for each port", async () => {
		expect(await carriers("")).toEqual({ Resources: {} });
		const { Resources: rules } = (await carriers("192.0.2.0/24,192.0.2.0/24")) as { Resources: Tree };
		expect(Object.keys(rules)).toHaveLength(3);
	});
});

import { describe, expect, test } from "@jest/globals";
import { checkAgainstSpec } from "../../../scripts/template/spec.ts";
import type { Template } from "../../../scripts/template/types.ts";

/** CloudFormation's placeholders are written without their dollar sign here. */
const sub = (text: string) => ({ "Fn::Sub": text.replaceAll("{", "$" + "{") });

/** A small template without a mistake. */
const good = (): Template => ({
	AWSTemplateFormatVersion: "2010-09-09",
	Resources: {
		Letters: { Type: "AWS::SQS::Queue", Properties: { MessageRetentionPeriod: 1209600 } },
		Queue: {
			Type: "AWS::SQS::Queue",
			DependsOn: ["Letters"],
			Properties: {
				QueueName: sub("{AWS::StackName}-queue"),
				RedrivePolicy: { deadLetterTargetArn: { "Fn::GetAtt": ["Letters", "Arn"] }, maxReceiveCount: 3 },
			},
		},
		Table: {
			Type: "AWS::DynamoDB::Table",
			DeletionPolicy: "Retain",
			Properties: {
				BillingMode: "PAY_PER_REQUEST",
				KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
				AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
				PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
			},
		},
	},
	Outputs: { Url: { Value: { Ref: "Queue" } } },
});

const table = (template: Template): Record<string, unknown> => template.Resources["Table"]?.Properties ?? {};
const queue = (template: Template): Record<string, unknown> => template.Resources["Queue"]?.Properties ?? {};

describe("the check against AWS's definitions", () => {
	test("has nothing to say about a correct template", async () => {
		expect(await checkAgainstSpec(good())).toEqual([]);
	});

	test.each<[string, (template: Template) => void, string]>([
		["an unknown type", (t) => Object.assign(t.Resources["Table"] ?? {}, { Type: "AWS::DynamoDB::Tabel" }), "Table"],
		["an unknown property", (t) => Object.assign(table(t), { BilingMode: "x" }), "Table.BilingMode"],
		[
			"an unknown property within a property",
			(t) => Object.assign(table(t), { PointInTimeRecoverySpecification: { Enabled: true } }),
			"Table.PointInTimeRecoverySpecification.Enabled",
		],
		[
			"a property within a list",
			(t) => Object.assign(table(t), { KeySchema: [{ AttributeName: "id", KeyTyp: "HASH" }] }),
			"Table.KeySchema[0].KeyTyp",
		],
		["wrong nesting", (t) => Object.assign(table(t), { SSESpecification: ["x"] }), "Table.SSESpecification"],
		["a list for a text", (t) => Object.assign(table(t), { TableName: ["x"] }), "Table.TableName"],
		["a text for a number", (t) => Object.assign(queue(t), { VisibilityTimeout: "long" }), "Queue.VisibilityTimeout"],
		[
			"a text for a boolean",
			(t) => Object.assign(table(t), { DeletionProtectionEnabled: "yes" }),
			"Table.DeletionProtectionEnabled",
		],
		["a missing required property", (t) => delete table(t)["KeySchema"], "Table"],
		[
			"a reference to nothing",
			(t) => Object.assign(t, { Outputs: { Url: { Value: { Ref: "Queu" } } } }),
			"Outputs.Url.Value",
		],
		[
			"an attribute that does not exist",
			(t) => Object.assign(queue(t), { QueueName: { "Fn::GetAtt": ["Letters", "Name"] } }),
			"Queue.Properties.QueueName",
		],
		[
			"a text with a reference to nothing",
			(t) => Object.assign(queue(t), { QueueName: sub("{Nothing}-x {Tabel.Arn}") }),
			"Queue.Properties.QueueName",
		],
		[
			"a dependency on nothing",
			(t) => Object.assign(t.Resources["Queue"] ?? {}, { DependsOn: "X" }),
			"Queue.DependsOn",
		],
		[
			"a condition that does not exist",
			(t) => Object.assign(t.Resources["Queue"] ?? {}, { Condition: "Sunday" }),
			"Queue.Condition",
		],
		[
			"a choice by a condition that does not exist",
			(t) => Object.assign(queue(t), { QueueName: { "Fn::If": ["Sunday", "a", "b"] } }),
			"Queue.Properties.QueueName",
		],
		["an unknown attribute", (t) => Object.assign(t.Resources["Queue"] ?? {}, { Property: {} }), "Queue.Property"],
		[
			"an unknown deletion policy",
			(t) => Object.assign(t.Resources["Table"] ?? {}, { DeletionPolicy: "Keep" }),
			"Table.DeletionPolicy",
		],
		["an unknown section", (t) => Object.assign(t, { Resource: {} }), "Resource"],
	])("finds %s", async (_, plant, where) => {
		const template = good();
		plant(template);
		expect((await checkAgainstSpec(template)).map((finding) => finding.where)).toContain(where);
	});
});

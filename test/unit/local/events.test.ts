import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readDefinitions } from "../../../local/aws/definitions.ts";
import { startEventBus } from "../../../local/aws/event-bus.ts";
import { matchesEvent, readEventRules } from "../../../local/aws/event-rules.ts";
import { readServerlessFile } from "../../../local/aws/serverless-file.ts";

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "events-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const rulesOf = async (resources: string) => {
	writeFileSync(
		join(dir, "serverless.yml"),
		`service: demo
resources:
  Conditions:
    Never: !Equals [a, b]
  Resources:
    Fleet: { Type: AWS::SQS::Queue }
    Other: { Type: AWS::SQS::Queue }
${resources}`,
	);
	const sources = { stage: "test", region: "us-east-1", accountId: "1", env: {} };
	const file = await readServerlessFile(join(dir, "serverless.yml"), sources);
	return readEventRules(file, readDefinitions(file, { region: "us-east-1", queueUrl: (name) => `http://sqs/${name}` }));
};

const RULE = `
    StateRule:
      Type: AWS::Events::Rule
      Properties:
        EventPattern:
          source: [aws.ec2]
          detail-type: [EC2 Instance State-change Notification]
          detail: { state: [running, stopped, terminated] }
        Targets:
          - { Id: fleet, Arn: !GetAtt Fleet.Arn, RetryPolicy: { MaximumRetryAttempts: 3 } }
`;

describe("rules of the template", () => {
	test("are read with their pattern and their queues", async () => {
		expect(await rulesOf(RULE)).toEqual([
			{
				logicalId: "StateRule",
				pattern: {
					source: ["aws.ec2"],
					"detail-type": ["EC2 Instance State-change Notification"],
					detail: { state: ["running", "stopped", "terminated"] },
				},
				queues: ["demo-test-Fleet"],
			},
		]);
	});

	test("that are off, or whose condition does not hold, are none", async () => {
		expect(await rulesOf(RULE.replace("Properties:", "Properties:\n        State: DISABLED"))).toEqual([]);
		expect(await rulesOf(RULE.replace("Properties:", "Condition: Never\n      Properties:"))).toEqual([]);
	});

	test.each([
		["a filter", RULE.replace("[aws.ec2]", "[{ prefix: aws }]"), /EventPattern\.source.*lists of values only/],
		["an empty list", RULE.replace("[aws.ec2]", "[]"), /EventPattern\.source/],
		["a value that is no list", RULE.replace("[aws.ec2]", "aws.ec2"), /EventPattern\.source/],
		["no pattern", RULE.replace("EventPattern:", "Description:"), /EventPattern/],
		[
			"a schedule",
			RULE.replace("EventPattern:", "ScheduleExpression: rate(1 hour)\n        EventPattern:"),
			/Schedule/,
		],
		["another target", RULE.replace("!GetAtt Fleet.Arn", "arn:aws:lambda:us-east-1:1:function:x"), /queues only/],
		["a transformed input", RULE.replace("Id: fleet", "Id: fleet, InputPath: $.detail"), /InputPath/],
		["another bus", RULE.replace("EventPattern:", "EventBusName: theirs\n        EventPattern:"), /bus theirs/],
	])("%s is refused, not passed over", async (_, resources, message) => {
		await expect(rulesOf(resources)).rejects.toThrow(message);
	});
});

describe("a pattern", () => {
	const event = { source: "aws.ec2", detail: { state: "running", tags: ["a", "b"], n: 1, nothing: null } };
	test.each([
		[{ source: ["aws.ec2"] }, true],
		[{ source: ["aws.s3", "aws.ec2"] }, true],
		[{ source: ["aws.s3"] }, false],
		[{ source: ["aws"] }, false],
		[{ detail: { state: ["running"] } }, true],
		[{ detail: { state: ["running"], n: [1] } }, true],
		[{ detail: { state: ["running"], n: [2] } }, false],
		[{ detail: { n: ["1"] } }, false],
		[{ detail: { tags: ["b", "c"] } }, true],
		[{ detail: { tags: ["c"] } }, false],
		[{ detail: { nothing: [null] } }, true],
		[{ detail: { state: { deeper: ["running"] } } }, false],
		[{ missing: ["x"] }, false],
		[{ missing: { deeper: ["x"] } }, false],
	])("%j: %s", (pattern, expected) => {
		expect(matchesEvent(pattern, event)).toBe(expected);
	});
});

describe("the bus", () => {
	const sentBy = async (detail: Record<string, unknown>) => {
		const sent: { QueueUrl?: string; MessageBody?: string }[] = [];
		const sqs = { send: async (command: { input: (typeof sent)[number] }) => void sent.push(command.input) };
		const rules = await rulesOf(RULE);
		const bus = startEventBus({
			rules: [...rules, { logicalId: "All", pattern: { source: ["aws.ec2"] }, queues: ["demo-test-Other"] }],
			queueUrl: (name) => `http://sqs/${name}`,
			sqs: sqs as never,
			account: "000000000000",
			region: "us-east-1",
		});
		const resources = ["arn:aws:ec2:us-east-1:000000000000:instance/i-1"];
		const at = Date.parse("2026-01-01T00:00:00.750Z");
		await bus.put({
			source: "aws.ec2",
			detailType: "EC2 Instance State-change Notification",
			at,
			resources,
			detail,
		});
		return sent;
	};

	test("sends an event, as EventBridge shapes it, to the queues of all rules that match", async () => {
		const sent = await sentBy({ "instance-id": "i-1", state: "running" });
		expect(sent.map(({ QueueUrl }) => QueueUrl)).toEqual(["http://sqs/demo-test-Fleet", "http://sqs/demo-test-Other"]);
		expect(JSON.parse(sent[0]?.MessageBody ?? "")).toEqual({
			version: "0",
			id: expect.stringMatching(/^[0-9a-f-]{36}$/),
			"detail-type": "EC2 Instance State-change Notification",
			source: "aws.ec2",
			account: "000000000000",
			time: "2026-01-01T00:00:00Z",
			region: "us-east-1",
			resources: ["arn:aws:ec2:us-east-1:000000000000:instance/i-1"],
			detail: { "instance-id": "i-1", state: "running" },
		});
	});

	test("and to none where no rule matches", async () => {
		const sent = await sentBy({ "instance-id": "i-1", state: "pending" });
		expect(sent.map(({ QueueUrl }) => QueueUrl)).toEqual(["http://sqs/demo-test-Other"]);
	});
});

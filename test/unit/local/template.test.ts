// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are variables of the files under test
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readDefinitions } from "../../../local/aws/definitions.ts";
import { readServerlessFile } from "../../../local/aws/serverless-file.ts";
import { TemplateError } from "../../../local/aws/template-error.ts";

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "template-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const read = async (files: Record<string, string>, env: Record<string, string> = {}) => {
	for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
	const file = await readServerlessFile(join(dir, "serverless.yml"), {
		stage: "test",
		region: "eu-central-1",
		accountId: "111122223333",
		env,
	});
	return {
		file,
		definitions: readDefinitions(file, { region: "eu-central-1", queueUrl: (name) => `http://sqs/${name}` }),
	};
};

describe("variables of serverless.yml", () => {
	test("are resolved, nested and with defaults; CloudFormation's own are left alone", async () => {
		const { file } = await read(
			{
				"serverless.yml": `
service: demo
custom:
  names: { test: tested }
  list: [1, 2]
provider:
  stage: \${opt:stage, "dev"}
  a: \${self:custom.names.\${sls:stage}}
  b: \${env:MISSING, 'fallback'}
  c: \${env:GIVEN}-\${aws:region}
  d: \${self:custom.list}
  e: \${file(part.yml):deep.value}
  f: !Sub "\${AWS::Region}-\${Thing.Arn}"
`,
				"part.yml": "deep: { value: '${self:service} in a file' }",
			},
			{ GIVEN: "given" },
		);
		expect(file.provider).toEqual({
			stage: "test",
			a: "tested",
			b: "fallback",
			c: "given-eu-central-1",
			d: [1, 2],
			e: "demo in a file",
			f: { "Fn::Sub": "${AWS::Region}-${Thing.Arn}" },
		});
	});

	test("one without a value is an error that says where", async () => {
		const reading = read({ "serverless.yml": "service: demo\nprovider: { a: '${env:MISSING}' }" });
		await expect(reading).rejects.toThrow(TemplateError);
		await expect(reading).rejects.toThrow(/provider\.a.*env:MISSING.*no value/);
	});

	test("a file with a mistake is named with its line", async () => {
		const reading = read({ "serverless.yml": "resources: ['${file(part.yml)}']", "part.yml": "a: b: c" });
		await expect(reading).rejects.toThrow(/part\.yml.*line 1/s);
	});

	test("parts that are computed are called as Serverless calls them", async () => {
		const { file } = await read({
			"serverless.yml": "service: demo\nfunctions: { one: {}, two: {} }\nresources: ['${file(part.cjs)}']",
			"part.cjs": `module.exports = async ({ resolveConfigurationProperty, resolveVariable }) => ({
				Resources: Object.fromEntries(
					Object.keys(await resolveConfigurationProperty(["functions"])).map((name) => [
						name, { Type: "Custom::" + name, Properties: { stage: null } },
					]).concat([["Stage", { Type: await resolveVariable("sls:stage") }]]),
				),
			});`,
		});
		expect(Object.values(file.resources).map(({ Type }) => Type)).toEqual(["Custom::one", "Custom::two", "test"]);
	});

	test("a resource defined twice is an error", async () => {
		const part = "Resources: { A: { Type: X } }";
		const files = { "serverless.yml": "resources: ['${file(1.yml)}', '${file(2.yml)}']", "1.yml": part, "2.yml": part };
		await expect(read(files)).rejects.toThrow(/A is defined twice/);
	});
});

describe("definitions", () => {
	const template = (resources: string) => ({
		"serverless.yml": `service: demo\nresources:\n  Resources:\n${resources}`,
	});
	const TABLE = `
    Things:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: \${self:service}-things
        AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
        KeySchema: [{ AttributeName: id, KeyType: HASH }]
        TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
`;

	test("a table is created as it is defined", async () => {
		const { definitions } = await read(template(TABLE));
		expect(definitions.tables).toEqual([
			{
				logicalId: "Things",
				create: {
					TableName: "demo-things",
					BillingMode: "PAY_PER_REQUEST",
					AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
					KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
				},
				ttl: { AttributeName: "ttl", Enabled: true },
			},
		]);
	});

	test("queues come after their dead letters; names are made where none is given", async () => {
		const { definitions } = await read(
			template(`
    Work:
      Type: AWS::SQS::Queue
      Properties:
        DelaySeconds: 5
        RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 }
    Dead: { Type: AWS::SQS::Queue }
    Files: { Type: AWS::S3::Bucket }`),
		);
		expect(definitions.queues.map(({ name }) => name)).toEqual(["demo-test-Dead", "demo-test-Work"]);
		expect(definitions.queues[1]?.attributes).toEqual({
			DelaySeconds: "5",
			RedrivePolicy: JSON.stringify({
				deadLetterTargetArn: "arn:aws:sqs:eu-central-1:000000000000:demo-test-Dead",
				maxReceiveCount: 3,
			}),
		});
		expect(definitions.buckets).toEqual([{ logicalId: "Files", name: "demo-test-files" }]);
		expect(
			definitions.resolve({ a: { Ref: "Work" }, b: { "Fn::Sub": "${Files}/${Files.Arn}/${!x}" } }, "here"),
		).toEqual({
			a: "http://sqs/demo-test-Work",
			b: "demo-test-files/arn:aws:s3:::demo-test-files/${x}",
		});
		expect(definitions.resolve({ "Fn::Join": ["-", ["a", { Ref: "AWS::Region" }]] }, "here")).toBe("a-eu-central-1");
	});

	test.each([
		[
			"a property of a table that it does not know",
			`${TABLE}        StreamSpecification: {}\n`,
			/Things.*StreamSpecification/,
		],
		["a property of a queue", "    Q: { Type: AWS::SQS::Queue, Properties: { Colour: red } }", /Q.*Colour/],
		["a table of a kind that it cannot create", "    G: { Type: AWS::DynamoDB::GlobalTable }", /G.*GlobalTable/],
	])("%s is refused, not dropped", async (_, resources, message) => {
		await expect(read(template(resources))).rejects.toThrow(message);
	});

	test.each([
		[{ Ref: "Nothing" }, /no resource Nothing/],
		[{ "Fn::GetAtt": ["Things", "StreamArn"] }, /no attribute Things.StreamArn/],
		[{ "Fn::If": ["a", "b", "c"] }, /no condition a/],
		[{ "Fn::Cidr": ["10.0.0.0/16", 1, 8] }, /does not know Fn::Cidr/],
	])("%j has no value here and says so", async (value, message) => {
		const { definitions } = await read(template(TABLE));
		expect(() => definitions.resolve(value, "here")).toThrow(message);
	});

	test("conditions decide which values and which resources there are", async () => {
		const { definitions } = await read({
			"serverless.yml": `
service: demo
resources:
  Parameters:
    Image: { Type: String, Default: ami-1 }
    Nothing: { Type: String, Default: "" }
  Conditions:
    HasImage: !Not [!Equals [!Ref Image, ""]]
    HasNothing: !Not [!Equals [!Ref Nothing, ""]]
    Both: !And [!Condition HasImage, !Condition HasNothing]
    Either: !Or [!Condition HasNothing, !Condition HasImage]
  Resources:
    Kept: { Type: AWS::SQS::Queue, Condition: HasImage }
    Gone: { Type: AWS::SQS::Queue, Condition: HasNothing }
`,
		});
		expect(definitions.queues.map(({ logicalId }) => logicalId)).toEqual(["Kept"]);
		expect([definitions.exists("Kept"), definitions.exists("Gone"), definitions.exists("Never")]).toEqual([
			true,
			false,
			false,
		]);
		const chosen = definitions.resolve(
			{
				image: { "Fn::If": ["HasImage", { Ref: "Image" }, { Ref: "Nowhere" }] },
				nothing: { "Fn::If": ["HasNothing", "x", { Ref: "AWS::NoValue" }] },
				list: ["a", { "Fn::If": ["Both", "b", { Ref: "AWS::NoValue" }] }, { "Fn::If": ["Either", "c", "d"] }],
				part: { "Fn::Select": [1, { "Fn::Split": [",", "x,y"] }] },
			},
			"here",
		);
		expect(chosen).toEqual({ image: "ami-1", list: ["a", "c"], part: "y" });
		expect(() => definitions.resolve({ Ref: "Gone" }, "here")).toThrow(/no resource Gone/);
	});

	test("a condition that is none is refused", async () => {
		const files = {
			"serverless.yml": `
service: demo
resources:
  Conditions: { Odd: yes please }
  Resources: { Q: { Type: AWS::SQS::Queue, Condition: Odd } }
`,
		};
		await expect(read(files)).rejects.toThrow(/Q.*"yes please" in a condition/);
	});

	test("resources that nothing here is made for have values of the right shape", async () => {
		const { definitions } = await read(
			template(`
    Template: { Type: AWS::EC2::LaunchTemplate }
    Role: { Type: AWS::IAM::Role }
    Topic: { Type: AWS::SNS::Topic }
    Group: { Type: AWS::Scheduler::ScheduleGroup, Properties: { Name: demo-group } }`),
		);
		const of = (value: unknown) => definitions.resolve(value, "here");
		expect(of({ Ref: "Template" })).toMatch(/^lt-[0-9a-f]{17}$/);
		expect(of({ "Fn::GetAtt": ["Template", "LatestVersionNumber"] })).toBe("1");
		expect(of({ "Fn::GetAtt": ["Role", "Arn"] })).toBe("arn:aws:iam::000000000000:role/demo-test-Role");
		expect(of({ Ref: "Topic" })).toBe("arn:aws:sns:eu-central-1:000000000000:demo-test-Topic");
		expect(of({ Ref: "Group" })).toBe("demo-group");
		expect(definitions.scheduleGroups).toEqual(["demo-group"]);
		expect(() => of({ "Fn::GetAtt": ["Role", "Colour"] })).toThrow(/no attribute Role.Colour/);
	});
});

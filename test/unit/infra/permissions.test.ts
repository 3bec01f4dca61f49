import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { readServerlessFile } from "../../../local/aws/serverless-file.ts";
import { readFunctions } from "../../../scripts/service.ts";
import { type CodeUses, usesOfCode, usesOfFunction } from "../../../scripts/template/code-uses.ts";
import { type Grant, grantsOfRole } from "../../../scripts/template/grants.ts";

/** Bundling all functions takes a second or two. */
const BUNDLE_LIMIT_MS = 60_000;
const ROOT = process.cwd();
const FUNCTIONS = readFunctions(ROOT);

/** What a function's code names but never comes to, and why. */
const NOT_REACHED: Record<string, RegExp> = {
	// A test call has one contact: it is stored at once, neither staged nor queued.
	"place-call": /^(objects|queues\.imports) /,
	// Its only route is public: no token is looked at.
	"check-health": /^tables\.tokens /,
};

/** Actions that Lambda needs, not the code: to write the log, to take messages from the queue that starts the function. */
const NOT_OF_THE_CODE = /^(logs|sqs):(?!SendMessage)/;

/** A table, queue or bucket of the stack by the name that the code has for it; of everything else `aws`: scripts/template/fences.ts. */
const nameOf = ({ target, path }: Grant): string => {
	const kind = /^(.*)(Table|Queue)$/.exec(target);
	if (!kind) return target === "UploadsBucket" ? "objects" : "aws";
	const plural = kind[2] === "Table" ? "tables" : "queues";
	return [`${plural}.${kind[1]?.toLowerCase()}`, ...(path ? [path] : [])].join("/");
};

let roles: Record<string, string[]>;
let uses: Record<string, CodeUses>;

beforeAll(async () => {
	const file = await readServerlessFile(join(ROOT, "serverless.yml"), {
		stage: "test",
		region: "eu-central-1",
		accountId: "000000000000",
		env: {},
	});
	roles = {};
	uses = {};
	for (const fn of FUNCTIONS) {
		uses[fn.name] = await usesOfFunction(ROOT, fn);
		const role = file.functions[fn.name]?.["role"] as { "Fn::GetAtt": string[] } | undefined;
		const grants = grantsOfRole({ Resources: file.resources }, role?.["Fn::GetAtt"][0] ?? "")
			.filter(({ action }) => !NOT_OF_THE_CODE.test(action))
			.map((grant) => `${nameOf(grant)} ${grant.action}`);
		roles[fn.name] = [...new Set(grants)].sort();
	}
}, BUNDLE_LIMIT_MS);

describe.each(FUNCTIONS)("$name", ({ name, source }) => {
	test("names its tables and objects in a way that can be read", () => {
		expect(uses[name]?.unclear).toEqual([]);
	});

	test("may do what its code does, and nothing else", () => {
		const reached = [...(uses[name]?.uses ?? [])].filter((use) => !NOT_REACHED[name]?.test(use));
		expect(roles[name]).toEqual(reached.sort());
	});

	test("answers the routes that start it", () => {
		const code = readFileSync(join(ROOT, source), "utf8");
		const answered = [...code.matchAll(/\broute\(\s*"([A-Z]+)",\s*"([^"]+)"/g)].map(
			([, method, path]) => `${method} ${path}`,
		);
		const yaml = readFileSync(join(ROOT, "serverless.yml"), "utf8");
		const section = yaml.slice(yaml.indexOf(`\n  ${name}:\n`) + 1).split(/\n {2}\S|\n\S/)[0] ?? "";
		const routed = [...section.matchAll(/- httpApi: (.+)/g)].map(([, route]) => route);
		expect(answered.sort()).toEqual(routed.sort());
	});
});

describe("reading the code", () => {
	const read = (code: string) => {
		const { uses, unclear } = usesOfCode(code);
		return { uses: [...uses].sort(), unclear };
	};

	test("finds the call around a table, and its index", () => {
		expect(
			read(`
const items = await queryAll2(deps.db, { TableName: deps.tables.contacts, IndexName: "due", Limit: count(a, b) });
await deps.db.send(new PutCommand3({ TableName: deps.tables.hosts, Item: make({ x: [1] }) }));
const got = await getItem(deps.db, deps.tables.trunks, keys.map((key) => update(key)));
await deps.queues.send(
	"sweeps", []);
for await (const part of deps.objects.stream(key, 0)) use(part);
`),
		).toEqual({
			uses: [
				"objects s3:GetObject",
				"queues.sweeps sqs:SendMessage",
				"tables.contacts/index/due dynamodb:Query",
				"tables.hosts dynamodb:PutItem",
				"tables.trunks dynamodb:GetItem",
			],
			unclear: [],
		});
	});

	test("a conditional write reads too", () => {
		expect(read("update(deps.db, { TableName: deps.tables.hosts })").uses).toEqual([
			"tables.hosts dynamodb:GetItem",
			"tables.hosts dynamodb:UpdateItem",
		]);
	});

	test("knows what a command needs, that a launch gives tags and hands a role on, and that a number is esbuild's", () => {
		expect(
			read("await client.send(new RunInstancesCommand2(input)); client.send(new DescribeInstancesCommand({}))"),
		).toEqual({
			uses: ["aws ec2:CreateTags", "aws ec2:DescribeInstances", "aws ec2:RunInstances", "aws iam:PassRole"],
			unclear: [],
		});
	});

	test("says what it does not understand", () => {
		expect(read("client.send(new DeleteVpcCommand({}))").unclear).toEqual(["new DeleteVpcCommand("]);
		expect(read("const table = deps.tables.hosts;\n").unclear).toEqual(["const table = deps.tables.hosts;"]);
		expect(read("deps.objects.erase(key)").unclear).toEqual(["objects.erase("]);
	});
});

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { unzipSync } from "fflate";
import type { BundleReport } from "../../../scripts/bundle.ts";
import { readFunctions } from "../../../scripts/service.ts";
import { deployedFunctions } from "../../../scripts/template/grants.ts";
import { packageService } from "../../../scripts/template/package-service.ts";
import { checkRules } from "../../../scripts/template/rules.ts";
import { checkAgainstSpec } from "../../../scripts/template/spec.ts";
import { showFindings, type Template } from "../../../scripts/template/types.ts";

/** Bundling and packaging take about 5 s on an idle machine. */
const PACKAGE_LIMIT_MS = 120_000;
const MAX_ZIPPED_BYTES = 1024 * 1024;
const ROOT = process.cwd();

let folder: string;
let packaged: { template: Template; bundles: BundleReport[] };

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-dialer-package-"));
	packaged = await packageService(ROOT, folder);
}, PACKAGE_LIMIT_MS);
afterAll(async () => {
	await rm(folder, { recursive: true, force: true });
});

/** A copy to plant mistakes in. */
const copy = (): Template => structuredClone(packaged.template);
const roleStatements = (template: Template, role: string): Record<string, unknown>[] => {
	const policies = template.Resources[role]?.Properties?.["Policies"] as
		| { PolicyDocument: { Statement: Record<string, unknown>[] } }[]
		| undefined;
	return policies?.[0]?.PolicyDocument.Statement ?? [];
};

describe("the packaged template", () => {
	test("agrees with AWS's definitions", async () => {
		expect(showFindings(await checkAgainstSpec(packaged.template))).toBe("");
	});

	test("keeps the project's rules: least privilege, dead letters, alarms", () => {
		expect(showFindings(checkRules(packaged.template))).toBe("");
	});

	test("deploys every function of serverless.yml, each with its artifact", () => {
		const names = readFunctions(ROOT).map((fn) => fn.name);
		expect(deployedFunctions(packaged.template).map((fn) => fn.name)).toEqual(names);
		expect(packaged.bundles.map((bundle) => bundle.name)).toEqual(names);
	});

	test("bundles stay below 1 MB zipped", () => {
		for (const bundle of packaged.bundles) {
			expect(bundle).toEqual({ ...bundle, zippedBytes: expect.any(Number) });
			expect(bundle.zippedBytes).toBeLessThan(MAX_ZIPPED_BYTES);
		}
	});
});

/** Loads each artifact as Lambda does and says what its handler is; then calls the one that needs nothing. */
const LOAD = `
const [root, names, event] = JSON.parse(process.argv[1]);
const kinds = {};
for (const name of names) {
	const module = await import("file://" + root + "/" + name + "/functions/" + name + "/handler.mjs");
	kinds[name] = typeof module.handler;
	if (name === "check-health") kinds.answer = (await module.handler(event, {})).statusCode;
}
process.stdout.write("\\n" + JSON.stringify(kinds));
`;

describe("the artifacts", () => {
	test(
		"load without anything beside them, and the health check answers",
		async () => {
			const names = packaged.bundles.map((bundle) => bundle.name);
			const unpacked = join(folder, "unpacked");
			for (const name of names) {
				const files = unzipSync(readFileSync(join(folder, "dist", `${name}.zip`)));
				expect(Object.keys(files)).toEqual([`functions/${name}/handler.mjs`]);
				await mkdir(join(unpacked, name, "functions", name), { recursive: true });
				for (const [path, bytes] of Object.entries(files)) await writeFile(join(unpacked, name, path), bytes);
			}
			const event = JSON.parse(readFileSync(join(ROOT, "events/check-health.json"), "utf8"));
			const { stdout } = await promisify(execFile)(
				process.execPath,
				["--input-type=module", "--eval", LOAD, JSON.stringify([unpacked, names, event])],
				{ env: { AWS_REGION: "eu-central-1" } },
			);
			expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
				...Object.fromEntries(names.map((name) => [name, "function"])),
				answer: 200,
			});
		},
		PACKAGE_LIMIT_MS,
	);
});

describe("the rules find what is planted", () => {
	test.each<[string, (template: Template) => void, RegExp]>([
		[
			"a wildcard action",
			(t) => Object.assign(roleStatements(t, "SyncHostRole")[1] ?? {}, { Action: ["dynamodb:*"] }),
			/SyncHostRole.*wildcard/,
		],
		[
			"everything but",
			(t) => Object.assign(roleStatements(t, "SyncHostRole")[1] ?? {}, { NotAction: ["iam:PassRole"] }),
			/SyncHostRole.*wildcard/,
		],
		[
			"an action with a slip",
			(t) => Object.assign(roleStatements(t, "SyncHostRole")[1] ?? {}, { Action: ["dynamodb:GetItm"] }),
			/GetItm/,
		],
		[
			"all resources",
			(t) => Object.assign(roleStatements(t, "SyncHostRole")[1] ?? {}, { Resource: "*" }),
			/not one resource/,
		],
		[
			"a table that the environment does not name",
			(t) =>
				roleStatements(t, "CheckHealthRole").push({
					Effect: "Allow",
					Action: "dynamodb:GetItem",
					Resource: { "Fn::GetAtt": ["IdempotencyTable", "Arn"] },
				}),
			/check-health.*IdempotencyTable/,
		],
		[
			"a table that the role does not allow",
			(t) => {
				const variables = t.Resources["TickDashminuteLambdaFunction"]?.Properties?.["Environment"] as {
					Variables: object;
				};
				Object.assign(variables.Variables, { TABLE_GRANTS: { Ref: "GrantsTable" } });
			},
			/tick-minute.*TABLE_GRANTS/,
		],
		[
			"a role used twice",
			(t) =>
				Object.assign(t.Resources["CheckDashhealthLambdaFunction"]?.Properties ?? {}, {
					Role: { "Fn::GetAtt": ["SyncHostRole", "Arn"] },
				}),
			/shares its role/,
		],
		[
			"a queue without dead letters",
			(t) => delete t.Resources["ImportsQueue"]?.Properties?.["RedrivePolicy"],
			/ImportsQueue: has no dead-letter queue/,
		],
		[
			"a message given out too early",
			(t) => Object.assign(t.Resources["ImportsQueue"]?.Properties ?? {}, { VisibilityTimeout: 60 }),
			/less than six times/,
		],
		[
			"a queue that starts too many",
			(t) => delete t.Resources["ImportDashcontactsEventSourceMappingSQSImportsQueue"]?.Properties?.["ScalingConfig"],
			/without a maximum concurrency/,
		],
		["a missing alarm", (t) => delete t.Resources["SyncHostThrottlesAlarm"], /sync-host: has no alarm for Throttles/],
		["unwatched dead letters", (t) => delete t.Resources["SweepsDeadLettersAlarm"], /SweepsDeadLetters: no alarm/],
		["an open bucket", (t) => delete t.Resources["UploadsBucketPolicy"], /UploadsBucket: can be reached without TLS/],
	])("%s", (_, plant, expected) => {
		const template = copy();
		plant(template);
		expect(showFindings(checkRules(template))).toMatch(expected);
	});
});

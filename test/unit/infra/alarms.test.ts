import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { type Resource, readServerlessFile } from "../../../local/aws/serverless-file.ts";

const ROOT = process.cwd();
let resources: Record<string, Resource>;
beforeAll(async () => {
	const sources = { stage: "test", region: "eu-central-1", accountId: "000000000000", env: {} };
	resources = (await readServerlessFile(join(ROOT, "serverless.yml"), sources)).resources;
});
const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);

interface Metric {
	MetricNamespace: string;
	MetricName: string;
}

describe("alarms on lines of the log", () => {
	test("each line is one that is written", () => {
		const code = globSync("{shared,functions}/**/*.ts", { cwd: ROOT })
			.map((path) => readFileSync(join(ROOT, path), "utf8"))
			.join("\n");
		const patterns = ofType("AWS::Logs::MetricFilter").map(([, { Properties: p }]) => String(p?.["FilterPattern"]));
		expect(patterns.length).toBeGreaterThan(5);
		for (const pattern of patterns) {
			const [, event = "none"] = /^\{ \$\.event = "([\w.-]+)"( && .+)? \}$/.exec(pattern) ?? [];
			expect({ pattern, written: code.includes(`"${event}"`) }).toEqual({ pattern, written: true });
		}
	});

	test("each has an alarm that goes to somebody", () => {
		const alarms = ofType("AWS::CloudWatch::Alarm").map(([, { Properties: p }]) => p);
		for (const [id, { Properties: filter = {} }] of ofType("AWS::Logs::MetricFilter")) {
			const [metric] = filter["MetricTransformations"] as [Metric];
			const watching = alarms.filter(
				(alarm) => alarm?.["Namespace"] === metric.MetricNamespace && alarm["MetricName"] === metric.MetricName,
			);
			expect({ id, watching }).toEqual({
				id,
				watching: [expect.objectContaining({ AlarmActions: [{ Ref: "AlarmsTopic" }] })],
			});
		}
	});

	test("a runbook that one names is there", () => {
		const named = ofType("AWS::CloudWatch::Alarm").flatMap(([, { Properties: p }]) =>
			[...String(p?.["AlarmDescription"]).matchAll(/docs\/[\w/-]+\.md/g)].map(([path]) => path),
		);
		expect(named.length).toBeGreaterThan(3);
		for (const path of named) expect(readFileSync(join(ROOT, path), "utf8")).not.toBe("");
	});
});

import { describe, expect, test } from "@jest/globals";
import { countsOf, PHASES, phaseArguments, sumCounts, summaryLine, verdict } from "../../../scripts/test-plan.ts";

const report = {
	numPassedTests: 3,
	numFailedTests: 1,
	numPendingTests: 2,
	numTodoTests: 1,
	numRuntimeErrorTestSuites: 1,
};
const green = { passed: 5, failed: 0, skipped: 0 };
const normal = { ci: false, telephonySkipped: false, narrowed: false };

describe("the test runner", () => {
	test("counts files that cannot be run and phases without a report as failures", () => {
		expect(countsOf(report)).toEqual({ passed: 3, failed: 2, skipped: 3 });
		expect(countsOf(undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
		expect(summaryLine(sumCounts([countsOf(report), green]))).toBe("8 passed, 2 failed, 3 skipped");
	});

	test("runs each suite in exactly one phase", () => {
		for (const suite of PHASES.flatMap((phase) => phase.suites)) {
			const ignoring = PHASES.filter((phase) =>
				phaseArguments(phase, []).includes(`--testPathIgnorePatterns=<rootDir>/test/${suite}/`),
			);
			expect(ignoring).toHaveLength(PHASES.length - 1);
		}
	});

	test("passes on what it is given", () => {
		expect(phaseArguments(PHASES[0] as (typeof PHASES)[0], ["test/unit", "-t", "x"]).slice(-3)).toEqual([
			"test/unit",
			"-t",
			"x",
		]);
	});

	test("is a success only if something was run and nothing failed", () => {
		expect(verdict(green, normal)).toBeUndefined();
		expect(verdict({ ...green, failed: 1 }, normal)).toBeDefined();
		expect(verdict({ ...green, passed: 0 }, normal)).toBeDefined();
	});

	test("skipped telephony passes for a newcomer and fails in CI", () => {
		const skipped = { ...green, skipped: 4 };
		expect(verdict(skipped, { ...normal, telephonySkipped: true })).toBeUndefined();
		expect(verdict(skipped, { ...normal, telephonySkipped: true, ci: true })).toMatch(/telephony/);
		expect(verdict(skipped, { ...normal, ci: true })).toBeDefined();
		expect(verdict(skipped, { ...normal, ci: true, narrowed: true })).toBeUndefined();
	});
});

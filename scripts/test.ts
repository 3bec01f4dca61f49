/**
 * `npm test`: all suites, fast ones first; what follows `--` goes to jest (`npm test -- test/unit`, `npm test -- -t shares`).
 * The last line is `N passed, N failed, N skipped`, summed over the suites.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { requireNode } from "./require-node.ts";
import {
	type Counts,
	countsOf,
	type JestReport,
	PHASES,
	phaseArguments,
	sumCounts,
	summaryLine,
	verdict,
} from "./test-plan.ts";

requireNode();

const passedOn = process.argv.slice(2);
const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** jest runs ES modules by an experimental part of Node, which says so at every start: that one warning is kept quiet. */
const NODE_OPTIONS = [
	process.env["NODE_OPTIONS"],
	"--experimental-vm-modules",
	"--disable-warning=ExperimentalWarning",
].filter(Boolean);

let running: ReturnType<typeof spawn> | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.on(signal, () => {
		running?.kill(signal);
		process.exitCode = 130;
	});
}

const runJest = (args: string[]): Promise<void> =>
	new Promise((resolve, reject) => {
		running = spawn(process.execPath, [jest, ...args], {
			// jest's JSON goes to a file; what it prints for people goes to stderr, so that stdout has the one line.
			stdio: ["inherit", "ignore", "inherit"],
			env: { ...process.env, NODE_OPTIONS: NODE_OPTIONS.join(" ") },
		});
		running.on("error", reject);
		running.on("exit", () => resolve());
	});

/** Files of a phase that the caller's arguments leave. */
const testFiles = async (args: string[]): Promise<string[]> => {
	const { stdout } = await promisify(execFile)(process.execPath, [jest, "--listTests", ...args], {
		env: { ...process.env, NODE_OPTIONS: NODE_OPTIONS.join(" ") },
	});
	// Where there is none, jest prints nothing.
	return stdout.trim() === "" ? [] : (JSON.parse(stdout) as string[]);
};

/** Why there is no real Asterisk here; undefined where there is one (fetched if need be). */
const telephonyObstacle = async (): Promise<string | undefined> => {
	const { realPlane } = await import("../local/voice/real/plane.ts");
	const { VoiceError } = await import("../local/voice/real/voice-error.ts");
	try {
		say((await realPlane(say)).note);
		return undefined;
	} catch (error) {
		if (error instanceof VoiceError) return error.message;
		throw error;
	}
};

const readReport = async (file: string): Promise<JestReport | undefined> => {
	const text = await readFile(file, "utf8").catch(() => undefined);
	return text === undefined ? undefined : (JSON.parse(text) as JestReport);
};

const folder = await mkdtemp(join(tmpdir(), "burst-dialer-test-"));
// A pattern for names skips whatever does not match it.
const narrowed = passedOn.some((argument) => /^(-t|--testNamePattern)/.test(argument));
const results: Counts[] = [];
let telephonySkipped: string | undefined;
try {
	for (const phase of PHASES) {
		if (process.exitCode !== undefined) break;
		const file = join(folder, `${phase.suites[0]}.json`);
		const args = phaseArguments(phase, passedOn);
		const files = await testFiles(args);
		if (files.length === 0) continue;
		say(`\n== ${phase.name} ==`);
		const obstacle = phase.needsAsterisk ? await telephonyObstacle() : undefined;
		if (obstacle !== undefined) {
			telephonySkipped = obstacle;
			results.push({ passed: 0, failed: 0, skipped: files.length });
			continue;
		}
		await runJest([`--outputFile=${file}`, ...args]);
		const counts = countsOf(await readReport(file));
		results.push(counts);
		if (phase.needsAsterisk && counts.skipped > 0 && !narrowed) telephonySkipped = "some skipped themselves";
	}
} finally {
	await rm(folder, { recursive: true, force: true });
}

const counts = sumCounts(results);
if (telephonySkipped) {
	say(`\n*** TELEPHONY TESTS WERE SKIPPED, nothing was tried against real Asterisk: ${telephonySkipped} ***`);
}
const problem = verdict(counts, {
	ci: process.env["CI"] === "true",
	telephonySkipped: telephonySkipped !== undefined,
	narrowed,
});
if (problem) {
	say(`\nNot a success: ${problem}.`);
	process.exitCode ??= 1;
}
process.stdout.write(`${summaryLine(counts)}\n`);

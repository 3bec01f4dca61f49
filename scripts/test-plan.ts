/** How `npm test` runs the suites and what it makes of their results; pure. */

/** Suites that run together: fast ones first, so that a mistake shows early. */
export interface Phase {
	name: string;
	/** Folders of test/. */
	suites: readonly string[];
	/** Options for jest. Telephony runs alone: each test has hosts and a carrier of its own, and two cores. */
	options: readonly string[];
	/** Skipped, loudly, where real Asterisk cannot be had. */
	needsAsterisk: boolean;
}

export const PHASES: readonly Phase[] = [
	{ name: "unit and property", suites: ["unit", "property"], options: [], needsAsterisk: false },
	{ name: "integration", suites: ["integration"], options: ["--maxWorkers=2"], needsAsterisk: false },
	{ name: "telephony", suites: ["telephony"], options: ["--runInBand"], needsAsterisk: true },
];

const ALL_SUITES = PHASES.flatMap((phase) => phase.suites);

/** Arguments of jest for one phase: the caller's own, without the other phases' folders. */
export const phaseArguments = (phase: Phase, passedOn: readonly string[]): string[] => [
	// First: an option that takes a list would swallow the caller's paths behind it.
	"--testPathIgnorePatterns=/node_modules/",
	...ALL_SUITES.filter((suite) => !phase.suites.includes(suite)).map(
		(suite) => `--testPathIgnorePatterns=<rootDir>/test/${suite}/`,
	),
	"--json",
	...phase.options,
	...passedOn,
];

/** The part of jest's JSON report that counts. */
export interface JestReport {
	numPassedTests: number;
	numFailedTests: number;
	numPendingTests: number;
	numTodoTests: number;
	/** Files that could not even be run. */
	numRuntimeErrorTestSuites: number;
}

export interface Counts {
	passed: number;
	failed: number;
	skipped: number;
}

/** A file that could not be run counts as one failure; a phase without a report as another. */
export const countsOf = (report: JestReport | undefined): Counts =>
	report
		? {
				passed: report.numPassedTests,
				failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
				skipped: report.numPendingTests + report.numTodoTests,
			}
		: { passed: 0, failed: 1, skipped: 0 };

export const sumCounts = (all: readonly Counts[]): Counts =>
	all.reduce(
		(sum, { passed, failed, skipped }) => ({
			passed: sum.passed + passed,
			failed: sum.failed + failed,
			skipped: sum.skipped + skipped,
		}),
		{ passed: 0, failed: 0, skipped: 0 },
	);

export const summaryLine = ({ passed, failed, skipped }: Counts): string =>
	`${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Why the run is no success; undefined where it is one. */
export const verdict = (
	counts: Counts,
	options: { ci: boolean; telephonySkipped: boolean; narrowed: boolean },
): string | undefined => {
	if (counts.failed > 0) return `${counts.failed} failed`;
	if (counts.passed === 0) return "no test was run";
	if (options.ci && options.telephonySkipped) return "CI runs the telephony tests; they were skipped";
	// A name pattern (`-t`) skips by itself.
	if (options.ci && counts.skipped > 0 && !options.narrowed) return "CI skips no test";
	return undefined;
};

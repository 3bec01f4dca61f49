import { Command, CommanderError } from "commander";
import { addBudgetCommands } from "./commands/budget.ts";
import { addCallCommands } from "./commands/call.ts";
import { addCallingPolicyCommands } from "./commands/calling-policy.ts";
import { addCampaignCommands } from "./commands/campaign.ts";
import { addFleetCommands } from "./commands/fleet.ts";
import { addHostCommands } from "./commands/host.ts";
import { addLedgerCommand } from "./commands/ledger.ts";
import { addPlanCommands } from "./commands/plan.ts";
import { addPriceCommands } from "./commands/prices.ts";
import { addOptOutCommand, addSuppressionCommands } from "./commands/suppression.ts";
import { addTokenCommands } from "./commands/token.ts";
import { addTrunkCommands } from "./commands/trunk.ts";
import { CliError, describeError, EXIT_OK, EXIT_USAGE, errorDocument } from "./errors.ts";
import type { Io } from "./io.ts";

/** The version shown; the same as package.json's (a test compares them). */
export const VERSION = "0.1.0";

const HELP_AFTER = `
Where the API is, and who you are (first found counts):
  --url, --token           options of any command
  BURST_DIALER_URL, BURST_DIALER_TOKEN
  ~/.config/burst-dialer.json     { "url": "https://…", "token": "…" }

Exit codes:
  0    done
  1    a request failed, a file cannot be used, or a watched campaign failed
  2    the command line is wrong; nothing was sent
  130  Ctrl-C while watching; the campaign goes on

First steps:
  $ burst-dialer token create me --stage dev        # once, with AWS credentials
  $ burst-dialer trunk set carrier-a.json
  $ burst-dialer host add pbx-1                     # then install the agent there
  $ burst-dialer call test --trunk carrier-a --number +12025550123 --wait 10
  $ burst-dialer campaign submit storm.json --contacts people.csv --watch

\`burst-dialer help campaign submit\` explains a command, with examples.`;

const buildProgram = (io: Io, setExit: (code: number) => void): Command => {
	const program = new Command("burst-dialer");
	program
		.description("Dial campaigns through your own Asterisk hosts.")
		.version(VERSION, "-V, --version", "print the version")
		.option("--url <url>", "address of the API (BURST_DIALER_URL)")
		.option("--token <token>", "token (better BURST_DIALER_TOKEN: options are seen by other users)")
		.option("--config <file>", "settings file (default: ~/.config/burst-dialer.json)")
		.option("--json", "print one JSON document for programs; errors too")
		.addHelpText("after", HELP_AFTER)
		.configureHelp({ showGlobalOptions: true })
		.configureOutput({
			writeOut: (text) => io.out.write(text),
			writeErr: (text) => io.err.write(text),
			// Usage errors are shown by runCli, in one way with all others.
			outputError: () => {},
			getOutHelpWidth: () => io.out.columns() ?? 100,
			getErrHelpWidth: () => io.err.columns() ?? 100,
			getOutHasColors: () => false,
			getErrHasColors: () => false,
		})
		.showSuggestionAfterError(true)
		.exitOverride();
	addCampaignCommands(program, io, setExit);
	addCallCommands(program, io, setExit);
	addTrunkCommands(program, io);
	addHostCommands(program, io);
	addSuppressionCommands(program, io);
	addOptOutCommand(program, io);
	addCallingPolicyCommands(program, io);
	addFleetCommands(program, io);
	addLedgerCommand(program, io);
	addBudgetCommands(program, io);
	addPlanCommands(program, io);
	addPriceCommands(program, io);
	addTokenCommands(program, io);
	return program;
};

/** Commander's error as ours; undefined where it only ended after printing help or the version. */
const usageOf = (error: CommanderError): CliError | undefined => {
	if (error.exitCode === 0) return undefined;
	// `burst-dialer campaign` alone prints its help: there is nothing to add but that a command is missing.
	const message = error.code === "commander.help" ? "A command is missing." : error.message.replace(/^error: /, "");
	const [first = "", ...more] = message.split("\n");
	return new CliError(
		`${first.charAt(0).toUpperCase()}${first.slice(1)}${more.length > 0 ? ` ${more.join(" ")}` : ""}`,
		{
			exitCode: EXIT_USAGE,
			code: "usage",
			remedy: "see `burst-dialer --help`, or `--help` after the command",
		},
	);
};

/** Runs one command line. Writes everything itself and never throws for a mistake of the user or of the network. @returns the exit code */
export const runCli = async (io: Io): Promise<number> => {
	let exitCode = EXIT_OK;
	try {
		await buildProgram(io, (code) => {
			exitCode = code;
		}).parseAsync(io.argv, { from: "user" });
		return exitCode;
	} catch (caught) {
		const error = caught instanceof CommanderError ? usageOf(caught) : caught;
		if (error === undefined) return EXIT_OK;
		if (!(error instanceof CliError)) throw error;
		if (io.argv.includes("--json")) io.out.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`);
		io.err.write(`${describeError(error)}\n`);
		return error.exitCode;
	}
};

import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CAPACITY } from "../stack/options.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { numbersOf, REALISTIC_MIX } from "../voice/carrier/mix.ts";
import { compareWithCarrier } from "./compare.ts";
import { measure } from "./measure.ts";
import { progressPrinter } from "./progress.ts";
import { runCampaign, setTrunk } from "./run-campaign.ts";

/** The same list every time. */
const SEED = 2009;
const RING_TIMEOUT_SEC = 5;
/** The carrier's side hangs up long before; this ends what it should not. */
const WAIT_SEC = 60;
/** More than the hosts can start: in the demo channels bind, not the rate. */
const DEMO_MAX_CPS = 500;
/** The exit status of a command that was called wrongly, and of one that was interrupted. */
const USAGE_STATUS = 2;
const INTERRUPTED_STATUS = 130;

const integer = (least: number, most: number) => (text: string) => {
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= least && value <= most) return value;
	throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
};

export interface DemoArguments {
	contacts: number;
	channels: number;
	asterisk?: "real" | "simulated";
	json?: true;
}

export const parseDemoArguments = (args: string[]): DemoArguments =>
	new Command("npm run demo --")
		.description(
			"Starts the whole dialer on this machine, dials a list with a realistic mix of outcomes, compares the records with the carrier's and stops everything.\n" +
				"Exits 0 only if no call was lost, none was dialed twice and the cap held.",
		)
		.addOption(new Option("--contacts <n>", "contacts to dial").default(300).argParser(integer(1, 100_000)))
		.addOption(new Option("--channels <n>", "channels of the campaign").default(60).argParser(integer(1, 3_500)))
		.addOption(new Option("--asterisk <kind>", "insist on real or simulated").choices(["real", "simulated"]))
		.option("--json", "one JSON object on stdout at the end")
		.configureOutput({ writeOut: (text) => process.stderr.write(text) })
		.allowExcessArguments(false)
		.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_STATUS))
		.parse(args, { from: "user" })
		.opts<DemoArguments>();

/** What the demo found. */
export interface DemoSummary {
	asterisk: "real" | "simulated";
	contacts: number;
	attempts: number;
	outcomes: Record<string, number>;
	/** The carrier's own record. */
	carrier: { invites: number; answered: number; peakChannels: number };
	lost: number;
	dialedTwice: number;
	/** The most channels at once in Asterisk's view is bounded by it; here the carrier's. */
	peakChannels: number;
	channelCap: number;
	/** 1 if the carrier ever had more calls than the cap. */
	overCap: 0 | 1;
	channelUtilisation: number | null;
	peakCps: number;
	durationSec: number;
	idealSec: number;
}

const dial = async (
	stack: Stack,
	{ contacts, channels }: DemoArguments,
	signal: AbortSignal,
): Promise<{ summary: DemoSummary; findings: string[] }> => {
	const numbers = numbersOf(REALISTIC_MIX, { count: contacts, seed: SEED });
	await setTrunk(stack, { maxChannels: channels, maxCps: DEMO_MAX_CPS });
	const printer = progressPrinter(process.stderr);
	const run = await runCampaign(
		stack,
		numbers,
		{
			name: "demo",
			then: { wait: WAIT_SEC },
			ringTimeoutSec: RING_TIMEOUT_SEC,
			maxCallSec: RING_TIMEOUT_SEC + WAIT_SEC,
			maxChannels: channels,
		},
		{ onProgress: (progress) => printer.show(progress), signal },
	).finally(() => printer.end());
	const compared = compareWithCarrier(numbers, run.done, run.records, run.carrier);
	const measured = measure(run, numbers, channels, {
		ringTimeoutMs: RING_TIMEOUT_SEC * 1_000,
		talkMs: WAIT_SEC * 1_000,
	});
	const answered = run.carrier.filter((call) => call.answeredAt !== undefined).length;
	const findings = [...compared.findings];
	if (run.carrier.length !== compared.attempts) {
		findings.push(`the carrier saw ${run.carrier.length} INVITEs, ${compared.attempts} attempts are recorded`);
	}
	if (answered !== compared.answered) {
		findings.push(`the carrier answered ${answered} calls, ${compared.answered} are recorded as answered`);
	}
	const overCap = measured.peakChannels > channels ? 1 : 0;
	if (overCap) findings.push(`the carrier had ${measured.peakChannels} calls at once, the cap is ${channels}`);
	return {
		findings,
		summary: {
			asterisk: stack.voice?.kind ?? "simulated",
			contacts,
			attempts: compared.attempts,
			outcomes: run.outcomes,
			carrier: { invites: run.carrier.length, answered, peakChannels: measured.peakChannels },
			lost: compared.lost,
			dialedTwice: compared.dialedTwice,
			peakChannels: measured.peakChannels,
			channelCap: channels,
			overCap,
			channelUtilisation: measured.channelUtilisation,
			peakCps: measured.peakCps,
			durationSec: measured.durationSec,
			idealSec: measured.idealSec,
		},
	};
};

const percent = (value: number | null): string =>
	value === null ? "cap not reached" : `${(value * 100).toFixed(1)} %`;

/** The summary for people. */
export const summaryText = (summary: DemoSummary, findings: string[]): string => {
	const outcomes = Object.entries(summary.outcomes).sort(([, a], [, b]) => b - a);
	const rows: [string, string][] = [
		["Asterisk", summary.asterisk],
		["contacts", String(summary.contacts)],
		["attempts", String(summary.attempts)],
		["outcomes", outcomes.map(([outcome, n]) => `${outcome} ${n}`).join(", ")],
		["carrier saw", `${summary.carrier.invites} INVITEs, ${summary.carrier.answered} answered`],
		["peak channels", `${summary.peakChannels} of ${summary.channelCap}`],
		["channels busy", percent(summary.channelUtilisation)],
		["peak calls per second", String(summary.peakCps)],
		["time", `${summary.durationSec.toFixed(1)} s (ideal ${summary.idealSec.toFixed(1)} s)`],
		["lost", String(summary.lost)],
		["dialed twice", String(summary.dialedTwice)],
		["over the cap", summary.overCap ? "YES" : "never"],
	];
	const width = Math.max(...rows.map(([name]) => name.length));
	const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
	const verdict =
		findings.length === 0
			? "Every call is accounted for, by the carrier's own record."
			: `Not as it must be:\n${findings.map((finding) => `  ${finding}`).join("\n")}`;
	return `\n${lines.join("\n")}\n\n${verdict}\n`;
};

/** `npm run demo`. */
export const main = async (args: string[]): Promise<void> => {
	const options = parseDemoArguments(args);
	const say = (line: string): void => void process.stderr.write(`${line}\n`);
	const abort = new AbortController();
	let signals = 0;
	const interrupt = (): void => {
		if (++signals > 1) process.exit(INTERRUPTED_STATUS);
		say("\nStopping; once more to stop at once.");
		abort.abort(new Error("interrupted"));
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
	let output = "";
	let stack: Stack | undefined;
	let status = 1;
	try {
		stack = await startStack({
			port: 0,
			steady: Math.ceil(options.channels / DEFAULT_CAPACITY),
			...(options.asterisk ? { asterisk: options.asterisk } : {}),
			say,
			// Shown only if something goes wrong: the demo is about the calls.
			onOutput: (text) => {
				output = (output + text).slice(-20_000);
			},
			onFailure: (message) => abort.abort(new Error(message)),
			signal: abort.signal,
		});
		say(`Dialing ${options.contacts} contacts over ${options.channels} channels.`);
		const { summary, findings } = await dial(stack, options, abort.signal);
		process.stderr.write(summaryText(summary, findings));
		if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
		status = findings.length === 0 ? 0 : 1;
	} catch (error) {
		if (signals > 0) status = INTERRUPTED_STATUS;
		else {
			if (output) process.stderr.write(`\nThe last that the parts wrote:\n${output}\n`);
			say(error instanceof Error ? error.message : String(error));
		}
	} finally {
		await stack?.stop();
	}
	process.exit(status);
};

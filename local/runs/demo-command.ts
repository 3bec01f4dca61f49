import { PUBLIC_IPV4_USD_PER_HOUR } from "../../shared/config/burst-settings.ts";
import { DEFAULT_CAPACITY } from "../stack/options.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { LONG_MIX, LONGEST_MIX, numbersOf, REALISTIC_MIX } from "../voice/carrier/mix.ts";
import { type BurstFigures, runBurst } from "./burst-run.ts";
import { compareWithCarrier } from "./compare.ts";
import { type DemoArguments, parseDemoArguments } from "./demo-arguments.ts";
import { BURST_USD_PER_HOUR, type DemoSummary, summaryText } from "./demo-summary.ts";
import { peakByAddress } from "./host-use.ts";
import { checkLedger } from "./ledger-check.ts";
import { measure } from "./measure.ts";
import { progressPrinter } from "./progress.ts";
import { type CampaignRun, type Progress, runCampaign, setTrunk } from "./run-campaign.ts";

/** The same list every time. */
const SEED = 2009;
const RING_TIMEOUT_SEC = 5;
/** The carrier's side hangs up long before; this ends what it should not. */
const WAIT_SEC = 60;
/** More than the hosts can start: in the demo channels bind, not the rate. */
const DEMO_MAX_CPS = 500;
/** With burst hosts: a rate at which one machine with two cores dials, and fills its channels before the first calls end. Calls of LONGEST_MIX need it higher. */
const BURST_MAX_CPS = 100;
const LONGEST_MAX_CPS = 150;
/** Longer than the longest talk of the lists. */
const LONG_WAIT_SEC = 120;
/** Above it calls are longer: one machine dials only so many a second. */
const LONGER_FROM_CHANNELS = 1_200;
/** A demo is short: burst hosts are let go, and started, for less than is sensible where a start costs a minute. */
const DEMO_IDLE_SEC = 10;
const DEMO_MIN_USE_SEC = 10;
/** The exit status of a command that was interrupted. */
const INTERRUPTED_STATUS = 130;

const NO_BURST: BurstFigures = {
	hosts: { steady: 1, burstStarted: 0, burstStopped: 0, stillRunning: 0 },
	readySec: null,
	stoppedAfterSec: null,
	burstHostSeconds: 0,
	idleHostSeconds: 0,
	costUsd: 0,
	peakPerHost: 0,
};

/** Burst hosts that the demo may start. */
const burstHostsFor = (channels: number): number => Math.max(0, Math.ceil(channels / DEFAULT_CAPACITY) - 1);

/** The lists that are dialed, in the order of their submission. */
const dialLists = async (
	stack: Stack,
	{ contacts, channels }: DemoArguments,
	say: (line: string) => void,
	signal: AbortSignal,
): Promise<{ numbers: string[]; runs: CampaignRun[]; figures: BurstFigures; talkMs: number }> => {
	const campaign = (name: string, maxChannels: number, waitSec: number) => ({
		name,
		then: { wait: waitSec },
		ringTimeoutSec: RING_TIMEOUT_SEC,
		maxCallSec: RING_TIMEOUT_SEC + waitSec,
		maxChannels,
	});
	if (burstHostsFor(channels) === 0) {
		const numbers = numbersOf(REALISTIC_MIX, { count: contacts, seed: SEED });
		await setTrunk(stack, { maxChannels: channels, maxCps: DEMO_MAX_CPS });
		const printer = progressPrinter(process.stderr);
		const onProgress = (progress: Progress) => printer.show(progress);
		const run = await runCampaign(stack, numbers, campaign("demo", channels, WAIT_SEC), { onProgress, signal }).finally(
			() => printer.end(),
		);
		return { numbers, runs: [run], figures: NO_BURST, talkMs: WAIT_SEC * 1_000 };
	}
	const isLongest = channels > LONGER_FROM_CHANNELS;
	const mix = isLongest ? LONGEST_MIX : LONG_MIX;
	const baseChannels = Math.round(DEFAULT_CAPACITY / 2);
	const baseContacts = Math.max(1, Math.round((contacts * baseChannels) / channels));
	const all = numbersOf(mix, { count: contacts, seed: SEED });
	const lists = { base: all.slice(0, baseContacts), peak: all.slice(baseContacts) };
	await setTrunk(stack, { maxChannels: channels, maxCps: isLongest ? LONGEST_MAX_CPS : BURST_MAX_CPS });
	const { base, peak, figures } = await runBurst(stack, {
		base: { numbers: lists.base, campaign: campaign("base load", baseChannels, LONG_WAIT_SEC) },
		peak: { numbers: lists.peak, campaign: campaign("peak", channels, LONG_WAIT_SEC) },
		cap: channels,
		idleSec: DEMO_IDLE_SEC,
		usdPerHour: BURST_USD_PER_HOUR,
		say,
		signal,
	});
	return { numbers: all, runs: [base, peak], figures, talkMs: LONG_WAIT_SEC * 1_000 };
};

/** Several campaigns of one trunk as one. */
const together = (runs: CampaignRun[]): CampaignRun => {
	const [first] = runs as [CampaignRun, ...CampaignRun[]];
	const outcomes: Record<string, number> = {};
	for (const run of runs) {
		for (const [outcome, n] of Object.entries(run.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + n;
	}
	return {
		...first,
		outcomes,
		done: runs.reduce((sum, run) => sum + run.done, 0),
		records: runs.flatMap((run) => run.records),
		carrier: runs.flatMap((run) => run.carrier),
		recordedAt: Math.max(...runs.map((run) => run.recordedAt)),
	};
};

const dial = async (
	stack: Stack,
	options: DemoArguments,
	say: (line: string) => void,
	signal: AbortSignal,
): Promise<{ summary: DemoSummary; findings: string[] }> => {
	const { channels } = options;
	const beganAt = Date.now();
	const { numbers, runs, figures, talkMs } = await dialLists(stack, options, say, signal);
	const run = together(runs);
	const compared = compareWithCarrier(numbers, run.done, run.records, run.carrier);
	const measured = measure(run, numbers, channels, { ringTimeoutMs: RING_TIMEOUT_SEC * 1_000, talkMs });
	const answered = run.carrier.filter((call) => call.answeredAt !== undefined).length;
	const findings = [...compared.findings];
	if (run.carrier.length !== compared.attempts) {
		findings.push(`the carrier saw ${run.carrier.length} INVITEs, ${compared.attempts} attempts are recorded`);
	}
	if (answered !== compared.answered) {
		findings.push(`the carrier answered ${answered} calls, ${compared.answered} are recorded as answered`);
	}
	const peakPerHost = Math.max(...peakByAddress(run.carrier, run.recordedAt).values());
	const overTrunk = measured.peakChannels > channels;
	const overHost = peakPerHost > DEFAULT_CAPACITY;
	if (overTrunk) findings.push(`the carrier had ${measured.peakChannels} calls at once, the cap is ${channels}`);
	if (overHost) findings.push(`one host had ${peakPerHost} calls at once, its capacity is ${DEFAULT_CAPACITY}`);
	const ledger = await checkLedger(stack, beganAt, run.carrier);
	findings.push(...ledger.findings);
	const { stillRunning } = figures.hosts;
	if (stillRunning > 0) findings.push(`${stillRunning} burst host(s) still run`);
	return {
		findings,
		summary: {
			asterisk: stack.voice?.kind ?? "simulated",
			contacts: numbers.length,
			attempts: compared.attempts,
			outcomes: run.outcomes,
			carrier: { invites: run.carrier.length, answered, peakChannels: measured.peakChannels },
			lost: compared.lost,
			dialedTwice: compared.dialedTwice,
			peakChannels: measured.peakChannels,
			channelCap: channels,
			overCap: overTrunk || overHost ? 1 : 0,
			channelUtilisation: measured.channelUtilisation,
			peakCps: measured.peakCps,
			durationSec: measured.durationSec,
			idealSec: measured.idealSec,
			...figures,
			peakPerHost,
			ledger: ledger.figures,
		},
	};
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
	const burstHosts = burstHostsFor(options.channels);
	let output = "";
	let stack: Stack | undefined;
	let status = 1;
	try {
		stack = await startStack({
			port: 0,
			steady: 1,
			...(burstHosts === 0
				? {}
				: {
						burst: {
							max: burstHosts,
							bootSec: options.bootSeconds,
							capacity: DEFAULT_CAPACITY,
							settings: {
								BURST_TYPES: `c7g.large=${BURST_USD_PER_HOUR - PUBLIC_IPV4_USD_PER_HOUR}`,
								BURST_IDLE_SEC: String(DEMO_IDLE_SEC),
								BURST_MIN_USE_SEC: String(DEMO_MIN_USE_SEC),
								BURST_MAX_STARTS_PER_MIN: String(burstHosts),
							},
						},
					}),
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
		const { summary, findings } = await dial(stack, options, say, abort.signal);
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

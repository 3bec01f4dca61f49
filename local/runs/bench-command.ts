import { Command, Option } from "commander";
import { sumTotals, totalsBetween } from "../metering/write-units.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { BENCH_MIX, LONG_MIX, numbersOf } from "../voice/carrier/mix.ts";
import { benchControlPlane } from "./bench-control-plane.ts";
import { benchImport } from "./bench-import.ts";
import { compareWithCarrier } from "./compare.ts";
import { controlPlaneTable } from "./control-plane-table.ts";
import { judgeOutcomes, measure } from "./measure.ts";
import { runCampaign, setTrunk } from "./run-campaign.ts";

/** The same list every time. */
const SEED = 1_000;
const CONTACTS = 1_000;
const RING_TIMEOUT_SEC = 3;
const WAIT_SEC = 60;
/** More than 120 channels can use: here channels bind, not the rate. */
const BENCH_MAX_CPS = 1_000;
/** Campaigns over several hosts: each host could carry the whole cap. */
const HOSTS = 3;
const HOST_CAPACITY = 120;
const USAGE_STATUS = 2;

/** Which cap binds: the only host's, or the campaign's over three hosts. */
type Cap = { kind: "host" | "campaign"; channels: number };
const CAPS: Cap[] = [
	{ kind: "host", channels: 120 },
	{ kind: "campaign", channels: 120 },
	{ kind: "host", channels: 30 },
	{ kind: "campaign", channels: 30 },
];
/**
 * A thousand channels over nine hosts, calls of half a minute: a machine with two cores carries so many simulated ones. Calls that began together end together, so the
 * rate is far above the mean of 32 a second: at 150 the trunk, not the dialer, kept 1.8 % of the channels idle.
 */
const WIDE = { hosts: 9, channels: 1_000, contacts: 4_000, maxCps: 500 };

/** One call a second at most: what a contact costs where nothing can be batched. */
const SLOW = { contacts: 60, maxCps: 1 };

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

const startFor = (cap: Cap, asterisk: "real" | "simulated", say: (line: string) => void): Promise<Stack> =>
	startStack({
		port: 0,
		steady: cap.kind === "host" ? 1 : HOSTS,
		capacity: cap.kind === "host" ? cap.channels : HOST_CAPACITY,
		asterisk,
		meter: true,
		say,
	});

/** Requests and units per contact, by table. */
const perContact = (totals: ReturnType<typeof totalsBetween>, contacts: number) => {
	const tables = Object.fromEntries(
		Object.entries(totals).map(([table, operations]) => {
			const all = sumTotals({ [table]: operations });
			return [
				table,
				{
					requests: round(all.requests / contacts, 3),
					writeUnits: round((all.writeUnits + all.indexWriteUnits) / contacts, 3),
					readUnits: round(all.readUnits / contacts, 3),
				},
			];
		}),
	);
	const all = sumTotals(totals);
	return {
		writeUnitsPerContact: round((all.writeUnits + all.indexWriteUnits) / contacts, 3),
		failedConditions: all.failedConditions,
		readUnitsPerContact: round(all.readUnits / contacts, 3),
		dynamoRequestsPerContact: round(all.requests / contacts, 3),
		tables,
	};
};

/** Syncs that the control plane answered, by its log. */
const syncs = (log: string): number => log.match(/"event":"sync"/g)?.length ?? 0;

const benchCap = async (cap: Cap, asterisk: "real" | "simulated", say: (line: string) => void) => {
	let output = "";
	const stack = await startStack({
		port: 0,
		steady: cap.kind === "host" ? 1 : HOSTS,
		capacity: cap.kind === "host" ? cap.channels : HOST_CAPACITY,
		asterisk,
		meter: true,
		say,
		onOutput: (text) => {
			output += text;
		},
	});
	try {
		await setTrunk(stack, { maxChannels: 2 * HOSTS * HOST_CAPACITY, maxCps: BENCH_MAX_CPS });
		const numbers = numbersOf(BENCH_MIX, { count: CONTACTS, seed: SEED });
		const before = await stack.meterTotals();
		const requestsBefore = (await stack.controlPlane.usage()).requests;
		const run = await runCampaign(stack, numbers, {
			name: `bench ${cap.kind} ${cap.channels}`,
			then: { wait: WAIT_SEC },
			ringTimeoutSec: RING_TIMEOUT_SEC,
			maxCallSec: RING_TIMEOUT_SEC + WAIT_SEC,
			...(cap.kind === "campaign" ? { maxChannels: cap.channels } : {}),
		});
		const used = totalsBetween(before, await stack.meterTotals());
		const requests = (await stack.controlPlane.usage()).requests;
		const measured = measure(run, numbers, cap.channels, {
			ringTimeoutMs: RING_TIMEOUT_SEC * 1_000,
			talkMs: WAIT_SEC * 1_000,
		});
		const outcomes = judgeOutcomes(numbers, run.records);
		const compared = compareWithCarrier(numbers, run.done, run.records, run.carrier);
		const count = syncs(output);
		return {
			bench: "dial",
			asterisk: stack.voice?.kind,
			cap: cap.kind,
			channels: cap.channels,
			contacts: CONTACTS,
			ratio: round(measured.durationSec / measured.idealSec, 4),
			...measured,
			firstCallSec: round((Math.min(...run.carrier.map((call) => call.invitedAt)) - run.submittedAt) / 1_000, 3),
			outcomesExact: outcomes.exact,
			outcomesWrong: outcomes.wrong,
			outcomesLost: outcomes.lost,
			mistakes: outcomes.mistakes,
			lost: compared.lost,
			dialedTwice: compared.dialedTwice,
			syncs: count,
			contactsPerSync: count === 0 ? null : round(CONTACTS / count, 2),
			requestsPerContact: Object.fromEntries(
				Object.entries(requests).map(([service, n]) => [
					service,
					round((n - (requestsBefore[service] ?? 0)) / CONTACTS, 3),
				]),
			),
			...perContact(used, CONTACTS),
		};
	} finally {
		await stack.stop();
	}
};

/** How fully a thousand channels are used. */
const benchWide = async (say: (line: string) => void) => {
	const stack = await startStack({ port: 0, steady: WIDE.hosts, capacity: HOST_CAPACITY, asterisk: "simulated", say });
	try {
		await setTrunk(stack, { maxChannels: WIDE.channels, maxCps: WIDE.maxCps });
		const numbers = numbersOf(LONG_MIX, { count: WIDE.contacts, seed: SEED });
		const run = await runCampaign(stack, numbers, {
			name: "bench wide",
			then: { wait: WAIT_SEC },
			ringTimeoutSec: RING_TIMEOUT_SEC,
			maxCallSec: RING_TIMEOUT_SEC + WAIT_SEC,
		});
		const habits = { ringTimeoutMs: RING_TIMEOUT_SEC * 1_000, talkMs: WAIT_SEC * 1_000 };
		return {
			bench: "a thousand channels",
			asterisk: stack.voice?.kind,
			...WIDE,
			...measure(run, numbers, WIDE.channels, habits),
			outcomesExact: judgeOutcomes(numbers, run.records).exact,
		};
	} finally {
		await stack.stop();
	}
};

/** What a contact costs at one call a second. */
const benchSlow = async (asterisk: "real" | "simulated", say: (line: string) => void) => {
	const stack = await startFor({ kind: "host", channels: HOST_CAPACITY }, asterisk, say);
	try {
		await setTrunk(stack, { maxChannels: HOST_CAPACITY, maxCps: SLOW.maxCps });
		const numbers = numbersOf(BENCH_MIX, { count: SLOW.contacts, seed: SEED });
		const before = await stack.meterTotals();
		await runCampaign(stack, numbers, {
			name: "bench slow",
			then: { wait: WAIT_SEC },
			ringTimeoutSec: RING_TIMEOUT_SEC,
			maxCallSec: RING_TIMEOUT_SEC + WAIT_SEC,
		});
		const used = totalsBetween(before, await stack.meterTotals());
		return { bench: "one call per second", contacts: SLOW.contacts, ...perContact(used, SLOW.contacts) };
	} finally {
		await stack.stop();
	}
};

/** `npm run bench`. */
export const main = async (args: string[]): Promise<void> => {
	const names = [...CAPS.map((cap) => `${cap.kind}-${cap.channels}`), "slow", "wide", "import", "control-plane"];
	const options = new Command("npm run bench --")
		.description("Measures the whole dialer on this machine; prints one line of JSON for each part.")
		.addOption(new Option("--only <part>", "one part only").choices(names))
		.addOption(new Option("--asterisk <kind>", "real or simulated").choices(["real", "simulated"]).default("real"))
		.option("--json", "no tables beside the lines of JSON")
		.configureOutput({ writeOut: (text) => process.stderr.write(text) })
		.allowExcessArguments(false)
		.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_STATUS))
		.parse(args, { from: "user" })
		.opts<{ only?: string; asterisk: "real" | "simulated"; json?: true }>();
	const say = (line: string): void => void process.stderr.write(`${line}\n`);
	const print = (result: unknown): void => void process.stdout.write(`${JSON.stringify(result)}\n`);
	const wanted = (name: string): boolean => options.only === undefined || options.only === name;
	try {
		for (const cap of CAPS) {
			if (wanted(`${cap.kind}-${cap.channels}`)) print(await benchCap(cap, options.asterisk, say));
		}
		if (wanted("slow")) print(await benchSlow(options.asterisk, say));
		if (wanted("wide")) print(await benchWide(say));
		if (wanted("import")) print(await benchImport(say));
		if (wanted("control-plane")) {
			const result = await benchControlPlane(say);
			print(result);
			if (!options.json) say(controlPlaneTable(result));
			if (!result.withinLimit) process.exit(1);
		}
		process.exit(0);
	} catch (error) {
		say(error instanceof Error ? (error.stack ?? error.message) : String(error));
		process.exit(1);
	}
};

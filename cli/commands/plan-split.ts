import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PlanInput } from "../../shared/contract/plan.ts";
import {
	BOOT_SEC,
	DRAIN_SEC,
	HOLD_SEC,
	STEP_SEC,
	TALK_SHARE,
	VOLUME_GB,
	WARM_HOSTS,
} from "../../shared/plan/defaults.ts";
import { type RecordedDemand, recordedDemand } from "../../shared/plan/history.ts";
import { splitPlot } from "../../shared/plan/plot.ts";
import { parseProfile } from "../../shared/plan/profile.ts";
import { Context } from "../context.ts";
import { CliError, usageError } from "../errors.ts";
import { nameOf, readText } from "../files.ts";
import type { Io } from "../io.ts";
import { decimal, timeSpan, wholeNumber } from "../options.ts";
import { billingOption, callsOption, codecOption, isGiven, perHostOption, price, seconds } from "./plan-options.ts";
import { OWNED_WORDS, ownedPrice, type PriceOptions, rentedPriceOption, withPriceOptions } from "./plan-prices.ts";
import { plan, readCalls, reading } from "./plan-run.ts";
import { describeHistory, describeSplit, describeWarnings } from "./plan-words.ts";

type Owned = NonNullable<ReturnType<typeof ownedPrice>>;

const ownedOption = (text: string): Owned => {
	const owned = ownedPrice(text);
	if (!owned) throw new InvalidArgumentError("It must be US dollars as in 0.14 (an hour) or 100/month, not negative.");
	return owned;
};

interface SplitOptions extends PriceOptions {
	profile?: string;
	calls?: string[];
	step: number;
	ownedPrice?: Owned;
	perHost: number;
	codec: string;
	billing: "second" | "hour";
	boot: number;
	drain: number;
	volume: number;
	warm: number;
	talkShare: number;
	hold: number;
	egressUsed: number;
	rentedPrice?: number;
	plot?: string;
}

const PROFILE_REMEDY = "write a line `hour,channels`, then one line for each hour, as in 0,40";

/** The demand that calls made, with what is said of it. */
const recorded = async (io: Io, paths: readonly string[], stepSec: number) => {
	const { calls, notDialed, withoutEnd } = await readCalls(io, paths);
	const demand = reading(
		(): RecordedDemand => recordedDemand(calls, stepSec),
		paths.map(nameOf).join(", "),
		"give a longer --step, as 6h, or fewer calls",
	);
	const { from, channels, holdSec, talkShare, measured } = demand;
	return {
		channels,
		holdSec,
		talkShare,
		history: { ...measured, notDialed, withoutEnd, from, stepSec },
	};
};

/** The demand: as written down, or as it was. */
const demandOf = async (io: Io, { profile, calls, step }: SplitOptions) => {
	if ((profile === undefined) === (calls === undefined)) {
		throw usageError(
			"What is the demand?",
			"give --profile with a demand by the hour, or --calls with recorded calls; not both",
		);
	}
	if (calls !== undefined) return recorded(io, calls, step);
	const path = profile ?? "-";
	const text = await readText(io, path);
	return { channels: reading(() => parseProfile(text), nameOf(path), PROFILE_REMEDY), history: undefined };
};

const writePlot = async (path: string, svg: string): Promise<void> => {
	try {
		await writeFile(path, svg);
	} catch (error) {
		throw new CliError(`The picture cannot be written: ${(error as Error).message}`, {
			code: "file",
			where: path,
			remedy: "check the path of --plot",
			cause: error,
		});
	}
};

const split = async (context: Context, options: SplitOptions, command: Command): Promise<void> => {
	const demand = await demandOf(context.io, options);
	const { perHost, codec, billing, region, type } = options;
	const measured = "holdSec" in demand ? demand : undefined;
	const input: Extract<PlanInput, { kind: "split" }> = {
		kind: "split",
		...{ channels: demand.channels, perHost, codec, billing, region, type },
		stepSec: options.step,
		...options.ownedPrice,
		bootSec: options.boot,
		drainSec: options.drain,
		volumeGb: options.volume,
		warmHosts: options.warm,
		talkShare: measured && !isGiven(command, "talkShare") ? measured.talkShare : options.talkShare,
		holdSec: measured && !isGiven(command, "hold") ? measured.holdSec : options.hold,
		usedGb: options.egressUsed,
		rentedUsdPerHour: options.rentedPrice,
	};
	const answer = await plan(context, input, options);
	if (options.plot !== undefined) await writePlot(options.plot, splitPlot(demand.channels, answer));
	const { history } = demand;
	context.result(
		{ ...answer, ...(history ? { history } : {}) },
		(history ? `${describeHistory(history)}\n\n` : "") +
			describeSplit(answer) +
			describeWarnings(answer.warnings) +
			(options.plot === undefined ? "" : `\n\nThe picture: ${options.plot}`),
	);
};

/** `burst-dialer plan split` */
export const addSplit = (group: Command, io: Io): void => {
	const command = group
		.command("split")
		.description("how many hosts to own and how many to rent, for a demand by the hour or for recorded calls")
		.option("--profile <file>", "CSV with the columns hour and channels, every hour a row; - for standard input")
		.addOption(callsOption())
		.addOption(
			new Option("--step <time>", "length of a row, as 10m; of recorded calls, how finely they are counted")
				.argParser(timeSpan)
				.default(STEP_SEC, "1h"),
		)
		.option("--owned-price <usd>", OWNED_WORDS, ownedOption)
		.addOption(perHostOption())
		.addOption(billingOption())
		.option("--boot <seconds>", "from the start of a rented host to its first call", seconds, BOOT_SEC)
		.option("--drain <seconds>", "from its last need to its stop", seconds, DRAIN_SEC)
		.option("--volume <gb>", "disk of a rented host", decimal({ min: 0 }), VOLUME_GB)
		.option("--warm <n>", "stopped hosts that are kept", wholeNumber(0), WARM_HOSTS)
		.addOption(codecOption())
		.option(
			"--talk-share <part>",
			"part of the channels' time with talk, 0 to 1",
			decimal({ min: 0, max: 1 }),
			TALK_SHARE,
		)
		.option("--hold <seconds>", "mean time of an attempt on its channel", decimal({ above: 0 }), HOLD_SEC)
		.option("--egress-used <gb>", "GB that the account sends in a month besides", decimal({ min: 0 }), 0)
		.option("--plot <file>", "write the load curve and the cost of each split as SVG")
		.addOption(rentedPriceOption(price));
	withPriceOptions(command)
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer plan split --profile demand.csv --owned-price 100/month --plot split.svg\n  $ burst-dialer plan split --calls monday.csv --calls tuesday.csv --step 15m --owned-price 100/month\n  $ burst-dialer plan split --profile demand.csv --prices mine.json --billing hour --json | jq .best",
		)
		.action(async (options: SplitOptions, self: Command) => split(new Context(io, self), options, self));
};

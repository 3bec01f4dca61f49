import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ASSUMED_CALL } from "../../shared/campaigns/hold.ts";
import { gbPerTalkSec } from "../../shared/plan/codecs.ts";
import { controlPlaneUsd } from "../../shared/plan/control-plane.ts";
import type { Exact } from "../../shared/plan/exact.ts";
import { splitPlot } from "../../shared/plan/plot.ts";
import { ProfileError, parseProfile } from "../../shared/plan/profile.ts";
import { planSplit } from "../../shared/plan/split.ts";
import type { SplitModel } from "../../shared/plan/split-cost.ts";
import { Context } from "../context.ts";
import { CliError, EXIT_USAGE, usageError } from "../errors.ts";
import { nameOf, readText } from "../files.ts";
import { count } from "../format.ts";
import type { Io } from "../io.ts";
import { decimal, timeSpan, wholeNumber } from "../options.ts";
import { BOOT_SEC, codecOption, DRAIN_SEC, perHostOption, price, seconds } from "./plan-options.ts";
import {
	carrierPerMin,
	otherPrices,
	ownedPerHour,
	ownedPrice,
	type PriceOptions,
	priceBook,
	pricing,
	rentedPerHour,
	withPriceOptions,
} from "./plan-prices.ts";
import { describeSplit, describeWarnings } from "./plan-words.ts";

/** Disk of the image. */
const VOLUME_GB = 8;
/** Stopped hosts that are kept. */
const WARM_HOSTS = 2;
/** So many hosts of a peak can be split at once. */
const MAX_PEAK_HOSTS = 500;
/** Mean channel time of an attempt, seconds, and the part of it with talk, by what is assumed before a campaign was measured. */
const HOLD_SEC =
	ASSUMED_CALL.answerRate * (ASSUMED_CALL.ringSec + ASSUMED_CALL.talkSec) +
	(1 - ASSUMED_CALL.answerRate) * ASSUMED_CALL.unansweredSec;
const TALK_SHARE = Math.round(((ASSUMED_CALL.answerRate * ASSUMED_CALL.talkSec) / HOLD_SEC) * 10_000) / 10_000;

const ownedOption = (text: string): Exact => {
	const perHour = ownedPrice(text);
	if (!perHour)
		throw new InvalidArgumentError("It must be US dollars as in 0.14 (an hour) or 100/month, not negative.");
	return perHour;
};

interface SplitOptions extends PriceOptions {
	profile: string;
	step: number;
	ownedPrice?: Exact;
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
	plot?: string;
}

const readProfile = async (io: Io, path: string): Promise<number[]> => {
	const text = await readText(io, path);
	try {
		return parseProfile(text);
	} catch (error) {
		if (!(error instanceof ProfileError)) throw error;
		throw new CliError(error.message, {
			exitCode: EXIT_USAGE,
			code: "profile",
			details: [...error.mistakes],
			where: nameOf(path),
			remedy: "write a line `hour,channels`, then one line for each hour, as in 0,40",
		});
	}
};

const splitModel = async (io: Io, options: SplitOptions) => {
	const channels = await readProfile(io, options.profile);
	const peakHosts = Math.ceil(channels.reduce((a, b) => Math.max(a, b), 0) / options.perHost);
	if (peakHosts > MAX_PEAK_HOSTS) {
		throw usageError(
			`The peak needs ${count(peakHosts)} hosts; at most ${MAX_PEAK_HOSTS} can be planned at once.`,
			"check --per-host, or plan a part of the demand",
		);
	}
	const book = await priceBook(io, options);
	const model = pricing((): SplitModel => {
		const egress = book.tiers("egress");
		return {
			channels,
			stepSec: options.step,
			perHost: options.perHost,
			steady: { usdPerHour: ownedPerHour(book, options.ownedPrice, options.perHost), billedEgress: false },
			rented: {
				billing: options.billing,
				bootSec: options.boot,
				drainSec: options.drain,
				usdPerHour: rentedPerHour(book, options),
				ipv4PerHour: book.usd("ec2.ipv4"),
				volumeGb: options.volume,
				volumePerGbMonth: book.usd("ec2.gp3"),
				warmHosts: options.warm,
			},
			calls: {
				talkShare: options.talkShare,
				holdSec: options.hold,
				gbPerTalkSec: gbPerTalkSec(options.codec),
				egress,
				usedGb: options.egressUsed,
				// Of a host in full use.
				controlPlanePerAttempt: controlPlaneUsd(book, { cpsPerHost: options.perHost / options.hold }),
				carrierPerMin: carrierPerMin(book),
			},
		};
	});
	return { book, model };
};

const split = async (context: Context, options: SplitOptions): Promise<void> => {
	const { book, model } = await splitModel(context.io, options);
	const answer = planSplit(
		model,
		pricing(() => otherPrices(book, options, model)),
	);
	if (options.plot !== undefined) {
		try {
			await writeFile(options.plot, splitPlot(model.channels, answer));
		} catch (error) {
			throw new CliError(`The picture cannot be written: ${(error as Error).message}`, {
				code: "file",
				where: options.plot,
				remedy: "check the path of --plot",
				cause: error,
			});
		}
	}
	const warnings = book.warnings(context.io.now());
	context.result(
		{ ...answer, prices: book.used, warnings },
		describeSplit(answer) +
			describeWarnings(warnings) +
			(options.plot === undefined ? "" : `\n\nThe picture: ${options.plot}`),
	);
};

/** `burst-dialer plan split` */
export const addSplit = (plan: Command, io: Io): void => {
	const command = plan
		.command("split")
		.description("how many hosts to own and how many to rent, for a demand by the hour")
		.requiredOption(
			"--profile <file>",
			"CSV with the columns hour and channels, every hour a row; - for standard input",
		)
		.addOption(new Option("--step <time>", "length of a row, as 10m").argParser(timeSpan).default(3_600, "1h"))
		.option("--owned-price <usd>", "for an own host: an hour as in 0.14, or 100/month (730 h)", ownedOption)
		.addOption(perHostOption())
		.addOption(new Option("--billing <unit>", "of rented hosts").choices(["second", "hour"]).default("second"))
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
		.option("--plot <file>", "write the load curve and the cost of each split as SVG");
	withPriceOptions(command, price)
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer plan split --profile demand.csv --owned-price 100/month --plot split.svg\n  $ burst-dialer plan split --profile demand.csv --prices mine.json --billing hour --json | jq .best",
		)
		.action(async (options: SplitOptions, self: Command) => {
			await split(new Context(io, self), options);
		});
};

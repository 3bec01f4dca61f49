import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ASSUMED_CALL } from "../../shared/campaigns/hold.ts";
import { DEFAULT_HOST_CAPACITY, MAX_HOST_CAPACITY } from "../../shared/contract/host.ts";
import { type CampaignInput, planCampaign } from "../../shared/plan/campaign.ts";
import { CODEC_KBITS, DEFAULT_CODEC, gbPerTalkSec } from "../../shared/plan/codecs.ts";
import { controlPlaneUsd } from "../../shared/plan/control-plane.ts";
import { MAX_ERLANGS } from "../../shared/plan/erlang.ts";
import type { Exact } from "../../shared/plan/exact.ts";
import { planHosts, planTable, type TableInput } from "../../shared/plan/hosts.ts";
import { splitPlot } from "../../shared/plan/plot.ts";
import { ProfileError, parseProfile } from "../../shared/plan/profile.ts";
import { planSplit } from "../../shared/plan/split.ts";
import type { SplitModel } from "../../shared/plan/split-cost.ts";
import { Context } from "../context.ts";
import { CliError, EXIT_USAGE, usageError } from "../errors.ts";
import { nameOf, readText } from "../files.ts";
import { count, facts } from "../format.ts";
import type { Io } from "../io.ts";
import { decimal, timeSpan, wholeNumber } from "../options.ts";
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
import { describeCampaignPlan, describeSplit, describeWarnings, usd } from "./plan-words.ts";

/** From a start to the first call: shared/config/burst-settings.ts plans with the same. */
const BOOT_SEC = 60;
/** After the last call a host waits for 60 s, and calls that are up end: half a minute in the mean. */
const DRAIN_SEC = 90;
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

const price = decimal({ min: 0 });
const paidPrice = decimal({ above: 0 });
const seconds = decimal({ min: 0 });
const perHostOption = (): Option =>
	new Option("--per-host <channels>", "channels of a host; measure yours")
		.argParser((text: string) => {
			const value = wholeNumber(1)(text);
			if (value > MAX_HOST_CAPACITY) throw new InvalidArgumentError(`It must be at most ${MAX_HOST_CAPACITY}.`);
			return value;
		})
		.default(DEFAULT_HOST_CAPACITY);
const codecOption = (): Option =>
	new Option("--codec <name>", "what is sent while people talk")
		.choices(Object.keys(CODEC_KBITS))
		.default(DEFAULT_CODEC);
const ownedOption = (text: string): Exact => {
	const perHour = ownedPrice(text);
	if (!perHour)
		throw new InvalidArgumentError("It must be US dollars as in 0.14 (an hour) or 100/month, not negative.");
	return perHour;
};

const addHosts = (plan: Command, io: Io): void => {
	plan
		.command("hosts")
		.description("how many hosts so many channels need")
		.requiredOption("--channels <n>", "channels at once", wholeNumber(1))
		.addOption(perHostOption())
		.addHelpText("after", "\nExample:\n  $ burst-dialer plan hosts --channels 1000 --per-host 120")
		.action((options: { channels: number; perHost: number }, command: Command) => {
			const answer = planHosts(options);
			new Context(io, command).result(
				answer,
				`${count(answer.hosts)} hosts: ${count(options.channels)} channels at ${options.perHost} a host.`,
			);
		});
};

const addTable = (plan: Command, io: Io): void => {
	plan
		.command("table")
		.description("what hosts cost that run for the same hours every working day")
		.requiredOption("--price <usd>", "for an hour of a host", paidPrice)
		.requiredOption("--hours <hours>", "paid hours of a day", decimal({ above: 0, max: 24 }))
		.requiredOption("--hosts <n>", "hosts", wholeNumber(1))
		.requiredOption("--days <days>", "working days of a month", decimal({ above: 0, max: 31 }))
		.addHelpText(
			"after",
			"\nA year is twelve such months. Billed by the hour, give the hours that have begun.\n\nExample:\n  $ burst-dialer plan table --price 0.20 --hours 10 --hosts 4 --days 22",
		)
		.action((options: Omit<TableInput, "pricePerHour"> & { price: number }, command: Command) => {
			const answer = planTable({ ...options, pricePerHour: options.price });
			new Context(io, command).result(
				answer,
				facts([
					["a day", usd(answer.perDay)],
					["a month", usd(answer.perMonth)],
					["a year", usd(answer.perYear)],
				]),
			);
		});
};

interface CampaignOptions extends PriceOptions {
	contacts: number;
	within: number;
	answerRate: number;
	ring: number;
	talk: number;
	/** `--no-answer-ring`: commander takes the `no` off. */
	answerRing: number;
	retries: number;
	perHost: number;
	codec: string;
	blocking: number;
	egressUsed: number;
	boot: number;
	drain: number;
}

const campaignInput = (options: CampaignOptions): CampaignInput => ({
	...options,
	withinSec: options.within,
	ringSec: options.ring,
	talkSec: options.talk,
	noAnswerRingSec: options.answerRing,
	usedGb: options.egressUsed,
	bootSec: options.boot,
	drainSec: options.drain,
});

const campaign = async (context: Context, options: CampaignOptions): Promise<void> => {
	const { answerRate, ring, talk, answerRing, contacts, within } = options;
	const longest = Math.max(answerRate * (ring + talk), (1 - answerRate) * answerRing);
	if (longest === 0)
		throw usageError("No call would last any time.", "give --ring, --talk or --no-answer-ring above 0");
	// Retries make at most six of each: the mistake is in the figures, not in their number.
	if ((contacts / within) * longest > MAX_ERLANGS / 10) {
		throw usageError(
			`That is a load of more than ${count(MAX_ERLANGS / 10)} erlangs: no fleet has so many channels.`,
			"give more time (--within) or fewer contacts",
		);
	}
	const book = await priceBook(context.io, options);
	const answer = pricing(() =>
		planCampaign(campaignInput(options), {
			hostPerHour: rentedPerHour(book, options),
			ipv4PerHour: book.usd("ec2.ipv4"),
			egress: book.tiers("egress"),
			controlPlanePerAttempt: controlPlaneUsd(book),
			carrierPerMin: carrierPerMin(book),
		}),
	);
	const warnings = book.warnings(context.io.now());
	context.result(
		{ ...answer, prices: book.used, warnings },
		describeCampaignPlan(answer, options) + describeWarnings(warnings),
	);
};

const addCampaign = (plan: Command, io: Io): void => {
	const command = plan
		.command("campaign")
		.description("calls per second, channels, hosts and cost of a campaign")
		.requiredOption("--contacts <n>", "contacts", wholeNumber(1))
		.requiredOption("--within <time>", "to be dialed within, as 90m or 2h", timeSpan)
		.option(
			"--answer-rate <part>",
			"part of the attempts that is answered, 0 to 1",
			decimal({ min: 0, max: 1 }),
			ASSUMED_CALL.answerRate,
		)
		.option("--ring <seconds>", "ringing of a call that is answered", seconds, ASSUMED_CALL.ringSec)
		.option("--talk <seconds>", "talk of a call that is answered", seconds, ASSUMED_CALL.talkSec)
		.option("--no-answer-ring <seconds>", "ringing of a call that is not", seconds, ASSUMED_CALL.unansweredSec)
		.option("--retries <n>", "further attempts while a contact does not answer, 0 to 4", wholeNumber(0), 0)
		.addOption(perHostOption())
		.addOption(codecOption())
		.option(
			"--blocking <part>",
			"part of the attempts that may find no channel free",
			decimal({ above: 0, max: 0.5 }),
			0.01,
		)
		.option("--egress-used <gb>", "GB that the account has sent this month already", decimal({ min: 0 }), 0)
		.option("--boot <seconds>", "boot of a host", seconds, BOOT_SEC)
		.option("--drain <seconds>", "a host's last calls, and its wait for more", seconds, DRAIN_SEC);
	withPriceOptions(command, price)
		.addHelpText(
			"after",
			"\nExample:\n  $ burst-dialer plan campaign --contacts 100000 --within 2h --answer-rate 0.35 --ring 12 --talk 30 --no-answer-ring 25",
		)
		.action(async (options: CampaignOptions, self: Command) => {
			if (options.retries > 4) throw usageError("--retries is at most 4: a contact has at most 5 attempts.");
			await campaign(new Context(io, self), options);
		});
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
				controlPlanePerAttempt: controlPlaneUsd(book),
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

const addSplit = (plan: Command, io: Io): void => {
	const command = plan
		.command("split")
		.description("how many hosts to own and how many to rent, for a demand by the hour")
		.requiredOption(
			"--profile <file>",
			"CSV with the columns hour and channels, every hour a row; - for standard input",
		)
		.option("--step <time>", "length of a row, as 10m or 1h", timeSpan, 3_600)
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

/** `burst-dialer plan …`: asks nobody, needs neither address nor token. */
export const addPlanCommands = (program: Command, io: Io): void => {
	const plan = program
		.command("plan")
		.description("count channels, hosts and cost beforehand; needs no stack and no account");
	addHosts(plan, io);
	addTable(plan, io);
	addCampaign(plan, io);
	addSplit(plan, io);
};

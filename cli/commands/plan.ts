import type { Command } from "commander";
import { ASSUMED_CALL } from "../../shared/campaigns/hold.ts";
import { type CampaignInput, planCampaign } from "../../shared/plan/campaign.ts";
import { controlPlaneUsd } from "../../shared/plan/control-plane.ts";
import { MAX_ERLANGS } from "../../shared/plan/erlang.ts";
import { planHosts, planTable, type TableInput } from "../../shared/plan/hosts.ts";
import { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { count, facts } from "../format.ts";
import type { Io } from "../io.ts";
import { decimal, timeSpan, wholeNumber } from "../options.ts";
import { BOOT_SEC, codecOption, DRAIN_SEC, perHostOption, price, seconds } from "./plan-options.ts";
import {
	carrierPerMin,
	type PriceOptions,
	priceBook,
	pricing,
	rentedPerHour,
	withPriceOptions,
} from "./plan-prices.ts";
import { addSplit } from "./plan-split.ts";
import { describeCampaignPlan, describeWarnings, usd } from "./plan-words.ts";

const paidPrice = decimal({ above: 0 });

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
			controlPlanePerAttempt: (cpsPerHost) => controlPlaneUsd(book, { cpsPerHost }),
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

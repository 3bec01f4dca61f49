import type { Command } from "commander";
import { ASSUMED_CALL } from "../../shared/campaigns/hold.ts";
import type { PlanInput } from "../../shared/contract/plan.ts";
import { BLOCKING, BOOT_SEC, DRAIN_SEC } from "../../shared/plan/defaults.ts";
import { measureCalls } from "../../shared/plan/history.ts";
import { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { count } from "../format.ts";
import type { Io } from "../io.ts";
import { decimal, timeSpan, wholeNumber } from "../options.ts";
import { billingOption, callsOption, codecOption, isGiven, perHostOption, price, seconds } from "./plan-options.ts";
import { type PriceOptions, rentedPriceOption, withPriceOptions } from "./plan-prices.ts";
import { plan, readCalls } from "./plan-run.ts";
import { addSplit } from "./plan-split.ts";
import { describeCampaignPlan, describeHistory, describeTable, describeWarnings } from "./plan-words.ts";

const paidPrice = decimal({ above: 0 });

const addHosts = (group: Command, io: Io): void => {
	group
		.command("hosts")
		.description("how many hosts so many channels need")
		.requiredOption("--channels <n>", "channels at once", wholeNumber(1))
		.addOption(perHostOption())
		.addHelpText("after", "\nExample:\n  $ burst-dialer plan hosts --channels 1000 --per-host 120")
		.action(async (options: { channels: number; perHost: number }, command: Command) => {
			const context = new Context(io, command);
			const answer = await plan(context, { kind: "hosts", ...options });
			context.result(
				answer,
				`${count(answer.hosts)} hosts: ${count(options.channels)} channels at ${options.perHost} a host.`,
			);
		});
};

interface TableOptions extends PriceOptions {
	price: number;
	hours: number;
	hosts: number;
	days: number;
	today?: boolean;
	billing: "second" | "hour";
}

/** Options that only say what today's prices are of. */
const OF_TODAY = ["prices", "region", "type", "billing"] as const;

const table = async (context: Context, options: TableOptions, command: Command): Promise<void> => {
	const idle = OF_TODAY.find((name) => isGiven(command, name));
	if (!options.today && idle) throw usageError(`--${idle} is about today's prices.`, "give --today with it");
	const { price: pricePerHour, prices, today = false, ...rest } = options;
	const answer = await plan(context, { kind: "table", ...rest, pricePerHour, today }, options);
	context.result(answer, describeTable(answer) + ("warnings" in answer ? describeWarnings(answer.warnings) : ""));
};

const addTable = (group: Command, io: Io): void => {
	const command = group
		.command("table")
		.description("what hosts cost that run for the same hours every working day")
		.requiredOption("--price <usd>", "for an hour of a host", paidPrice)
		.requiredOption("--hours <hours>", "paid hours of a day", decimal({ above: 0, max: 24 }))
		.requiredOption("--hosts <n>", "hosts", wholeNumber(1))
		.requiredOption("--days <days>", "working days of a month", decimal({ above: 0, max: 31 }))
		.option("--today", "beside it what as many hosts of --type cost for the same hours today, with their addresses")
		.addOption(billingOption());
	withPriceOptions(command)
		.addHelpText(
			"after",
			"\nA year is twelve such months. Billed by the hour, give the hours that have begun.\n\nExamples:\n  $ burst-dialer plan table --price 0.20 --hours 10 --hosts 4 --days 22\n  $ burst-dialer plan table --price 0.20 --hours 10 --hosts 4 --days 22 --today --type c7g.large",
		)
		.action(async (options: TableOptions, self: Command) => table(new Context(io, self), options, self));
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
	rentedPrice?: number;
	calls?: string[];
}

/** What recorded calls were like, for those figures that no option gives. */
const measured = async (context: Context, { calls }: CampaignOptions, command: Command) => {
	if (!calls) return undefined;
	const read = await readCalls(context.io, calls);
	const history = { ...measureCalls(read.calls), notDialed: read.notDialed, withoutEnd: read.withoutEnd };
	const { answerRate, ringSec, talkSec, noAnswerRingSec } = history;
	return {
		history,
		figures: {
			...(isGiven(command, "answerRate") ? {} : { answerRate }),
			...(isGiven(command, "ring") ? {} : { ringSec }),
			...(isGiven(command, "talk") ? {} : { talkSec }),
			...(isGiven(command, "answerRing") ? {} : { noAnswerRingSec }),
		},
	};
};

const campaign = async (context: Context, options: CampaignOptions, command: Command): Promise<void> => {
	if (options.retries > 4) throw usageError("--retries is at most 4: a contact has at most 5 attempts.");
	const recorded = await measured(context, options, command);
	const { contacts, answerRate, retries, perHost, codec, blocking, region, type } = options;
	const input: Extract<PlanInput, { kind: "campaign" }> = {
		kind: "campaign",
		...{ contacts, answerRate, retries, perHost, codec, blocking, region, type },
		withinSec: options.within,
		ringSec: options.ring,
		talkSec: options.talk,
		noAnswerRingSec: options.answerRing,
		usedGb: options.egressUsed,
		bootSec: options.boot,
		drainSec: options.drain,
		rentedUsdPerHour: options.rentedPrice,
		...recorded?.figures,
	};
	const answer = await plan(context, input, options);
	context.result(
		{ ...answer, ...(recorded ? { history: recorded.history } : {}) },
		(recorded ? `${describeHistory(recorded.history)}\n\n` : "") +
			describeCampaignPlan(answer, options) +
			describeWarnings(answer.warnings),
	);
};

const addCampaign = (group: Command, io: Io): void => {
	const command = group
		.command("campaign")
		.description("calls per second, channels, hosts and cost of a campaign")
		.requiredOption("--contacts <n>", "contacts", wholeNumber(1))
		.requiredOption(
			"--within <time>",
			"to be dialed within, as 90m or 2h: dialing time only, 24h for three days of 8 h",
			timeSpan,
		)
		.addOption(callsOption())
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
			BLOCKING,
		)
		.option("--egress-used <gb>", "GB that the account has sent this month already", decimal({ min: 0 }), 0)
		.option("--boot <seconds>", "boot of a host", seconds, BOOT_SEC)
		.option("--drain <seconds>", "a host's last calls, and its wait for more", seconds, DRAIN_SEC)
		.addOption(rentedPriceOption(price));
	withPriceOptions(command)
		.addHelpText(
			"after",
			"\n--calls takes answer rate, ring, talk and ringing of unanswered calls from records, where no option gives them.\n\nExamples:\n  $ burst-dialer plan campaign --contacts 100000 --within 2h --answer-rate 0.35 --ring 12 --talk 30 --no-answer-ring 25\n  $ burst-dialer plan campaign --contacts 100000 --within 2h --calls calls.csv",
		)
		.action(async (options: CampaignOptions, self: Command) => campaign(new Context(io, self), options, self));
};

/** `burst-dialer plan …`: asks nobody, needs neither address nor token. */
export const addPlanCommands = (program: Command, io: Io): void => {
	const group = program
		.command("plan")
		.description("count channels, hosts and cost beforehand; needs no stack and no account");
	addHosts(group, io);
	addTable(group, io);
	addCampaign(group, io);
	addSplit(group, io);
};

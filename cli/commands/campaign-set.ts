import type { Command } from "commander";
import type { Budget } from "../../shared/contract/budget.ts";
import { type CampaignPatch, MAX_PRIORITY, type Retry } from "../../shared/contract/campaign.ts";
import { MAX_TRUNK_CPS } from "../../shared/contract/trunk.ts";
import type { Window } from "../../shared/contract/window.ts";
import { Context } from "../context.ts";
import { describeCourse } from "../describe.ts";
import { usageError } from "../errors.ts";
import type { Io } from "../io.ts";
import {
	budgetOf,
	callingWindow,
	commaList,
	NOTHING,
	numberBetween,
	type OrNone,
	orNone,
	retryRule,
	wholeNumber,
} from "../options.ts";
import { campaignPath } from "../paths.ts";
import { stateSchema } from "../views.ts";

interface SetOptions {
	maxChannels?: number;
	maxCps?: OrNone<number>;
	priority?: number;
	callerId?: string;
	callerIds?: string[];
	window?: OrNone<Partial<Window>>;
	name?: string;
	retry?: Retry;
	deadline?: string;
	budget?: OrNone<Budget>;
}

const set = async (context: Context, campaignId: string, options: SetOptions): Promise<void> => {
	if (options.callerId !== undefined && options.callerIds !== undefined) {
		throw usageError("--caller-id and --caller-ids exclude each other.", "give all of them to --caller-ids");
	}
	// Options have the names of the fields; null takes one away.
	const { maxCps, window, deadline, budget, ...rest } = options;
	const orNull = (value: unknown): unknown => (value === NOTHING ? null : value);
	const patch: { [K in keyof CampaignPatch]?: unknown } = {
		...rest,
		...(maxCps === undefined ? {} : { maxCps: orNull(maxCps) }),
		...(window === undefined ? {} : { window: orNull(window) }),
		...(budget === undefined ? {} : { budget: orNull(budget) }),
		...(deadline === undefined ? {} : { deadline: orNull(deadline) }),
	};
	if (Object.keys(patch).length === 0) {
		throw usageError(
			"Nothing to change was given.",
			"give --max-channels, --max-cps, --priority, --caller-ids, --window, --retry, --deadline, --budget or --name",
		);
	}
	const client = await context.client();
	const answer = await client.json(stateSchema, "PATCH", campaignPath(campaignId), { body: { json: patch } });
	const said = describeCourse(answer);
	context.result(
		answer,
		`Campaign ${campaignId} is changed; in force for the next calls that are granted.${said ? `\n${said}` : ""}`,
	);
};

/** `burst-dialer campaign set` */
export const addSetCommand = (campaign: Command, io: Io): void => {
	campaign
		.command("set")
		.argument("<campaign>", "campaignId")
		.description("change a campaign while it runs")
		.option("--max-channels <n>", "most channels at once", wholeNumber(1))
		.option(
			"--max-cps <n>",
			"most calls per second, in any rolling second; none: only the trunks' rates hold",
			orNone(numberBetween(1, MAX_TRUNK_CPS)),
		)
		.option(
			"--priority <n>",
			`1 to ${MAX_PRIORITY}: of a full trunk campaigns have channels in proportion to it`,
			numberBetween(1, MAX_PRIORITY),
		)
		.option("--caller-id <number>", "caller id, one of the trunk's")
		.option("--caller-ids <numbers>", "several, with commas: each callee sees the nearest to its number", commaList)
		.option(
			"--window <times>",
			"FROM-TO[,DAYS][,DATES][,ZONE] in the callee's own time, replaces the whole window; none: only law holds",
			orNone(callingWindow),
		)
		.option(
			"--retry <rule>",
			"OUTCOME=SECONDSxTIMES[,growth=N][,otherTrunk=yes|no], repeatable, replaces all rules; none: technical failures only",
			retryRule,
		)
		.option("--deadline <time>", "when it should be done, ISO 8601, as in 2026-12-01T16:00:00Z; none: whenever")
		.option(
			"--budget <usd>",
			"USD for all of it, or [USD,]day=USD; ,at=pause (default) or ,at=noNewHosts when it is used up; none: no budget",
			orNone(budgetOf),
		)
		.option("--name <name>", "its name")
		.addHelpText(
			"after",
			`
What is not given stays as it is. A change is in force for the next calls that are granted;
contacts that wait already, for their window or their retry, keep their time.

congestion, trunkFailure and hostLost are retried whatever is given, unless a rule of theirs says
otherwise: congestion=30x0 makes no retries.

Examples:
  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --max-channels 30 --max-cps 5
  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --window 09:00-18:00,mon-fri,2026-12-24,America/New_York
  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --retry busy=300x3,growth=2 --retry noAnswer=3600x1
  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --caller-ids +12025550100,+12125550100 --priority 20
  $ burst-dialer campaign set 01k9x0d7w3a8c2mf --budget 50,day=20,at=noNewHosts`,
		)
		.action(async (campaignId: string, options: SetOptions, command: Command) => {
			await set(new Context(io, command), campaignId, options);
		});
};

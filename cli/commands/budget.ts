import { type Command, Option } from "commander";
import { z } from "zod";
import { AT_LIMIT } from "../../shared/contract/budget.ts";
import type { RequestOptions } from "../client.ts";
import { Context } from "../context.ts";
import { facts, instant, usd } from "../format.ts";
import type { Io } from "../io.ts";
import { decimal } from "../options.ts";

const budgetSchema = z.looseObject({
	usdPerDay: z.number(),
	atLimit: z.string(),
	level: z.string(),
	spentTodayUsd: z.number().nullish(),
	reservedUsd: z.number().nullish(),
	checkedAt: z.string().nullish(),
});

const LEVEL_WORDS: Readonly<Record<string, string>> = {
	ok: "below four fifths",
	warned: "above four fifths",
	reached: "used up",
};
const AT_LIMIT_WORDS: Readonly<Record<string, string>> = {
	noNewHosts: "no host is started or kept; steady hosts dial on",
	pause: "campaigns are paused until the next day (UTC)",
};

const describeDayBudget = (budget: z.infer<typeof budgetSchema>): string =>
	facts([
		["a day", `${usd(budget.usdPerDay)} for all campaigns`],
		["used up", AT_LIMIT_WORDS[budget.atLimit] ?? budget.atLimit],
		["it is", LEVEL_WORDS[budget.level] ?? budget.level],
		[
			"today",
			budget.spentTodayUsd == null
				? undefined
				: `${usd(budget.spentTodayUsd)} spent, ${usd(budget.reservedUsd ?? 0)} more committed`,
		],
		["looked at", budget.checkedAt ? instant(budget.checkedAt) : "not yet"],
	]);

/** `burst-dialer budget …`: of a day, for all campaigns. A campaign's own is in its document. */
export const addBudgetCommands = (program: Command, io: Io): void => {
	const budget = program.command("budget").description("what all campaigns together may cost on a day (UTC)");
	const show = async (
		command: Command,
		method: "GET" | "PUT" | "DELETE",
		body?: RequestOptions["body"],
	): Promise<void> => {
		const context = new Context(io, command);
		const client = await context.client();
		const answer = await client.json(budgetSchema, method, "/v1/budget", body === undefined ? {} : { body });
		context.result(answer, method === "DELETE" ? "There is no budget of the day any more." : describeDayBudget(answer));
	};
	budget
		.command("show")
		.description("the budget of the day, and how it stands")
		.action((_options: unknown, command: Command) => show(command, "GET"));
	budget
		.command("set")
		.description("set the budget of the day, or replace it")
		.requiredOption("--usd-per-day <usd>", "US dollars", decimal({ above: 0 }))
		.addOption(new Option("--at-limit <what>", "what happens when it is used up").choices(AT_LIMIT).default("pause"))
		.addHelpText("after", "\nExample:\n  $ burst-dialer budget set --usd-per-day 50 --at-limit noNewHosts")
		.action((options: { usdPerDay: number; atLimit: string }, command: Command) =>
			show(command, "PUT", { json: options }),
		);
	budget
		.command("remove")
		.description("take the budget of the day away")
		.action((_options: unknown, command: Command) => show(command, "DELETE"));
};

import type { Command } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { describeCalleeLimit } from "../describe.ts";
import { usageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { timeSpan, wholeNumber } from "../options.ts";
import { calleeLimitSchema } from "../views.ts";

const PATH = "/v1/calling-policy";
const policySchema = z.looseObject({
	calleeLimit: calleeLimitSchema.nullish(),
});

const describePolicy = ({ calleeLimit }: z.infer<typeof policySchema>): string => {
	const words = describeCalleeLimit(calleeLimit);
	return words === undefined
		? "Calls to one number are not limited, but by the campaigns themselves and by law."
		: `Calls to one number, over all campaigns: ${words}.`;
};

interface SetOptions {
	max?: number;
	perHours?: number;
	minGap?: number;
	none?: boolean;
}

const policyOf = (options: SetOptions): z.infer<typeof policySchema> => {
	const { max, perHours, minGap } = options;
	const given = [max, perHours, minGap].some((value) => value !== undefined);
	if (given === (options.none === true)) {
		throw usageError("Say what holds, or --none.", "give --max with --per-hours, --min-gap, or both; or --none");
	}
	if ((max === undefined) !== (perHours === undefined)) throw usageError("--max and --per-hours go together.");
	if (options.none) return {};
	return {
		calleeLimit: {
			...(max === undefined || perHours === undefined ? {} : { max, perHours }),
			...(minGap === undefined ? {} : { minGapSec: minGap }),
		},
	};
};

/** `burst-dialer calling-policy …` */
export const addCallingPolicyCommands = (program: Command, io: Io): void => {
	const policy = program.command("calling-policy").description("what holds for the calls of every campaign");
	policy
		.command("show")
		.description("the limits of calls to one number")
		.addHelpText("after", "\nExample:\n  $ burst-dialer calling-policy show")
		.action(async (_options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(policySchema, "GET", PATH);
			context.result(answer, describePolicy(answer));
		});
	policy
		.command("set")
		.description("replace them; in force within 10 s")
		.option("--max <calls>", "at most so many calls to one number …", wholeNumber(1))
		.option("--per-hours <hours>", "… in any so many hours", wholeNumber(1))
		.option("--min-gap <time>", "from one call to the next, as 90m or 4h", timeSpan)
		.option("--none", "no limit")
		.addHelpText("after", "\nExample:\n  $ burst-dialer calling-policy set --max 3 --per-hours 24 --min-gap 2h")
		.action(async (options: SetOptions, command: Command) => {
			const json = policyOf(options);
			const context = new Context(io, command);
			const client = await context.client();
			const answer = await client.json(policySchema, "PUT", PATH, { body: { json } });
			context.result(answer, describePolicy(answer));
		});
};

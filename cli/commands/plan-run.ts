import { type PlanInput, type PlanRequest, planSchema } from "../../shared/contract/plan.ts";
import { type CallsFile, parseCalls, type ReadCalls } from "../../shared/plan/calls-csv.ts";
import { HistoryError } from "../../shared/plan/history.ts";
import { PlanError, type PlanProblem } from "../../shared/plan/plan-error.ts";
import { ProfileError } from "../../shared/plan/profile.ts";
import { type PlanAnswers, runPlan } from "../../shared/plan/run-plan.ts";
import { detailsOf } from "../../shared/validation/details.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT_USAGE, usageError } from "../errors.ts";
import { nameOf, readText } from "../files.ts";
import type { Io } from "../io.ts";
import { asCliError } from "../price-file.ts";
import { priceBooks } from "./plan-prices.ts";

/** Makes the plans of the command line as the API makes them. */

/** What to do about each, in the words of the command line. */
const REMEDIES: Record<PlanProblem, string> = {
	noCallTime: "give --ring, --talk or --no-answer-ring above 0",
	tooMuchLoad: "give more time (--within) or fewer contacts",
	tooManyHosts: "check --per-host, or plan a part of the demand",
	ownedPriceMissing:
		'give --owned-price 0.14 (an hour) or 100/month, or "colocation": { "usdPerMonth": 100 } in the file of --prices',
};

/** Checks a request made of options; a mistake that no option has found is one of the command line all the same. */
const checked = (input: PlanInput): PlanRequest => {
	const parsed = planSchema.safeParse(input);
	if (parsed.success) return parsed.data;
	throw new CliError("The plan cannot be made.", {
		exitCode: EXIT_USAGE,
		code: "usage",
		details: detailsOf(parsed.error),
		remedy: "see `--help` after the command",
	});
};

/** Makes a plan. Every mistake is a {@link CliError}. @param prices file of one's own prices */
export const plan = async <I extends PlanInput>(
	context: Context,
	input: I,
	{ prices }: { prices?: string } = {},
): Promise<PlanAnswers[I["kind"]]> => {
	const request = checked(input);
	// Where nothing is priced, a list of prices that cannot be read is nobody's business.
	const priced = request.kind !== "hosts" && (request.kind !== "table" || request.today);
	const bookOf = priced
		? await priceBooks(context, prices === undefined ? {} : { prices })
		: (): never => {
				throw new Error("nothing is priced here");
			};
	try {
		return runPlan(request, { bookOf, nowMs: context.io.now() }) as PlanAnswers[I["kind"]];
	} catch (error) {
		if (error instanceof PlanError) throw usageError(error.message, REMEDIES[error.problem]);
		throw asCliError(error, prices === undefined ? undefined : nameOf(prices));
	}
};

/** What reads a file of demand or of calls; a mistake in it becomes an error of the command line. */
export const reading = <T>(read: () => T, where: string | undefined, remedy: string): T => {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof ProfileError || error instanceof HistoryError)) throw error;
		throw new CliError(error.message, {
			exitCode: EXIT_USAGE,
			code: "profile",
			details: error instanceof ProfileError ? [...error.mistakes] : [],
			where,
			remedy,
			cause: error,
		});
	}
};

const CALLS_REMEDY =
	"give what `burst-dialer campaign calls ID --csv` wrote, as it is; leave out or mend the rows that are named";

/** Recorded calls of one or more files. */
export const readCalls = async (io: Io, paths: readonly string[]): Promise<ReadCalls> => {
	const files: CallsFile[] = [];
	for (const path of paths) files.push({ name: nameOf(path), text: await readText(io, path) });
	return reading(() => parseCalls(files), paths.map(nameOf).join(", "), CALLS_REMEDY);
};

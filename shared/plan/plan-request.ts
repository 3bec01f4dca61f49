import { unprocessable } from "../contract/errors.ts";
import { type PlanRequest, planSchema } from "../contract/plan.ts";
import type { Deps } from "../deps.ts";
import { PriceBook } from "../prices/price-book.ts";
import { parseSentPrices, readOwnPrices, refusePrices } from "../prices/read-prices.ts";
import { detailsOf } from "../validation/details.ts";
import { PlanError } from "./plan-error.ts";
import { type PlanAnswers, runPlan } from "./run-plan.ts";

/** `POST /v1/plan`: the plans of the command line, with the tenant's own prices. */

/** Checks the request; of a wrong `kind` it is said which there are, which the schema's own words do not. */
const parsePlan = (body: unknown): PlanRequest => {
	const parsed = planSchema.safeParse(body);
	if (parsed.success) return parsed.data;
	const details = detailsOf(parsed.error).map((detail) =>
		detail.path === "kind" ? { ...detail, message: "must be hosts, table, campaign or split" } : detail,
	);
	const [first] = details;
	throw unprocessable(
		"badPlan",
		`The plan has ${details.length} mistake(s): ${first?.path ? `${first.path}: ` : ""}${first?.message ?? ""}`,
		details,
	);
};

/** Makes the plan of a request. Throws 422 with every mistake; nothing is stored. */
export const answerPlan = async (
	deps: Deps,
	tenant: string,
	body: unknown,
): Promise<PlanAnswers[PlanRequest["kind"]]> => {
	const request = parsePlan(body);
	const sent = "prices" in request && request.prices !== undefined;
	const own = sent
		? parseSentPrices(request.prices, "prices")
		: request.kind === "hosts"
			? undefined
			: await readOwnPrices(deps, tenant);
	try {
		return runPlan(request, { bookOf: (region) => new PriceBook(region, own), nowMs: deps.now() });
	} catch (error) {
		if (error instanceof PlanError) {
			throw unprocessable(error.problem, error.message, [{ path: error.path, message: error.message }]);
		}
		return refusePrices(error);
	}
};

import { z } from "zod";

/** Most that a budget may say, US dollars: beyond it is a slip. */
const MAX_BUDGET_USD = 1_000_000;
const usdSchema = z
	.number("a number of US dollars")
	.positive("must be above 0; leave it out, or set it to null, for none")
	.max(MAX_BUDGET_USD, `at most ${MAX_BUDGET_USD}: more is a slip`);

/** What happens when a budget is used up. */
export const AT_LIMIT = ["noNewHosts", "pause"] as const;
const atLimitSchema = z
	.enum(AT_LIMIT, "`noNewHosts`: it is dialed on with the steady hosts; `pause`: it is paused")
	.default("pause");

/** A campaign's budget: all that the ledger attributes to it. */
export const budgetSchema = z
	.strictObject({
		/** For the whole campaign, US dollars. */
		usd: usdSchema.optional(),
		/** For any day, UTC, US dollars. */
		usdPerDay: usdSchema.optional(),
		/** `pause` for a day's budget: until the next day. */
		atLimit: atLimitSchema,
	})
	.refine(
		({ usd, usdPerDay }) => usd !== undefined || usdPerDay !== undefined,
		"needs `usd`, `usdPerDay` or both: which amount must not be exceeded",
	);
export type Budget = z.infer<typeof budgetSchema>;

/** The budget of a day, UTC, for all campaigns together: `PUT /v1/budget`. */
export const dayBudgetSchema = z.strictObject({ usdPerDay: usdSchema, atLimit: atLimitSchema });
export type DayBudget = z.infer<typeof dayBudgetSchema>;

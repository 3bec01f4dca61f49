import { dayBudgetSchema } from "../../shared/contract/budget.ts";
import { planSchema } from "../../shared/contract/plan.ts";
import { ownPricesSchema } from "../../shared/prices/price-data.ts";
import type { DocumentedRoute } from "./documented-route.ts";

/** What it costs: plans, prices, the ledger, budgets. */

const PRICE_MISSING = { status: 422, description: "A price is missing or there twice; it is named." };

export const COST_ROUTES: readonly DocumentedRoute[] = [
	{
		method: "GET",
		path: "/v1/ledger",
		summary: "What the last 31 days cost, the latest first, US dollars.",
		token: "operator",
		answers: [{ status: 200, description: "`{ items: [{ day, usd }], cursor }`." }, PRICE_MISSING],
	},
	{
		method: "GET",
		path: "/v1/ledger/{day}",
		summary:
			"A day's ledger: each kind of cost with its quantity, and what each campaign has of it. Days are UTC, as AWS bills; `today` is the one that has begun.",
		token: "operator",
		answers: [
			{ status: 200, description: "`{ day, until, usd, lines, campaigns, notCounted }`." },
			{ status: 400, description: "It is no day, or one that has not begun." },
			PRICE_MISSING,
		],
	},
	{
		method: "GET",
		path: "/v1/budget",
		summary: "The budget of a day (UTC) for all campaigns together, and how it stood at the last look.",
		token: "operator",
		answers: [
			{ status: 200, description: "`{ usdPerDay, atLimit, level, spentTodayUsd, reservedUsd, checkedAt }`." },
			{ status: 404, description: "None is set." },
		],
	},
	{
		method: "PUT",
		path: "/v1/budget",
		summary:
			"Sets the budget of a day for all campaigns, or replaces it. What is committed already is reserved before the limit is tested.",
		token: "operator",
		body: { name: "DayBudget", schema: dayBudgetSchema },
		answers: [{ status: 200, description: "As GET." }],
	},
	{
		method: "DELETE",
		path: "/v1/budget",
		summary: "Takes the budget of the day away; campaigns that it paused go on.",
		token: "operator",
		answers: [
			{ status: 200, description: "As it was." },
			{ status: 404, description: "None is set." },
		],
	},
	{
		method: "POST",
		path: "/v1/plan",
		summary: "Counts channels, hosts and cost beforehand, as `burst-dialer plan` does; nothing is stored.",
		token: "operator",
		body: { name: "Plan", schema: planSchema },
		answers: [
			{
				status: 200,
				description:
					"By `kind`, US dollars to a millionth. hosts: `{ hosts }`. table: `{ perDay, perMonth, perYear }`, with `today` also `{ today: { type, region, billing, instanceUsdPerHour, ipv4UsdPerHour, paidHoursPerDay, perDay, perMonth, perYear } }`. " +
					"campaign: `{ attempts, answered, holdSec, cps, erlangs, channels, hosts, hostHours, egressGb, egressUsd, egressUsdMarginal, hostUsd, ipv4Usd, controlPlaneUsd, carrierUsd, totalUsd }`. " +
					"split: `{ billing, profile, best, strategies, splits, breakEven, rule, sensitivity }`. Where something was priced: `prices` that counted, each with day and source, and `warnings` of those that are old, of no known day or not verified. " +
					"422: `badPlan` with every mistake; `price` where a price is missing, negative, in another currency or there twice; `tooManyHosts` beyond 500 hosts at the peak; `tooMuchLoad`, `noCallTime`, `ownedPriceMissing`.",
			},
		],
	},
	{
		method: "PUT",
		path: "/v1/prices",
		summary: "Replaces your own prices; plans count with them instead of the shipped ones.",
		token: "operator",
		body: { name: "OwnPrices", schema: ownPricesSchema },
		answers: [{ status: 200, description: "The prices as they are stored. 422 `price` with every mistake." }],
	},
	{
		method: "GET",
		path: "/v1/prices",
		summary: "Your own prices; 404 where none are stored.",
		token: "operator",
		answers: [{ status: 200, description: "The prices, as they may be put again.", name: "OwnPrices" }],
	},
];

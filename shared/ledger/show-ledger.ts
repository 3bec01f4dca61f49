import { ApiError, badRequest } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { readHosts } from "../hosts/hosts.ts";
import { PriceError } from "../prices/price-error.ts";
import { readCampaigns } from "../sync/world.ts";
import { DAY_MS } from "../time/clock.ts";
import { usdOf } from "./amounts.ts";
import { totalNanos } from "./day-cost.ts";
import { DAY_PATTERN, dayOf, daysBetween } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";
import { readDay } from "./read-ledger.ts";
import { readLedgerPrices } from "./read-prices.ts";
import { type ShownDay, showDay } from "./show-day.ts";

/** Days in the list. */
const LISTED_DAYS = 31;

/** A day of the path: `today`, or as 2026-11-28, not ahead. Throws 400. */
export const ledgerDayOf = (text: string, now: number): string => {
	const today = dayOf(now);
	if (text === "today") return today;
	const isDay = DAY_PATTERN.test(text) && !Number.isNaN(Date.parse(text)) && dayOf(Date.parse(text)) === text;
	if (!isDay) throw badRequest(`"${text}" is no day: write it as ${today}, or \`today\`. Days are UTC, as AWS bills.`);
	if (text > today) throw badRequest(`${text} has not begun: the last day is ${today} (UTC).`);
	return text;
};

/** A missing price is a matter of the settings: the answer says which, and how to give it. */
const priced = async <T>(read: () => Promise<T>): Promise<T> => {
	try {
		return await read();
	} catch (error) {
		if (!(error instanceof PriceError)) throw error;
		throw new ApiError(422, "price", `${error.message} To mend it: ${error.remedy}`, {
			details: [...error.mistakes],
			cause: error,
		});
	}
};

/** A day's ledger. Throws 422 where a price is missing. */
export const showLedgerDay = (deps: Deps, tenant: string, day: string, channelsPerHost: number): Promise<ShownDay> =>
	priced(async () => {
		const prices = await readLedgerPrices(deps, tenant, channelsPerHost);
		const cost = await readDay(deps, tenant, day, prices, await readHosts(deps, tenant));
		const campaigns = await readCampaigns(deps, tenant, cost.calls.keys());
		return showDay(cost, prices, new Map([...campaigns].map(([id, { name }]) => [id, name])));
	});

const totalOf = async (deps: Deps, tenant: string, day: string, prices: LedgerPrices) => {
	return { day, usd: usdOf(totalNanos(await readDay(deps, tenant, day, prices))) };
};

/** What the last days cost, the latest first. Throws 422 where a price is missing. */
export const listDays = (deps: Deps, tenant: string, channelsPerHost: number) =>
	priced(async () => {
		const prices = await readLedgerPrices(deps, tenant, channelsPerHost);
		const days = daysBetween(deps.now() - (LISTED_DAYS - 1) * DAY_MS, deps.now()).reverse();
		return { items: await Promise.all(days.map((day) => totalOf(deps, tenant, day, prices))), cursor: null };
	});

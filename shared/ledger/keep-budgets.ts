import { changeState } from "../campaigns/change.ts";
import type { ImportingCampaign } from "../contacts/import-items.ts";
import { ApiError } from "../contract/errors.ts";
import type { FleetDeps } from "../fleet/deps.ts";
import { PriceError } from "../prices/price-error.ts";
import { update } from "../store/db.ts";
import {
	BUDGET_ID,
	type BudgetState,
	type CampaignItem,
	campaignKey,
	type DayBudgetItem,
	type HostItem,
	type TrunkItem,
} from "../store/items.ts";
import { readCampaigns } from "../sync/world.ts";
import { sumOf } from "./amounts.ts";
import { budgetWords, type Checked, checkBudget, type Limits, reserveOf } from "./budget.ts";
import { type CampaignUsed, readCampaignUsed, totalOf } from "./campaign-cost.ts";
import { endedByCampaign, reserved, type Sight, sightOf } from "./committed.ts";
import { totalNanos } from "./day-cost.ts";
import { dayOf } from "./days.ts";
import { daysOnce, type ReadDay } from "./days-once.ts";
import { readLedgerPrices } from "./read-prices.ts";

/**
 * Keeps campaigns within their budgets: run by every look at the fleet, before it decides. A budget that is used up starts no host any more, or pauses, as its
 * owner chose; one of a day lets go on the next.
 */

/** Campaigns for which no host is to be started or kept, and why, in words. */
export type BudgetStops = ReadonlyMap<string, string>;

/** What all checks of one look share, and what they act through. */
interface Checks extends Sight {
	deps: FleetDeps;
	tenant: string;
	readDay: ReadDay;
	/** There is a budget of the day for all: it has the last word on what goes on. */
	isDayBound: boolean;
}

const limitsOf = ({ usd, usdPerDay }: Limits): Limits => ({
	...(usd === undefined ? {} : { usd }),
	...(usdPerDay === undefined ? {} : { usdPerDay }),
});

const changed = (a: BudgetState | undefined, b: BudgetState): boolean =>
	a === undefined ||
	a.level !== b.level ||
	a.attempts !== b.attempts ||
	a.spentUsd !== b.spentUsd ||
	a.reservedUsd !== b.reservedUsd;

/** Tells once that a budget came to a level. */
const tell = (deps: FleetDeps, before: Checked | undefined, now: Checked, fields: Record<string, unknown>): void => {
	if ((before?.level ?? "ok") === now.level || now.level === "ok") return;
	deps.log.warn(now.level === "warned" ? "budget.warned" : "budget.reached", {
		...fields,
		...now,
		why: budgetWords(now),
	});
};

/** Open states in which something of a campaign is, or will be, dialed. */
const isGoing = ({ state }: CampaignItem): boolean => state === "running" || state === "scheduled";

/** A campaign that was completed, cancelled or resumed since it was read is another matter: the next look's. */
const changeIfPossible = async (...args: Parameters<typeof changeState>): Promise<void> => {
	try {
		await changeState(...args);
	} catch (error) {
		if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
	}
};

const pause = async (sight: Checks, campaign: CampaignItem, why: string, day: string | undefined): Promise<void> => {
	if (!isGoing(campaign)) return;
	await changeIfPossible(sight.deps, sight.tenant, campaign.campaignId, "pause", {
		why,
		...(day === undefined ? {} : { day }),
	});
};

/** What a day's budget paused goes on once that is not used up: on another day, where it was raised, or taken away. */
const resume = async (sight: Checks, campaign: CampaignItem): Promise<void> => {
	const { pausedBy, state, campaignId } = campaign;
	if (state !== "paused" || pausedBy?.day === undefined) return;
	await changeIfPossible(sight.deps, sight.tenant, campaignId, "resume");
};

/** @returns the campaign as it stands where another look was faster, or its budget was taken away: this look has nothing to say of it any more */
const saveState = async (
	sight: Checks,
	campaign: CampaignItem,
	state: BudgetState,
): Promise<CampaignItem | undefined> => {
	if (!changed(campaign.budgetState, state)) return undefined;
	const { ok, item } = await update<CampaignItem>(sight.deps.db, {
		TableName: sight.deps.tables.campaigns,
		Key: campaignKey(sight.tenant, campaign.campaignId),
		// A budget that was taken away meanwhile has no state; and a look that was held up must not set back what a later one said.
		ConditionExpression: "attribute_exists(budget) AND (attribute_not_exists(budgetState) OR budgetState.#at <= :at)",
		UpdateExpression: "SET budgetState = :state",
		ExpressionAttributeNames: { "#at": "at" },
		ExpressionAttributeValues: { ":state": state, ":at": state.at },
	});
	return ok ? undefined : (item ?? campaign);
};

const stopWords = (checked: Checked): string => `its budget is used up: ${budgetWords(checked)}`;

/** Does something for one campaign; what fails is thrown once all others had their turn. */
type Attempt = <T>(campaign: CampaignItem, run: () => Promise<T>) => Promise<T | undefined>;

/** Checks one campaign's budget. @returns why no host is to be started for it */
const keepCampaign = async (sight: Checks, campaign: CampaignItem): Promise<string | undefined> => {
	const { deps, now, prices, hosts } = sight;
	const { budget, campaignId } = campaign;
	if (!budget) return undefined;
	const used = await readCampaignUsed(deps, campaign, prices, hosts, sight.readDay);
	const ended = Math.max(0, used.attempts - (campaign.budgetState?.attempts ?? used.attempts));
	const held = reserveOf(reserved(sight, campaign, used, ended));
	const day = dayOf(now);
	const spent = totalOf(used.nanoUsd);
	const checked = checkBudget(budget, spent, used.todayNanoUsd, held, day, campaign.budgetState);
	const limits = limitsOf(budget);
	const standing = await saveState(sight, campaign, { ...checked, limits, day, at: now, attempts: used.attempts });
	if (standing) return standing.budgetState?.level === "reached" ? stopWords(standing.budgetState) : undefined;
	tell(deps, campaign.budgetState, checked, { campaignId, atLimit: budget.atLimit });
	if (checked.level !== "reached") {
		if (!sight.isDayBound) await resume(sight, campaign);
		return undefined;
	}
	const why = budgetWords(checked);
	if (budget.atLimit === "pause") await pause(sight, campaign, why, checked.of === "day" ? day : undefined);
	return stopWords(checked);
};

/** Checks the budget of the day for all campaigns. @returns why no host is to be started for any */
const keepDay = async (
	sight: Checks,
	item: DayBudgetItem,
	campaigns: readonly CampaignItem[],
	stops: BudgetStops,
	attempt: Attempt,
): Promise<string | undefined> => {
	const { deps, tenant, now, today, hosts } = sight;
	const spent = totalNanos(today);
	const attempts = [...today.calls.values()].reduce((n, each) => n + each.attempts, 0);
	const before = item.state?.day === today.day ? item.state.attempts : item.state ? 0 : attempts;
	const ended = endedByCampaign(hosts, campaigns, Math.max(0, attempts - before));
	// All of it: nobody has a part only.
	const calls = campaigns.map((campaign) => {
		const own: CampaignUsed = {
			nanoUsd: new Map(today.lines.map(({ item: of, byCampaign }) => [of, byCampaign.get(campaign.campaignId) ?? 0n])),
			todayNanoUsd: 0n,
			attempts: 0,
			answered: 0,
			channelMs: 0,
			...today.calls.get(campaign.campaignId),
			untilMs: today.untilMs,
		};
		return reserved(sight, campaign, own, ended.get(campaign.campaignId) ?? 0);
	});
	const held =
		sumOf(calls.map((each) => each.calls + each.drains)) +
		(sight.standingPerHour * BigInt(Math.ceil(sight.hoursLeft * 1_000))) / 1_000n;
	const checked = checkBudget({ usdPerDay: item.usdPerDay }, spent, spent, held, today.day, item.state);
	const limits = limitsOf(item);
	const state: BudgetState = { ...checked, limits, day: today.day, at: now, attempts };
	if (changed(item.state, state)) {
		await update(deps.db, {
			TableName: deps.tables.fleet,
			Key: { tenant, id: BUDGET_ID },
			ConditionExpression: "setAt = :setAt AND (attribute_not_exists(#state) OR #state.#at <= :at)",
			UpdateExpression: "SET #state = :state",
			ExpressionAttributeNames: { "#state": "state", "#at": "at" },
			ExpressionAttributeValues: { ":state": state, ":setAt": item.setAt, ":at": now },
		});
	}
	tell(deps, item.state, checked, { budget: "day", atLimit: item.atLimit });
	if (checked.level !== "reached") {
		for (const campaign of campaigns)
			if (!stops.has(campaign.campaignId)) await attempt(campaign, () => resume(sight, campaign));
		return undefined;
	}
	const why = `the day's budget for all campaigns: ${budgetWords(checked)}`;
	if (item.atLimit === "pause")
		for (const campaign of campaigns) await attempt(campaign, () => pause(sight, campaign, why, today.day));
	return why;
};

/**
 * Checks all budgets and acts on those that are used up. Harmless when repeated. Where a cost cannot be counted for want of a price, campaigns with a budget start
 * no host: a budget is not taken for unlimited because nobody can say what was spent. Throws AggregateError once all were looked at, where some could not be kept.
 */
export const keepBudgets = async (
	deps: FleetDeps,
	tenant: string,
	hosts: readonly HostItem[],
	trunks: readonly TrunkItem[],
	dayBudget: DayBudgetItem | undefined,
): Promise<BudgetStops> => {
	const ids = new Set(trunks.flatMap(({ c }) => Object.keys(c)));
	const campaigns = [...(await readCampaigns(deps, tenant, ids)).values()] as ImportingCampaign[];
	// Without a budget now, it may have been paused by one of the day that was taken away.
	const bound = campaigns.filter(({ budget, pausedBy }) => budget !== undefined || pausedBy?.day !== undefined);
	if (bound.length === 0 && !dayBudget) return new Map();
	let sight: Checks;
	try {
		const prices = await readLedgerPrices(deps, tenant, deps.burst.channelsPerHost);
		const readDay = daysOnce(deps, tenant, prices, hosts);
		const today = await readDay(dayOf(deps.now()));
		sight = {
			deps,
			tenant,
			readDay,
			isDayBound: dayBudget !== undefined,
			...sightOf(deps.now(), deps.burst, hosts, campaigns, prices, today),
		};
	} catch (error) {
		if (!(error instanceof PriceError)) throw error;
		const why = `its budget cannot be checked: ${error.message}`;
		deps.log.error("budget.unpriced", { why: error.message, remedy: error.remedy });
		return new Map((dayBudget ? campaigns : bound).map(({ campaignId }) => [campaignId, why]));
	}
	const failures: unknown[] = [];
	/** What fails for one campaign keeps none of the others within its budget. */
	const attempt: Attempt = async (campaign, run) => {
		try {
			return await run();
		} catch (error) {
			failures.push(new Error(`the budget of campaign ${campaign.campaignId} could not be kept`, { cause: error }));
			return undefined;
		}
	};
	const stops = new Map<string, string>();
	for (const campaign of campaigns) {
		const why = await attempt(campaign, () => keepCampaign(sight, campaign));
		if (why !== undefined) stops.set(campaign.campaignId, why);
	}
	const day = dayBudget ? await keepDay(sight, dayBudget, campaigns, stops, attempt) : undefined;
	if (day !== undefined) for (const { campaignId } of campaigns) stops.set(campaignId, stops.get(campaignId) ?? day);
	if (!dayBudget)
		for (const campaign of campaigns) if (!campaign.budget) await attempt(campaign, () => resume(sight, campaign));
	if (failures.length > 0) throw new AggregateError(failures, `${failures.length} budget(s) could not be kept`);
	return stops;
};

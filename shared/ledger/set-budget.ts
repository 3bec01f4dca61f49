import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { DayBudget } from "../contract/budget.ts";
import { ApiError } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { getItem } from "../store/db.ts";
import { BUDGET_ID, type DayBudgetItem } from "../store/items.ts";

/** The budget of the day for all campaigns as the API shows it, with how it stood at the last look. */
export const showDayBudget = ({ usdPerDay, atLimit, setAt, state }: DayBudgetItem) => ({
	usdPerDay,
	atLimit,
	setAt: new Date(setAt).toISOString(),
	level: state?.level ?? "ok",
	spentTodayUsd: state?.spentTodayUsd ?? null,
	reservedUsd: state?.reservedUsd ?? null,
	checkedAt: state ? new Date(state.at).toISOString() : null,
});
export type ShownDayBudget = ReturnType<typeof showDayBudget>;

const none = (): ApiError =>
	new ApiError(404, "notFound", "No budget of the day is set: PUT /v1/budget, or `burst-dialer budget set`, sets one.");

const readDayBudget = (deps: Deps, tenant: string): Promise<DayBudgetItem | undefined> =>
	getItem<DayBudgetItem>(deps.db, deps.tables.fleet, { tenant, id: BUDGET_ID });

/** Throws 404 where none is set. */
export const getDayBudget = async (deps: Deps, tenant: string): Promise<ShownDayBudget> => {
	const item = await readDayBudget(deps, tenant);
	if (!item) throw none();
	return showDayBudget(item);
};

/** Sets the budget of the day, or replaces it; in force from the next look at the fleet. */
export const setDayBudget = async (
	deps: Deps,
	tenant: string,
	tokenId: string,
	budget: DayBudget,
): Promise<ShownDayBudget> => {
	const item: DayBudgetItem = { tenant, id: BUDGET_ID, ...budget, setAt: deps.now(), tokenId };
	await deps.db.send(new PutCommand({ TableName: deps.tables.fleet, Item: item }));
	deps.log.info("budget.set", { ...budget, tokenId });
	return showDayBudget(item);
};

/** Takes it away; campaigns that it paused go on. Throws 404 where none is set. */
export const removeDayBudget = async (deps: Deps, tenant: string, tokenId: string): Promise<ShownDayBudget> => {
	const item = await readDayBudget(deps, tenant);
	if (!item) throw none();
	await deps.db.send(new DeleteCommand({ TableName: deps.tables.fleet, Key: { tenant, id: BUDGET_ID } }));
	deps.log.info("budget.removed", { tokenId });
	return showDayBudget(item);
};

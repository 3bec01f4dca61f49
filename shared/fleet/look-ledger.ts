import { keepBooks } from "../ledger/keep-books.ts";
import { type BudgetStops, keepBudgets } from "../ledger/keep-budgets.ts";
import type { DayBudgetItem, HostItem, TrunkItem } from "../store/items.ts";
import type { FleetDeps } from "./deps.ts";
import type { Ec2Instance } from "./ec2.ts";

/** What a look at the fleet does about money: budgets before it decides, the day's book at its end. What fails is kept for the next look. */

/** Budgets come first: what they stop starts no host. @returns undefined: they could not be checked, and nothing is decided */
export const keepWithin = async (
	deps: FleetDeps,
	tenant: string,
	{ hosts, trunks, budget }: { hosts: HostItem[]; trunks: TrunkItem[]; budget: DayBudgetItem | undefined },
	failures: unknown[],
): Promise<BudgetStops | undefined> => {
	try {
		return await keepBudgets(deps, tenant, hosts, trunks, budget);
	} catch (error) {
		failures.push(error);
		deps.log.error("budget.unchecked", { error });
		return undefined;
	}
};

/** Last, and whatever comes of it: calls do not wait for the books. */
export const keepBook = async (
	deps: FleetDeps,
	tenant: string,
	hosts: readonly HostItem[],
	instances: Ec2Instance[] | undefined,
	failures: unknown[],
): Promise<void> => {
	try {
		await keepBooks(deps, tenant, deps.burst.channelsPerHost, hosts, instances);
	} catch (error) {
		failures.push(error);
		deps.log.error("ledger.notKept", { error });
	}
};

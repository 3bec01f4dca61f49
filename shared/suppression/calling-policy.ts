import type { CallingPolicy } from "../contract/suppression.ts";
import type { Deps } from "../deps.ts";
import { batchGet, type Db, getItem, type Item, put } from "../store/db.ts";
import { type CallingPolicyItem, callingPolicyKey, suppressionListsKey } from "../store/items.ts";
import { listsOf } from "./lists.ts";
import type { SuppressionList } from "./suppressed-by.ts";

const policyOf = (item: Item | undefined): CallingPolicy => {
	const { calleeLimit } = (item ?? {}) as Partial<CallingPolicyItem>;
	return calleeLimit === undefined ? {} : { calleeLimit };
};

/** What holds for every campaign, read strongly. */
export const readCallingPolicy = async (deps: Deps, tenant: string): Promise<CallingPolicy> =>
	policyOf(await getItem(deps.db, deps.tables.suppression, callingPolicyKey(tenant)));

/** Replaces what holds for every campaign; in force everywhere within {@link RULES_FRESH_MS}. */
export const putCallingPolicy = async (
	deps: Deps,
	tenant: string,
	tokenId: string,
	policy: CallingPolicy,
): Promise<CallingPolicy> => {
	const key = callingPolicyKey(tenant);
	const item: CallingPolicyItem = { ...key, ...policyOf(policy), updatedAt: deps.now(), tokenId };
	await put(deps.db, { TableName: deps.tables.suppression, Item: item }, key);
	deps.log.info("callingPolicy.set", { tenant, tokenId, ...policy });
	return policyOf(item);
};

/** Rules that hold for all campaigns of a tenant. */
export interface CallingRules {
	/** For `blockedByList`. Numbers are judged by the lists that `readSuppression` reads along with them. */
	lists: SuppressionList[];
	/** For `limitsFor`. */
	policy: CallingPolicy;
}

/** So old may the rules be that a process goes by. */
export const RULES_FRESH_MS = 10_000;

interface Known {
	at: number;
	rules: Promise<CallingRules>;
}
/** By the process's client and the tenant. */
const known = new WeakMap<Db, Map<string, Known>>();

const readRules = async (deps: Deps, tenant: string): Promise<CallingRules> => {
	const keys = [suppressionListsKey(tenant), callingPolicyKey(tenant)] as const;
	const items = await batchGet<Item & { callee: string }>(deps.db, deps.tables.suppression, [...keys]);
	const [lists, policy] = keys.map(({ callee }) => items.find((item) => item.callee === callee));
	return { lists: listsOf(lists), policy: policyOf(policy) };
};

/** The rules, up to 10 s old: a read unit or two in that time for each process. What cannot be read is thrown, not remembered. */
export const callingRules = (deps: Deps, tenant: string): Promise<CallingRules> => {
	const byTenant = known.get(deps.db) ?? new Map<string, Known>();
	known.set(deps.db, byTenant);
	const last = byTenant.get(tenant);
	const now = deps.now();
	if (last && now - last.at >= 0 && now - last.at < RULES_FRESH_MS) return last.rules;
	const rules = readRules(deps, tenant);
	byTenant.set(tenant, { at: now, rules });
	rules.catch(() => {
		if (byTenant.get(tenant)?.rules === rules) byTenant.delete(tenant);
	});
	return rules;
};

import type { Deps } from "../deps.ts";
import { batchGet, type Item } from "../store/db.ts";
import { calleeKey, type SuppressedItem, suppressionListsKey } from "../store/items.ts";
import { listsOf } from "./lists.ts";
import type { SuppressionList } from "./suppressed-by.ts";

/** What is known of some numbers, and the lists that it is to be judged by: for `suppressedBy`. */
export interface Suppression {
	lists: SuppressionList[];
	/** By number; one that was never on any list is not there. */
	numbers: Map<string, SuppressedItem>;
}

/**
 * Reads what lists say of the numbers, and the lists along with them, strongly consistent: one request for up to 99 numbers, one read unit each. Whatever
 * was added before is in it. What cannot be read is thrown, never taken for not suppressed.
 */
export const readSuppression = async (deps: Deps, tenant: string, numbers: Iterable<string>): Promise<Suppression> => {
	const byKey = new Map([...numbers].map((number) => [calleeKey(tenant, number).callee, number]));
	const lists = suppressionListsKey(tenant);
	const items = await batchGet<Item & { callee: string }>(deps.db, deps.tables.suppression, [
		lists,
		...[...byKey.keys()].map((callee) => ({ callee })),
	]);
	return {
		lists: listsOf(items.find(({ callee }) => callee === lists.callee)),
		numbers: new Map(
			items.flatMap((item) => {
				const number = byKey.get(item.callee);
				return number === undefined ? [] : [[number, item]];
			}),
		),
	};
};

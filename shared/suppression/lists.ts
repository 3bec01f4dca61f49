import { conflict, notFound, tryAgain, unprocessable } from "../contract/errors.ts";
import { OPT_OUT_LIST, REGISTER_MAX_AGE_DAYS, type SuppressionListInput } from "../contract/suppression.ts";
import type { Deps } from "../deps.ts";
import { newResourceId } from "../idempotency/idempotent.ts";
import { getItem, update } from "../store/db.ts";
import {
	LIST_ATTRIBUTE_PREFIX,
	listAttribute,
	type SuppressionListEntry,
	type SuppressionListsItem,
	suppressionListsKey,
} from "../store/items.ts";
import { ageDaysOf, isStale, type SuppressionList } from "./suppressed-by.ts";

/** Every sync that grants reads them all: 50 are some 8 KB, two read units. */
export const MAX_SUPPRESSION_LISTS = 50;
/** Only another change of the same list gets in the way. */
const MAX_TRIES = 5;

/** The list of opt-outs before its first one. Its id is fixed: it is never deleted. */
const NO_OPT_OUTS: SuppressionList = {
	name: OPT_OUT_LIST,
	id: OPT_OUT_LIST,
	scope: "all",
	kind: "own",
	count: 0,
	createdAt: 0,
};

/** The lists of an item, by name; that of opt-outs is always there. */
export const listsOf = (item: SuppressionListsItem | undefined): SuppressionList[] => {
	const lists = Object.entries(item ?? {}).flatMap(([attribute, entry]) =>
		attribute.startsWith(LIST_ATTRIBUTE_PREFIX)
			? [{ ...(entry as SuppressionListEntry), name: attribute.slice(LIST_ATTRIBUTE_PREFIX.length) }]
			: [],
	);
	if (!lists.some(({ name }) => name === OPT_OUT_LIST)) lists.push(NO_OPT_OUTS);
	return lists.sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** All lists, read strongly. */
export const readLists = async (deps: Deps, tenant: string): Promise<SuppressionList[]> =>
	listsOf(await getItem<SuppressionListsItem>(deps.db, deps.tables.suppression, suppressionListsKey(tenant)));

/** One list; throws 404. */
export const readList = async (deps: Deps, tenant: string, name: string): Promise<SuppressionList> => {
	const list = (await readLists(deps, tenant)).find((one) => one.name === name);
	if (!list) throw notFound("suppression list", name);
	return list;
};

/** A list as the API shows it. */
export const showList = (list: SuppressionList, now: number) => ({
	name: list.name,
	scope: list.scope,
	kind: list.kind,
	maxAgeDays: list.maxAgeDays ?? null,
	count: list.count,
	updatedAt: list.updatedAt === undefined ? null : new Date(list.updatedAt).toISOString(),
	ageDays: ageDaysOf(list, now) ?? null,
	stale: isStale(list, now),
});
export type ShownList = ReturnType<typeof showList>;

const refuseReserved = (name: string, what: string): void => {
	if (name !== OPT_OUT_LIST) return;
	throw unprocessable(
		"reservedList",
		`The list "${OPT_OUT_LIST}" takes opt-outs and holds for all campaigns: ${what}.`,
	);
};

/** Makes the list; false where it is there. */
const create = async (deps: Deps, tenant: string, name: string, entry: SuppressionListEntry): Promise<boolean> =>
	(
		await update<SuppressionListsItem>(deps.db, {
			TableName: deps.tables.suppression,
			Key: suppressionListsKey(tenant),
			ConditionExpression: "attribute_not_exists(#list)",
			UpdateExpression: "SET #list = :entry",
			ExpressionAttributeNames: { "#list": listAttribute(name) },
			ExpressionAttributeValues: { ":entry": entry },
		})
	).ok;

/** Creates a list, or changes the scope and age of one that is there; its numbers stay. In force for the next grant. */
export const putList = async (
	deps: Deps,
	tenant: string,
	name: string,
	input: SuppressionListInput,
): Promise<{ created: boolean; list: ShownList }> => {
	refuseReserved(name, "it cannot be changed");
	const maxAgeDays = input.kind === "register" ? (input.maxAgeDays ?? REGISTER_MAX_AGE_DAYS) : undefined;
	const terms = { scope: input.scope, kind: input.kind, ...(maxAgeDays === undefined ? {} : { maxAgeDays }) };
	for (let i = 0; i < MAX_TRIES; i++) {
		const lists = await readLists(deps, tenant);
		const standing = lists.find((list) => list.name === name);
		if (!standing) {
			if (lists.length >= MAX_SUPPRESSION_LISTS) {
				throw unprocessable("tooManyLists", `There are ${lists.length} suppression lists already: delete one first.`);
			}
			const entry: SuppressionListEntry = { id: newResourceId(deps), ...terms, count: 0, createdAt: deps.now() };
			if (!(await create(deps, tenant, name, entry))) continue;
			deps.log.info("suppression.listSet", { tenant, list: name, created: true, ...terms });
			return { created: true, list: showList({ ...entry, name }, deps.now()) };
		}
		const changed = await update<SuppressionListsItem>(deps.db, {
			TableName: deps.tables.suppression,
			Key: suppressionListsKey(tenant),
			ConditionExpression: "#list.#id = :id",
			UpdateExpression: `SET #list.#scope = :scope, #list.#kind = :kind${
				maxAgeDays === undefined ? " REMOVE #list.#age" : ", #list.#age = :age"
			}`,
			ExpressionAttributeNames: {
				"#list": listAttribute(name),
				"#id": "id",
				"#scope": "scope",
				"#kind": "kind",
				"#age": "maxAgeDays",
			},
			ExpressionAttributeValues: {
				":id": standing.id,
				":scope": input.scope,
				":kind": input.kind,
				...(maxAgeDays === undefined ? {} : { ":age": maxAgeDays }),
			},
			ReturnValues: "ALL_NEW",
		});
		const list = changed.ok && listsOf(changed.item).find((one) => one.name === name);
		if (!list) continue;
		deps.log.info("suppression.listSet", { tenant, list: name, created: false, ...terms });
		return { created: false, list: showList(list, deps.now()) };
	}
	throw tryAgain(`The suppression list "${name}" is being changed by others; repeat the request.`);
};

/** Deletes a list: from then on it binds nobody. What its numbers' items say of it counts for nothing any more. @returns what it was */
export const removeList = async (deps: Deps, tenant: string, name: string): Promise<ShownList> => {
	refuseReserved(name, "it cannot be deleted");
	const list = await readList(deps, tenant, name);
	const removed = await update<SuppressionListsItem>(deps.db, {
		TableName: deps.tables.suppression,
		Key: suppressionListsKey(tenant),
		ConditionExpression: "#list.#id = :id",
		UpdateExpression: "REMOVE #list",
		ExpressionAttributeNames: { "#list": listAttribute(name), "#id": "id" },
		ExpressionAttributeValues: { ":id": list.id },
	});
	if (!removed.ok) throw notFound("suppression list", name);
	deps.log.warn("suppression.listDeleted", { tenant, list: name, count: list.count });
	return showList(list, deps.now());
};

/**
 * Counts numbers that were added to a list or removed from it.
 * @param loadedAt the list was loaded to the end, ms since 1970: from then on its age counts
 * @throws 409 where it was deleted meanwhile
 */
export const countNumbers = async (
	deps: Deps,
	tenant: string,
	list: SuppressionList,
	more: number,
	loadedAt?: number,
): Promise<void> => {
	for (let i = 0; i < MAX_TRIES; i++) {
		const counted = await update<SuppressionListsItem>(deps.db, {
			TableName: deps.tables.suppression,
			Key: suppressionListsKey(tenant),
			ConditionExpression: "#list.#id = :id",
			UpdateExpression: `SET #list.#count = #list.#count + :more${loadedAt === undefined ? "" : ", #list.#at = :at"}`,
			ExpressionAttributeNames: {
				"#list": listAttribute(list.name),
				"#id": "id",
				"#count": "count",
				...(loadedAt === undefined ? {} : { "#at": "updatedAt" }),
			},
			ExpressionAttributeValues: {
				":id": list.id,
				":more": more,
				...(loadedAt === undefined ? {} : { ":at": loadedAt }),
			},
		});
		if (counted.ok) return;
		if (list.name !== OPT_OUT_LIST) break;
		const { name: _, ...entry } = { ...NO_OPT_OUTS, createdAt: deps.now() };
		await create(deps, tenant, OPT_OUT_LIST, entry);
	}
	throw conflict("listDeleted", `The suppression list "${list.name}" was deleted meanwhile.`);
};

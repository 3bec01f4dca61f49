import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { Deps } from "../deps.ts";
import { getItem, put, queryAll } from "../store/db.ts";
import {
	bookKey,
	CLOSED_ENTRY,
	type ClosedItem,
	type DiskItem,
	type LedgerItem,
	type RunItem,
	type UseItem,
} from "../store/items.ts";
import type { DayBook } from "./day-cost.ts";
import { dayEndMs } from "./days.ts";

/** Books are kept for so long after their day: a year, and some weeks to compare it with the one before. */
export const KEEP_DAYS = 400;

export type LedgerDeps = Pick<Deps, "db" | "tables" | "now" | "log">;

/** When a day's entries may be deleted, seconds since 1970. */
export const ttlOf = (day: string): number => Math.floor(dayEndMs(day) / 1_000) + KEEP_DAYS * 86_400;

/** A day's entries; `closed`: what it cost, where it is over and was counted up. */
export interface Book extends DayBook {
	closed: ClosedItem | undefined;
}

const startsWith =
	<T extends LedgerItem>(prefix: string) =>
	(item: LedgerItem): item is T =>
		item.entry.startsWith(prefix);

/** Reads a day's book, strongly: an empty one where nothing was entered. */
export const readBook = async (deps: LedgerDeps, tenant: string, day: string): Promise<Book> => {
	const items = await queryAll<LedgerItem>(deps.db, {
		TableName: deps.tables.ledger,
		ConsistentRead: true,
		KeyConditionExpression: "book = :book",
		ExpressionAttributeValues: { ":book": bookKey(tenant, day) },
	});
	return {
		day,
		runs: items.filter(startsWith<RunItem>("run#")),
		disks: items.filter(startsWith<DiskItem>("disk#")),
		// One that was sealed before it was begun says nothing.
		uses: items.filter(startsWith<UseItem>("use#")).filter(({ hostId }) => hostId !== undefined),
		closed: items.find((item) => item.entry === CLOSED_ENTRY) as ClosedItem | undefined,
	};
};

export const readEntry = <T extends LedgerItem>(
	deps: LedgerDeps,
	tenant: string,
	day: string,
	entry: string,
): Promise<T | undefined> => getItem<T>(deps.db, deps.tables.ledger, { book: bookKey(tenant, day), entry });

/** Writes an entry that is not there yet. @returns the one that stands */
export const putNew = async <T extends Record<string, unknown> & { book: string; entry: string }>(
	deps: LedgerDeps,
	item: T,
): Promise<T> => {
	const { item: standing } = await put<T>(
		deps.db,
		{ TableName: deps.tables.ledger, Item: item, ConditionExpression: "attribute_not_exists(book)" },
		{ book: item.book, entry: item.entry },
	);
	return standing ?? item;
};

/** A day whose entries change after it was counted up is counted up again. */
export const reopen = async (deps: LedgerDeps, tenant: string, day: string): Promise<void> => {
	// Also where it was not closed yet: whoever closes it a moment later may have read the entry as it was.
	await deps.db.send(
		new DeleteCommand({
			TableName: deps.tables.ledger,
			Key: { book: bookKey(tenant, day), entry: CLOSED_ENTRY },
		}),
	);
};

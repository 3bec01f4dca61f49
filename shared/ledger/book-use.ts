import { getItem, put, update } from "../store/db.ts";
import {
	bookKey,
	type Counts,
	type CursorItem,
	cursorBook,
	type HostItem,
	type UseItem,
	useEntry,
} from "../store/items.ts";
import { type LedgerDeps, putNew, readEntry, ttlOf } from "./books.ts";

/**
 * Enters what a host did in the day's book. Counters are absolute and only rise, so an entry may be written any number of times, late, or by two at once:
 * what one misses the next has. A day's part is what a counter rose since the end of the book before. That one is sealed before the host's cursor moves on, and
 * the cursor moves before the next is begun: so whatever dies in between, or comes late, nothing is in both and nothing in none.
 */

type ByCampaign = Record<string, Counts>;

const isSame = (a: Counts | undefined, b: Counts): boolean =>
	a !== undefined && Object.keys(b).every((name) => a[name] === b[name]);

/** Counters of both: those of the host, and of campaigns that it has forgotten since. */
const merge = (known: ByCampaign, host: HostItem): ByCampaign => ({ ...known, ...host.acc });

/** Whether an entry has all that the host's item says. */
export const isBooked = (use: Pick<UseItem, "now" | "syncsNow">, host: HostItem): boolean =>
	use.syncsNow >= (host.syncs ?? 0) &&
	Object.entries(host.acc).every(([campaignId, counts]) => isSame(use.now[campaignId], counts));

/**
 * Ends a book: from here on it does not change. One that was never begun is ended too, so that nobody begins it later.
 * @returns it; undefined where it was never begun
 */
const seal = async (deps: LedgerDeps, tenant: string, day: string, hostId: string): Promise<UseItem | undefined> => {
	const { item } = await update<UseItem>(deps.db, {
		TableName: deps.tables.ledger,
		Key: { book: bookKey(tenant, day), entry: useEntry(hostId) },
		UpdateExpression: "SET sealed = :true, #ttl = :ttl",
		ExpressionAttributeNames: { "#ttl": "ttl" },
		ExpressionAttributeValues: { ":true": true, ":ttl": ttlOf(day) },
		ReturnValues: "ALL_NEW",
	});
	return item?.hostId === undefined ? undefined : item;
};

/** Moves a host's cursor to a day, unless it is there or beyond. The book that it leaves is sealed before. @returns where it stands */
const moveCursor = async (deps: LedgerDeps, { tenant, hostId }: HostItem, day: string): Promise<CursorItem> => {
	const key = { book: cursorBook(tenant), entry: hostId };
	const cursor = await getItem<CursorItem>(deps.db, deps.tables.ledger, key);
	if (cursor && cursor.day >= day) return cursor;
	const left = cursor && (await seal(deps, tenant, cursor.day, hostId));
	const before = left ? cursor.day : cursor?.before;
	const moved: CursorItem = { ...key, ttl: ttlOf(day), day, ...(before === undefined ? {} : { before }) };
	const { item } = await put<CursorItem>(
		deps.db,
		{
			TableName: deps.tables.ledger,
			Item: moved,
			ConditionExpression: "attribute_not_exists(book) OR #day < :day",
			ExpressionAttributeNames: { "#day": "day" },
			ExpressionAttributeValues: { ":day": day },
		},
		key,
	);
	return item ?? moved;
};

/** Begins the day's book of a host where the one before ended. @returns undefined: a later one has begun */
const begin = async (deps: LedgerDeps, host: HostItem, day: string): Promise<UseItem | undefined> => {
	const { tenant, hostId } = host;
	const cursor = await moveCursor(deps, host, day);
	if (cursor.day !== day) return undefined;
	const before =
		cursor.before === undefined ? undefined : await readEntry<UseItem>(deps, tenant, cursor.before, useEntry(hostId));
	// What the host has forgotten is over: it is in the books before, and nothing comes to it any more. What rose in the book before stays for one more day: a look
	// that was held up may know less than that book.
	const base = Object.fromEntries(
		Object.entries(before?.now ?? {}).filter(
			([campaignId, counts]) => campaignId in host.acc || !isSame(before?.base[campaignId], counts),
		),
	);
	return putNew<UseItem>(deps, {
		book: bookKey(tenant, day),
		entry: useEntry(hostId),
		ttl: ttlOf(day),
		hostId,
		tier: host.tier,
		createdAt: host.createdAt,
		base,
		now: { ...base },
		syncsBase: before?.syncsNow ?? 0,
		syncsNow: before?.syncsNow ?? 0,
	});
};

/**
 * Enters what the host did until now.
 * @param known its entry of the day, where it was read
 */
export const bookUse = async (deps: LedgerDeps, host: HostItem, day: string, known?: UseItem): Promise<void> => {
	const { tenant, hostId } = host;
	const standing =
		known ?? (await readEntry<UseItem>(deps, tenant, day, useEntry(hostId))) ?? (await begin(deps, host, day));
	if (!standing || standing.sealed || isBooked(standing, host)) return;
	// Sealed: the next day has begun meanwhile, and has it. More syncs: a later look was faster, and what the host has forgotten since must not be set back.
	await update<UseItem>(deps.db, {
		TableName: deps.tables.ledger,
		Key: { book: bookKey(tenant, day), entry: useEntry(hostId) },
		ConditionExpression: "attribute_exists(book) AND attribute_not_exists(sealed) AND syncsNow <= :syncs",
		UpdateExpression: "SET #now = :now, syncsNow = :syncs, #at = :at",
		ExpressionAttributeNames: { "#now": "now", "#at": "at" },
		ExpressionAttributeValues: {
			":now": merge(standing.now, host),
			":syncs": host.syncs ?? 0,
			":at": deps.now(),
		},
	});
};

/** Whether the ledger has all of a campaign's counters of a host: then the host may forget them. */
export const isCampaignBooked = async (
	deps: LedgerDeps,
	host: Pick<HostItem, "tenant" | "hostId">,
	campaignId: string,
	counts: Counts,
	day: string,
): Promise<boolean> => {
	const use = await readEntry<UseItem>(deps, host.tenant, day, useEntry(host.hostId));
	// One that was ended before it was begun has none.
	return use?.now !== undefined && isSame(use.now[campaignId], counts);
};

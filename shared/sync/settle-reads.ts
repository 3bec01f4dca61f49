import type { Deps } from "../deps.ts";
import { type Db, getItem } from "../store/db.ts";
import type { ContactItem, HistoryEntry } from "../store/items.ts";

/**
 * A contact as it was claimed under a lease. While it is claimed nobody changes it, so an old copy that shows that claim is the contact as it stands, for half
 * of what a strong read costs; of one that does not, the strong read and the write's condition know.
 */
export const readClaimed = async (
	deps: Deps,
	key: { shardKey: string; contactKey: string },
	claimed: Pick<HistoryEntry, "lease" | "ver">,
): Promise<ContactItem | undefined> => {
	const copy = await getItem<ContactItem>(deps.db, deps.tables.contacts, key, { ConsistentRead: false });
	const shows = copy?.state === "claimed" && copy.lease === claimed.lease && copy.ver === claimed.ver;
	return shows ? copy : getItem<ContactItem>(deps.db, deps.tables.contacts, key);
};

/** By the process's client. */
const withSeveralNumbers = new WeakMap<Db, Set<string>>();
/** Campaigns that this process has met a contact with several numbers of: of them it looks before it writes. Met first, one costs a failed write. */
export const seenWithSeveralNumbers = (deps: Deps): Set<string> => {
	const seen = withSeveralNumbers.get(deps.db) ?? new Set<string>();
	withSeveralNumbers.set(deps.db, seen);
	return seen;
};

import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import type { TrunkItem } from "../store/items.ts";
import { sum } from "../sync/shares.ts";

/**
 * Takes the entry of a host that is gone for good off a trunk, in one conditional write; channels that it may still name go back. Only for a host
 * whose instance is known to be off, and so long after its last request that none of its syncs can be under way.
 * @returns whether the trunk has no entry of it now
 */
export const pruneShare = async (deps: Deps, trunk: TrunkItem, hostId: string): Promise<boolean> => {
	const entry = trunk.a[hostId];
	if (!entry) return true;
	const names: Record<string, string> = { "#a": "a", "#h": hostId, "#e": "e", "#s": "s", "#n": "n" };
	const values: Record<string, unknown> = { ":e": entry.e, ":s": entry.s, ":n": entry.n };
	const conditions = ["#a.#h.#e = :e", "#a.#h.#s = :s", "#a.#h.#n = :n"];
	const sets: string[] = [];
	const channels = sum(entry.n);
	if (channels > 0) {
		names["#free"] = "free";
		values[":given"] = channels;
		sets.push("#free = #free + :given");
	}
	for (const [i, [c, n]] of Object.entries(entry.n).entries()) {
		if (n === 0 || !trunk.c[c]) continue;
		Object.assign(names, { "#c": "c", [`#c${i}`]: c });
		values[`:n${i}`] = n;
		sets.push(`#c.#c${i}.#free = #c.#c${i}.#free + :n${i}`);
		conditions.push(`attribute_exists(#c.#c${i})`);
	}
	const result = await update<TrunkItem>(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: trunk.tenant, trunkId: trunk.trunkId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `${sets.length > 0 ? `SET ${sets.join(", ")} ` : ""}REMOVE #a.#h`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
	});
	if (result.ok && channels > 0) deps.log.warn("share.returned", { hostId, trunkId: trunk.trunkId, channels });
	return result.ok || !result.item?.a[hostId];
};

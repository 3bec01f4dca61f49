import { parseCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import type { HostItem, TrunkItem } from "../store/items.ts";
import { trunkIdAt } from "./lanes.ts";
import { sum } from "./shares.ts";
import type { World } from "./world.ts";

/**
 * Gives channels of a loss back as far as the host, back again, says that its calls of earlier epochs have ended: a
 * channel counts until the host reports it free or no call can last so long.
 */
export const releaseEarlier = async (deps: Deps, host: HostItem, world: World, earlier: string[]): Promise<void> => {
	const refs = earlier.flatMap((callId) => parseCallId(callId) ?? []);
	for (const trunk of world.trunks.values()) {
		for (const [lossKey, loss] of Object.entries(trunk.z)) {
			const [hostId, epoch] = lossKey.split("#");
			if (hostId !== host.hostId || Number(epoch) >= host.epoch) continue;
			const still: Record<string, number> = {};
			for (const ref of refs) {
				// A call that lives on from before an earlier loss holds its channel in that loss or in a later one: count it in each.
				const campaign = world.campaigns.get(ref.campaignId);
				const elsewhere = campaign !== undefined && trunkIdAt(campaign, ref.trunkIndex) !== trunk.trunkId;
				if (ref.epoch <= Number(epoch) && !elsewhere) still[ref.campaignId] = (still[ref.campaignId] ?? 0) + 1;
			}
			await shrinkLoss(deps, trunk, lossKey, loss.n, still);
		}
	}
};

/** One conditional write: the loss as read, lowered to what is still up; removed where nothing is. */
export const shrinkLoss = async (
	deps: Deps,
	trunk: TrunkItem,
	lossKey: string,
	standing: Record<string, number>,
	still: Record<string, number>,
): Promise<void> => {
	const next: Record<string, number> = {};
	for (const [c, n] of Object.entries(standing)) {
		const left = Math.min(n, still[c] ?? 0);
		if (left > 0) next[c] = left;
	}
	const given = sum(standing) - sum(next);
	if (given === 0 && sum(next) > 0) return;
	const names: Record<string, string> = { "#z": "z", "#k": lossKey, "#free": "free" };
	if (Object.keys(standing).length > 0) names["#n"] = "n";
	const values: Record<string, unknown> = { ":given": given };
	const sets = ["#free = #free + :given"];
	const conditions: string[] = [];
	for (const [i, [c, n]] of Object.entries(standing).entries()) {
		// Campaign by campaign: a loss only ever shrinks, so it is as it was read if each of these is; and not every emulator compares maps.
		names[`#c${i}`] = c;
		values[`:n${i}`] = n;
		conditions.push(`#z.#k.#n.#c${i} = :n${i}`);
		const d = n - (next[c] ?? 0);
		if (d === 0 || !trunk.c[c]) continue;
		names["#c"] = "c";
		values[`:d${i}`] = d;
		sets.push(`#c.#c${i}.#free = #c.#c${i}.#free + :d${i}`);
		conditions.push(`attribute_exists(#c.#c${i})`);
	}
	if (sum(next) > 0) {
		sets.push("#z.#k.#n = :next");
		values[":next"] = next;
	}
	if (conditions.length === 0) conditions.push("attribute_exists(#z.#k)");
	const result = await update<TrunkItem>(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: trunk.tenant, trunkId: trunk.trunkId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `SET ${sets.join(", ")}${sum(next) > 0 ? "" : " REMOVE #z.#k"}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
	});
	if (result.ok)
		deps.log.info("loss.released", { trunkId: trunk.trunkId, loss: lossKey, channels: given, left: sum(next) });
};

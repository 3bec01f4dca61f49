import type { Deps } from "../deps.ts";
import { update } from "../store/db.ts";
import type { HostItem, Instance } from "../store/items.ts";
import { type HostState, mayFollow } from "./life.ts";

/** Fields of a host's item; one given as undefined is removed. */
export type HostChange = Omit<
	{ [K in keyof HostItem as string extends K ? never : K]?: HostItem[K] | undefined },
	"tenant" | "hostId" | "state" | "inst"
> & { inst?: { [K in keyof Instance]?: Instance[K] | undefined } };

const sameValue = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One conditional write on the state and the start that were read. Undefined: somebody else has changed it. */
const write = async (
	deps: Pick<Deps, "db" | "tables">,
	host: HostItem,
	to: HostState,
	change: HostChange,
): Promise<HostItem | undefined> => {
	const names: Record<string, string> = { "#state": "state", "#epoch": "epoch" };
	const values: Record<string, unknown> = { ":from": host.state, ":to": to, ":epoch": host.epoch };
	const conditions = ["#state = :from", "#epoch = :epoch"];
	const sets = ["#state = :to"];
	const removes: string[] = [];
	const { inst, ...rest } = change;
	// A drain is taken over by an operator in the same state: then it is not what was read any more.
	if ("drainBy" in rest) {
		names["#drainBy"] = "drainBy";
		conditions.push(host.drainBy === undefined ? "attribute_not_exists(#drainBy)" : "#drainBy = :drainByRead");
		if (host.drainBy !== undefined) values[":drainByRead"] = host.drainBy;
	}
	const fields = [
		...Object.entries(rest).map(([name, value]) => ({ path: [name], value: value as unknown })),
		...Object.entries(inst ?? {}).map(([name, value]) => ({ path: ["inst", name], value: value as unknown })),
	];
	const pathOf = (path: string[]): string => {
		for (const name of path) names[`#${name}`] = name;
		return path.map((name) => `#${name}`).join(".");
	};
	for (const [i, { path, value }] of fields.entries()) {
		if (value === undefined) removes.push(pathOf(path));
		else {
			sets.push(`${pathOf(path)} = :v${i}`);
			values[`:v${i}`] = value;
		}
	}
	if (host.inst) {
		conditions.push(`${pathOf(["inst", "startId"])} = :start`);
		values[":start"] = host.inst.startId;
	}
	const result = await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `SET ${sets.join(", ")}${removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : ""}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
		ReturnValues: "ALL_NEW",
	});
	if (result.ok) return result.item;
	// Written by this very request, whose first answer was lost: it is as it was to be.
	const { item } = result;
	const ours =
		item?.state === to &&
		to !== host.state &&
		item.epoch === host.epoch &&
		fields.every(({ path: [name = "", inner], value }) =>
			sameValue(inner ? (item.inst as Record<string, unknown> | undefined)?.[inner] : item[name], value),
		);
	return ours ? item : undefined;
};

/**
 * Moves a host to another state: one conditional write on the state, epoch and start that were read. Every move of the fleet is made here; hello,
 * sync and recovery make theirs in their own writes.
 * @returns the host as it is now, or undefined where it was changed meanwhile: whoever asks looks again
 */
export const moveHost = async (
	deps: Pick<Deps, "db" | "tables" | "log">,
	host: HostItem,
	to: HostState,
	change: HostChange,
	why: string,
): Promise<HostItem | undefined> => {
	if (!mayFollow(host.state, to))
		throw new Error(
			`Host ${host.hostId} may not go from ${host.state} to ${to} (${why}); see LIFE in shared/fleet/life.ts.`,
		);
	const moved = await write(deps, host, to, change);
	const fields = { hostId: host.hostId, from: host.state, to, why };
	if (moved) deps.log.info("host.moved", fields);
	else deps.log.info("host.notMoved", { ...fields, because: "its state was changed meanwhile" });
	return moved;
};

/** Changes fields of a host that stays in its state, on the same conditions. */
export const markHost = (
	deps: Pick<Deps, "db" | "tables">,
	host: HostItem,
	change: HostChange,
): Promise<HostItem | undefined> => write(deps, host, host.state, change);

/** No drain any more. */
export const NO_DRAIN: HostChange = {
	drainAt: undefined,
	drainBy: undefined,
	drainUntil: undefined,
	quiet: undefined,
};

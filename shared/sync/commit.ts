import type { Deps } from "../deps.ts";
import { update, type WriteResult } from "../store/db.ts";
import type { Counts, HostItem } from "../store/items.ts";

/** What a sync makes true of its host. */
export interface Commit {
	ans: number[];
	held: Record<string, number>;
	/** All counters of the host, absolute. */
	acc: Record<string, Counts>;
	low: number;
	live: number;
	agent: string;
	health: NonNullable<HostItem["health"]>;
	deadTrunks: string[] | undefined;
	leavesSince: number | undefined;
	refusals: HostItem["refusals"];
	/** Whether the host had nothing live and nothing unsettled, before and after. */
	quiet: boolean;
}

/** Quiet syncs, one after the other, that end a drain: between the two nothing can have been granted, and the second confirms that nothing was under way. */
export const QUIET_SYNCS = 2;

/** What a sync makes of its host's drain. Only a commit makes a host drained; nothing but another write takes that back. */
export const drainAfter = (
	host: Pick<HostItem, "state" | "quiet">,
	quiet: boolean,
): Pick<HostItem, "state"> & { quiet: number | undefined } => {
	if (host.state !== "draining") return { state: host.state, quiet: host.quiet };
	const count = quiet ? (host.quiet ?? 0) + 1 : 0;
	return { state: count >= QUIET_SYNCS ? "drained" : "draining", quiet: count };
};

const FIELDS = {
	"#seq": "seq",
	"#ans": "ans",
	"#held": "held",
	"#low": "low",
	"#live": "live",
	"#seen": "lastSeenAt",
	"#acc": "acc",
	"#agent": "agent",
	"#syncs": "syncs",
	"#health": "health",
} as const;

/**
 * The only write that allows an answer: it holds while nobody else has moved the host's epoch, seq or state. Counters
 * are absolute: under that condition they are those that were read. While it drains, the count of quiet syncs is in the condition too: a drain that was
 * taken back and begun again in between begins to count anew, though the state is the same.
 * @param host as it stands
 */
export const commitSync = async (
	deps: Deps,
	host: HostItem,
	seq: number,
	commit: Commit,
): Promise<WriteResult<HostItem> & { made: HostItem }> => {
	const drain = drainAfter(host, commit.quiet);
	const { quiet: _, deadTrunks, leavesSince, refusals, ...fields } = commit;
	const made: HostItem = {
		...host,
		...fields,
		seq,
		state: drain.state,
		lastSeenAt: deps.now(),
		syncs: (host.syncs ?? 0) + 1,
	};
	if (drain.quiet !== undefined) made.quiet = drain.quiet;
	if (deadTrunks !== undefined) made.deadTrunks = deadTrunks;
	if (leavesSince === undefined) delete made.leavesSince;
	else made.leavesSince = leavesSince;
	if (refusals === undefined) delete made.refusals;
	else made.refusals = refusals;
	const names: Record<string, string> = { ...FIELDS, "#epoch": "epoch", "#state": "state" };
	const values: Record<string, unknown> = { ":epoch": host.epoch, ":before": seq - 1, ":state": host.state };
	const conditions = ["#epoch = :epoch AND #seq = :before AND #state = :state"];
	const sets: string[] = [];
	for (const [name, field] of Object.entries(FIELDS)) {
		const value = name.replace("#", ":");
		sets.push(`${name} = ${value}`);
		values[value] = made[field];
	}
	const removes: string[] = [];
	/** Written only where it changes. */
	const change = (
		name: string,
		field: "deadTrunks" | "leavesSince" | "refusals",
		before: unknown,
		after: unknown,
	): void => {
		if (JSON.stringify(before) === JSON.stringify(after)) return;
		names[name] = field;
		if (after === undefined) removes.push(name);
		else {
			sets.push(`${name} = ${name.replace("#", ":")}`);
			values[name.replace("#", ":")] = after;
		}
	};
	change("#dead", "deadTrunks", host.deadTrunks, deadTrunks);
	change("#leaves", "leavesSince", host.leavesSince, leavesSince);
	change("#refusals", "refusals", host.refusals, refusals);
	if (host.state === "draining") {
		names["#quiet"] = "quiet";
		conditions.push(host.quiet === undefined ? "attribute_not_exists(#quiet)" : "#quiet = :quietRead");
		if (host.quiet !== undefined) values[":quietRead"] = host.quiet;
		sets.push("#quiet = :quiet");
		values[":quiet"] = drain.quiet;
		if (drain.state !== host.state) {
			sets.push("#state = :next");
			values[":next"] = drain.state;
		}
	}
	const result = await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `SET ${sets.join(", ")}${removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : ""}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
	});
	return { ...result, made };
};

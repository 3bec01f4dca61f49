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
}

/**
 * The only write that allows an answer: it holds while nobody else has moved the host's epoch, seq or state. Counters
 * are absolute: under that condition they are those that were read.
 */
export const commitSync = async (
	deps: Deps,
	host: HostItem,
	state: HostItem["state"],
	seq: number,
	commit: Commit,
): Promise<WriteResult<HostItem>> => {
	const names: Record<string, string> = {
		"#epoch": "epoch",
		"#seq": "seq",
		"#state": "state",
		"#ans": "ans",
		"#held": "held",
		"#low": "low",
		"#live": "live",
		"#seen": "lastSeenAt",
		"#acc": "acc",
		"#agent": "agent",
	};
	const values: Record<string, unknown> = {
		":epoch": host.epoch,
		":before": seq - 1,
		":state": state,
		":seq": seq,
		":ans": commit.ans,
		":held": commit.held,
		":low": commit.low,
		":live": commit.live,
		":now": deps.now(),
		":acc": commit.acc,
		":agent": commit.agent,
	};
	const sets = [
		"#seq = :seq",
		"#ans = :ans",
		"#held = :held",
		"#low = :low",
		"#live = :live",
		"#seen = :now",
		"#acc = :acc",
		"#agent = :agent",
	];
	return update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: "#epoch = :epoch AND #seq = :before AND #state = :state",
		UpdateExpression: `SET ${sets.join(", ")}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
	});
};

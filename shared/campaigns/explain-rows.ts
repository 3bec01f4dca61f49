import { isUp } from "../fleet/life.ts";
import type { HostItem } from "../store/items.ts";
import { divideWhole } from "../sync/campaign-rate.ts";
import { heldOf } from "../sync/lanes.ts";
import { sum } from "../sync/shares.ts";
import type { Group } from "./explain-contacts.ts";
import type { ExplainInput } from "./explain-input.ts";
import { binding, type Cause, isHeard, type TrunkLook } from "./explain-trunk.ts";
import type { Facts, Reason } from "./explain-words.ts";

/** Contacts that are not done, divided by reason, so that the parts add up. Pure. */

/** Due for so long, with nothing in progress, a contact should have been taken. */
const IDLE_AFTER_MS = 60_000;

/** Contacts of one reason, and what its words are made of. */
export interface Row {
	reason: Reason;
	contacts: number;
	facts: Partial<Facts>;
}

/** Divides a whole number over parts in proportion, so that they add up to it. */
export const scaled = (total: number, parts: readonly number[]): number[] => {
	const all = parts.reduce((a, b) => a + b, 0);
	return all === total ? [...parts] : divideWhole(total, parts);
};

/** Contacts that are claimed: what becomes of them, by the hosts that hold them. */
const claimedRows = (claimed: number, input: ExplainInput): Row[] => {
	const { campaign, hosts, trunks } = input;
	const lost: HostItem[] = [];
	let [inCall, granted, silent] = [0, 0, 0];
	for (const host of hosts) {
		const held = heldOf(host.held, campaign.campaignId);
		if (held === 0) continue;
		if (!isUp(host.state) || !isHeard(host, input)) {
			silent += held;
			lost.push(host);
			continue;
		}
		const share = trunks.reduce((n, { a }) => n + (a[host.hostId]?.n[campaign.campaignId] ?? 0), 0);
		const live = Math.round((host.live * held) / Math.max(1, sum(host.held)));
		const up = Math.min(held, share, live);
		inCall += up;
		granted += held - up;
	}
	const parts = inCall + granted + silent > 0 ? scaled(claimed, [inCall, granted, silent]) : [0, claimed, 0];
	const names = lost.map(({ hostId }) => hostId).join(", ");
	return [
		{ reason: "inCall", contacts: parts[0] ?? 0, facts: {} },
		{ reason: "granted", contacts: parts[1] ?? 0, facts: {} },
		{ reason: "lostHost", contacts: parts[2] ?? 0, facts: { detail: names } },
	];
};

/** Why no due contact of the campaign is dialed, whatever hosts and trunks there are. */
const stateCause = ({ campaign }: ExplainInput): Cause | undefined => {
	switch (campaign.state) {
		case "paused":
			return { reason: "paused", facts: campaign.pausedBy ? { detail: campaign.pausedBy.why } : {} };
		case "importing":
		case "cancelled":
			return { reason: campaign.state, facts: {} };
		case "failed":
			return { reason: "failed", facts: { detail: campaign.failure ?? "no reason was kept" } };
		case "scheduled":
			return { reason: "scheduled", facts: campaign.startAt === undefined ? {} : { until: campaign.startAt } };
		default:
			return undefined;
	}
};

/** Due contacts over the trunks as the sync divides them: by weight, as long as there is room; those beyond by what binds. */
const dividedRows = (due: number, looks: readonly TrunkLook[], idle: boolean): Row[] => {
	// A trunk that has no part of the campaign's own rate is not used.
	const used = looks.filter(({ weight }) => weight > 0);
	const open = used.filter(({ blocked }) => !blocked);
	if (open.length === 0) {
		const parts = divideWhole(
			due,
			used.map(({ weight }) => weight),
		);
		return used.flatMap(({ blocked }, i) =>
			blocked ? [{ reason: blocked.reason, contacts: parts[i] ?? 0, facts: blocked.facts }] : [],
		);
	}
	const weights = open.map(({ weight }) => weight);
	const rooms = open.map((look) => look.limits[0]?.room ?? 0);
	const taken = divideWhole(due, weights).map((part, i) => Math.min(part, rooms[i] ?? 0));
	let left = due - taken.reduce((a, b) => a + b, 0);
	for (const [i, room] of rooms.entries()) {
		const more = Math.min(left, room - (taken[i] ?? 0));
		taken[i] = (taken[i] ?? 0) + more;
		left -= more;
	}
	const waiting = divideWhole(left, weights);
	return open.flatMap((look, i) => {
		const bound = binding(look);
		const rows: Row[] = [{ reason: "nextSync", contacts: taken[i] ?? 0, facts: { idle } }];
		if (bound) rows.push({ reason: bound.reason, contacts: waiting[i] ?? 0, facts: bound.facts });
		return rows;
	});
};

const groupRow = ({ wait, detail, contacts, from, until }: Group): Row => ({
	reason: wait === "due" ? "nextSync" : wait,
	contacts,
	facts: { from, until, ...(detail === undefined ? {} : { detail }) },
});

/** Waits that end within a second: for a campaign that is not to be dialed they are none. */
const AT_ONCE = new Set<Group["wait"]>(["due", "listOrder", "nextNumber"]);

export interface Divided {
	rows: Row[];
	exact: boolean;
}

/** Everything that is not done, by reason; adds up to `notDone`. */
export const divide = (input: ExplainInput, notDone: number, looks: readonly TrunkLook[]): Divided => {
	const { campaign, contacts, counts, now } = input;
	const found = contacts.groups.reduce((n, group) => n + group.contacts, 0);
	const isEnding = campaign.state === "cancelled" || campaign.state === "failed";
	// What ended since the counters were read, or is not in them yet.
	const ended = contacts.whole ? Math.max(0, notDone - found - contacts.claimed) : 0;
	const claimed = Math.min(contacts.whole ? contacts.claimed : counts.inProgress, notDone);
	const pending = notDone - claimed - ended;
	const exact = found === pending && (contacts.whole || contacts.allPending);
	const rows = claimedRows(claimed, input);
	// The sweep of a campaign counts what it ended when it is over.
	if (ended > 0) rows.push(...(isEnding ? [] : [{ reason: "settling", contacts: ended, facts: {} } as Row]));
	const state = stateCause(input);
	if (isEnding && state) {
		rows.push({ reason: state.reason, contacts: pending + ended, facts: state.facts });
		return { rows, exact: true };
	}
	if (found === 0) {
		rows.push({ reason: "unknown", contacts: pending, facts: {} });
		return { rows, exact: pending === 0 };
	}
	const parts = scaled(
		pending,
		contacts.groups.map((group) => group.contacts),
	);
	for (const [i, group] of contacts.groups.entries()) {
		const part = parts[i] ?? 0;
		if (state && AT_ONCE.has(group.wait)) rows.push({ reason: state.reason, contacts: part, facts: state.facts });
		else if (group.wait !== "due") rows.push(groupRow({ ...group, contacts: part }));
		else rows.push(...dividedRows(part, looks, counts.inProgress === 0 && now - group.from > IDLE_AFTER_MS));
	}
	return { rows, exact };
};

import type { CampaignItem, ContactItem } from "../store/items.ts";
import { openFrom } from "../sync/vet.ts";

/** What contacts of a campaign that are not done wait for, as far as the contacts themselves say it. Pure. */

/** A contact that is due so soon is: the rows of a list are due one after the other within a second, and clocks differ by some ms. */
const SOON_MS = 1_000;
/** Retries and imports put a contact into its opening: then it is due at that moment, or some ms later in the order of its list. */
const SAME_MOMENT_MS = SOON_MS;
/** Groups of one reason that are told apart (rules, zones); the rest is one group. */
const MAX_GROUPS = 8;
const OTHERS = "other rules";

/** Of a contact what is needed here. */
export type LookedAt = Pick<ContactItem, "contactKey" | "number" | "state" | "attempt"> &
	Partial<Pick<ContactItem, "tz" | "ni" | "dueAt" | "hist" | "wait" | "outcome" | "sup">>;

/** What pending contacts wait for; `due`: for nothing of their own. */
export type Wait = "due" | "outsideWindow" | "retry" | "calleeLimit" | "nextNumber" | "listOrder";

/** Pending contacts that wait for the same thing. */
export interface Group {
	wait: Wait;
	/** The rule, or the outcome of the last attempt. */
	detail?: string;
	contacts: number;
	/** When the first and the last of them are due, ms since 1970. */
	from: number;
	until: number;
}

export interface Tally {
	/** Contacts looked at, done ones included. */
	looked: number;
	claimed: number;
	groups: Group[];
	/** Contacts that ended without a call, by the reason. */
	suppressed: Record<string, number>;
}

/** Rules say at which time they were asked: without it the contacts of one rule and zone are one group. */
const withoutClock = (rule: string): string => rule.replaceAll(/ at [A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d/g, "");

const retryOf = ({ attempt, hist, ni }: LookedAt): { wait: Wait; detail: string } => {
	const last = hist?.[String(attempt - 1)];
	const detail: string = last?.o ?? "an attempt";
	return { wait: last?.n !== undefined && last.n !== ni ? "nextNumber" : "retry", detail };
};

/** @param at the moment that counts, ms: now, or the start of a campaign that is scheduled */
const waitOf = (
	campaign: CampaignItem,
	contact: LookedAt,
	at: number,
): { wait: Wait; detail?: string; until: number } => {
	const dueAt = contact.dueAt ?? at;
	const open = openFrom(campaign, contact, at);
	const isClosed = open.at !== undefined && open.at > at;
	if (dueAt <= at) {
		return isClosed
			? { wait: "outsideWindow", detail: withoutClock(open.rule), until: open.at }
			: { wait: "due", until: dueAt };
	}
	if (contact.wait) {
		const wait = contact.wait.for === "window" ? "outsideWindow" : "calleeLimit";
		return { wait, detail: withoutClock(contact.wait.rule), until: dueAt };
	}
	if (isClosed && Math.abs(dueAt - open.at) <= SAME_MOMENT_MS) {
		return { wait: "outsideWindow", detail: withoutClock(open.rule), until: dueAt };
	}
	if (contact.attempt > 1) {
		const { wait, detail } = retryOf(contact);
		// The next of its numbers is due at once; where a round begins anew it waits as for any retry.
		return dueAt - at <= SOON_MS && wait === "nextNumber"
			? { wait, until: dueAt }
			: { wait: "retry", detail, until: dueAt };
	}
	if (dueAt - at <= SOON_MS) return { wait: "listOrder", until: dueAt };
	// It was put into an opening of a window that was changed since.
	return { wait: "outsideWindow", detail: isClosed ? withoutClock(open.rule) : "the window of before", until: dueAt };
};

/** The largest groups of each reason, and the rest of it as one. */
const largest = (groups: Group[]): Group[] => {
	const sorted = [...groups].sort((a, b) => b.contacts - a.contacts || (a.detail ?? "").localeCompare(b.detail ?? ""));
	const kept: Group[] = [];
	for (const group of sorted) {
		const same = kept.filter(({ wait }) => wait === group.wait);
		const rest = same.at(-1);
		if (same.length < MAX_GROUPS || !rest) kept.push({ ...group });
		else {
			rest.detail = OTHERS;
			rest.contacts += group.contacts;
			rest.from = Math.min(rest.from, group.from);
			rest.until = Math.max(rest.until, group.until);
		}
	}
	return kept;
};

export const tally = (campaign: CampaignItem, contacts: readonly LookedAt[], at: number): Tally => {
	const groups = new Map<string, Group>();
	const suppressed: Record<string, number> = {};
	let claimed = 0;
	for (const contact of contacts) {
		if (contact.state === "claimed") claimed++;
		if (contact.state === "done" && contact.outcome === "suppressed") {
			const why = withoutClock(contact.sup?.why ?? "no reason was kept");
			suppressed[why] = (suppressed[why] ?? 0) + 1;
		}
		if (contact.state !== "pending") continue;
		const { wait, detail, until } = waitOf(campaign, contact, at);
		const key = `${wait} ${detail ?? ""}`;
		const group = groups.get(key);
		if (!group) {
			groups.set(key, { wait, ...(detail === undefined ? {} : { detail }), contacts: 1, from: until, until });
			continue;
		}
		group.contacts++;
		group.from = Math.min(group.from, until);
		group.until = Math.max(group.until, until);
	}
	return { looked: contacts.length, claimed, groups: largest([...groups.values()]), suppressed };
};

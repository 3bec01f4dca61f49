import type { BurstSettings } from "../config/burst-settings.ts";
import { hostsBeingStarted, openLaunches } from "../fleet/counting.ts";
import { bootSecOf } from "../fleet/decide-campaigns.ts";
import { isDraining, isUp } from "../fleet/life.ts";
import type { CampaignItem, FleetItem, HostItem, InventoryItem, TrunkItem } from "../store/items.ts";
import type { SuppressionList } from "../suppression/suppressed-by.ts";
import { divideWhole } from "../sync/campaign-rate.ts";
import { heldOf, trunksOf } from "../sync/lanes.ts";
import { sum } from "../sync/shares.ts";
import { cpsAt } from "../sync/trunk-pace.ts";
import type { CampaignCounts } from "./counts.ts";
import type { Group, Tally } from "./explain-contacts.ts";
import {
	binding,
	type Cause,
	channelsOn,
	isHeard,
	lookAtTrunk,
	type TrunkLook,
	type TrunkWorld,
} from "./explain-trunk.ts";
import { type Facts, kindOf, mainWords, type Reason, reasonWords } from "./explain-words.ts";

/** Why a campaign is not dialed, or not faster: its contacts that are not done, counted by reason. Pure: facts in, an explanation out. */

/** Due for so long, with nothing in progress, a contact should have been taken. */
const IDLE_AFTER_MS = 60_000;

/** Contacts as far as they were read. */
export interface ReadContacts extends Tally {
	/** Every contact was read: claimed ones and what ended is exact. */
	whole: boolean;
	/** Every pending contact was read. */
	allPending: boolean;
}

export interface ExplainInput {
	now: number;
	campaign: CampaignItem;
	/** Read before the contacts. */
	counts: CampaignCounts;
	contacts: ReadContacts;
	/** Those of the campaign, as far as they are there. */
	trunks: readonly TrunkItem[];
	/** All of the tenant. */
	hosts: readonly HostItem[];
	/** Of hosts that are up, where the campaign needs a sound or a context. */
	inventories: ReadonlyMap<string, InventoryItem>;
	/** Other campaigns that are entered on its trunks, as far as they were read. */
	others: ReadonlyMap<string, Pick<CampaignItem, "state" | "priority">>;
	lists: readonly SuppressionList[];
	fleet: Pick<FleetItem, "intents" | "boots" | "decision">;
	burst: Pick<BurstSettings, "bootSec" | "launchTemplate">;
	/** A host silent for longer is not counted upon. */
	lostAfterSec: number;
}

/** Contacts that wait for the same thing. Times are ms since 1970. */
export interface ReasonCount {
	reason: Reason;
	contacts: number;
	from?: number;
	until?: number;
	trunk?: string;
	detail?: string;
	words: string;
}

export interface TrunkFigures {
	id: string;
	channels: { cap: number; free: number; own: number; others: number; aside: number };
	cps: { max: number; now: number };
	/** Hosts that its carrier does not answer. */
	down: string[];
}

export interface Explanation {
	campaignId: string;
	state: CampaignItem["state"];
	at: number;
	notDone: number;
	/** The reason that counts most; undefined: nothing is left. */
	main: Reason | undefined;
	/** They add up to `notDone`. */
	reasons: ReasonCount[];
	/** Contacts that ended without a call, by the reason. */
	suppressed: Record<string, number>;
	/** Contacts that ended without having been reached, by their last outcome. */
	usedUp: Record<string, number>;
	/** Something was not counted but extrapolated from the contacts looked at. */
	estimated: boolean;
	lookedAt: number;
	hosts: { active: number; silent: number; draining: number; coming: number; mayDial: number; freeChannels: number };
	trunks: TrunkFigures[];
	words: string;
}

interface Row {
	reason: Reason;
	contacts: number;
	facts: Partial<Facts>;
}

/** Divides a whole number over parts in proportion, so that they add up to it. */
const scaled = (total: number, parts: readonly number[]): number[] => {
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
		case "importing":
		case "paused":
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

interface Divided {
	rows: Row[];
	exact: boolean;
}

/** Everything that is not done, by reason; adds up to `notDone`. */
const divide = (input: ExplainInput, notDone: number, looks: readonly TrunkLook[]): Divided => {
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

/** Rows of the same reason, trunk and detail as one, the largest first. */
const merged = (rows: readonly Row[]): Row[] => {
	const byKey = new Map<string, Row>();
	for (const row of rows) {
		if (row.contacts <= 0) continue;
		const key = `${row.reason} ${row.facts.trunk ?? ""} ${row.facts.detail ?? ""}`;
		const same = byKey.get(key);
		byKey.set(key, same ? { ...same, contacts: same.contacts + row.contacts } : { ...row });
	}
	return [...byKey.values()].sort((a, b) => b.contacts - a.contacts);
};

/** What a person should hear first: that it is not to be dialed; what somebody must mend; what most of them wait for. */
const mainOf = (rows: readonly Row[]): Row | undefined => {
	const of = (...kinds: string[]): Row | undefined => rows.find(({ reason }) => kinds.includes(kindOf(reason)));
	return of("state") ?? of("blocked") ?? of("limit", "time") ?? rows[0];
};

const comingOf = ({ hosts, fleet, burst }: ExplainInput): TrunkWorld["coming"] => {
	const all = [...hosts];
	const starting = hostsBeingStarted(all, fleet);
	return {
		hosts: all.filter(({ hostId, state }) => state === "launching" || state === "booting" || starting.has(hostId)),
		launches: openLaunches(all, fleet).reduce((n, { toCome }) => n + toCome, 0),
		bootSec: bootSecOf(fleet.boots, burst),
	};
};

const REACHED = new Set(["answered", "machine", "cancelled", "suppressed"]);

/** Contacts that ended without a call, by reason: as many as the counters say, in the proportion of those looked at. */
const suppressedOf = ({ counts, contacts }: ExplainInput): { suppressed: Record<string, number>; exact: boolean } => {
	const total = counts.outcomes["suppressed"] ?? 0;
	const reasons = Object.entries(contacts.suppressed);
	if (total === 0) return { suppressed: {}, exact: true };
	if (reasons.length === 0)
		return { suppressed: { "none of them was among the contacts looked at": total }, exact: false };
	const found = reasons.reduce((n, [, contacts]) => n + contacts, 0);
	const parts = scaled(
		total,
		reasons.map(([, contacts]) => contacts),
	);
	const pairs = reasons.flatMap(([why], i): [string, number][] => ((parts[i] ?? 0) > 0 ? [[why, parts[i] ?? 0]] : []));
	return {
		suppressed: Object.fromEntries(pairs.sort(([, a], [, b]) => b - a)),
		exact: contacts.whole && found === total,
	};
};

const trunkFigures = ({ trunkId, trunk }: TrunkLook, { campaign, hosts, now }: ExplainInput): TrunkFigures[] =>
	trunk
		? [
				{
					id: trunkId,
					channels: channelsOn(trunk, campaign.campaignId),
					cps: { max: trunk.trunk.maxCps, now: Math.round(cpsAt(trunk, now) * 100) / 100 },
					down: hosts.filter(({ deadTrunks }) => deadTrunks?.includes(trunkId)).map(({ hostId }) => hostId),
				},
			]
		: [];

/** What the fleet's last decision says that stands in the way of more burst hosts; else why it wants no more. */
const fleetWords = ({ fleet: { decision }, burst }: ExplainInput): string | undefined => {
	if (!burst.launchTemplate || !decision) return undefined;
	return decision.limits[0] ?? decision.reason;
};

export const explain = (input: ExplainInput): Explanation => {
	const { now, campaign, counts, contacts, hosts } = input;
	const notDone = Math.max(0, counts.total - counts.done);
	const coming = comingOf(input);
	const world: TrunkWorld = { ...input, coming, fleet: fleetWords(input) };
	const looks = trunksOf(campaign).map(({ id }) =>
		lookAtTrunk(
			id,
			input.trunks.find(({ trunkId }) => trunkId === id),
			world,
		),
	);
	const { rows, exact } = divide(input, notDone, looks);
	const reasons = merged(rows);
	const whole = (facts: Partial<Facts>): Facts => ({ ...facts, now, campaignId: campaign.campaignId });
	const main = mainOf(reasons);
	const suppressed = suppressedOf(input);
	const able = new Map(looks.flatMap((look) => look.able.map((host) => [host.hostId, host])));
	const active = hosts.filter(({ state }) => state === "active");
	return {
		campaignId: campaign.campaignId,
		state: campaign.state,
		at: now,
		notDone,
		main: main?.reason,
		reasons: reasons.map(({ reason, contacts: n, facts }) => ({
			reason,
			contacts: n,
			...(facts.from === undefined ? {} : { from: facts.from }),
			...(facts.until === undefined ? {} : { until: facts.until }),
			...(facts.trunk === undefined ? {} : { trunk: facts.trunk }),
			...(facts.detail === undefined ? {} : { detail: facts.detail }),
			words: reasonWords(reason, whole(facts)),
		})),
		suppressed: suppressed.suppressed,
		usedUp: Object.fromEntries(Object.entries(counts.outcomes).filter(([o, n]) => n > 0 && !REACHED.has(o))),
		estimated: !exact || !suppressed.exact,
		lookedAt: contacts.looked,
		hosts: {
			active: active.length,
			silent: active.filter((host) => !isHeard(host, input)).length,
			draining: hosts.filter(({ state }) => isDraining(state)).length,
			coming: coming.hosts.length + coming.launches,
			mayDial: able.size,
			freeChannels: [...able.values()].reduce(
				(n, host) => n + Math.max(0, host.cap - Math.max(sum(host.held), host.live)),
				0,
			),
		},
		trunks: looks.flatMap((look) => trunkFigures(look, input)),
		words: mainWords({
			state: campaign.state,
			total: counts.total,
			notDone,
			inCall: reasons.find(({ reason }) => reason === "inCall")?.contacts ?? 0,
			main: main && { reason: main.reason, contacts: main.contacts, facts: whole(main.facts) },
			openImports: campaign.openImports,
		}),
	};
};

import { hostsBeingStarted, openLaunches } from "../fleet/counting.ts";
import { bootSecOf } from "../fleet/decide-campaigns.ts";
import { isDraining } from "../fleet/life.ts";
import type { CampaignItem } from "../store/items.ts";
import { trunksOf } from "../sync/lanes.ts";
import { sum } from "../sync/shares.ts";
import { cpsAt } from "../sync/trunk-pace.ts";
import type { ExplainInput } from "./explain-input.ts";
import { divide, type Row, scaled } from "./explain-rows.ts";
import { channelsOn, isHeard, lookAtTrunk, type TrunkLook, type TrunkWorld } from "./explain-trunk.ts";
import { type Facts, kindOf, mainWords, type Reason, reasonWords } from "./explain-words.ts";

/** Why a campaign is not dialed, or not faster: its contacts that are not done, counted by reason. Pure: facts in, an explanation out. */

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

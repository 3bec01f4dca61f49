import { listWords, plural } from "../fleet/words.ts";
import { momentWords, spanWords } from "./forecast-words.ts";

/** Why contacts of a campaign are not dialed now: every reason there is, with its words. The only place that makes sentences of an explanation. */

/**
 * `state`: the campaign is not to be dialed; `going`: they are being dialed; `time`: they wait for a moment; `limit`: a cap is used up, and frees by
 * itself; `blocked`: nothing of it is dialed before somebody mends something.
 */
export type ReasonKind = "state" | "going" | "time" | "limit" | "blocked";

/** What the words of a reason are made of; each has some of it. */
export interface Facts {
	now: number;
	campaignId: string;
	trunk?: string;
	/** A name: the list, the sound, the rule, the outcome, the hosts. */
	detail?: string;
	/** First and last moment, ms since 1970. */
	from?: number;
	until?: number;
	cap?: number;
	/** Of a trunk: channels of this campaign, of others, and of calls of lost hosts; what it is entitled to by its priority. */
	own?: number;
	others?: number;
	aside?: number;
	share?: number;
	/** Calls per second: the rate, and what it is used with now. */
	cps?: number;
	cpsNow?: number;
	hosts?: number;
	bootSec?: number;
	/** What the fleet says of burst hosts. */
	fleet?: string;
	stale?: boolean;
	/** Due for long, and nothing is in progress. */
	idle?: boolean;
	/** Other limits that are used up as well. */
	also?: Reason[];
}

interface Entry {
	kind: ReasonKind;
	/** Follows the number of contacts. */
	words: (facts: Facts) => string;
	/** What to do about it; `` where there is nothing. */
	todo?: (facts: Facts) => string;
	/** In a list of what is used up. */
	short?: string;
}

/** `in 40 s`, `at 16:20 UTC`. */
const atWords = (at: number, now: number): string =>
	at - now < 90_000
		? `in ${spanWords(Math.max(0, Math.ceil((at - now) / 1_000)))}`
		: `${momentWords(at, now).includes("-") ? "on" : "at"} ${momentWords(at, now)}`;
/** The first and the last of several moments. */
const betweenWords = ({ now, from = now, until = from }: Facts): string => {
	const [first, last] = [atWords(from, now), atWords(until, now)];
	return first === last ? first : `the first ${first}, the last ${last}`;
};
const figure = (value: number): string => (Math.round(value * 10) / 10).toLocaleString("en-US");
const command = (words: string): string => `\`burst-dialer ${words}\``;
const orNothing = (text: string | undefined): string => text ?? "";
const alsoWords = ({ also = [] }: Facts): string =>
	also.length === 0 ? "" : `; besides, ${listWords(also.flatMap((reason) => entries[reason]?.short ?? []))}`;
const channelsWords = ({ own = 0, others = 0, aside = 0 }: Facts): string => {
	const parts = [`${own} by this campaign`, ...(others > 0 ? [`${others} by others`] : [])];
	return `${listWords(parts)}${aside > 0 ? `, ${aside} kept aside for calls of lost hosts` : ""}`;
};
const fleetWords = ({ fleet }: Facts): string => (fleet ? `; burst hosts: ${fleet.replace(/\.$/, "")}` : "");

export const REASONS = {
	importing: {
		kind: "state",
		words: () => "wait until the list is stored",
		todo: ({ campaignId }) => `see how far it is with ${command(`campaign show ${campaignId}`)}`,
	},
	scheduled: {
		kind: "state",
		words: ({ now, until = now }) => `wait for the campaign's start ${atWords(until, now)}`,
	},
	paused: {
		kind: "state",
		words: ({ detail }) => `wait because the campaign is paused${detail ? ` by a budget: ${detail}` : ""}`,
		todo: ({ campaignId }) => command(`campaign resume ${campaignId}`),
	},
	cancelled: { kind: "state", words: () => "are being ended, because the campaign is cancelled" },
	failed: {
		kind: "state",
		words: ({ detail }) => `are not dialed, because the campaign failed: ${orNothing(detail)}`,
		todo: () => "submit the list again",
	},
	inCall: { kind: "going", words: () => "have a channel: they are being dialed, ring or talk" },
	granted: { kind: "going", words: () => "are with a host, to be dialed as a channel and a slot come" },
	settling: { kind: "going", words: () => "have ended and are just being counted" },
	nextSync: {
		kind: "going",
		words: ({ idle }) =>
			idle
				? "are due and there is room for them: a host should take them within some seconds"
				: "are due and there is room for them: a host takes them with its next sync",
		todo: ({ idle }) =>
			idle ? "if that stays so, look at the agent's log on the hosts (`journalctl -u burst-dialer-agent`)" : "",
	},
	lostHost: {
		kind: "going",
		words: ({ detail }) =>
			`are with hosts that are not heard of (${orNothing(detail)}): taken back within a minute of their loss`,
		todo: () => command("host list"),
	},
	outsideWindow: {
		kind: "time",
		words: (facts) => `may be called ${betweenWords(facts)}: outside their calling window (${orNothing(facts.detail)})`,
	},
	retry: {
		kind: "time",
		words: (facts) => `ended as ${orNothing(facts.detail)} and are tried again ${betweenWords(facts)}`,
	},
	calleeLimit: {
		kind: "time",
		words: (facts) =>
			`have a number that was called as often as it may be (${orNothing(facts.detail)}); due ${betweenWords(facts)}`,
	},
	nextNumber: { kind: "time", words: () => "are called under their next number within a second" },
	listOrder: { kind: "time", words: () => "are due within a second, in the order of the list" },
	unknown: {
		kind: "time",
		words: () => "wait for something that is not known: none of them was among the contacts looked at",
		todo: () => "ask again",
	},
	campaignChannels: {
		kind: "limit",
		words: (facts) =>
			facts.cap === 0
				? "wait for channels: the campaign's are just being divided over its trunks"
				: `wait for channels: the campaign's own ${plural(facts.cap ?? 0, "channel")}${facts.trunk ? ` on trunk ${facts.trunk}` : ""} ${facts.cap === 1 ? "is" : "are"} in use${alsoWords(facts)}`,
		todo: ({ campaignId, cap }) =>
			cap === 0 ? "" : `raise its cap with ${command(`campaign set ${campaignId} --max-channels N`)}`,
		short: "the campaign's own channels are in use",
	},
	campaignRate: {
		kind: "limit",
		words: (facts) =>
			`wait for the campaign's own rate of ${figure(facts.cps ?? 0)} calls/s${facts.trunk ? ` on trunk ${facts.trunk}` : ""}${alsoWords(facts)}`,
		todo: () => "raise its maxCps",
		short: "the campaign's own rate is used up",
	},
	trunkChannels: {
		kind: "limit",
		words: (facts) =>
			`wait for channels: the ${plural(facts.cap ?? 0, "channel")} of trunk ${facts.trunk} ${facts.cap === 1 ? "is" : "are"} in use, ${channelsWords(facts)}${(facts.others ?? 0) > 0 ? `; its share by priority is ${Math.floor(facts.share ?? 0)}` : ""}${alsoWords(facts)}`,
		todo: ({ others = 0 }) =>
			others > 0
				? "raise its priority, or the trunk's maxChannels where the carrier allows it"
				: "raise the trunk's maxChannels where the carrier allows it, or use a second trunk",
		short: "the trunk is full",
	},
	trunkRate: {
		kind: "limit",
		words: (facts) =>
			`wait for the rate of trunk ${facts.trunk}: ${figure(facts.cps ?? 0)} calls/s for all its campaigns${alsoWords(facts)}`,
		todo: () => "raise the trunk's maxCps where the carrier allows it, or use a second trunk",
		short: "the trunk's calls per second are used up",
	},
	trunkSlowed: {
		kind: "limit",
		words: (facts) =>
			`wait for the rate of trunk ${facts.trunk}: it refused calls and is used with ${figure(facts.cpsNow ?? 0)} of ${figure(facts.cps ?? 0)} calls/s; as before ${atWords(facts.until ?? facts.now, facts.now)} if it refuses no more${alsoWords(facts)}`,
		todo: ({ campaignId }) => `see with ${command(`campaign calls ${campaignId}`)} what the carrier answered`,
		short: "the trunk is slowed after refusals",
	},
	hostsFull: {
		kind: "limit",
		words: (facts) =>
			`wait for channels of hosts: ${facts.hosts === 1 ? "the one host" : `all ${facts.hosts} hosts`} that may dial for it ${facts.hosts === 1 ? "is" : "are"} full (${plural(facts.cap ?? 0, "channel")})${alsoWords(facts)}${fleetWords(facts)}`,
		todo: () => "add a host, raise the capacity of one, or let burst hosts be started (docs/fleet.md)",
		short: "the hosts are full",
	},
	hostsBooting: {
		kind: "limit",
		words: ({ hosts = 0, bootSec }) =>
			`wait for ${plural(hosts, "burst host")} on ${hosts === 1 ? "its" : "their"} way${bootSec === undefined ? "" : `: ready some ${Math.round(bootSec)} s after the start`}`,
		todo: () => command("fleet show"),
	},
	noHost: {
		kind: "blocked",
		words: (facts) => `wait for a host: none is active (${orNothing(facts.detail)})${fleetWords(facts)}`,
		todo: () => `see ${command("host list")}, and the agent's log on the host (\`journalctl -u burst-dialer-agent\`)`,
	},
	hostsDraining: {
		kind: "blocked",
		words: ({ detail }) => `wait for a host: all there are drain, and are granted nothing (${orNothing(detail)})`,
		todo: ({ detail }) => command(`host undrain ${orNothing(detail).split(",")[0]}`),
	},
	hostsSilent: {
		kind: "blocked",
		words: ({ detail }) => `wait for a host: no active one is heard of (${orNothing(detail)})`,
		todo: () => "look at their agents and their line; see docs/runbooks/host-lost.md",
	},
	asteriskDown: {
		kind: "blocked",
		words: ({ detail }) => `wait for a host: Asterisk does not run on ${orNothing(detail)}`,
		todo: () => "start Asterisk there",
	},
	noHostForTrunk: {
		kind: "blocked",
		words: ({ trunk, detail }) =>
			`wait for a host that may use trunk ${trunk}: it is for ${orNothing(detail)}, and none of those is active`,
		todo: ({ trunk }) => `change \`hosts\` of trunk ${trunk}, or bring such a host up`,
	},
	trunkDown: {
		kind: "blocked",
		words: ({ trunk, detail }) => `wait for trunk ${trunk}: its carrier does not answer ${orNothing(detail)}`,
		todo: () => 'on the host: `asterisk -rx "pjsip show contacts"`; ask the carrier',
	},
	noAddress: {
		kind: "blocked",
		words: ({ trunk }) => `wait for a host whose address the carrier of trunk ${trunk} knows`,
		todo: () => "bring a steady host up, or enlarge the pool of Elastic IPs",
	},
	spotOnly: {
		kind: "blocked",
		words: () =>
			"wait for a host that may carry them: only spot instances are there, which can be taken away in a call",
		todo: () => "bring another host up, or submit it with allowDroppedCalls",
	},
	listBlocked: {
		kind: "blocked",
		words: ({ detail, stale }) =>
			stale
				? `wait because the do-not-call list ${orNothing(detail)} is too old to rely on`
				: `wait because the do-not-call list ${orNothing(detail)} that it names is not there`,
		todo: ({ detail, stale }) =>
			stale
				? `load it anew: ${command(`suppression add ${orNothing(detail)} FILE`)}`
				: `make and load it: ${command(`suppression set ${orNothing(detail)}`)}`,
	},
	noSound: {
		kind: "blocked",
		words: ({ detail }) => `wait for a host that has the sound ${orNothing(detail)}`,
		todo: () => "put it into the agent's folder of sounds",
	},
	noContext: {
		kind: "blocked",
		words: ({ detail }) => `wait for a host that allows the context ${orNothing(detail)}`,
		todo: () => "list it in the agent's configuration (`contexts`)",
	},
	noTrunk: {
		kind: "blocked",
		words: ({ trunk }) => `are not dialed, because the campaign is not entered on trunk ${trunk}, or the trunk is gone`,
		todo: () => command("trunk list"),
	},
} as const satisfies Record<string, Entry>;

const entries: Record<string, Entry> = REASONS;
export type Reason = keyof typeof REASONS;
export const REASON_NAMES = Object.keys(REASONS) as Reason[];

export const kindOf = (reason: Reason): ReasonKind => REASONS[reason].kind;
/** What holds the contacts of a reason back; follows their number. */
export const reasonWords = (reason: Reason, facts: Facts): string => (entries[reason] as Entry).words(facts);
const todoWords = (reason: Reason, facts: Facts): string => (entries[reason] as Entry).todo?.(facts) ?? "";

export interface MainFigures {
	state: string;
	total: number;
	notDone: number;
	/** Contacts whose call has a channel. */
	inCall: number;
	/** The reason that counts most; undefined: nothing is left. */
	main: { reason: Reason; contacts: number; facts: Facts } | undefined;
	openImports: number;
}

const count = (n: number): string => n.toLocaleString("en-US");
const whoWords = (contacts: number, notDone: number): string => {
	if (contacts < notDone) return `${count(contacts)} of ${count(notDone)} contacts not done`;
	return notDone === 1 ? "The contact that is not done" : `All ${count(notDone)} contacts not done`;
};

/** The main thing in a sentence or two, and what to do. */
export const mainWords = ({ state, total, notDone, inCall, main, openImports }: MainFigures): string => {
	const list = openImports > 0 ? "a list is being imported" : "";
	if (total === 0) return list ? "Its list is being imported." : "It has no list yet: add contacts.";
	if (!main)
		return `Nothing is left: all ${plural(total, "contact")} ${total === 1 ? "is" : "are"} done${list ? `; ${list}` : ""}.`;
	const { reason, contacts, facts } = main;
	const todo = todoWords(reason, facts);
	return [
		...(inCall > 0 && reason !== "inCall" ? [`${plural(inCall, "call")} ${inCall === 1 ? "is" : "are"} up.`] : []),
		...(state === "paused" && reason !== "paused" ? [`It is paused: ${todoWords("paused", facts)}.`] : []),
		`${whoWords(contacts, notDone)} ${reasonWords(reason, facts)}${todo ? `: ${todo}` : ""}.`,
	].join(" ");
};

import type { Counts, UseItem } from "../store/items.ts";

/** What hosts did for campaigns in a day, from the counters in its book. Pure. */

/** Of one campaign on one host, in one day. */
export interface Use {
	attempts: number;
	/** Contacts that were finished: each was imported once. */
	contacts: number;
	answered: number;
	channelMs: number;
	/** By codec. */
	talkMs: Record<string, number>;
	/** Seconds of talk, each call rounded up to whole steps: of 1, of 6 and of 60 seconds. */
	billedSec: { 1: number; 6: number; 60: number };
}

const TALK = "t_";

const less = (now: Counts, base: Counts | undefined): Use => {
	/** Counters only rise; one that is lower was read before. */
	const of = (name: string): number => Math.max(0, (now[name] ?? 0) - (base?.[name] ?? 0));
	const codecs = Object.keys(now).filter((name) => name.startsWith(TALK));
	return {
		attempts: of("a"),
		contacts: of("f"),
		answered: of("n"),
		channelMs: of("h"),
		talkMs: Object.fromEntries(codecs.map((name) => [name.slice(TALK.length), of(name)])),
		billedSec: { 1: of("s"), 6: of("s6"), 60: of("s60") },
	};
};

const isNothing = (use: Use): boolean => use.attempts === 0 && use.contacts === 0 && use.channelMs === 0;

/** By campaign; those of which nothing happened are left out. */
export const usesOf = ({ now, base }: Pick<UseItem, "now" | "base">): Map<string, Use> =>
	new Map(
		Object.entries(now)
			.map(([campaignId, counts]): [string, Use] => [campaignId, less(counts, base[campaignId])])
			.filter(([, use]) => !isNothing(use)),
	);

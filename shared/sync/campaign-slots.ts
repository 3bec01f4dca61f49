import type { TrunkItem } from "../store/items.ts";
import { slotSpacingMs, slotsAreScarce } from "./slots.ts";

/**
 * Calls per second of a campaign on a trunk: slots of its own, which are slots of the trunk too. They are laid behind the trunk's other slots, one campaign's
 * spacing apart, and the trunk's slots go on behind them: what lies between is lost to the trunk, so they reach less far ahead where others dial through it.
 * Pure; one conditional write makes it true or fails.
 */

/** A campaign with a rate of its own, as a sync asks for its slots. */
export interface PacedAsk {
	campaignId: string;
	/** Calls per second on this trunk, a whole number. */
	cps: number;
	/** Absent: as any other. */
	priority?: number;
	/** Slots wanted; undefined: one for each call that is granted. */
	slots: number | undefined;
}

/** An ask, cut to the calls that could use a slot. */
export interface PacedWant extends PacedAsk {
	slots: number;
}

/** How far paced slots reach ahead where other campaigns dial through the trunk too: below what counts as scarce. */
const SHARED_REACH_MS = 400;
/** As for all slots: what was lost is soon given again. */
const ALONE_REACH_MS = 2_000;
/** Campaigns that one write lays slots for: an expression may be 4,096 bytes long. The others are further behind the next time. */
export const MAX_PACED_CAMPAIGNS = 20;

export interface PacedDecision {
	/** Moments by campaign, ms, ascending. */
	slots: Record<string, number[]>;
	/** When each campaign's next slot may be, behind these. */
	after: Record<string, number>;
	/** `nextDialAt` behind them. */
	next: number;
}

/** Whole microseconds, never earlier: what the table adds up is read back without a rest. */
const micros = (ms: number): number => Math.ceil(ms * 1_000) / 1_000;

interface Waiting extends PacedWant {
	priority: number;
	gap: number;
	/** Not before this, ms. */
	at: number;
	left: number;
}

/** How long a campaign has had no slot at a moment, more for a higher priority: of those that could have it the one with the most has it, so that a full trunk is shared in proportion. */
const waitedFor = ({ at, gap, priority }: Waiting, moment: number): number => (moment - (at - gap)) * priority;

/** Who has the next slot: whoever is ready for it and has waited the most; where nobody is, whoever is ready first. */
const nextOf = (able: readonly Waiting[], moment: number): Waiting | undefined => {
	let next: Waiting | undefined;
	for (const one of able) {
		const better =
			next === undefined ||
			(one.at <= moment && next.at <= moment
				? waitedFor(one, moment) > waitedFor(next, moment) ||
					(waitedFor(one, moment) === waitedFor(next, moment) && one.priority > next.priority)
				: one.at < next.at);
		if (better) next = one;
	}
	return next;
};

/**
 * @param earliest the first moment that the host could use, ms
 * @param from the first of them that the trunk has free
 * @param cps the trunk's rate
 * @param alone whether all campaigns that are dialed through the trunk have rates of their own
 */
export const decidePaced = (
	trunk: Pick<TrunkItem, "c" | "nextDialAt">,
	asks: readonly PacedWant[],
	earliest: number,
	from: number,
	cps: number,
	alone: boolean,
	now: number,
): PacedDecision => {
	const trunkGap = slotSpacingMs(cps);
	const scarce = slotsAreScarce(trunk, now) && !alone;
	const reach = earliest + (alone || scarce ? ALONE_REACH_MS : SHARED_REACH_MS);
	const waiting: Waiting[] = asks
		.flatMap((ask) => {
			const entry = trunk.c[ask.campaignId];
			if (!entry || ask.slots <= 0 || ask.cps <= 0) return [];
			const gap = Math.max(trunkGap, slotSpacingMs(ask.cps));
			return [{ ...ask, priority: ask.priority ?? 1, gap, at: entry.next ?? 0, left: scarce ? 1 : ask.slots }];
		})
		.sort((a, b) => waitedFor(b, from) - waitedFor(a, from))
		.slice(0, MAX_PACED_CAMPAIGNS);
	const decision: PacedDecision = { slots: {}, after: {}, next: from };
	for (;;) {
		// On a trunk whose slots are waited for, a gap before one would be lost to others.
		const able = waiting.filter(
			({ at, left }) => left > 0 && Math.max(decision.next, at) <= reach && !(scarce && at > decision.next),
		);
		const chosen = nextOf(able, decision.next);
		if (!chosen) return decision;
		const at = micros(Math.max(decision.next, chosen.at));
		decision.slots[chosen.campaignId] = [...(decision.slots[chosen.campaignId] ?? []), at];
		chosen.at = micros(at + chosen.gap);
		chosen.left--;
		decision.after[chosen.campaignId] = chosen.at;
		decision.next = micros(at + trunkGap);
	}
};

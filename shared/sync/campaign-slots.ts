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
	/** Slots wanted; undefined: one for each call that is granted. */
	slots: number | undefined;
}

/** An ask, cut to the calls that could use a slot. */
export interface PacedWant extends PacedAsk {
	slots: number;
}

/** The slots of one campaign: the first moment, how many, and their distance, ms. */
export interface PacedSlots {
	at: number;
	k: number;
	gap: number;
}

/** How far paced slots reach ahead where other campaigns dial through the trunk too: below what counts as scarce. */
const SHARED_REACH_MS = 400;
/** As for all slots: what was lost is soon given again. */
const ALONE_REACH_MS = 2_000;

export interface PacedDecision {
	slots: Record<string, PacedSlots>;
	/** `nextDialAt` behind them. */
	next: number;
}

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
	const slots: Record<string, PacedSlots> = {};
	let next = from;
	for (const ask of asks) {
		const entry = trunk.c[ask.campaignId];
		if (!entry || ask.slots <= 0 || ask.cps <= 0) continue;
		const gap = Math.max(trunkGap, slotSpacingMs(ask.cps));
		const at = Math.max(next, entry.next ?? 0);
		// A gap before it would be lost to others that wait for slots.
		if (at > reach || (scarce && at > next)) continue;
		const k = Math.min(ask.slots, scarce ? 1 : Math.floor((reach - at) / gap) + 1);
		slots[ask.campaignId] = { at, k, gap };
		next = at + (k - 1) * gap + trunkGap;
	}
	return { slots, next };
};

/** When the campaign's next slot may be, behind these. */
export const nextAfter = ({ at, k, gap }: PacedSlots): number => at + k * gap;

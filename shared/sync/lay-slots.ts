import type { TrunkItem } from "../store/items.ts";
import { decidePaced, type PacedDecision, type PacedWant } from "./campaign-slots.ts";
import type { ReserveInput } from "./reserve.ts";
import { type ByCampaign, type ShareDecision, sum } from "./shares.ts";
import {
	earliestSlot,
	slotSpacingMs,
	slotsAreScarce,
	slotsAvailable,
	slotValidMs,
	usefulSlots,
	wholeMicros,
} from "./slots.ts";
import { cpsAt } from "./trunk-pace.ts";

/** Where one try of a reservation lays the slots of its sync. Pure. */

/** Times are doubles here and decimals in the table: at today's time they differ by less than this. */
export const READ_ROUNDING_MS = 0.001;

/** Slots of the trunk from `at` on, `gap` apart; behind them those of campaigns with rates of their own. */
export interface Laid {
	slots: number;
	/** The first moment that the host could use. */
	from: number;
	at: number;
	gap: number;
	valid: number;
	own: PacedDecision;
	hasOwn: boolean;
}

type LayInput = Pick<ReserveInput, "base" | "waiting" | "prefetch" | "slots" | "slotLeadMs" | "paced" | "pacedAlone">;

/** How many slots of the trunk are of use, for calls of campaigns that have no slots of their own. */
const trunkSlots = (input: LayInput, trunk: TrunkItem, decision: ShareDecision, cps: number, now: number): number => {
	const paced = new Set((input.paced ?? []).map(({ campaignId }) => campaignId));
	const unpaced = (calls: ByCampaign): number =>
		Object.entries(calls).reduce((n, [c, count]) => (paced.has(c) ? n : n + count), 0);
	const [held, granted] = [unpaced(input.base), unpaced(decision.calls)];
	const asked = usefulSlots({
		asked: input.slots,
		calls: held + granted,
		toDial: Math.min(held, input.waiting ?? Number.POSITIVE_INFINITY) + granted,
		share: sum(decision.share),
		expected: input.prefetch,
		// Who does not say what it has still to dial may need them all.
		scarce: input.waiting !== undefined && slotsAreScarce(trunk, now),
	});
	return slotsAvailable(asked, trunk.nextDialAt, earliestSlot(now, input.slotLeadMs, cps), cps);
};

/** The asks of campaigns with rates of their own, cut to the calls that could use a slot: a slot that nobody uses is lost to all. */
const pacedWants = (input: LayInput, decision: ShareDecision): PacedWant[] =>
	(input.paced ?? []).flatMap((ask) => {
		const granted = decision.calls[ask.campaignId] ?? 0;
		const slots = Math.min(ask.slots ?? granted, (input.base[ask.campaignId] ?? 0) + granted);
		return slots > 0 ? [{ ...ask, slots }] : [];
	});

export const laySlots = (input: LayInput, trunk: TrunkItem, decision: ShareDecision, now: number): Laid => {
	const cps = cpsAt(trunk, now);
	const slots = trunkSlots(input, trunk, decision, cps, now);
	const from = earliestSlot(now, input.slotLeadMs, cps);
	// A hair later than what was read: the table's decimals and ours need not be the same.
	const at = wholeMicros(Math.max(trunk.nextDialAt, from) + READ_ROUNDING_MS);
	const gap = slotSpacingMs(cps);
	const wants = pacedWants(input, decision);
	const own = decidePaced(trunk, wants, from, at + gap * slots, cps, input.pacedAlone ?? false, now);
	return { slots, from, at, gap, valid: slotValidMs(cps), own, hasOwn: Object.keys(own.slots).length > 0 };
};

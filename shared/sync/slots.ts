/**
 * Calls per second of a trunk by virtual scheduling (the generic cell rate algorithm): a trunk's `nextDialAt` moves
 * forward by one spacing for every slot granted. A slot may be used during its validity; the spacing is made longer by
 * just that, so that no rolling second at the carrier holds more than `maxCps` first INVITEs:
 * n + 1 uses span at least n spacings less one validity (and the jitter on the way), which is one second.
 */

/** No slot is granted further ahead than this: what a host was given and lost is soon given again. */
export const SLOT_HORIZON_MS = 2_000;

/**
 * By how much the time from the host's decision to the arrival of the INVITE differs from call to call, beyond what the host allows for at the end of a slot: 9 ms at
 * most of 560 calls over three hosts on two busy cores (median 2, 99 % 6).
 */
export const SLOT_JITTER_MS = 14;

/** A tight trunk: every slot counts, so a slot is short; it costs 3 % of the rate together with the jitter. */
export const TIGHT_SLOT_VALID_MS = 20;
/**
 * A wide trunk: channels bind, not the rate. A slot that stays valid between two syncs spares one sync for every
 * channel that frees; it costs a third of a rate that is not needed.
 */
const WIDE_SLOT_VALID_MS = 500;
/** Carriers that grant so many calls per second are rare (defaults are 1 to 5). */
const WIDE_FROM_CPS = 400;

export const slotValidMs = (maxCps: number): number =>
	maxCps >= WIDE_FROM_CPS ? WIDE_SLOT_VALID_MS : TIGHT_SLOT_VALID_MS;

/** Distance of two slots of a trunk, ms; whole microseconds, which the table adds up and we read back without a rest. */
export const slotSpacingMs = (maxCps: number): number =>
	Math.ceil(((1_000 + slotValidMs(maxCps) + SLOT_JITTER_MS) * 1_000) / maxCps) / 1_000;

/**
 * The earliest moment at which a host can use a slot granted now. A slot that outlives the way to the host begins at
 * once; a shorter one would be over before the host hears of it, so it begins when the host can have it.
 */
export const earliestSlot = (now: number, leadMs: number, maxCps: number): number =>
	slotValidMs(maxCps) > 2 * leadMs ? now : Math.ceil((now + leadMs) * 1_000) / 1_000;

/**
 * A sum or a product of whole microseconds without what doubles add to it: the table keeps up to 38 digits of a number, and every two of them make an item a byte
 * longer.
 */
export const wholeMicros = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** Slots are scarce where they are granted so far ahead: then they, not channels, are what hosts compete for. */
const SLOTS_AHEAD_MS = 500;
export const slotsAreScarce = (trunk: { nextDialAt: number }, now: number): boolean =>
	trunk.nextDialAt - now > SLOTS_AHEAD_MS;

/** Of the calls that a host expects to end before its next answer, the part that a slot is kept for while slots are scarce. */
const SCARCE_PART = 0.25;

/**
 * Slots of those asked for that are of use. A host asks for more than it can start at once, so that a channel that frees at any moment finds one; while others
 * wait for theirs it gets what it can start, and some for the calls that end.
 */
export const usefulSlots = (input: {
	asked: number;
	/** Calls of the trunk that it holds or is granted, of these still to be dialed, and its share of channels after the sync. */
	calls: number;
	toDial: number;
	share: number;
	/** Calls that it expects to end. */
	expected: number;
	scarce: boolean;
}): number => {
	if (input.toDial <= 0) return 0;
	if (!input.scarce) return input.asked;
	const up = Math.max(0, input.calls - input.toDial);
	const startable = Math.min(input.toDial, Math.max(0, input.share - up));
	return Math.min(input.asked, startable + Math.ceil(input.expected * SCARCE_PART));
};

/** How many of `wanted` slots fit before the horizon: one that begins before it does, however long the trunk then waits for the next. */
export const slotsAvailable = (wanted: number, nextDialAt: number, earliest: number, maxCps: number): number => {
	const room = earliest + SLOT_HORIZON_MS - Math.max(nextDialAt, earliest);
	return room <= 0 ? 0 : Math.max(0, Math.min(wanted, Math.max(1, Math.floor(room / slotSpacingMs(maxCps)))));
};

/** Calls granted ahead of a slow trunk's slots: a host gives back what it could not dial in some seconds. */
const GRANT_AHEAD_SEC = 5;

/** Most calls that a host holds without a channel on a trunk. */
export const mostCalls = (maxCps: number): number => Math.ceil(maxCps * GRANT_AHEAD_SEC);

/** The moments of `count` slots from `first` on, `gapMs` apart. */
export const slotTimes = (first: number, count: number, gapMs: number): number[] =>
	Array.from({ length: count }, (_, i) => first + i * gapMs);

/** The decision which held call is started in which slot. Pure: times are the control plane's, in ms. */

export interface HeldCall {
	callId: string;
	trunk: string;
	/** The campaign on this trunk. */
	lane: string;
	/** Under which key its slots stand: the trunk's, or those of a campaign with a rate of its own. */
	slots: string;
}

export interface TrunkSlots {
	/** Moments at which a call may be started, ascending. */
	at: number[];
	/** How long after its moment a slot may be used. */
	validMs: number;
}

export interface DispatchInput {
	now: number;
	/** Held calls, oldest grant first. */
	held: readonly HeldCall[];
	/** By trunk, or by campaign where it has a rate of its own. */
	slots: Readonly<Record<string, TrunkSlots>>;
	/** Channels of the host that are free. */
	hostFree: number;
	/** Channels free within the share, by trunk and by lane. One that is not named has none. */
	trunkFree: Readonly<Record<string, number>>;
	laneFree: Readonly<Record<string, number>>;
	/** A call is taken so long before its slot's moment, to be written to the journal meanwhile. */
	leadMs: number;
	/** The last part of a slot's validity that is left to the originate. */
	marginMs: number;
}

export interface Start {
	callId: string;
	trunk: string;
	/** Not before this. */
	dialAt: number;
	/** Not at or after this. */
	until: number;
}

export interface DispatchDecision {
	start: Start[];
	/** The slots that are left: neither used nor expired. */
	slots: Record<string, TrunkSlots>;
	/** Calls that a channel is free for and that only lack a slot, by the key of their slots. */
	lackSlot: Record<string, number>;
	/** When a call that is startable has its next slot; undefined if never. */
	wakeAt: number | undefined;
}

/** Pairs slots in the order of their moments with held calls in the order of their grants, within every cap. */
export const dispatch = (input: DispatchInput): DispatchDecision => {
	const { now, leadMs, marginMs } = input;
	const decision: DispatchDecision = { start: [], slots: {}, lackSlot: {}, wakeAt: undefined };
	let hostFree = input.hostFree;
	const laneFree = new Map(Object.entries(input.laneFree));
	const trunkFree = new Map(Object.entries(input.trunkFree));
	/** Takes a channel for the call; false where a cap forbids it. */
	const take = (call: HeldCall): boolean => {
		const ofTrunk = trunkFree.get(call.trunk) ?? 0;
		const ofLane = laneFree.get(call.lane) ?? 0;
		if (hostFree <= 0 || ofTrunk <= 0 || ofLane <= 0) return false;
		hostFree--;
		trunkFree.set(call.trunk, ofTrunk - 1);
		laneFree.set(call.lane, ofLane - 1);
		return true;
	};
	for (const [trunk, { at, validMs }] of Object.entries(input.slots)) {
		const until = (slot: number): number => slot + validMs - marginMs;
		decision.slots[trunk] = { at: at.filter((slot) => now < until(slot)), validMs };
	}
	const waiting: HeldCall[] = [];
	for (const call of input.held) {
		const slots = decision.slots[call.slots];
		const slot = slots?.at[0];
		if (slots === undefined || slot === undefined || slot - leadMs > now) {
			waiting.push(call);
		} else if (take(call)) {
			slots.at.shift();
			decision.start.push({
				callId: call.callId,
				trunk: call.trunk,
				dialAt: slot,
				until: slot + slots.validMs - marginMs,
			});
		}
	}
	// What is left could start as far as channels go: each waits for a later slot, or has none.
	const ahead = new Map<string, number>();
	for (const call of waiting) {
		if (hostFree <= 0) break;
		if (!take(call)) continue;
		const index = ahead.get(call.slots) ?? 0;
		ahead.set(call.slots, index + 1);
		const slot = decision.slots[call.slots]?.at[index];
		if (slot === undefined) decision.lackSlot[call.slots] = (decision.lackSlot[call.slots] ?? 0) + 1;
		else decision.wakeAt = Math.min(decision.wakeAt ?? Number.POSITIVE_INFINITY, slot - leadMs);
	}
	return decision;
};

import type { GrantedCall } from "../../shared/contract/call.ts";
import { laneOfCall, parseCallId, slotKeyOf } from "../../shared/contract/ids.ts";
import type { HeldCall } from "./dispatch.ts";
import type { Grants } from "./grants.ts";
import type { JournalState } from "./records.ts";

/** Who uses what at a moment. */
export interface Usage {
	/** Channels of our calls, those kept aside included: in all, by trunk, by lane. */
	used: number;
	byTrunk: Record<string, number>;
	byLane: Record<string, number>;
	/** By the key of the slots that they started in. */
	bySlots: Record<string, number>;
	/** Calls that may be dialed, oldest grant first. */
	held: HeldCall[];
	/** Held calls to give back: in all, and those that should not wait. */
	returns: number;
	urgentReturns: number;
	/** Completions that can be reported now. */
	reportable: number;
	/** Completions that are still kept aside. */
	coolingReports: number;
	/** Calls of which nothing is to be reported yet, or that are not reported: anything but nothing. */
	total: number;
}

const add = (counts: Record<string, number>, key: string): void => {
	counts[key] = (counts[key] ?? 0) + 1;
};

const slotsOf = (callId: string, call: GrantedCall): string =>
	call.paced ? slotKeyOf(laneOfCall(callId)) : call.trunk;

export const usageOf = (
	state: JournalState,
	cooling: ReadonlyMap<string, number>,
	returning: Grants["returning"],
): Usage => {
	const usage: Usage = {
		used: 0,
		byTrunk: {},
		byLane: {},
		bySlots: {},
		held: [],
		returns: 0,
		urgentReturns: 0,
		reportable: 0,
		coolingReports: 0,
		total: 0,
	};
	for (const [callId, { call, state: callState }] of Object.entries(state.calls)) {
		usage.total++;
		const kept = cooling.has(callId);
		if (callState === "originating" || kept) {
			usage.used++;
			add(usage.byTrunk, call.trunk);
			add(usage.byLane, laneOfCall(callId));
			add(usage.bySlots, slotsOf(callId, call));
		}
		if (callState === "ended") {
			if (kept) usage.coolingReports++;
			else usage.reportable++;
		} else if (callState === "held") {
			const back = returning.get(callId);
			if (back !== undefined) {
				usage.returns++;
				if (back.urgent) usage.urgentReturns++;
			} else if (parseCallId(callId)?.epoch === state.epoch) {
				usage.held.push({ callId, trunk: call.trunk, lane: laneOfCall(callId), slots: slotsOf(callId, call) });
			}
		}
	}
	return usage;
};

/** Channels that each share leaves free. */
export const freeWithin = (
	share: Readonly<Record<string, number>>,
	used: Readonly<Record<string, number>>,
): Record<string, number> =>
	Object.fromEntries(Object.entries(share).map(([key, channels]) => [key, Math.max(0, channels - (used[key] ?? 0))]));

/** Channels free within the shares that no held call could take. */
export const lackingCalls = (usage: Usage, laneShare: Readonly<Record<string, number>>, hostFree: number): number => {
	const waiting: Record<string, number> = {};
	for (const call of usage.held) add(waiting, call.lane);
	let lack = 0;
	for (const [lane, free] of Object.entries(freeWithin(laneShare, usage.byLane))) {
		lack += Math.max(0, free - (waiting[lane] ?? 0));
	}
	return Math.max(0, Math.min(lack, hostFree - usage.held.length));
};

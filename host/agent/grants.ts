import type { SyncResponse } from "../../shared/contract/host.ts";
import type { TrunkSlots } from "./dispatch.ts";

/** What a request was like. */
export interface Asked {
	/** What the host could not do without. */
	hungry: { calls: boolean; slots: boolean };
	/** It had nothing live and nothing to report. */
	idle: boolean;
}

/** What the last answers allow and that no restart survives: shares, slots, and what is to be given back. */
export class Grants {
	share: Record<string, number> = {};
	/** As `campaignShare` of the answers. */
	laneShare: Record<string, number> = {};
	slots: Record<string, TrunkSlots> = {};
	/** Of each trunk's last slots. */
	slotShape: Record<string, { spacingMs: number | undefined; aheadMs: number }> = {};
	/** Held calls to give back; `urgent`: asked for by the control plane, so without delay. */
	returning = new Map<string, { urgent: boolean }>();
	/** When each held call was granted, monotonic. */
	grantedAt = new Map<string, number>();
	drain = false;
	nextSyncMs = Number.POSITIVE_INFINITY;
	/** Answers in a row that brought no call (no slot) although channels idled, or soon would, for want of one. */
	emptyOfCalls = 0;
	emptyOfSlots = 0;
	/** Syncs in a row, during a drain, that had nothing live and nothing to report: two confirm it. */
	idleSyncsInDrain = 0;
	audioVersion = 0;

	/**
	 * @param askedMs when the request was first sent, monotonic: the calls were granted after it, and are as old as that at most
	 * @param controlNow the control plane's time now, ms
	 * @param asked what the request was like
	 * @param usable how many of the answer's calls this host can dial
	 */
	accept(answer: SyncResponse, askedMs: number, controlNow: number, asked: Asked, usable: number): void {
		this.share = answer.share;
		this.laneShare = answer.campaignShare;
		let newSlots = 0;
		for (const [trunk, at] of Object.entries(answer.slots)) {
			const validMs = answer.slotValidMs[trunk] ?? 0;
			const known = this.slots[trunk]?.at ?? [];
			this.slots[trunk] = { at: [...known, ...at].sort((a, b) => a - b), validMs };
			newSlots += at.length;
			const first = at[0];
			const second = at[1];
			if (first !== undefined) {
				const spacingMs = second === undefined ? this.slotShape[trunk]?.spacingMs : second - first;
				this.slotShape[trunk] = { spacingMs, aheadMs: Math.max(0, first - controlNow) };
			}
		}
		for (const call of answer.calls) this.grantedAt.set(call.callId, askedMs);
		if (usable > 0) this.emptyOfCalls = 0;
		else if (asked.hungry.calls) this.emptyOfCalls++;
		if (newSlots > 0) this.emptyOfSlots = 0;
		else if (asked.hungry.slots) this.emptyOfSlots++;
		this.idleSyncsInDrain = answer.drain && asked.idle ? this.idleSyncsInDrain + 1 : 0;
		this.drain = answer.drain;
		this.nextSyncMs = answer.nextSyncMs;
	}

	/** The epoch has ended: nothing that was granted in it holds. */
	forget(): void {
		this.share = {};
		this.laneShare = {};
		this.slots = {};
		this.returning.clear();
		this.grantedAt.clear();
		this.emptyOfCalls = 0;
		this.emptyOfSlots = 0;
		this.idleSyncsInDrain = 0;
	}
}

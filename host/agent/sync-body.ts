import {
	type Inventory,
	MAX_COMPLETED_PER_SYNC,
	MAX_HOST_CAPACITY,
	MAX_SLOT_LEAD_MS,
	type SyncRequest,
	type TrunkHealth,
} from "../../shared/contract/host.ts";
import { parseCallId } from "../../shared/contract/ids.ts";
import type { FrozenRequest, Instant, JournalState } from "./records.ts";
import { lowestOpenSeq } from "./state.ts";

export interface BodyInput {
	state: JournalState;
	agentState: SyncRequest["state"];
	/** Drawn at the agent's start. */
	agent: string;
	live: number;
	want: number;
	prefetch: number;
	slots: Record<string, number>;
	slotLeadMs: number;
	/** Calls whose report is still kept aside. */
	cooling: ReadonlyMap<string, number>;
	returning: ReadonlyMap<string, unknown>;
	/** Channels of calls that the journal lost; undefined before Asterisk's channels were compared once. */
	orphans: string[] | undefined;
	/** Both only where they changed since they were last acknowledged. */
	inventory: Inventory | undefined;
	trunks: TrunkHealth | undefined;
	now: Instant;
}

/** The next request of the epoch, as it will be journalled and sent, byte for byte. */
export const freezeRequest = (input: BodyInput): FrozenRequest => {
	const { state } = input;
	const seq = state.seq + 1;
	const calls = Object.entries(state.calls);
	const completed = calls
		.flatMap(([callId, call]) => (call.outcome !== undefined && !input.cooling.has(callId) ? [call.outcome] : []))
		.slice(0, MAX_COMPLETED_PER_SYNC);
	const returned = calls
		.filter(([callId, call]) => call.state === "held" && input.returning.has(callId))
		.map(([callId]) => callId)
		.slice(0, MAX_COMPLETED_PER_SYNC);
	const settled = new Set([...completed.map(({ callId }) => callId), ...returned]);
	const body: SyncRequest = {
		epoch: state.epoch,
		seq,
		state: input.agentState,
		agent: input.agent,
		live: input.live,
		want: input.want,
		prefetch: input.prefetch,
		waiting: calls.filter(([callId, call]) => call.state === "held" && !settled.has(callId)).length,
		slots: input.slots,
		slotLeadMs: Math.min(Math.ceil(input.slotLeadMs), MAX_SLOT_LEAD_MS),
		completed,
		returned,
		low: lowestOpenSeq(state, seq, settled),
		...(input.orphans === undefined ? {} : { earlier: earlierCalls(input, input.orphans) }),
		...(input.inventory === undefined ? {} : { inventory: input.inventory }),
		...(input.trunks === undefined ? {} : { trunks: input.trunks }),
	};
	return {
		epoch: state.epoch,
		seq,
		body: JSON.stringify(body),
		firstSend: input.now,
		completed: completed.map(({ callId }) => callId),
		returned,
	};
};

/** Calls of earlier epochs that have, or may have, a channel: their channels count until they are left out here. */
const earlierCalls = (input: BodyInput, orphans: string[]): string[] =>
	[
		...Object.entries(input.state.calls)
			.filter(([callId, call]) => call.state === "originating" || input.cooling.has(callId))
			.map(([callId]) => callId)
			.filter((callId) => parseCallId(callId)?.epoch !== input.state.epoch),
		...orphans,
	].slice(0, MAX_HOST_CAPACITY);

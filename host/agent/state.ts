import { parseCallId } from "../../shared/contract/ids.ts";
import type { JournalledCall, JournalRecord, JournalState } from "./records.ts";

/** Refused completions that are kept for people to look at. */
export const MAX_REFUSED_KEPT = 1_000;

export const emptyState = (): JournalState => ({ epoch: 0, seq: 0, calls: {}, refused: [] });

/** A call that the journal names but does not hold: the journal was damaged or written by something else. */
export class JournalContentError extends Error {
	override readonly name = "JournalContentError";
}

const callOf = (state: JournalState, callId: string, what: string): JournalledCall => {
	const call = state.calls[callId];
	if (call === undefined)
		throw new JournalContentError(`The journal has "${what}" of call ${callId}, which it does not hold.`);
	return call;
};

/** Applies one record to the state, in place. The same function runs when a record is made and when the journal is read again. */
export const applyRecord = (state: JournalState, record: JournalRecord): void => {
	switch (record.t) {
		case "snapshot":
			for (const key of Object.keys(state)) delete (state as unknown as Record<string, unknown>)[key];
			Object.assign(state, structuredClone(record.state));
			return;
		case "hello":
			state.nonce = record.nonce;
			return;
		case "epoch":
			state.epoch = record.epoch;
			state.seq = 0;
			delete state.nonce;
			delete state.outstanding;
			delete state.acceptedFirstSend;
			return;
		case "freeze":
			state.outstanding = record.request;
			return;
		case "accept": {
			const request = state.outstanding;
			if (request === undefined || request.epoch !== record.epoch || request.seq !== record.seq) {
				throw new JournalContentError(`The journal accepts ${record.epoch}#${record.seq}, which was not outstanding.`);
			}
			for (const callId of request.completed) delete state.calls[callId];
			for (const callId of request.returned) delete state.calls[callId];
			for (const call of record.calls) state.calls[call.callId] ??= { call, state: "held" };
			state.refused.push(...record.refused);
			if (state.refused.length > MAX_REFUSED_KEPT) state.refused.splice(0, state.refused.length - MAX_REFUSED_KEPT);
			state.seq = record.seq;
			state.acceptedFirstSend = request.firstSend;
			delete state.outstanding;
			return;
		}
		case "stale":
			state.epoch = 0;
			state.seq = 0;
			delete state.outstanding;
			delete state.acceptedFirstSend;
			for (const [callId, call] of Object.entries(state.calls)) if (call.state === "held") delete state.calls[callId];
			return;
		case "originate": {
			const call = callOf(state, record.callId, "originate");
			call.state = "originating";
			call.startedAt = record.atMs;
			call.bootId = record.bootId;
			return;
		}
		case "notOriginated": {
			const call = callOf(state, record.callId, "notOriginated");
			// Its epoch has ended meanwhile: what was never originated is dropped, for it was recovered there.
			if (parseCallId(record.callId)?.epoch !== state.epoch) {
				delete state.calls[record.callId];
				return;
			}
			call.state = "held";
			delete call.startedAt;
			delete call.bootId;
			return;
		}
		case "progress": {
			const call = callOf(state, record.callId, "progress");
			if (record.ringingAt !== undefined) call.ringingAt ??= record.ringingAt;
			if (record.answeredAt !== undefined) call.answeredAt ??= record.answeredAt;
			// A dialplan that listens again is the one that counts.
			if (record.amd !== undefined) call.amd = { ...call.amd, ...record.amd };
			return;
		}
		case "outcome": {
			const call = callOf(state, record.callId, "outcome");
			call.state = "ended";
			call.outcome = record.outcome;
			return;
		}
		case "config":
			state.config = record.config;
			return;
	}
};

/**
 * The oldest seq of the epoch with a call that this request does not settle; `seq` if there is none.
 * @param settled the callIds that the request carries as completed or returned
 */
export const lowestOpenSeq = (state: JournalState, seq: number, settled: ReadonlySet<string>): number => {
	let low = seq;
	for (const callId of Object.keys(state.calls)) {
		if (settled.has(callId)) continue;
		const ref = parseCallId(callId);
		if (ref !== undefined && ref.epoch === state.epoch && ref.seq < low) low = ref.seq;
	}
	return Math.max(1, low);
};

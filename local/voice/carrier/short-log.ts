import type { CarrierCall } from "../types.ts";

/**
 * The carrier's record from SIPp's log of short messages (-trace_shortmsg), one line per message, tab-separated:
 * date, time of day, seconds since 1970 with microseconds, S or R, Call-ID, `CSeq:` number and method, first line.
 */
export interface ShortMessage {
	atMs: number;
	received: boolean;
	callId: string;
	cseqMethod: string;
	firstLine: string;
}

/** undefined for a line that is no such message. */
export const parseShortLine = (line: string): ShortMessage | undefined => {
	const fields = line.split("\t");
	const direction = fields.findIndex((field, index) => index > 0 && (field === "S" || field === "R"));
	if (direction < 1) return undefined;
	const [seconds, callId, cseq, firstLine] = [
		fields[direction - 1],
		fields[direction + 1],
		fields[direction + 2],
		fields[direction + 3],
	];
	const method = /^CSeq:\s*\d+\s+([A-Z]+)/.exec(cseq ?? "")?.[1];
	const atMs = exactMs(seconds ?? "");
	if (callId === undefined || firstLine === undefined || method === undefined || atMs === undefined) return undefined;
	return { atMs, received: fields[direction] === "R", callId, cseqMethod: method, firstLine: firstLine.trim() };
};

/** `1795415992.123456` in milliseconds, without losing the microseconds to rounding. */
const exactMs = (seconds: string): number | undefined => {
	const match = /^(\d+)\.(\d{6})$/.exec(seconds);
	return match === null ? undefined : Number(match[1]) * 1_000 + Number(match[2]) / 1_000;
};

/** After so long without an answer to its last message a side has given up (RFC 3261, 64 × T1). */
const GIVE_UP_MS = 32_000;

/** The caller repeats an INVITE that got no reply after so long (RFC 3261, T1). */
const FIRST_REPEAT_MS = 500;

interface Leg {
	call: CarrierCall;
	/** The first final response to the INVITE that was not 2xx. */
	refusedAt?: number;
	/** The carrier's own BYE. */
	byeSentAt?: number;
	anyResponse: boolean;
}

/** Collects calls from messages in the order in which they were logged. Repeated messages change nothing. */
export class CallRecord {
	private readonly legs = new Map<string, Leg>();
	private readonly sources = new Map<string, string>();

	add(message: ShortMessage): void {
		const { atMs, received, callId, cseqMethod, firstLine } = message;
		const status = /^SIP\/2\.0 (\d{3})/.exec(firstLine)?.[1];
		const leg = this.legs.get(callId);
		if (leg === undefined) {
			if (received && status === undefined && cseqMethod === "INVITE") this.begin(message);
			return;
		}
		const { call } = leg;
		if (status === undefined) {
			if (received && cseqMethod === "ACK" && leg.refusedAt !== undefined) call.endedAt ??= atMs;
			if (!received && cseqMethod === "BYE") leg.byeSentAt ??= atMs;
			return;
		}
		const code = Number(status);
		if (!received && cseqMethod === "INVITE") this.responded(leg, code, atMs);
		// An answer to BYE, whoever sent that. A stranger's BYE gets 481 and has no leg.
		if (cseqMethod === "BYE" && code >= 200) call.endedAt ??= atMs;
	}

	/** The source of a call's INVITE. */
	addSource(callId: string, source: string): void {
		const leg = this.legs.get(callId);
		if (leg === undefined) this.sources.set(callId, source);
		else leg.call.from = source;
	}

	/**
	 * The calls so far, in the order of their INVITEs. A call whose other side fell silent ends when the carrier
	 * gives up on it. A call that the carrier never replied to takes none of its channels: it ends when it began, though the caller's SIP
	 * stack repeats the INVITE for half a minute even if the caller hung up long before.
	 */
	calls(nowMs: number): CarrierCall[] {
		return [...this.legs.values()].map(({ call, refusedAt, byeSentAt, anyResponse }) => {
			if (call.endedAt !== undefined) return { ...call };
			const waitingSince = byeSentAt ?? refusedAt;
			const givenUpAt = waitingSince === undefined ? undefined : waitingSince + GIVE_UP_MS;
			if (givenUpAt !== undefined && givenUpAt <= nowMs) return { ...call, endedAt: givenUpAt };
			const ignored = !anyResponse && nowMs > call.invitedAt + FIRST_REPEAT_MS;
			return ignored ? { ...call, endedAt: call.invitedAt } : { ...call };
		});
	}

	private begin({ atMs, callId, firstLine }: ShortMessage): void {
		const number = /^INVITE sips?:([^@;>\s]*)/.exec(firstLine)?.[1] ?? "";
		const from = this.sources.get(callId) ?? "";
		this.sources.delete(callId);
		this.legs.set(callId, {
			call: { id: callId, number, from, invitedAt: atMs },
			anyResponse: false,
		});
	}

	private responded(leg: Leg, code: number, atMs: number): void {
		leg.anyResponse = true;
		const { call } = leg;
		if (code > 100 && code < 200) call.ringingAt ??= atMs;
		if (code < 200 || call.status !== undefined) return;
		call.status = code;
		if (code < 300) call.answeredAt = atMs;
		else leg.refusedAt = atMs;
	}
}

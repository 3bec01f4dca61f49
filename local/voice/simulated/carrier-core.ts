import { AUDIO, type Sound } from "../carrier/audio.ts";
import { type Behaviour, behaviourOf, FINAL_STATUS, RING_LIMIT_MS, UNAVAILABLE_RING_MS } from "../carrier/numbers.ts";
import type { CarrierCall } from "../types.ts";
import { GIVE_UP_MS, type SimNetwork, type SipMessage, type SipNode } from "./network.ts";

/** A call without any reply takes no channel: from the caller's first repeat on it counts as one that ended when it began. */
const SILENT_CALL_MS = 500;
/** Time until the first reply to an INVITE, ms. */
const REPLY_DELAY_MS = 1;

/** What a number that answers says; undefined: nothing. */
const audioOf = ({ kind }: Behaviour): readonly Sound[] | undefined =>
	kind === "person" || kind === "machine" || kind === "machineBeep" ? AUDIO[kind] : undefined;

interface Leg {
	call: CarrierCall;
	peer: string;
	/** `invited`: no final reply yet; `refused`: waits for the ACK; `up`: answered; `closing`: BYE sent. */
	phase: "invited" | "refused" | "up" | "closing";
	behaviour: Behaviour;
	timer: unknown;
}

export interface CarrierOptions {
	network: SimNetwork;
	address: string;
	port: number;
	/** What it does with a called number. */
	behaviourOf?: (number: string) => Behaviour;
}

/**
 * The simulated carrier: takes INVITEs from the simulated network and does what the number plan (carrier/numbers.ts) says. It keeps a record of every call, with its
 * own times of arrival.
 *
 *     const carrier = new SimCarrierCore({ network, address: "127.0.0.200", port: 5060 });
 *     carrier.calls();           // CarrierCall[], complete and live, in order of arrival
 *     carrier.liveCalls();       // how many it has now
 *     carrier.setDown(true);     // the trunk is down: no packet passes either way, OPTIONS are not answered
 *     carrier.close();           // leaves the network
 */
export class SimCarrierCore implements SipNode {
	readonly node: string;
	private readonly network: SimNetwork;
	private readonly behaviourOf: (number: string) => Behaviour;
	private readonly records: CarrierCall[] = [];
	private readonly legs = new Map<string, Leg>();
	private down = false;

	constructor({ network, address, port, behaviourOf: chosen = behaviourOf }: CarrierOptions) {
		this.network = network;
		this.node = `${address}:${port}`;
		this.behaviourOf = chosen;
		network.join(this);
	}

	/** Copies: a record that was handed out does not change any more. */
	calls(): CarrierCall[] {
		return this.records.map((call) => ({ ...call }));
	}

	/** Calls without their final end, those that it never replies to left out. */
	liveCalls(): number {
		return this.legs.size;
	}

	setDown(down: boolean): void {
		this.down = down;
	}

	reachable(): boolean {
		return !this.down;
	}

	close(): void {
		this.network.leave(this);
		for (const leg of this.legs.values()) this.network.clock.clearTimer(leg.timer);
		this.legs.clear();
	}

	receive(message: SipMessage, from: string): void {
		if (message.kind === "invite") {
			this.invited(message.callId, message.number, from);
			return;
		}
		const leg = this.legs.get(message.callId);
		if (!leg) {
			if (message.kind === "bye") this.network.send(this, from, { kind: "byeOk", callId: message.callId });
			return;
		}
		if (message.kind === "cancel" && leg.phase === "invited") this.refuse(leg, 487);
		else if (message.kind === "ack" && leg.phase === "refused") this.end(leg);
		else if (message.kind === "byeOk" && leg.phase === "closing") this.end(leg);
		else if (message.kind === "bye") {
			this.network.send(this, from, { kind: "byeOk", callId: message.callId });
			this.end(leg);
		}
	}

	private invited(callId: string, number: string, from: string): void {
		if (this.legs.has(callId)) return;
		const { clock } = this.network;
		const call: CarrierCall = {
			id: callId,
			number,
			from: from.slice(0, from.lastIndexOf(":")),
			invitedAt: clock.now(),
		};
		this.records.push(call);
		const behaviour = this.behaviourOf(number);
		if (behaviour.kind === "silent") {
			clock.setTimer(SILENT_CALL_MS, () => {
				call.endedAt = call.invitedAt;
			});
			return;
		}
		const leg: Leg = { call, peer: from, phase: "invited", behaviour, timer: undefined };
		this.legs.set(callId, leg);
		leg.timer = clock.setTimer(REPLY_DELAY_MS, () => this.reply(leg));
	}

	private reply(leg: Leg): void {
		const { behaviour, call } = leg;
		const { clock } = this.network;
		const status = FINAL_STATUS[behaviour.kind] ?? 404;
		const ring = (afterMs: number, then: () => void): void => {
			call.ringingAt = clock.now();
			this.network.send(this, leg.peer, { kind: "response", callId: call.id, status: 180 });
			leg.timer = clock.setTimer(afterMs, then);
		};
		if ("ringMs" in behaviour) ring(behaviour.ringMs, () => this.answer(leg));
		else if (behaviour.kind === "ring") ring(RING_LIMIT_MS, () => this.refuse(leg, 480));
		else if (behaviour.kind === "unavailable") ring(UNAVAILABLE_RING_MS, () => this.refuse(leg, status));
		else this.refuse(leg, status);
	}

	private answer(leg: Leg): void {
		const { clock } = this.network;
		leg.phase = "up";
		leg.call.answeredAt = clock.now();
		leg.call.status = 200;
		const audio = audioOf(leg.behaviour);
		const talkMs = leg.behaviour.kind === "answer" ? leg.behaviour.talkMs : undefined;
		// A 200 that nobody acknowledges ends the call (RFC 3261, 13.3.1.4).
		this.network.send(
			this,
			leg.peer,
			{ kind: "response", callId: leg.call.id, status: 200, ...(audio === undefined ? {} : { audio }) },
			{
				lost: () => this.end(leg),
				wanted: () => leg.phase === "up",
			},
		);
		if (talkMs !== undefined) leg.timer = clock.setTimer(talkMs, () => this.bye(leg));
	}

	private bye(leg: Leg): void {
		leg.phase = "closing";
		this.network.send(this, leg.peer, { kind: "bye", callId: leg.call.id }, { lost: () => this.end(leg) });
	}

	private refuse(leg: Leg, status: number): void {
		const { clock } = this.network;
		clock.clearTimer(leg.timer);
		leg.phase = "refused";
		leg.call.status = status;
		this.network.send(this, leg.peer, { kind: "response", callId: leg.call.id, status }, { lost: () => this.end(leg) });
		// The reply may arrive and its ACK not: then the transaction ends by itself (timer H).
		leg.timer = clock.setTimer(GIVE_UP_MS, () => this.end(leg));
	}

	private end(leg: Leg): void {
		if (this.legs.get(leg.call.id) !== leg) return;
		this.network.clock.clearTimer(leg.timer);
		leg.call.endedAt = this.network.clock.now();
		this.legs.delete(leg.call.id);
	}
}

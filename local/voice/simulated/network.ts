import type { Sound } from "../carrier/audio.ts";
import type { SimClock } from "./clock.ts";

/**
 * Signalling between simulated hosts and carriers, in memory: what a SIP stack over UDP on a local network shows of itself. A message takes a
 * small random time; what the other side does not take is sent again at the times of RFC 3261 until it gives up.
 */
export type SipMessage =
	| { kind: "invite"; callId: string; number: string; callerId: string }
	/** `audio`: what the far end of an answered call says, from the answer on. */
	| { kind: "response"; callId: string; status: number; audio?: readonly Sound[] }
	| { kind: "cancel" | "ack" | "bye" | "byeOk"; callId: string };

/** Something with an address that messages can be sent to. */
export interface SipNode {
	/** `address:port`. */
	readonly node: string;
	/** Whether packets pass from and to it; a process that was killed has left the network instead. */
	reachable(): boolean;
	receive(message: SipMessage, from: string): void;
}

/** First repeat of a message that got no reply, and the longest time between two; then it gives up (RFC 3261: T1, T2, timers B and F). */
const FIRST_REPEAT_MS = 500;
const LONGEST_REPEAT_MS = 4_000;
export const GIVE_UP_MS = 32_000;

export interface NetworkOptions {
	clock: SimClock;
	/** 0 ≤ x < 1. */
	random: () => number;
	/** A message takes between these, ms. */
	minDelayMs?: number;
	maxDelayMs?: number;
}

/** For messages that are repeated until they are taken. */
export interface Repeated {
	/** Called where nobody took it within 32 s. */
	lost?: () => void;
	/** Asked before each repeat. */
	wanted?: () => boolean;
}

interface Packet {
	from: SipNode;
	to: string;
	message: SipMessage;
	repeated: Repeated | undefined;
	firstAt: number;
	repeatMs: number;
}

/** What is on its way from one node to another: it arrives in the order of sending. */
interface Path {
	packets: Packet[];
	lastArrival: number;
}

export class SimNetwork {
	readonly clock: SimClock;
	private readonly random: () => number;
	private readonly minDelayMs: number;
	private readonly spreadMs: number;
	private readonly nodes = new Map<string, SipNode>();
	private readonly paths = new Map<string, Path>();

	constructor({ clock, random, minDelayMs = 0.3, maxDelayMs = 2 }: NetworkOptions) {
		this.clock = clock;
		this.random = random;
		this.minDelayMs = minDelayMs;
		this.spreadMs = Math.max(0, maxDelayMs - minDelayMs);
	}

	/** @throws Error where the address is in use */
	join(node: SipNode): void {
		if (this.nodes.has(node.node)) throw new Error(`${node.node} is in use on the simulated network already`);
		this.nodes.set(node.node, node);
	}

	leave(node: SipNode): void {
		if (this.nodes.get(node.node) === node) this.nodes.delete(node.node);
	}

	/** Whether a request to that address would be answered now. */
	reachable(address: string): boolean {
		return this.nodes.get(address)?.reachable() === true;
	}

	/**
	 * Sends a message once, or until it is taken.
	 * @param repeated messages without it are sent once
	 */
	send(from: SipNode, to: string, message: SipMessage, repeated?: Repeated): void {
		this.transmit({ from, to, message, repeated, firstAt: this.clock.now(), repeatMs: FIRST_REPEAT_MS });
	}

	private transmit(packet: Packet): void {
		const key = `${packet.from.node}>${packet.to}`;
		let path = this.paths.get(key);
		if (!path) {
			path = { packets: [], lastArrival: 0 };
			this.paths.set(key, path);
		}
		const now = this.clock.now();
		path.lastArrival = Math.max(now + this.minDelayMs + this.random() * this.spreadMs, path.lastArrival);
		path.packets.push(packet);
		const { packets, lastArrival } = path;
		this.clock.setTimer(lastArrival - now, () => {
			const first = packets.shift();
			if (first) this.arrive(first);
		});
	}

	private arrive(packet: Packet): void {
		const { from, to, message, repeated, firstAt, repeatMs } = packet;
		const target = this.nodes.get(to);
		// What was sent before its sender ended arrives all the same.
		if (from.reachable() && target?.reachable()) {
			target.receive(message, from.node);
			return;
		}
		if (!repeated || this.nodes.get(from.node) !== from) return;
		const left = firstAt + GIVE_UP_MS - this.clock.now();
		if (left <= repeatMs) {
			this.clock.setTimer(Math.max(0, left), () => repeated.lost?.());
			return;
		}
		const next = { ...packet, repeatMs: Math.min(repeatMs * 2, LONGEST_REPEAT_MS) };
		this.clock.setTimer(repeatMs, () => {
			if (repeated.wanted?.() !== false) this.transmit(next);
		});
	}
}

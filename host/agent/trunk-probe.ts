import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { lookup } from "node:dns/promises";
import type { HostTrunk } from "../../shared/contract/host.ts";
import { endpointOf } from "./caller.ts";
import type { TrunkProbe } from "./ports.ts";

/** A carrier that has not replied by then does not reply. */
export const REPLY_WITHIN_MS = 2_000;
/** The request is sent again after so long, then after twice that: SIP's T1. */
const RESEND_MS = 500;

const SIP_PORT = 5_060;
const IAX_PORT = 4_569;

export interface ProbeOptions {
	/** Address to send from; default: the system's choice. */
	localAddress?: string | undefined;
	/** What Asterisk says of an endpoint (`PJSIP/name`); undefined: nothing. */
	endpointState: (endpoint: string) => Promise<string | undefined>;
	replyWithinMs?: number;
}

interface Question {
	/** The bytes to send, knowing where they are sent from. */
	request: (local: { address: string; port: number }) => Buffer;
	/** Whether a message is a reply to them, and what is sent back for it. */
	isReply: (message: Buffer) => boolean;
	thanks?: (message: Buffer) => Buffer;
}

/** Sends a datagram until it is replied to. @returns whether it was */
const ask = async (
	question: Question,
	to: { host: string; port: number },
	localAddress: string | undefined,
	withinMs: number,
): Promise<boolean> => {
	let address: string;
	try {
		({ address } = await lookup(to.host, { family: 4 }));
	} catch {
		// A name that cannot be resolved: Asterisk cannot call there either.
		return false;
	}
	const socket = dgram.createSocket("udp4");
	return new Promise<boolean>((resolve) => {
		const timers: NodeJS.Timeout[] = [];
		let done = false;
		const finish = (replied: boolean): void => {
			if (done) return;
			done = true;
			for (const timer of timers) clearTimeout(timer);
			socket.close();
			resolve(replied);
		};
		socket.on("error", () => finish(false));
		socket.on("message", (message) => {
			if (done || !question.isReply(message)) return;
			const thanks = question.thanks?.(message);
			if (thanks === undefined) finish(true);
			else socket.send(thanks, to.port, address, () => finish(true));
		});
		socket.bind(0, localAddress, () => {
			const bytes = question.request(socket.address());
			const send = (): void => {
				// Nothing there, no route: the end of the time tells.
				if (!done) socket.send(bytes, to.port, address, () => undefined);
			};
			send();
			for (const afterMs of [RESEND_MS, 3 * RESEND_MS]) {
				if (afterMs < withinMs) timers.push(setTimeout(send, afterMs));
			}
		});
		timers.push(setTimeout(() => finish(false), withinMs));
	});
};

/** OPTIONS; whatever status comes back, the carrier is there. */
export const sipOptions = (host: string, port: number): Question => {
	const id = randomBytes(16).toString("hex");
	const callId = `probe-${id}`;
	return {
		request: ({ address, port: localPort }) => {
			// Behind 0.0.0.0 the address is the system's choice: `rport` has the reply come back to where the request came from.
			const source = `${address}:${localPort}`;
			return Buffer.from(
				[
					`OPTIONS sip:${host}:${port} SIP/2.0`,
					`Via: SIP/2.0/UDP ${source};branch=z9hG4bK${id};rport`,
					"Max-Forwards: 70",
					`From: <sip:burst-dialer@${source}>;tag=${id.slice(0, 16)}`,
					`To: <sip:${host}:${port}>`,
					`Call-ID: ${callId}`,
					"CSeq: 1 OPTIONS",
					`Contact: <sip:burst-dialer@${source}>`,
					"User-Agent: burst-dialer",
					"Accept: application/sdp",
					"Content-Length: 0",
					"",
					"",
				].join("\r\n"),
				"latin1",
			);
		},
		isReply: (message) => {
			const text = message.toString("latin1");
			return /^SIP\/2\.0 \d{3}/.test(text) && text.includes(callId);
		},
	};
};

/** Full frames of IAX2 (RFC 5456): 12 bytes. */
const FRAME_BYTES = 12;
const IAX_FRAME = 6;
const POKE = 30;
const PONG = 3;
const ACK = 4;

const iaxFrame = (source: number, destination: number, timestamp: number, seqs: [number, number], subclass: number) => {
	const frame = Buffer.alloc(FRAME_BYTES);
	frame.writeUInt16BE(0x8000 | source, 0);
	frame.writeUInt16BE(destination, 2);
	frame.writeUInt32BE(timestamp, 4);
	frame.writeUInt8(seqs[0], 8);
	frame.writeUInt8(seqs[1], 9);
	frame.writeUInt8(IAX_FRAME, 10);
	frame.writeUInt8(subclass, 11);
	return frame;
};

/** POKE; PONG comes back, and is acknowledged so that it is not sent again. */
export const iaxPoke = (): Question => {
	const call = 1 + (randomBytes(2).readUInt16BE(0) % 0x7ffe);
	const fullFrame = (message: Buffer): boolean =>
		message.length >= FRAME_BYTES && (message.readUInt16BE(0) & 0x8000) !== 0 && message.readUInt8(10) === IAX_FRAME;
	return {
		request: () => iaxFrame(call, 0, 0, [0, 0], POKE),
		isReply: (message) =>
			fullFrame(message) && (message.readUInt16BE(2) & 0x7fff) === call && message.readUInt8(11) === PONG,
		thanks: (pong) => iaxFrame(call, pong.readUInt16BE(0) & 0x7fff, pong.readUInt32BE(4), [1, 1], ACK),
	};
};

const stateOf = (state: string | undefined): "up" | "down" | undefined =>
	state === "online" ? "up" : state === "offline" ? "down" : undefined;

/**
 * Asks carriers over the network: one try each time, whose reply may take two seconds. For endpoints that are the operator's own, Asterisk says how they
 * are. Where the carrier has never replied to us Asterisk's word counts as well: a firewall may let only Asterisk's own port through.
 */
export const networkProbe = (options: ProbeOptions): TrunkProbe => {
	const withinMs = options.replyWithinMs ?? REPLY_WITHIN_MS;
	/** Carriers that have replied to us, by trunk and address. */
	const replied = new Set<string>();
	const asteriskSays = async (trunk: HostTrunk): Promise<"up" | "down" | undefined> => {
		try {
			return stateOf(await options.endpointState(endpointOf(trunk)));
		} catch {
			// Asterisk is away: the sync says that by itself.
			return undefined;
		}
	};
	return async (trunk) => {
		if (trunk.type === "existing") return asteriskSays(trunk);
		if (trunk.host === undefined) return undefined;
		const port = trunk.port ?? (trunk.type === "pjsip" ? SIP_PORT : IAX_PORT);
		const key = `${trunk.id} ${trunk.host}:${port}`;
		const question = trunk.type === "pjsip" ? sipOptions(trunk.host, port) : iaxPoke();
		if (await ask(question, { host: trunk.host, port }, options.localAddress, withinMs)) {
			replied.add(key);
			return "up";
		}
		if (!replied.has(key) && (await asteriskSays(trunk)) === "up") return "up";
		return "down";
	};
};

import dgram from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { iaxPoke, networkProbe, sipOptions } from "../../../host/agent/trunk-probe.ts";
import { answerOptions, replyToOptions } from "../../../local/voice/simulated/options-port.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";

const open: dgram.Socket[] = [];
afterEach(() => {
	for (const socket of open.splice(0)) socket.close();
});

/** A carrier that sends back what `reply` makes of each message. */
const carrier = async (reply: (message: Buffer, n: number) => Buffer | string | undefined) => {
	const socket = dgram.createSocket("udp4");
	open.push(socket);
	const got: { message: Buffer; from: string; port: number }[] = [];
	socket.on("message", (message, from) => {
		got.push({ message, from: from.address, port: from.port });
		const answer = reply(message, got.length);
		if (answer !== undefined) socket.send(answer, from.port, from.address);
	});
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	return { port: socket.address().port, got };
};

const trunk = (over: Partial<HostTrunk>): HostTrunk => ({
	id: "t1",
	type: "pjsip",
	host: "127.0.0.1",
	codecs: ["ulaw"],
	qualify: 30,
	callerIdIn: "from",
	...over,
});
const probe = (over: Partial<Parameters<typeof networkProbe>[0]> = {}) =>
	networkProbe({ endpointState: async () => undefined, replyWithinMs: 700, ...over });
const sip = (status: string) => (message: Buffer) =>
	(replyToOptions(message.toString("latin1")) ?? "").replace("200 OK", status);

describe("SIP", () => {
	test.each(["200 OK", "404 Not Found", "401 Unauthorized", "503 Service Unavailable", "405 Method Not Allowed"])(
		"%s means up",
		async (status) => {
			const { port, got } = await carrier(sip(status));
			expect(await probe({ localAddress: "127.0.0.5" })(trunk({ port }))).toBe("up");
			expect(got).toHaveLength(1);
			expect(got[0]?.from).toBe("127.0.0.5");
			const text = got[0]?.message.toString("latin1") ?? "";
			expect(text).toMatch(/^OPTIONS sip:127\.0\.0\.1:\d+ SIP\/2\.0\r\n/);
			expect(text).toContain(`Via: SIP/2.0/UDP 127.0.0.5:${got[0]?.port};`);
			expect(text.endsWith("\r\n\r\n")).toBe(true);
		},
	);

	test.each<[string, Parameters<typeof carrier>[0]]>([
		["nothing", () => undefined],
		["somebody else's reply", (message) => sip("200 OK")(message).replace(/Call-ID: .*/i, "Call-ID: other")],
		["no SIP", () => "hello"],
		["a request", (message) => message],
		["nothing in it", () => Buffer.alloc(0)],
	])("%s means down", async (_, reply) => {
		const { port } = await carrier(reply);
		expect(await probe()(trunk({ port }))).toBe("down");
	});

	test("a lost packet is sent again", async () => {
		const { port, got } = await carrier((message, n) => (n === 1 ? undefined : sip("200 OK")(message)));
		expect(await probe()(trunk({ port }))).toBe("up");
		// The same transaction.
		expect(got[1]?.message.equals(got[0]?.message as Buffer)).toBe(true);
	});

	test("nobody on the port, no such name, no such own address: down", async () => {
		const { port } = await carrier(() => undefined);
		open.splice(0)[0]?.close();
		expect(await probe({ replyWithinMs: 50 })(trunk({ port }))).toBe("down");
		expect(await probe()(trunk({ host: "no-such-host.invalid" }))).toBe("down");
		expect(await probe({ localAddress: "192.0.2.1" })(trunk({ port }))).toBe("down");
	});

	test("each try has an id of its own", () => {
		const text = () => sipOptions("h", 1).request({ address: "127.0.0.1", port: 2 }).toString("latin1");
		expect(text()).not.toBe(text());
	});
});

describe("IAX2", () => {
	/** PONG to a POKE, as chan_iax2 sends it. */
	const pong = (poke: Buffer, call = 77, destination = poke.readUInt16BE(0) & 0x7fff, subclass = 3): Buffer => {
		const frame = Buffer.alloc(14);
		frame.writeUInt16BE(0x8000 | call, 0);
		frame.writeUInt16BE(destination, 2);
		frame.writeUInt32BE(3, 4);
		frame.writeUInt8(0, 8);
		frame.writeUInt8(1, 9);
		frame.writeUInt8(6, 10);
		frame.writeUInt8(subclass, 11);
		return frame;
	};

	test("PONG means up, and is acknowledged", async () => {
		let acknowledged: (message: Buffer) => void = () => undefined;
		const ack = new Promise<Buffer>((resolve) => {
			acknowledged = resolve;
		});
		const { port, got } = await carrier((message, n) => {
			if (n === 1) return pong(message);
			acknowledged(message);
			return undefined;
		});
		expect(await probe()(trunk({ type: "iax2", port }))).toBe("up");
		const poke = got[0]?.message as Buffer;
		expect([poke.length, poke.readUInt16BE(0) >= 0x8001, poke.readUInt8(10), poke.readUInt8(11)]).toEqual([
			12,
			true,
			6,
			30,
		]);
		const thanks = await ack;
		expect([thanks.readUInt16BE(0), thanks.readUInt16BE(2), thanks.readUInt8(11)]).toEqual([
			poke.readUInt16BE(0),
			77,
			4,
		]);
	});

	test.each<[string, (poke: Buffer) => Buffer]>([
		["another call's", (poke) => pong(poke, 77, ((poke.readUInt16BE(0) & 0x7fff) % 0x7ffe) + 1)],
		["something else", (poke) => pong(poke, 77, undefined, 10)],
		["a short one", (poke) => pong(poke).subarray(0, 8)],
		["a mini frame", (poke) => pong(poke, 77).fill(0, 0, 1)],
	])("%s means down", async (_, reply) => {
		const { port } = await carrier((message, n) => (n === 1 ? reply(message) : undefined));
		expect(await probe({ replyWithinMs: 200 })(trunk({ type: "iax2", port }))).toBe("down");
	});

	test("call numbers are within 15 bits", () => {
		for (let i = 0; i < 200; i++) {
			const call = iaxPoke().request({ address: "", port: 0 }).readUInt16BE(0) & 0x7fff;
			expect(call).toBeGreaterThan(0);
			expect(call).toBeLessThan(0x7fff);
		}
	});
});

describe("Asterisk's word", () => {
	test.each([
		["online", "up"],
		["offline", "down"],
		["unknown", undefined],
		[undefined, undefined],
	] as const)("an endpoint of the operator's own that is %s: %s", async (state, expected) => {
		const asked: string[] = [];
		const endpointState = async (endpoint: string) => {
			asked.push(endpoint);
			return state;
		};
		expect(await probe({ endpointState })(trunk({ type: "existing", endpoint: "PJSIP/own" }))).toBe(expected);
		expect(asked).toEqual(["PJSIP/own"]);
	});

	test("Asterisk that is away says nothing", async () => {
		const endpointState = () => Promise.reject(new Error("gone"));
		expect(await probe({ endpointState })(trunk({ type: "existing", endpoint: "PJSIP/own" }))).toBeUndefined();
		const { port } = await carrier(() => undefined);
		expect(await probe({ endpointState, replyWithinMs: 50 })(trunk({ port }))).toBe("down");
	});

	test("counts where the carrier never replied to us, and not once it has", async () => {
		let reply = false;
		const { port } = await carrier((message) => (reply ? sip("200 OK")(message) : undefined));
		const ask = probe({
			endpointState: async (endpoint) => (endpoint === "PJSIP/burst-dialer-t1" ? "online" : "offline"),
			replyWithinMs: 50,
		});
		expect(await ask(trunk({ port }))).toBe("up");
		reply = true;
		expect(await ask(trunk({ port }))).toBe("up");
		reply = false;
		expect(await ask(trunk({ port }))).toBe("down");
	});
});

describe("the simulated carrier's port", () => {
	test("answers while the carrier is up", async () => {
		let up = true;
		const free = await carrier(() => undefined);
		open.splice(0)[0]?.close();
		const close = await answerOptions("127.0.0.1", free.port, () => up);
		try {
			expect(await probe()(trunk({ port: free.port }))).toBe("up");
			up = false;
			expect(await probe({ replyWithinMs: 50 })(trunk({ port: free.port }))).toBe("down");
			// Another one on the same port leaves it as it is.
			(await answerOptions("127.0.0.1", free.port, () => true))();
		} finally {
			close();
		}
	});

	test("answers OPTIONS only", () => {
		expect(replyToOptions("INVITE sip:1@h SIP/2.0\r\n\r\n")).toBeUndefined();
		expect(replyToOptions("")).toBeUndefined();
	});
});

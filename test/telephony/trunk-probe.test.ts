import dgram from "node:dgram";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AriHttp } from "../../host/agent/ari-http.ts";
import { networkProbe } from "../../host/agent/trunk-probe.ts";
import { writeNat } from "../../host/asterisk/nat.ts";
import { renderIaxTrunk, renderPjsipTrunk } from "../../host/asterisk/render.ts";
import { type AddressBlock, claimAddresses } from "../../local/voice/real/addresses.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import { simulatedPlane } from "../../local/voice/simulated/plane.ts";
import type { Carrier, VoiceHost, VoicePlane } from "../../local/voice/types.ts";
import type { HostTrunk } from "../../shared/contract/host.ts";
import { AriClient } from "../support/ari/client.ts";
import { eventually } from "../support/ari/eventually.ts";

/** How the agent asks carriers whether they are there, against what really answers; and what a carrier sees of a host behind a NAT. */

/** Fetching the programs is part of the first run. */
const SETUP_LIMIT_MS = 240_000;
const TEST_LIMIT_MS = 60_000;
const PUBLIC = "203.0.113.9";

const trunkTo = (id: string, host: string, port: number, over: Partial<HostTrunk> = {}): HostTrunk => ({
	id,
	type: "pjsip",
	host,
	port,
	codecs: ["ulaw"],
	qualify: 30,
	callerIdIn: "from",
	...over,
});

describe.each<[string, () => Promise<VoicePlane>]>([
	["real", () => realPlane()],
	["simulated", async () => simulatedPlane()],
])("the %s carrier", (_, makePlane) => {
	let block: AddressBlock;
	let dir: string;
	let carrier: Carrier;

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "burst-dialer-probe-"));
		carrier = await (await makePlane()).startCarrier({ address: block.address(200), port: 5_060, dir });
	}, SETUP_LIMIT_MS);
	afterAll(async () => {
		await carrier?.stop();
		await block?.release();
		await rm(dir, { recursive: true, force: true });
	}, SETUP_LIMIT_MS);

	test(
		"answers, however many ask, and has no call by it",
		async () => {
			const probe = networkProbe({ localAddress: block.address(11), endpointState: async () => undefined });
			const one = trunkTo("t1", carrier.address, carrier.port);
			expect(await Promise.all(Array.from({ length: 40 }, () => probe(one)))).toEqual(Array(40).fill("up"));
			expect(await carrier.calls()).toEqual([]);
		},
		TEST_LIMIT_MS,
	);

	test(
		"a port on which nobody is does not answer",
		async () => {
			const probe = networkProbe({ localAddress: block.address(11), endpointState: async () => undefined });
			expect(await probe(trunkTo("t1", carrier.address, 5_999))).toBe("down");
		},
		TEST_LIMIT_MS,
	);
});

describe("the real Asterisk", () => {
	let block: AddressBlock;
	let dir: string;
	let host: VoiceHost;
	let ari: AriHttp;
	/** A carrier that keeps what it hears and says nothing. */
	let silent: dgram.Socket;
	const heard: string[] = [];

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "burst-dialer-probe-"));
		await mkdir(join(dir, "host"));
		silent = dgram.createSocket("udp4");
		silent.on("message", (message) => heard.push(message.toString("latin1")));
		silent.bind(0, block.address(200));
		await once(silent, "listening");
		const plane = await realPlane();
		host = await plane.prepareHost({ name: "host-a", address: block.address(11), dir: join(dir, "host") });
		const options = { transport: "transport-udp", secret: () => "" };
		await writeNat(host.etcDir, { address: PUBLIC, localNets: [`${host.address}/32`, "10.0.0.0/8"] });
		const trunk = trunkTo("t1", block.address(200), silent.address().port, { qualify: "off" });
		await writeFile(join(host.etcDir, "burst-dialer/pjsip.conf"), renderPjsipTrunk(trunk, options));
		const peer = trunkTo("t2", host.address, 4_569, { type: "iax2" });
		await writeFile(join(host.etcDir, "burst-dialer/iax.conf"), renderIaxTrunk(peer, options));
		await host.start();
		ari = new AriHttp({ ...host.ari, url: host.ari.baseUrl, app: "burst-dialer" });
	}, SETUP_LIMIT_MS);
	afterAll(async () => {
		await ari?.close();
		await host?.stop();
		silent?.close();
		await block?.release();
		await rm(dir, { recursive: true, force: true });
	}, SETUP_LIMIT_MS);

	test(
		"answers POKE with PONG",
		async () => {
			const probe = networkProbe({ localAddress: block.address(12), endpointState: async () => undefined });
			const peer = trunkTo("t2", host.address, 4_569, { type: "iax2" });
			expect(await Promise.all([probe(peer), probe(peer), probe(peer)])).toEqual(["up", "up", "up"]);
			expect(await probe({ ...peer, port: 4_570 })).toBe("down");
		},
		TEST_LIMIT_MS,
	);

	test(
		"says how its endpoints are, and of others nothing",
		async () => {
			const probe = networkProbe({ endpointState: (endpoint) => ari.endpointState(endpoint) });
			const existing = (endpoint: string) => probe(trunkTo("t3", "", 0, { type: "existing", endpoint }));
			// Without qualify it takes the contact for reachable.
			expect(await existing("PJSIP/burst-dialer-t1")).toBe("up");
			expect(await existing("PJSIP/nobody")).toBeUndefined();
		},
		TEST_LIMIT_MS,
	);

	test(
		"behind a NAT it names its public address to the carrier, for signalling and for sound",
		async () => {
			const client = new AriClient(host.ari);
			await client.post("/channels", {
				endpoint: "PJSIP/12345@burst-dialer-t1",
				context: "burst-example",
				extension: "s",
				priority: 1,
				timeout: 2,
			});
			const invite = () => heard.find((message) => message.startsWith("INVITE "));
			await eventually(() => invite() !== undefined, "an INVITE");
			expect(invite()).toMatch(new RegExp(`^Via: SIP/2\\.0/UDP ${PUBLIC}:5060`, "m"));
			expect(invite()).toMatch(new RegExp(`^Contact: <sip:[^>]*@?${PUBLIC}:5060`, "m"));
			expect(invite()).toMatch(new RegExp(`^c=IN IP4 ${PUBLIC}\\r?$`, "m"));
		},
		TEST_LIMIT_MS,
	);
});

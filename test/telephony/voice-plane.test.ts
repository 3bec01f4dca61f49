import dgram from "node:dgram";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Behaviour, e164Number, FINAL_STATUS, privateNumber } from "../../local/voice/carrier/numbers.ts";
import { peakChannels } from "../../local/voice/carrier/record.ts";
import { startSipp } from "../../local/voice/carrier/sipp.ts";
import { type AddressBlock, claimAddresses } from "../../local/voice/real/addresses.ts";
import type { AsteriskHost } from "../../local/voice/real/asterisk.ts";
import { providePrograms } from "../../local/voice/real/fetch.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import { VoiceError } from "../../local/voice/real/voice-error.ts";
import type { Carrier, CarrierCall, VoiceHost } from "../../local/voice/types.ts";

/** Fetching the programs is part of the first run. */
const SETUP_LIMIT_MS = 240_000;
const CALLS_LIMIT_MS = 60_000;
const RING_TIMEOUT_SEC = 2;

const trunkConf = (address: string, carrier: string): string => `
[carrier]
type=endpoint
transport=transport-udp
context=nothing
disallow=all
allow=ulaw
media_address=${address}
bind_rtp_to_media_address=yes
aors=carrier
[carrier]
type=aor
contact=sip:${carrier}:5060
[carrier]
type=identify
endpoint=carrier
match=${carrier}
`;
const DIALPLAN = "[test-wait]\nexten => s,1,Wait(30)\n same => n,Hangup(16)\n";

const authorization = ({ ari }: VoiceHost): string =>
	`Basic ${Buffer.from(`${ari.username}:${ari.password}`).toString("base64")}`;

const ari = async (host: VoiceHost, method: string, path: string, body?: object): Promise<number> => {
	const answer = await fetch(`${host.ari.baseUrl}${path}`, {
		method,
		headers: { authorization: authorization(host), "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	await answer.arrayBuffer();
	return answer.status;
};

const configure = async (host: VoiceHost, carrier: Carrier): Promise<void> => {
	await mkdir(join(host.etcDir, "burst-dialer"), { recursive: true });
	await writeFile(join(host.etcDir, "burst-dialer/pjsip.conf"), trunkConf(host.address, carrier.address));
	await writeFile(join(host.etcDir, "burst-dialer/extensions.conf"), DIALPLAN);
	for (const module of ["res_pjsip.so", "pbx_config.so"])
		expect(await ari(host, "PUT", `/asterisk/modules/${module}`)).toBe(204);
};

let serial = 0;
const originate = async (host: VoiceHost, number: string): Promise<string> => {
	serial += 1;
	const channelId = `test-${String(serial).padStart(8, "0")}`;
	const status = await ari(host, "POST", "/channels", {
		endpoint: `PJSIP/${number}@carrier`,
		context: "test-wait",
		extension: "s",
		priority: 1,
		timeout: RING_TIMEOUT_SEC,
		channelId,
	});
	expect(status).toBe(200);
	return channelId;
};

/** Waits until the carrier's record of the numbers satisfies the condition. */
const recordOf = async (
	carrier: Carrier,
	numbers: string[],
	until: (calls: CarrierCall[]) => boolean,
): Promise<CarrierCall[]> => {
	for (;;) {
		const calls = (await carrier.calls()).filter(({ number }) => numbers.includes(number));
		if (calls.length >= numbers.length && until(calls)) return calls;
		await delay(50);
	}
};
const allEnded = (calls: CarrierCall[]): boolean => calls.every(({ endedAt }) => endedAt !== undefined);

describe("the real voice plane", () => {
	let block: AddressBlock;
	let dir: string;
	let carrier: Carrier;
	const hosts: VoiceHost[] = [];

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "voice-"));
		const plane = await realPlane();
		carrier = await plane.startCarrier({ address: block.address(200), port: 5060, dir: join(dir, "carrier") });
		for (const name of ["one", "two"])
			hosts.push(await plane.startHost({ name, address: block.address(hosts.length + 11), dir: join(dir, name) }));
		for (const host of hosts) await configure(host, carrier);
	}, SETUP_LIMIT_MS);

	afterAll(async () => {
		await Promise.all(hosts.map((host) => host.stop()));
		await carrier?.stop();
		await block?.release();
		await rm(dir, { recursive: true, force: true });
	}, SETUP_LIMIT_MS);

	const host = (n: number): VoiceHost => hosts[n] as VoiceHost;

	test(
		"each behaviour of the number plan is what the carrier's record shows, from both hosts",
		async () => {
			const behaviours: Behaviour[] = [
				{ kind: "answer", ringMs: 300, talkMs: 700 },
				{ kind: "busy" },
				{ kind: "notFound" },
				{ kind: "unavailable" },
				{ kind: "congestion" },
				{ kind: "declined" },
				{ kind: "incomplete" },
				{ kind: "ring" },
				{ kind: "answer", ringMs: 3_000, talkMs: 1_000 },
			];
			const status = [200, 486, 404, 480, 503, 603, 484, 487, 487];
			const numbers = behaviours.map((behaviour, index) => privateNumber(behaviour, index));
			for (const [index, number] of numbers.entries()) await originate(host(index % 2), number);
			const calls = await recordOf(carrier, numbers, allEnded);
			expect(calls).toHaveLength(numbers.length);
			for (const [index, number] of numbers.entries()) {
				const call = calls.find((each) => each.number === number) as CarrierCall;
				expect([behaviours[index], call.status]).toEqual([behaviours[index], status[index]]);
				expect(call.from).toBe(host(index % 2).address);
				expect(call.endedAt).toBeGreaterThanOrEqual(call.invitedAt);
			}
			const [answered, , , unavailable, , , , rung] = numbers.map((number) =>
				calls.find((each) => each.number === number),
			) as CarrierCall[];
			expect((answered?.answeredAt ?? 0) - (answered?.ringingAt ?? 0)).toBeGreaterThanOrEqual(299);
			expect((answered?.endedAt ?? 0) - (answered?.answeredAt ?? 0)).toBeGreaterThanOrEqual(699);
			expect((unavailable?.endedAt ?? 0) - (unavailable?.ringingAt ?? 0)).toBeGreaterThanOrEqual(299);
			expect((rung?.endedAt ?? 0) - (rung?.invitedAt ?? 0)).toBeGreaterThanOrEqual(RING_TIMEOUT_SEC * 1_000 - 50);
			expect(rung?.answeredAt).toBeUndefined();
			expect(peakChannels(calls)).toBeGreaterThanOrEqual(3);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"E.164 numbers with and without +, and numbers outside the plan",
		async () => {
			const busy = e164Number("busy", 0);
			const numbers = [busy, busy.slice(1), e164Number("unavailable", 1), "+442079460123", e164Number("answer", 2)];
			for (const number of numbers) await originate(host(0), number);
			const calls = await recordOf(carrier, numbers, allEnded);
			const status = numbers.map((number) => calls.find((call) => call.number === number)?.status);
			expect(status).toEqual([486, 486, FINAL_STATUS.unavailable, 404, 200]);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"the caller hangs up: while it rings, while it talks, and where the carrier would wait for ever",
		async () => {
			const ringing = privateNumber({ kind: "answerAndWait", ringMs: 60_000 }, 100);
			const talking = privateNumber({ kind: "answer", ringMs: 0, talkMs: 60_000 }, 101);
			const waiting = privateNumber({ kind: "answerAndWait", ringMs: 0 }, 102);
			const numbers = [ringing, talking, waiting];
			const channels = await Promise.all(numbers.map((number) => originate(host(1), number)));
			await recordOf(carrier, numbers, (calls) =>
				calls.every(({ number, ringingAt, answeredAt }) => (number === ringing ? ringingAt : answeredAt) !== undefined),
			);
			// Asterisk knows of an answer a moment after the carrier gave it.
			for (const channel of channels)
				expect([204, 404]).toContain(await ari(host(1), "DELETE", `/channels/${channel}`));
			const calls = await recordOf(carrier, numbers, allEnded);
			const status = numbers.map((number) => calls.find((call) => call.number === number)?.status);
			expect(status).toEqual([487, 200, 200]);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"no reply at all: one call in the record however often the INVITE is repeated, taking no channel of the carrier",
		async () => {
			const number = privateNumber({ kind: "silent" }, 1);
			const channel = await originate(host(0), number);
			while ((await ari(host(0), "GET", `/channels/${channel}`)) === 200) await delay(100);
			const [call, ...more] = await recordOf(carrier, [number], allEnded);
			expect(more).toEqual([]);
			expect(call?.status).toBeUndefined();
			expect(call?.ringingAt).toBeUndefined();
			expect(call?.endedAt).toBe(call?.invitedAt);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"a stranger's INVITE is refused",
		async () => {
			const { sipPort, address } = host(0) as AsteriskHost;
			const stranger = dgram.createSocket("udp4").bind(0, block.address(66));
			await once(stranger, "listening");
			const source = `${block.address(66)}:${stranger.address().port}`;
			const invite = [
				`INVITE sip:s@${address}:${sipPort} SIP/2.0`,
				`Via: SIP/2.0/UDP ${source};branch=z9hG4bKstranger;rport`,
				"Max-Forwards: 70",
				`From: <sip:1000@${source}>;tag=stranger`,
				`To: <sip:s@${address}>`,
				"Call-ID: stranger",
				"CSeq: 1 INVITE",
				`Contact: <sip:1000@${source}>`,
				"Content-Length: 0",
				"",
				"",
			].join("\r\n");
			const answered = once(stranger, "message");
			stranger.send(invite, sipPort, address);
			const [answer] = (await answered) as [Buffer];
			stranger.close();
			expect(answer.toString("latin1")).toMatch(/^SIP\/2\.0 (401|403|404) /);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"messages out of place do the carrier no harm",
		async () => {
			const stray = dgram.createSocket("udp4").bind(0, block.address(67));
			await once(stray, "listening");
			const source = `${block.address(67)}:${stray.address().port}`;
			const message = (method: string, id: string): string =>
				[
					`${method} sip:2@${carrier.address}:5060 SIP/2.0`,
					`Via: SIP/2.0/UDP ${source};branch=z9hG4bK${method}${id};rport`,
					`From: <sip:x@${source}>;tag=x`,
					`To: <sip:2@${carrier.address}>;tag=gone`,
					`Call-ID: ${id}`,
					`CSeq: 1 ${method}`,
					`Contact: <sip:x@${source}>`,
					"Content-Length: 0",
					"",
					"",
				].join("\r\n");
			const answerTo = async (method: string, id: string): Promise<string> => {
				const answered = once(stray, "message");
				stray.send(message(method, id), 5060, carrier.address);
				return ((await answered) as [Buffer])[0].toString("latin1").split("\r\n")[0] ?? "";
			};
			for (const text of ["", "\r\n\r\n", "nonsense", message("ACK", "stray-ack"), message("INFO", "stray-info")])
				stray.send(text, 5060, carrier.address);
			expect(await answerTo("BYE", "stray-bye")).toMatch(/ 481 /);
			expect(await answerTo("CANCEL", "stray-cancel")).toMatch(/ 481 /);
			expect(await answerTo("OPTIONS", "stray-options")).toMatch(/ 200 /);
			expect(await answerTo("INVITE", "stray-invite")).toMatch(/ 486 /);
			stray.close();
			const calls = await carrier.calls();
			expect(calls.filter(({ id }) => id.startsWith("stray")).map(({ id }) => id)).toEqual(["stray-invite"]);
		},
		CALLS_LIMIT_MS,
	);

	test(
		"a carrier on a port that is taken does not start, and one that died says so instead of showing an old record",
		async () => {
			const { sipp } = await providePrograms();
			const place = { address: block.address(201), port: 5060, dir: join(dir, "second") };
			await expect(startSipp(sipp, { ...place, address: carrier.address })).rejects.toThrow(VoiceError);
			const second = await startSipp(sipp, place);
			try {
				expect(await second.calls()).toEqual([]);
				process.kill(second.pid, "SIGKILL");
				for (;;) {
					const failure = await second.calls().then(
						() => undefined,
						(error: unknown) => error,
					);
					if (failure === undefined) continue;
					expect(failure).toBeInstanceOf(VoiceError);
					break;
				}
			} finally {
				await second.stop();
			}
		},
		CALLS_LIMIT_MS,
	);

	test(
		"Asterisk killed in mid-call starts again on the same address with the same files; the carrier's leg is then still up",
		async () => {
			const number = privateNumber({ kind: "answerAndWait", ringMs: 0 }, 200);
			await originate(host(1), number);
			await recordOf(carrier, [number], (calls) => calls[0]?.answeredAt !== undefined);
			const before = host(1).pid;
			await host(1).kill();
			expect(host(1).pid).toBeUndefined();
			await host(1).start();
			expect(host(1).pid).not.toBe(before);
			expect((await recordOf(carrier, [number], () => true))[0]?.endedAt).toBeUndefined();
			const next = privateNumber({ kind: "busy" }, 200);
			await originate(host(1), next);
			expect((await recordOf(carrier, [next], allEnded))[0]?.status).toBe(486);
		},
		CALLS_LIMIT_MS,
	);
});

import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { awaitCampaign, setTrunk, submitCampaign } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { AUDIO, type AudioKind, audioMs } from "../../local/voice/carrier/audio.ts";
import { type Behaviour, privateNumber } from "../../local/voice/carrier/numbers.ts";
import { type AddressBlock, claimAddresses } from "../../local/voice/real/addresses.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import { simulatedPlane } from "../../local/voice/simulated/plane.ts";
import type { Carrier, CarrierCall, VoiceHost, VoicePlane } from "../../local/voice/types.ts";
import type { CompletedCall, GrantedCall } from "../../shared/contract/call.ts";
import { AgentProcess } from "../support/agent/agent-process.ts";
import { type Contact, FakeControlPlane } from "../support/agent/control-plane.ts";
import { startFleet } from "./support/fleet.ts";

/**
 * Answering machines, by what the far end is heard to say: the agent's dialplan in the real Asterisk and in the simulated one. Judged by the agent's reports and by the
 * carrier's record; moments are compared with the length of what the carrier plays, and with nothing shorter.
 */

const SETUP_LIMIT_MS = 240_000;
const TEST_LIMIT_MS = 120_000;
const WAIT_MS = 60_000;
const AGENT_PORT = 9098;
/** What the campaign does here: it says what it saw, and hangs up a second later. */
const AFTERWARDS_MS = 1_000;
const OPERATORS_CONTEXT = `
[burst-began]
exten => s,1,Set(BURST_RESULT_verdict=\${BURST_AMD})
 same => n,Set(BURST_RESULT_status=\${AMDSTATUS})
 same => n,Wait(${AFTERWARDS_MS / 1_000})
 same => n,Hangup(16)
`;
const THEN: GrantedCall["then"] = { context: "burst-began", extension: "s" };

const PLANES: [string, () => Promise<VoicePlane>][] = [
	["real", () => realPlane()],
	["simulated", async () => simulatedPlane()],
];

const eventually = async (condition: () => boolean | Promise<boolean>): Promise<boolean> => {
	const end = Date.now() + WAIT_MS;
	while (!(await condition())) {
		if (Date.now() > end) return false;
		await delay(20);
	}
	return true;
};

describe.each(PLANES)("the agent beside the %s Asterisk, listening", (kind, makePlane) => {
	let block: AddressBlock;
	let dir: string;
	let carrier: Carrier;
	let host: VoiceHost;
	let control: FakeControlPlane;
	let agent: AgentProcess;
	let serial = 0;
	let tests = 0;

	const add = (behaviour: Behaviour, contact: Omit<Contact, "number">): string => {
		const number = privateNumber(behaviour, ++serial);
		control.add({ number, ...contact });
		return number;
	};
	const report = (number: string): CompletedCall | undefined => control.outcomesOf(number)[0];
	/** The call as the carrier saw it, and how long it lasted from the answer on. */
	const carriers = async (number: string): Promise<CarrierCall & { talkMs: number }> => {
		const calls = (await carrier.calls()).filter((call) => call.number === number);
		expect(calls).toHaveLength(1);
		const [call] = calls as [CarrierCall];
		return { ...call, talkMs: (call.endedAt ?? Number.NaN) - (call.answeredAt ?? Number.NaN) };
	};
	/** Its own REST interface, which only the real one has whole. */
	const module = async (method: "POST" | "DELETE", name: string): Promise<void> => {
		const { baseUrl, username, password } = host.ari;
		const answer = await fetch(`${baseUrl}/asterisk/modules/${name}`, {
			method,
			headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
		});
		expect({ method, name, status: answer.status }).toEqual({ method, name, status: 204 });
	};

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "burst-dialer-amd-"));
		const plane = await makePlane();
		for (const name of ["carrier", "host"]) await mkdir(join(dir, name));
		carrier = await plane.startCarrier({ address: block.address(200), port: 5_060, dir: join(dir, "carrier") });
		const address = block.address(11);
		host = await plane.prepareHost({
			name: "host-a",
			address,
			dir: join(dir, "host"),
			agentAddress: `${address}:${AGENT_PORT}`,
		});
		await appendFile(join(host.etcDir, "extensions.conf"), OPERATORS_CONTEXT);
		await host.start();
	}, SETUP_LIMIT_MS);

	afterAll(async () => {
		await host?.stop();
		await carrier?.stop();
		await block?.release();
		await rm(dir, { recursive: true, force: true });
	}, SETUP_LIMIT_MS);

	beforeEach(async () => {
		tests++;
		control = new FakeControlPlane({
			capacity: 50,
			cap: 20,
			trunks: [
				{
					id: "t1",
					type: "pjsip",
					host: carrier.address,
					port: carrier.port,
					codecs: ["ulaw"],
					qualify: "off",
					callerIdIn: "from",
				},
			],
		});
		await control.start();
		agent = new AgentProcess({
			dir: join(dir, `agent-${tests}`),
			hostId: "host-a",
			controlPlaneUrl: control.url,
			host,
			listen: { address: host.address, port: AGENT_PORT },
		});
		await agent.start();
	});

	afterEach(async () => {
		await agent.stop();
		await control.stop();
		expect(control.problems).toEqual([]);
	}, TEST_LIMIT_MS);

	const heard = (sound: AudioKind): Behaviour => ({ kind: sound, ringMs: 200 });

	test(
		"a person is never taken for a machine and goes on; a machine is hung up on, left a message after its greeting, or talked to at once",
		async () => {
			const person = add(heard("person"), { then: THEN, amd: { onMachine: "hangup" } });
			const personPlay = add(heard("person"), { then: THEN, amd: { onMachine: "play" } });
			const quiet = add({ kind: "answerAndWait", ringMs: 200 }, { then: THEN, amd: { onMachine: "hangup" } });
			const hangup = add(heard("machine"), { then: THEN, amd: { onMachine: "hangup" } });
			const goOn = add(heard("machine"), { then: THEN, amd: { onMachine: "continue" } });
			const play = add(heard("machine"), { then: THEN, amd: { onMachine: "play" } });
			const beep = add(heard("machineBeep"), { then: THEN, amd: { onMachine: "play" } });
			const waits = add(heard("machineBeep"), { then: { wait: 1 }, amd: { onMachine: "play" } });
			const plain = add(heard("machine"), { then: THEN });
			const limited = add(heard("machine"), { then: THEN, amd: { onMachine: "play" }, maxCallSec: 6 });
			const gone = add({ kind: "answer", ringMs: 200, talkMs: 800 }, { then: THEN, amd: { onMachine: "hangup" } });
			expect(await eventually(() => control.done)).toBe(true);

			for (const number of [person, personPlay]) {
				expect(report(number)).toMatchObject({
					outcome: "answered",
					vars: { verdict: "human", status: "HUMAN" },
					amd: { verdict: "human", cause: expect.stringMatching(/^HUMAN-/) },
				});
				expect(report(number)?.amd?.decidedMs).toBeGreaterThan(audioMs(AUDIO.person) - 200);
				expect((await carriers(number)).talkMs).toBeGreaterThan(audioMs(AUDIO.person) + AFTERWARDS_MS);
			}
			expect(report(quiet)).toMatchObject({
				outcome: "answered",
				vars: { verdict: "notsure", status: "NOTSURE" },
				amd: { verdict: "notsure", cause: expect.stringMatching(/^TOOLONG-/) },
			});

			const machine = { verdict: "machine", cause: expect.stringMatching(/^LONGGREETING-/) };
			expect(report(hangup)).toMatchObject({ outcome: "machine", amd: machine });
			expect(report(hangup)).not.toHaveProperty("vars");
			expect((await carriers(hangup)).talkMs).toBeLessThan(audioMs(AUDIO.machine));

			expect(report(goOn)).toMatchObject({ outcome: "machine", vars: { verdict: "machine" }, amd: machine });
			expect((await carriers(goOn)).talkMs).toBeLessThan(audioMs(AUDIO.machine));

			// What the campaign does begins when the greeting, and the beep, are over.
			for (const [number, sound, greetingEnd] of [
				[play, "machine", "silence"],
				[beep, "machineBeep", "beep"],
				[waits, "machineBeep", "beep"],
			] as const) {
				expect(report(number)).toMatchObject({ outcome: "machine", amd: { ...machine, greetingEnd } });
				expect((await carriers(number)).talkMs - AFTERWARDS_MS).toBeGreaterThan(audioMs(AUDIO[sound]));
				expect(report(number)?.amd?.greetingMs).toBeGreaterThan(audioMs(AUDIO[sound]) - 200);
				expect(report(number)?.amd?.decidedMs).toBeLessThan(audioMs(AUDIO[sound]));
			}
			for (const number of [play, beep]) expect(report(number)?.vars).toMatchObject({ verdict: "machine" });

			expect(report(plain)).toMatchObject({ outcome: "answered", vars: { verdict: "", status: "" } });
			expect(report(plain)).not.toHaveProperty("amd");

			// The limit of the call counts from the answer, through all of it.
			expect(report(limited)).toMatchObject({ outcome: "machine", amd: machine });
			expect(report(limited)?.amd).not.toHaveProperty("greetingMs");
			expect((await carriers(limited)).talkMs).toBeLessThan(audioMs(AUDIO.machine));

			// Who hangs up while being listened to has answered.
			expect(report(gone)).toMatchObject({ outcome: "answered" });
			expect(report(gone)).not.toHaveProperty("vars");
		},
		TEST_LIMIT_MS,
	);

	if (kind === "real") {
		test(
			"without AMD() and what else is needed no call is lost: it goes on as a person's, and the report says so",
			async () => {
				const modules = ["app_amd.so", "app_waitforsilence.so", "res_tonedetect.so"];
				for (const name of modules.slice(1)) await module("DELETE", name);
				try {
					const unheard = add(heard("machine"), { then: THEN, amd: { onMachine: "play" } });
					expect(await eventually(() => control.done)).toBe(true);
					expect(report(unheard)).toMatchObject({ outcome: "machine", vars: { verdict: "machine" } });
					expect(report(unheard)?.amd).not.toHaveProperty("greetingEnd");
					expect((await carriers(unheard)).talkMs).toBeLessThan(audioMs(AUDIO.machine));
					await module("DELETE", "app_amd.so");
					const numbers = (["hangup", "play", "continue"] as const).map((onMachine) =>
						add(heard("machine"), { then: THEN, amd: { onMachine } }),
					);
					expect(await eventually(() => control.done)).toBe(true);
					for (const number of numbers) {
						expect(report(number)).toMatchObject({
							outcome: "answered",
							vars: { verdict: "unavailable", status: "" },
							amd: { verdict: "unavailable" },
						});
						expect((await carriers(number)).talkMs).toBeGreaterThan(AFTERWARDS_MS);
					}
					expect(agent.log.filter(({ event }) => event === "amdUnavailable")).toHaveLength(3);
				} finally {
					for (const name of modules) await module("POST", name);
				}
			},
			TEST_LIMIT_MS,
		);
	}
});

describe("the whole dialer", () => {
	let stack: Stack | undefined;
	beforeAll(async () => {
		({ stack } = await startFleet({ steady: 1, capacity: 10 }));
		await setTrunk(stack, { maxChannels: 10, maxCps: 100 });
	}, SETUP_LIMIT_MS);
	afterAll(() => stack?.stop(), SETUP_LIMIT_MS);

	test(
		"a campaign with amd: who answered, why and after how long is in its records, as JSON and as CSV",
		async () => {
			if (stack === undefined) throw new Error("there is no stack");
			const { client } = stack;
			const sounds = ["person", "machine", "machineBeep"] as const;
			const numbers = sounds.map((sound) => privateNumber({ kind: sound, ringMs: 200 }, 1));
			const amd = { enabled: true, onMachine: "play" };
			const campaignId = await submitCampaign(stack, numbers, { name: "machines", then: { wait: 1 }, amd });
			expect((await client.request("GET", `/v1/campaigns/${campaignId}`)).body).toMatchObject({ amd });
			const run = await awaitCampaign(stack, campaignId, numbers);
			expect(run.outcomes).toEqual({ answered: 1, machine: 2 });
			const found = new Map(run.records.map((record) => [record.number, record]));
			const decided = { cause: expect.any(String), decidedMs: expect.any(Number) };
			const greeted = { ...decided, greetingMs: expect.any(Number) };
			expect(numbers.map((number) => found.get(number))).toMatchObject([
				{ outcome: "answered", amd: { ...decided, verdict: "human", greetingMs: null, greetingEnd: null } },
				{ outcome: "machine", amd: { ...greeted, verdict: "machine", greetingEnd: "silence" } },
				{ outcome: "machine", amd: { ...greeted, verdict: "machine", greetingEnd: "beep" } },
			]);
			const path = `/v1/campaigns/${campaignId}/calls`;
			const csv = (await client.request<string>("GET", path, undefined, { accept: "text/csv" })).body;
			const [head, ...rows] = csv.trimEnd().split("\r\n");
			expect(head?.endsWith(",amdVerdict,amdCause,amdDecidedMs,amdGreetingMs,amdGreetingEnd")).toBe(true);
			expect(rows.map((row) => row.split(",").slice(-5)[0]).sort()).toEqual(["human", "machine", "machine"]);
		},
		TEST_LIMIT_MS,
	);
});

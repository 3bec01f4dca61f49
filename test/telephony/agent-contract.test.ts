import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Behaviour, privateNumber } from "../../local/voice/carrier/numbers.ts";
import { type AddressBlock, claimAddresses } from "../../local/voice/real/addresses.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import { simulatedPlane } from "../../local/voice/simulated/plane.ts";
import type { Carrier, CarrierCall, VoiceHost, VoicePlane } from "../../local/voice/types.ts";
import type { HostTrunk } from "../../shared/contract/host.ts";
import { AgentProcess } from "../support/agent/agent-process.ts";
import { type Contact, FakeControlPlane } from "../support/agent/control-plane.ts";

/**
 * The agent against the real Asterisk and the simulated one, by the same tests; a small control plane hands out the calls. Judged by what the agent
 * reports and by what the carrier saw.
 */

/** Fetching the programs is part of the first run. */
const SETUP_LIMIT_MS = 240_000;
const TEST_LIMIT_MS = 90_000;
const WAIT_MS = 45_000;
const AGENT_PORT = 9098;
/** Nothing listens there. */
const DEAD_PORT = 5_999;

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

/** Most calls that the carrier had at once. */
const mostAtOnce = (calls: CarrierCall[]): number => {
	const changes = calls.flatMap(({ invitedAt, endedAt }): [number, number][] =>
		endedAt === undefined
			? [[invitedAt, 1]]
			: [
					[invitedAt, 1],
					[endedAt, -1],
				],
	);
	changes.sort(([a, x], [b, y]) => a - b || x - y);
	let live = 0;
	let most = 0;
	for (const [, change] of changes) {
		live += change;
		most = Math.max(most, live);
	}
	return most;
};

describe.each(PLANES)("the agent beside the %s Asterisk", (_, makePlane) => {
	let block: AddressBlock;
	let dir: string;
	let plane: VoicePlane;
	let carrier: Carrier;
	let host: VoiceHost;
	let control: FakeControlPlane;
	let agent: AgentProcess;
	let serial = 0;
	let tests = 0;

	const number = (behaviour: Behaviour): string => privateNumber(behaviour, ++serial);
	const trunk = (id: string, port: number, change: Partial<HostTrunk> = {}): HostTrunk => ({
		id,
		type: "pjsip",
		host: carrier.address,
		port,
		codecs: ["ulaw"],
		qualify: "off",
		callerIdIn: "from",
		...change,
	});
	const callsTo = async (called: string): Promise<CarrierCall[]> =>
		(await carrier.calls()).filter((call) => call.number === called);
	const add = (behaviour: Behaviour, contact: Omit<Contact, "number"> = {}): string => {
		const called = number(behaviour);
		control.add({ number: called, ...contact });
		return called;
	};
	const outcome = (called: string): string[] => control.outcomesOf(called).map((call) => call.outcome);
	const newAgent = (options: { events?: "inbound" } = {}): AgentProcess =>
		new AgentProcess({
			dir: join(dir, `agent-${tests}`),
			hostId: "host-a",
			controlPlaneUrl: control.url,
			host,
			listen: { address: host.address, port: AGENT_PORT },
			...options,
		});

	beforeAll(async () => {
		block = await claimAddresses();
		dir = await mkdtemp(join(tmpdir(), "burst-dialer-agent-"));
		plane = await makePlane();
		for (const name of ["carrier", "host"]) await mkdir(join(dir, name));
		carrier = await plane.startCarrier({ address: block.address(200), port: 5_060, dir: join(dir, "carrier") });
		const address = block.address(11);
		host = await plane.startHost({
			name: "host-a",
			address,
			dir: join(dir, "host"),
			agentAddress: `${address}:${AGENT_PORT}`,
		});
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
			trunks: [trunk("t1", carrier.port), trunk("dead", DEAD_PORT, { qualify: 1 })],
		});
		await control.start();
		agent = newAgent();
	});

	afterEach(async () => {
		await agent.stop();
		await control.stop();
		expect(control.problems).toEqual([]);
	}, TEST_LIMIT_MS);

	test(
		"every outcome, exactly, and each number is invited once",
		async () => {
			await agent.start();
			const expected = new Map<string, string>();
			for (let i = 0; i < 2; i++) {
				expected.set(add({ kind: "answer", ringMs: 300, talkMs: 500 }), "answered");
				expected.set(add({ kind: "answerAndWait", ringMs: 200 }, { then: { wait: 1 } }), "answered");
				expected.set(add({ kind: "busy" }), "busy");
				expected.set(add({ kind: "notFound" }), "invalidNumber");
				expected.set(add({ kind: "incomplete" }), "invalidNumber");
				expected.set(add({ kind: "unavailable" }), "unavailable");
				expected.set(add({ kind: "congestion" }), "congestion");
				expected.set(add({ kind: "declined" }), "rejected");
				expected.set(add({ kind: "ring" }, { ringTimeoutSec: 1 }), "noAnswer");
				expected.set(add({ kind: "silent" }, { ringTimeoutSec: 1 }), "trunkFailure");
				expected.set(add({ kind: "busy" }, { trunk: "dead", ringTimeoutSec: 1 }), "trunkFailure");
			}
			expect(await eventually(() => control.done)).toBe(true);
			expect([...expected.keys()].map((called) => [called, outcome(called)])).toEqual(
				[...expected].map(([called, wanted]) => [called, [wanted]]),
			);
			const invited = (await carrier.calls()).map((call) => call.number);
			expect(new Set(invited).size).toBe(invited.length);
		},
		TEST_LIMIT_MS,
	);

	test(
		"codes and times of a call are reported, and the dialplan's variables, which are not evaluated on the way",
		async () => {
			await agent.start();
			const busy = add({ kind: "busy" });
			const answered = add(
				{ kind: "answer", ringMs: 200, talkMs: 5_000 },
				{ then: { context: "burst-example", extension: "s" }, vars: { name: `\${EXTEN} "x" $[1+1], y` } },
			);
			expect(await eventually(() => control.done)).toBe(true);
			expect(control.outcomesOf(busy)[0]).toMatchObject({ cause: 17, sipCode: 486 });
			const [call] = control.outcomesOf(answered);
			expect(call).toMatchObject({ outcome: "answered", vars: { greeted: `\${EXTEN} "x" $[1+1], y` } });
			const times = [call?.startedAt, call?.ringingAt, call?.answeredAt, call?.endedAt].map((at) =>
				Date.parse(at ?? ""),
			);
			expect(times).toEqual([...times].sort((a, b) => a - b));
			expect(times.some(Number.isNaN)).toBe(false);
		},
		TEST_LIMIT_MS,
	);

	test(
		"the cap holds in the carrier's view, and is used",
		async () => {
			control.cap = 6;
			await agent.start();
			const before = new Set((await carrier.calls()).map(({ id }) => id));
			for (let i = 0; i < 15; i++) {
				add({ kind: "answer", ringMs: 100, talkMs: 300 });
				add({ kind: "ring" }, { ringTimeoutSec: 1 });
				add({ kind: "busy" });
				add({ kind: "answerAndWait", ringMs: 100 }, { then: { wait: 1 } });
			}
			expect(await eventually(() => control.done)).toBe(true);
			const calls = (await carrier.calls()).filter(({ id }) => !before.has(id));
			expect(calls).toHaveLength(60);
			expect(mostAtOnce(calls)).toBe(6);
		},
		TEST_LIMIT_MS,
	);

	test(
		"kill -9 of the agent in mid-call: what ended meanwhile is reported exactly after its restart, nothing is dialed twice",
		async () => {
			await agent.start();
			const expected = new Map([
				[add({ kind: "answer", ringMs: 100, talkMs: 1_500 }), "answered"],
				[add({ kind: "ring" }, { ringTimeoutSec: 2 }), "noAnswer"],
				[add({ kind: "answerAndWait", ringMs: 100 }, { then: { wait: 2 } }), "answered"],
				[add({ kind: "answer", ringMs: 100, talkMs: 8_000 }), "answered"],
				[add({ kind: "answer", ringMs: 1_800, talkMs: 300 }), "answered"],
			]);
			const numbers = [...expected.keys()];
			const underWay = async (): Promise<boolean> => {
				const calls = await carrier.calls();
				return numbers.every((called) => calls.some((call) => call.number === called && call.ringingAt !== undefined));
			};
			expect(await eventually(underWay)).toBe(true);
			await delay(300);
			await agent.kill();
			// All but one end while nobody listens.
			const ended = async (): Promise<boolean> =>
				(await carrier.calls()).filter((call) => expected.has(call.number) && call.endedAt !== undefined).length === 4;
			expect(await eventually(ended)).toBe(true);
			await agent.start();
			expect(await eventually(() => control.done)).toBe(true);
			expect(numbers.map((called) => outcome(called))).toEqual([...expected.values()].map((wanted) => [wanted]));
			for (const called of numbers) expect(await callsTo(called)).toHaveLength(1);
		},
		TEST_LIMIT_MS,
	);

	test(
		"kill -9 of Asterisk in mid-call: answered stays answered, the rest is unknown, and dialing goes on",
		async () => {
			await agent.start();
			const up = add({ kind: "answer", ringMs: 100, talkMs: 20_000 });
			const ringing = add({ kind: "ring" }, { ringTimeoutSec: 30 });
			const both = async (): Promise<boolean> => {
				const calls = await carrier.calls();
				return (
					calls.some((call) => call.number === up && call.answeredAt !== undefined) &&
					calls.some((call) => call.number === ringing && call.ringingAt !== undefined)
				);
			};
			expect(await eventually(both)).toBe(true);
			await delay(300);
			await host.kill();
			await host.start();
			const later = add({ kind: "busy" });
			expect(await eventually(() => control.done)).toBe(true);
			expect([outcome(up), outcome(ringing), outcome(later)]).toEqual([["answered"], ["unknown"], ["busy"]]);
			for (const called of [up, ringing, later]) expect(await callsTo(called)).toHaveLength(1);
		},
		TEST_LIMIT_MS,
	);

	test(
		"kill -9 of both in mid-call: nothing is dialed twice, and dialing goes on",
		async () => {
			await agent.start();
			const up = add({ kind: "answer", ringMs: 100, talkMs: 20_000 });
			expect(await eventually(async () => (await callsTo(up)).some((call) => call.answeredAt !== undefined))).toBe(
				true,
			);
			await delay(300);
			await agent.kill();
			await host.kill();
			await host.start();
			await agent.start();
			const later = add({ kind: "busy" });
			expect(await eventually(() => control.done)).toBe(true);
			expect([outcome(up), outcome(later)]).toEqual([["answered"], ["busy"]]);
			for (const called of [up, later]) expect(await callsTo(called)).toHaveLength(1);
		},
		TEST_LIMIT_MS,
	);

	test(
		"a second originate of a live call is refused by its id and does no harm",
		async () => {
			await agent.start();
			const called = add({ kind: "answerAndWait", ringMs: 100 }, { then: { wait: 2 } });
			expect(await eventually(async () => (await callsTo(called)).some((call) => call.answeredAt !== undefined))).toBe(
				true,
			);
			const callId = [...control.numbers].find(([, each]) => each === called)?.[0] ?? "";
			const { baseUrl, username, password } = host.ari;
			const answer = await fetch(`${baseUrl}/channels`, {
				method: "POST",
				headers: {
					authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
					"content-type": "application/json",
				},
				body: JSON.stringify({
					channelId: callId,
					endpoint: `PJSIP/${called}@burst-dialer-t1`,
					context: "burst-dialer-wait",
					extension: "s",
					priority: 1,
				}),
			});
			await answer.arrayBuffer();
			expect(answer.status).toBe(409);
			expect(await eventually(() => control.done)).toBe(true);
			expect(outcome(called)).toEqual(["answered"]);
			expect(await callsTo(called)).toHaveLength(1);
		},
		TEST_LIMIT_MS,
	);

	test(
		"a call beyond its limit is ended, and a pause gives back what was not dialed",
		async () => {
			control.cap = 1;
			await agent.start();
			const long = add({ kind: "answerAndWait", ringMs: 100 }, { then: { wait: 60 }, maxCallSec: 5 });
			expect(await eventually(async () => (await callsTo(long)).length === 1)).toBe(true);
			control.paused = true;
			const never = add({ kind: "busy" });
			expect(await eventually(() => outcome(long).length === 1)).toBe(true);
			expect(outcome(long)).toEqual(["answered"]);
			expect(await callsTo(never)).toEqual([]);
			const [seen] = await callsTo(long);
			expect((seen?.endedAt ?? 0) - (seen?.answeredAt ?? 0)).toBeLessThan(9_000);
		},
		TEST_LIMIT_MS,
	);

	test(
		"the inbound websocket, for older Asterisks",
		async () => {
			agent = newAgent({ events: "inbound" });
			await agent.start();
			const expected = new Map([
				[add({ kind: "busy" }), "busy"],
				[add({ kind: "answer", ringMs: 100, talkMs: 300 }), "answered"],
				[add({ kind: "ring" }, { ringTimeoutSec: 1 }), "noAnswer"],
			]);
			expect(await eventually(() => control.done)).toBe(true);
			expect([...expected.keys()].map(outcome)).toEqual([...expected.values()].map((wanted) => [wanted]));
		},
		TEST_LIMIT_MS,
	);

	test(
		"SIGTERM ends the agent with 0 and leaves live calls to Asterisk; the next one reports them",
		async () => {
			await agent.start();
			const called = add({ kind: "answer", ringMs: 100, talkMs: 3_000 });
			expect(await eventually(async () => (await callsTo(called)).some((call) => call.answeredAt !== undefined))).toBe(
				true,
			);
			expect(await agent.stop()).toBe(0);
			expect((await callsTo(called))[0]?.endedAt).toBeUndefined();
			await agent.start();
			expect(await eventually(() => control.done)).toBe(true);
			expect(outcome(called)).toEqual(["answered"]);
		},
		TEST_LIMIT_MS,
	);
});

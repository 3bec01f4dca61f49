import { describe, expect, test } from "@jest/globals";
import type { AgentSettings } from "../../../host/agent/settings.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";
import { FakeControlPlane } from "../../support/agent/control-plane.ts";
import { outcomesOf, VirtualMachine, VirtualTime } from "../../support/agent/virtual.ts";

const TRUNK: HostTrunk = {
	id: "t1",
	type: "pjsip",
	host: "carrier.example",
	codecs: ["ulaw"],
	qualify: "off",
	callerIdIn: "from",
};

const world = (
	options: { capacity?: number; cap?: number; contacts?: number; settings?: Partial<AgentSettings> } = {},
) => {
	const time = new VirtualTime();
	const control = new FakeControlPlane({ capacity: options.capacity ?? 10, cap: options.cap ?? 10, trunks: [TRUNK] });
	for (let i = 0; i < (options.contacts ?? 5); i++) control.add({ number: String(1000 + i) });
	const machine = new VirtualMachine(time, control, options.settings);
	return { time, control, machine };
};

const dialedOnce = (machine: VirtualMachine): boolean =>
	Object.values(machine.timesDialed()).every((times) => times === 1);

describe("the agent's core", () => {
	test("dials what it is granted and reports what became of it", async () => {
		const { time, control, machine } = world({ contacts: 40 });
		machine.script = (number) =>
			Number(number) % 2 === 0
				? { ringMs: 300, talkMs: 700 }
				: { ringMs: 100, refuse: { cause: 17, sipCode: 486, dialStatus: "BUSY" } };
		await machine.start();
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		expect(outcomesOf(control).sort()).toEqual([...Array(20).fill("answered"), ...Array(20).fill("busy")]);
		expect(control.problems).toEqual([]);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("never has more channels up than its share, and fills it", async () => {
		const { time, control, machine } = world({ capacity: 50, cap: 7, contacts: 60 });
		await machine.start();
		let most = 0;
		const done = await time.until(() => {
			most = Math.max(most, machine.channels.size);
			return control.done;
		}, 120_000);
		expect(done).toBe(true);
		expect(most).toBe(7);
	});

	test("a lost answer: the same bytes again, no call twice, no outcome lost", async () => {
		const { time, control, machine } = world({ contacts: 20, cap: 4 });
		let n = 0;
		control.disturb = (kind) => (kind === "sync" && n++ % 2 === 0 ? "lose" : undefined);
		await machine.start();
		expect(await time.until(() => control.done, 120_000)).toBe(true);
		expect(control.problems).toEqual([]);
		expect(control.completed.size).toBe(20);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("503 and 429: keeps what it has and goes on afterwards", async () => {
		const { time, control, machine } = world({ contacts: 20, cap: 4 });
		let n = 0;
		control.disturb = (kind) => (kind === "sync" && n++ % 3 !== 0 ? (n % 2 === 0 ? 503 : 429) : undefined);
		await machine.start();
		expect(await time.until(() => control.done, 120_000)).toBe(true);
		expect(control.completed.size).toBe(20);
	});

	test("without an answer for the fence's time nothing is originated, and calls go on", async () => {
		const { time, control, machine } = world({ contacts: 500, cap: 4 });
		await machine.start();
		await time.until(() => machine.dialed.length >= 10, 60_000);
		control.disturb = (kind) => (kind === "sync" ? 503 : undefined);
		await time.pass(15_000);
		const dialed = machine.dialed.length;
		await time.pass(60_000);
		expect(machine.dialed.length).toBe(dialed);
		expect(machine.agent?.mayOriginate()).toBe(false);
		control.disturb = () => undefined;
		await time.pass(10_000);
		expect(machine.dialed.length).toBeGreaterThan(dialed);
	});

	test("the fence counts from the first send: a repeat that is answered late opens nothing", async () => {
		const { time, control, machine } = world({ contacts: 100, cap: 4, settings: { requestTimeoutMs: 2_000 } });
		await machine.start();
		await time.until(() => machine.dialed.length >= 4, 60_000);
		// Carried out, but no answer arrives for longer than the fence; then the repeat is answered, once.
		let answers = 0;
		const from = time.now;
		control.disturb = (kind) => {
			if (kind !== "sync") return undefined;
			if (time.now < from + 16_000) return "lose";
			return answers++ === 0 ? undefined : 503;
		};
		await time.until(() => answers > 0, 60_000);
		const dialed = machine.dialed.length;
		await time.pass(5_000);
		expect(machine.dialed.length).toBe(dialed);
	});

	test("a stale epoch: what was not dialed is dropped, live calls and outcomes are reported under the next", async () => {
		const { time, control, machine } = world({ contacts: 30, cap: 4 });
		machine.script = () => ({ ringMs: 500, talkMs: 5_000 });
		await machine.start();
		await time.until(() => machine.dialed.length === 4, 60_000);
		const first = machine.dialed.map(({ channelId }) => channelId);
		control.endEpoch();
		await time.until(() => first.every((callId) => control.completed.has(callId)), 60_000);
		for (const callId of first) expect(control.completed.get(callId)?.outcome).toBe("answered");
		const held = new Set(machine.dialed.map(({ channelId }) => channelId));
		for (const callId of held) expect(control.numbers.has(callId)).toBe(true);
		expect(machine.log.some(({ event }) => event === "epochEnded")).toBe(true);
		expect(control.syncs.some(({ earlier }) => earlier?.includes(first[0] ?? ""))).toBe(true);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("an originate that Asterisk refuses is the trunk's failure; one that never reached it is dialed later", async () => {
		const { time, control, machine } = world({ contacts: 4 });
		machine.originate = ({ endpoint }) => (endpoint.includes("1000") ? "refuse" : "ok");
		let gone = 1;
		const before = machine.originate;
		machine.originate = (request) => (request.endpoint.includes("1001") && gone-- > 0 ? "gone" : before(request));
		await machine.start();
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		expect(control.outcomesOf("1000").map(({ outcome }) => outcome)).toEqual(["trunkFailure"]);
		expect(control.outcomesOf("1001").map(({ outcome }) => outcome)).toEqual(["answered"]);
	});

	test("an originate without an answer is not repeated: the channel is found, or the call is unknown", async () => {
		const { time, control, machine } = world({ contacts: 3 });
		machine.originate = () => "lose";
		await machine.start();
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		expect(outcomesOf(control)).toEqual(["answered", "answered", "answered"]);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("Asterisk killed: answered calls stay answered, the others are unknown, and dialing goes on", async () => {
		const { time, control, machine } = world({ contacts: 8, cap: 4 });
		machine.script = (number) =>
			Number(number) % 2 === 0 ? { ringMs: 100, talkMs: 9_000 } : { ringMs: 2_900, talkMs: 500 };
		await machine.start();
		await time.until(() => machine.channels.size === 4, 60_000);
		await time.pass(500);
		machine.killAsterisk();
		await time.pass(700);
		machine.startAsterisk();
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		expect(outcomesOf(control).filter((outcome) => outcome === "unknown")).toHaveLength(2);
		expect(control.completed.size).toBe(8);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("Asterisk gone for good: its calls are concluded and what is held goes back", async () => {
		const { time, control, machine } = world({ contacts: 20, cap: 4 });
		machine.script = () => ({ ringMs: 100, talkMs: 60_000 });
		await machine.start();
		await time.until(() => machine.channels.size === 4, 60_000);
		machine.killAsterisk();
		await time.pass(20_000);
		expect(control.completed.size).toBe(4);
		expect(control.syncs.at(-1)?.want).toBe(0);
	});

	test("a full disk: nothing new is originated until it takes records again", async () => {
		const { time, control, machine } = world({ contacts: 60, cap: 4 });
		await machine.start();
		await time.until(() => machine.dialed.length >= 6, 60_000);
		machine.diskFull = true;
		await time.pass(100);
		const dialed = machine.dialed.length;
		await time.pass(8_000);
		expect(machine.dialed.length).toBe(dialed);
		expect(machine.log.some(({ level, event }) => level === "error" && event === "journalWriteFailed")).toBe(true);
		machine.diskFull = false;
		expect(await time.until(() => control.done, 120_000)).toBe(true);
		expect(control.completed.size).toBe(60);
		expect(dialedOnce(machine)).toBe(true);
	});

	test("recall gives back what was not dialed; live calls go on; hangup ends them", async () => {
		const { time, control, machine } = world({ contacts: 40, cap: 4 });
		machine.script = () => ({ ringMs: 100, talkMs: 30_000 });
		await machine.start();
		await time.until(() => machine.channels.size === 4, 60_000);
		control.paused = true;
		await time.pass(3_000);
		expect(machine.dialed).toHaveLength(4);
		expect(machine.channels.size).toBe(4);
		control.hangups = [machine.dialed[0]?.channelId ?? ""];
		await time.pass(3_000);
		expect(machine.channels.size).toBe(3);
		expect(control.completed.get(machine.dialed[0]?.channelId ?? "")?.outcome).toBe("answered");
	});

	test("a drain: nothing is taken, and two syncs with nothing live follow", async () => {
		const { time, control, machine } = world({ contacts: 10, cap: 4 });
		await machine.start();
		await time.until(() => machine.channels.size === 4, 60_000);
		control.drain = true;
		await time.pass(10_000);
		const last = control.syncs.slice(-2);
		expect(last.map(({ live, want, completed, returned }) => [live, want, completed.length, returned.length])).toEqual([
			[0, 0, 0, 0],
			[0, 0, 0, 0],
		]);
		const syncs = control.syncs.length;
		await time.pass(10_000);
		expect(control.syncs.length).toBe(syncs);
	});

	test("an idle host that is to be drained confirms it by two syncs at once, and peeks on", async () => {
		const { time, control, machine } = world({ contacts: 0 });
		await machine.start();
		await time.pass(2_000);
		const before = control.syncs.length;
		control.drain = true;
		// Seen by the next peek (300 ms); two syncs with their way there and back.
		await time.pass(300 + 200);
		const confirming = control.syncs.slice(before);
		expect(confirming.map(({ live, want, completed }) => [live, want, completed.length])).toEqual([
			[0, 0, 0],
			[0, 0, 0],
		]);
		await time.pass(10_000);
		expect(control.syncs).toHaveLength(before + 2);
		// Taken back: there is work again at once.
		control.drain = false;
		control.add({ number: "1000" });
		await time.until(() => machine.dialed.length === 1, 5_000);
		expect(machine.dialed).toHaveLength(1);
	});

	test("a drain's end: the calls that are to be hung up end with normal clearing, and are reported", async () => {
		const { time, control, machine } = world({ contacts: 4, cap: 4 });
		machine.script = () => ({ ringMs: 100, talkMs: 600_000 });
		await machine.start();
		await time.until(() => [...machine.channels.values()].filter(({ state }) => state === "Up").length === 4, 60_000);
		const causes: number[] = [];
		const end = machine.end.bind(machine);
		machine.end = (channelId, last) => {
			causes.push(last.cause);
			end(channelId, last);
		};
		control.drain = true;
		await time.pass(2_000);
		expect(machine.channels.size).toBe(4);
		control.hangups = [...machine.channels.keys()];
		await time.pass(3_000);
		expect(causes).toEqual([16, 16, 16, 16]);
		expect(outcomesOf(control)).toEqual(["answered", "answered", "answered", "answered"]);
		expect(control.syncs.slice(-2).map(({ live, completed }) => [live, completed.length])).toEqual([
			[0, 0],
			[0, 0],
		]);
	});

	test("calls beyond their limit are ended by the agent too", async () => {
		const { time, control, machine } = world({ contacts: 0 });
		control.add({ number: "1", maxCallSec: 5 });
		machine.script = () => ({ ringMs: 100, talkMs: 600_000 });
		await machine.start();
		expect(await time.until(() => control.done, 20_000)).toBe(true);
	});

	test("a context that the host does not allow, or a sound that it lacks, is never dialed", async () => {
		const { time, control, machine } = world({ contacts: 0 });
		control.add(
			{ number: "1", then: { context: "from-internal", extension: "s" } },
			{ number: "2", then: { play: "missing" } },
		);
		await machine.start();
		await time.pass(5_000);
		expect(machine.dialed).toEqual([]);
		expect(control.returned.length).toBeGreaterThan(0);
		// Given back without haste: at most once a second or so.
		expect(control.syncs.length).toBeLessThan(30);
	});

	test("an idle host only peeks", async () => {
		const { time, control, machine } = world({ contacts: 1 });
		await machine.start();
		await time.until(() => control.done, 30_000);
		await time.pass(2_000);
		const syncs = control.syncs.length;
		await time.pass(60_000);
		expect(control.syncs.length).toBe(syncs);
	});

	test("SIGTERM: nothing more is dialed, what is held goes back, what ended is reported", async () => {
		const { time, machine } = world({ contacts: 40, cap: 4 });
		await machine.start();
		await time.until(() => machine.dialed.length >= 12, 60_000);
		let stopped = false;
		void machine.agent?.stop().then(() => {
			stopped = true;
		});
		const dialed = machine.dialed.length;
		expect(await time.until(() => stopped, 10_000)).toBe(true);
		expect(machine.dialed.length).toBe(dialed);
	});
});

describe("a crash before any step", () => {
	/** Steps of a run without crashes, by name. */
	const stepsOf = async (): Promise<string[]> => {
		const { time, control, machine } = world({ contacts: 12, cap: 4 });
		const steps: string[] = [];
		machine.onStep = (step) => steps.push(step);
		await machine.start();
		await time.until(() => control.done, 60_000);
		return steps;
	};

	test("loses no contact and dials none twice", async () => {
		const total = (await stepsOf()).length;
		expect(total).toBeGreaterThan(30);
		for (let crashAt = 1; crashAt <= total; crashAt++) {
			const { time, control, machine } = world({ contacts: 12, cap: 4 });
			let n = 0;
			let crashed = false;
			machine.onStep = () => {
				if (++n !== crashAt || crashed) return;
				crashed = true;
				machine.crash();
				time.after(300, () => void machine.start());
			};
			await machine.start();
			// A hello whose answer was never journalled gets another epoch from this control plane: nothing was granted yet.
			const done = await time.until(() => control.done, 120_000);
			expect({
				crashAt,
				done,
				problems: control.problems,
				completed: control.completed.size,
				once: dialedOnce(machine),
			}).toEqual({
				crashAt,
				done: true,
				problems: [],
				completed: 12,
				once: true,
			});
		}
	}, 60_000);
});

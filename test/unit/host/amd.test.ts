import { describe, expect, test } from "@jest/globals";
import { AriEvents } from "../../../host/agent/ari-events.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";
import { FakeControlPlane } from "../../support/agent/control-plane.ts";
import { VirtualMachine, VirtualTime } from "../../support/agent/virtual.ts";

const TRUNK: HostTrunk = { id: "t1", type: "pjsip", host: "c.example", codecs: [], qualify: "off", callerIdIn: "from" };

/** A call that is up, and what is needed to go on with it. */
const answered = async () => {
	const time = new VirtualTime();
	const control = new FakeControlPlane({ capacity: 1, cap: 1, trunks: [TRUNK] });
	control.add({ number: "1000", amd: { onMachine: "play" } });
	const machine = new VirtualMachine(time, control);
	machine.script = () => ({ ringMs: 100, talkMs: 600_000 });
	await machine.start();
	const isUp = () => [...machine.channels.values()].some((channel) => channel.state === "Up");
	expect(await time.until(isUp, 60_000)).toBe(true);
	const [channelId = ""] = machine.channels.keys();
	const report = async () => {
		machine.end(channelId, { cause: 16 });
		expect(await time.until(() => control.done, 60_000)).toBe(true);
		return control.completed.get(channelId);
	};
	return { time, machine, channelId, report };
};

describe("the report of a call that was listened to", () => {
	test("is originated into the context that listens", async () => {
		const { machine } = await answered();
		expect(machine.dialed[0]).toMatchObject({
			context: "burst-dialer-amd",
			variables: { BURST_AMD_MACHINE: "play", BURST_AMD_THEN: "burst-dialer-wait,s,2" },
		});
	});

	test("a machine: outcome, verdict, cause, and how long it took from the answer on", async () => {
		const { time, machine, channelId, report } = await answered();
		await time.pass(3_140);
		machine.say({ type: "amdVerdict", channelId, verdict: "machine" });
		machine.say({ type: "amdCause", channelId, cause: "LONGGREETING-2500-2500" });
		await time.pass(5_000);
		machine.say({ type: "greetingEnd", channelId, by: "beep" });
		await time.pass(5_000);
		expect(await report()).toMatchObject({
			outcome: "machine",
			amd: {
				verdict: "machine",
				cause: "LONGGREETING-2500-2500",
				decidedMs: 3_140,
				greetingMs: 8_140,
				greetingEnd: "beep",
			},
		});
	});

	test.each(["human", "notsure", "hangup", "unavailable"] as const)("%s is an answered call", async (verdict) => {
		const { time, machine, channelId, report } = await answered();
		await time.pass(1_860);
		machine.say({ type: "amdVerdict", channelId, verdict });
		const { outcome, amd } = (await report()) ?? {};
		expect({ outcome, amd }).toEqual({ outcome: "answered", amd: { verdict, decidedMs: 1_860 } });
		expect(machine.log.some(({ event }) => event === "amdUnavailable")).toBe(verdict === "unavailable");
	});

	test("nothing was said of machines: nothing is reported", async () => {
		const { report } = await answered();
		expect(await report()).not.toHaveProperty("amd");
	});

	test("an agent that died after the verdict still knows it", async () => {
		const { time, machine, channelId, report } = await answered();
		await time.pass(3_000);
		machine.say({ type: "amdVerdict", channelId, verdict: "machine" });
		machine.say({ type: "amdCause", channelId, cause: "MAXWORDS-51-50" });
		await time.pass(100);
		machine.crash();
		await machine.start();
		await time.pass(1_000);
		expect(await report()).toMatchObject({
			outcome: "machine",
			amd: { verdict: "machine", cause: "MAXWORDS-51-50", decidedMs: 3_000 },
		});
	});
});

describe("what Asterisk says of machines", () => {
	const parsed = (variable: string, value: string) =>
		new AriEvents(() => 0).parse(
			JSON.stringify({
				type: "ChannelVarset",
				timestamp: "2026-11-28T10:00:00.000+0000",
				channel: { id: "call-1", name: "PJSIP/x-1", state: "Up" },
				variable,
				value,
			}),
		);
	const atMs = Date.parse("2026-11-28T10:00:00.000Z");

	test.each([
		["HUMAN", "human"],
		["MACHINE", "machine"],
		["NOTSURE", "notsure"],
		["HANGUP", "hangup"],
	])("AMDSTATUS %s, of whatever context", (status, verdict) => {
		expect(parsed("AMDSTATUS", status)).toEqual({ type: "amdVerdict", channelId: "call-1", verdict, atMs });
	});

	test("its cause, cut to what the control plane takes; the end of a greeting; a host without AMD()", () => {
		expect(parsed("AMDCAUSE", "TOOLONG-4500")).toEqual({
			type: "amdCause",
			channelId: "call-1",
			cause: "TOOLONG-4500",
			atMs,
		});
		expect(parsed("AMDCAUSE", "x".repeat(300))).toMatchObject({ cause: "x".repeat(40) });
		expect(parsed("BURST_AMD_GREETING", "beep")).toMatchObject({ type: "greetingEnd", by: "beep" });
		expect(parsed("BURST_AMD", "unavailable")).toMatchObject({ type: "amdVerdict", verdict: "unavailable" });
	});

	test.each([
		["AMDSTATUS", ""],
		["AMDSTATUS", "SOMETHING"],
		["AMDCAUSE", ""],
		["BURST_AMD", "machine"],
		["BURST_AMD_GREETING", "applause"],
		["BURST_AMD_THEN", "burst-dialer-play,s,2"],
		["WAITSTATUS", "SILENCE"],
	])("%s=%s says nothing new", (variable, value) => {
		expect(parsed(variable, value)).toBeUndefined();
	});
});

import { describe, expect, test } from "@jest/globals";
import { MAX_VARIABLES, MAX_VARS_BYTES } from "../../../shared/contract/call.ts";
import type { HostTrunk } from "../../../shared/contract/host.ts";
import { FakeControlPlane } from "../../support/agent/control-plane.ts";
import { VirtualMachine, VirtualTime } from "../../support/agent/virtual.ts";

/** What Asterisk says of a call's end is cut to what the control plane takes: a report that it refuses would be lost. */

const TRUNK: HostTrunk = { id: "t1", type: "pjsip", host: "c.example", codecs: [], qualify: "off", callerIdIn: "from" };

/** One call, answered and ended with this in Asterisk's last event; the report of it. */
const reportOf = async (last: { techCause?: number; vars?: Record<string, string> }) => {
	const time = new VirtualTime();
	const control = new FakeControlPlane({ capacity: 1, cap: 1, trunks: [TRUNK] });
	control.add({ number: "1000" });
	const machine = new VirtualMachine(time, control);
	machine.script = () => ({ ringMs: 100, talkMs: 600_000 });
	await machine.start();
	const isUp = () => [...machine.channels.values()].some((channel) => channel.state === "Up");
	expect(await time.until(isUp, 60_000)).toBe(true);
	const [channelId = ""] = machine.channels.keys();
	machine.end(channelId, { cause: 16, ...last });
	expect(await time.until(() => control.done, 60_000)).toBe(true);
	return { report: control.completed.get(channelId), log: machine.log };
};

describe("a call's report", () => {
	test.each([[700], [4_294_967_295], [-1], [200.5]])("leaves out %d, which is no SIP status", async (techCause) => {
		const { report } = await reportOf({ techCause });
		expect(report).toMatchObject({ outcome: "answered", cause: 16 });
		expect(report).not.toHaveProperty("sipCode");
	});

	test("keeps a SIP status", async () => {
		expect((await reportOf({ techCause: 699 })).report).toMatchObject({ sipCode: 699 });
	});

	test("has results within the limits of variables, and says what it left out", async () => {
		const vars: Record<string, string> = { first: "1", "not-a-name": "x" };
		for (let i = 0; i < 2_000; i++) vars[`v${i}`] = "x".repeat(300);
		const { report, log } = await reportOf({ vars });
		const kept = report?.vars ?? {};
		expect(kept).toMatchObject({ first: "1", v0: "x".repeat(256) });
		expect(Object.keys(kept).length).toBeLessThanOrEqual(MAX_VARIABLES);
		expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(MAX_VARS_BYTES);
		const said = log.find(({ event }) => event === "resultsCut");
		expect(said?.fields["names"]).toEqual(expect.arrayContaining(["not-a-name", "v0", "v1"]));
	});

	test("has all results that fit", async () => {
		const vars = { digit: "5", playback: "SUCCESS" };
		const { report, log } = await reportOf({ vars });
		expect(report?.vars).toEqual(vars);
		expect(log.some(({ event }) => event === "resultsCut")).toBe(false);
	});
});

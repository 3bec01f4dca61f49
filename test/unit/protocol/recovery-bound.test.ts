import { describe, expect, test } from "@jest/globals";
import { parseSettings } from "../../../shared/config/settings.ts";
import { AgentBench } from "../../support/virtual/agent-bench.ts";
import { contactsOf, hostOf, type WorldConfig } from "../../support/virtual/world.ts";

/** The recovery's promises at the shipped times, on virtual time. */

/** What a dead host held is recovered within so long of its death, s. */
const RECOVERED_WITHIN_SEC = 60;
const world = (hosts: number, contacts: number): WorldConfig => ({
	hosts: Array.from({ length: hosts }, (_, i) => ({ id: `h${i + 1}`, cap: 2 })),
	trunks: [{ id: "carrier", maxChannels: 10, maxCps: 20 }],
	campaigns: [{ letter: "a", trunk: "carrier", contacts, cap: 10, maxCallSec: 300 }],
});
const longCalls = {
	script: () => ({ ringAfterMs: 20, answerAfterMs: 500, endAfterMs: 200_000 }),
	settings: parseSettings({}),
};

describe("a host that dies", () => {
	// The recovery runs every 20 s: its phase at the death must not matter.
	test.each([0, 5, 10, 15, 19])("is recovered in time, dying %i s after the recovery's run", async (phaseSec) => {
		const bench = new AgentBench(world(2, 4), longCalls);
		for (const host of bench.hosts.values()) host.startAgent();
		await bench.until("four live calls", () => bench.carrier.live.size === 4);
		await bench.pass(21_000 - bench.elapsedMs + phaseSec * 1_000);
		bench.host("h1").powerOff();
		const diedAt = bench.elapsedMs;
		await bench.until("it is recovered", () => hostOf(bench.plane.dynamo, "h1").state === "recovered");
		expect(bench.elapsedMs - diedAt).toBeLessThanOrEqual(RECOVERED_WITHIN_SEC * 1_000);
		const lost = contactsOf(bench.plane.dynamo).filter((contact) => contact.outcome === "hostLost");
		expect(lost).toHaveLength(2);
		await bench.until(
			"the others end",
			() => contactsOf(bench.plane.dynamo).every(({ state }) => state === "done"),
			300_000,
		);
		await bench.pass(3_000);
		await bench.check();
	});
});

describe("a control plane that is away for two minutes", () => {
	test("costs no call: nobody is lost, and every outcome is reported afterwards", async () => {
		const bench = new AgentBench(world(3, 6), {
			...longCalls,
			script: () => ({ ringAfterMs: 20, answerAfterMs: 500, endAfterMs: 60_000 }),
		});
		for (const host of bench.hosts.values()) host.startAgent();
		await bench.until("six live calls", () => bench.carrier.live.size === 6);
		await bench.pass(5_000);
		bench.network.away = true;
		await bench.pass(120_000);
		expect(bench.outcomes.size).toBe(6);
		bench.network.away = false;
		await bench.until(
			"all are done",
			() => contactsOf(bench.plane.dynamo).every(({ state }) => state === "done"),
			60_000,
		);
		for (const id of bench.hosts.keys())
			expect(hostOf(bench.plane.dynamo, id)).toMatchObject({ state: "active", epoch: 1 });
		expect(contactsOf(bench.plane.dynamo).map(({ outcome }) => outcome)).toEqual(Array(6).fill("answered"));
		await bench.pass(3_000);
		await bench.check();
	});
});

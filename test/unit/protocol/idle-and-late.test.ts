import { describe, expect, test } from "@jest/globals";
import type { PeekResponse, SyncResponse } from "../../../shared/contract/host.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { AgentBench } from "../../support/virtual/agent-bench.ts";
import { Bench } from "../../support/virtual/bench.ts";
import { checkChannelSums, checkChannelsFree } from "../../support/virtual/checks.ts";
import { changed } from "../../support/virtual/mutations.ts";
import { TENANT, trunkOf, type WorldConfig } from "../../support/virtual/world.ts";

/** Schedules that random exploration of the project's own code found, beyond those of the protocol's model. */

const world = (contacts: number, cap: number, hosts = 2): WorldConfig => ({
	hosts: Array.from({ length: hosts }, (_, i) => ({ id: `h${i + 1}`, cap: 2 })),
	trunks: [{ id: "carrier", maxChannels: cap, maxCps: 50 }],
	campaigns: [{ letter: "a", trunk: "carrier", contacts, cap, maxCallSec: 5 }],
});

/** Twins of one sync: one finds a contact and reserves a channel for it, the other's index is stale and commits an empty answer. */
const leaveShareUnused = async (bench: Bench) => {
	const h1 = await bench.hello("h1");
	const { calls } = await bench.sync(h1, { want: 1 });
	await bench.sync(h1, { returned: calls.map((call) => call.callId) });
	bench.dynamo.applyIndexUpdate("contacts", 0);
	const body = bench.body(h1, { want: 1 });
	const [empty, full] = [bench.start(h1, body), bench.start(h1, body)];
	await bench.until(empty, "grants", "Put");
	bench.index();
	await bench.until(full, "grants", "Put");
	bench.accept(h1, body, await bench.finish<SyncResponse>(empty));
	await bench.finish(full);
	expect(trunkOf(bench.dynamo, "carrier").free).toBe(0);
	return h1;
};

describe("a share that no call uses", () => {
	test("does not hide the work from the host that has it", async () => {
		const bench = new Bench(world(1, 1, 1));
		const h1 = await leaveShareUnused(bench);
		const answer = await bench.finish<PeekResponse>(
			bench.plane.start("peek", (deps) => peek(deps, { tenant: TENANT, hostId: h1.hostId })),
		);
		expect(answer.work).toBe(true);
	});

	test("is given back by the idle host, so that others can use it", async () => {
		const bench = new AgentBench(world(1, 2));
		// Both look at the only contact before either claims it.
		bench.hold = (waiting) =>
			waiting.kind === "db" && waiting.owner.startsWith("sync") && waiting.label.includes("Put grants");
		for (const host of bench.hosts.values()) host.startAgent();
		const trunk = () => trunkOf(bench.plane.dynamo, "carrier");
		await bench.until("both have reserved", () => trunk().free === 0);
		bench.hold = () => false;
		await bench.pass(10_000);
		await bench.check();
		checkChannelsFree(bench.plane.dynamo);
	});
});

/** A sync that stands before its reservation while its host, which has no share yet, is lost and recovered. */
const reserveAfterRecovery = async (bench: Bench): Promise<void> => {
	const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
	const slow = bench.start(h1, bench.body(h1, { want: 1 }));
	await bench.until(slow, "trunks", "Update");
	await bench.lose(h1, [h2]);
	await bench.outcome(slow);
	checkChannelSums(bench.dynamo);
	// The lost host never comes back; the other one must be able to go on with all channels.
	bench.advance(60_000);
	bench.seen("h2");
	await bench.recover();
	checkChannelsFree(bench.dynamo);
};

describe("a sync of an epoch that was ended", () => {
	test("takes no channel where the lost host had no share yet", async () => {
		await reserveAfterRecovery(new Bench(world(1, 1)));
	});
	test("would, if the recovery left no mark on the trunk", async () => {
		const mutation = changed((statement, execution) =>
			execution.id.startsWith("recovery") && statement.input["ConditionExpression"] === "attribute_not_exists(#a.#h)"
				? { instead: { ok: true, answer: {} } }
				: undefined,
		);
		await expect(reserveAfterRecovery(new Bench(world(1, 1), { mutation }))).rejects.toThrow("channelLeak");
		expect(mutation.hits).toBeGreaterThan(0);
	});
});

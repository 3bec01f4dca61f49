import { describe, expect, test } from "@jest/globals";
import type { PeekResponse, SyncResponse } from "../../../shared/contract/host.ts";
import { markHost, moveHost } from "../../../shared/fleet/moves.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { AgentBench } from "../../support/virtual/agent-bench.ts";
import { Bench, type HandHost } from "../../support/virtual/bench.ts";
import { checkAllDone, checkChannelSums, checkChannelsFree, checkCounters } from "../../support/virtual/checks.ts";
import { weakened } from "../../support/virtual/mutations.ts";
import { contactsOf, hostOf, TENANT, trunkOf, type WorldConfig } from "../../support/virtual/world.ts";

/** Schedules of a drain's end: what stops a host's instance must not leave anything behind that nobody looks at again. */

const world = (contacts: number, hosts = 2): WorldConfig => ({
	hosts: Array.from({ length: hosts }, (_, i) => ({ id: `h${i + 1}`, cap: 4 })),
	trunks: [{ id: "carrier", maxChannels: 4, maxCps: 50 }],
	campaigns: [{ letter: "a", trunk: "carrier", contacts, cap: 4, maxCallSec: 5 }],
});
const COMMIT = ["hosts", "Update", ":before"] as const;
const CLAIM = ["contacts", "Update", "#state = :claimed", ":pending"] as const;

const drain = (bench: Bench, hostId: string, wanted: boolean) =>
	bench.finish(bench.plane.start(`drain ${hostId}`, (deps) => setDrain(deps, TENANT, hostId, wanted)));
const stateOf = (bench: Bench, hostId: string) => hostOf(bench.dynamo, hostId).state;
/** The fleet stops the host, which is never heard of again. */
const stop = async (bench: Bench, host: HandHost): Promise<void> => {
	const { directDeps: deps } = bench.plane;
	const stopping = await moveHost(deps, hostOf(bench.dynamo, host.hostId), "stopping", {}, "drained");
	if (!stopping) throw new Error("not stopped");
	await moveHost(deps, stopping, "stopped", {}, "EC2 says stopped");
};
const claimedBy = (bench: Bench, hostId: string) =>
	contactsOf(bench.dynamo).filter((contact) => contact.lease?.startsWith(`${hostId}#`));

/**
 * One execution of a sync reads a drain that has one quiet sync behind it. The drain is taken back, a twin claims, and the drain begins again, before the first
 * commits; then it dies, and the host with it. A drained host is never recovered.
 */
const drainAroundTwins = async (bench: Bench): Promise<void> => {
	const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
	await drain(bench, "h1", true);
	await bench.sync(h1, {});
	const body = bench.body(h1, { want: 1 });
	const twin = bench.start(h1, body);
	const slow = bench.start(h1, body);
	await bench.until(slow, "grants", "Put");
	await drain(bench, "h1", false);
	bench.kill(twin);
	const claims = bench.start(h1, body);
	await bench.until(claims, ...COMMIT);
	expect(claimedBy(bench, "h1")).toHaveLength(1);
	await drain(bench, "h1", true);
	await bench.until(slow, ...COMMIT);
	// Its commit, and where that fails the next one.
	await bench.step(slow);
	if (hostOf(bench.dynamo, "h1").seq < body.seq) await bench.step(slow);
	bench.kill(slow);
	bench.kill(claims);
	if (stateOf(bench, "h1") === "drained") await stop(bench, h1);
	else await bench.lose(h1, [h2]);
	for (let i = 0; i < 3; i++) {
		bench.index();
		const { calls } = await bench.sync(h2, { want: 1 });
		await bench.sync(h2, { completed: calls.map((call) => bench.ended(call)) });
		bench.advance(20_000);
		bench.seen("h2");
		await bench.recover();
	}
	checkAllDone(bench.dynamo);
	await checkCounters(bench.dynamo, bench.plane.directDeps);
};

describe("the count of quiet syncs is in the condition of the commit", () => {
	test("holds", async () => {
		await drainAroundTwins(new Bench(world(1)));
	});
	test("without it: a contact is claimed by a host that is drained", async () => {
		const mutation = weakened("hosts", [":before"], " AND #quiet = :quietRead", "");
		await expect(drainAroundTwins(new Bench(world(1), { mutation }))).rejects.toThrow("contactLost");
		expect(mutation.hits).toBeGreaterThan(0);
	});
});

/**
 * A sync has claimed and died. Of two repeats, which read the drain that began meanwhile, one commits and stands still before it has taken the claims back;
 * the other one follows it and answers, so the host goes on.
 */
const followTheDead = async (bench: Bench): Promise<void> => {
	const h1 = await bench.hello("h1");
	const body = bench.body(h1, { want: 1 });
	const first = bench.start(h1, body);
	await bench.until(first, ...COMMIT);
	bench.kill(first);
	await drain(bench, "h1", true);
	const [winner, follower] = [bench.start(h1, body), bench.start(h1, body)];
	await bench.until(follower, ...COMMIT);
	await bench.until(winner, ...COMMIT);
	await bench.step(winner);
	bench.kill(winner);
	bench.accept(h1, body, await bench.finish<SyncResponse>(follower));
	await bench.sync(h1, {});
	expect(stateOf(bench, "h1")).toBe("drained");
};
test("whoever answers without calls has taken back what was claimed, also where another one committed", async () => {
	const bench = new Bench(world(1, 1));
	await followTheDead(bench);
	expect(claimedBy(bench, "h1")).toEqual([]);
});

describe("a sync that stands still while its host is drained and stopped", () => {
	test.each([
		["before it has reserved", ["trunks", "Update"]],
		["before its grant", ["grants", "Put"]],
		["before its claim", [...CLAIM]],
		["before its commit", [...COMMIT]],
	])("%s leaves nothing behind", async (_where, [table = "", ...words]) => {
		const bench = new Bench(world(2));
		const [h1, h2] = [await bench.hello("h1"), await bench.hello("h2")];
		const body = bench.body(h1, { want: 1 });
		const slow = bench.start(h1, body);
		await bench.until(slow, table, ...words);
		await drain(bench, "h1", true);
		bench.accept(h1, body, await bench.finish<SyncResponse>(bench.start(h1, body)));
		expect(h1.held.size).toBe(0);
		await bench.sync(h1, {});
		expect(stateOf(bench, "h1")).toBe("drained");
		expect(claimedBy(bench, "h1")).toEqual([]);
		await stop(bench, h1);
		const answer = await bench.outcome<SyncResponse>(slow);
		expect(typeof answer === "string" ? answer : answer.calls).toMatch(/staleEpoch|seqOld/);
		expect(claimedBy(bench, "h1")).toEqual([]);
		checkChannelSums(bench.dynamo);
		// A share that it took nevertheless is given back when it cannot be under way any more.
		bench.advance(61_000);
		bench.seen("h2");
		await bench.recover();
		checkChannelsFree(bench.dynamo);
		expect(trunkOf(bench.dynamo, "carrier").a["h1"]).toBeUndefined();
		bench.index();
		const { calls } = await bench.sync(h2, { want: 2 });
		expect(calls).toHaveLength(2);
		await bench.sync(h2, { completed: calls.map((call) => bench.ended(call)) });
		checkAllDone(bench.dynamo);
	});

	test("takes a share once the host is drained and still there: a peek shows it as work, and a sync gives it back", async () => {
		const bench = new Bench(world(2, 1));
		const h1 = await bench.hello("h1");
		const body = bench.body(h1, { want: 1 });
		const slow = bench.start(h1, body);
		await bench.until(slow, "trunks", "Update");
		await drain(bench, "h1", true);
		bench.accept(h1, body, await bench.finish<SyncResponse>(bench.start(h1, body)));
		await bench.sync(h1, {});
		await bench.outcome(slow);
		const looks = () =>
			bench.finish<PeekResponse>(bench.plane.start("peek", (deps) => peek(deps, { tenant: TENANT, hostId: "h1" })));
		if (trunkOf(bench.dynamo, "carrier").free < 4) {
			expect(await looks()).toMatchObject({ work: true, drain: true });
			await bench.sync(h1, {});
		}
		expect(await looks()).toMatchObject({ work: false, drain: true });
		expect(stateOf(bench, "h1")).toBe("drained");
		checkChannelsFree(bench.dynamo);
	});
});

describe("two drains of one host", () => {
	test("undrain and the last commit: whichever comes first, the host is active in the end", async () => {
		for (const commitFirst of [true, false]) {
			const bench = new Bench(world(1, 1));
			const h1 = await bench.hello("h1");
			await drain(bench, "h1", true);
			await bench.sync(h1, {});
			const body = bench.body(h1, {});
			const last = bench.start(h1, body);
			await bench.until(last, ...COMMIT);
			const undrain = bench.plane.start("undrain", (deps) => setDrain(deps, TENANT, "h1", false));
			await bench.until(undrain, "hosts", "Update");
			await bench.step(commitFirst ? last : undrain);
			bench.accept(h1, body, await bench.finish<SyncResponse>(last));
			await bench.finish(undrain);
			const item: HostItem = hostOf(bench.dynamo, "h1");
			expect(item.state).toBe("active");
			expect(item.quiet).toBeUndefined();
			bench.index();
			expect((await bench.sync(h1, { want: 1 })).calls).toHaveLength(1);
		}
	});

	test("a hello from drained while a stop is under way: one of both holds", async () => {
		for (const helloFirst of [true, false]) {
			const bench = new Bench(world(1, 1));
			const h1 = await bench.hello("h1");
			await drain(bench, "h1", true);
			await bench.sync(h1, {});
			await bench.sync(h1, {});
			const read = hostOf(bench.dynamo, "h1");
			const begin = bench.plane.start("hello h1", (deps) =>
				hello(deps, { tenant: TENANT, hostId: "h1" }, { nonce: "nonce-again" }),
			);
			await bench.until(begin, "hosts", "Update");
			if (helloFirst) await bench.finish(begin);
			const stopped = await moveHost(bench.plane.directDeps, read, "stopping", {}, "drained");
			if (helloFirst) {
				expect(stopped).toBeUndefined();
				expect(stateOf(bench, "h1")).toBe("draining");
			} else {
				expect(await bench.outcome(begin)).toBe("wait");
				expect(stateOf(bench, "h1")).toBe("stopping");
			}
		}
	});
});

describe("real agents", () => {
	test("an idle host that is told to drain is drained within two peeks", async () => {
		const bench = new AgentBench(world(0, 1), { settings: { peekIntervalMs: 2_000 } });
		const host = () => hostOf(bench.plane.dynamo, "h1");
		bench.host("h1").startAgent();
		await bench.until("it is at work", () => host().state === "active");
		await bench.pass(10_000);
		await setDrain(bench.plane.directDeps, TENANT, "h1", true);
		await bench.until("it is drained", () => host().state === "drained", 4_000);
		// Nothing to say any more: it only peeks.
		const { seq } = host();
		await bench.pass(20_000);
		expect(host()).toMatchObject({ state: "drained", seq });
		await setDrain(bench.plane.directDeps, TENANT, "h1", false);
		await bench.pass(20_000);
		expect(host().state).toBe("active");
	});

	test("an agent that starts again on a drained host's disk goes on with its epoch", async () => {
		const bench = new AgentBench(world(0, 1));
		const host = () => hostOf(bench.plane.dynamo, "h1");
		bench.host("h1").startAgent();
		await bench.until("it is at work", () => host().state === "active");
		await setDrain(bench.plane.directDeps, TENANT, "h1", true);
		await bench.until("it is drained", () => host().state === "drained");
		const { epoch } = host();
		bench.host("h1").killAgent();
		bench.host("h1").startAgent();
		await bench.pass(10_000);
		expect(host()).toMatchObject({ state: "drained", epoch });
		// A new disk: a new epoch, which drains on.
		bench.host("h1").wipe(true);
		bench.host("h1").asterisk.restart();
		bench.host("h1").startAgent();
		await bench.until("it is drained again", () => host().epoch > epoch && host().state === "drained");
	});

	test("calls beyond the deadline are ended with a normal clearing, recorded once, and the host is drained", async () => {
		const bench = new AgentBench(
			{ ...world(3, 1), campaigns: [{ letter: "a", trunk: "carrier", contacts: 3, cap: 4, maxCallSec: 600 }] },
			{ script: () => ({ ringAfterMs: 20, answerAfterMs: 40 }) },
		);
		const host = () => hostOf(bench.plane.dynamo, "h1");
		bench.host("h1").startAgent();
		await bench.until("three live calls", () => bench.carrier.live.size === 3);
		await bench.pass(70_000);
		const { directDeps: deps } = bench.plane;
		const drainUntil = bench.scheduler.now + 5_000;
		const by = { drainAt: bench.scheduler.now, drainBy: "fleet", drainUntil } as const;
		await moveHost(deps, host(), "draining", by, "not needed");
		await bench.pass(4_900);
		expect(bench.carrier.live.size).toBe(3);
		await bench.until("the calls are ended", () => bench.carrier.live.size === 0, 2_000);
		await bench.until("it is drained", () => host().state === "drained", 5_000);
		await bench.check();
		checkChannelsFree(bench.plane.dynamo);
		for (const contact of contactsOf(bench.plane.dynamo))
			expect(contact).toMatchObject({ state: "done", outcome: "answered", hist: { "1": { o: "answered" } } });
	});

	test("a drain's end that was not seen, as its answers were lost, is seen at the repeat", async () => {
		const bench = new AgentBench(world(0, 1));
		const host = () => hostOf(bench.plane.dynamo, "h1");
		bench.host("h1").startAgent();
		await bench.until("it is at work", () => host().state === "active");
		await setDrain(bench.plane.directDeps, TENANT, "h1", true);
		let dropped = 0;
		bench.hold = (waiting) => waiting.kind === "answer" && waiting.label.includes("sync") && dropped++ < 3;
		await bench.until("it is drained", () => host().state === "drained");
		bench.hold = () => false;
		const { seq } = host();
		await bench.pass(10_000);
		expect(host()).toMatchObject({ state: "drained", seq });
		expect(bench.host("h1").agent?.journal.state.outstanding).toBeUndefined();
	});
});

test("markHost on a drained host keeps it drained", async () => {
	const bench = new Bench(world(0, 1));
	const h1 = await bench.hello("h1");
	await drain(bench, "h1", true);
	await bench.sync(h1, {});
	await bench.sync(h1, {});
	await markHost(bench.plane.directDeps, hostOf(bench.dynamo, "h1"), { drainUntil: 1 });
	expect((await bench.sync(h1, { live: 1 })).hangup).toEqual([]);
	expect(stateOf(bench, "h1")).toBe("drained");
});

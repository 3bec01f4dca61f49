import { expect, test } from "@jest/globals";
import { throttled, whyNoStart, withFailures, withoutFailures } from "../../../shared/fleet/failures.ts";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { emptyFleet } from "../../../shared/fleet/state.ts";
import type { TokenItem, TrunkItem } from "../../../shared/store/items.ts";
import { newHost, newTrunk } from "../../support/items.ts";
import { atWork, type Bench, drainAll, hostOf, makeBench, START, SUBNETS, TENANT, TYPES } from "./fleet-bench.ts";

/** EC2 refuses, instances fail, lists lie: each ends with what was wanted running, nothing else, and a log that says what happened. */

const offering = (
	type: string | undefined,
	subnet: string | undefined,
	market: "on-demand" | "spot" = "on-demand",
) => ({
	type: type ?? "",
	subnet: subnet ?? "",
	market,
});
const FIRST = offering(TYPES[0], SUBNETS[0]);
const SECOND = offering(TYPES[0], SUBNETS[1]);

/** Nothing runs that no host stands for, and no host stands for nothing. */
const expectNoLeak = (bench: Bench): void => {
	expect(bench.illegal).toEqual([]);
	expect(bench.fleet().intents).toEqual({});
	const held = new Set(
		bench
			.hosts()
			.flatMap(({ state, inst }) => (inst && !["stopped", "terminated"].includes(state) ? [inst.instanceId] : [])),
	);
	expect(bench.ec2.running().filter(({ instanceId }) => !held.has(instanceId))).toEqual([]);
};

test("out of capacity in the first type and zone, then throttling, then success", async () => {
	const bench = await makeBench();
	bench.ec2.capacity(FIRST, 0);
	await bench.floor(3);
	bench.ec2.refuse("noCapacity", { call: "launch" });
	bench.ec2.refuse("throttled", { call: "launch" });
	await bench.look();
	// The second offering was tried in the same look; then EC2 asked to slow down, and the intent stays.
	expect(bench.ec2.calls.filter(({ call }) => call === "launch")).toHaveLength(2);
	expect(Object.keys(bench.fleet().noCapacity)).toEqual(["on-demand/c7g.large/subnet-a"]);
	expect(bench.fleet().throttledUntil).toBeGreaterThan(bench.now());
	expect(Object.values(bench.fleet().intents)).toMatchObject([{ kind: "launch", count: 3 }]);
	await bench.look();
	expect(bench.ec2.calls.filter(({ call }) => call === "launch")).toHaveLength(2);
	bench.pass(5);
	await bench.look();
	expect(bench.ec2.running().map(({ subnet, type }) => `${type} ${subnet}`)).toEqual(
		Array(3).fill(`${SECOND.type} ${SECOND.subnet}`),
	);
	expect(bench.hosts()).toHaveLength(3);
	expect(bench.fleet()).not.toHaveProperty("throttles");
	expectNoLeak(bench);
	for (const event of ["fleet.launchRefused", "fleet.throttled", "fleet.resumed", "host.launched", "fleet.decision"])
		expect(bench.toldOf(event).length).toBeGreaterThan(0);
});

test("EC2 gives fewer than were asked for: the rest comes from the next offerings, in the same look", async () => {
	const bench = await makeBench();
	bench.ec2.capacity(FIRST, 2);
	bench.ec2.capacity(SECOND, 1);
	await bench.floor(5);
	await bench.look();
	expect(bench.ec2.running().map(({ subnet, type }) => `${type} ${subnet}`)).toEqual([
		"c7g.large subnet-a",
		"c7g.large subnet-a",
		"c7g.large subnet-b",
		"c8g.large subnet-a",
		"c8g.large subnet-a",
	]);
	expect(bench.hosts()).toHaveLength(5);
	expectNoLeak(bench);
});

test("capacity is short everywhere: it is said, remembered for some minutes, and asked for again", async () => {
	const bench = await makeBench();
	for (const type of TYPES) for (const subnet of SUBNETS) bench.ec2.capacity(offering(type, subnet), 0);
	await bench.floor(2);
	await bench.look();
	const asked = () => bench.ec2.calls.filter(({ call }) => call === "launch").length;
	expect(asked()).toBe(4);
	expect(bench.toldOf("fleet.plannedAgain").at(-1)?.fields["plan"]).toMatchObject({
		short: [expect.stringContaining("out of capacity in all 4")],
	});
	await bench.looks(60);
	expect(asked()).toBe(4);
	// What was not started does not count as starts of the minute.
	expect(bench.fleet().starts).toEqual([]);
	bench.ec2.capacity(FIRST, 5);
	bench.pass(180);
	await bench.look();
	expect(bench.ec2.running()).toHaveLength(2);
	expectNoLeak(bench);
});

test("throttled again and again: the pause doubles", () => {
	let fleet = emptyFleet(TENANT);
	const pauses = Array.from({ length: 8 }, () => {
		const change = throttled({ ...fleet, throttledUntil: 0 }, START, 1);
		fleet = { ...fleet, throttles: change.throttles ?? 0 };
		return ((change.throttledUntil ?? 0) - START) / 1_000;
	});
	expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
	expect((throttled(emptyFleet(TENANT), START, 0).throttledUntil ?? 0) - START).toBe(1_000);
});

test.each([["quota"], ["configuration"]] as const)(
	"refused for %s: halted and said, not asked again until later",
	async (kind) => {
		const bench = await makeBench();
		await bench.floor(2);
		bench.ec2.refuse(kind, { call: "launch" });
		await bench.look();
		expect(bench.fleet().halted).toMatchObject({ until: bench.now() + 600_000 });
		expect(bench.fleet().intents).toEqual({});
		expect(bench.toldOf("fleet.halted")).toHaveLength(1);
		await bench.looks(60);
		expect(bench.ec2.calls.filter(({ call }) => call === "launch")).toHaveLength(1);
		bench.pass(600);
		await bench.look();
		expect(bench.ec2.running()).toHaveLength(2);
		expect(bench.fleet()).not.toHaveProperty("halted");
		expectNoLeak(bench);
	},
);

test("the answer to a launch is lost: asked again with the same token, nothing is started twice", async () => {
	const bench = await makeBench();
	await bench.floor(3);
	bench.ec2.refuse("unknown", { call: "launch", carriedOut: true });
	await bench.look();
	expect(Object.keys(bench.fleet().intents)).toHaveLength(1);
	expect(bench.hosts()).toHaveLength(0);
	bench.pass(5);
	await bench.look();
	expect(bench.ec2.all()).toHaveLength(3);
	expect(bench.hosts()).toHaveLength(3);
	expectNoLeak(bench);
});

test("a launch that never has a clear answer is given up when EC2's list shows nothing of it", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	bench.ec2.refuse("unknown", { call: "launch", times: 1_000 });
	await bench.looks(595);
	expect(Object.keys(bench.fleet().intents)).toHaveLength(1);
	const tokens = new Set(
		bench.ec2.calls.flatMap(({ call, argument }) =>
			call === "launch" ? [(argument as { clientToken: string }).clientToken] : [],
		),
	);
	expect(tokens.size).toBe(1);
	await bench.looks(15);
	expect(bench.toldOf("fleet.launchGivenUp")).toHaveLength(1);
	expect(bench.fleet().failed).toMatchObject({ count: 1 });
});

test("stopped hosts are started before anything is launched, in one call", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5 } });
	await atWork(bench, 3);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	expect(bench.states()).toEqual({ stopped: 3 });
	await bench.floor(4);
	await bench.look();
	expect(
		bench.ec2.calls.filter(({ call }) => call === "start").map(({ argument }) => (argument as string[]).length),
	).toEqual([3]);
	expect(bench.ec2.calls.filter(({ call }) => call === "launch")).toHaveLength(2);
	expect(bench.states()).toEqual({ launching: 4 });
	const inst = bench.hosts()[0]?.inst;
	expect(inst).not.toHaveProperty("readyAt");
	expect(inst).not.toHaveProperty("stopAt");
	expect(inst?.startId).not.toBe(inst?.launchId);
	expectNoLeak(bench);
});

test("stopped hosts cannot be started for want of capacity: they are stopped again, others are launched", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5 } });
	await atWork(bench, 2);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	const stopped = bench.hosts().map(({ hostId }) => hostId);
	bench.ec2.capacity(FIRST, 0);
	await bench.floor(2);
	await bench.look();
	expect(stopped.map((hostId) => bench.host(hostId).state)).toEqual(["stopped", "stopped"]);
	expect(bench.ec2.running()).toHaveLength(2);
	expect(bench.ec2.running().every(({ subnet }) => subnet === SECOND.subnet)).toBe(true);
	expectNoLeak(bench);
	// Nobody takes them for started meanwhile.
	await bench.looks(60);
	expect(stopped.map((hostId) => bench.host(hostId).state)).toEqual(["stopped", "stopped"]);
});

test("a start that is throttled waits, and its hosts are not taken for failed", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5, bootDeadlineSec: 60 } });
	await atWork(bench, 2);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	await bench.floor(2);
	bench.ec2.refuse("throttled", { call: "start", times: 6 });
	await bench.looks(70);
	expect(bench.states()).toEqual({ launching: 2 });
	expect(bench.fleet().failed.count).toBe(0);
	await bench.looks(60);
	expect(bench.ec2.running()).toHaveLength(2);
	expectNoLeak(bench);
});

test("an instance that never boots: ended after its deadline, counted, and not started again and again", async () => {
	const bench = await makeBench();
	await bench.floor(2);
	await bench.looks(310);
	expect(bench.fleet().failed).toMatchObject({ count: 1 });
	expect(bench.fleet().failed.reason).toContain("2 starts failed");
	expect(bench.fleet().failed.notBefore).toBeGreaterThan(bench.now());
	await bench.looks(3_600, 10);
	// Deadline and growing pauses: 310, 325, 640, 670, 985, 1,045 … and not one start a minute.
	expect(bench.ec2.starts()).toBeLessThanOrEqual(18);
	expect(bench.fleet().failed.count).toBeGreaterThanOrEqual(4);
	expect(bench.toldOf("host.startFailed").length).toBeGreaterThanOrEqual(8);
	expectNoLeak(bench);

	await bench.floor(0);
	await bench.looks(400, 10);
	expect(bench.ec2.running()).toEqual([]);
	expect(bench.states()).not.toHaveProperty("stopped");
});

test("failures seen together count once, are counted once, and are forgotten when a host is of use", () => {
	const none = emptyFleet(TENANT).failed;
	const one = withFailures(
		none,
		[
			{ start: "a/1", reason: "x" },
			{ start: "b/1", reason: "y" },
		],
		START,
	);
	expect(one).toMatchObject({ count: 1, notBefore: START + 15_000, at: START });
	expect(withFailures(one, [{ start: "a/1", reason: "x" }], START + 5_000)).toBe(one);
	let failed = one;
	for (let i = 0; i < 30; i++) failed = withFailures(failed, [{ start: `c/${i}`, reason: "x" }], START);
	expect(failed.notBefore).toBe(START + 30 * 60_000);
	expect(whyNoStart({ ...emptyFleet(TENANT), failed }, START)).toContain("31 that failed");
	const forgotten = withoutFailures(failed);
	expect(forgotten).toMatchObject({ count: 0, notBefore: 0 });
	expect(withFailures(forgotten, [{ start: "c/29", reason: "x" }], START)).toBe(forgotten);
});

test("no trunk answers a host: it is drained as faulty, ended, and counted as a failed start", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	await bench.change(hostId, { deadTrunks: ["t1"], lastSeenAt: bench.now() });
	for (let i = 0; i < 11; i++) {
		bench.pass(5);
		await bench.greet();
		await bench.look();
	}
	expect(bench.host(hostId).state).toBe("active");
	for (let i = 0; i < 3; i++) {
		bench.pass(5);
		await bench.greet();
		await bench.look();
	}
	expect(bench.host(hostId)).toMatchObject({ state: "draining", drainBy: "fault" });
	expect(bench.fleet().failed.count).toBe(1);
	await drainAll(bench);
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("terminated");
	expectNoLeak(bench);
});

test("a carrier that is away for a moment costs no host", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	for (let i = 0; i < 20; i++) {
		await bench.change(hostId, { deadTrunks: i % 10 < 5 ? ["t1"] : [] });
		bench.pass(5);
		await bench.greet();
		await bench.look();
	}
	expect(bench.host(hostId).state).toBe("active");
	expect(bench.fleet().failed.count).toBe(0);
});

test("an instance whose identity was used twice is drained and ended", async () => {
	const bench = await makeBench();
	const [one] = await atWork(bench, 2);
	await bench.change(one?.hostId ?? "", {
		inst: { ...(one?.inst as NonNullable<typeof one>["inst"] & object), failure: "enrolled twice" },
	});
	await bench.look();
	expect(bench.host(one?.hostId ?? "")).toMatchObject({ state: "draining", drainBy: "fault" });
	expect(bench.fleet().failed.reason).toBe("enrolled twice");
	await bench.looks(30);
	expect(bench.fleet().failed.count).toBe(1);
});

test("an instance dies with a hundred calls: fenced at once, recovered, its channels go back, nothing is left", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	if (!host?.inst) throw new Error("no host");
	const trunk = newTrunk("t1", { maxChannels: 200, maxCps: 100, numbering: "private" }, { c1: { cap: 150, free: 50 } });
	const share = { e: host.epoch, s: 7, n: { c1: 100 }, at: 0, k: 0, gap: 0, valid: 0 };
	await bench.put("trunks", { ...trunk, free: 100, a: { [host.hostId]: share } });
	await bench.change(host.hostId, { live: 100, held: { c1: 100 }, seq: 7, lastSeenAt: bench.now() });
	bench.ec2.die(host.inst.instanceId);
	bench.pass(1);
	await bench.look();
	expect(bench.host(host.hostId)).toMatchObject({ state: "lost", lostE: host.epoch, lostS: 7 });
	expect(bench.sent.filter(({ queue }) => queue === "recovery")).toHaveLength(1);
	const { recoverHosts } = await import("../../../shared/recovery/recover-hosts.ts");
	await recoverHosts(bench.deps, TENANT);
	expect(bench.host(host.hostId).state).toBe("recovered");
	const loss = () => bench.dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t1" });
	await bench.look();
	// EC2 says terminated: no call of it is up, whatever the longest call may be.
	expect(loss()).toMatchObject({ free: 200, z: {}, c: { c1: { free: 150 } } });
	await bench.floor(0);
	await bench.looks(10);
	expect(bench.host(host.hostId).state).toBe("terminated");
	expectNoLeak(bench);
});

test("a host past its drain deadline is ended by EC2 and recovered, so that its contacts are not held for ever", async () => {
	const bench = await makeBench({ burst: { drainDeadlineSec: 100, drainGraceSec: 30 } });
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	await bench.change(hostId, { live: 1, held: { c1: 1 }, seq: 4 });
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	expect(bench.host(hostId)).toMatchObject({ state: "draining", drainBy: "fleet", drainUntil: bench.now() + 100_000 });
	for (let i = 0; i < 26; i++) {
		bench.pass(5);
		await bench.greet();
		await bench.look();
		expect(bench.ec2.running()).toHaveLength(1);
	}
	bench.pass(5);
	await bench.greet();
	await bench.look();
	expect(bench.toldOf("host.forced")).toHaveLength(1);
	expect(bench.host(hostId).inst).toMatchObject({ end: "terminate", stopReason: "drain deadline passed" });
	await bench.looks(10);
	expect(bench.host(hostId).state).toBe("lost");
	const { recoverHosts } = await import("../../../shared/recovery/recover-hosts.ts");
	await recoverHosts(bench.deps, TENANT);
	await bench.looks(20);
	expect(bench.host(hostId)).toMatchObject({ state: "terminated", held: {} });
	expectNoLeak(bench);
});

test("a stranger with our tag is stopped at the second sighting; one of ours without a host is adopted", async () => {
	const bench = await makeBench();
	await atWork(bench, 1);
	const launchId = bench.hosts()[0]?.inst?.launchId ?? "";
	const stranger = bench.ec2.addStranger();
	const unknown = bench.ec2.addStranger({ launchId: "nobody-knows" });
	const spot = bench.ec2.addStranger({ market: "spot" });
	const ours = bench.ec2.addStranger({ launchId });
	const look = async () => {
		bench.pass(5);
		await bench.greet();
		await bench.look();
	};
	await look();
	expect(bench.host(hostOf(ours))).toMatchObject({ tier: "burst", inst: { launchId, startId: launchId } });
	expect(bench.host(hostOf(ours)).inst?.usdPerHour).toBeCloseTo(0.075);
	for (let i = 0; i < 5; i++) await look();
	expect(bench.ec2.get(stranger.instanceId).state).toBe("running");
	await look();
	expect(bench.ec2.get(stranger.instanceId).state).toBe("stopping");
	expect(bench.ec2.get(unknown.instanceId).state).toBe("stopping");
	expect(bench.ec2.get(spot.instanceId).state).toBe("shutting-down");
	for (let i = 0; i < 10; i++) await look();
	expect(bench.toldOf("fleet.stranger")).toHaveLength(3);
	expect(bench.fleet().strangers).toEqual({});
	expect(bench.ec2.get(stranger.instanceId).state).toBe("stopped");
	expect(bench.illegal).toEqual([]);
});

test("a host that EC2 does not know any more: lost if it was at work, terminated else; a late list alone does nothing", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5 } });
	const [busy, idle] = await atWork(bench, 2);
	if (!busy?.inst || !idle?.inst) throw new Error("no hosts");
	bench.ec2.hide(busy.inst.instanceId);
	for (let i = 0; i < 5; i++) {
		bench.pass(5);
		await bench.greet();
		await bench.look();
	}
	bench.ec2.hide(busy.inst.instanceId, false);
	bench.pass(10);
	await bench.greet();
	await bench.look();
	expect(bench.host(busy.hostId).state).toBe("active");
	expect(bench.fleet().ghosts).toEqual({});

	await bench.change(idle.hostId, { state: "stopped" });
	bench.ec2.lose(busy.inst.instanceId);
	bench.ec2.lose(idle.inst.instanceId);
	for (let i = 0; i < 8; i++) {
		bench.pass(5);
		await bench.look();
	}
	expect(bench.host(busy.hostId).state).toBe("lost");
	expect(bench.host(idle.hostId).state).toBe("terminated");
});

test("a ghost that comes back runs for nobody: it is terminated", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	await bench.look();
	const [instance] = bench.ec2.running();
	if (!instance) throw new Error("nothing runs");
	bench.ec2.hide(instance.instanceId);
	await bench.looks(80);
	expect(bench.host(hostOf(instance)).state).toBe("terminated");
	bench.ec2.hide(instance.instanceId, false);
	await bench.floor(0);
	await bench.looks(100);
	expect(bench.ec2.get(instance.instanceId).state).toBe("terminated");
	expect(bench.ec2.running()).toEqual([]);
	expectNoLeak(bench);
});

test("somebody starts a stopped host by hand: it is stopped at the second sighting", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5 } });
	const [host] = await atWork(bench, 1);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	bench.ec2.startByHand(host?.inst?.instanceId ?? "");
	await bench.looks(25);
	expect(bench.ec2.running()).toHaveLength(1);
	await bench.looks(30);
	expect(bench.ec2.running()).toEqual([]);
	expect(bench.host(host?.hostId ?? "").state).toBe("stopped");
	expectNoLeak(bench);
});

test("EC2's list cannot be read: nothing is started or stopped, and it is said", async () => {
	const bench = await makeBench();
	await atWork(bench, 2);
	await bench.change(bench.hosts()[0]?.hostId ?? "", {
		state: "drained",
		drainBy: "fleet",
		drainUntil: bench.now() + 60_000,
	});
	await bench.floor(4);
	const before = bench.ec2.calls.length;
	bench.ec2.refuse("unknown", { call: "describe", times: 3 });
	for (let i = 0; i < 3; i++) await bench.look();
	expect(bench.ec2.calls.slice(before).map(({ call }) => call)).toEqual(["describe", "describe", "describe"]);
	expect(bench.fleet().decision?.held).toContain("EC2's list");
	expect(bench.toldOf("fleet.ec2Unread")).toHaveLength(3);
	await bench.look();
	expect(bench.ec2.running()).toHaveLength(4);
	expect(bench.fleet().decision).not.toHaveProperty("held");
});

test("the demand cannot be read: nothing is started or stopped", async () => {
	const bench = await makeBench();
	await atWork(bench, 2);
	await bench.floor(0);
	await bench.greet();
	let fail = true;
	const deps = bench.depsWith({
		before: ({ input }) => {
			// The registrations of campaigns are what the demand begins with; the look reads the trunks once more by itself.
			if (fail && input["TableName"] === "trunks" && ++reads % 2 === 0) throw new Error("no answer");
		},
	});
	let reads = 0;
	await lookAtFleet(deps, TENANT, "test");
	expect(bench.toldOf("fleet.demandUnread")).toHaveLength(1);
	expect(bench.fleet().decision?.held).toBeDefined();
	expect(bench.states()).toEqual({ active: 2 });
	fail = false;
	await lookAtFleet(deps, TENANT, "test");
	expect(bench.states()).toEqual({ draining: 2 });
});

test("dry run: decided and told, EC2 and hosts are left alone", async () => {
	const bench = await makeBench({ burst: { dryRun: true } });
	await bench.floor(3);
	await bench.looks(60);
	expect(new Set(bench.ec2.calls.map(({ call }) => call))).toEqual(new Set(["describe"]));
	expect(bench.hosts()).toEqual([]);
	expect(bench.fleet()).toMatchObject({ intents: {}, starts: [] });
	expect(bench.toldOf("fleet.decision").at(-1)?.fields).toMatchObject({
		dryRun: expect.any(String),
		plan: { intents: expect.anything() },
	});
});

test("a stop that EC2 refuses, or of which nobody knows, is asked again", async () => {
	const bench = await makeBench({ burst: { warmHosts: 0 } });
	await atWork(bench, 2);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	bench.ec2.refuse("unknown", { call: "terminate" });
	await bench.look();
	expect(bench.states()).toEqual({ stopping: 2 });
	expect(bench.ec2.running()).toHaveLength(2);
	await bench.looks(10);
	expect(bench.ec2.running()).toEqual([]);
	await bench.looks(10);
	expect(bench.states()).toEqual({ terminated: 2 });
	expectNoLeak(bench);
});

test("the token of a host that is stopped is revoked", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	const tokenHash = host?.inst?.tokenHash ?? "";
	await bench.put("tokens", {
		tokenHash,
		tokenId: "t-9",
		tenant: TENANT,
		kind: "host",
		hostId: host?.hostId,
		name: "x",
		createdAt: START,
	});
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	expect(bench.dynamo.peek<TokenItem>("tokens", { tokenHash })).not.toHaveProperty("revokedAt");
	await drainAll(bench);
	await bench.look();
	expect(bench.dynamo.peek<TokenItem>("tokens", { tokenHash })).toMatchObject({ revokedAt: bench.now() });
	expect(bench.host(host?.hostId ?? "").inst).not.toHaveProperty("tokenHash");
});

test("no burst is set up: no demand is read, nothing is written, and why is said once", async () => {
	const bench = await makeBench({ burst: { launchTemplate: "" } });
	await bench.put("hosts", newHost("h1", 10, START));
	const statements: string[] = [];
	const deps = bench.depsWith({
		before: ({ name, input }) => void statements.push(`${name} ${String(input["TableName"])}`),
	});
	await lookAtFleet(deps, TENANT, "tick");
	await lookAtFleet(deps, TENANT, "tick");
	// The book of the day is kept for own hosts too: this one has done nothing yet.
	const books = ["Query ledger", "Get ledger"];
	expect(new Set(statements)).toEqual(new Set(["Query fleet", "Query hosts", "Query trunks", ...books]));
	expect(bench.ec2.calls).toEqual([]);
	expect(bench.toldOf("fleet.off")).toHaveLength(1);
});

import { describe, expect, test } from "@jest/globals";
import { countsFrom, readCampaignItems } from "../../../shared/campaigns/counts.ts";
import { planAddresses } from "../../../shared/fleet/addresses.ts";
import type { Ec2Instance } from "../../../shared/fleet/ec2.ts";
import { LAST_REPORTS_MS } from "../../../shared/fleet/interruption.ts";
import { drainForInterruption, lookAtFleet } from "../../../shared/fleet/look.ts";
import { describeFleet } from "../../../shared/fleet/show.ts";
import { campaignKey, type HostItem, type Instance, type TrunkItem } from "../../../shared/store/items.ts";
import { asOf } from "../../../shared/sync/counters.ts";
import { newHost, newTrunk } from "../../support/items.ts";
import { atWork, type Bench, drainAll, makeBench, TENANT } from "./fleet-bench.ts";

test("starts what the floor asks for, once, and lets it go again", async () => {
	const bench = await makeBench({ burst: { warmHosts: 1 } });
	const hosts = await atWork(bench, 3);
	expect(hosts).toHaveLength(3);
	expect(bench.ec2.running()).toHaveLength(3);
	expect(bench.fleet().intents).toEqual({});
	expect(bench.fleet().awake).toBe(true);

	await bench.floor(0);
	await bench.greet();
	await bench.look();
	expect(bench.states()).toEqual({ draining: 3 });
	expect(bench.ec2.running()).toHaveLength(3);
	await drainAll(bench);
	await bench.look();
	expect(bench.states()).toEqual({ stopping: 3 });
	await bench.looks(20);
	expect(bench.states()).toEqual({ stopped: 1, terminated: 2 });
	expect(bench.ec2.running()).toEqual([]);
	expect(bench.fleet().awake).toBe(false);
	expect(bench.illegal).toEqual([]);
});

test("a fleet that wakes up asks for the looks of the rest of the minute, once", async () => {
	const bench = await makeBench();
	await bench.look();
	expect(bench.sent).toEqual([]);
	await bench.floor(1);
	await bench.look();
	const looks = bench.sent.filter(({ queue }) => queue === "fleet");
	expect(looks.map(({ delaySec }) => delaySec)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
	expect(looks.every(({ body }) => body["chain"] === true && body["tenant"] === TENANT)).toBe(true);
	await bench.look();
	expect(bench.sent).toHaveLength(looks.length);
});

test("a look of a chain asks for no more", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	await lookAtFleet(bench.deps, TENANT, "awake", { chain: true });
	expect(bench.fleet().awake).toBe(true);
	expect(bench.sent).toEqual([]);
});

test("how long starts take is remembered, each start once", async () => {
	const bench = await makeBench({ burst: { warmHosts: 5 } });
	await atWork(bench, 2);
	expect(bench.fleet().boots).toEqual([10, 10]);
	await bench.greet();
	await bench.look();
	expect(bench.fleet().boots).toEqual([10, 10]);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	await bench.floor(1);
	await bench.look();
	await bench.looks(25);
	await bench.greet();
	await bench.look();
	expect(bench.fleet().boots).toEqual([10, 10, 25]);
});

test("one line tells each look's decision with its figures and plan", async () => {
	const bench = await makeBench();
	await bench.floor(2);
	await bench.look();
	expect(bench.toldOf("fleet.decision")).toHaveLength(1);
	expect(bench.toldOf("fleet.decision")[0]?.fields).toMatchObject({
		why: "test",
		wanted: { onDemand: 2, spot: 0 },
		reason: expect.stringContaining("floor"),
		plan: { intents: expect.anything(), short: [] },
	});
});

test("never more starts in a minute than the limit, whatever is wanted", async () => {
	const bench = await makeBench({ burst: { maxStartsPerMin: 4 } });
	await bench.floor(20);
	for (let minute = 1; minute <= 4; minute++) {
		for (let i = 0; i < 12; i++) {
			await bench.look();
			expect(bench.ec2.starts()).toBeLessThanOrEqual(4 * minute);
			bench.pass(5);
		}
	}
	expect(bench.ec2.starts()).toBe(16);
});

test("the host that is no more is removed an hour later: its counters stay, its entries leave the trunks", async () => {
	const bench = await makeBench({ burst: { warmHosts: 0 } });
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	const counts = { c1: { a: 7, f: 5, o_answered: 5 }, c2: { a: 1, f: 1, o_busy: 1 } };
	await bench.change(hostId, { acc: counts, seq: 9 });
	const trunk = newTrunk("t1", { maxChannels: 50, maxCps: 100, numbering: "private" }, { c1: { cap: 20, free: 18 } });
	const entry = { e: 1, s: 9, n: { c1: 2 }, at: 0, k: 0, gap: 0, valid: 0 };
	await bench.put("trunks", { ...trunk, free: 48, a: { [hostId]: entry, other: { ...entry, n: {} } } });
	const told = async (campaignId: string) => {
		const items = await readCampaignItems(bench.deps, TENANT, campaignId);
		const { attempts, outcomes } = countsFrom(campaignId, items, bench.hosts());
		return { attempts, outcomes };
	};
	const before = [await told("c1"), await told("c2")];
	expect(before).toEqual([
		{ attempts: 7, outcomes: { answered: 5 } },
		{ attempts: 1, outcomes: { busy: 1 } },
	]);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("terminated");
	await bench.looks(3_500, 250);
	expect(bench.hosts()).toHaveLength(1);
	// It dies in the middle: nothing is counted twice, nothing is lost.
	const deps = bench.depsWith({
		before: ({ name, input }) => {
			if (name === "Delete" && !String(input["Key"].tenant).includes("#")) throw new Error("gone");
		},
	});
	bench.pass(200);
	await expect(lookAtFleet(deps, TENANT, "test")).rejects.toThrow(AggregateError);
	expect([await told("c1"), await told("c2")]).toEqual(before);
	await bench.look();
	expect(bench.hosts()).toEqual([]);
	expect([await told("c1"), await told("c2")]).toEqual(before);
	expect(bench.dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t1" })).toMatchObject({
		free: 50,
		c: { c1: { free: 20 } },
		a: { other: { n: {} } },
	});
	expect(Object.keys(bench.dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t1" })?.a ?? {})).toEqual([
		"other",
	]);
});

test("a host whose counters are not safe, or that still holds something, is kept", async () => {
	const bench = await makeBench({ burst: { warmHosts: 0 } });
	const [one, two] = await atWork(bench, 2);
	await bench.floor(0);
	await bench.greet();
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	if (!one || !two) throw new Error("no hosts");
	await bench.change(one.hostId, { held: { c1: 1 } });
	const item = bench.host(two.hostId);
	await bench.change(two.hostId, { acc: { c1: { a: 2 } } });
	// A copy of the same moment that says less.
	const key = campaignKey(TENANT, "c1", `STATS#${two.hostId}`);
	await bench.put("campaigns", { ...key, hostId: two.hostId, asOf: asOf(item), counts: { a: 1 } });
	bench.pass(4_000);
	await bench.look();
	expect(bench.hosts()).toHaveLength(2);
	expect(bench.toldOf("host.notRemoved")).toHaveLength(2);
});

describe("spot interruption", () => {
	const UNTIL = 120_000;
	test("drains, and ends its calls in time for them to be reported; a drain of the fleet becomes one that is not taken back", async () => {
		const bench = await makeBench();
		const [one, two] = await atWork(bench, 2);
		if (!one?.inst || !two?.inst) throw new Error("no hosts");
		await bench.change(two.hostId, { state: "draining", drainBy: "fleet", drainUntil: bench.now() + 600_000 });
		const until = bench.now() + UNTIL;
		for (const { inst } of [one, two]) await drainForInterruption(bench.deps, TENANT, inst?.instanceId ?? "", until);
		for (const { hostId } of [one, two])
			expect(bench.host(hostId)).toMatchObject({
				state: "draining",
				drainBy: "spot",
				drainUntil: until - LAST_REPORTS_MS,
			});
		// Again, and for somebody else's instance.
		await drainForInterruption(bench.deps, TENANT, one.inst.instanceId, until + 5_000);
		await drainForInterruption(bench.deps, TENANT, "i-0ffffffffffffffff", until);
		expect(bench.host(one.hostId).drainUntil).toBe(until - LAST_REPORTS_MS);
		await bench.greet();
		await bench.look();
		expect(bench.states()).toMatchObject({ draining: 2, launching: 2 });
	});

	test("one that is not at work yet is ended at once", async () => {
		const bench = await makeBench();
		await bench.floor(1);
		await bench.look();
		const [host] = bench.hosts();
		await drainForInterruption(bench.deps, TENANT, host?.inst?.instanceId ?? "", bench.now() + UNTIL);
		expect(bench.host(host?.hostId ?? "").state).toBe("stopping");
		expect(bench.ec2.running()).toEqual([]);
	});
});

describe("addresses that carriers know", () => {
	const addresses = { "eipalloc-1": "192.0.2.1", "eipalloc-2": "192.0.2.2" };
	const pool = async (): Promise<Bench> => {
		const bench = await makeBench({ burst: { addressPool: Object.keys(addresses) }, ec2: { addresses } });
		const trunk = newTrunk("t1", { maxChannels: 500, maxCps: 100, numbering: "private" });
		await bench.put("trunks", { ...trunk, trunk: { ...trunk.trunk, addresses: "known" } });
		return bench;
	};

	test("every running host gets one; a pool that is short is said", async () => {
		const bench = await pool();
		await atWork(bench, 3);
		const given = bench.hosts().flatMap(({ inst }) => inst?.publicAddress ?? []);
		expect(given.sort()).toEqual(["192.0.2.1", "192.0.2.2"]);
		expect(bench.fleet().addresses).toEqual({ pool: 2, free: 0, missing: 1 });
		expect((await describeFleet(bench.deps, TENANT)).trouble.join()).toContain("1 running hosts have none");
	});

	test("an answer that was lost, or a death before the item was written: EC2's word counts", async () => {
		const bench = await pool();
		bench.ec2.refuse("unknown", { call: "associate", carriedOut: true });
		await bench.floor(1);
		await bench.look();
		bench.pass(5);
		await bench.look();
		expect(bench.hosts()[0]?.inst).not.toHaveProperty("publicAddress");
		await bench.look();
		expect(bench.hosts()[0]?.inst).toMatchObject({ addressId: "eipalloc-1", publicAddress: "192.0.2.1" });
		expect(bench.ec2.calls.filter(({ call }) => call === "associate")).toHaveLength(1);
	});

	test("an address is not taken from anybody, and one that is lost is forgotten", () => {
		const host = (n: number, over: object = {}): HostItem => ({
			...newHost(`burst-${n}`, 1, 0),
			tier: "burst",
			state: "active",
			inst: { instanceId: `i-${n}`, startedAt: n, ...over } as Instance,
		});
		const instances = [1, 2].map((n) => ({ instanceId: `i-${n}`, state: "running" }) as Ec2Instance);
		const others = [
			{ allocationId: "a", publicAddress: "1", instanceId: "i-9" },
			{ allocationId: "b", publicAddress: "2", instanceId: "i-2" },
		];
		const plan = planAddresses([host(1, { addressId: "a", publicAddress: "1" }), host(2)], instances, others);
		expect(plan.give).toEqual([]);
		expect(plan.note.map(({ host: { hostId }, address }) => [hostId, address?.allocationId])).toEqual([
			["burst-1", undefined],
			["burst-2", "b"],
		]);
		expect(plan.figures).toEqual({ pool: 2, free: 0, missing: 1 });
	});

	test("no trunk needs them: EC2 is not asked", async () => {
		const bench = await makeBench({ burst: { addressPool: ["eipalloc-1"] }, ec2: { addresses } });
		await atWork(bench, 1);
		expect(bench.ec2.calls.filter(({ call }) => call === "addresses")).toEqual([]);
	});
});

test("what is shown: decision, hosts with their EC2 figures, what is in the way", async () => {
	const bench = await makeBench();
	expect(await describeFleet(bench.deps, TENANT)).toMatchObject({
		enabled: true,
		decision: null,
		wanted: null,
		hosts: [],
	});
	const [host] = await atWork(bench, 2);
	await bench.put("fleet", {
		...bench.fleet(),
		halted: { reason: "quota is used up", at: bench.now(), until: bench.now() + 60_000 },
		noCapacity: { "on-demand/c7g.large/subnet-b": bench.now() + 1 },
		failed: { count: 2, notBefore: bench.now() + 1, reason: "no boot" },
		strangers: { "i-0bad": bench.now() },
	});
	await bench.change(host?.hostId ?? "", { state: "draining", drainBy: "spot", drainUntil: bench.now() + 1_000 });
	const shown = await describeFleet(bench.deps, TENANT);
	expect(shown).toMatchObject({
		wanted: { onDemand: 2, spot: 0 },
		floor: { min: 2 },
		usdPerHour: 0.15,
		bootSec: { last: [10, 10], median: 10 },
		decision: { at: new Date(bench.now()).toISOString(), floor: { hosts: 2 } },
	});
	expect(shown.hosts.find(({ hostId }) => hostId === host?.hostId)).toMatchObject({
		state: "draining",
		why: "spot interruption: EC2 takes it away",
		type: "c7g.large",
		subnet: "subnet-a",
		market: "on-demand",
		drainUntil: new Date(bench.now() + 1_000).toISOString(),
	});
	for (const words of ["quota is used up", "c7g.large/subnet-b", "no boot", "i-0bad"])
		expect(shown.trouble.join("\n")).toContain(words);
});

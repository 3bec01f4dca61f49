import { describe, expect, test } from "@jest/globals";
import { ec2Adapter } from "../../../shared/aws/ec2.ts";
import { newHost } from "../../support/items.ts";
import { atWork, type Bench, burstSettings, drainAll, makeBench, START } from "./fleet-bench.ts";

/** Hosts that run and are of no use, and instances that stand in the way of others: none of them costs for ever. */

/** Looks during which every host that is up syncs and says this of itself. */
const looksWith = async (bench: Bench, sec: number, say: Parameters<Bench["change"]>[1]): Promise<void> => {
	for (let passed = 0; passed < sec; passed += 5) {
		bench.pass(5);
		await bench.greet();
		for (const { hostId, state } of bench.hosts())
			if (state === "active" || state === "draining") await bench.change(hostId, say);
		await bench.look();
		await drainAll(bench);
	}
};

describe("Asterisk stays down", () => {
	test("the host is drained as faulty and ended, though it is not among the hosts that are up and nothing is wanted", async () => {
		const bench = await makeBench();
		const [host] = await atWork(bench, 1);
		const hostId = host?.hostId ?? "";
		await bench.floor(0);
		await bench.change(hostId, { health: "asteriskDown", lastSeenAt: bench.now() });
		await looksWith(bench, 50, { health: "asteriskDown" });
		expect(bench.host(hostId).state).toBe("active");
		await looksWith(bench, 60, { health: "asteriskDown" });
		expect(bench.host(hostId).state).toBe("terminated");
		expect(bench.ec2.running()).toEqual([]);
		expect(bench.fleet().failed).toMatchObject({ count: 1, reason: expect.stringContaining("Asterisk") });
	});

	test("also with calls that it can say nothing of: the drain's deadline ends them", async () => {
		const bench = await makeBench();
		const [host] = await atWork(bench, 1);
		const hostId = host?.hostId ?? "";
		for (let i = 0; i < 14; i++) {
			await bench.change(hostId, { health: "asteriskDown", live: 3, held: { c1: 3 } });
			bench.pass(5);
			await bench.greet();
			await bench.look();
		}
		expect(bench.host(hostId)).toMatchObject({ state: "draining", drainBy: "fault" });
	});

	test("a restart of Asterisk costs no host", async () => {
		const bench = await makeBench();
		const [host] = await atWork(bench, 1);
		for (let i = 0; i < 5; i++) {
			await looksWith(bench, 30, { health: "asteriskDown" });
			await looksWith(bench, 10, { health: "up" });
		}
		expect(bench.host(host?.hostId ?? "").state).toBe("active");
		expect(bench.fleet().failed.count).toBe(0);
	});
});

describe("every host that is started turns out to be of no use", () => {
	test.each([
		["no trunk answers it", { deadTrunks: ["t1"] }],
		["its Asterisk is down", { health: "asteriskDown" as const }],
	])("%s: the pauses between starts grow", async (_, fault) => {
		const bench = await makeBench();
		await bench.floor(1);
		for (let passed = 0; passed < 7_200; passed += 5) {
			bench.pass(5);
			// A host says it some seconds after its hello: until then it looks well.
			for (const { hostId, state, inst } of bench.hosts())
				if (state === "active" && bench.now() - (inst?.readyAt ?? 0) >= 10_000) await bench.change(hostId, fault);
			await bench.greet(20);
			await bench.look();
			await drainAll(bench);
		}
		// Some 100 s each, and pauses of 15, 30, 60 … 1,800 s between them.
		expect(bench.ec2.starts()).toBeLessThanOrEqual(16);
		expect(bench.fleet().failed.count).toBeGreaterThanOrEqual(7);
	});
});

test("a carrier that steady hosts do not reach either: the next start waits no longer than until one does", async () => {
	const bench = await makeBench();
	const steady = (deadTrunks: string[]) => ({
		...newHost("h1", 10, START),
		state: "active" as const,
		lastSeenAt: bench.now(),
		deadTrunks,
	});
	await atWork(bench, 1);
	await bench.put("hosts", steady(["t1"]));
	await looksWith(bench, 80, { deadTrunks: ["t1"] });
	expect(bench.fleet().failed).toMatchObject({ count: expect.any(Number), trunks: ["t1"] });
	expect(bench.fleet().failed.count).toBeGreaterThanOrEqual(1);
	const counted = bench.fleet().failed.counted;
	await bench.put("fleet", { ...bench.fleet(), failed: { ...bench.fleet().failed, notBefore: bench.now() + 1e6 } });
	await bench.look();
	expect(bench.ec2.running()).toEqual([]);
	await bench.put("hosts", steady([]));
	await bench.look();
	expect(bench.fleet().failed).toEqual({ count: 0, notBefore: 0, reason: "", counted });
	expect(bench.ec2.running()).toHaveLength(1);
});

describe("one instance that may not be ended keeps no other one from it", () => {
	const ids = ["i-0000000000000001", "i-0000000000000002", "i-0000000000000003"];
	const refused = (name: string, id: string) =>
		Object.assign(new Error(`The instance '${id}' may not be terminated. Modify its 'disableApiTermination'.`), {
			name,
			$metadata: { httpStatusCode: 400 },
		});
	test("protected against termination: the others end, and it is said", async () => {
		const ended: string[] = [];
		const client = {
			send: async ({ input }: { input: { InstanceIds?: string[] } }) => {
				if (input.InstanceIds?.includes(ids[1] ?? "")) throw refused("OperationNotPermitted", ids[1] ?? "");
				ended.push(...(input.InstanceIds ?? []));
				return {};
			},
		};
		const ec2 = ec2Adapter(client as never, burstSettings());
		await expect(ec2.terminate(ids)).rejects.toMatchObject({ kind: "configuration", code: "OperationNotPermitted" });
		expect(ended).toEqual([ids[0], ids[2]]);
	});
});

test("a launch that EC2 refuses when it is repeated, though it was carried out: its instance is adopted, not a stranger", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	bench.ec2.refuse("unknown", { call: "launch", carriedOut: true });
	await bench.look();
	expect(bench.hosts()).toEqual([]);
	bench.ec2.refuse("configuration", { call: "launch", code: "IdempotentParameterMismatch" });
	bench.pass(5);
	await bench.look();
	expect(bench.hosts()).toHaveLength(1);
	expect(bench.fleet().intents).toEqual({});
	expect(bench.ec2.running()).toHaveLength(1);
});

test("a stopped host that EC2 refuses to start is ended: what is started after the pause is another one", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	await bench.floor(0);
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("stopped");
	await bench.floor(1);
	bench.ec2.refuse("configuration", { call: "start", times: 1_000 });
	await bench.looks(10);
	expect(bench.fleet().halted).toBeDefined();
	await bench.looks(700);
	expect(bench.host(hostId).state).toBe("terminated");
	expect(bench.ec2.running()).toHaveLength(1);
});

test("the burst is taken away while a launch has no answer: the look goes on until what was launched is known", async () => {
	const bench = await makeBench();
	await bench.floor(1);
	bench.ec2.refuse("unknown", { call: "launch", carriedOut: true });
	await bench.look();
	expect(bench.hosts()).toEqual([]);
	bench.deps.burst.launchTemplate = "";
	await bench.floor(0);
	await bench.looks(200);
	expect(bench.fleet().intents).toEqual({});
	expect(bench.ec2.running()).toEqual([]);
});

test("stopped hosts of another image than the deployed one are ended, not started", async () => {
	const bench = await makeBench();
	const [host] = await atWork(bench, 1);
	const hostId = host?.hostId ?? "";
	await bench.floor(0);
	await bench.look();
	await drainAll(bench);
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("stopped");
	bench.deps.burst.image = host?.inst?.imageId ?? "";
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("stopped");
	bench.deps.burst.image = "ami-0fedcba9876543210";
	await bench.floor(1);
	await bench.looks(20);
	expect(bench.host(hostId).state).toBe("terminated");
	expect(bench.ec2.running()).toHaveLength(1);
});

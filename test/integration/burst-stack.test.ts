import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { privateNumber } from "../../local/voice/carrier/numbers.ts";
import type { CarrierCall } from "../../local/voice/types.ts";
import { STACK_TAG } from "../../shared/fleet/ec2.ts";
import { eventually } from "../support/local-toy/eventually.ts";

/** Channels of each host. */
const CAPACITY = 5;
const MAX_BURST = 3;
const BOOT_SEC = 1;
/** Far above what a step takes here; a machine with all cores busy needs longer. */
const STEP_MS = 60_000;
const TEST_MS = 4 * STEP_MS;
const AT_REST = ["stopped", "terminated"];

interface Host {
	hostId: string;
	tier: string;
	state: string;
	capacity: number;
	live: number;
}

let stack: Stack;
let output = "";
beforeAll(async () => {
	stack = await startStack({
		asterisk: "simulated",
		steady: 1,
		capacity: CAPACITY,
		settings: { peekIntervalMs: 500 },
		burst: {
			max: MAX_BURST,
			bootSec: BOOT_SEC,
			types: "c7g.large=0.0725,m7g.large=0.0816",
			settings: {
				BURST_IDLE_SEC: "2",
				BURST_MIN_USE_SEC: "1",
				BURST_MAX_OVERHEAD_USD_PER_WORK_HOUR: "100",
				BURST_LOOK_SEC: "1",
				BURST_WARM_HOSTS: "1",
				BURST_BOOT_DEADLINE_SEC: "6",
				BURST_SIGHTING_SEC: "2",
				BURST_NO_CAPACITY_SEC: "5",
			},
		},
		onOutput: (text) => {
			output += text;
		},
	});
}, 2 * STEP_MS);
afterAll(async () => {
	await stack?.stop();
}, STEP_MS);
afterEach(() => {
	output = "";
});

const ec2 = () => {
	if (!stack.ec2) throw new Error("The stack has no EC2.");
	return stack.ec2;
};
const burstHosts = async (): Promise<Host[]> => {
	const { body } = await stack.client.request<{ items: Host[] }>("GET", "/v1/hosts");
	return body.items.filter(({ tier }) => tier === "burst");
};
const stateOf = async (hostId: string): Promise<string | undefined> =>
	(await burstHosts()).find((host) => host.hostId === hostId)?.state;
const atWork = async (): Promise<Host[]> => (await burstHosts()).filter(({ state }) => state === "active");
/** A floor of burst hosts by hand. */
const scale = async (min: number): Promise<void> => {
	const until = new Date(Date.now() + 600_000).toISOString();
	expect((await stack.client.request("POST", "/v1/fleet/scale", { min, until })).status).toBe(200);
};
const untilAtWork = (count: number): Promise<void> =>
	eventually(async () => expect(await atWork()).toHaveLength(count), STEP_MS);
/** No host of ours runs, no instance does, and none is paid for any more. */
const untilAllAtRest = async (): Promise<void> => {
	await eventually(async () => {
		expect((await burstHosts()).filter(({ state }) => !AT_REST.includes(state))).toEqual([]);
		expect(
			ec2()
				.history()
				.filter(({ state }) => !AT_REST.includes(state)),
		).toEqual([]);
	}, STEP_MS);
	const running = ec2()
		.history()
		.filter(({ billed }) => billed.some(({ toMs }) => toMs === undefined));
	expect(running).toEqual([]);
	expect(stack.burstHosts()).toEqual([]);
};

let serial = 0;
const numbers = (count: number, talkMs: number): string[] =>
	Array.from({ length: count }, () => privateNumber({ kind: "answer", ringMs: 100, talkMs }, serial++));
const submit = async (list: string[], waitSec: number): Promise<string> => {
	const made = await stack.client.request<{ campaignId: string }>(
		"POST",
		"/v1/campaigns",
		{
			name: "more than the steady host carries",
			trunk: "carrier",
			then: { wait: waitSec },
			ringTimeoutSec: 5,
			maxCallSec: waitSec + 10,
			retry: { hostLost: { afterSec: 1, max: 0 } },
			contacts: list.map((number) => ({ number })),
		},
		{ "idempotency-key": `burst-${serial}` },
	);
	expect(made.status).toBe(201);
	return made.body.campaignId;
};
interface Shown {
	state: string;
	counts: Record<string, number>;
	outcomes: Record<string, number>;
}
const shown = async (campaignId: string): Promise<Shown> =>
	(await stack.client.request<Shown>("GET", `/v1/campaigns/${campaignId}`)).body;
const untilCompleted = async (campaignId: string, total: number): Promise<Record<string, number>> => {
	await eventually(async () => {
		expect(await shown(campaignId)).toMatchObject({ state: "completed", counts: { total, done: total } });
	}, 2 * STEP_MS);
	const { outcomes } = await shown(campaignId);
	expect(Object.values(outcomes).reduce((sum, n) => sum + n, 0)).toBe(total);
	return outcomes;
};
/** Calls of a list, as the carrier saw them: none twice. */
const carried = async (list: string[]): Promise<CarrierCall[]> => {
	const wanted = new Set(list);
	const calls = ((await stack.carrier?.calls()) ?? []).filter(({ number }) => wanted.has(number));
	expect(new Set(calls.map(({ number }) => number)).size).toBe(calls.length);
	return calls;
};
/** The most calls at once from each address. */
const peaks = (calls: CarrierCall[]): Map<string, number> => {
	const found = new Map<string, number>();
	for (const from of new Set(calls.map((call) => call.from))) {
		const own = calls.filter((call) => call.from === from);
		const at = (moment: number) =>
			own.filter(({ invitedAt, endedAt }) => invitedAt <= moment && (endedAt ?? Number.POSITIVE_INFINITY) > moment);
		found.set(from, Math.max(...own.map(({ invitedAt }) => at(invitedAt).length)));
	}
	return found;
};

describe("a list that is more than the steady host carries", () => {
	test(
		"starts burst hosts, which carry calls, drain and are stopped; the next list starts the stopped one first",
		async () => {
			const list = numbers(80, 3_000);
			const campaignId = await submit(list, 10);
			await untilAtWork(MAX_BURST);
			const addresses = stack.burstHosts().map(({ address }) => address);
			expect(await untilCompleted(campaignId, list.length)).toEqual({ answered: list.length });
			const calls = await carried(list);
			expect(calls).toHaveLength(list.length);
			const most = peaks(calls);
			expect([...most.keys()].sort()).toEqual([...addresses, stack.hosts[0]?.address].sort());
			expect(Math.max(...most.values())).toBeLessThanOrEqual(CAPACITY);
			await untilAllAtRest();
			const states = (await burstHosts()).map(({ state }) => state).sort();
			expect(states).toEqual(["stopped", ...Array(MAX_BURST - 1).fill("terminated")]);

			const before = ec2().calls();
			const warm = (await burstHosts()).find(({ state }) => state === "stopped")?.hostId ?? "";
			await scale(1);
			await eventually(async () => expect(await stateOf(warm)).toBe("active"), STEP_MS);
			expect(ec2().calls()["StartInstances"]).toBe((before["StartInstances"] ?? 0) + 1);
			expect(ec2().calls()["RunInstances"]).toBe(before["RunInstances"]);
			await scale(0);
			await untilAllAtRest();
		},
		TEST_MS,
	);
});

describe("schedules", () => {
	test("are entries of EventBridge Scheduler as long as they stand", async () => {
		// Not in force while the test runs: it would start a host.
		const inThreeDays = new Date(Date.now() + 3 * 86_400_000).getUTCDay();
		const day = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"][inThreeDays];
		const days = [inThreeDays === 0 ? 7 : inThreeDays];
		const schedule = { floor: 1, days, from: "08:30", to: "17:00", timeZone: "Europe/Berlin" };
		expect((await stack.client.request("PUT", "/v1/fleet/schedules/office", schedule)).status).toBeLessThan(300);
		const entries = stack.scheduler.entries();
		expect(entries.map(({ ScheduleExpression }) => ScheduleExpression).sort()).toEqual([
			`cron(0 17 ? * ${day} *)`,
			`cron(30 8 ? * ${day} *)`,
		]);
		expect(new Set(entries.map(({ ScheduleExpressionTimezone }) => ScheduleExpressionTimezone))).toEqual(
			new Set(["Europe/Berlin"]),
		);
		expect((await stack.client.request("DELETE", "/v1/fleet/schedules/office")).status).toBeLessThan(300);
		expect(stack.scheduler.entries()).toEqual([]);
	});
});

describe("what goes wrong", () => {
	test(
		"out of capacity in the first type, then throttled: the next type, and in the end a host",
		async () => {
			ec2().setFaults({ noCapacity: ["c7g.large/*"], throttle: 1, duplicateEvents: 2, lateMs: 300 });
			// The one that is kept stopped is of the first type: it cannot be started either.
			await scale(1);
			await untilAtWork(1);
			const running = ec2()
				.history()
				.filter(({ state }) => state === "running");
			expect(running.map(({ type }) => type)).toEqual(["m7g.large"]);
			expect(output).toContain("RequestLimitExceeded");
			ec2().setFaults({ noCapacity: [], duplicateEvents: 0, lateMs: 0 });
			await scale(0);
			await untilAllAtRest();
		},
		TEST_MS,
	);

	test(
		"an instance that never boots is ended, and another one started",
		async () => {
			const before = (await burstHosts()).filter(({ state }) => state === "stopped").map(({ hostId }) => hostId);
			ec2().setFaults({ neverBoot: [1] });
			await scale(before.length + 1);
			// Its boot deadline passes, it is ended, and what is missing is made up for.
			await untilAtWork(before.length + 1);
			expect(output).toContain("ec2.neverBoots");
			const [dead] = /"event":"ec2.neverBoots"[^\n]*"instanceId":"([^"]+)"/.exec(output)?.slice(1) ?? [];
			await eventually(() => {
				const ended = ec2()
					.history()
					.find(({ instanceId }) => instanceId === dead);
				expect(AT_REST).toContain(ended?.state);
			}, STEP_MS);
			ec2().setFaults({ neverBoot: [] });
			await scale(0);
			await untilAllAtRest();
		},
		TEST_MS,
	);

	test(
		"an instance that dies with calls on it: no contact is lost, and the others take the rest",
		async () => {
			const list = numbers(40, 4_000);
			const campaignId = await submit(list, 10);
			let victim: Host | undefined;
			await eventually(async () => {
				victim = (await atWork()).find(({ live }) => live >= 2);
				expect(victim).toBeDefined();
			}, STEP_MS);
			const { hostId, instanceId } = stack.burstHosts().find((host) => host.hostId === victim?.hostId) ?? {
				hostId: "",
				instanceId: "",
			};
			await ec2().lose(instanceId);
			const outcomes = await untilCompleted(campaignId, list.length);
			expect(outcomes["answered"]).toBeGreaterThan(list.length / 2);
			expect(outcomes["answered"]).toBeLessThan(list.length);
			// Whatever it held: nobody can say what became of it, and it is not dialed again.
			expect(Object.keys(outcomes).sort()).toEqual(["answered", "hostLost"]);
			expect(outcomes["hostLost"]).toBeGreaterThanOrEqual(2);
			const calls = await carried(list);
			expect(calls.length).toBeGreaterThanOrEqual(outcomes["answered"] ?? 0);
			expect(Math.max(...peaks(calls).values())).toBeLessThanOrEqual(CAPACITY);
			await untilAllAtRest();
			expect(await stateOf(hostId)).toBe("terminated");
		},
		TEST_MS,
	);

	test(
		"a copied disk: the new instance puts the other's state away and is a host of its own",
		async () => {
			// All that are kept stopped have disks of their own: one more than those must be launched.
			const kept = (await burstHosts()).filter(({ state }) => state === "stopped").length;
			await scale(Math.max(1, kept));
			await untilAtWork(Math.max(1, kept));
			const [first, ...others] = stack.burstHosts();
			stack.machines?.useAsImage(first?.instanceId);
			await scale(others.length + 2);
			await untilAtWork(others.length + 2);
			stack.machines?.useAsImage(undefined);
			const known = [first, ...others].map((host) => host?.hostId);
			const second = stack.burstHosts().find(({ hostId }) => !known.includes(hostId));
			expect(second?.agent.log()).toContain("stateOfAnotherInstance");
			expect((await atWork()).map(({ hostId }) => hostId)).toContain(second?.hostId);
			expect(first?.agent.running).toBe(true);
			await scale(0);
			await untilAllAtRest();
		},
		TEST_MS,
	);

	test(
		"a stranger with our tag is ended; a host whose instance EC2 does not know is given up",
		async () => {
			await scale(1);
			await untilAtWork(1);
			const stranger = await ec2().addStranger({ [STACK_TAG]: "burst-dialer-local" });
			const other = await ec2().addStranger({ [STACK_TAG]: "somebody-else" });
			const ofStranger = (id: string) =>
				ec2()
					.history()
					.find(({ instanceId }) => instanceId === id)?.state;
			await eventually(() => expect(AT_REST).toContain(ofStranger(stranger)), STEP_MS);
			expect(ofStranger(other)).toBe("running");

			const [host] = stack.burstHosts();
			await ec2().lose(host?.instanceId ?? "", { forgotten: true });
			await eventually(async () => expect(await stateOf(host?.hostId ?? "")).toBe("terminated"), STEP_MS);
			// The floor stands: another one takes its place.
			await untilAtWork(1);
			await scale(0);
			await eventually(async () => expect(await atWork()).toEqual([]), STEP_MS);
			await ec2().lose(other);
			await untilAllAtRest();
		},
		TEST_MS,
	);

	test(
		"the control plane is gone for a while in the middle of calls: they go on, and all of it ends in order",
		async () => {
			const list = numbers(40, 4_000);
			const campaignId = await submit(list, 10);
			await eventually(async () => expect((await atWork()).some(({ live }) => live > 0)).toBe(true), STEP_MS);
			await stack.controlPlane.kill();
			const live = ((await stack.carrier?.calls()) ?? []).filter(({ endedAt }) => endedAt === undefined).length;
			expect(live).toBeGreaterThan(0);
			// Longer than any of the calls that are up.
			await new Promise((resolve) => setTimeout(resolve, 6_000));
			await stack.controlPlane.start();
			expect(await untilCompleted(campaignId, list.length)).toEqual({ answered: list.length });
			const calls = await carried(list);
			expect(calls).toHaveLength(list.length);
			expect(Math.max(...peaks(calls).values())).toBeLessThanOrEqual(CAPACITY);
			await untilAllAtRest();
		},
		TEST_MS,
	);
});

describe("the stack", () => {
	test(
		"switches every machine off when it is stopped",
		async () => {
			await scale(2);
			await untilAtWork(2);
			const pids = stack.burstHosts().map(({ agent }) => agent.pid);
			expect(pids).toHaveLength(2);
			await stack.stop();
			for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
			expect(stack.burstHosts()).toEqual([]);
		},
		TEST_MS,
	);
});

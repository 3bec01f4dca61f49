import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { CarrierCall } from "../../local/voice/types.ts";
import { STACK_TAG } from "../../shared/fleet/ec2.ts";
import { eventually } from "../support/local-toy/eventually.ts";
import { type BurstStack, STEP_MS, startBurst, TEST_MS } from "./support/burst.ts";

/**
 * EC2 refuses, instances die or were never ours, the control plane is gone: on real Asterisk, judged by the carrier's record. Whatever happens, every contact
 * ends, none is dialed twice, the counters are a recount of the records, and no instance is left running.
 */

const TYPES = "c7g.large=0.0725,m7g.large=0.0816";
const SUBNETS = ["subnet-0000000000000000a", "subnet-0000000000000000b"];
const BOOT_DEADLINE_SEC = 12;
/** The first wait after a start that failed (shared/fleet/failures.ts). */
const FIRST_WAIT_MS = 15_000;
/** A lookup of the fleet is every second; events come at once. */
const AT_ONCE_MS = 15_000;

let burst: BurstStack;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
/** When instances came to run, ms since 1970. */
const startsSince = (atMs: number): number[] =>
	burst.ec2
		.history()
		.flatMap(({ billed }) => billed.map(({ fromMs }) => fromMs))
		.filter((fromMs) => fromMs > atMs);
/** Whether it was a call of an instance that was lost: another may have its address since. */
const wasOn = ({ from, invitedAt }: CarrierCall, instanceId: string, lostAt: number): boolean =>
	from === burst.addressOf(instanceId) && invitedAt <= lostAt;
/** Waits until a burst host has at least so many calls that the carrier answered. */
const untilBusy = async (
	numbers: readonly string[],
	calls: number,
): Promise<{ hostId: string; instanceId: string }> => {
	let found = { hostId: "", instanceId: "" };
	await eventually(async () => {
		for (const { hostId, instanceId } of burst.stack.burstHosts()) {
			const up = await burst.up(instanceId, numbers);
			if (up.filter(({ answeredAt }) => answeredAt !== undefined).length >= calls) found = { hostId, instanceId };
		}
		expect(found.instanceId).not.toBe("");
	}, STEP_MS);
	return found;
};

describe("burst hosts of 15 channels", () => {
	const STEADY = 5;
	const CAPACITY = 15;
	beforeAll(async () => {
		const settings = { BURST_BOOT_DEADLINE_SEC: String(BOOT_DEADLINE_SEC) };
		burst = await startBurst({
			steadyCapacity: STEADY,
			burst: { max: 3, bootSec: 1, capacity: CAPACITY, types: TYPES, subnets: SUBNETS, settings },
			maxChannels: 60,
		});
	}, TEST_MS);
	afterAll(() => burst?.stop(), STEP_MS);
	beforeEach(() => burst.begin());
	afterEach(() => burst.ec2.setFaults({ noCapacity: [], throttle: 0, throttleAction: {}, neverBoot: [] }));

	test(
		"out of capacity, then throttled, then the first type and zone still out: hosts of another offering, no more than wanted",
		async () => {
			burst.ec2.setFaults({ noCapacity: ["*/*"] });
			await burst.scale(2);
			await eventually(() => {
				const refused = burst.events("fleet.launchRefused").filter(({ kind }) => kind === "noCapacity");
				expect(new Set(refused.map(({ offering }) => offering)).size).toBe(4);
			}, STEP_MS);
			burst.ec2.setFaults({ noCapacity: [`c7g.large/${SUBNETS[0]}`], throttleAction: { RunInstances: 2 } });
			const numbers = burst.list(STEADY + 2 * CAPACITY + 5, 4_000);
			const campaignId = await burst.submit(numbers, { maxChannels: STEADY + 2 * CAPACITY });
			await burst.untilAtWork(2);
			const run = await burst.finish(campaignId, numbers);
			expect(burst.ec2.history()).toHaveLength(2);
			for (const { type, subnet } of burst.ec2.history()) {
				expect(`${type}/${subnet}`).not.toBe(`c7g.large/${SUBNETS[0]}`);
			}
			expect(burst.events("fleet.throttled").length).toBeGreaterThanOrEqual(1);
			const [first] = burst.events("fleet.launchRefused");
			const [launched] = burst.events("host.launched");
			const [throttled] = burst.events("fleet.throttled");
			expect(first?.at).toBeLessThanOrEqual(throttled?.at ?? 0);
			expect(throttled?.at).toBeLessThanOrEqual(launched?.at ?? 0);
			expect(burst.events("fleet.halted")).toEqual([]);
			await burst.scale(0);
			await burst.untilAllAtRest();
			burst.notCut(run.carrier);
			burst.stoppedAfterTheirCalls(run.carrier);
		},
		TEST_MS,
	);

	test(
		"an instance that never boots is terminated after its deadline; the next start waits, the others dial the list",
		async () => {
			const before = burst.ec2.history().length;
			burst.ec2.setFaults({ neverBoot: [1] });
			const numbers = burst.list(220, 5_000);
			const campaignId = await burst.submit(numbers, { maxChannels: STEADY + 2 * CAPACITY });
			await eventually(() => expect(burst.events("host.startFailed")).toHaveLength(1), STEP_MS);
			const [failed] = burst.events("host.startFailed");
			const failedAt = failed?.at ?? 0;
			const dead = String(burst.events("ec2.neverBoots")[0]?.["instanceId"]);
			expect(failed?.["failure"]).toMatch(/not at work 12 s after its start/);
			await eventually(() => expect(burst.instance(dead)?.state).toBe("terminated"), STEP_MS);
			// The list wants one more all the time; it comes, but not before the wait is over.
			await eventually(() => expect(startsSince(failedAt).length).toBeGreaterThan(0), STEP_MS);
			expect(Math.min(...startsSince(failedAt)) - failedAt).toBeGreaterThanOrEqual(FIRST_WAIT_MS - 500);
			const run = await burst.finish(campaignId, numbers);
			await burst.untilAllAtRest();
			expect(burst.events("host.startFailed")).toHaveLength(1);
			expect(burst.ec2.history().length - before).toBeLessThanOrEqual(3);
			burst.notCut(run.carrier);
			burst.stoppedAfterTheirCalls(run.carrier);
		},
		TEST_MS,
	);

	test(
		"a disk that was cloned in the middle of calls: the clone is a host of its own, and no call is dialed by both",
		async () => {
			await burst.scale(2);
			await burst.untilAtWork(2);
			await burst.scale(1);
			await eventually(async () => expect(await burst.inState("stopped")).toHaveLength(1), STEP_MS);
			const [clone] = await burst.inState("stopped");
			const first = burst.numbers(STEADY + CAPACITY - 2, { kind: "answer", ringMs: 300, talkMs: 12_000 });
			const firstId = await burst.submit(first);
			const { hostId, instanceId } = await untilBusy(first, CAPACITY - 3);
			const cloneId = `i-${clone?.hostId.slice("burst-".length)}`;
			burst.stack.machines?.cloneDisk(instanceId, cloneId);
			const second = burst.list(3 * CAPACITY, 5_000);
			const secondId = await burst.submit(second, { maxChannels: CAPACITY });
			await eventually(async () => {
				expect((await burst.inState("active")).map((host) => host.hostId)).toContain(clone?.hostId);
			}, STEP_MS);
			const started = burst.stack.burstHosts().find((host) => host.hostId === clone?.hostId);
			expect(started?.agent.log()).toContain("stateOfAnotherInstance");
			const runs = [await burst.finish(firstId, first), await burst.finish(secondId, second)];
			for (const { records, carrier } of runs) {
				expect(records).toHaveLength(carrier.length);
				burst.notCut(carrier);
			}
			const from = new Set(runs[1]?.carrier.map((call) => call.from));
			expect(from).toContain(burst.addressOf(cloneId));
			for (const event of ["host.lost", "enrol.second", "host.startFailed"]) expect(burst.events(event)).toEqual([]);
			expect((await burst.burstHosts()).filter((host) => host.hostId === hostId)).toHaveLength(1);
			await burst.scale(0);
			await burst.untilAllAtRest();
			for (const run of runs) burst.stoppedAfterTheirCalls(run.carrier);
		},
		TEST_MS,
	);

	test(
		"a stranger with our tag is stopped after two sightings; a host that EC2 no longer knows is recovered in the middle of its calls",
		async () => {
			const numbers = burst.list(110, 6_000);
			const campaignId = await burst.submit(numbers);
			const stranger = await burst.ec2.addStranger({ [STACK_TAG]: "burst-dialer-local" });
			const { hostId, instanceId } = await untilBusy(numbers, CAPACITY / 2);
			const lostAt = Date.now();
			await burst.ec2.lose(instanceId, { forgotten: true });
			const run = await burst.finish(campaignId, numbers);
			await burst.untilAllAtRest();

			const [seen] = burst.events("fleet.stranger");
			expect(seen?.["instanceId"]).toBe(stranger);
			const [stretch] = burst.instance(stranger)?.billed ?? [];
			// Two sightings are two seconds apart here.
			expect((stretch?.toMs ?? 0) - (stretch?.fromMs ?? 0)).toBeGreaterThan(1_000);
			expect((await burst.burstHosts()).map((host) => host.hostId)).not.toContain(`burst-${stranger.slice(2)}`);
			expect(burst.events("enrol.enrolled").map((line) => line["hostId"])).not.toContain(`burst-${stranger.slice(2)}`);

			expect(burst.events("host.lost").map((line) => line["hostId"])).toEqual([hostId]);
			const [recovered] = burst.events("host.recovered");
			expect(recovered?.["hostId"]).toBe(hostId);
			expect((recovered?.at ?? 0) - lostAt).toBeLessThan(AT_ONCE_MS);
			expect((await burst.inState("terminated")).map((host) => host.hostId)).toContain(hostId);
			// What was up on it, and what it had been given for when a channel is free; nothing is made up for it.
			expect(run.outcomes["hostLost"]).toBeGreaterThanOrEqual(Math.floor(CAPACITY / 2));
			expect(run.outcomes["hostLost"]).toBeLessThanOrEqual(2 * CAPACITY);
			burst.notCut(run.carrier.filter((call) => !wasOn(call, instanceId, lostAt)));
			burst.stoppedAfterTheirCalls(run.carrier, [instanceId]);
		},
		TEST_MS,
	);

	test(
		"the whole control plane is gone for two minutes, an instance just launched: nothing is lost or doubled, all is stopped in the end",
		async () => {
			const short = burst.list(100, 6_000);
			// Up from before the control plane goes until after it is back.
			const long = burst.numbers(4, { kind: "answer", ringMs: 55_000, talkMs: 99_000 });
			const times = { ringTimeoutSec: 60, maxCallSec: 240 };
			const longId = await burst.submit(long, times);
			const longUp = async () => (await burst.carried(long)).filter(({ endedAt }) => endedAt === undefined);
			// One whose slot was missed is dialed after the short ones that are due before it: only those that are up can stay up.
			await eventually(async () => expect(await longUp()).toHaveLength(long.length), STEP_MS);
			const shortId = await burst.submit(short, { maxChannels: 2 * CAPACITY });
			await untilBusy(short, CAPACITY / 2);
			await burst.untilAtWork(2);
			const before = startsSince(0).length;
			await burst.scale(3);
			await eventually(() => expect(startsSince(0)).toHaveLength(before + 1), STEP_MS);
			await burst.stack.controlPlane.kill();
			const goneAt = Date.now();
			const running = (await burst.carried(short)).filter(({ endedAt }) => endedAt === undefined);
			expect(running.length).toBeGreaterThan(0);
			await pause(120_000);
			expect((await burst.carried(long)).filter(({ endedAt }) => endedAt !== undefined)).toEqual([]);
			expect(await longUp()).toHaveLength(long.length);
			const dialedMeanwhile = (await burst.carried(short)).filter(({ invitedAt }) => invitedAt > goneAt + 10_000);
			expect(dialedMeanwhile).toEqual([]);
			await burst.stack.controlPlane.start();
			await burst.scale(0);
			const runs = [await burst.finish(shortId, short), await burst.finish(longId, long)];
			await burst.untilAllAtRest();
			for (const run of runs) {
				expect(Object.keys(run.outcomes).filter((outcome) => outcome !== "answered" && outcome !== "busy")).toEqual([]);
				burst.notCut(run.carrier);
				burst.stoppedAfterTheirCalls(run.carrier);
			}
			expect(burst.events("host.lost")).toEqual([]);
		},
		2 * TEST_MS,
	);
});

describe("burst hosts of 80 channels", () => {
	const STEADY = 5;
	const CAPACITY = 80;
	const MAX_CHANNELS = 170;
	beforeAll(async () => {
		burst = await startBurst({
			steadyCapacity: STEADY,
			burst: { max: 3, bootSec: 1, capacity: CAPACITY, types: TYPES, subnets: SUBNETS },
			maxChannels: MAX_CHANNELS,
		});
	}, TEST_MS);
	afterAll(() => burst?.stop(), STEP_MS);
	beforeEach(() => burst.begin());

	test(
		"an instance dies with 70 live calls: they are recovered, its channels are free at once, the others go on",
		async () => {
			const LIVE = 70;
			const numbers = burst.numbers(260, { kind: "answer", ringMs: 300, talkMs: 12_000 });
			const campaignId = await burst.submit(numbers);
			const { hostId, instanceId } = await untilBusy(numbers, LIVE);
			const lostAt = Date.now();
			await burst.ec2.lose(instanceId);
			const own = (z: object) => Object.keys(z).filter((key) => key.startsWith(hostId));
			await eventually(() => expect(burst.events("host.recovered")).toHaveLength(1), STEP_MS);
			await eventually(async () => expect(own((await burst.trunk()).z)).toEqual([]), STEP_MS);
			// maxCallSec is 120: without EC2's word they were set aside for so long.
			expect(Date.now() - lostAt).toBeLessThan(2 * AT_ONCE_MS);
			const run = await burst.finish(campaignId, numbers);
			await burst.untilAllAtRest();

			expect(burst.events("fleet.hostGone").map((line) => line["hostId"])).toContain(hostId);
			expect(burst.events("host.recovered").map((line) => line["hostId"])).toEqual([hostId]);
			expect(Object.keys(run.outcomes).sort()).toEqual(["answered", "hostLost"]);
			expect(run.outcomes["hostLost"]).toBeGreaterThanOrEqual(LIVE);
			expect(run.outcomes["hostLost"]).toBeLessThanOrEqual(2 * CAPACITY);
			// Its calls, and no others, were cut; the channels that it held were used again.
			burst.notCut(run.carrier.filter((call) => !wasOn(call, instanceId, lostAt)));
			burst.stoppedAfterTheirCalls(run.carrier, [instanceId]);
			expect(burst.instance(instanceId)?.state).toBe("terminated");
		},
		TEST_MS,
	);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { setTrunk } from "../../local/runs/run-campaign.ts";
import { eventually } from "../support/local-toy/eventually.ts";
import { type BurstStack, STEP_MS, startBurst, TEST_MS } from "./support/burst.ts";

/** Burst hosts of real Asterisk come and go in the middle of calls; the carrier's record and EC2's history are what counts. */

const STEADY = 5;
const CAPACITY = 10;
/** Longer than any call but those that are meant to outlast it. */
const DRAIN_DEADLINE_SEC = 15;

let burst: BurstStack;
beforeAll(async () => {
	burst = await startBurst({
		steadyCapacity: STEADY,
		burst: {
			max: 3,
			bootSec: 1,
			capacity: CAPACITY,
			types: "c7g.large=0.0725,m7g.large=0.0816",
			settings: { BURST_DRAIN_DEADLINE_SEC: String(DRAIN_DEADLINE_SEC), BURST_DRAIN_GRACE_SEC: "10" },
		},
		maxChannels: 60,
	});
}, TEST_MS);
afterAll(() => burst?.stop(), STEP_MS);
beforeEach(() => burst.begin());

const addressesOf = (calls: readonly { from: string }[]) => new Set(calls.map(({ from }) => from));

describe("steady first", () => {
	test(
		"what the steady host has room for is dialed by it alone, a burst host standing by",
		async () => {
			await burst.scale(1);
			await burst.untilAtWork(1);
			for (let round = 0; round < 3; round++) {
				const numbers = burst.list(STEADY - 1, 1_500);
				const run = await burst.finish(await burst.submit(numbers), numbers);
				expect(run.carrier).toHaveLength(numbers.length);
				expect([...addressesOf(run.carrier)]).toEqual([burst.steadyAddress]);
			}
			// The burst host could have: what is too much for the steady host it dials.
			const more = burst.list(STEADY + 6, 4_000);
			const run = await burst.finish(await burst.submit(more), more);
			expect(addressesOf(run.carrier).size).toBe(2);
			await burst.scale(0);
			await burst.untilAllAtRest();
		},
		TEST_MS,
	);
});

describe("scale-down in the middle of calls", () => {
	test(
		"an operator drains a full host, then the list is dialed out: no call is cut, no instance stopped before its last call's end",
		async () => {
			const numbers = burst.list(80, 7_000);
			const campaignId = await burst.submit(numbers);
			await burst.untilAtWork(3);
			let full = "";
			await eventually(async () => {
				for (const { instanceId } of burst.stack.burstHosts()) {
					const calls = await burst.up(instanceId, numbers);
					if (calls.filter(({ answeredAt }) => answeredAt !== undefined).length >= CAPACITY / 2) full = instanceId;
				}
				expect(full).not.toBe("");
			}, STEP_MS);
			const drainedAt = Date.now();
			const { hostId } = burst.stack.burstHosts().find(({ instanceId }) => instanceId === full) ?? { hostId: "" };
			await burst.command(hostId, "drain");
			const run = await burst.finish(campaignId, numbers);
			await burst.untilAllAtRest();

			burst.notCut(run.carrier);
			burst.stoppedAfterTheirCalls(run.carrier);
			// The drains came in the middle of calls: the operator's, and the fleet's when nothing was due any more.
			const first = burst.instance(full)?.billed.at(-1)?.toMs ?? Number.POSITIVE_INFINITY;
			const own = run.carrier.filter(({ from, invitedAt }) => from === burst.addressOf(full) && invitedAt < first);
			expect(own.filter(({ invitedAt, endedAt = 0 }) => invitedAt < drainedAt && endedAt > drainedAt)).not.toEqual([]);
			const byFleet = burst.moves("active", "draining");
			expect(byFleet.length).toBeGreaterThanOrEqual(2);
			const lastEnd = Math.max(...run.carrier.map(({ endedAt = 0 }) => endedAt));
			expect(byFleet[0]?.at).toBeLessThan(lastEnd - 1_000);
			expect(burst.events("host.drained").length).toBeGreaterThanOrEqual(3);
			for (const event of ["host.lost", "host.forced", "fleet.hostGone"]) expect(burst.events(event)).toEqual([]);
		},
		TEST_MS,
	);

	test(
		"demand that returns takes the drains back: nothing is started",
		async () => {
			// No room for a third host, whatever is due.
			await setTrunk(burst.stack, { maxChannels: STEADY + 2 * CAPACITY, maxCps: 500 });
			const first = burst.list(STEADY + 15, 9_000);
			const firstId = await burst.submit(first);
			await burst.untilAtWork(2);
			await eventually(async () => expect(await burst.inState("draining")).toHaveLength(2), STEP_MS);
			const before = burst.ec2.calls();
			const second = burst.list(STEADY + 15, 9_000);
			const secondId = await burst.submit(second);
			await burst.untilAtWork(2);
			const after = burst.ec2.calls();
			expect(after["RunInstances"]).toBe(before["RunInstances"]);
			expect(after["StartInstances"]).toBe(before["StartInstances"]);
			// Whose last call ended before the demand came back is taken back from drained.
			const back = [...burst.moves("draining", "active"), ...burst.moves("drained", "active")];
			expect(back.length).toBeGreaterThanOrEqual(2);
			const runs = [await burst.finish(firstId, first), await burst.finish(secondId, second)];
			expect(addressesOf(runs[1]?.carrier ?? []).size).toBeGreaterThanOrEqual(2);
			await burst.untilAllAtRest();
			for (const run of runs) {
				burst.notCut(run.carrier);
				burst.stoppedAfterTheirCalls(run.carrier);
			}
		},
		TEST_MS,
	);

	test(
		"calls that outlast the drain's deadline are ended by a normal clearing, recorded once as answered, and the host is stopped",
		async () => {
			// Only burst hosts are to have these calls.
			await burst.command("steady-1", "drain");
			const numbers = burst.numbers(3, { kind: "answer", ringMs: 300, talkMs: 90_000 });
			const campaignId = await burst.submit(numbers);
			const run = await burst.finish(campaignId, numbers);
			await burst.untilAllAtRest();
			await burst.command("steady-1", "undrain");

			expect(run.outcomes).toEqual({ answered: 3 });
			expect(run.records).toHaveLength(3);
			const causes = (run.records as { cause?: number }[]).map(({ cause }) => cause);
			expect(causes).toEqual([16, 16, 16]);
			const [drain] = burst.moves("active", "draining");
			expect(drain).toBeDefined();
			const deadline = (drain?.at ?? 0) + DRAIN_DEADLINE_SEC * 1_000;
			for (const { answeredAt, endedAt = 0, from } of run.carrier) {
				expect(from).not.toBe(burst.steadyAddress);
				expect(answeredAt).toBeDefined();
				// Not before the deadline, and long before the callee would have hung up.
				expect(endedAt).toBeGreaterThan(deadline - 500);
				expect(endedAt).toBeLessThan(deadline + 10_000);
			}
			burst.stoppedAfterTheirCalls(run.carrier);
			expect(burst.events("host.drained").map(({ by }) => by)).toEqual(["operator", "fleet"]);
			expect(burst.moves("draining", "active")).toEqual([]);
			for (const event of ["host.lost", "host.forced"]) expect(burst.events(event)).toEqual([]);
		},
		TEST_MS,
	);
});

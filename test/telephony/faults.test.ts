import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { judgeOutcomes } from "../../local/runs/measure.ts";
import { submitCampaign } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { peakChannels } from "../../local/voice/carrier/record.ts";
import { dialThrough, FAST, list, overdialed, startFleet } from "./support/fleet.ts";

/** Faults on real Asterisk, judged by the carrier's record: whatever happens, every contact ends and none is dialed twice. */

const CONTACTS = 120;
/** From Asterisk's event to the journal's disk: measured 10 to 30 ms with all of this on two cores. */
const UNWRITTEN_MS = 250;
const TEST_TIMEOUT_MS = 120_000;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

let stack: Stack;
let log: () => string;

const start = async (steady: number, capacity: number): Promise<void> => {
	({ stack, log } = await startFleet({ steady, capacity }));
};

describe("one host", () => {
	beforeAll(() => start(1, 40), TEST_TIMEOUT_MS);
	afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

	test(
		"kill -9 of the agent in mid-campaign and its restart: every outcome is what it would have been",
		async () => {
			const numbers = list(CONTACTS, 1);
			let killedAt = 0;
			const run = await dialThrough(stack, numbers, {
				after: 30,
				happens: async () => {
					killedAt = Date.now();
					await stack.hosts[0]?.agent.kill();
					await stack.hosts[0]?.agent.start();
				},
			});
			expect(run.state).toBe("completed");
			expect(run.compared.findings).toEqual([]);
			// What Asterisk had told the agent, and the agent had not yet on its disk, died with it: a call that ended, or was being placed, in that moment is unknown.
			const { lost, mistakes } = judgeOutcomes(numbers, run.records);
			const inThatMoment = run.records.filter(({ number, outcome, startedAt }) => {
				if (outcome !== "unknown") return false;
				const ended = run.carrier.find((call) => call.number === number)?.endedAt;
				const moment = ended ?? Date.parse(startedAt ?? "");
				return Math.abs(moment - killedAt) < UNWRITTEN_MS;
			});
			expect(mistakes.sort()).toEqual(inThatMoment.map(({ number }) => `${number}: unknown`).sort());
			expect(lost).toBe(0);
			expect(peakChannels(run.carrier)).toBeLessThanOrEqual(40);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"kill -9 of Asterisk: its calls end as unknown, nobody is dialed twice",
		async () => {
			const numbers = list(CONTACTS, 2);
			const run = await dialThrough(stack, numbers, {
				after: 30,
				happens: async () => {
					await stack.hosts[0]?.asterisk.kill();
					await pause(1_000);
					await stack.hosts[0]?.asterisk.start();
				},
			});
			expect(run.state).toBe("completed");
			expect(run.done).toBe(CONTACTS);
			expect(overdialed(run)).toEqual([]);
			const { wrong, mistakes, lost } = judgeOutcomes(numbers, run.records);
			expect(lost).toBe(0);
			// What was up when Asterisk died, no more than its channels; nothing is made up for it.
			expect(wrong).toBeLessThanOrEqual(40);
			for (const mistake of mistakes) expect(mistake).toMatch(/unknown|trunkFailure/);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"kill -9 of both and their restart",
		async () => {
			const numbers = list(CONTACTS, 3);
			const run = await dialThrough(stack, numbers, {
				after: 30,
				happens: async () => {
					await Promise.all([stack.hosts[0]?.agent.kill(), stack.hosts[0]?.asterisk.kill()]);
					await stack.hosts[0]?.asterisk.start();
					await stack.hosts[0]?.agent.start();
				},
			});
			expect(run.state).toBe("completed");
			expect(run.done).toBe(CONTACTS);
			expect(overdialed(run)).toEqual([]);
			for (const mistake of judgeOutcomes(numbers, run.records).mistakes) {
				expect(mistake).toMatch(/unknown|trunkFailure|hostLost/);
			}
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"answers lost, syncs executed twice at once and again after newer ones",
		async () => {
			const before = await stack.faultCounts();
			const numbers = list(CONTACTS, 4);
			const run = await dialThrough(stack, numbers, {
				after: 1,
				// From here on the test itself only reads.
				happens: () => stack.setFaults({ api: { lostAnswerRate: 0.2, twinRate: 0.3, olderSeqRate: 0.3 } }),
			});
			const injected = await stack.faultCounts();
			await stack.setFaults({ api: { lostAnswerRate: 0, twinRate: 0, olderSeqRate: 0 } });
			const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
			expect(sum(injected)).toBeGreaterThan(sum(before) + 10);
			expect(run.compared.findings).toEqual([]);
			expect(judgeOutcomes(numbers, run.records).exact).toBe(CONTACTS);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"the syncing function dies before each of its writes in turn",
		async () => {
			const numbers = list(CONTACTS, 5);
			const DEEPEST_WRITE = 12;
			let deaths = 0;
			const run = await dialThrough(stack, numbers, {
				after: 5,
				happens: async () => {
					for (let write = 1; write <= DEEPEST_WRITE; write++) {
						await stack.controlPlane.setCrashPlan({
							functionName: "sync-host",
							beforeWrite: write,
							eventContains: "/sync",
							times: 1,
						});
						await pause(400);
						// Counted from plan to plan.
						deaths += (await stack.faultCounts())["deaths"] ?? 0;
					}
					await stack.controlPlane.setCrashPlan(undefined);
				},
			});
			expect(deaths).toBeGreaterThan(3);
			expect(run.compared.findings).toEqual([]);
			expect(judgeOutcomes(numbers, run.records).exact).toBe(CONTACTS);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"a POST of a campaign whose answer was lost, repeated with its key, makes one campaign",
		async () => {
			const numbers = list(20, 6);
			const body = {
				name: "repeated",
				trunk: "carrier",
				then: { wait: 15 },
				ringTimeoutSec: 3,
				maxCallSec: 20,
				contacts: numbers.map((number) => ({ number })),
			};
			const key = { "idempotency-key": "the-same-key-0001" };
			await stack.setFaults({ api: { lostAnswerRate: 1 } });
			const lost = await stack.client.request("POST", "/v1/campaigns", body, key).catch((error: unknown) => error);
			await stack.setFaults({ api: { lostAnswerRate: 0 } });
			expect(lost).toMatchObject({ name: expect.stringMatching(/Error/) });
			const again = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", body, key);
			expect(again.status).toBe(201);
			const third = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", body, key);
			expect(third.body).toEqual(again.body);
			const other = await stack.client.request("POST", "/v1/campaigns", { ...body, name: "another" }, key);
			expect(other.status).toBe(409);
			const { awaitCampaign } = await import("../../local/runs/run-campaign.ts");
			const run = { submittedAt: 0, ...(await awaitCampaign(stack, again.body.campaignId, numbers)) };
			expect(run.carrier).toHaveLength(20);
			expect(overdialed(run)).toEqual([]);
		},
		TEST_TIMEOUT_MS,
	);
});

describe("three hosts", () => {
	beforeAll(() => start(3, 20), TEST_TIMEOUT_MS);
	afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

	test(
		"the control plane is gone while three hosts are in mid-call: nobody is lost and every outcome arrives",
		async () => {
			const numbers = list(CONTACTS, 7);
			const run = await dialThrough(stack, numbers, {
				after: 30,
				happens: async () => {
					await stack.controlPlane.kill();
					// As long for these settings as two minutes for the shipped ones.
					await pause(4 * (FAST.lostAfterSec ?? 0) * 1_000);
					await stack.controlPlane.start();
				},
			});
			expect(run.state).toBe("completed");
			expect(run.compared.findings).toEqual([]);
			expect(log()).not.toContain('"event":"host.lost"');
			expect(judgeOutcomes(numbers, run.records)).toMatchObject({ exact: CONTACTS, mistakes: [] });
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"a host is gone for good: what it held is recovered and the others finish",
		async () => {
			const numbers = list(CONTACTS, 8);
			let diedAt = 0;
			const run = await dialThrough(
				stack,
				numbers,
				{
					after: 30,
					happens: async () => {
						const host = stack.hosts[2];
						await Promise.all([host?.agent.kill(), host?.asterisk.kill()]);
						diedAt = Date.now();
					},
				},
				{ retry: { hostLost: { afterSec: 1, max: 1 } } },
			);
			expect(run.state).toBe("completed");
			expect(run.done).toBe(CONTACTS);
			expect(overdialed(run)).toEqual([]);
			const recovered = log()
				.split("\n")
				.filter((line) => line.includes('"event":"host.recovered"'));
			expect(recovered.length).toBeGreaterThan(0);
			const lostCalls = run.records.filter((record) => record.outcome === "hostLost");
			for (const record of lostCalls as { endedAt?: string }[]) {
				// Ten times faster than the shipped minute, with room for a busy machine.
				expect(Date.parse(record.endedAt ?? "") - diedAt).toBeLessThan(15_000);
			}
		},
		TEST_TIMEOUT_MS,
	);

	test("a campaign of no list is not dialed", async () => {
		await expect(submitCampaign(stack, [], { name: "empty", then: { wait: 1 } })).rejects.toThrow(/400/);
	});
});

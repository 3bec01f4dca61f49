import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { awaitCampaign, runCampaign, setTrunk, showCampaign, submitCampaign } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { list, overdialed, startFleet } from "./support/fleet.ts";

/** What an operator does to a campaign, as the carrier sees it; at the shipped times. */

const TEST_TIMEOUT_MS = 180_000;
/** A pause or a cancellation takes effect within so long. */
const EFFECT_MS = 3_000;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

let stack: Stack;
let log: () => string;
beforeAll(async () => {
	({ stack, log } = await startFleet({ steady: 2, capacity: 20, settings: {}, tickSec: 60 }));
	await setTrunk(stack, { maxChannels: 40, maxCps: 500 });
}, TEST_TIMEOUT_MS);
afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

const CAMPAIGN = { name: "control", then: { wait: 15 }, ringTimeoutSec: 3, maxCallSec: 20 };
const post = async (path: string) => {
	const answer = await stack.client.request<{ state?: string }>("POST", path);
	expect(answer.status).toBe(200);
	return answer.body;
};
const untilDone = async (campaignId: string, done: number) => {
	while ((await showCampaign(stack, campaignId)).counts.done < done) await pause(50);
};
const invitesAfter = async (numbers: string[], atMs: number) => {
	const wanted = new Set(numbers);
	return (await stack.carrier?.calls())?.filter((call) => wanted.has(call.number) && call.invitedAt > atMs) ?? [];
};

describe("an operator", () => {
	test(
		"the first call of a new campaign rings within 3 s of its submission",
		async () => {
			for (let i = 0; i < 3; i++) {
				// Idle hosts peek every 2 s: begin at different moments of that period.
				await pause(700 * i);
				// Another configuration on the way must not cost a second peek.
				await setTrunk(stack, { maxChannels: 40 + i, maxCps: 500 });
				const run = await runCampaign(stack, list(5, 20 + i), CAMPAIGN);
				const first = Math.min(...run.carrier.map((call) => call.invitedAt));
				expect(first - run.submittedAt).toBeLessThan(3_000);
			}
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"pauses a campaign: nothing more is dialed after 3 s, live calls end normally; then resumes it",
		async () => {
			const numbers = list(120, 30);
			const campaignId = await submitCampaign(stack, numbers, CAMPAIGN);
			await untilDone(campaignId, 20);
			const pausedAt = Date.now();
			await post(`/v1/campaigns/${campaignId}/pause`);
			await pause(8_000);
			expect(await invitesAfter(numbers, pausedAt + EFFECT_MS)).toEqual([]);
			const view = await showCampaign(stack, campaignId);
			expect(view).toMatchObject({ state: "paused", counts: { inProgress: 0 } });
			expect(view.counts.done).toBeLessThan(120);
			await post(`/v1/campaigns/${campaignId}/resume`);
			const run = { submittedAt: 0, ...(await awaitCampaign(stack, campaignId, numbers)) };
			expect(run.state).toBe("completed");
			expect(run.carrier).toHaveLength(120);
			expect(overdialed(run)).toEqual([]);
			// Nothing was cut off: every answered call lasted as long as the callee talked.
			for (const call of run.carrier.filter(({ answeredAt }) => answeredAt !== undefined)) {
				const talkMs = Number(call.number.slice(6, 11));
				expect((call.endedAt ?? 0) - (call.answeredAt ?? 0)).toBeGreaterThan(talkMs - 100);
			}
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"cancels a campaign: nothing more is dialed after 3 s, and every contact has an end",
		async () => {
			const numbers = list(120, 31);
			const campaignId = await submitCampaign(stack, numbers, CAMPAIGN);
			await untilDone(campaignId, 20);
			const cancelledAt = Date.now();
			await post(`/v1/campaigns/${campaignId}/cancel`);
			await pause(8_000);
			expect(await invitesAfter(numbers, cancelledAt + EFFECT_MS)).toEqual([]);
			const deadline = Date.now() + 70_000;
			let view = await showCampaign(stack, campaignId);
			while (view.counts.done < 120 && Date.now() < deadline) {
				await pause(500);
				view = await showCampaign(stack, campaignId);
			}
			expect(view).toMatchObject({ state: "cancelled", counts: { total: 120, done: 120, inProgress: 0, pending: 0 } });
			expect(view.outcomes["cancelled"]).toBeGreaterThan(0);
			expect(Object.values(view.outcomes).reduce((a, b) => a + b, 0)).toBe(120);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"loses a host for good: at the shipped times, what it held is recovered within 60 s of its death",
		async () => {
			const numbers = list(160, 32);
			const campaignId = await submitCampaign(stack, numbers, CAMPAIGN);
			await untilDone(campaignId, 10);
			const host = stack.hosts[1];
			await Promise.all([host?.agent.kill(), host?.asterisk.kill()]);
			const diedAt = Date.now();
			const run = { submittedAt: 0, ...(await awaitCampaign(stack, campaignId, numbers)) };
			expect(run.state).toBe("completed");
			expect(run.done).toBe(160);
			expect(overdialed(run)).toEqual([]);
			expect(log()).toContain('"event":"host.recovered"');
			const lost = run.records.filter((record) => record.outcome === "hostLost") as { endedAt?: string }[];
			for (const { endedAt } of lost) expect(Date.parse(endedAt ?? "") - diedAt).toBeLessThan(60_000);
		},
		TEST_TIMEOUT_MS,
	);
});

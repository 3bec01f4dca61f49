import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { checkLedger } from "../../local/runs/ledger-check.ts";
import { setTrunk } from "../../local/runs/run-campaign.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { privateNumber } from "../../local/voice/carrier/numbers.ts";
import { eventually } from "../support/local-toy/eventually.ts";

/** The ledger and budgets of the whole system: its functions, hosts that call, an EC2 and a carrier with records of their own. */

const CAPACITY = 10;
const STEP_MS = 60_000;

let stack: Stack;
const beganAt = Date.now();
beforeAll(async () => {
	stack = await startStack({
		asterisk: "simulated",
		steady: 1,
		capacity: CAPACITY,
		settings: { peekIntervalMs: 500 },
		burst: {
			max: 2,
			bootSec: 1,
			types: "c7g.large=0.0725",
			settings: {
				BURST_IDLE_SEC: "1",
				BURST_MIN_USE_SEC: "1",
				BURST_LOOK_SEC: "1",
				BURST_WARM_HOSTS: "0",
				BURST_MAX_OVERHEAD_USD_PER_WORK_HOUR: "1000",
			},
		},
	});
	await setTrunk(stack, { maxChannels: 30, maxCps: 50 });
}, 2 * STEP_MS);
afterAll(async () => {
	await stack?.stop();
}, STEP_MS);

interface View {
	state: string;
	pausedBy?: string;
	counts: { done: number; inProgress: number };
	cost: { usd: number; perAttemptUsd: number | null; items: Record<string, number>; notCounted: string[] };
	budget: { level: string; spentUsd?: number; reservedUsd?: number } | null;
}
const view = async (id: string): Promise<View> => (await stack.client.request<View>("GET", `/v1/campaigns/${id}`)).body;
let serial = 1;
const submit = async (count: number, talkMs: number, more: Record<string, unknown> = {}): Promise<string> => {
	const contacts = Array.from({ length: count }, () => ({
		number: privateNumber({ kind: "answer", ringMs: 100, talkMs }, serial++),
	}));
	const { status, body } = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
		...{ name: "cost", trunk: "carrier", purpose: "informational", then: { wait: 60 }, contacts },
		...more,
	});
	expect(status).toBe(201);
	return body.campaignId;
};
const untilState = (id: string, state: string): Promise<void> =>
	eventually(async () => expect((await view(id)).state).toBe(state), STEP_MS);

describe("what calls cost", () => {
	test(
		"without prices of one's own, steady hosts and the carrier are named and not counted",
		async () => {
			const id = await submit(1, 100);
			await untilState(id, "completed");
			const { cost } = await view(id);
			expect(cost.notCounted).toEqual(["steady", "carrier"]);
			expect(cost.usd).toBeGreaterThan(0);
		},
		STEP_MS,
	);

	test(
		"is what EC2 billed and the carrier saw, and is shared out without rest",
		async () => {
			const prices = {
				...{ currency: "USD", date: "2026-11-01" },
				...{ colocation: { usdPerMonth: 10 }, carrier: { usdPerMin: 0.06, incrementSec: 60 } },
			};
			expect((await stack.client.request("PUT", "/v1/prices", prices)).status).toBe(200);
			const id = await submit(90, 3_000);
			await untilState(id, "completed");
			// Its burst hosts are let go: until then more is billed.
			await eventually(
				() => expect(stack.ec2?.history().filter(({ billed }) => billed.some(({ toMs }) => !toMs))).toEqual([]),
				STEP_MS,
			);
			expect(stack.ec2?.history().length).toBeGreaterThan(0);
			await eventually(async () => {
				const { findings } = await checkLedger(stack, beganAt, (await stack.carrier?.calls()) ?? [], 60);
				expect(findings).toEqual([]);
			}, STEP_MS);
			const { cost } = await view(id);
			// 90 calls of 3 s, each a whole minute to the carrier.
			expect(cost.items["carrier"]).toBeCloseTo(5.4, 6);
			expect(cost.items["instance"]).toBeGreaterThan(0);
			expect(cost.perAttemptUsd).toBeCloseTo(cost.usd / 90, 6);
		},
		3 * STEP_MS,
	);
});

describe("a budget", () => {
	test(
		"that is used up pauses its campaign below it; raised and resumed, it goes on",
		async () => {
			const budget = { usd: 8, atLimit: "pause" };
			const id = await submit(300, 2_000, { budget });
			await untilState(id, "paused");
			await eventually(async () => expect((await view(id)).counts.inProgress).toBe(0), STEP_MS);
			const paused = await view(id);
			expect(paused.pausedBy).toContain("of $8.00 are spent");
			expect(paused.counts.done).toBeLessThan(300);
			expect(paused.cost.usd).toBeLessThanOrEqual(budget.usd);
			const { body: why } = await stack.client.request<{ words: string }>("GET", `/v1/campaigns/${id}/explain`);
			expect(JSON.stringify(why)).toContain("paused by a budget");
			await stack.client.request("PATCH", `/v1/campaigns/${id}`, { budget: { usd: 100 } });
			expect((await stack.client.request("POST", `/v1/campaigns/${id}/resume`)).status).toBe(200);
			await untilState(id, "completed");
			expect((await view(id)).counts.done).toBe(300);
		},
		4 * STEP_MS,
	);

	test(
		"of the day pauses all; taken away, they go on",
		async () => {
			const id = await submit(100, 2_000);
			await untilState(id, "running");
			expect((await stack.client.request("PUT", "/v1/budget", { usdPerDay: 0.01 })).status).toBe(200);
			await untilState(id, "paused");
			expect((await view(id)).pausedBy).toContain("the day's budget for all campaigns");
			expect((await stack.client.request("DELETE", "/v1/budget")).status).toBe(200);
			await untilState(id, "completed");
		},
		3 * STEP_MS,
	);
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { runCampaign, setTrunk } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { peakChannels, peakCps } from "../../local/voice/carrier/record.ts";
import type { CarrierCall } from "../../local/voice/types.ts";
import { dialThrough, list, overdialed, startFleet } from "./support/fleet.ts";

/**
 * A tight trunk shared by three hosts whose clocks are off by seconds: by the carrier's own record neither its rate nor its channels are ever exceeded, and the rate
 * is used. Also while a host dies and another joins, and while answers are lost and syncs are repeated.
 */

const TEST_TIMEOUT_MS = 180_000;
const MAX_CPS = 20;
const MAX_CHANNELS = 50;
/** Mean hold 1.5 s: thirty channels at that rate, which takes three hosts. */
const MIX = [{ behaviour: { kind: "answer" as const, ringMs: 500, talkMs: 1_000 }, parts: 1 }];
/** Of a rate of 20 the spacing of slots leaves 19.3: the rest is their validity and the jitter on the way. */
const LEAST_CPS = 19;
/** The first calls find no host that knows of them, the last ones no others to wait for. */
const EDGE_CALLS = 20;

let stack: Stack;
beforeAll(async () => {
	({ stack } = await startFleet({ steady: 3, capacity: 14, clockSkewMs: [0, 5_000, -5_000] }));
}, TEST_TIMEOUT_MS);
afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

const withinCaps = (carrier: readonly CarrierCall[]): void => {
	expect(peakCps(carrier)).toBeLessThanOrEqual(MAX_CPS);
	expect(peakChannels(carrier)).toBeLessThanOrEqual(MAX_CHANNELS);
};
/** First INVITEs a second while there was work for all. */
const sustained = (carrier: readonly CarrierCall[]): number => {
	const begun = carrier.map((call) => call.invitedAt).sort((a, b) => a - b);
	const inner = begun.slice(EDGE_CALLS, -EDGE_CALLS);
	return (inner.length - 1) / (((inner.at(-1) ?? 0) - (inner[0] ?? 0)) / 1_000);
};
const CAMPAIGN = { name: "rate", then: { wait: 15 }, ringTimeoutSec: 3, maxCallSec: 20 };

test(
	"three hosts share 20 calls a second and 50 channels of one trunk",
	async () => {
		await setTrunk(stack, { maxChannels: MAX_CHANNELS, maxCps: MAX_CPS });
		// While the first calls end together, some slots find no channel: some five of them, all in the first seconds. What is sustained shows in a minute.
		const numbers = list(1_000, 40, MIX);
		const run = await runCampaign(stack, numbers, CAMPAIGN);
		expect(run.carrier).toHaveLength(numbers.length);
		expect(overdialed(run)).toEqual([]);
		withinCaps(run.carrier);
		expect(new Set(run.carrier.map(({ from }) => from)).size).toBe(3);
		process.stderr.write(`rate of 20, three hosts: ${sustained(run.carrier).toFixed(2)}/s sustained\n`);
		expect(sustained(run.carrier)).toBeGreaterThanOrEqual(LEAST_CPS);
	},
	TEST_TIMEOUT_MS,
);

test(
	"answers lost, syncs executed twice and again after newer ones",
	async () => {
		const numbers = list(300, 41, MIX);
		const run = await dialThrough(
			stack,
			numbers,
			{
				after: 1,
				happens: () => stack.setFaults({ api: { lostAnswerRate: 0.1, twinRate: 0.2, olderSeqRate: 0.2 } }),
			},
			CAMPAIGN,
			{ maxChannels: MAX_CHANNELS, maxCps: MAX_CPS },
		);
		await stack.setFaults({ api: { lostAnswerRate: 0, twinRate: 0, olderSeqRate: 0 } });
		expect(run.carrier).toHaveLength(numbers.length);
		expect(overdialed(run)).toEqual([]);
		withinCaps(run.carrier);
	},
	TEST_TIMEOUT_MS,
);

test(
	"a host dies and another joins",
	async () => {
		const numbers = list(400, 42, MIX);
		const run = await dialThrough(
			stack,
			numbers,
			{
				after: 60,
				happens: async () => {
					const host = stack.hosts[2];
					await Promise.all([host?.agent.kill(), host?.asterisk.kill()]);
					await stack.addHost("steady-9", 14);
				},
			},
			{ ...CAMPAIGN, retry: { hostLost: { afterSec: 1, max: 1 } } },
			{ maxChannels: MAX_CHANNELS, maxCps: MAX_CPS },
		);
		expect(run.state).toBe("completed");
		expect(run.done).toBe(numbers.length);
		expect(overdialed(run)).toEqual([]);
		// A leg of the dead host stands at the carrier until its callee hangs up: it counts as ours all that time.
		withinCaps(run.carrier);
		expect(new Set(run.carrier.map(({ from }) => from)).size).toBe(4);
	},
	TEST_TIMEOUT_MS,
);

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { runCampaign, setTrunk } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { peakChannels, peakCps } from "../../local/voice/carrier/record.ts";
import { list, overdialed, startFleet } from "./support/fleet.ts";

/** A tight trunk shared by three hosts: neither its rate nor its channels are ever exceeded, and the rate is used. */

const TEST_TIMEOUT_MS = 120_000;
const MAX_CPS = 20;
const MAX_CHANNELS = 50;
const CONTACTS = 240;

let stack: Stack;
beforeAll(async () => {
	({ stack } = await startFleet({ steady: 3, capacity: 40 }));
}, TEST_TIMEOUT_MS);
afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

test(
	"three hosts share 20 calls a second and 50 channels of one trunk",
	async () => {
		await setTrunk(stack, { maxChannels: MAX_CHANNELS, maxCps: MAX_CPS });
		const numbers = list(CONTACTS, 40, [{ behaviour: { kind: "answer", ringMs: 500, talkMs: 1_000 }, parts: 1 }]);
		const run = await runCampaign(stack, numbers, {
			name: "rate",
			then: { wait: 15 },
			ringTimeoutSec: 3,
			maxCallSec: 20,
		});
		expect(run.carrier).toHaveLength(CONTACTS);
		expect(overdialed(run)).toEqual([]);
		expect(peakCps(run.carrier)).toBeLessThanOrEqual(MAX_CPS);
		expect(peakChannels(run.carrier)).toBeLessThanOrEqual(MAX_CHANNELS);
		const begun = run.carrier.map((call) => call.invitedAt).sort((a, b) => a - b);
		const seconds = ((begun.at(-1) ?? 0) - (begun[0] ?? 0)) / 1_000;
		// Nearly all of the rate: the rest is the allowance for jitter, and slots missed on a busy machine.
		expect((CONTACTS - 1) / seconds).toBeGreaterThan(0.75 * MAX_CPS);
	},
	TEST_TIMEOUT_MS,
);

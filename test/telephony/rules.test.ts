import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { awaitCampaign, setTrunk, showCampaign, submitCampaign } from "../../local/runs/run-campaign.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { peakChannels, peakCps } from "../../local/voice/carrier/record.ts";
import { claimAddresses } from "../../local/voice/real/addresses.ts";
import { realPlane } from "../../local/voice/real/plane.ts";
import type { Carrier, CarrierCall } from "../../local/voice/types.ts";
import { eventually } from "../support/local-toy/eventually.ts";
import { list, startFleet } from "./support/fleet.ts";
import { startRefusingCarrier } from "./support/refusing-carrier.ts";

/** Calling rules on real Asterisk, judged by the carriers' own records. */

const TEST_TIMEOUT_MS = 180_000;
const STEP_MS = 60_000;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
const answered = (ringMs: number, talkMs: number) => [
	{ behaviour: { kind: "answer" as const, ringMs, talkMs }, parts: 1 },
];
const CAMPAIGN = { then: { wait: 30 }, ringTimeoutSec: 10, maxCallSec: 60 };

let stack: Stack;
beforeAll(async () => {
	({ stack } = await startFleet({ steady: 2, capacity: 60 }));
}, TEST_TIMEOUT_MS);
afterAll(() => stack?.stop(), TEST_TIMEOUT_MS);

/** Sets a further trunk. Carriers are asked every second whether they answer. */
const setSecond = async (host: string, port: number, caps: { maxChannels: number; maxCps: number }): Promise<void> => {
	const answer = await stack.client.request("PUT", "/v1/trunks/second", {
		type: "pjsip",
		host,
		port,
		numbering: "private",
		callerIds: ["5550200"],
		qualify: 1,
		...caps,
	});
	expect(answer.status).toBeLessThan(300);
};
const peakWithin = (calls: readonly CarrierCall[], most: number) =>
	expect(peakChannels(calls)).toBeLessThanOrEqual(most);

describe("several trunks", () => {
	test(
		"a trunk that refuses is slowed and its calls go through the other; when it takes calls again it has its part again",
		async () => {
			const plane = await realPlane(() => {});
			const block = await claimAddresses();
			const address = block.address(1);
			const PORT = 5_060;
			const refusing = await startRefusingCarrier(address, PORT);
			const dir = mkdtempSync(join(tmpdir(), "burst-dialer-second-"));
			let second: Carrier | undefined;
			try {
				await setTrunk(stack, { maxChannels: 30, maxCps: 40 });
				await setSecond(address, PORT, { maxChannels: 30, maxCps: 40 });
				const trunks = [
					{ id: "second", weight: 3 },
					{ id: "carrier", weight: 1 },
				];
				// The local times are short: a refused call is tried again at once.
				const retry = { congestion: { afterSec: 1, max: 9 } };
				const submit = (name: string, numbers: readonly string[]) =>
					submitCampaign(stack, numbers, { ...CAMPAIGN, name, trunk: undefined, trunks, maxChannels: 30, retry });
				const numbers = list(300, 60, answered(200, 1_500));
				const campaignId = await submit("one refuses", numbers);
				await eventually(async () => {
					expect((await showCampaign(stack, campaignId)).counts.done).toBeGreaterThan(200);
				}, STEP_MS);
				const { attempts } = await showCampaign(stack, campaignId);
				// Each refusal was an attempt; of a trunk that is not slowed they would have been three of four.
				expect(refusing.refused.length).toBeGreaterThanOrEqual(3);
				expect(refusing.refused.length).toBeLessThan(attempts / 2);
				await refusing.stop();
				second = await plane.startCarrier({ address, port: PORT, dir });
				const run = await awaitCampaign(stack, campaignId, numbers);
				expect(run.state).toBe("completed");
				expect(run.outcomes).toEqual({ answered: numbers.length });
				const through = async (of: readonly string[]) =>
					((await second?.calls()) ?? []).filter(({ number }) => of.includes(number));
				expect((await through(numbers)).length + run.carrier.length).toBe(numbers.length);
				peakWithin([...(await through(numbers)), ...run.carrier], 30);
				const used = run.records.map((record) => (record as { trunk?: string }).trunk);
				expect([...new Set(used)].sort()).toEqual(["carrier", "second"]);

				// Its pace doubles every five seconds; the parts of the cap follow with the tick.
				await pause(50_000);
				const later = list(120, 68, answered(200, 1_500));
				const again = await awaitCampaign(stack, await submit("both take calls", later), later);
				expect(again.outcomes).toEqual({ answered: later.length });
				expect((await through(later)).length).toBeGreaterThan(later.length * 0.6);
				expect(again.carrier.length).toBeGreaterThan(later.length * 0.1);
				expect(again.records).toHaveLength(later.length);
			} finally {
				await refusing.stop().catch(() => {});
				await second?.stop();
				await block.release();
				rmSync(dir, { recursive: true, force: true });
			}
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"a trunk whose carrier does not answer takes nothing; no contact is lost",
		async () => {
			const block = await claimAddresses();
			const address = block.address(1);
			await setTrunk(stack, { maxChannels: 30, maxCps: 100 });
			await setSecond(address, 5_060, { maxChannels: 30, maxCps: 100 });
			// Until the hosts have noticed.
			await pause(6_000);
			const numbers = list(60, 61, answered(200, 1_000));
			const campaignId = await submitCampaign(stack, numbers, {
				...CAMPAIGN,
				name: "one trunk is down",
				trunk: undefined,
				trunks: [{ id: "second", weight: 9 }, { id: "carrier" }],
			});
			const run = await awaitCampaign(stack, campaignId, numbers);
			expect(run.outcomes).toEqual({ answered: numbers.length });
			expect(run.carrier).toHaveLength(numbers.length);
			await block.release();
		},
		TEST_TIMEOUT_MS,
	);
});

describe("campaigns beside each other", () => {
	test(
		"with priorities 3 and 1 they share a trunk about 3 to 1, neither starves, and what ends gives its share up at once",
		async () => {
			const CHANNELS = 24;
			await setTrunk(stack, { maxChannels: CHANNELS, maxCps: 200 });
			const first = list(280, 62, answered(200, 1_800));
			const second = list(240, 63, answered(200, 1_800));
			const firstId = await submitCampaign(stack, first, { ...CAMPAIGN, name: "three", priority: 3 });
			const secondId = await submitCampaign(stack, second, { ...CAMPAIGN, name: "one", priority: 1 });
			const runs = [await awaitCampaign(stack, firstId, first), await awaitCampaign(stack, secondId, second)];
			const [a, b] = runs.map(({ carrier }) => carrier) as [CarrierCall[], CarrierCall[]];
			peakWithin([...a, ...b], CHANNELS);
			const begins = (calls: readonly CarrierCall[]) => Math.min(...calls.map(({ invitedAt }) => invitedAt));
			const lastBegin = (calls: readonly CarrierCall[]) => Math.max(...calls.map(({ invitedAt }) => invitedAt));
			// While both had contacts, once the second has its share.
			const from = begins(b) + 4_000;
			const to = Math.min(lastBegin(a), lastBegin(b)) - 1_000;
			const within = (calls: readonly CarrierCall[]) =>
				calls.filter(({ invitedAt }) => invitedAt >= from && invitedAt < to).length;
			process.stderr.write(
				`priorities 3 and 1: ${within(a)} and ${within(b)} calls in ${((to - from) / 1_000).toFixed(1)} s\n`,
			);
			expect(within(a) / within(b)).toBeGreaterThan(2.4);
			expect(within(a) / within(b)).toBeLessThan(3.8);
			// The first is over: the second has all channels soon after.
			const alone = b.filter(({ invitedAt }) => invitedAt > lastBegin(a));
			expect(peakChannels(alone)).toBeGreaterThan(CHANNELS * 0.9);
		},
		TEST_TIMEOUT_MS,
	);

	test(
		"a campaign's own rate holds beside another one that has none",
		async () => {
			await setTrunk(stack, { maxChannels: 60, maxCps: 50 });
			const slow = list(60, 64, answered(200, 800));
			const fast = list(300, 65, answered(200, 800));
			const slowId = await submitCampaign(stack, slow, { ...CAMPAIGN, name: "slow", maxCps: 4 });
			const fastId = await submitCampaign(stack, fast, { ...CAMPAIGN, name: "fast" });
			const [a, b] = [await awaitCampaign(stack, slowId, slow), await awaitCampaign(stack, fastId, fast)];
			expect(a.carrier).toHaveLength(slow.length);
			expect(b.carrier).toHaveLength(fast.length);
			expect(peakCps(a.carrier)).toBeLessThanOrEqual(4);
			expect(peakCps([...a.carrier, ...b.carrier])).toBeLessThanOrEqual(50);
			const times = a.carrier.map(({ invitedAt }) => invitedAt).sort((x, y) => x - y);
			const perSec = (times.length - 1) / (((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000);
			process.stderr.write(`a campaign of 4/s beside another: ${perSec.toFixed(2)}/s\n`);
			expect(perSec).toBeGreaterThan(2.5);
		},
		TEST_TIMEOUT_MS,
	);
});

describe("opt-outs", () => {
	test(
		"posted while fifty calls ring: that number is not dialed again, by any campaign",
		async () => {
			await setTrunk(stack, { maxChannels: 60, maxCps: 200 });
			// They ring until the caller gives up, and are tried again.
			const ringing = list(50, 66, [{ behaviour: { kind: "ring" as const }, parts: 1 }]);
			const waiting = list(40, 67, [{ behaviour: { kind: "ring" as const }, parts: 1 }]);
			const retry = { noAnswer: { afterSec: 2, max: 2 } };
			const times = { ...CAMPAIGN, ringTimeoutSec: 6, retry };
			const firstId = await submitCampaign(stack, ringing, { ...times, name: "rings" });
			const up = async () => ((await stack.carrier?.calls()) ?? []).filter((call) => ringing.includes(call.number));
			await eventually(async () => expect(await up()).toHaveLength(50), STEP_MS);
			const secondId = await submitCampaign(stack, [...waiting, ringing[0] as string], { ...times, name: "waits" });
			const gone = [ringing[0], ringing[7], waiting[39]] as string[];
			for (const number of gone) {
				const answer = await stack.client.request("POST", "/v1/opt-outs", { number, campaignId: firstId });
				expect(answer.status).toBeLessThan(300);
			}
			const answeredAt = Date.now();
			const runs = [await awaitCampaign(stack, firstId, ringing), await awaitCampaign(stack, secondId, waiting)];
			const calls = (await stack.carrier?.calls()) ?? [];
			const again = calls.filter(({ number, invitedAt }) => gone.includes(number) && invitedAt > answeredAt);
			// What was granted to a host in the instant of the opt-out is recalled with its next sync: within a second, and never after it.
			expect(again.filter(({ invitedAt }) => invitedAt > answeredAt + 1_500)).toEqual([]);
			expect(again).toEqual([]);
			for (const number of ringing.slice(1, 7)) expect(calls.filter((call) => call.number === number)).toHaveLength(3);
			expect(runs[0]?.outcomes).toEqual({ noAnswer: 48, suppressed: 2 });
			expect(runs[1]?.outcomes).toEqual({ noAnswer: 39, suppressed: 2 });
		},
		TEST_TIMEOUT_MS,
	);
});

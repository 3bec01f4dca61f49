import { type Comparison, compareWithCarrier } from "../../../local/runs/compare.ts";
import {
	awaitCampaign,
	type CampaignRun,
	setTrunk,
	showCampaign,
	submitCampaign,
} from "../../../local/runs/run-campaign.ts";
import type { StackOptions } from "../../../local/stack/options.ts";
import { type Stack, startStack } from "../../../local/stack/stack.ts";
import { numbersOf, type Share } from "../../../local/voice/carrier/mix.ts";
import type { Settings } from "../../../shared/config/settings.ts";

/** Silence, ticks and leases some ten times faster than shipped. */
export const FAST: Partial<Settings> = {
	fenceSec: 2,
	lostAfterSec: 4,
	recoveryPeriodSec: 2,
	peekWriteSec: 1.5,
	peekIntervalMs: 250,
	maxSyncIntervalMs: 250,
};
export const FAST_TICK_SEC = 6;

export const RING_TIMEOUT_SEC = 3;
export const MAX_CALL_SEC = 20;

/** Calls long enough that a fault meets many of them, short enough that a test ends soon. */
const FAULT_MIX: readonly Share[] = [
	{ behaviour: { kind: "answer", ringMs: 500, talkMs: 1_500 }, parts: 5 },
	{ behaviour: { kind: "answer", ringMs: 800, talkMs: 4_000 }, parts: 2 },
	{ behaviour: { kind: "busy" }, parts: 1 },
	{ behaviour: { kind: "ring" }, parts: 1 },
	{ behaviour: { kind: "notFound" }, parts: 1 },
];

/** Different lists in one stack must not share numbers: the carrier's record is by number. */
export const list = (count: number, seed: number, mix: readonly Share[] = FAULT_MIX): string[] =>
	numbersOf(mix, { count, seed, firstSerial: seed * 1_000 });

export const startFleet = async (options: StackOptions): Promise<{ stack: Stack; log: () => string }> => {
	let output = "";
	const stack = await startStack({
		port: 0,
		asterisk: "real",
		settings: FAST,
		tickSec: FAST_TICK_SEC,
		...options,
		onOutput: (text) => {
			output += text;
		},
	});
	return { stack, log: () => output };
};

export interface Dialed extends CampaignRun {
	compared: Comparison;
}

/** Dials a list, does something to the fleet once `after` contacts are done, and compares both records at the end. */
export const dialThrough = async (
	stack: Stack,
	numbers: readonly string[],
	fault: { after: number; happens: (campaignId: string) => Promise<void> },
	campaign: Record<string, unknown> = {},
	trunk: { maxChannels: number; maxCps: number } = { maxChannels: 60, maxCps: 500 },
): Promise<Dialed> => {
	await setTrunk(stack, trunk);
	const submittedAt = Date.now();
	const campaignId = await submitCampaign(stack, numbers, {
		name: "faults",
		then: { wait: 15 },
		ringTimeoutSec: RING_TIMEOUT_SEC,
		maxCallSec: MAX_CALL_SEC,
		...campaign,
	});
	while ((await showCampaign(stack, campaignId)).counts.done < fault.after) {
		await new Promise((done) => setTimeout(done, 50));
	}
	await fault.happens(campaignId);
	const run = { submittedAt, ...(await awaitCampaign(stack, campaignId, numbers)) };
	return { ...run, compared: compareWithCarrier(numbers, run.done, run.records, run.carrier) };
};

/** INVITEs of the carrier beyond one per recorded attempt, by number. */
export const overdialed = ({ records, carrier }: CampaignRun): string[] => {
	const attempts = new Map<string, number>();
	for (const { number } of records) attempts.set(number, (attempts.get(number) ?? 0) + 1);
	const invites = new Map<string, number>();
	for (const { number } of carrier) invites.set(number, (invites.get(number) ?? 0) + 1);
	return [...invites].flatMap(([number, n]) => (n > (attempts.get(number) ?? 0) ? [`${number}: ${n}`] : []));
};

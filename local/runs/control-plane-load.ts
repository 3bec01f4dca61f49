import { setTimeout as delay } from "node:timers/promises";
import { type UseBySource, useBetween } from "../metering/use.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { numbersOf, PLANNED_HOLD_SEC, PLANNED_MIX, PLANNED_RING_TIMEOUT_SEC } from "../voice/carrier/mix.ts";
import { RunError, setTrunk, showCampaign, submitCampaign } from "./run-campaign.ts";
import { SyncLog } from "./sync-log.ts";

/** A load whose use is counted. */
export interface CountedLoad {
	hosts: number;
	/** Of the trunk. */
	channels: number;
	/** Of the trunk. Where channels are to bind, somewhat above what they need. */
	maxCps: number;
	/** From the first call until it is counted, seconds: channels have filled, and those that began together have spread. */
	fillSec: number;
	/** How long it is counted, seconds. */
	steadySec: number;
}

/** What a run used, counted. */
export interface CountedRun {
	hosts: number;
	/** The counted time. */
	seconds: number;
	/** Attempts that ended in it, and syncs, by the log. */
	attempts: number;
	syncs: number;
	/** By the carrier, of the counted time: calls begun in a second, and how many were up in the mean. */
	callsPerSec: number;
	channelsBusy: number;
	use: UseBySource;
	/** The import, before. */
	contacts: number;
	imported: UseBySource;
}

/** Channels of a host. */
const CAPACITY = 120;
const SEED = 31;
/** The longest talk of the mix is shorter. */
const WAIT_SEC = 120;
/** Lists are stored at least so fast here; the campaign begins later. */
const IMPORT_ROWS_PER_SEC = 400;
const BEFORE_START_SEC = 10;
const POLL_MS = 1_000;
/** The list must not run out, nor its end be near, while it is counted. */
const SPARE_CONTACTS = 1.1;

const untilImported = async (stack: Stack, campaignId: string, contacts: number, startAt: number): Promise<void> => {
	for (;;) {
		const { state, counts } = await showCampaign(stack, campaignId);
		if (state === "scheduled" && counts.total === contacts) return;
		if (Date.now() >= startAt) throw new RunError(`the list was not stored in time: ${counts.total} of ${contacts}`);
		await delay(POLL_MS);
	}
};

/** The time that calls had a channel between two moments, in channel-seconds. */
const busySec = (calls: readonly { invitedAt: number; endedAt?: number | undefined }[], from: number, to: number) =>
	calls.reduce((sum, { invitedAt, endedAt = to }) => {
		return sum + Math.max(0, Math.min(endedAt, to) - Math.max(invitedAt, from)) / 1_000;
	}, 0);

/** Imports a list, dials it, and counts what the control plane used while the load was steady. The rest of the list is left. */
export const countLoad = async (load: CountedLoad, say: (line: string) => void): Promise<CountedRun> => {
	const log = new SyncLog();
	const stack = await startStack({
		port: 0,
		steady: load.hosts,
		capacity: CAPACITY,
		asterisk: "simulated",
		meter: true,
		say,
		onOutput: (text) => log.add(text),
	});
	try {
		await setTrunk(stack, { maxChannels: load.channels, maxCps: load.maxCps });
		const callsPerSec = Math.min(load.maxCps, load.channels / PLANNED_HOLD_SEC);
		const contacts = Math.ceil(SPARE_CONTACTS * callsPerSec * (load.fillSec + load.steadySec)) + load.channels;
		const numbers = numbersOf(PLANNED_MIX, { count: contacts, seed: SEED });
		const startAt = Date.now() + (BEFORE_START_SEC + contacts / IMPORT_ROWS_PER_SEC) * 1_000;
		const before = await stack.use();
		const campaignId = await submitCampaign(stack, numbers, {
			name: "control plane",
			then: { wait: WAIT_SEC },
			ringTimeoutSec: PLANNED_RING_TIMEOUT_SEC,
			maxCallSec: PLANNED_RING_TIMEOUT_SEC + WAIT_SEC,
			startAt: new Date(startAt).toISOString(),
		});
		await untilImported(stack, campaignId, contacts, startAt);
		const imported = useBetween(before, await stack.use());
		say(`${contacts} contacts are stored; counting begins ${load.fillSec} s after the first call.`);
		await delay(startAt + load.fillSec * 1_000 - Date.now());
		const [start, counted] = [await stack.use(), log.counts()];
		const from = Date.now();
		await delay(load.steadySec * 1_000);
		const [end, ended] = [await stack.use(), log.counts()];
		const to = Date.now();
		const seconds = (to - from) / 1_000;
		const calls = (await stack.carrier?.calls()) ?? [];
		return {
			hosts: load.hosts,
			seconds,
			attempts: ended.completed - counted.completed,
			syncs: ended.syncs - counted.syncs,
			callsPerSec: calls.filter(({ invitedAt }) => invitedAt >= from && invitedAt < to).length / seconds,
			channelsBusy: busySec(calls, from, to) / seconds,
			use: useBetween(start, end),
			contacts,
			imported,
		};
	} finally {
		await stack.stop();
	}
};

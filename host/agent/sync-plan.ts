import { MAX_CALLS_PER_SYNC, MAX_SLOTS_PER_SYNC } from "../../shared/contract/host.ts";

/** When to sync and what to ask for. Pure; times are monotonic milliseconds. */

export interface SyncFacts {
	/** When the last request was first sent. */
	lastSendMs: number;
	/** When its answer was accepted. */
	lastAnswerMs: number;
	/** Answers in a row that brought no call (no slot) although channels idled, or soon would, for want of one. */
	emptyOfCalls: number;
	emptyOfSlots: number;
	rttMs: number;
	/** Completions per second. */
	rate: number;
	/** Completions that can be reported now. */
	reportable: number;
	/** When the next completion that is still held back can be reported. */
	reportableAt: number | undefined;
	/** Calls to give back that should not wait. */
	urgentReturns: number;
	/** Other calls to give back. */
	returns: number;
	/** Channels up by our calls, those kept aside included. */
	live: number;
	/** Calls granted, not dialed, not to be given back. */
	held: number;
	/** Channels free within share and capacity that no held call could use at once, for want of a call. */
	lackCall: number;
	/** Held calls that a channel is free for and that lack a slot. */
	lackSlot: number;
	/** Slots of trunks with held calls that are still to come or valid. */
	slotsLeft: number;
	maxSyncIntervalMs: number;
	minSyncGapMs: number;
	batch: number;
	/** From the last answer. */
	nextSyncMs: number;
}

/** How long one sync should last the host: `batch` completions, between the least gap and the greatest interval. */
export const targetIntervalMs = (
	facts: Pick<SyncFacts, "rate" | "batch" | "minSyncGapMs" | "maxSyncIntervalMs">,
): number =>
	facts.rate <= 0
		? facts.maxSyncIntervalMs
		: Math.min(facts.maxSyncIntervalMs, Math.max(facts.minSyncGapMs, (facts.batch * 1_000) / facts.rate));

/** Whether there is any reason to sync: without one the host only peeks. */
export const isBusy = (
	facts: Pick<SyncFacts, "live" | "held" | "reportable" | "reportableAt" | "returns" | "urgentReturns">,
): boolean =>
	facts.live > 0 ||
	facts.held > 0 ||
	facts.reportable > 0 ||
	facts.reportableAt !== undefined ||
	facts.returns > 0 ||
	facts.urgentReturns > 0;

/** Several completions that end together (a batch of ring time-outs) should share one sync, not start it one by one. */
const GATHER_MS = 15;

/**
 * When the next sync is due, if nothing changes until then. Called again after every change.
 * @returns undefined where the host is idle
 */
export const nextSyncAt = (facts: SyncFacts): number | undefined => {
	if (!isBusy(facts)) return undefined;
	const { lastSendMs, minSyncGapMs } = facts;
	const longest = Math.min(facts.maxSyncIntervalMs, Math.max(minSyncGapMs, facts.nextSyncMs));
	const soonest = Math.max(lastSendMs + minSyncGapMs, facts.lastAnswerMs + GATHER_MS);
	// While nothing arrives, asking faster brings nothing: the gap doubles up to the longest interval.
	const patient = (empty: number): number => lastSendMs + Math.min(longest, minSyncGapMs * 2 ** Math.min(empty, 10));
	let due = lastSendMs + longest;
	const consider = (at: number): void => {
		due = Math.min(due, Math.max(at, soonest));
	};
	if (facts.reportable >= facts.batch || facts.urgentReturns > 0) consider(soonest);
	// A channel idles for want of a call or of a slot, or will before an answer could come.
	const hungry = hungryFor(facts);
	if (hungry.calls) consider(patient(facts.emptyOfCalls));
	if (hungry.slots) consider(patient(facts.emptyOfSlots));
	return due;
};

/** What the host cannot do without until the answer to a request that is sent now. */
export const hungryFor = (facts: SyncFacts): { calls: boolean; slots: boolean } => {
	const needed = lowWater(facts);
	const calls = facts.lackCall > 0 || (facts.live > 0 && needed > 0 && facts.held <= needed);
	const slots = facts.lackSlot > 0 || (facts.live > 0 && facts.held > 0 && needed > 0 && facts.slotsLeft <= needed);
	return { calls, slots };
};

/** What will finish, at a guess, while a request is under way: below that the next one is due. */
const lowWater = (facts: Pick<SyncFacts, "rate" | "rttMs">): number => {
	const expected = (facts.rate * facts.rttMs) / 1_000;
	return expected <= 0 ? 0 : Math.floor(expected + 2 * Math.sqrt(expected));
};

/**
 * Standard deviations on top of the mean: calls that were begun together ring out together, so ends come in bunches. A call held in
 * vain costs nothing but its recall, a channel that idles cannot be had back.
 */
const SPREAD = 5;

/** What may finish before the next answer but one. */
export const expectedCompletions = (ratePerSec: number, horizonMs: number): number => {
	const mean = (ratePerSec * horizonMs) / 1_000;
	return mean <= 0 ? 0 : Math.ceil(mean + SPREAD * Math.sqrt(mean));
};

export interface WantInput {
	/** Channels that are free: the capacity without foreign channels and ours. */
	free: number;
	capacity: number;
	held: number;
	live: number;
	rate: number;
	rttMs: number;
	intervalMs: number;
}

/**
 * Calls to ask for, and how many of them beyond the free channels: what is expected to finish before the answer to the request after this
 * one. Never more than the channels in use, so that a small host or a small share is not flooded.
 */
export const wantedCalls = (input: WantInput): { want: number; prefetch: number } => {
	const expected = expectedCompletions(input.rate, input.intervalMs + input.rttMs);
	const prefetch = Math.min(expected, input.live, input.capacity);
	const want = Math.max(0, Math.min(MAX_CALLS_PER_SYNC, input.free + prefetch - input.held));
	return { want, prefetch };
};

export interface SlotsInput {
	/** Held calls, and calls asked for, that a channel is free for. */
	startable: number;
	/** Completions expected on the trunk before the next answer. */
	expected: number;
	/** Slots still to come or valid. */
	left: number;
	intervalMs: number;
	rttMs: number;
	/** Of the trunk's last slots; undefined before there were any. */
	validMs: number | undefined;
	spacingMs: number | undefined;
	/** How far ahead of the answer the first slot was: other hosts' slots lie before it. */
	aheadMs: number;
}

/**
 * Slots to ask for on one trunk: for what can start at once and what is expected to free a channel, and as many more as make
 * the slots last until the next answer, so that a channel that frees at any moment finds one.
 */
export const wantedSlots = (input: SlotsInput): number => {
	const needed = input.startable + input.expected;
	if (needed <= 0) return 0;
	let wanted = Math.max(0, needed - input.left) + Math.ceil(needed / 10);
	const { validMs, spacingMs } = input;
	if (validMs !== undefined && spacingMs !== undefined && spacingMs > 0 && input.expected > 0) {
		// New slots lie behind other hosts' ones; the further ahead, the fewer are needed to last until the next answer.
		const cover = Math.ceil((input.intervalMs + input.rttMs - validMs - input.aheadMs) / spacingMs);
		wanted = Math.max(wanted, input.startable + cover);
	}
	return Math.min(MAX_SLOTS_PER_SYNC, wanted);
};

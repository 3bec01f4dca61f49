import type { CarrierCall } from "../types.ts";

/** A stretch of time with a constant number of calls, milliseconds since 1970. */
export interface Level {
	fromMs: number;
	toMs: number;
	calls: number;
}

/** The number of concurrent calls over time. A call that has not ended lasts until `nowMs`. Ends come before beginnings of the same moment. */
export const levels = (calls: readonly CarrierCall[], nowMs = Number.POSITIVE_INFINITY): Level[] => {
	const changes: { atMs: number; by: 1 | -1 }[] = calls.flatMap(({ invitedAt, endedAt }) => [
		{ atMs: invitedAt, by: 1 as const },
		{ atMs: Math.max(endedAt ?? nowMs, invitedAt), by: -1 as const },
	]);
	changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
	const result: Level[] = [];
	let live = 0;
	changes.forEach(({ atMs, by }, index) => {
		live += by;
		const toMs = changes[index + 1]?.atMs;
		if (toMs !== undefined && toMs > atMs) result.push({ fromMs: atMs, toMs, calls: live });
	});
	return result;
};

/** The most calls that the carrier had at once, from INVITE to final end. */
export const peakChannels = (calls: readonly CarrierCall[], nowMs?: number): number =>
	levels(calls, nowMs).reduce((most, level) => Math.max(most, level.calls), 0);

/** Milliseconds × calls by which the carrier had more calls than the cap; 0 if never. */
export const channelMsOverCap = (calls: readonly CarrierCall[], cap: number, nowMs: number): number =>
	levels(calls, nowMs).reduce(
		(sum, { fromMs, toMs, calls: live }) => sum + Math.max(0, live - cap) * (toMs - fromMs),
		0,
	);

/** Milliseconds during which the carrier had more calls than the cap, however many. */
export const msOverCap = (calls: readonly CarrierCall[], cap: number, nowMs: number): number =>
	levels(calls, nowMs).reduce((sum, { fromMs, toMs, calls: live }) => sum + (live > cap ? toMs - fromMs : 0), 0);

/** The most calls begun in any rolling second [t, t + 1 s), by first INVITEs. */
export const peakCps = (calls: readonly CarrierCall[]): number => {
	const begun = calls.map(({ invitedAt }) => invitedAt).sort((a, b) => a - b);
	let first = 0;
	let most = 0;
	begun.forEach((atMs, last) => {
		while (atMs - (begun[first] ?? atMs) >= 1_000) first += 1;
		most = Math.max(most, last - first + 1);
	});
	return most;
};

/** How often each number was called (first INVITEs). */
export const invitesByNumber = (calls: readonly CarrierCall[]): Map<string, number> => {
	const counts = new Map<string, number>();
	for (const { number } of calls) counts.set(number, (counts.get(number) ?? 0) + 1);
	return counts;
};

/** The part of the cap that was in use between two moments, 0 to 1 (more than 1 over the cap); 0 for an empty stretch. */
export const utilisation = (calls: readonly CarrierCall[], cap: number, fromMs: number, toMs: number): number => {
	if (toMs <= fromMs) return 0;
	const used = calls.reduce(
		(sum, { invitedAt, endedAt }) => sum + Math.max(0, Math.min(endedAt ?? toMs, toMs) - Math.max(invitedAt, fromMs)),
		0,
	);
	return used / (cap * (toMs - fromMs));
};

/** When the carrier first had so many calls at once; undefined if never. */
export const firstReached = (calls: readonly CarrierCall[], channels: number, nowMs?: number): number | undefined =>
	levels(calls, nowMs).find((level) => level.calls >= channels)?.fromMs;

/**
 * The bench's stretch: from first reaching 95 % of the cap until fewer than `cap` of the `total` calls remain to be begun. Undefined where the cap was not
 * reached before.
 */
export const busyStretch = (
	calls: readonly CarrierCall[],
	cap: number,
	total: number,
): { fromMs: number; toMs: number } | undefined => {
	const fromMs = firstReached(calls, Math.ceil(cap * 0.95));
	const begun = calls.map(({ invitedAt }) => invitedAt).sort((a, b) => a - b);
	const toMs = begun[total - cap];
	return fromMs === undefined || toMs === undefined || toMs <= fromMs ? undefined : { fromMs, toMs };
};

export interface Second {
	/** Beginning of the second, ms since 1970. */
	atMs: number;
	/** First INVITEs in it. */
	invites: number;
	/** Calls answered in it. */
	answers: number;
	/** The most concurrent calls during it. */
	channels: number;
}

/** The record by seconds, from the first INVITE to `nowMs` or the last end, whichever comes first. */
export const perSecond = (calls: readonly CarrierCall[], nowMs: number): Second[] => {
	const [start, end] = calls.reduce(
		([from, to], { invitedAt, endedAt }) => [Math.min(from, invitedAt), Math.max(to, endedAt ?? nowMs)],
		[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
	);
	if (start > end) return [];
	const index = (atMs: number): number => Math.floor((atMs - start) / 1_000);
	const seconds = Array.from({ length: index(Math.min(end, nowMs)) + 1 }, (_, second) => ({
		atMs: start + second * 1_000,
		invites: 0,
		answers: 0,
		channels: 0,
	}));
	for (const { invitedAt, answeredAt } of calls) {
		const invited = seconds[index(invitedAt)];
		if (invited !== undefined) invited.invites += 1;
		const answered = answeredAt === undefined ? undefined : seconds[index(answeredAt)];
		if (answered !== undefined) answered.answers += 1;
	}
	for (const { fromMs, toMs, calls: live } of levels(calls, nowMs))
		for (let second = index(fromMs); second <= index(toMs) && second < seconds.length; second++) {
			const slot = seconds[second];
			// A stretch that ends at the very beginning of a second does not belong to it.
			if (slot !== undefined && toMs > slot.atMs) slot.channels = Math.max(slot.channels, live);
		}
	return seconds;
};

/**
 * The shortest time in which the calls can be made in list order over so many channels, each taken as soon as it is free, without any delay
 * (list scheduling).
 * @param holdsSec how long each call holds its channel, in list order
 */
export const idealSec = (holdsSec: readonly number[], channels: number): number => {
	if (!Number.isInteger(channels) || channels < 1)
		throw new RangeError(`channels is ${channels}; it must be 1 or more.`);
	// A binary heap of the moments at which channels become free.
	const free = new Float64Array(Math.min(channels, holdsSec.length));
	let last = 0;
	for (const hold of holdsSec) {
		const end = (free[0] ?? 0) + hold;
		last = Math.max(last, end);
		let at = 0;
		for (;;) {
			const left = 2 * at + 1;
			if (left >= free.length) break;
			const smaller = left + 1 < free.length && (free[left + 1] ?? 0) < (free[left] ?? 0) ? left + 1 : left;
			if ((free[smaller] ?? 0) >= end) break;
			free[at] = free[smaller] ?? 0;
			at = smaller;
		}
		free[at] = end;
	}
	return last;
};

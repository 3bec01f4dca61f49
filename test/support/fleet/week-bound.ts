import type { Profile } from "./profile.ts";

/**
 * What no plan can do without, though it knew the whole week: a lower bound, not a plan. Every campaign is to be done by its deadline, or, where it has none,
 * by when it was done in truth; the base load has at each moment the channels that it had in truth. For the rest the plan may do what it likes:
 *
 * - calls may be cut into seconds, moved from host to host and made in any order, as if the campaigns' own caps and the calls per second were none;
 * - hosts are there the moment they are needed, full to the last channel, and gone the moment they are not; of their boots only those are counted that nothing
 *   can avoid: of each stretch of the week with work, so many as its tightest time needs at once.
 *
 * Time is cut into minutes; windows are widened to whole ones. The most that steady hosts (and burst hosts that the base load needs anyhow) can do is found
 * by giving each minute's room to the campaign that must be done first, which is optimal for work in windows (Glover 1967). What is left needs burst hosts.
 */

const SLOT_SEC = 60;
const EPSILON = 1e-6;

/** A campaign's work: channel-seconds, and the talk in it. */
export interface Job {
	startSec: number;
	endSec: number;
	channelSec: number;
	talkSec: number;
}
export interface BoundInput {
	profile: Profile;
	jobs: Job[];
	/** The base load's channels, second by second; empty: there is none. */
	baseChannels: ArrayLike<number>;
	/** Part of its channel time in which people talk. */
	baseTalkShare: number;
}
/** Seconds on burst hosts at least. */
export interface Bound {
	/** Billed: work and boots. */
	hostSec: number;
	talkSec: number;
	boots: number;
}

interface SlotJob extends Job {
	from: number;
	/** Exclusive. */
	to: number;
	left: number;
}

/** Fills rooms with work, the earliest end first. @returns the jobs with what is left of each */
const fill = (jobs: Job[], room: number[]): SlotJob[] => {
	const all = jobs.map(
		(job): SlotJob => ({
			...job,
			from: Math.floor(job.startSec / SLOT_SEC),
			to: Math.ceil(job.endSec / SLOT_SEC),
			left: job.channelSec,
		}),
	);
	const coming = [...all].sort((a, b) => a.from - b.from);
	let open: SlotJob[] = [];
	for (let slot = 0, next = 0; slot < room.length; slot++) {
		while ((coming[next]?.from ?? Number.POSITIVE_INFINITY) <= slot) open.push(coming[next++] as SlotJob);
		open = open.filter((job) => job.to > slot && job.left > 0).sort((a, b) => a.to - b.to);
		let free = room[slot] ?? 0;
		for (const job of open) {
			const part = Math.min(free, job.left);
			job.left -= part;
			free -= part;
		}
	}
	return all;
};

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);

/** Stretches of slots in which burst hosts may have work; those a boot apart or less are one. */
const stretchesOf = (busy: boolean[], gap: number): { from: number; to: number }[] => {
	const stretches: { from: number; to: number }[] = [];
	for (const [slot, is] of busy.entries()) {
		if (!is) continue;
		const last = stretches.at(-1);
		if (last && slot - last.to <= gap) last.to = slot + 1;
		else stretches.push({ from: slot, to: slot + 1 });
	}
	return stretches;
};

export const boundOf = ({ profile, jobs, baseChannels, baseTalkShare }: BoundInput): Bound => {
	const { steady, burst, boot, pendingSec } = profile;
	const steadySec = steady.hosts * steady.channelsPerHost * SLOT_SEC;
	const hostSec = burst.channelsPerHost * SLOT_SEC;
	const bootSec = boot.meanSec - pendingSec;
	const lastSec = Math.max(baseChannels.length, ...jobs.map(({ endSec }) => endSec));
	const slots = Math.ceil(lastSec / SLOT_SEC);
	const base = Array.from({ length: slots }, (_, slot) => {
		let sum = 0;
		for (let second = slot * SLOT_SEC; second < (slot + 1) * SLOT_SEC; second++) sum += baseChannels[second] ?? 0;
		return sum;
	});
	const beyond = base.map((sum) => Math.max(0, sum - steadySec));
	/** Hosts that the base load needs by itself. */
	const hosts = beyond.map((sum) => Math.ceil(sum / hostSec - EPSILON));
	const onSteady = base.map((sum) => Math.max(0, steadySec - sum));
	const room = onSteady.map((free, slot) => free + (hosts[slot] ?? 0) * hostSec - (beyond[slot] ?? 0));
	const filled = fill(jobs, room);

	const busy = hosts.map((n) => n > 0);
	for (const { from, to, left } of filled) if (left > 0) busy.fill(true, from, to);
	const free: number[] = [0];
	for (const sec of onSteady) free.push((free.at(-1) as number) + sec);
	const over: number[] = [0];
	for (const sec of beyond) over.push((over.at(-1) as number) + sec);
	const within = (sums: number[], from: number, to: number): number => (sums[to] ?? 0) - (sums[from] ?? 0);
	let boots = 0;
	for (const { from, to } of stretchesOf(busy, Math.ceil(bootSec / SLOT_SEC))) {
		const inside = filled.filter((job) => job.from >= from && job.to <= to);
		let most = Math.max(...hosts.slice(from, to));
		for (const a of inside) {
			for (const b of inside) {
				if (b.to <= a.from) continue;
				const work = sumOf(inside.filter((job) => job.from >= a.from && job.to <= b.to).map((job) => job.channelSec));
				const need = work + within(over, a.from, b.to) - within(free, a.from, b.to);
				most = Math.max(most, Math.ceil(need / (hostSec * (b.to - a.from)) - EPSILON));
			}
		}
		boots += most;
	}

	// The least talk on burst hosts: steady hosts do all they can, and the campaigns with the least talk are left over.
	let rest = sumOf(fill(jobs, onSteady).map(({ left }) => left));
	let talkSec = sumOf(beyond) * baseTalkShare;
	for (const job of [...jobs].sort((a, b) => a.talkSec / a.channelSec - b.talkSec / b.channelSec)) {
		const part = Math.min(rest, job.channelSec);
		talkSec += (part * job.talkSec) / job.channelSec;
		rest -= part;
	}
	const work = sumOf(hosts) * SLOT_SEC + sumOf(filled.map(({ left }) => left)) / burst.channelsPerHost;
	return { hostSec: work + boots * bootSec, talkSec, boots };
};

import { Random } from "../virtual/random.ts";

/**
 * A day of demand: a base load that the steady hosts carry, and bursts on top of it. Made by {@link generateProfile} from a seed and kept as
 * a file, so that what a figure was measured on stays what it was.
 */
export interface Profile {
	seed: number;
	daySec: number;
	steady: { hosts: number; channelsPerHost: number };
	burst: { channelsPerHost: number };
	/** What carriers allow all of it together. */
	trunk: { maxChannels: number; maxCps: number };
	/** From asking EC2 for a host to its first sync, seconds: mean and the most that one differs from it. */
	boot: { meanSec: number; jitterSec: number };
	/** Of that time EC2 says `pending` for so long, which it does not bill, seconds. */
	pendingSec: number;
	/** Base load: channels from that second on. */
	base: { fromSec: number; channels: number }[];
	baseCalls: CallMix;
	bursts: Burst[];
	/** Who is served first where channels are short: the campaign that began first, or, as hosts do, the one with the fewest channels. */
	turns?: "first" | "fair";
}

/** How long calls hold a channel. */
export interface CallMix {
	answerRate: number;
	/** Of an answered call. */
	ringSec: number;
	/** Mean of an exponential distribution, cut at `maxCallSec`. */
	talkSec: number;
	/** Channel time of a call that nobody answers. */
	unansweredSec: number;
	maxCallSec: number;
}

/** A campaign: so many contacts, all due at once, on at most so many channels. */
export interface Burst {
	id: string;
	startSec: number;
	/** How long its channels are all in use, with hosts there at once. */
	minutes: number;
	channels: number;
	contacts: number;
	calls: CallMix;
	/** When its last call is to have ended; absent: as soon as it can. */
	deadlineSec?: number;
}

/** What becomes of one call, seconds. */
export interface DayCall {
	holdSec: number;
	/** 0: nobody answered. */
	talkSec: number;
}

/** Mean channel time of one call, seconds. */
export const meanHoldSec = (mix: CallMix): number => {
	const mostTalkSec = mix.maxCallSec - mix.ringSec;
	const talkSec = mix.talkSec * (1 - Math.exp(-mostTalkSec / mix.talkSec));
	return mix.answerRate * (mix.ringSec + talkSec) + (1 - mix.answerRate) * mix.unansweredSec;
};

/** A campaign's calls, one after the other: the same for everybody who asks with the same seed. */
export const callTimes = (mix: CallMix, seed: number): (() => DayCall) => {
	const random = new Random(seed);
	const unanswered: DayCall = { holdSec: mix.unansweredSec, talkSec: 0 };
	return () => {
		if (random.next() >= mix.answerRate) return unanswered;
		const talk = -Math.log(1 - random.next()) * mix.talkSec;
		const holdSec = Math.max(1, Math.round(Math.min(mix.ringSec + talk, mix.maxCallSec)));
		return { holdSec, talkSec: Math.max(0, holdSec - mix.ringSec) };
	};
};
/** Their channel times. */
export const holdTimes = (mix: CallMix, seed: number): (() => number) => {
	const next = callTimes(mix, seed);
	return () => next().holdSec;
};
export const seedOf = (profile: Profile, id: string): number =>
	[...id].reduce((hash, char) => Math.imul(hash, 31) + char.charCodeAt(0), profile.seed);

const DAY_SEC = 86_400;
/** Bursts begin no later than so long before the day's end, so that it holds all of them. */
const LAST_SEC = 2 * 3_600;
/** Share of the bursts that begin between 8 and 20 o'clock. */
const BY_DAY = 0.65;

export interface ProfileOptions {
	seed: number;
	bursts: number;
	/** Shortest and longest burst, minutes, both included. */
	minutes: [number, number];
}

/** A day with bursts of 120 to 960 channels, some at the same time. */
export const generateProfile = ({ seed, bursts, minutes }: ProfileOptions): Profile => {
	const random = new Random(seed);
	const base = Array.from({ length: 24 }, (_, hour) => {
		// Low by night, high by day.
		const channels = 140 + 160 * Math.max(0, Math.sin(((hour - 6) / 14) * Math.PI));
		return { fromSec: hour * 3_600, channels: Math.round((channels + random.int(-20, 20)) / 10) * 10 };
	});
	const baseCalls = { answerRate: 0.35, ringSec: 12, talkSec: 30, unansweredSec: 25, maxCallSec: 120 };
	const made = Array.from({ length: bursts }, (): Omit<Burst, "id"> => {
		const startSec = random.chance(BY_DAY)
			? random.int(8 * 3_600, 20 * 3_600)
			: random.int(900, DAY_SEC - LAST_SEC - minutes[1] * 60);
		const length = random.int(...minutes);
		const channels = random.int(6, 48) * 20;
		const calls: CallMix = {
			answerRate: random.int(25, 55) / 100,
			ringSec: 12,
			talkSec: random.int(15, 60),
			unansweredSec: random.int(20, 30),
			maxCallSec: 180,
		};
		return {
			startSec,
			minutes: length,
			channels,
			contacts: Math.round((channels * length * 60) / meanHoldSec(calls)),
			calls,
		};
	}).sort((a, b) => a.startSec - b.startSec);
	return {
		seed,
		daySec: DAY_SEC,
		steady: { hosts: 2, channelsPerHost: 200 },
		burst: { channelsPerHost: 120 },
		trunk: { maxChannels: 6_000, maxCps: 100 },
		boot: { meanSec: 60, jitterSec: 15 },
		pendingSec: 5,
		base,
		baseCalls,
		bursts: made.map((burst, i) => ({ id: `burst${String(i + 1).padStart(2, "0")}`, ...burst })),
	};
};

/** The profiles that are kept, by file name. */
export const KEPT_PROFILES: Record<string, ProfileOptions> = {
	"profile-day.json": { seed: 20_261_123, bursts: 40, minutes: [10, 60] },
	"profile-short.json": { seed: 20_261_124, bursts: 40, minutes: [5, 5] },
};

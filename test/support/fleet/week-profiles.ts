import { Random } from "../virtual/random.ts";
import { type Burst, type CallMix, meanHoldSec, type Profile } from "./profile.ts";

/** Weeks of three kinds, each made from a seed. They begin on a Monday at midnight. */

const HOUR_SEC = 3_600;
const DAY_SEC = 24 * HOUR_SEC;
const WEEK_SEC = 7 * DAY_SEC;

/** Hosts, carrier and EC2 as they are taken to be in all of them. */
const common = {
	daySec: WEEK_SEC,
	burst: { channelsPerHost: 120 },
	trunk: { maxChannels: 6_000, maxCps: 100 },
	boot: { meanSec: 60, jitterSec: 15 },
	pendingSec: 5,
	turns: "fair",
} as const;

const REMINDER: CallMix = { answerRate: 0.45, ringSec: 12, talkSec: 50, unansweredSec: 25, maxCallSec: 240 };
const ALERT: CallMix = { answerRate: 0.5, ringSec: 10, talkSec: 35, unansweredSec: 25, maxCallSec: 120 };
const SERVICE: CallMix = { answerRate: 0.4, ringSec: 12, talkSec: 60, unansweredSec: 25, maxCallSec: 300 };

const named = (bursts: Omit<Burst, "id">[]): Burst[] =>
	bursts
		.sort((a, b) => a.startSec - b.startSec)
		.map((burst, i) => ({ id: `list${String(i + 1).padStart(3, "0")}`, ...burst }));

/** Contacts that so many channels take so long for. */
const contactsFor = (channels: number, sec: number, calls: CallMix): number =>
	Math.round((channels * sec) / meanHoldSec(calls));

/** On weekdays large lists in the morning, to be called by the day's end; nothing by night and at weekends. */
const reminders = (seed: number): Profile => {
	const random = new Random(seed);
	const bursts = [0, 1, 2, 3, 4].flatMap((day) =>
		[8, 9, 10].map((hour): Omit<Burst, "id"> => {
			const startSec = day * DAY_SEC + hour * HOUR_SEC + random.int(0, 40) * 60;
			const deadlineSec = day * DAY_SEC + (random.int(34, 37) * HOUR_SEC) / 2;
			// Of the time that there is: one list alone would nearly fill the steady hosts.
			const mean = random.int(150, 280);
			return {
				startSec,
				minutes: Math.round((deadlineSec - startSec) / 60),
				channels: random.int(8, 18) * 50,
				contacts: contactsFor(mean, deadlineSec - startSec, REMINDER),
				calls: REMINDER,
				deadlineSec,
			};
		}),
	);
	return {
		...common,
		seed,
		steady: { hosts: 2, channelsPerHost: 150 },
		base: [],
		baseCalls: REMINDER,
		bursts: named(bursts),
	};
};

/** Storms of some minutes at any time, a third of them with a deadline that leaves little time. */
const alerts = (seed: number): Profile => {
	const random = new Random(seed);
	const bursts = Array.from({ length: 70 }, (): Omit<Burst, "id"> => {
		const startSec = random.int(600, WEEK_SEC - 2 * HOUR_SEC);
		const minutes = random.int(4, 30);
		const channels = random.int(10, 50) * 20;
		const by = random.chance(1 / 3) ? { deadlineSec: startSec + 180 + Math.round(minutes * random.int(80, 150)) } : {};
		return { startSec, minutes, channels, contacts: contactsFor(channels, minutes * 60, ALERT), calls: ALERT, ...by };
	});
	return {
		...common,
		seed,
		steady: { hosts: 2, channelsPerHost: 120 },
		base: [],
		baseCalls: ALERT,
		bursts: named(bursts),
	};
};

/** A load by night and day that swings slowly, with a peak on Friday; each evening a list that may take until the morning. */
const service = (seed: number): Profile => {
	const random = new Random(seed);
	const base = Array.from({ length: 7 * 48 }, (_, half) => {
		const day = Math.floor(half / 48);
		const hour = (half % 48) / 2;
		const byDay = Math.max(0, Math.sin(((hour - 6) / 15) * Math.PI));
		const weekday = day < 5 ? 1 : 0.6;
		const peak = day === 4 && hour >= 14 && hour < 19 ? 260 : 0;
		const channels = 150 + 330 * byDay * weekday + peak + random.int(-15, 15);
		return { fromSec: half * 1_800, channels: Math.round(channels / 5) * 5 };
	});
	const bursts = [0, 1, 2, 3, 4, 5].map((day): Omit<Burst, "id"> => {
		const startSec = day * DAY_SEC + 18 * HOUR_SEC;
		const deadlineSec = (day + 1) * DAY_SEC + 7 * HOUR_SEC;
		return {
			startSec,
			minutes: (deadlineSec - startSec) / 60,
			channels: 300,
			contacts: contactsFor(random.int(60, 110), deadlineSec - startSec, REMINDER),
			calls: REMINDER,
			deadlineSec,
		};
	});
	return {
		...common,
		seed,
		steady: { hosts: 3, channelsPerHost: 120 },
		base,
		baseCalls: SERVICE,
		bursts: named(bursts),
	};
};

/** How each is made: other seeds give other weeks of the kind. */
export const WEEK_MAKERS = { reminders, alerts, service } as const satisfies Record<string, (seed: number) => Profile>;
export type WeekName = keyof typeof WEEK_MAKERS;
/** Those that are measured. */
export const WEEKS: Record<WeekName, Profile> = {
	reminders: reminders(20_261_130),
	alerts: alerts(20_261_131),
	service: service(20_261_132),
};

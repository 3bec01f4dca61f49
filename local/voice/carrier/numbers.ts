import { parsePhoneNumberFromString } from "libphonenumber-js";
import type { AudioKind } from "./audio.ts";

/**
 * The carrier's number plan: what is called decides what happens.
 *
 * Private numbers (digits only, at most 32; at least one digit follows the pattern and makes them unique):
 *   1RRRRRTTTTT…  rings, answers after R ms, hangs up T ms later (five digits each)
 *   9RRRRR…       rings, answers after R ms (at most 89,999), then waits for the caller to hang up
 *   99KRRRRR…     as 9, and is heard: K=1 says hello and waits, 2 an answering machine's greeting, 3 the same and a beep (audio.ts)
 *   2… 486 Busy Here · 3… 404 Not Found · 4… rings 300 ms, then 480 Temporarily Unavailable
 *   5… 503 Service Unavailable · 6… 603 Decline · 7… rings until the caller gives up · 8… 484 Address Incomplete
 *   0… no reply at all
 *
 * E.164 numbers: +1 AAA 555 01DN, the lines that the North American plan reserves for fiction, so that a test list never rings
 * anybody. D is the digit above, with fixed times: 1 rings 1 s and talks 2 s, 9 rings 1 s. N and the area code AAA make them unique.
 * The carrier takes them with or without the +. Every other number with a + gets 404.
 *
 * carrier/scenario.xml has the same plan.
 */
export type Behaviour =
	| { kind: "answer"; ringMs: number; talkMs: number }
	| { kind: "answerAndWait"; ringMs: number }
	| { kind: AudioKind; ringMs: number }
	| { kind: "busy" }
	| { kind: "notFound" }
	| { kind: "unavailable" }
	| { kind: "congestion" }
	| { kind: "declined" }
	| { kind: "ring" }
	| { kind: "incomplete" }
	| { kind: "silent" };
export type BehaviourKind = Behaviour["kind"];

/** How long 4… rings before its 480, milliseconds. */
export const UNAVAILABLE_RING_MS = 300;
/** Times of the E.164 numbers, milliseconds. */
export const E164_RING_MS = 1_000;
export const E164_TALK_MS = 2_000;
/** A ring number that nobody gives up on ends with 480 after this long. */
export const RING_LIMIT_MS = 180_000;
/** The longest time that five digits hold. */
const LONGEST_MS = 99_999;
/** 99… says something else. */
const LONGEST_RING_BEFORE_WAIT_MS = 89_999;

/** What a private number begins with. */
const DIGITS: Record<BehaviourKind, string> = {
	silent: "0",
	answer: "1",
	busy: "2",
	notFound: "3",
	unavailable: "4",
	congestion: "5",
	declined: "6",
	ring: "7",
	incomplete: "8",
	answerAndWait: "9",
	person: "991",
	machine: "992",
	machineBeep: "993",
};
const KINDS = new Map(Object.entries(DIGITS).map(([kind, digit]) => [digit, kind as BehaviourKind]));
const AUDIO_PREFIX = /^99\d/;

/** The status that ends the INVITE where the caller does not give up first; undefined where there is none. */
export const FINAL_STATUS: Record<BehaviourKind, number | undefined> = {
	answer: 200,
	answerAndWait: 200,
	person: 200,
	machine: 200,
	machineBeep: 200,
	busy: 486,
	notFound: 404,
	unavailable: 480,
	congestion: 503,
	declined: 603,
	ring: 487,
	incomplete: 484,
	silent: undefined,
};

const fiveDigits = (ms: number, what: string, longestMs = LONGEST_MS): string => {
	if (!Number.isInteger(ms) || ms < 0 || ms > longestMs)
		throw new RangeError(`${what} is ${ms} ms; the number has room for whole milliseconds up to ${longestMs}.`);
	return String(ms).padStart(5, "0");
};

/** Digits that make a private number unique: ten million numbers per behaviour. */
const SERIAL_DIGITS = 7;

/**
 * A private number with the behaviour.
 * @param serial makes it unique among those of the same behaviour, 0 to 9,999,999
 */
export const privateNumber = (behaviour: Behaviour, serial: number): string => {
	if (!Number.isInteger(serial) || serial < 0 || serial >= 10 ** SERIAL_DIGITS)
		throw new RangeError(`serial ${serial} does not fit in ${SERIAL_DIGITS} digits.`);
	const digit = DIGITS[behaviour.kind];
	const longestRingMs = behaviour.kind === "answerAndWait" ? LONGEST_RING_BEFORE_WAIT_MS : LONGEST_MS;
	const ring = "ringMs" in behaviour ? fiveDigits(behaviour.ringMs, "ringMs", longestRingMs) : "";
	const talk = "talkMs" in behaviour ? fiveDigits(behaviour.talkMs, "talkMs") : "";
	return `${digit}${ring}${talk}${String(serial).padStart(SERIAL_DIGITS, "0")}`;
};

let areaCodes: string[] | undefined;

/** Area codes whose fictional numbers are valid numbers of the United States. */
const usAreaCodes = (): string[] => {
	areaCodes ??= Array.from({ length: 800 }, (_, index) => String(200 + index)).filter((code) => {
		const number = parsePhoneNumberFromString(`+1${code}5550100`);
		return number?.country === "US" && number.isValid();
	});
	return areaCodes;
};

/** Lines per area code and behaviour. */
const LINES = 10;

/** How many different E.164 numbers each behaviour has. */
export const e164Capacity = (): number => usAreaCodes().length * LINES;

/**
 * An E.164 number with the behaviour; `answer` and `answerAndWait` have fixed times. None of them says anything.
 * @param serial 0 to e164Capacity() - 1
 */
export const e164Number = (kind: BehaviourKind, serial: number): string => {
	const code = usAreaCodes()[Math.floor(serial / LINES)];
	if (!Number.isInteger(serial) || serial < 0 || code === undefined)
		throw new RangeError(`serial ${serial}: there are ${e164Capacity()} numbers of each behaviour.`);
	if (DIGITS[kind].length > 1)
		throw new RangeError(`There is no E.164 number of the behaviour ${kind}: use a private one.`);
	return `+1${code}55501${DIGITS[kind]}${serial % LINES}`;
};

/** What the carrier does with a called number, with or without +. */
export const behaviourOf = (number: string): Behaviour => {
	const digits = number.replace(/^\+/, "");
	const fictional = /^1[2-9]\d\d55501(\d)\d$/.exec(digits)?.[1];
	if (fictional === undefined && number.startsWith("+")) return { kind: "notFound" };
	const prefix = fictional ?? AUDIO_PREFIX.exec(digits)?.[0] ?? digits.charAt(0);
	const kind = KINDS.get(prefix) ?? "notFound";
	if (kind === "answer") {
		if (fictional !== undefined) return { kind, ringMs: E164_RING_MS, talkMs: E164_TALK_MS };
		const times = /^1(\d{5})(\d{5})\d/.exec(digits);
		return times === null ? { kind: "notFound" } : { kind, ringMs: Number(times[1]), talkMs: Number(times[2]) };
	}
	if (kind === "answerAndWait" || kind === "person" || kind === "machine" || kind === "machineBeep") {
		if (fictional !== undefined) return { kind, ringMs: E164_RING_MS };
		const times = /^\d{5}/.exec(digits.slice(prefix.length));
		return times === null ? { kind: "notFound" } : { kind, ringMs: Number(times[0]) };
	}
	return { kind };
};

/** What the caller does with its calls, milliseconds. */
export interface CallerHabits {
	/** It gives up after ringing, or after silence, for so long. */
	ringTimeoutMs: number;
	/** It hangs up so long after an answer, where the carrier does not; default never. */
	talkMs?: number;
}

/** How long a call to the number holds a channel, with no delay anywhere: milliseconds, Infinity where neither side hangs up. */
export const idealHoldMs = (
	number: string,
	{ ringTimeoutMs, talkMs = Number.POSITIVE_INFINITY }: CallerHabits,
): number => {
	const behaviour = behaviourOf(number);
	switch (behaviour.kind) {
		case "answer":
			return behaviour.ringMs >= ringTimeoutMs ? ringTimeoutMs : behaviour.ringMs + Math.min(behaviour.talkMs, talkMs);
		case "answerAndWait":
		case "person":
		case "machine":
		case "machineBeep":
			return behaviour.ringMs >= ringTimeoutMs ? ringTimeoutMs : behaviour.ringMs + talkMs;
		case "ring":
			return Math.min(ringTimeoutMs, RING_LIMIT_MS);
		case "silent":
			return ringTimeoutMs;
		case "unavailable":
			return Math.min(UNAVAILABLE_RING_MS, ringTimeoutMs);
		default:
			return 0;
	}
};

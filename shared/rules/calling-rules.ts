import type { Purpose, Window } from "../contract/window.ts";
import { windowSchema } from "../contract/window.ts";
import { clockAt, DAY_MS, dayOf, isZone, MINUTE_MS } from "../time/clock.ts";
import rulesData from "./data/rules.json" with { type: "json" };
import { hoursOfRule, hoursOfWindow, type LocalHours } from "./hours.ts";
import { type Place, placeOf } from "./places.ts";
import { type Holding, hasHours, type Rule, readRuleBook, rulesAt } from "./rule-book.ts";
import { intersect, type Span, whenClocksShow } from "./spans.ts";

export interface CallTarget {
	/** E.164 with `+`, or digits of a private numbering. */
	number: string;
	/** Of a trunk with private numbering: it has no place, so no rule of law is looked up. */
	isPrivate: boolean;
	/** As given with the contact: IANA. It goes before what the number says. */
	timeZone?: string | undefined;
}

export interface CallingRules {
	purpose: Purpose;
	window?: Window | undefined;
}

/** A rule of law that was not applied, because it does not hold for the purpose. */
export interface Exemption {
	/** The rule's id in shared/rules/data/rules.json. */
	rule: string;
	purpose: Purpose;
}

export type Openness =
	| {
			open: true;
			/** ms since 1970; undefined: not within the look-ahead. */
			closesAt: number | undefined;
			exemptions: Exemption[];
	  }
	| {
			open: false;
			/** ms since 1970; undefined: never within the look-ahead, or it cannot be evaluated. Nobody should wait for it. */
			opensAt: number | undefined;
			why: string;
			exemptions: Exemption[];
	  };

/** At most `max` calls to the number in any `perHours` hours, whatever number they come from. */
export interface PlaceLimit {
	rule: string;
	max: number;
	perHours: number;
}

export interface PlaceLimits {
	limits: PlaceLimit[];
	/** From one call's start to the next, seconds. */
	minGapSec?: number;
	exemptions: Exemption[];
}

export interface CallingLaw {
	/** Whether the target may be called now: where it is, by every rule that holds there and by the campaign's window. Fails closed. */
	opennessOf(target: CallTarget, rules: CallingRules, now: number): Openness;
	/** Attempt limits that law sets for the callee's place and the purpose. None of them is right for a target that opennessOf keeps closed. */
	placeLimitsOf(target: CallTarget, purpose: Purpose): PlaceLimits;
	/** The least ring time that rules of the callee's place ask for, seconds. */
	leastRingSecOf(target: CallTarget, purpose: Purpose): number | undefined;
}

/** How far ahead an opening is looked for: a week with holidays, and the same week again. */
export const LOOK_AHEAD_MS = 14 * DAY_MS;

/** Bounds the memory of a function: places times windows that it keeps timetables for. */
const MAX_TIMETABLES = 5_000;

/** When a set of rules is open in a set of zones. */
interface Timetable {
	/** It is good for moments of this day. */
	day: number;
	zones: readonly string[];
	hours: readonly LocalHours[];
	open: readonly Span[];
}

const makeTimetable = (day: number, zones: readonly string[], hours: readonly LocalHours[]): Timetable => {
	// A minute more than is looked at, so that what ends with the range is known to go on.
	const range = { start: day, end: day + DAY_MS + LOOK_AHEAD_MS + MINUTE_MS };
	const days = new Map<number, readonly Span[]>();
	const common = (local: number): readonly Span[] => {
		const found = days.get(local);
		if (found) return found;
		const [first, ...others] = hours.map((one) => one.on(local));
		const spans = others.reduce<readonly Span[]>(intersect, first ?? []);
		days.set(local, spans);
		return spans;
	};
	const open = zones.reduce<readonly Span[]>(
		(left, zone) => (left.length === 0 ? left : intersect(left, whenClocksShow(zone, range, common))),
		[range],
	);
	return { day, zones, hours, open };
};

const WEEKDAY_NAMES = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" });
/** `Sat 2026-11-28 07:12` */
const clockText = (clock: number): string =>
	`${WEEKDAY_NAMES.format(clock)} ${new Date(clock).toISOString().slice(0, 16).replace("T", " ")}`;

/** Who keeps it closed now, and where. */
const closedBy = ({ zones, hours }: Timetable, now: number): string => {
	for (const zone of zones) {
		const clock = clockAt(now, zone);
		const minute = (clock - dayOf(clock)) / MINUTE_MS;
		const by = hours.find((one) => !one.on(dayOf(clock)).some(({ start, end }) => start <= minute && minute < end));
		if (by) return `${by.name} does not allow calls at ${clockText(clock)} in ${zone}`;
	}
	return "no time is left that all zones and rules allow";
};

const readTimetable = (table: Timetable, now: number): Openness => {
	const last = now + LOOK_AHEAD_MS;
	const span = table.open.find(({ end }) => now < end);
	if (span && span.start <= now) {
		return { open: true, closesAt: span.end <= last ? span.end : undefined, exemptions: [] };
	}
	if (span && span.start <= last) {
		return { open: false, opensAt: span.start, why: closedBy(table, now), exemptions: [] };
	}
	const never = `never open within ${LOOK_AHEAD_MS / DAY_MS} days in all of ${table.zones.join(", ")}`;
	return { open: false, opensAt: undefined, why: `${never}; ${closedBy(table, now)}`, exemptions: [] };
};

/** A campaign's window as a key and as hours; undefined where it is malformed. */
interface ReadWindow {
	key: string;
	hours: LocalHours | undefined;
}
const readWindow = (window: Window): ReadWindow => {
	const parsed = windowSchema.safeParse(window);
	return { key: JSON.stringify(window), hours: parsed.success ? hoursOfWindow(parsed.data) : undefined };
};

interface Law extends Holding {
	place: Place;
	hours: readonly { id: string; hours: LocalHours }[];
	/** The hours' ids: the same for places with the same rules. */
	key: string;
	exempt: readonly Rule[];
}

const exemptionsOf = (rules: readonly Rule[], purpose: Purpose): Exemption[] =>
	rules.map(({ id }) => ({ rule: id, purpose }));
const closed = (why: string, exemptions: Exemption[] = []): Openness => ({
	open: false,
	opensAt: undefined,
	why,
	exemptions,
});

/**
 * The calling rules over some rule data. Pure: it keeps only what it worked out.
 * @param data as in data/rules.json; what is malformed in it closes the places it names
 * @param whereIs where a number may be; one object for one place
 */
export const callingLaw = (data: unknown, whereIs: (number: string) => Place | undefined = placeOf): CallingLaw => {
	const book = readRuleBook(data);
	const laws = new Map<Place, Map<Purpose, Law>>();
	const hoursByRule = new Map<string, LocalHours>();
	const timetables = new Map<string, Timetable>();
	const windows = new WeakMap<Window, ReadWindow>();

	const hoursFor = (rule: Rule): LocalHours => {
		const hours = hoursByRule.get(rule.id) ?? hoursOfRule(rule);
		hoursByRule.set(rule.id, hours);
		return hours;
	};

	const lawAt = (place: Place, purpose: Purpose): Law => {
		const byPurpose = laws.get(place) ?? new Map<Purpose, Law>();
		laws.set(place, byPurpose);
		const found = byPurpose.get(purpose);
		if (found) return found;
		const holding = rulesAt(book, place, purpose);
		const hours = holding.rules.filter(hasHours).map((rule) => ({ id: rule.id, hours: hoursFor(rule) }));
		const law = { ...holding, place, hours, key: hours.map(({ id }) => id).join(" ") };
		byPurpose.set(purpose, law);
		return law;
	};

	const windowOf = (window: Window): ReadWindow => {
		const read = windows.get(window) ?? readWindow(window);
		windows.set(window, read);
		return read;
	};

	const timetableFor = (key: string, day: number, zones: readonly string[], hours: () => LocalHours[]): Timetable => {
		const found = timetables.get(key);
		if (found?.day === day) return found;
		if (timetables.size >= MAX_TIMETABLES) timetables.clear();
		const made = makeTimetable(day, zones, found?.hours ?? hours());
		timetables.set(key, made);
		return made;
	};

	const opennessOf = (target: CallTarget, { purpose, window }: CallingRules, now: number): Openness => {
		if (!Number.isFinite(now)) return closed("the time is unknown");
		const place = target.isPrivate ? undefined : whereIs(target.number);
		if (!target.isPrivate && !place) return closed("the number belongs to no country, so its rules are unknown");
		const law = place && lawAt(place, purpose);
		if (law?.malformed) return closed(`rule ${law.malformed.rule} is malformed: ${law.malformed.problem}`);
		const exemptions = exemptionsOf(law?.exempt.filter(hasHours) ?? [], purpose);
		const read = window && windowOf(window);
		if (read && !read.hours) return closed("the campaign's window is malformed", exemptions);
		const lawHours = law?.hours ?? [];
		if (lawHours.length === 0 && !read) return { open: true, closesAt: undefined, exemptions };

		const own = target.timeZone !== undefined ? [target.timeZone] : (place?.zones ?? []);
		// A window's zone says when the campaign calls, not where the callee is: law cannot be applied by it.
		const zones = own.length > 0 || lawHours.length > 0 || !window?.timeZone ? own : [window.timeZone];
		if (zones.length === 0) {
			const whose = target.isPrivate ? "a private number has no place" : `no zone is known for ${place?.country}`;
			return closed(`the callee's time is unknown: ${whose}; give the contact a timeZone, or the window`, exemptions);
		}
		const wrong = zones.find((zone) => !isZone(zone));
		if (wrong !== undefined) return closed(`${wrong} is no IANA time zone`, exemptions);
		const table = timetableFor(`${zones.join(" ")}|${law?.key ?? ""}|${read?.key ?? ""}`, dayOf(now), zones, () => [
			...lawHours.map(({ hours }) => hours),
			...(read?.hours ? [read.hours] : []),
		]);
		return { ...readTimetable(table, now), exemptions };
	};

	const lawFor = (target: CallTarget, purpose: Purpose): Law | undefined => {
		const place = target.isPrivate ? undefined : whereIs(target.number);
		return place && lawAt(place, purpose);
	};

	const placeLimitsOf = (target: CallTarget, purpose: Purpose): PlaceLimits => {
		const law = lawFor(target, purpose);
		const limits = (law?.rules ?? []).flatMap(({ id, attempts }) => (attempts ? [{ rule: id, ...attempts }] : []));
		const gaps = (law?.rules ?? []).flatMap(({ minGapSec }) => (minGapSec ? [minGapSec] : []));
		const unused = (law?.exempt ?? []).filter((rule) => rule.attempts ?? rule.minGapSec);
		return {
			limits,
			...(gaps.length > 0 ? { minGapSec: Math.max(...gaps) } : {}),
			exemptions: exemptionsOf(unused, purpose),
		};
	};

	const leastRingSecOf = (target: CallTarget, purpose: Purpose): number | undefined => {
		const least = (lawFor(target, purpose)?.rules ?? []).flatMap(({ leastRingSec }) => leastRingSec ?? []);
		return least.length > 0 ? Math.max(...least) : undefined;
	};

	return { opennessOf, placeLimitsOf, leastRingSecOf };
};

/** By the rules that are in force by default. Read with the first question: not every function asks one. */
let shipped: CallingLaw | undefined;
const law = (): CallingLaw => {
	shipped ??= callingLaw(rulesData);
	return shipped;
};
export const opennessOf: CallingLaw["opennessOf"] = (...question) => law().opennessOf(...question);
export const placeLimitsOf: CallingLaw["placeLimitsOf"] = (...question) => law().placeLimitsOf(...question);
export const leastRingSecOf: CallingLaw["leastRingSecOf"] = (...question) => law().leastRingSecOf(...question);

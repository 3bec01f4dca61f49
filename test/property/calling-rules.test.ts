import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Window } from "../../shared/contract/window.ts";
import { type CallTarget, callingLaw, LOOK_AHEAD_MS, opennessOf } from "../../shared/rules/calling-rules.ts";
import rulesData from "../../shared/rules/data/rules.json" with { type: "json" };

/**
 * Whether calls are allowed, worked out in another way than the code does: what Intl prints for the minute, compared as text.
 */
interface Hours {
	days: number[];
	from: string;
	to: string;
}
interface PlainRule {
	hours: Hours[];
	closedDates: string[];
}
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const weekdayPrinter = new Intl.DateTimeFormat("en-US", { weekday: "short", timeZone: "UTC" });
const printers = new Map<string, Intl.DateTimeFormat>();
const printed = (at: number, timeZone: string): { weekday: number; date: string; time: string } => {
	const printer =
		printers.get(timeZone) ??
		new Intl.DateTimeFormat("sv-SE", {
			timeZone,
			year: "numeric",
			month: "2-digit",
			day: "2-digit",
			hour: "2-digit",
			minute: "2-digit",
			hour12: false,
		});
	printers.set(timeZone, printer);
	const part = Object.fromEntries(printer.formatToParts(at).map(({ type, value }) => [type, value]));
	const date = `${part["year"]}-${part["month"]}-${part["day"]}`;
	const weekday = weekdayPrinter.format(Date.parse(date));
	return { weekday: WEEKDAYS.indexOf(weekday) + 1, date, time: `${part["hour"]}:${part["minute"]}` };
};
const allowedIn = (rule: PlainRule, at: number, timeZone: string): boolean => {
	const { weekday, date, time } = printed(at, timeZone);
	if (rule.closedDates.includes(date)) return false;
	return rule.hours.some(
		({ days, from, to }) => days.includes(weekday) && from <= time && (to === "00:00" || time < to),
	);
};
const allowed = (rules: PlainRule[], at: number, zones: string[]): boolean =>
	zones.every((zone) => rules.every((rule) => allowedIn(rule, at, zone)));

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Moments at which clocks are changed somewhere, holidays, a year's turn, and an ordinary day. */
const DATES = [
	"2026-03-08",
	"2026-03-29",
	"2026-04-05",
	"2026-10-04",
	"2026-10-25",
	"2026-11-01",
	"2026-12-31",
	"2026-07-15",
];
const ZONES = [
	"America/New_York",
	"Europe/London",
	"Australia/Sydney",
	"America/Sao_Paulo",
	"Australia/Lord_Howe",
	"Asia/Kathmandu",
	"Pacific/Kiritimati",
	"Pacific/Pago_Pago",
	"America/St_Johns",
];
/** What the table says of numbers is tested elsewhere. */
const NUMBERS: { number: string; zones: string[]; place: string }[] = [
	{ number: "+12025550123", zones: ["America/New_York"], place: "US-DC" },
	{ number: "+18505550123", zones: ["America/Chicago", "America/New_York"], place: "US-FL" },
	{ number: "+12085550123", zones: ["America/Boise", "America/Denver", "America/Los_Angeles"], place: "US" },
	{ number: "+442071234567", zones: ["Europe/London"], place: "GB" },
	{ number: "+61291234567", zones: ["Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"], place: "AU" },
	{ number: "+5581987654321", zones: ["America/Recife", "America/Noronha"], place: "BR" },
];

const clock = fc
	.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.constantFrom(0, 1, 15, 30, 59) })
	.map(({ hour, minute }) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
const days = fc.oneof(
	{ weight: 3, arbitrary: fc.constant<number[]>([1, 2, 3, 4, 5, 6, 7]) },
	{ weight: 1, arbitrary: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 }) },
);
const hours: fc.Arbitrary<Hours> = fc
	.tuple(clock, fc.oneof(clock, fc.constant("00:00")), days)
	.filter(([from, to]) => to === "00:00" || from !== to)
	.map(([one, other, of]) => {
		if (other === "00:00") return { days: of, from: one, to: other };
		const [from, to] = one < other ? [one, other] : [other, one];
		return { days: of, from, to };
	});
const moment = fc
	.tuple(fc.constantFrom(...DATES), fc.integer({ min: -2 * DAY, max: 2 * DAY }))
	.map(([date, shift]) => Date.parse(date) + shift);
const holidays = fc.uniqueArray(fc.constantFrom(...DATES), { maxLength: 3 });
const window: fc.Arbitrary<Window> = fc.tuple(hours, holidays).map(([times, dates]) => ({ ...times, holidays: dates }));

/** Moments between two others: many near the first, and some everywhere. */
const between = (from: number, to: number): number[] => {
	const near = Array.from({ length: 30 }, (_, i) => from + i * 7 * MINUTE);
	const far = Array.from({ length: 30 }, (_, i) => from + (i * (to - from)) / 30);
	return [...near, ...far].filter((at) => at >= from && at < to);
};

const checkAgainst = (
	openness: ReturnType<typeof opennessOf>,
	now: number,
	isAllowed: (at: number) => boolean,
): void => {
	expect(openness.open).toBe(isAllowed(now));
	const edge = openness.open ? openness.closesAt : openness.opensAt;
	const last = now + LOOK_AHEAD_MS;
	for (const at of between(now, edge ?? last)) expect(isAllowed(at)).toBe(openness.open);
	if (edge === undefined) return;
	expect(edge).toBeGreaterThan(now);
	expect(edge).toBeLessThanOrEqual(last);
	expect(edge % MINUTE).toBe(0);
	expect(isAllowed(edge)).toBe(!openness.open);
	expect(isAllowed(edge - MINUTE) || edge - MINUTE < now).toBe(openness.open || edge - MINUTE < now);
	expect(isAllowed(edge - 1)).toBe(openness.open);
};

describe("whatever the rules, the window, the zones and the time", () => {
	test("a target is open exactly when every clock in question is within all of them, and the next change is told to the minute", () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...NUMBERS),
				fc.option(fc.constantFrom(...ZONES), { nil: undefined }),
				fc.array(fc.tuple(fc.array(hours, { minLength: 1, maxLength: 3 }), holidays), { maxLength: 2 }),
				fc.option(window, { nil: undefined }),
				moment,
				({ number, zones, place }, timeZone, made, win, now) => {
					const plain = made.map(([of, closedDates]) => ({ hours: of, closedDates }));
					const data = {
						rules: plain.map((rule, i) => ({
							id: `rule-${i}`,
							places: [place],
							exempt: [],
							hours: rule.hours,
							...(rule.closedDates.length > 0 ? { closedOn: [`calendar-${i}`] } : {}),
							source: { law: "a law", url: "https://example.org/law", basis: "text" },
						})),
						calendars: Object.fromEntries(
							plain.map(({ closedDates }, i) => [
								`calendar-${i}`,
								{
									days: closedDates.map((date) => ({
										name: date,
										month: Number(date.slice(5, 7)),
										day: Number(date.slice(8)),
									})),
								},
							]),
						),
					};
					const target: CallTarget = { number, isPrivate: false, timeZone };
					const all = [...plain, ...(win ? [{ hours: [win], closedDates: win.holidays }] : [])];
					const openness = callingLaw(data).opennessOf(target, { purpose: "marketing", window: win }, now);
					checkAgainst(openness, now, (at) => allowed(all, at, timeZone ? [timeZone] : zones));
				},
			),
			{ numRuns: 300 },
		);
	});

	test("by the rules in force, no window ever lets a call out at an hour that a rule of the place forbids", () => {
		const hoursAt = (place: string): PlainRule[] =>
			rulesData.rules.flatMap((rule) =>
				rule.places.includes(place) && "hours" in rule && rule.hours ? [{ hours: rule.hours, closedDates: [] }] : [],
			);
		const cases = [
			{ number: "+12025550123", zones: ["America/New_York"], rules: hoursAt("US") },
			{
				number: "+18505550123",
				zones: ["America/Chicago", "America/New_York"],
				rules: [...hoursAt("US"), ...hoursAt("US-FL")],
			},
			{ number: "+14055550123", zones: ["America/Chicago"], rules: [...hoursAt("US"), ...hoursAt("US-OK")] },
			{ number: "+12065550123", zones: ["America/Los_Angeles"], rules: [...hoursAt("US"), ...hoursAt("US-WA")] },
			{ number: "+14165550123", zones: ["America/Toronto"], rules: hoursAt("CA") },
			{ number: "+33142685300", zones: ["Europe/Paris"], rules: hoursAt("FR") },
			{ number: "+61412345678", zones: ["Australia/Sydney", "Australia/Perth"], rules: hoursAt("AU") },
		];
		fc.assert(
			fc.property(fc.constantFrom(...cases), window, moment, ({ number, zones, rules }, win, now) => {
				expect(rules.length).toBeGreaterThan(0);
				const question = { purpose: "marketing", window: win } as const;
				const target: CallTarget = { number, isPrivate: false };
				const openness = opennessOf(target, question, now);
				const opensAt = openness.open ? now : openness.opensAt;
				if (opensAt === undefined) return;
				expect(allowed([...rules, { hours: [win], closedDates: win.holidays }], opensAt, zones)).toBe(true);
				const then = opennessOf(target, question, opensAt);
				expect(then.open).toBe(true);
				if (!openness.open) expect(opennessOf(target, question, opensAt - 1).open).toBe(false);
				if (then.open && then.closesAt !== undefined) {
					expect(opennessOf(target, question, then.closesAt - 1).open).toBe(true);
					expect(opennessOf(target, question, then.closesAt).open).toBe(false);
				}
			}),
			{ numRuns: 300 },
		);
	});
});

/** What EventBridge Scheduler would not take as an expression. */
export class ExpressionError extends Error {
	override readonly name = "ExpressionError";
}

const DAY_MS = 86_400_000;
/** An expression that fires never within so many days fires never. */
const HORIZON_DAYS = 366 * 5;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/** As AWS numbers them: 1 Sunday to 7 Saturday. */
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIELDS: readonly { name: string; least: number; most: number; names?: readonly string[] }[] = [
	{ name: "minutes", least: 0, most: 59 },
	{ name: "hours", least: 0, most: 23 },
	{ name: "day of the month", least: 1, most: 31 },
	{ name: "month", least: 1, most: 12, names: MONTHS },
	{ name: "day of the week", least: 1, most: 7, names: WEEKDAYS },
	{ name: "year", least: 1970, most: 2199 },
];

/** Values of each field; undefined: any. */
type Cron = (ReadonlySet<number> | undefined)[];

const readField = (text: string, index: number): ReadonlySet<number> | undefined => {
	const { name, least, most, names } = FIELDS[index] as (typeof FIELDS)[number];
	if (text === "*") return undefined;
	const wrong = (): ExpressionError => new ExpressionError(`"${text}" is no ${name} that the local Scheduler knows`);
	const number = (part: string): number => {
		const named = names?.indexOf(part.toUpperCase()) ?? -1;
		const value = named >= 0 ? named + 1 : /^\d+$/.test(part) ? Number(part) : Number.NaN;
		if (!(value >= least && value <= most)) throw wrong();
		return value;
	};
	const values = new Set<number>();
	for (const part of text.split(",")) {
		const match = /^(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:\/(\d+))?$/.exec(part);
		const [, first = "", last, step] = match ?? [];
		if (!match || (first === "*" && last !== undefined) || step === "0") throw wrong();
		const from = first === "*" ? least : number(first);
		const to = last !== undefined ? number(last) : first === "*" || step !== undefined ? most : from;
		// A range may run over the end: FRI-MON.
		const span = to >= from ? to - from : most - least + 1 - (from - to);
		for (let i = 0; i <= span; i += Number(step ?? 1)) values.add(least + ((from - least + i) % (most - least + 1)));
	}
	return values;
};

/** `cron(30 8 ? * MON,TUE *)`: minutes, hours, day of the month, month, day of the week, year. */
export const readCron = (expression: string): Cron => {
	const fields = /^cron\(([^()]*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
	if (fields?.length !== FIELDS.length)
		throw new ExpressionError(`"${expression}" is not of the form cron(minutes hours day month weekday year)`);
	const [, , day, , weekday] = fields;
	if ((day === "?") === (weekday === "?"))
		throw new ExpressionError(`"${expression}": exactly one of day of the month and day of the week must be ?`);
	return fields.map((text, i) => (text === "?" && (i === 2 || i === 4) ? undefined : readField(text, i)));
};

const formats = new Map<string, Intl.DateTimeFormat>();
const formatOf = (timeZone: string): Intl.DateTimeFormat => {
	let format = formats.get(timeZone);
	if (!format) {
		try {
			format = new Intl.DateTimeFormat("en-US", {
				timeZone,
				hourCycle: "h23",
				...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
			});
		} catch (cause) {
			throw new ExpressionError(`"${timeZone}" is no time zone`, { cause });
		}
		formats.set(timeZone, format);
	}
	return format;
};

/** The wall clock's reading in a zone, as if it were UTC. */
const wallOf = (at: number, timeZone: string): number => {
	const parts: Record<string, number> = {};
	for (const { type, value } of formatOf(timeZone).formatToParts(at)) parts[type] = Number(value);
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
	return Date.UTC(year, month - 1, day, hour, minute, second);
};

/** The first moment at which the zone's clock reads so; undefined where it never does, being put forward over it. */
const momentOf = (wall: number, timeZone: string): number | undefined => {
	// Before and after a change of the clock, which are less than a day apart from any reading near it.
	const offsets = [wall - DAY_MS, wall + DAY_MS].map((at) => wallOf(at, timeZone) - at);
	const moments = offsets.map((offset) => wall - offset).filter((at) => wallOf(at, timeZone) === wall);
	return moments.length > 0 ? Math.min(...moments) : undefined;
};

/**
 * The first firing after a moment, as EventBridge Scheduler has it: what falls into the hour that is left out in spring is skipped; in the hour
 * that comes twice in autumn it fires once.
 * @param after ms since 1970
 * @returns undefined where there is none any more
 */
export const nextFiring = (cron: Cron, timeZone: string, after: number): number | undefined => {
	const [minutes, hours, days, months, weekdays, years] = cron;
	const list = (values: ReadonlySet<number> | undefined, count: number): number[] =>
		values ? [...values].sort((a, b) => a - b) : Array.from({ length: count }, (_, i) => i);
	const fits = (values: ReadonlySet<number> | undefined, value: number): boolean => values?.has(value) ?? true;
	const today = Math.floor(wallOf(after, timeZone) / DAY_MS) * DAY_MS;
	// From yesterday on: where the clock is put back over midnight, the same day begins twice.
	for (let i = -1; i <= HORIZON_DAYS; i++) {
		const day = today + i * DAY_MS;
		const date = new Date(day);
		if (!fits(years, date.getUTCFullYear()) || !fits(months, date.getUTCMonth() + 1)) continue;
		if (!fits(days, date.getUTCDate()) || !fits(weekdays, date.getUTCDay() + 1)) continue;
		const moments = list(hours, 24).flatMap((hour) =>
			list(minutes, 60).flatMap((minute) => momentOf(day + hour * 3_600_000 + minute * 60_000, timeZone) ?? []),
		);
		const next = moments.filter((at) => at > after).sort((a, b) => a - b)[0];
		if (next !== undefined) return next;
	}
	return undefined;
};

/** Throws an {@link ExpressionError} where there is no such zone. */
export const checkTimeZone = (timeZone: string): void => void formatOf(timeZone);

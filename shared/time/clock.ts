/** What clocks show in a zone. Nothing here knows the present time: moments are ms since 1970. */

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const SEC_PER_HOUR = 3_600;

/** More zones than there are in the world with all their spellings: what is asked for beyond that is not kept. */
const MAX_FORMATS = 2_000;

/** Formatters are dear to make (some 50 µs): one for each zone; undefined for what is no zone. */
const formats = new Map<string, Intl.DateTimeFormat | undefined>();

const makeFormat = (timeZone: string): Intl.DateTimeFormat | undefined => {
	// Intl takes offsets (+05:00) for zones too; they know no daylight saving time and are refused.
	if (!/^[A-Za-z]/.test(timeZone)) return undefined;
	try {
		return new Intl.DateTimeFormat("en-US", {
			timeZone,
			calendar: "gregory",
			numberingSystem: "latn",
			hourCycle: "h23",
			year: "numeric",
			month: "numeric",
			day: "numeric",
			hour: "numeric",
			minute: "numeric",
			second: "numeric",
		});
	} catch {
		return undefined;
	}
};

const formatOf = (timeZone: string): Intl.DateTimeFormat | undefined => {
	if (formats.has(timeZone)) return formats.get(timeZone);
	if (formats.size >= MAX_FORMATS) formats.clear();
	const format = makeFormat(timeZone);
	formats.set(timeZone, format);
	return format;
};

/** Whether it is an IANA zone that this runtime knows. */
export const isZone = (timeZone: string): boolean => formatOf(timeZone) !== undefined;

/**
 * What the clocks of a zone show at a moment, as if they showed UTC: ms since 1970.
 * @throws RangeError for what is no zone
 */
export const clockAt = (at: number, timeZone: string): number => {
	const format = formatOf(timeZone);
	if (!format) throw new RangeError(`${timeZone} is no IANA time zone`);
	const shown: Record<string, number> = {};
	for (const { type, value } of format.formatToParts(at)) shown[type] = Number(value);
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
	return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1_000) + 1_000) % 1_000);
};

/** How far the clocks of a zone are ahead of UTC at a moment, ms. */
export const offsetAt = (at: number, timeZone: string): number => clockAt(at, timeZone) - at;

/** Midnight of the day that a clock shows, both as if they were UTC. */
export const dayOf = (clock: number): number => Math.floor(clock / DAY_MS) * DAY_MS;

/** ISO weekday of a day given as UTC midnight: 1 Monday to 7 Sunday. */
export const weekdayOf = (day: number): number => ((Math.floor(day / DAY_MS) + 3) % 7) + 1;

/** Minutes since midnight of a time of day, HH:MM. */
export const minutesOf = (time: string): number => {
	const [hours = 0, minutes = 0] = time.split(":").map(Number);
	return hours * 60 + minutes;
};

import { z } from "zod";

const ISO_DAYS = 7;
export const clockTimeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day as HH:MM, 00:00 to 23:59");
/** Zones found good, as they were written: asking the runtime takes too long for each row of a long list. */
const KNOWN_ZONES = new Set<string>();
/** There are some 600 zones; each may be written in capitals or not. */
const MAX_KNOWN_ZONES = 2_000;

const isTimeZone = (zone: string): boolean => {
	if (KNOWN_ZONES.has(zone)) return true;
	try {
		new Intl.DateTimeFormat("en", { timeZone: zone });
	} catch {
		return false;
	}
	// Offsets such as +01:00 are none: they know no summer time.
	if (!/^[A-Za-z]/.test(zone)) return false;
	if (KNOWN_ZONES.size < MAX_KNOWN_ZONES) KNOWN_ZONES.add(zone);
	return true;
};

/** An IANA zone that this runtime knows. */
export const timeZoneSchema = z.string().max(64).refine(isTimeZone, "is no IANA time zone, as in America/New_York");

/** When a campaign may call, in the callee's own time. The rules of law for the callee's place hold besides; the stricter wins. */
export const windowSchema = z
	.strictObject({
		from: clockTimeSchema,
		/** Not included. `00:00` is the end of the day. */
		to: clockTimeSchema,
		/** ISO weekdays, 1 is Monday. */
		days: z.array(z.int().min(1).max(ISO_DAYS)).min(1).max(ISO_DAYS).default([1, 2, 3, 4, 5, 6, 7]),
		/** Local dates on which nobody is called, YYYY-MM-DD. */
		holidays: z.array(z.iso.date()).max(100).default([]),
		/** For contacts that have no zone of their own and whose number has no place. */
		timeZone: timeZoneSchema.optional(),
	})
	.refine(({ from, to }) => to === "00:00" || from < to, {
		message: "must be after `from`; a window does not reach over midnight",
		path: ["to"],
	});
export type Window = z.infer<typeof windowSchema>;

/** What a campaign's calls are for: the law asks less of some. */
export const PURPOSES = ["marketing", "informational", "emergency"] as const;
export const purposeSchema = z.enum(PURPOSES);
export type Purpose = z.infer<typeof purposeSchema>;

import { z } from "zod";
import { nameSchema } from "./trunk.ts";

/** More burst hosts than this nobody starts by a mistyped figure. */
export const MAX_FLOOR = 500;
/** A floor by hand lasts at most a week: what is needed for longer is a schedule, or a steady host. */
export const MAX_SCALE_SEC = 7 * 86_400;

export const timeZoneSchema = z.string().refine((zone) => {
	try {
		new Intl.DateTimeFormat("en", { timeZone: zone });
		return /^[A-Za-z]+(\/[A-Za-z0-9_+-]+)*$/.test(zone);
	} catch {
		return false;
	}
}, "an IANA time zone, as Europe/Berlin");
const localTimeSchema = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "a local time from 00:00 to 23:59");

/** `PUT /v1/fleet/schedules/{name}`: at least `floor` burst hosts between two local times. */
export const scheduleSchema = z
	.strictObject({
		/** Burst hosts to have ready from `from` on. */
		floor: z.int().min(1).max(MAX_FLOOR),
		/** ISO weekdays on which it begins: 1 Monday to 7 Sunday. */
		days: z
			.array(z.int().min(1).max(7))
			.min(1)
			.max(7)
			.refine((days) => new Set(days).size === days.length, "each day once")
			.default([1, 2, 3, 4, 5, 6, 7]),
		from: localTimeSchema,
		/** Not `from`; earlier than `from`: on the next day. */
		to: localTimeSchema,
		timeZone: timeZoneSchema,
	})
	.refine(({ from, to }) => from !== to, { path: ["to"], message: "must differ from `from`" });
export type ScheduleInput = z.output<typeof scheduleSchema>;

/** `POST /v1/fleet/scale`: at least `min` burst hosts until a moment; 0 takes it back. */
export const scaleSchema = z.strictObject({
	min: z.int().min(0).max(MAX_FLOOR),
	/** ISO 8601, at most a week ahead. */
	until: z.iso.datetime({ offset: true }),
});
export type ScaleInput = z.output<typeof scaleSchema>;

/** `POST /v1/hosts/enrol`: an instance, by its signed identity document. No token. */
export const enrolInstanceSchema = z.strictObject({
	/** The document's bytes as the metadata service gives them. */
	document: z.string().min(1).max(8_192),
	/** Base64, from `instance-identity/signature`. */
	signature: z.string().min(1).max(4_096),
	/** Drawn by the agent once for each start and kept: a repeat of the request is told from a second enrolment by it. */
	nonce: z.string().min(16).max(64),
});
export type EnrolInstanceInput = z.output<typeof enrolInstanceSchema>;
export interface EnrolInstanceResponse {
	hostId: string;
	token: string;
	/** The public address that carriers know it by, where the fleet has such. */
	publicAddress?: string;
}

export const scheduleNameSchema = nameSchema;

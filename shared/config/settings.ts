import { z } from "zod";
import { ConfigError } from "./config-error.ts";

/**
 * Times and limits of the control plane. Shipped values are the defaults; tests run the times some ten times faster.
 * Environment variable: the name in capitals, for example `LOST_AFTER_SEC`.
 */
export const settingsSchema = z.object({
	/** A host without an answer for so long originates nothing more (the host's own rule, sent in its configuration). */
	fenceSec: z.coerce.number().positive().default(15),
	/**
	 * A host silent for so long is lost. At least twice `fenceSec`: the difference pays for clocks that differ and for a
	 * host that pauses between its last check and the originate.
	 */
	lostAfterSec: z.coerce.number().positive().default(30),
	/** A host that holds calls syncs at least so often. */
	maxSyncIntervalMs: z.coerce.number().int().positive().default(1_000),
	/** An idle host peeks so often. */
	peekIntervalMs: z.coerce.number().int().positive().default(2_000),
	/** A peek writes `lastSeenAt` at most so often; must stay well below `lostAfterSec`. */
	peekWriteSec: z.coerce.number().positive().default(15),
	/** Period of the recovery within the minute's tick: messages are delayed by 0, this, twice this… below 60 s. */
	recoveryPeriodSec: z.coerce.number().positive().default(20),
	/** A token is believed for so long without reading it again. */
	tokenCacheSec: z.coerce.number().min(0).default(10),
	/** Counters are copied from a host's item to its STATS item every so many syncs. */
	statsEverySyncs: z.coerce.number().int().positive().default(10),
	/** Grant records are kept for so long: longer than any call, recovery and handler together. */
	grantTtlSec: z.coerce
		.number()
		.positive()
		.default(7 * 86_400),
	/** Contacts per import message: bounds the work lost by a crash and the function's memory. */
	importChunkRows: z.coerce.number().int().positive().default(1_000),
	/** Whose prices are counted: set by Lambda itself. */
	awsRegion: z.string().default("us-east-1"),
	/** An import without progress for so long is taken up again by the minute's tick; then after twice that, and so on. */
	importStaleSec: z.coerce.number().positive().default(120),
});
export type Settings = z.infer<typeof settingsSchema>;

const envName = (key: string): string => key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase();

/** Reads the settings; throws one {@link ConfigError} that names every mistake. */
export const parseSettings = (env: Record<string, string | undefined>): Settings => {
	const raw: Record<string, string> = {};
	for (const key of Object.keys(settingsSchema.shape)) {
		const value = env[envName(key)];
		if (value !== undefined && value !== "") raw[key] = value;
	}
	const parsed = settingsSchema.safeParse(raw);
	const mistakes = parsed.success
		? []
		: parsed.error.issues.map((issue) => `${envName(String(issue.path[0]))}: ${issue.message}`);
	const s = parsed.data;
	if (s && s.lostAfterSec < 2 * s.fenceSec) mistakes.push("LOST_AFTER_SEC: must be at least twice FENCE_SEC");
	if (s && s.peekWriteSec > s.lostAfterSec / 2) mistakes.push("PEEK_WRITE_SEC: must be at most half of LOST_AFTER_SEC");
	if (!s || mistakes.length > 0) throw new ConfigError(mistakes);
	return s;
};

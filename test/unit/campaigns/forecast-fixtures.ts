import type { ForecastInput } from "../../../shared/campaigns/forecast.ts";

export const NOW = Date.parse("2026-11-02T10:00:00Z");
/** A moment in so many minutes. */
export const inMinutes = (minutes: number): number => NOW + minutes * 60_000;

/** A list of a thousand that begins now, 100 channels, 10 calls per second; nothing measured. */
export const input = (over: Partial<ForecastInput> = {}): ForecastInput => ({
	now: NOW,
	pending: 1_000,
	inProgress: 0,
	done: 0,
	attempts: 0,
	answered: 0,
	channelMs: 0,
	timed: 0,
	limits: { ringTimeoutSec: 30, maxCallSec: 3_600 },
	retry: {},
	channels: 100,
	limit: "its cap",
	cps: 10,
	...over,
});

/** So many attempts that ended, of so many seconds in the mean. */
export const measured = (attempts: number, answered: number, holdSec: number): Partial<ForecastInput> => ({
	attempts,
	answered,
	channelMs: attempts * holdSec * 1_000,
	timed: attempts,
	done: attempts,
});

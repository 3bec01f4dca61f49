import type { LedgerPrices } from "../../../shared/ledger/ledger-prices.ts";
import { Exact } from "../../../shared/plan/exact.ts";
import { bookKey, type Counts, type RunItem, runEntry, type UseItem, useEntry } from "../../../shared/store/items.ts";

export const TENANT = "default";
export const DAY = "2026-11-27";
export const START_MS = Date.parse(`${DAY}T00:00:00Z`);
export const HOUR_MS = 3_600_000;

/** Round figures, so that a test can be counted in the head. */
export const PRICES: LedgerPrices = {
	volumePerGbMonth: Exact.of(0.073),
	egress: [{ fromGb: Exact.of(0), toGb: undefined, usdPerGb: Exact.of(0.1) }],
	controlPlane: {
		perSync: Exact.of(0.00001),
		perAttempt: Exact.of(0.00002),
		perContact: Exact.of(0.000005),
		perPeek: Exact.of(0),
		standingPerHour: Exact.of(0.01),
	},
	carrierPerMin: Exact.of(0.006),
	carrierStepSec: 60,
	instancePerHour: () => undefined,
	steadyPerHour: Exact.of(0.2),
};

export const run = (hostId: string, over: Partial<RunItem> = {}): RunItem => ({
	book: bookKey(TENANT, DAY),
	entry: runEntry(hostId, "s1"),
	ttl: 0,
	hostId,
	startId: "s1",
	type: "c7g.large",
	market: "on-demand",
	usdPerHour: 0.36,
	ipv4UsdPerHour: 0.036,
	startedAt: START_MS,
	...over,
});

export const use = (
	hostId: string,
	tier: UseItem["tier"],
	now: Record<string, Counts>,
	over: Partial<UseItem> = {},
): UseItem => ({
	book: bookKey(TENANT, DAY),
	entry: useEntry(hostId),
	ttl: 0,
	hostId,
	tier,
	createdAt: 0,
	base: {},
	now,
	syncsBase: 0,
	syncsNow: 0,
	...over,
});

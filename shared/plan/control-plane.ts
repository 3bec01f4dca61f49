import { CONTROL_PLANE_USE, type ControlPlaneUnits, PEEKS_PER_HOUR } from "../ledger/sync-units.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { Exact } from "./exact.ts";

/** What each unit is billed as: its product in the price book, and how many of the units are one of the price's. */
export const BILLED_AS: Readonly<Record<keyof ControlPlaneUnits, { product: string; per: number }>> = {
	writeUnits: { product: "dynamodb.write", per: 1 },
	readUnits: { product: "dynamodb.read", per: 1 },
	apiRequests: { product: "api.request", per: 1 },
	invocations: { product: "lambda.request", per: 1 },
	gbSeconds: { product: "lambda.duration", per: 1 },
	/** GB are 10^9 bytes. */
	logBytes: { product: "logs.ingest", per: 1_000_000_000 },
	sqsRequests: { product: "sqs.request", per: 1 },
};

/** US dollars of these units. Throws PriceError where a price is missing. */
export const usdOfUnits = (book: PriceBook, units: ControlPlaneUnits): Exact =>
	Exact.sum(
		Object.entries(BILLED_AS).map(([unit, { product, per }]) =>
			book
				.usd(product)
				.times(units[unit as keyof ControlPlaneUnits])
				.by(per),
		),
	);

/**
 * Syncs a second of a host by its calls per second, measured: one a second while it holds calls, more where the trunk's rate binds and each call waits for a slot
 * (1 a second), or where completions fill syncs before the second is over (44 a second, 12 to each).
 */
const SYNCS_PER_SEC: readonly { cps: number; syncs: number }[] = [
	{ cps: 0, syncs: 1 },
	{ cps: 0.93, syncs: 1.58 },
	{ cps: 3.5, syncs: 1.05 },
	{ cps: 44, syncs: 3.7 },
];

/** Syncs for each attempt on a host that makes so many a second. @param cpsPerHost above 0 */
export const syncsPerAttempt = (cpsPerHost: number): number => {
	if (!(cpsPerHost > 0)) throw new RangeError(`calls per second of a host must be above 0, not ${cpsPerHost}`);
	const above = SYNCS_PER_SEC.findIndex(({ cps }) => cps >= cpsPerHost);
	const [low, high] = [SYNCS_PER_SEC[above - 1], SYNCS_PER_SEC[above]];
	if (!low || !high) {
		const last = SYNCS_PER_SEC[SYNCS_PER_SEC.length - 1] as (typeof SYNCS_PER_SEC)[number];
		return last.syncs / last.cps;
	}
	const part = (cpsPerHost - low.cps) / (high.cps - low.cps);
	return (low.syncs + part * (high.syncs - low.syncs)) / cpsPerHost;
};

/** Where nothing is known of the load: a host of 120 channels and calls of 15 s; six share a sync. */
const USUAL_LOAD = { cpsPerHost: 8 };

/**
 * US dollars of control plane for one attempt of a contact that is imported for it, counted from the bottom up: what the attempt uses, its part of syncs, its
 * import. What the control plane uses while nobody dials is not in it: {@link standingUsdPerHour}.
 * @param load calls per second of each host: the fewer, the fewer attempts share a sync. Absent: {@link USUAL_LOAD}
 * @throws PriceError where a price is missing
 */
export const controlPlaneUsd = (book: PriceBook, load: { cpsPerHost: number } = USUAL_LOAD): Exact => {
	const syncs = syncsPerAttempt(load.cpsPerHost);
	const { perSync, perAttempt, perContact } = CONTROL_PLANE_USE;
	return Exact.sum([
		usdOfUnits(book, perAttempt),
		usdOfUnits(book, perSync).times(syncs),
		usdOfUnits(book, perContact),
	]);
};

/** US dollars an hour of the minute's tick and what it starts, and of hosts that are idle. Alarms are not in it. */
export const standingUsdPerHour = (book: PriceBook, idleHosts: number): Exact => {
	const { standingPerHour, perPeek } = CONTROL_PLANE_USE;
	return usdOfUnits(book, standingPerHour).plus(usdOfUnits(book, perPeek).times(PEEKS_PER_HOUR * idleHosts));
};

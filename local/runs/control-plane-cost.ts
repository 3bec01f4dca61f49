import type { ControlPlaneUnits } from "../../shared/ledger/sync-units.ts";
import { BILLED_AS, usdOfUnits } from "../../shared/plan/control-plane.ts";
import { Exact } from "../../shared/plan/exact.ts";
import type { PriceBook } from "../../shared/prices/price-book.ts";
import type { CountedRun } from "./control-plane-load.ts";
import {
	localGbSeconds,
	minus,
	perSyncAndAttempt,
	times,
	unitsGrowing,
	unitsOfAttempts,
} from "./control-plane-units.ts";

const MILLION = 1_000_000;
const SEC_PER_HOUR = 3_600;

/** What one item comes to. */
export interface CostRow {
	item: keyof ControlPlaneUnits;
	perAttempt: number;
	product: string;
	/** US dollars for one, as the price book has it; of log bytes for a GB. */
	usdPerUnit: number;
	usdPerMillion: number;
}

const UNITS = Object.keys(BILLED_AS) as (keyof ControlPlaneUnits)[];

/** Counts of a run in US dollars for a million attempts, each of a contact of its own. Throws PriceError where a price is missing. */
export const costOf = (run: CountedRun, book: PriceBook) => {
	const { use, imported, syncs, attempts, contacts, seconds } = run;
	const ofAttempts = times(unitsOfAttempts(use), 1 / attempts);
	const parts = {
		/** Claims and outcomes. */
		attempts: ofAttempts,
		/** The rest of the syncs. */
		syncs: minus(times(unitsGrowing(use, "syncs"), 1 / attempts), ofAttempts),
		import: times(unitsGrowing(imported, "contacts"), 1 / contacts),
		/** The minute's tick and what follows from it, as far as it falls on an attempt at this load. */
		standing: times(unitsGrowing(use, "standing"), 1 / attempts),
		/** Of hosts that were idle meanwhile. */
		peeks: times(unitsGrowing(use, "peeks"), 1 / attempts),
	};
	const perMillion = (units: ControlPlaneUnits): Exact => usdOfUnits(book, units).times(MILLION);
	const all = Object.values(parts);
	const rows = UNITS.map((item): CostRow => {
		const perAttempt = all.reduce((sum, units) => sum + units[item], 0);
		const { product, per } = BILLED_AS[item];
		const usd = book.usd(product);
		return {
			item,
			perAttempt,
			product,
			usdPerUnit: Number(usd.over) / Number(usd.under),
			usdPerMillion: usd.times(perAttempt).by(per).times(MILLION).toNumber(),
		};
	});
	return {
		hosts: run.hosts,
		seconds,
		attempts,
		syncs,
		attemptsPerSync: attempts / syncs,
		callsPerSec: run.callsPerSec,
		channelsBusy: run.channelsBusy,
		rows,
		usdPerMillion: Exact.sum(all.map(perMillion)).toNumber(),
		partsUsdPerMillion: Object.fromEntries(
			Object.entries(parts).map(([part, units]) => [part, perMillion(units).toNumber()]),
		),
		/** By this machine's clock, instead of the planned time. */
		localGbSecondsPerAttempt: localGbSeconds(use, "syncs") / attempts,
		/** Of the runs themselves, not counted. */
		requestsOfPeople: unitsGrowing(use, "people").apiRequests,
		units: {
			...perSyncAndAttempt(use, run),
			perContact: parts.import,
			standingPerHour: times(unitsGrowing(use, "standing"), SEC_PER_HOUR / seconds),
		},
	};
};
export type ControlPlaneCost = ReturnType<typeof costOf>;

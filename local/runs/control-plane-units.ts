import { type ControlPlaneUnits, PLANNED_SEC } from "../../shared/ledger/sync-units.ts";
import { PROCESS_SOURCE } from "../lambda/use-of-process.ts";
import { LINE_OVERHEAD_BYTES } from "../metering/lambda-log.ts";
import { type MeterTotals, sumTotals } from "../metering/totals.ts";
import type { Use, UseBySource } from "../metering/use.ts";

/** What a source's use grows with. */
export type Growth = "syncs" | "peeks" | "contacts" | "standing" | "people";

const SYNC = "sync-host POST /v1/hosts/{hostId}/sync";
const PEEK = "sync-host GET /v1/hosts/{hostId}/peek";
const IMPORTS = new Set([
	"create-campaign POST /v1/campaigns",
	"add-contacts POST /v1/campaigns/{campaignId}/contacts",
	"add-contacts POST /v1/campaigns/{campaignId}/uploads/{uploadId}/complete",
	"import-contacts",
]);

export const growthOf = (source: string): Growth => {
	if (source === SYNC) return "syncs";
	if (source === PEEK) return "peeks";
	if (IMPORTS.has(source)) return "contacts";
	return source.includes(" ") ? "people" : "standing";
};

const plannedSecOf = (source: string): number => {
	if (source === SYNC) return PLANNED_SEC.sync;
	if (source === PEEK) return PLANNED_SEC.peek;
	if (source === "import-contacts") return PLANNED_SEC.importChunk;
	return source.includes(" ") ? PLANNED_SEC.request : PLANNED_SEC.round;
};

/** Lambda asks a queue over five connections at least, this machine over one. */
const AWS_POLLERS = 5;
const MB_PER_GB = 1_024;

const requestsTo = (use: Use, service: string): number =>
	Object.entries(use.requests).reduce(
		(sum, [operation, n]) => (operation.startsWith(`${service} `) ? sum + n : sum),
		0,
	);

/** What AWS bills of one source. */
export const unitsOf = (source: string, use: Use): ControlPlaneUnits => {
	const totals = sumTotals(use.units);
	return {
		writeUnits: totals.writeUnits + totals.indexWriteUnits,
		readUnits: totals.readUnits,
		apiRequests: source.includes(" ") ? use.invocations : 0,
		invocations: use.invocations,
		gbSeconds: (use.invocations * plannedSecOf(source) * (use.memoryMb ?? 0)) / MB_PER_GB,
		logBytes: use.logBytes + use.logLines * LINE_OVERHEAD_BYTES,
		sqsRequests:
			requestsTo(use, "SQS") +
			(source === PROCESS_SOURCE ? (AWS_POLLERS - 1) * (use.requests["SQS ReceiveMessage"] ?? 0) : 0),
	};
};

export const NOTHING: ControlPlaneUnits = {
	writeUnits: 0,
	readUnits: 0,
	apiRequests: 0,
	invocations: 0,
	gbSeconds: 0,
	logBytes: 0,
	sqsRequests: 0,
};
const UNITS = Object.keys(NOTHING) as (keyof ControlPlaneUnits)[];

const combine = (of: (unit: keyof ControlPlaneUnits) => number): ControlPlaneUnits =>
	Object.fromEntries(UNITS.map((unit) => [unit, of(unit)])) as unknown as ControlPlaneUnits;

export const plus = (a: ControlPlaneUnits, b: ControlPlaneUnits): ControlPlaneUnits =>
	combine((unit) => a[unit] + b[unit]);
export const minus = (a: ControlPlaneUnits, b: ControlPlaneUnits): ControlPlaneUnits =>
	combine((unit) => a[unit] - b[unit]);
export const times = (units: ControlPlaneUnits, factor: number): ControlPlaneUnits =>
	combine((unit) => units[unit] * factor);

/** The sum of the sources that grow so. */
export const unitsGrowing = (use: UseBySource, growth: Growth): ControlPlaneUnits =>
	Object.entries(use).reduce(
		(sum, [source, one]) => (growthOf(source) === growth ? plus(sum, unitsOf(source, one)) : sum),
		NOTHING,
	);

export const invocationsGrowing = (use: UseBySource, growth: Growth): number => unitsGrowing(use, growth).invocations;

/** GB-seconds of functions by this machine's clock, for comparison. */
export const localGbSeconds = (use: UseBySource, growth: Growth): number =>
	Object.entries(use).reduce(
		(sum, [source, { ms, memoryMb = 0 }]) =>
			growthOf(source) === growth ? sum + ((ms / 1_000) * memoryMb) / MB_PER_GB : sum,
		0,
	);

/** Of a table whose physical name ends so. */
const unitsOn = (units: MeterTotals, table: string): MeterTotals =>
	Object.fromEntries(Object.entries(units).filter(([name]) => name.endsWith(`-${table}`)));

/**
 * The part of the syncs' units that grows with attempts: writes and reads of contacts (but for the query of the index) and what lists say of numbers (but for the lists
 * themselves, one unit a request). The rest grows with syncs.
 */
export const unitsOfAttempts = (use: UseBySource): ControlPlaneUnits => {
	const units = use[SYNC]?.units ?? {};
	const contacts = sumTotals(unitsOn(units, "contacts"), (_, operation) => operation !== "Query");
	const suppression = sumTotals(unitsOn(units, "suppression"));
	return {
		...NOTHING,
		writeUnits: contacts.writeUnits + contacts.indexWriteUnits,
		readUnits: contacts.readUnits + suppression.readUnits - suppression.requests,
	};
};

/** What a sync and what an attempt uses. */
export const perSyncAndAttempt = (
	use: UseBySource,
	{ syncs, attempts }: { syncs: number; attempts: number },
): { perSync: ControlPlaneUnits; perAttempt: ControlPlaneUnits } => {
	const ofAttempts = unitsOfAttempts(use);
	return {
		perSync: times(minus(unitsGrowing(use, "syncs"), ofAttempts), 1 / syncs),
		perAttempt: times(ofAttempts, 1 / attempts),
	};
};

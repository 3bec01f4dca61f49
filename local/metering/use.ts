import { type MeterTotals, totalsBetween } from "./totals.ts";

/**
 * What the control plane uses, by source: a function with the route that it answers (`sync-host POST /v1/hosts/{hostId}/sync`), or by itself where
 * a queue or a schedule starts it (`tick-minute`).
 */
export interface SourceUse {
	invocations: number;
	/** On this machine, ms: AWS's are others. */
	ms: number;
	/** Of the function, MB; undefined for what is no function. */
	memoryMb?: number;
	/** What the functions' code wrote, and Lambda of their invocations; without {@link LINE_OVERHEAD_BYTES}. */
	logLines: number;
	logBytes: number;
	/** To AWS, by service and operation. */
	requests: Record<string, number>;
}

/** With DynamoDB's units, by table and operation. */
export type Use = SourceUse & { units: MeterTotals };
export type UseBySource = Record<string, Use>;

/** Names the source to DynamoDB's meter. Nothing that is deployed knows it. */
export const SOURCE_HEADER = "x-burst-dialer-source";

/** The source of an invocation. */
export const sourceOf = (functionName: string, event: unknown): string => {
	const routeKey = (event as { routeKey?: unknown } | null)?.routeKey;
	return typeof routeKey === "string" ? `${functionName} ${routeKey}` : functionName;
};

export const emptyUse = (): SourceUse => ({ invocations: 0, ms: 0, logLines: 0, logBytes: 0, requests: {} });

export const withUnits = (sources: Record<string, SourceUse>, units: Record<string, MeterTotals>): UseBySource =>
	Object.fromEntries(
		[...new Set([...Object.keys(sources), ...Object.keys(units)])].map((source) => [
			source,
			{ ...(sources[source] ?? emptyUse()), units: units[source] ?? {} },
		]),
	);

const COUNTS = ["invocations", "ms", "logLines", "logBytes"] as const;

const minus = (later: Record<string, number>, earlier: Record<string, number>): Record<string, number> =>
	Object.fromEntries(Object.entries(later).map(([key, n]) => [key, n - (earlier[key] ?? 0)]));

/** What was used between two readings. */
export const useBetween = (earlier: UseBySource, later: UseBySource): UseBySource =>
	Object.fromEntries(
		Object.entries(later).map(([source, end]) => {
			const start = earlier[source] ?? { ...emptyUse(), units: {} };
			const counts = Object.fromEntries(COUNTS.map((key) => [key, end[key] - start[key]]));
			const units = totalsBetween(start.units, end.units);
			return [source, { ...end, ...counts, requests: minus(end.requests, start.requests), units }];
		}),
	);

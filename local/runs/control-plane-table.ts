import type { ControlPlaneUnits } from "../../shared/ledger/sync-units.ts";
import type { ControlPlaneBench } from "./bench-control-plane.ts";
import type { ControlPlaneCost } from "./control-plane-cost.ts";

const NAMES: Record<keyof ControlPlaneUnits, string> = {
	writeUnits: "write units",
	readUnits: "read units",
	apiRequests: "API requests",
	invocations: "Lambda requests",
	gbSeconds: "Lambda GB-seconds, planned",
	logBytes: "bytes of log",
	sqsRequests: "SQS requests",
};
const PARTS: Record<string, string> = {
	attempts: "claims and outcomes",
	syncs: "the rest of syncs",
	import: "import",
	standing: "standing, at this load",
	peeks: "idle hosts",
};

const usd = (value: number): string => `$${value.toFixed(3)}`;
const counted = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value < 0.1 ? 5 : 3));

const line = (cells: readonly string[], widths: readonly number[]): string =>
	`  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`;

const tableOf = (title: string, cost: ControlPlaneCost): string[] => {
	const rows = [
		["", "per attempt", "price", "per million"],
		...cost.rows.map(({ item, perAttempt, product, usdPerUnit, usdPerMillion }) => [
			NAMES[item],
			counted(perAttempt),
			`$${usdPerUnit}${product === "logs.ingest" ? " per GB" : ""}`,
			usd(usdPerMillion),
		]),
		["total", "", "", usd(cost.usdPerMillion)],
	];
	const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((cells) => (cells[i] ?? "").length)));
	const parts = Object.entries(cost.partsUsdPerMillion).map(([part, value]) => `${PARTS[part]} ${usd(value)}`);
	return [
		"",
		`${title}: ${cost.callsPerSec.toFixed(1)} calls a second, ${cost.channelsBusy.toFixed(0)} channels busy, ${cost.attemptsPerSync.toFixed(2)} attempts a sync`,
		`counted: ${cost.attempts} attempts in ${cost.seconds.toFixed(0)} s`,
		...rows.map((cells) => line(cells, widths)),
		`  of it: ${parts.join(", ")}`,
		`  syncs took ${cost.localGbSecondsPerAttempt.toFixed(4)} GB-seconds an attempt on this machine`,
	];
};

/** The report for people. */
export const controlPlaneTable = (bench: ControlPlaneBench): string =>
	[
		...tableOf("a thousand channels, nine hosts", bench.full),
		...tableOf("one call a second, one host", bench.slow),
		"",
		`${bench.region}: ${usd(bench.full.usdPerMillion)} for a million attempts, ${bench.withinLimit ? "within" : "OVER"} the limit of ${usd(bench.limitUsdPerMillion)}.`,
		...bench.warnings.map((warning) => `  price: ${warning}`),
		"",
	].join("\n");

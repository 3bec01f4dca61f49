import { DEFAULT_CAPACITY } from "../stack/options.ts";
import type { BurstFigures } from "./burst-run.ts";
import type { LedgerFigures } from "./ledger-check.ts";

/** What a burst host of the demo costs: a c7g.large with its public address, us-east-1. */
export const BURST_USD_PER_HOUR = 0.0775;

/** What the demo found. */
export interface DemoSummary extends BurstFigures {
	asterisk: "real" | "simulated";
	contacts: number;
	attempts: number;
	outcomes: Record<string, number>;
	/** The carrier's own record. */
	carrier: { invites: number; answered: number; peakChannels: number };
	lost: number;
	dialedTwice: number;
	/** The most channels at once in Asterisk's view is bounded by it; here the carrier's. */
	peakChannels: number;
	channelCap: number;
	/** 1 if the carrier ever had more calls than the cap, or one host more than its own. */
	overCap: 0 | 1;
	channelUtilisation: number | null;
	peakCps: number;
	durationSec: number;
	idealSec: number;
	/** By the control plane's own ledger; steady hosts and the carrier have no price here. */
	ledger: LedgerFigures;
}

const percent = (value: number | null): string =>
	value === null ? "cap not reached" : `${(value * 100).toFixed(1)} %`;

const burstRows = (summary: DemoSummary): [string, string][] => {
	const { hosts, readySec, stoppedAfterSec } = summary;
	if (hosts.burstStarted === 0) return [["hosts", `${hosts.steady} steady`]];
	return [
		["hosts", `${hosts.steady} steady, ${hosts.burstStarted} burst started, ${hosts.burstStopped} stopped`],
		["most on one host", `${summary.peakPerHost} of ${DEFAULT_CAPACITY}`],
		["burst hosts ready", readySec ? `after ${readySec.p50} s (median), ${readySec.max} s (last)` : "never"],
		["burst hosts stopped", stoppedAfterSec === null ? "NO" : `${stoppedAfterSec} s after the last call`],
		["burst host time", `${summary.burstHostSeconds} s, ${summary.idleHostSeconds} s of it without a call`],
		["burst hosts cost", `$${summary.costUsd.toFixed(4)} at $${BURST_USD_PER_HOUR} an hour, at least a minute a start`],
	];
};

const usd = (value: number | null): string => (value === null ? "-" : `$${value.toFixed(6)}`);

const ledgerRows = ({ ledger }: DemoSummary): [string, string][] => [
	[
		"by the ledger",
		`$${ledger.usd.toFixed(4)}: ${usd(ledger.perAttemptUsd)} an attempt, ${usd(ledger.perAnsweredUsd)} an answered call`,
	],
	...(ledger.ec2Sec > 0
		? [["host-seconds", `${ledger.instanceSec} by the ledger, ${ledger.ec2Sec} billed by EC2`] as [string, string]]
		: []),
];

/** The summary for people. */
export const summaryText = (summary: DemoSummary, findings: string[]): string => {
	const outcomes = Object.entries(summary.outcomes).sort(([, a], [, b]) => b - a);
	const rows: [string, string][] = [
		["Asterisk", summary.asterisk],
		["contacts", String(summary.contacts)],
		["attempts", String(summary.attempts)],
		["outcomes", outcomes.map(([outcome, n]) => `${outcome} ${n}`).join(", ")],
		["carrier saw", `${summary.carrier.invites} INVITEs, ${summary.carrier.answered} answered`],
		["peak channels", `${summary.peakChannels} of ${summary.channelCap}`],
		["channels busy", percent(summary.channelUtilisation)],
		["peak calls per second", String(summary.peakCps)],
		["time", `${summary.durationSec.toFixed(1)} s (ideal ${summary.idealSec.toFixed(1)} s)`],
		["lost", String(summary.lost)],
		["dialed twice", String(summary.dialedTwice)],
		["over the cap", summary.overCap ? "YES" : "never"],
		...burstRows(summary),
		...ledgerRows(summary),
	];
	const width = Math.max(...rows.map(([name]) => name.length));
	const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
	const verdict =
		findings.length === 0
			? "Every call is accounted for, by the carrier's own record."
			: `Not as it must be:\n${findings.map((finding) => `  ${finding}`).join("\n")}`;
	return `\n${lines.join("\n")}\n\n${verdict}\n`;
};

import { behaviourOf, idealHoldMs } from "../voice/carrier/numbers.ts";
import { busyStretch, idealSec, msOverCap, peakChannels, peakCps, utilisation } from "../voice/carrier/record.ts";
import type { CarrierCall } from "../voice/types.ts";
import type { CallRecord } from "./compare.ts";
import type { CampaignRun } from "./run-campaign.ts";

/** Figures of one run, by the carrier's record. */
export interface Measured {
	/** From the carrier's first INVITE to its last final end. */
	durationSec: number;
	/** List scheduling in list order without any delay. */
	idealSec: number;
	peakChannels: number;
	peakCps: number;
	/** From first reaching 95 % of the cap until fewer contacts than the cap remain; null where the cap was not reached before. */
	channelUtilisation: number | null;
	/** Milliseconds over the cap, in the carrier's view and in Asterisk's. */
	msOverCapCarrier: number;
	msOverCapAsterisk: number;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A call record as a stretch of time, as Asterisk saw it. */
const asAsterisk = (records: readonly CallRecord[]): CarrierCall[] =>
	records.flatMap((record) => {
		const { startedAt, endedAt } = record as CallRecord & { endedAt?: string | null };
		if (!startedAt || !endedAt) return [];
		return [
			{
				id: record.callId,
				number: record.number,
				from: "",
				invitedAt: Date.parse(startedAt),
				endedAt: Date.parse(endedAt),
			},
		];
	});

export const measure = (
	run: CampaignRun,
	numbers: readonly string[],
	cap: number,
	habits: { ringTimeoutMs: number; talkMs: number },
): Measured => {
	const { carrier, recordedAt } = run;
	const first = Math.min(...carrier.map((call) => call.invitedAt));
	const last = Math.max(...carrier.map((call) => call.endedAt ?? recordedAt));
	const stretch = busyStretch(carrier, cap, numbers.length);
	return {
		durationSec: carrier.length === 0 ? 0 : round((last - first) / 1_000, 3),
		idealSec: round(
			idealSec(
				numbers.map((number) => idealHoldMs(number, habits) / 1_000),
				cap,
			),
			3,
		),
		peakChannels: peakChannels(carrier, recordedAt),
		peakCps: peakCps(carrier),
		channelUtilisation: stretch ? round(utilisation(carrier, cap, stretch.fromMs, stretch.toMs), 4) : null,
		msOverCapCarrier: round(msOverCap(carrier, cap, recordedAt), 1),
		msOverCapAsterisk: round(msOverCap(asAsterisk(run.records), cap, recordedAt), 1),
	};
};

/** The outcome that the number plan of the carrier leads to, by the table of outcomes. */
const EXPECTED: Record<ReturnType<typeof behaviourOf>["kind"], string> = {
	answer: "answered",
	answerAndWait: "answered",
	person: "answered",
	// Nobody listens for machines in these campaigns.
	machine: "answered",
	machineBeep: "answered",
	busy: "busy",
	notFound: "invalidNumber",
	unavailable: "unavailable",
	congestion: "congestion",
	declined: "rejected",
	ring: "noAnswer",
	incomplete: "invalidNumber",
	silent: "trunkFailure",
};

/** How many contacts ended as their number had to, how many otherwise, how many not at all. */
export const judgeOutcomes = (
	numbers: readonly string[],
	records: readonly CallRecord[],
): { exact: number; wrong: number; lost: number; mistakes: string[] } => {
	const last = new Map<string, CallRecord>();
	for (const record of records) {
		if (record.attempt >= (last.get(record.number)?.attempt ?? 0)) last.set(record.number, record);
	}
	const judged = { exact: 0, wrong: 0, lost: 0, mistakes: [] as string[] };
	for (const number of numbers) {
		const record = last.get(number);
		if (!record) judged.lost++;
		else if (record.outcome === EXPECTED[behaviourOf(number).kind]) judged.exact++;
		else {
			judged.wrong++;
			if (judged.mistakes.length < 10) judged.mistakes.push(`${number}: ${record.outcome}`);
		}
	}
	return judged;
};

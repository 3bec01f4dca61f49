import type { CampaignPlan } from "../../shared/plan/campaign.ts";
import { CODEC_KBITS } from "../../shared/plan/codecs.ts";
import type { MeasuredCalls } from "../../shared/plan/history.ts";
import type { PlanAnswers } from "../../shared/plan/run-plan.ts";
import type { SplitPlan } from "../../shared/plan/split.ts";
import { count, facts, NONE, percent, table, usd } from "../format.ts";

/** Plans in words and tables for people. */

const decimals = (value: number, most: number): string =>
	value.toLocaleString("en-US", { maximumFractionDigits: most });

/** What is to be said of prices, one a line. */
export const describeWarnings = (warnings: readonly string[]): string =>
	warnings.length === 0
		? ""
		: `\n\nPrices to check (burst-dialer prices refresh), or to give in the file of --prices:\n${warnings.map((each) => `  ${each}`).join("\n")}`;

/** What recorded calls were like. */
export const describeHistory = (
	history: MeasuredCalls & { notDialed: number; withoutEnd: number; from?: string },
): string => {
	const { calls, answered, answerRate, holdSec, talkShare, ringSec, talkSec, noAnswerRingSec } = history;
	const left = [
		...(history.notDialed > 0 ? [`${count(history.notDialed)} rows were not dialed`] : []),
		...(history.withoutEnd > 0 ? [`of ${count(history.withoutEnd)} the end is not known`] : []),
	];
	return facts([
		[
			"recorded",
			`${count(calls)} calls${history.from === undefined ? "" : ` from ${history.from}`}, ${count(answered)} answered (${decimals(answerRate * 100, 1)} %)${left.length > 0 ? `; ${left.join(", ")}` : ""}`,
		],
		["mean hold", `${decimals(holdSec, 2)} s, ${decimals(talkShare * 100, 1)} % of it talk`],
		[
			"calls",
			`ring ${decimals(ringSec, 1)} s, talk ${decimals(talkSec, 1)} s; unanswered ${decimals(noAnswerRingSec, 1)} s`,
		],
	]);
};

export const describeTable = (answer: PlanAnswers["table"]): string => {
	const { perDay, perMonth, perYear } = answer;
	if (!("today" in answer)) {
		return facts([
			["a day", usd(perDay)],
			["a month", usd(perMonth)],
			["a year", usd(perYear)],
		]);
	}
	const { today } = answer;
	const rows = [
		["a day", usd(perDay), usd(today.perDay)],
		["a month", usd(perMonth), usd(today.perMonth)],
		["a year", usd(perYear), usd(today.perYear)],
	];
	return `${table(["", "as given", "today"], rows)}\n\nToday: ${today.type} in ${today.region} at ${usd(today.instanceUsdPerHour)} an hour and a public IPv4 address at ${usd(today.ipv4UsdPerHour)}, ${decimals(today.paidHoursPerDay, 2)} hours a day, billed by the ${today.billing}; without volumes and traffic.`;
};

export const describeCampaignPlan = (
	plan: CampaignPlan,
	{ codec, blocking, type, perHost }: { codec: string; blocking: number; type: string; perHost: number },
): string => {
	const needs = facts([
		["attempts", `${count(Math.round(plan.attempts))}, ${count(Math.round(plan.answered))} of them answered`],
		["calls per second", decimals(plan.cps, 1)],
		["mean hold", `${decimals(plan.holdSec, 2)} s`],
		["load", `${decimals(plan.erlangs, 1)} erlangs: so many channels are busy in the mean`],
		[
			"channels",
			`${count(plan.channels)}, so that ${decimals(blocking * 100, 4)} % of the attempts at most find none free`,
		],
		["hosts", `${count(plan.hosts)} with ${perHost} channels each`],
	]);
	const costs = table(
		["cost", "US dollars", "of"],
		[
			["hosts", usd(plan.hostUsd), `${decimals(plan.hostHours, 2)} hours of ${type}, all rented`],
			["addresses", usd(plan.ipv4Usd), "public IPv4"],
			[
				"egress",
				usd(plan.egressUsd),
				`${decimals(plan.egressGb, 3)} GB (${codec}, ${CODEC_KBITS[codec]} kbit/s a leg); beyond the free GB of the month it would be ${usd(plan.egressUsdMarginal)}`,
			],
			["control plane", usd(plan.controlPlaneUsd), "DynamoDB, Lambda, API"],
			[
				"carrier",
				plan.carrierUsd === null ? NONE : usd(plan.carrierUsd),
				plan.carrierUsd === null ? "no price given" : "minutes of talk",
			],
			["in all", usd(plan.totalUsd), ""],
		],
	);
	return `${needs}\n\n${costs}\n\nThe trunks together must allow ${decimals(plan.cps, 1)} calls per second and ${count(plan.channels)} channels; carriers often allow 1 to 5 calls per second.`;
};

const splitsTable = (plan: SplitPlan): string => {
	/** Of a large fleet only those around the cheapest, and both ends. */
	const AROUND = 6;
	const rows = plan.splits.filter(
		({ steadyHosts }) =>
			Math.abs(steadyHosts - plan.best.steadyHosts) <= AROUND ||
			steadyHosts === 0 ||
			steadyHosts === plan.profile.peakHosts,
	);
	return table(
		["", "owned", "needed", "owned $", "rented $", "address $", "volume $", "egress $", "in all", "a month", "starts"],
		rows.map((each) => [
			each.steadyHosts === plan.best.steadyHosts ? "*" : " ",
			each.steadyHosts,
			each.lastNeeded === null ? NONE : percent(each.lastNeeded, 1),
			usd(each.ownedUsd),
			usd(each.rentedUsd),
			usd(each.ipv4Usd),
			usd(each.volumeUsd),
			usd(each.egressUsd),
			usd(each.totalUsd),
			usd(each.totalUsdPerMonth),
			each.starts,
		]),
	);
};

const breakEvenWords = ({ breakEven: { fewerAbove, moreBelow } }: SplitPlan): string => {
	const price = (turn: { usdPerHour: number; usdPerMonth: number }): string =>
		`${usd(turn.usdPerHour)} an hour (${usd(turn.usdPerMonth)} a month)`;
	return [
		...(fewerAbove ? [`above ${price(fewerAbove)} for an owned host: own ${fewerAbove.steadyHosts}`] : []),
		...(moreBelow ? [`below ${price(moreBelow)}: own ${moreBelow.steadyHosts}`] : []),
	].join("; ");
};

export const describeSplit = (plan: SplitPlan): string => {
	const { profile, best, strategies, rule } = plan;
	type Whole = { steadyHosts: number; totalUsd: number; totalUsdPerMonth: number } | null;
	const row = (name: string, whole: Whole): (string | number)[] =>
		whole
			? [name, whole.steadyHosts, usd(whole.totalUsd), usd(whole.totalUsdPerMonth)]
			: [name, NONE, NONE, "no price is known"];
	const turns = plan.sensitivity.map((each) => {
		const to = (turn: { value: number; steadyHosts: number } | null): string =>
			turn ? `own ${turn.steadyHosts} at ${decimals(turn.value, 6)}` : NONE;
		return [
			`${each.assumption}${each.unit ? `, ${each.unit}` : ""}`,
			decimals(each.value, 6),
			to(each.ifLess),
			to(each.ifMore),
		];
	});
	const hours = (profile.steps * profile.stepSec) / 3_600;
	return [
		`Own ${best.steadyHosts} of ${profile.peakHosts} hosts, rent the rest: ${usd(best.totalUsd)} over the profile, ${usd(best.totalUsdPerMonth)} a month.`,
		"",
		facts([
			[
				"profile",
				`${decimals(hours, 2)} h, ${decimals(profile.meanChannels, 1)} channels in the mean, ${count(profile.peakChannels)} at the peak`,
			],
			["hosts", `${profile.perHost} channels each, rented ones billed by the ${plan.billing}`],
			["break-even", breakEvenWords(plan)],
			[
				"rule",
				rule.ratio === null
					? undefined
					: `owned ${usd(rule.ownedUsdPerHour)} / rented and in full use ${usd(rule.rentedUsdPerUsedHour)} an hour = ${decimals(rule.ratio, 3)}: own each host that is needed for more than that part of the time, ${rule.steadyHosts} of them; boots, drains and whole hosts make the rest`,
			],
		]),
		"",
		table(
			["way", "owned or kept", "in all", "a month"],
			[
				row("all owned", strategies.allOwned),
				row("all on demand", strategies.allOnDemand),
				row("savings plan, whole peak", strategies.savingsPlan?.all ?? null),
				row("savings plan as base, rest on demand", strategies.savingsPlan?.best ?? null),
				row("reserved, whole peak", strategies.reserved?.all ?? null),
				row("reserved as base, rest on demand", strategies.reserved?.best ?? null),
				row("all spot (calls may be cut off)", strategies.spot),
				row("cheapest split of owned and on demand", best),
			],
		),
		"",
		splitsTable(plan),
		`(* the cheapest; needed: the part of the time in which the last owned host is; each with ${usd(best.controlPlaneUsd)} of control plane${best.carrierUsd === null ? "; carrier's minutes are not counted: no price was given" : ` and ${usd(best.carrierUsd)} of carrier's minutes`})`,
		"",
		turns.length === 0
			? "No assumption turns this by itself, between a quarter of its value and four times as much."
			: `What turns it, each by itself:\n${table(["assumption", "now", "if less", "if more"], turns)}`,
	].join("\n");
};

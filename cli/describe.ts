import { COST_WORDS } from "./commands/ledger.ts";
import { type Cell, count, duration, facts, instant, NONE, percent, plain, table, usd } from "./format.ts";
import { daysInWords, retryInWords } from "./options.ts";
import type { CalleeLimitView, CallRecord, CampaignView, ContactsResult, Course } from "./views.ts";

/** Rejected rows shown to people; the rest is counted. `--json` has what the API sent. */
const MAX_REJECTED_SHOWN = 10;

/** `at most 3 in any 24 hours, 2:00 h apart at least`; undefined where nothing is limited. */
export const describeCalleeLimit = (limit: CalleeLimitView | null | undefined): string | undefined => {
	const words = [
		...(limit?.max === undefined ? [] : [`at most ${limit.max} in any ${limit.perHours} hours`]),
		...(limit?.minGapSec === undefined ? [] : [`${duration(limit.minGapSec)} apart at least`]),
	];
	return words.length === 0 ? undefined : words.join(", ");
};

const describeTrunks = ({ trunk, trunks }: CampaignView): string | null | undefined =>
	trunks?.length ? trunks.map(({ id, weight }) => `${id} (weight ${weight})`).join(", ") : trunk;

/** `08:00-21:00, Mon-Fri, not on 2026-12-24; America/New_York where the callee's zone is not known`. */
const describeWindow = ({ window }: CampaignView): string | undefined => {
	if (!window) return undefined;
	const { from, to, days, holidays, timeZone } = window;
	const words = [
		`${from}-${to === "00:00" ? "24:00" : to}`,
		...(days && days.length < 7 ? [daysInWords(days)] : []),
		...(holidays?.length ? [`not on ${holidays.join(", ")}`] : []),
	];
	return words.join(", ") + (timeZone ? `; ${timeZone} where the callee's zone is not known` : "");
};

/** What it may do and must keep to, as far as it differs from what every campaign does. */
const rulesOf = (view: CampaignView): [string, Cell][] => [
	["purpose", view.purpose],
	["window", describeWindow(view)],
	["caller id", view.callerIds?.join(", ") ?? view.callerId],
	["calls/s", view.maxCps ? `at most ${count(view.maxCps)}` : undefined],
	["priority", view.priority],
	["one number", describeCalleeLimit(view.calleeLimit)],
	["do-not-call", view.suppressionLists?.join(", ")],
	["machines", view.amd?.enabled ? view.amd.onMachine : undefined],
	["retry", view.retry ? retryInWords(view.retry).join(" ") : undefined],
	[
		"not applied",
		view.exemptions
			?.map(({ rule, at, tokenId }) => `${rule} (since ${instant(at)}${tokenId ? `, token ${tokenId}` : ""})`)
			.join(", "),
	],
];

/** Its state, and why, where there is something to say. */
const stateInWords = ({ state, failure, pausedBy }: CampaignView): string => {
	if (failure) return `${state}: ${failure}`;
	return pausedBy && state === "paused" ? `paused by a budget: ${pausedBy}` : state;
};

const LEVELS: Readonly<Record<string, string>> = { warned: "above four fifths", reached: "used up" };

/** `$50.00, $20.00 a day; above four fifths; at the limit: pause`. */
const describeBudget = ({ budget }: CampaignView): string | undefined => {
	if (!budget) return undefined;
	const limits = [
		...(budget.usd == null ? [] : [usd(budget.usd)]),
		...(budget.usdPerDay == null ? [] : [`${usd(budget.usdPerDay)} a day`]),
	];
	const level = LEVELS[budget.level ?? ""];
	return [limits.join(", "), ...(level ? [level] : []), `at the limit: ${budget.atLimit}`].join("; ");
};

/** `$1.23: $0.004 an attempt, $0.012 an answered call; about $4.50 at completion`. */
const describeCost = ({ cost, costProblem, finishedAt }: CampaignView): string | undefined => {
	if (!cost) return costProblem ?? undefined;
	const { notCounted } = cost;
	const parts = [
		...(cost.perAttemptUsd == null ? [] : [`${usd(cost.perAttemptUsd)} an attempt`]),
		...(cost.perAnsweredUsd == null ? [] : [`${usd(cost.perAnsweredUsd)} an answered call`]),
	];
	return [
		usd(cost.usd) + (parts.length > 0 ? `: ${parts.join(", ")}` : ""),
		...(cost.forecastUsd == null || finishedAt ? [] : [`about ${usd(cost.forecastUsd)} at completion`]),
		...(notCounted.length === 0 ? [] : [`without ${notCounted.map((item) => COST_WORDS[item] ?? item).join(" and ")}`]),
	].join("; ");
};

/** Contacts are left, and nothing is in progress: whoever looks wants to know why. */
const isIdle = ({ state, counts, finishedAt }: CampaignView): boolean =>
	!finishedAt && state !== "cancelled" && state !== "failed" && counts.inProgress === 0 && counts.pending > 0;

/** A campaign in words. */
export const describeCampaign = (view: CampaignView, nowMs: number): string => {
	const { counts } = view;
	const started = view.startedAt ? new Date(view.startedAt).getTime() : undefined;
	const finished = view.finishedAt ? new Date(view.finishedAt).getTime() : undefined;
	const lines = [
		facts([
			["campaign", view.campaignId],
			["name", view.name],
			["state", stateInWords(view)],
			[view.trunks?.length ? "trunks" : "trunk", describeTrunks(view)],
			["list", view.from ? `${view.from.outcomes.join(", ")} of campaign ${view.from.campaignId}` : undefined],
			...rulesOf(view),
			[
				"contacts",
				`${count(counts.done)} of ${count(counts.total)} done (${percent(counts.done, counts.total)}), ` +
					`${count(counts.inProgress)} in progress, ${count(counts.pending)} pending`,
			],
			["not dialing", isIdle(view) ? `burst-dialer campaign explain ${view.campaignId}` : undefined],
			["attempts", view.attempts],
			[
				"channels",
				view.channels
					? `${count(view.channels.live)} live${view.channels.cap ? ` of at most ${count(view.channels.cap)}` : ""}`
					: undefined,
			],
			["starts", view.startAt && !started ? instant(view.startAt) : undefined],
			["started", started === undefined ? undefined : instant(started)],
			["deadline", view.deadline ? instant(view.deadline) : undefined],
			["forecast", view.forecast?.words],
			["cost", describeCost(view)],
			["budget", describeBudget(view)],
			["finished", finished === undefined ? undefined : instant(finished)],
			["took", started === undefined ? undefined : duration(((finished ?? nowMs) - started) / 1_000)],
		]),
	];
	const outcomes = Object.entries(view.outcomes).filter(([, n]) => n > 0);
	if (outcomes.length > 0) {
		const rows = outcomes
			.toSorted(([, a], [, b]) => b - a)
			.map(([outcome, n]) => [outcome, n, percent(n, counts.done)]);
		lines.push("", table(["outcome", "contacts", "share"], rows));
	}
	for (const list of view.imports ?? []) {
		if (list.state === "uploading") continue;
		lines.push("", describeImport(list));
	}
	return lines.join("\n");
};

/** When a campaign will be done, and what it is warned of; `` where nothing is said. */
export const describeCourse = ({ forecast, warnings = [] }: Course): string => {
	if (warnings.length > 0)
		return warnings.map(({ path, message }) => plain(`Warning: ${path}: ${message}.`)).join("\n");
	return forecast ? plain(`Forecast: ${forecast.words}.`) : "";
};

/** One list of a campaign: how far its import is and what was refused. */
const describeImport = (list: ContactsResult): string => {
	const { state, ...rest } = list;
	const words =
		state === "done" ? "" : state === "failed" ? ` failed: ${plain(list.failure ?? "")}` : " is being imported";
	return `List${list.importId ? ` ${plain(list.importId)}` : ""}${words}: ${describeContacts(rest)}`;
};

/** The first rows that were not taken, a line each, and how many more there are. */
export const describeRejected = (
	rejected: readonly { line?: number | null | undefined; number?: string | null | undefined; reason: string }[],
	rejectedCount: number,
): string[] => {
	const shown = rejected.slice(0, MAX_REJECTED_SHOWN);
	const lines = shown.map((row) => `  line ${row.line ?? NONE}: ${plain(row.number ?? "")}: ${plain(row.reason)}`);
	const more = rejectedCount - shown.length;
	return more > 0 ? [...lines, `  … and ${count(more)} more`] : lines;
};

/** What became of a list, in words. */
export const describeContacts = (result: ContactsResult): string => {
	if (result.accepted === undefined) {
		return `The list is being imported${result.importId ? ` (import ${plain(result.importId)})` : ""}; progress: campaign show.`;
	}
	const rejected = result.rejected ?? [];
	const rejectedCount = result.rejectedCount ?? rejected.length;
	const lines = [
		`${count(result.accepted)} contacts accepted, ${count(result.duplicates ?? 0)} duplicates, ` +
			`${count(rejectedCount)} rejected${rejectedCount > 0 ? ":" : "."}`,
	];
	lines.push(...describeRejected(rejected, rejectedCount));
	if (result.state === "open") lines.push("They are being stored in the background; progress: campaign show.");
	return lines.join("\n");
};

const talkTime = (call: CallRecord): string | undefined =>
	call.answeredAt && call.endedAt
		? duration((new Date(call.endedAt).getTime() - new Date(call.answeredAt).getTime()) / 1_000)
		: undefined;

/** `machine in 3.1 s, beep after 8.4 s`; undefined where the call was not listened to. */
export const describeAmd = ({ amd }: CallRecord): string | undefined => {
	if (!amd) return undefined;
	const seconds = (ms: number | null | undefined, before: string): string =>
		typeof ms === "number" ? ` ${before} ${(ms / 1_000).toFixed(1)} s` : "";
	const greeting = amd.greetingEnd ? `, ${amd.greetingEnd}${seconds(amd.greetingMs, "after")}` : "";
	return `${amd.verdict}${seconds(amd.decidedMs, "in")}${greeting}`;
};

/** Call records as a table; answering machines have a column where any call was listened to. */
export const describeCalls = (calls: CallRecord[]): string => {
	const listened = calls.some(({ amd }) => amd);
	return table(
		["started", "number", "try", "outcome", "cause", "sip", "talk", ...(listened ? ["amd"] : []), "host", "contact"],
		calls.map((call) => [
			instant(call.startedAt),
			call.kind ? `${call.number} (${call.kind})` : call.number,
			call.attempt,
			call.outcome,
			// Codes, not amounts: no thousands separators, and to the left.
			call.cause === null || call.cause === undefined ? undefined : String(call.cause),
			call.sipCode === null || call.sipCode === undefined ? undefined : String(call.sipCode),
			talkTime(call),
			...(listened ? [describeAmd(call)] : []),
			call.hostId,
			call.contactId,
		]),
	);
};

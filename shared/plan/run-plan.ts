import type { PlanKind, PlanRequest, PlanRequestOf } from "../contract/plan.ts";
import { colocationPerHour } from "../prices/colocation.ts";
import type { PriceBook } from "../prices/price-book.ts";
import type { Price } from "../prices/price-data.ts";
import { type CampaignPlan, planCampaign } from "./campaign.ts";
import { gbPerTalkSec } from "./codecs.ts";
import { controlPlaneUsd } from "./control-plane.ts";
import { MAX_ERLANGS } from "./erlang.ts";
import { Exact } from "./exact.ts";
import { planHosts, planTable, type TableAnswer, type TodayTable, tableToday } from "./hosts.ts";
import { PlanError } from "./plan-error.ts";
import { planSplit, type SplitPlan } from "./split.ts";
import { HOURS_PER_MONTH, type SplitModel } from "./split-cost.ts";

/** Makes the plans of the command line and of the API. Pure: prices and the time are given. */

/** So many hosts of a peak can be split at once: every split is counted, some ninety times to find what turns it. */
export const MAX_PEAK_HOSTS = 500;
/** Retries make at most five of each attempt: the mistake is in the figures, not in their number. */
const MAX_PLANNED_ERLANGS = MAX_ERLANGS / 10;

/** The prices that a plan counted with, and what is to be said of them. */
export interface Counting {
	prices: Price[];
	warnings: string[];
}
export interface PlanAnswers {
	hosts: { hosts: number };
	table: TableAnswer | (TableAnswer & { today: TodayTable } & Counting);
	campaign: CampaignPlan & Counting;
	split: SplitPlan & Counting;
}

/** What plans are made with. */
export interface PlanContext {
	/** Prices of a region; may throw PriceError. */
	bookOf: (region: string) => PriceBook;
	nowMs: number;
}

const figures = (value: number): string => value.toLocaleString("en-US");

/** An hour of a rented host. */
const rentedPerHour = (book: PriceBook, request: { rentedUsdPerHour?: number | undefined; type: string }): Exact =>
	request.rentedUsdPerHour === undefined
		? book.usd(`ec2.on-demand.${request.type}`)
		: Exact.of(request.rentedUsdPerHour);

const carrierPerMin = (book: PriceBook): Exact | undefined =>
	book.own?.carrier ? Exact.of(book.own.carrier.usdPerMin) : undefined;

const counted = (book: PriceBook, nowMs: number, more: readonly string[] = []): Counting => ({
	prices: book.used,
	warnings: [...book.warnings(nowMs), ...more],
});

const table = (request: PlanRequestOf<"table">, { bookOf, nowMs }: PlanContext): PlanAnswers["table"] => {
	const answer = planTable(request);
	if (!request.today) return answer;
	const book = bookOf(request.region);
	const today = tableToday(request, book.usd(`ec2.on-demand.${request.type}`), book.usd("ec2.ipv4"));
	return { ...answer, today, ...counted(book, nowMs) };
};

const campaign = (request: PlanRequestOf<"campaign">, { bookOf, nowMs }: PlanContext): PlanAnswers["campaign"] => {
	const { answerRate, ringSec, talkSec, noAnswerRingSec, contacts, withinSec } = request;
	const longestSec = Math.max(answerRate * (ringSec + talkSec), (1 - answerRate) * noAnswerRingSec);
	if (longestSec === 0) throw new PlanError("noCallTime", "talkSec", "No call would last any time.");
	if ((contacts / withinSec) * longestSec > MAX_PLANNED_ERLANGS) {
		throw new PlanError(
			"tooMuchLoad",
			"withinSec",
			`That is a load of more than ${figures(MAX_PLANNED_ERLANGS)} erlangs: no fleet has so many channels.`,
		);
	}
	const book = bookOf(request.region);
	const answer = planCampaign(request, {
		hostPerHour: rentedPerHour(book, request),
		ipv4PerHour: book.usd("ec2.ipv4"),
		egress: book.tiers("egress"),
		controlPlanePerAttempt: (cpsPerHost) => controlPlaneUsd(book, { cpsPerHost }),
		carrierPerMin: carrierPerMin(book),
		carrierIncrementSec: book.own?.carrier?.incrementSec ?? 1,
	});
	return { ...answer, ...counted(book, nowMs) };
};

/** An hour of an own host: as given, or from the co-location of one's own prices. */
const ownedPerHour = (book: PriceBook, request: PlanRequestOf<"split">): Exact => {
	if (request.ownedUsdPerHour !== undefined) return Exact.of(request.ownedUsdPerHour);
	if (request.ownedUsdPerMonth !== undefined) return Exact.of(request.ownedUsdPerMonth).by(HOURS_PER_MONTH);
	const perHour = colocationPerHour(book, request.perHost);
	if (!perHour) throw new PlanError("ownedPriceMissing", "ownedUsdPerHour", "What an own host costs is not known.");
	return perHour;
};

/** What the type costs otherwise, where that is known. */
const otherPrices = (book: PriceBook, { type }: PlanRequestOf<"split">, { rented }: SplitModel) => {
	const { savingsPlan, reserved, spot } = book.own ?? {};
	const plan = (): Exact =>
		savingsPlan && "usdPerHour" in savingsPlan
			? Exact.of(savingsPlan.usdPerHour)
			: rented.usdPerHour.times(savingsPlan ? savingsPlan.partOfOnDemand : book.usd("ec2.savings-plan-1y"));
	const spotProduct = `ec2.spot.${type}`;
	return {
		savingsPlanPerHour: plan(),
		reservedPerHour: reserved ? Exact.of(reserved.usdPerHour) : undefined,
		spotPerHour: spot ? Exact.of(spot.usdPerHour) : book.has(spotProduct) ? book.usd(spotProduct) : undefined,
	};
};

const split = (request: PlanRequestOf<"split">, { bookOf, nowMs }: PlanContext): PlanAnswers["split"] => {
	const peakHosts = Math.ceil(request.channels.reduce((a, b) => Math.max(a, b), 0) / request.perHost);
	if (peakHosts > MAX_PEAK_HOSTS) {
		throw new PlanError(
			"tooManyHosts",
			"channels",
			`The peak needs ${figures(peakHosts)} hosts; at most ${MAX_PEAK_HOSTS} can be planned at once.`,
		);
	}
	const book = bookOf(request.region);
	const egress = book.tiers("egress");
	const model: SplitModel = {
		channels: request.channels,
		stepSec: request.stepSec,
		perHost: request.perHost,
		steady: { usdPerHour: ownedPerHour(book, request), billedEgress: false },
		rented: {
			billing: request.billing,
			bootSec: request.bootSec,
			drainSec: request.drainSec,
			usdPerHour: rentedPerHour(book, request),
			ipv4PerHour: book.usd("ec2.ipv4"),
			volumeGb: request.volumeGb,
			volumePerGbMonth: book.usd("ec2.gp3"),
			warmHosts: request.warmHosts,
		},
		calls: {
			talkShare: request.talkShare,
			holdSec: request.holdSec,
			gbPerTalkSec: gbPerTalkSec(request.codec),
			egress,
			usedGb: request.usedGb,
			// Of a host in full use.
			controlPlanePerAttempt: controlPlaneUsd(book, { cpsPerHost: request.perHost / request.holdSec }),
			carrierPerMin: carrierPerMin(book),
		},
	};
	const answer = planSplit(model, otherPrices(book, request, model));
	const incrementSec = book.own?.carrier?.incrementSec ?? 1;
	return {
		...answer,
		...counted(
			book,
			nowMs,
			incrementSec > 1
				? [
						`carrier: steps of ${incrementSec} s are not counted in a split, which knows no single call: it will be more`,
					]
				: [],
		),
	};
};

/** Makes a plan, the answer of its kind. Throws {@link PlanError}, and PriceError where a price cannot be used. */
export const runPlan = (request: PlanRequest, context: PlanContext): PlanAnswers[PlanKind] => {
	switch (request.kind) {
		case "hosts":
			return planHosts(request);
		case "table":
			return table(request, context);
		case "campaign":
			return campaign(request, context);
		case "split":
			return split(request, context);
	}
};

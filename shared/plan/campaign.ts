import type { Tier } from "../prices/price-book.ts";
import { SEC_PER_HOUR } from "../time/clock.ts";
import { gbPerTalkSec } from "./codecs.ts";
import { egressUsd, marginalUsdPerGb } from "./egress.ts";
import { channelsFor, erlangsOf } from "./erlang.ts";
import { Exact, ZERO } from "./exact.ts";
import { planHosts } from "./hosts.ts";

export interface CampaignInput {
	contacts: number;
	/** From the first attempt to the last, seconds. */
	withinSec: number;
	/** Part of the attempts that is answered, 0 to 1. */
	answerRate: number;
	/** Ringing of a call that is answered, its talk, ringing of one that is not, seconds. */
	ringSec: number;
	talkSec: number;
	noAnswerRingSec: number;
	/** Further attempts of a contact whose call was not answered, at most. */
	retries: number;
	perHost: number;
	codec: string;
	/** Part of the attempts that may find no channel free. */
	blocking: number;
	/** GB that the account has sent before in the month. */
	usedGb: number;
	/** A host boots and drains on top of the time, seconds. */
	bootSec: number;
	drainSec: number;
}

/** US dollars. */
export interface CampaignPrices {
	hostPerHour: Exact;
	ipv4PerHour: Exact;
	egress: readonly Tier[];
	/** Where it is a function: of the calls per second of each host. */
	controlPlanePerAttempt: Exact | ((cpsPerHost: number) => Exact);
	/** undefined: not given. */
	carrierPerMin: Exact | undefined;
	/** An answered call is billed for the next multiple of so many seconds; absent: 1. */
	carrierIncrementSec?: number;
}

/** What a campaign needs and what it costs if all of its hosts are rented. */
export const planCampaign = (input: CampaignInput, prices: CampaignPrices) => {
	const rate = Exact.of(input.answerRate);
	const missed = Exact.of(1).minus(rate);
	// Each attempt that is not answered makes another, up to the last.
	let round = Exact.of(input.contacts);
	let attempts = round;
	for (let retry = 0; retry < input.retries; retry++) {
		round = round.times(missed);
		attempts = attempts.plus(round);
	}
	const answered = attempts.times(rate);
	const holdSec = input.answerRate * (input.ringSec + input.talkSec) + (1 - input.answerRate) * input.noAnswerRingSec;
	const cps = attempts.toNumber() / input.withinSec;
	const erlangs = erlangsOf(cps, holdSec);
	const channels = channelsFor(erlangs, input.blocking);
	const { hosts } = planHosts({ channels, perHost: input.perHost });
	const talkSec = answered.times(input.talkSec);
	const gb = talkSec.times(gbPerTalkSec(input.codec));
	const usedGb = Exact.of(input.usedGb);
	const hostHours = Exact.of(input.withinSec)
		.plus(Exact.of(input.bootSec))
		.plus(Exact.of(input.drainSec))
		.times(hosts)
		.by(SEC_PER_HOUR);
	// Of the mean talk: calls differ, so that it is some more where many are just above a step.
	const incrementSec = prices.carrierIncrementSec ?? 1;
	const billedSec = answered.times(Math.ceil(input.talkSec / incrementSec) * incrementSec);
	const perAttempt =
		typeof prices.controlPlanePerAttempt === "function"
			? prices.controlPlanePerAttempt(cps / hosts)
			: prices.controlPlanePerAttempt;
	const usd = {
		host: hostHours.times(prices.hostPerHour),
		ipv4: hostHours.times(prices.ipv4PerHour),
		egress: egressUsd(prices.egress, gb, usedGb),
		controlPlane: attempts.times(perAttempt),
		carrier: prices.carrierPerMin ? billedSec.by(60).times(prices.carrierPerMin) : undefined,
	};
	return {
		attempts: attempts.toNumber(),
		answered: answered.toNumber(),
		holdSec,
		/** Calls per second. */
		cps,
		erlangs,
		channels,
		hosts,
		hostHours: hostHours.toNumber(),
		egressGb: gb.toNumber(),
		/** As it is billed, the free GB of the month counted. */
		egressUsd: usd.egress.toNumber(),
		/** As if the free ones were used up. */
		egressUsdMarginal: gb.times(marginalUsdPerGb(prices.egress, usedGb)).toNumber(),
		hostUsd: usd.host.toNumber(),
		ipv4Usd: usd.ipv4.toNumber(),
		controlPlaneUsd: usd.controlPlane.toNumber(),
		/** null: no carrier's price was given. */
		carrierUsd: usd.carrier?.toNumber() ?? null,
		/** With egress as it is billed. */
		totalUsd: Exact.sum([usd.host, usd.ipv4, usd.egress, usd.controlPlane, usd.carrier ?? ZERO]).toNumber(),
	};
};
export type CampaignPlan = ReturnType<typeof planCampaign>;

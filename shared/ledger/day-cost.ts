import { gbPerTalkSec } from "../plan/codecs.ts";
import { egressUsd } from "../plan/egress.ts";
import { Exact, ZERO } from "../plan/exact.ts";
import { LEAST_PAID_SEC } from "../plan/layers.ts";
import { HOURS_PER_MONTH } from "../plan/split-cost.ts";
import type { DiskItem, RunItem, UseItem } from "../store/items.ts";
import { SEC_PER_HOUR } from "../time/clock.ts";
import { nanosOf, shareOut, sumOf } from "./amounts.ts";
import { dayEndMs, dayStartMs } from "./days.ts";
import type { LedgerPrices } from "./ledger-prices.ts";
import { SEC_PER_PEEK, SEC_PER_SYNC } from "./sync-units.ts";
import { usesOf } from "./use.ts";

/** What a day cost, and for which campaigns. Pure. */

/** The entries of a day. */
export interface DayBook {
	day: string;
	runs: readonly RunItem[];
	disks: readonly DiskItem[];
	uses: readonly UseItem[];
}

export const COST_ITEMS = ["instance", "address", "volume", "steady", "egress", "controlPlane", "carrier"] as const;
export type CostItem = (typeof COST_ITEMS)[number];
export const COST_UNITS: Readonly<Record<CostItem, string>> = {
	instance: "host-second",
	address: "address-hour",
	volume: "GB-hour",
	steady: "host-hour",
	egress: "GB",
	controlPlane: "attempt",
	carrier: "minute",
};

/** One line of the day's bill. */
export interface DayCostLine {
	item: CostItem;
	/** In the unit of {@link COST_UNITS}, rounded to a millionth. */
	quantity: number;
	nanoUsd: bigint;
	byCampaign: Map<string, bigint>;
	/** Nobody's: no campaign used anything on this day that it could be shared by. */
	unattributed: bigint;
}
/** What a campaign dialed. */
export interface Calls {
	attempts: number;
	answered: number;
	channelMs: number;
}
export const NO_CALLS: Calls = { attempts: 0, answered: 0, channelMs: 0 };
export interface DayCost {
	day: string;
	/** What is counted: until now, or to the end of the day. ms since 1970. */
	untilMs: number;
	lines: DayCostLine[];
	calls: Map<string, Calls>;
}

/** All of a day, billionths of a US dollar. */
export const totalNanos = ({ lines }: DayCost): bigint => sumOf(lines.map(({ nanoUsd }) => nanoUsd));

const MS_PER_SEC = 1_000;

/** Seconds that EC2 has billed a run until a moment: whole ones, at least a minute once it has ended. */
export const billedSecUntil = (run: Pick<RunItem, "startedAt" | "runningAt" | "endedAt">, untilMs: number): number => {
	const from = run.runningAt ?? run.startedAt;
	const ended = run.endedAt !== undefined && run.endedAt <= untilMs;
	const to = ended ? (run.endedAt ?? untilMs) : untilMs;
	// Ended before EC2 said that it runs: it never ran, and is not billed.
	if (to <= from) return 0;
	const sec = Math.ceil((to - from) / MS_PER_SEC);
	return ended ? Math.max(LEAST_PAID_SEC, sec) : sec;
};

const billedSecIn = (run: RunItem, fromMs: number, untilMs: number): number =>
	billedSecUntil(run, untilMs) - billedSecUntil(run, fromMs);

const overlapSec = (from: number, to: number, fromMs: number, untilMs: number): number =>
	Math.max(0, Math.min(to, untilMs) - Math.max(from, fromMs)) / MS_PER_SEC;

/** GB that calls of burst hosts sent on a day. */
export const egressGbOf = ({ uses }: Pick<DayBook, "uses">): Exact => {
	const talkMs = new Map<string, number>();
	for (const item of uses) {
		if (item.tier !== "burst") continue;
		for (const use of usesOf(item).values()) {
			for (const [codec, ms] of Object.entries(use.talkMs)) talkMs.set(codec, (talkMs.get(codec) ?? 0) + ms);
		}
	}
	return Exact.sum([...talkMs].map(([codec, ms]) => gbPerTalkSec(codec).times(ms).by(MS_PER_SEC)));
};

type Weights = Map<string, number>;
const add = (weights: Weights, key: string, n: number): void => {
	if (n > 0) weights.set(key, (weights.get(key) ?? 0) + n);
};

/** How much each campaign used: of one host, of all of a tier, of all. By channel time; where no call ended, by attempts and contacts. */
class Shares {
	readonly #byHost = new Map<string, Weights>();
	readonly #byTier = new Map<string, Weights>();
	readonly #all: Weights = new Map();

	constructor(uses: readonly UseItem[]) {
		for (const item of uses) {
			const host: Weights = new Map();
			for (const [campaignId, use] of usesOf(item)) {
				const weight = use.channelMs > 0 ? use.channelMs : use.attempts + use.contacts;
				add(host, campaignId, weight);
				const tier = this.#byTier.get(item.tier) ?? new Map();
				add(tier, campaignId, weight);
				this.#byTier.set(item.tier, tier);
				add(this.#all, campaignId, weight);
			}
			this.#byHost.set(item.hostId, host);
		}
	}

	/** Idle time is shared by use: a host that nobody used, by the use of its tier, then of all. */
	of(hostId: string | undefined, tier: UseItem["tier"] | undefined): Weights {
		const own = hostId === undefined ? undefined : this.#byHost.get(hostId);
		if (own && own.size > 0) return own;
		const tiers = tier === undefined ? undefined : this.#byTier.get(tier);
		return tiers && tiers.size > 0 ? tiers : this.#all;
	}
}

/** A line that is added up from shared parts. */
class Line {
	readonly #item: CostItem;
	#quantity = ZERO;
	#nanoUsd = 0n;
	readonly #byCampaign = new Map<string, bigint>();
	#unattributed = 0n;

	constructor(item: CostItem) {
		this.#item = item;
	}

	add(quantity: Exact, usd: Exact, weights: ReadonlyMap<string, number>): void {
		const nanos = nanosOf(usd);
		this.#quantity = this.#quantity.plus(quantity);
		this.#nanoUsd += nanos;
		const parts = shareOut(nanos, weights);
		if (parts.size === 0) this.#unattributed += nanos;
		for (const [campaignId, part] of parts) {
			this.#byCampaign.set(campaignId, (this.#byCampaign.get(campaignId) ?? 0n) + part);
		}
	}

	done(): DayCostLine {
		return {
			item: this.#item,
			quantity: this.#quantity.toNumber(),
			nanoUsd: this.#nanoUsd,
			byCampaign: this.#byCampaign,
			unattributed: this.#unattributed,
		};
	}
}

const rentedLines = (book: DayBook, shares: Shares, prices: LedgerPrices, fromMs: number, untilMs: number): Line[] => {
	const [instance, address] = [new Line("instance"), new Line("address")];
	for (const run of book.runs) {
		const sec = billedSecIn(run, fromMs, untilMs);
		if (sec <= 0) continue;
		const hours = Exact.of(sec).by(SEC_PER_HOUR);
		const weights = shares.of(run.hostId, "burst");
		instance.add(Exact.of(sec), hours.times(prices.instancePerHour(run.type, run.market) ?? run.usdPerHour), weights);
		address.add(hours, hours.times(run.ipv4UsdPerHour), weights);
	}
	return [instance, address];
};

const volumeLine = (book: DayBook, shares: Shares, prices: LedgerPrices, fromMs: number, untilMs: number): Line => {
	const line = new Line("volume");
	for (const disk of book.disks) {
		const sec = overlapSec(disk.from, disk.to ?? untilMs, fromMs, untilMs);
		const gbHours = Exact.of(sec).by(SEC_PER_HOUR).times(disk.gb);
		line.add(gbHours, gbHours.times(prices.volumePerGbMonth).by(HOURS_PER_MONTH), shares.of(disk.hostId, "burst"));
	}
	return line;
};

const steadyLine = (book: DayBook, shares: Shares, prices: LedgerPrices, fromMs: number, untilMs: number): Line => {
	const line = new Line("steady");
	for (const { tier, hostId, createdAt } of book.uses) {
		if (tier !== "steady") continue;
		const hours = Exact.of(overlapSec(createdAt, untilMs, fromMs, untilMs)).by(SEC_PER_HOUR);
		line.add(hours, prices.steadyPerHour ? hours.times(prices.steadyPerHour) : ZERO, shares.of(hostId, "steady"));
	}
	return line;
};

/** Peeks of a host on the day: not counted but reckoned, from the seconds that it was up and did not sync. */
const peeksOf = (item: UseItem, book: DayBook, fromMs: number, untilMs: number): number => {
	const upSec =
		item.tier === "steady"
			? overlapSec(item.createdAt, untilMs, fromMs, untilMs)
			: book.runs.reduce((n, run) => (run.hostId === item.hostId ? n + billedSecIn(run, fromMs, untilMs) : n), 0);
	return Math.floor(Math.max(0, upSec - syncsOf(item) * SEC_PER_SYNC) / SEC_PER_PEEK);
};
const syncsOf = ({ syncsNow, syncsBase }: UseItem): number => Math.max(0, syncsNow - syncsBase);

/** What runs whether anybody is called or not: on the first day from the enrolment of the first steady host, not from midnight, when there was nothing yet. */
const standingHours = ({ uses }: DayBook, fromMs: number, untilMs: number): Exact => {
	const enrolled = uses.filter(({ tier }) => tier === "steady").map(({ createdAt }) => createdAt);
	const since = enrolled.length > 0 ? Math.min(...enrolled) : fromMs;
	return Exact.of(overlapSec(since, untilMs, fromMs, untilMs)).by(SEC_PER_HOUR);
};

/** What a campaign's calls of the day sent and were billed for, over all hosts. */
const useLines = (
	book: DayBook,
	shares: Shares,
	prices: LedgerPrices,
	usedGb: Exact,
	fromMs: number,
	untilMs: number,
): Line[] => {
	const [egress, carrier, control] = [new Line("egress"), new Line("carrier"), new Line("controlPlane")];
	const sent: Weights = new Map();
	const billedSec: Weights = new Map();
	const { controlPlane } = prices;
	for (const item of book.uses) {
		const uses = usesOf(item);
		for (const [campaignId, use] of uses) {
			if (item.tier === "burst") {
				for (const [codec, ms] of Object.entries(use.talkMs)) {
					// Whole bytes, so that the weights are whole numbers.
					const bytes = gbPerTalkSec(codec).times(ms).times(1_000_000).toNumber();
					add(sent, campaignId, bytes);
				}
			}
			add(billedSec, campaignId, use.billedSec[prices.carrierStepSec]);
			const own = new Map([[campaignId, 1]]);
			control.add(
				Exact.of(use.attempts),
				controlPlane.perAttempt.times(use.attempts).plus(controlPlane.perContact.times(use.contacts)),
				own,
			);
		}
		const rounds = controlPlane.perSync
			.times(syncsOf(item))
			.plus(controlPlane.perPeek.times(peeksOf(item, book, fromMs, untilMs)));
		control.add(ZERO, rounds, shares.of(item.hostId, item.tier));
	}
	control.add(
		ZERO,
		controlPlane.standingPerHour.times(standingHours(book, fromMs, untilMs)),
		shares.of(undefined, undefined),
	);
	const gb = egressGbOf(book);
	egress.add(gb, egressUsd(prices.egress, gb, usedGb), sent);
	const minutes = Exact.of([...billedSec.values()].reduce((n, sec) => n + sec, 0)).by(60);
	carrier.add(minutes, prices.carrierPerMin ? minutes.times(prices.carrierPerMin) : ZERO, billedSec);
	return [egress, control, carrier];
};

const callsOf = (book: DayBook): DayCost["calls"] => {
	const calls: DayCost["calls"] = new Map();
	for (const item of book.uses) {
		for (const [campaignId, { attempts, answered, channelMs }] of usesOf(item)) {
			const known = calls.get(campaignId) ?? NO_CALLS;
			calls.set(campaignId, {
				attempts: known.attempts + attempts,
				answered: known.answered + answered,
				channelMs: known.channelMs + channelMs,
			});
		}
	}
	return calls;
};

/**
 * What a day cost by its book, until now or to its end.
 * @param usedGb what the account has sent in the month before this day, for the tiers of egress
 */
export const dayCost = (book: DayBook, prices: LedgerPrices, usedGb: Exact, nowMs: number): DayCost => {
	const fromMs = dayStartMs(book.day);
	const untilMs = Math.max(fromMs, Math.min(nowMs, dayEndMs(book.day)));
	const shares = new Shares(book.uses);
	const lines = [
		...rentedLines(book, shares, prices, fromMs, untilMs),
		volumeLine(book, shares, prices, fromMs, untilMs),
		steadyLine(book, shares, prices, fromMs, untilMs),
		...useLines(book, shares, prices, usedGb, fromMs, untilMs),
	].map((line) => line.done());
	return { day: book.day, untilMs, lines, calls: callsOf(book) };
};

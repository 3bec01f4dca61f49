import type { Budget } from "../contract/budget.ts";
import { Exact } from "../plan/exact.ts";
import { nanosOf, usdOf } from "./amounts.ts";

/**
 * Whether a budget is used up. Pure. What is spent is what the ledger says; what is committed already is reserved on top of it: calls that are up and those that
 * start before the next look, hosts until they are drained, and what stands until the day's end. So a budget that was reached is not exceeded by them. Amounts
 * are billionths of a US dollar.
 */

/** At this part of a budget people are warned. */
export const WARN_PART = { over: 4n, under: 5n } as const;

export type Level = "ok" | "warned" | "reached";
const ORDER: readonly Level[] = ["ok", "warned", "reached"];
export const higher = (a: Level, b: Level): Level => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

export const levelOf = (limit: bigint, spent: bigint, reserved: bigint): Level => {
	const used = spent + reserved;
	if (used >= limit) return "reached";
	return used * WARN_PART.under >= limit * WARN_PART.over ? "warned" : "ok";
};

export interface Reserve {
	calls: bigint;
	drains: bigint;
	standing: bigint;
}
export const reserveOf = ({ calls, drains, standing }: Reserve): bigint => calls + drains + standing;

export interface ReserveInput {
	/** Calls that hosts hold, and attempts since the look before: as many may start before the next. */
	inProgress: number;
	sinceLastLook: number;
	/** What an attempt costs without its hosts. */
	perAttempt: bigint;
	/** Burst hosts that its calls are on, or their part, an hour. */
	hostsPerHour: bigint;
	/** Until its calls are over and those hosts stopped, seconds. */
	drainSec: number;
	/** Its part of what costs whether it is dialed or not, an hour, and until when. */
	standingPerHour: bigint;
	standingHours: number;
}

/**
 * Lengths of calls scatter about as much as their mean: of n calls the sum is within three times the root of n of what is expected, but for one case in some
 * hundreds.
 */
const SPREAD = 3;
/**
 * A call is counted when it ends, so all of one that is up is still to come. And whoever looks finds long calls more often than short ones: where lengths scatter as
 * much as their mean, those that are up last twice the mean in all.
 */
const LENGTH_BIAS = 2;
/** Weights are whole numbers of thousandths. */
const MILLI = 1_000;
const times = (amount: bigint, factor: number): bigint => (amount * BigInt(Math.ceil(factor * MILLI))) / BigInt(MILLI);

export const reserve = (input: ReserveInput): Reserve => {
	const calls = LENGTH_BIAS * input.inProgress + input.sinceLastLook;
	return {
		calls: times(input.perAttempt, calls + SPREAD * Math.sqrt(calls)),
		drains: times(input.hostsPerHour, input.drainSec / 3_600),
		standing: times(input.standingPerHour, Math.max(0, input.standingHours)),
	};
};

export interface Checked {
	/** The higher of both. */
	level: Level;
	/** Of each limit that is set. */
	levels: { campaign?: Level; day?: Level };
	/** Which of its limits; absent where the level is ok. */
	of?: "campaign" | "day";
	limitUsd?: number;
	spentUsd: number;
	spentTodayUsd: number;
	reservedUsd: number;
}

const asNanos = (usd: number): bigint => nanosOf(Exact.of(usd));

export type Limits = Pick<Budget, "usd" | "usdPerDay">;

/** How a budget stood before: what its limits were then, and on which day. */
export interface Before {
	limits: Limits;
	day: string;
	levels: Checked["levels"];
}

/**
 * A budget against what was spent. The higher of both levels counts; of equal ones the whole campaign's. A level that was reached is kept until its limit is
 * changed, or the day is another one: calls that end release what was reserved for them, and what was stopped would begin again, and stop, and begin.
 * @param before at the last look, of the same budget
 */
export const checkBudget = (
	{ usd, usdPerDay }: Limits,
	spent: bigint,
	spentToday: bigint,
	reserved: bigint,
	day: string,
	before?: Before,
): Checked => {
	const kept = before?.limits.usd === usd ? before?.levels.campaign : undefined;
	const keptDay = before?.limits.usdPerDay === usdPerDay && before?.day === day ? before?.levels.day : undefined;
	const limits = [
		...(usd === undefined
			? []
			: [{ of: "campaign" as const, usd, level: higher(levelOf(asNanos(usd), spent, reserved), kept ?? "ok") }]),
		...(usdPerDay === undefined
			? []
			: [
					{
						of: "day" as const,
						usd: usdPerDay,
						level: higher(levelOf(asNanos(usdPerDay), spentToday, reserved), keptDay ?? "ok"),
					},
				]),
	];
	const level = limits.reduce<Level>((found, each) => higher(found, each.level), "ok");
	const which = level === "ok" ? undefined : limits.find((each) => each.level === level);
	return {
		level,
		levels: Object.fromEntries(limits.map((each) => [each.of, each.level])),
		...(which ? { of: which.of, limitUsd: which.usd } : {}),
		spentUsd: usdOf(spent),
		spentTodayUsd: usdOf(spentToday),
		reservedUsd: usdOf(reserved),
	};
};

const dollars = (usd: number): string =>
	`$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: usd < 1 ? 6 : 2 })}`;

/** `$41.20 of $50.00 are spent and $6.10 committed`. */
export const budgetWords = (checked: Checked): string => {
	const { of, limitUsd = 0, reservedUsd } = checked;
	const spent = of === "day" ? checked.spentTodayUsd : checked.spentUsd;
	return `${dollars(spent)} of ${dollars(limitUsd)}${of === "day" ? " for the day" : ""} are spent, ${dollars(reservedUsd)} more committed`;
};

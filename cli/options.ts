import { InvalidArgumentError } from "commander";
import { OUTCOMES, type Outcome, RETRYABLE_OUTCOMES } from "../shared/contract/outcome.ts";

/** Parsers of option values for commander; what they throw becomes a usage error. */

/** A whole number of at least `min`. */
export const wholeNumber =
	(min: number) =>
	(text: string): number => {
		const value = Number(text);
		if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
			throw new InvalidArgumentError(`It must be a whole number, at least ${min}.`);
		}
		return value;
	};

/** `name=value`, collected over repeated options. */
export const nameValue = (text: string, before: Record<string, string> = {}): Record<string, string> => {
	const at = text.indexOf("=");
	if (at < 1) throw new InvalidArgumentError("It must be NAME=VALUE.");
	return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

export type RetryRules = Partial<Record<(typeof RETRYABLE_OUTCOMES)[number], { afterSec: number; max: number }>>;

/** `busy=300x2`: after busy wait 300 s, at most 2 more attempts. `none` stands for no retries at all. */
export const retryRule = (text: string, before: RetryRules = {}): RetryRules => {
	if (text === "none") return {};
	const match = /^([A-Za-z]+)=(\d+)x(\d+)$/.exec(text);
	const outcome = RETRYABLE_OUTCOMES.find((name) => name === match?.[1]);
	if (!match || !outcome) {
		throw new InvalidArgumentError(
			`It must be OUTCOME=SECONDSxTIMES as in busy=300x2, or none; OUTCOME is one of ${RETRYABLE_OUTCOMES.join(", ")}.`,
		);
	}
	return { ...before, [outcome]: { afterSec: Number(match[2]), max: Number(match[3]) } };
};

/** Outcomes as `busy,noAnswer`. */
export const outcomeNames = (text: string): Outcome[] =>
	text.split(",").map((part) => {
		const outcome = OUTCOMES.find((name) => name === part.trim());
		if (!outcome) throw new InvalidArgumentError(`"${part}" is no outcome; they are ${OUTCOMES.join(", ")}.`);
		return outcome;
	});

/** A point in time, ISO 8601, or a number of days from now as in `90d`. @returns milliseconds since 1970 */
export const pointInTime =
	(now: () => number) =>
	(text: string): number => {
		const days = /^(\d{1,5})d$/.exec(text)?.[1];
		const value = days === undefined ? Date.parse(text) : now() + Number(days) * 86_400_000;
		if (Number.isNaN(value))
			throw new InvalidArgumentError("It must be a time as in 2026-12-01T14:00:00Z, or days as in 90d.");
		if (value <= now()) throw new InvalidArgumentError("It is in the past.");
		return value;
	};

const DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** Weekdays as `mon-fri`, `sat,sun` or `fri-mon`. @returns ISO weekdays, 1 Monday to 7 Sunday, in order */
export const weekdays = (text: string): number[] => {
	const dayOf = (name: string): number => {
		const day = DAY_NAMES.indexOf(name.trim().toLowerCase().slice(0, 3)) + 1;
		if (day === 0 || !/^[a-z]{3,9}$/i.test(name.trim()))
			throw new InvalidArgumentError(`"${name}" is no weekday; write mon-fri, or sat,sun.`);
		return day;
	};
	const days = new Set<number>();
	for (const part of text.split(",")) {
		const [first = "", last = first, more] = part.split("-");
		if (more !== undefined) throw new InvalidArgumentError(`"${part}" is no range of days; write mon-fri.`);
		const to = dayOf(last);
		for (let day = dayOf(first); ; day = (day % 7) + 1) {
			days.add(day);
			if (day === to) break;
		}
	}
	return [...days].sort((a, b) => a - b);
};

/** ISO weekdays in words: `Mon-Fri`, `Sat, Sun`, `every day`. */
export const daysInWords = (days: readonly number[]): string => {
	if (days.length === 7) return "every day";
	const names = DAY_NAMES.map((name) => name.charAt(0).toUpperCase() + name.slice(1));
	const parts: string[] = [];
	for (let i = 0; i < days.length; ) {
		let last = i;
		while (days[last + 1] === (days[last] ?? 0) + 1) last++;
		const [from, to] = [names[(days[i] ?? 1) - 1] ?? "", names[(days[last] ?? 1) - 1] ?? ""];
		parts.push(last - i > 1 ? `${from}-${to}` : last > i ? `${from}, ${to}` : from);
		i = last + 1;
	}
	return parts.join(", ");
};

const SPAN_SEC: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };

/** A length of time as `90m`, `2h` or `3d`. @returns seconds */
export const timeSpan = (text: string): number => {
	const [, count, unit = ""] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
	const sec = Number(count) * (SPAN_SEC[unit] ?? 0);
	if (!(sec > 0)) throw new InvalidArgumentError("It must be a length of time as 90m, 2h or 3d.");
	return sec;
};

/** A number in plain decimals, as 0.35 or 30. @param range above: not included; min and max: included */
export const decimal =
	(range: { above?: number; min?: number; max?: number }) =>
	(text: string): number => {
		const { above, min, max } = range;
		const value = Number(text);
		const fits =
			/^-?\d+(\.\d+)?$/.test(text) &&
			Number.isFinite(value) &&
			(above === undefined || value > above) &&
			(min === undefined || value >= min) &&
			(max === undefined || value <= max);
		if (fits) return value;
		const words = [
			...(above === undefined ? [] : [`above ${above}`]),
			...(min === undefined ? [] : [`at least ${min}`]),
			...(max === undefined ? [] : [`at most ${max}`]),
		];
		throw new InvalidArgumentError(`It must be a number ${words.join(" and ")}, as in 0.35 or 30.`);
	};

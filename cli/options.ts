import { InvalidArgumentError } from "commander";
import { type Budget, budgetSchema } from "../shared/contract/budget.ts";
import type { Retry, RetryRule } from "../shared/contract/campaign.ts";
import { OUTCOMES, type Outcome, RETRYABLE_OUTCOMES } from "../shared/contract/outcome.ts";
import { type Window, windowSchema } from "../shared/contract/window.ts";

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

/** A whole number between the two, both included. */
export const numberBetween =
	(min: number, max: number) =>
	(text: string): number => {
		const value = Number(text);
		if (!/^\d+$/.test(text) || value < min || value > max) {
			throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
		}
		return value;
	};

/** What takes a setting away. */
export const NOTHING = "none";
export type OrNone<T> = T | typeof NOTHING;

/** A value, or `none`, which takes it away. Not null: commander makes an empty text of it. */
export const orNone =
	<T>(parse: (text: string) => T) =>
	(text: string): OrNone<T> => {
		if (text === NOTHING) return NOTHING;
		try {
			return parse(text);
		} catch (error) {
			if (!(error instanceof InvalidArgumentError)) throw error;
			throw new InvalidArgumentError(`${error.message} Or ${NOTHING}.`);
		}
	};

/** `a,b`: several values, none of them empty. */
export const commaList = (text: string): string[] => {
	const parts = text.split(",").map((part) => part.trim());
	if (parts.includes("")) throw new InvalidArgumentError("It must be one or more values, with commas between.");
	return parts;
};

const RETRY_WORDS =
	`It must be OUTCOME=SECONDSxTIMES as in busy=300x2, with ,growth=N or ,otherTrunk=yes|no behind it, or ${NOTHING}; ` +
	`OUTCOME is one of ${RETRYABLE_OUTCOMES.join(", ")}.`;

/** `growth=2` or `otherTrunk=yes` of a retry rule. */
const retryExtra = (text: string): Pick<RetryRule, "growth" | "otherTrunk"> => {
	const growth = /^growth=(\d+(?:\.\d+)?)$/.exec(text)?.[1];
	if (growth !== undefined) return { growth: Number(growth) };
	const otherTrunk = /^otherTrunk=(yes|no)$/.exec(text)?.[1];
	if (otherTrunk !== undefined) return { otherTrunk: otherTrunk === "yes" };
	throw new InvalidArgumentError(`"${text}" is not known in a retry rule. ${RETRY_WORDS}`);
};

/**
 * `busy=300x2`: after busy wait 300 s, at most 2 more attempts. `busy=300x3,growth=2`: each wait is twice the one before. `none` stands for no rules of one's own.
 */
export const retryRule = (text: string, before: Retry = {}): Retry => {
	if (text === NOTHING) return {};
	const [rule = "", ...extras] = text.split(",");
	const match = /^([A-Za-z]+)=(\d+)x(\d+)$/.exec(rule);
	const outcome = RETRYABLE_OUTCOMES.find((name) => name === match?.[1]);
	if (!match || !outcome) throw new InvalidArgumentError(RETRY_WORDS);
	const made: RetryRule = { afterSec: Number(match[2]), max: Number(match[3]) };
	for (const extra of extras) Object.assign(made, retryExtra(extra));
	return { ...before, [outcome]: made };
};

/** A retry rule as {@link retryRule} takes it. */
export const retryInWords = (retry: Retry): string[] =>
	Object.entries(retry).map(([outcome, { afterSec, max, growth, otherTrunk }]) =>
		[
			`${outcome}=${afterSec}x${max}`,
			...(growth === undefined ? [] : [`growth=${growth}`]),
			...(otherTrunk === undefined ? [] : [`otherTrunk=${otherTrunk ? "yes" : "no"}`]),
		].join(","),
	);

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

const WINDOW_WORDS =
	"It must be times as in 08:00-21:00, and with commas behind them what else holds: days (mon-fri), dates on which nobody is called (2026-12-24), a time zone (America/New_York).";
const isWeekday = (text: string): boolean => {
	try {
		return weekdays(text).length > 0;
	} catch {
		return false;
	}
};

/**
 * A calling window: `08:00-21:00`, `08:00-21:00,mon-fri,America/New_York`. `24:00` is the end of the day too. All of it is checked here, so that a mistake is
 * told in the words of the command line.
 */
export const callingWindow = (text: string): Partial<Window> => {
	const [times = "", ...rest] = text.split(",").map((part) => part.trim());
	const match = /^(\d{2}:\d{2})-(\d{2}:\d{2})$/.exec(times);
	if (!match) throw new InvalidArgumentError(WINDOW_WORDS);
	const days = rest.filter(isWeekday);
	const holidays = rest.filter((part) => /^\d{4}-\d{2}-\d{2}$/.test(part));
	const zones = rest.filter((part) => !days.includes(part) && !holidays.includes(part));
	if (zones.length > 1) {
		throw new InvalidArgumentError(`"${zones.join('" and "')}" cannot both be the time zone. ${WINDOW_WORDS}`);
	}
	const window = {
		from: match[1],
		to: match[2] === "24:00" ? "00:00" : match[2],
		...(days.length > 0 ? { days: weekdays(days.join(",")) } : {}),
		...(holidays.length > 0 ? { holidays } : {}),
		...(zones.length > 0 ? { timeZone: zones[0] } : {}),
	};
	const parsed = windowSchema.safeParse(window);
	if (parsed.success) return window as Partial<Window>;
	const problems = parsed.error.issues.map(({ path, message }) => {
		const [field = "", index] = path.map(String);
		const value = field === "holidays" && index !== undefined ? holidays[Number(index)] : window[field as "from"];
		return `${value ?? field}: ${message}`;
	});
	throw new InvalidArgumentError(`${problems.join("; ")}. ${WINDOW_WORDS}`);
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

/** Collects a repeatable option, each value once. */
export const several =
	<T>(parse: (text: string) => T) =>
	(text: string, before: T[] = []): T[] => {
		const value = parse(text);
		return before.includes(value) ? before : [...before, value];
	};

const named =
	(pattern: RegExp, words: string) =>
	(text: string): string => {
		if (!pattern.test(text)) throw new InvalidArgumentError(words);
		return text;
	};
/** An AWS region by its code. */
export const regionName = named(/^[a-z]{2}(-[a-z]+)+-\d+$/, "It must be a region as in eu-west-1.");
/** An instance type. */
export const typeName = named(/^[a-z0-9-]+\.[a-z0-9-]+$/, "It must be an instance type as in c7g.large.");

const BUDGET_WORDS =
	"It must be as in 50, day=20 or 50,day=20,at=noNewHosts: US dollars in all, of a day, and pause or noNewHosts.";

/** A budget as `50,day=20,at=pause`. */
export const budgetOf = (text: string): Budget => {
	const given: Record<string, unknown> = {};
	for (const [i, part] of text.split(",").entries()) {
		const [, name, value = ""] = /^(?:(day|at)=)?(.+)$/.exec(part.trim()) ?? [];
		if (name === undefined && i > 0) throw new InvalidArgumentError(BUDGET_WORDS);
		if (name === "at") given["atLimit"] = value;
		else given[name === "day" ? "usdPerDay" : "usd"] = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
	}
	const parsed = budgetSchema.safeParse(given);
	if (!parsed.success) throw new InvalidArgumentError(BUDGET_WORDS);
	return parsed.data;
};

import { InvalidArgumentError } from "commander";
import { RETRYABLE_OUTCOMES } from "../shared/contract/outcome.ts";

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

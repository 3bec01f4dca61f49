import type { NumberFormat } from "../contract/trunk.ts";

/** What may reach a dial string: digits, `#`, `*` and `+`, at most 40 characters. */
export const DIAL_PATTERN = /^[0-9#*+]{1,40}$/;

/**
 * Makes of a number what the carrier takes: the `+` taken off, `strip` leading digits taken off, then `prefix` put before, and
 * the `+` before all of it where the format keeps it (only a number that came with one gets one back).
 * @param number E.164 with `+`, or digits only
 * @returns digits, `#`, `*` and `+` only; `` where `strip` leaves nothing and there is no prefix
 */
export const dialNumber = (format: NumberFormat, number: string): string => {
	const international = number.startsWith("+");
	const digits = number.replace(/[^0-9]/g, "").slice(format.strip);
	if (digits === "") return "";
	return `${format.plus && international ? "+" : ""}${format.prefix}${digits}`;
};

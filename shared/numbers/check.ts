import { type NumberType, parsePhoneNumberFromString } from "libphonenumber-js/max";
import { e164Schema, type NumberFormat, privateNumberSchema, type Trunk } from "../contract/trunk.ts";
import { DIAL_PATTERN, dialNumber } from "./format.ts";

/** What a trunk says about the numbers it may dial. */
export interface NumberRule {
	numbering: Trunk["numbering"];
	/** ISO 3166-1 alpha-2; looked at for `e164` only. */
	countries: readonly string[];
	format: NumberFormat;
	/** Rules of further trunks that the number may go through: all hold. */
	also?: readonly NumberRule[];
}

export const ruleOf = (trunk: Trunk): NumberRule => ({
	numbering: trunk.numbering,
	countries: trunk.countries,
	format: trunk.format.number,
});

export type NumberCheck = { ok: true; number: string } | { ok: false; reason: string };

/** Number types that are refused on every trunk: the caller pays, or the callee is not where the number says. */
const REFUSED_TYPES: Partial<Record<NonNullable<NumberType>, string>> = {
	PREMIUM_RATE: "is a premium-rate number",
	SHARED_COST: "is a shared-cost number",
	PERSONAL_NUMBER: "is a personal number",
};

/**
 * Country codes that belong to no country (ITU-T E.164): libphonenumber knows some of their ranges as mobile, so they are
 * refused by code.
 */
const REFUSED_CODES: Record<string, string> = {
	"870": "is a satellite number (Inmarsat)",
	"878": "is a personal number (UPT)",
	"881": "is a satellite number (global mobile satellite)",
	"882": "is a satellite or international network number",
	"883": "is a satellite or international network number",
	"979": "is a premium-rate number (international)",
	"808": "is a shared-cost number (international)",
};

const refuse = (reason: string): NumberCheck => ({ ok: false, reason });

const checkE164 = (rule: NumberRule, number: string): NumberCheck => {
	if (!e164Schema.safeParse(number).success) return refuse("is not E.164: + and 8 to 15 digits");
	const code = REFUSED_CODES[number.slice(1, 4)];
	if (code) return refuse(code);
	const parsed = parsePhoneNumberFromString(number);
	// A number that is read as another one (or with an extension) is not the number that would be dialed.
	if (!parsed?.isValid() || parsed.number !== number || parsed.ext)
		return refuse("is not a valid number of any country");
	const type = parsed.getType();
	const refused = type && REFUSED_TYPES[type];
	if (refused) return refuse(refused);
	if (!parsed.country) return refuse("belongs to no country, so no trunk may dial it");
	if (!rule.countries.includes(parsed.country)) {
		const allowed = rule.countries.length > 0 ? rule.countries.join(", ") : "none";
		return refuse(`is in ${parsed.country}; the trunk may dial ${allowed}`);
	}
	return { ok: true, number };
};

const checkPrivate = (number: string): NumberCheck =>
	privateNumberSchema.safeParse(number).success
		? { ok: true, number }
		: refuse("is no private number: digits only, at most 32");

/** The rule of a campaign: each of its trunks must be able to dial every number. */
export const ruleOfAll = (trunks: readonly [Trunk, ...Trunk[]]): NumberRule => {
	const [first, ...others] = trunks;
	return { ...ruleOf(first), ...(others.length > 0 ? { also: others.map(ruleOf) } : {}) };
};

/** Whether the trunks may dial the number; the reason reads after the number: `+1900… is a premium-rate number`. */
export const checkNumber = (rule: NumberRule, number: string): NumberCheck => {
	const refusal = [rule, ...(rule.also ?? [])].map((each) => checkOne(each, number)).find(({ ok }) => !ok);
	return refusal ?? { ok: true, number };
};

const checkOne = (rule: NumberRule, number: string): NumberCheck => {
	const checked = rule.numbering === "private" ? checkPrivate(number) : checkE164(rule, number);
	if (!checked.ok) return checked;
	if (!DIAL_PATTERN.test(dialNumber(rule.format, number))) {
		return refuse("is empty or longer than 40 characters in the trunk's number format");
	}
	return checked;
};

/** The country of an E.164 number, undefined where it has none. */
export const countryOf = (number: string): string | undefined => parsePhoneNumberFromString(number)?.country;

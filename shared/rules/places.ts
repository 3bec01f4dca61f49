import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import { z } from "zod";
import data from "./data/places.json" with { type: "json" };

/** Where a number may be. One object for all numbers of a prefix or country. */
export interface Place {
	/** ISO 3166-1 alpha-2. */
	country: string;
	/** Candidate states or provinces, ISO 3166-2; empty where the number says nothing of it. */
	states: readonly string[];
	/** Candidate zones; empty where none is known. */
	zones: readonly string[];
}

const words = (text: string): string[] => (text === "" ? [] : text.split(" "));
const prefixesSchema = z.record(z.string().regex(/^[^|]*\|[^|]+$/), z.string());
const placesSchema = z.object({
	countries: z.record(z.string().length(2), z.string()),
	/** `states|zones` by prefixes of the number, without `+`. */
	prefixes: prefixesSchema,
	/** The same for fixed lines only: a mobile number of such a prefix may be anywhere in the country. */
	fixedLinePrefixes: prefixesSchema,
});

type ByPrefix = ReadonlyMap<string, Omit<Place, "country">>;
const byPrefix = (groups: Record<string, string>): ByPrefix =>
	new Map(
		Object.entries(groups).flatMap(([key, prefixes]) => {
			const [states = "", zones = ""] = key.split("|");
			const place = { states: words(states), zones: words(zones) };
			return words(prefixes).map((prefix) => [prefix, place] as const);
		}),
	);

const read = () => {
	const { countries, prefixes, fixedLinePrefixes } = placesSchema.parse(data);
	return {
		countries: new Map(Object.entries(countries).map(([country, zones]) => [country, words(zones)])),
		prefixes: byPrefix(prefixes),
		fixedLinePrefixes: byPrefix(fixedLinePrefixes),
	};
};
/** Read with the first number: not every function that is bundled with this asks for one. */
let lookup: ReturnType<typeof read> | undefined;

/** The longest prefix of the number that the table has: 3 digits (618) or 4 (1212, 5511). */
const longest = (table: ByPrefix, digits: string) => table.get(digits.slice(0, 4)) ?? table.get(digits.slice(0, 3));

/** Every place once, so that what is worked out for one is found again for all its numbers. */
const known = new Map<string, Place>();
const placeAs = (place: Place): Place => {
	const key = `${place.country}|${place.states.join(" ")}|${place.zones.join(" ")}`;
	const found = known.get(key);
	if (found) return found;
	known.set(key, place);
	return place;
};

/** The number asked for last: its hours, limits and ring time are asked for in turn, and to parse it is most of the work. */
let latest: { number: string; place: Place | undefined } = { number: "", place: undefined };

/**
 * Where an E.164 number may be, from its country and, in the United States, Canada, Brazil and for fixed lines in Australia, its area code. A
 * number that was ported or is mobile need not be there (docs/risks.md).
 * @returns undefined for a number of no country
 */
export const placeOf = (number: string): Place | undefined => {
	if (latest.number !== number) latest = { number, place: lookUp(number) };
	return latest.place;
};

const lookUp = (number: string): Place | undefined => {
	lookup ??= read();
	const parsed = parsePhoneNumberFromString(number);
	const country = parsed?.country;
	if (!country) return undefined;
	const digits = parsed.number.slice(1);
	const fixed = longest(lookup.fixedLinePrefixes, digits);
	const zones = lookup.countries.get(country) ?? [];
	// The Cocos Islands' numbers begin like those of Western Australia.
	const isFixed = fixed?.zones.every((zone) => zones.includes(zone)) && parsed.getType() === "FIXED_LINE";
	const area = isFixed ? fixed : longest(lookup.prefixes, digits);
	// An area code's states say whose it is.
	if (area?.states.every((state) => state.startsWith(`${country}-`))) return placeAs({ country, ...area });
	return placeAs({ country, states: [], zones });
};

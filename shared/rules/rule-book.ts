import { z } from "zod";
import { clockTimeSchema, type Purpose, purposeSchema } from "../contract/window.ts";
import { calendarSchema, type Holiday } from "./holidays.ts";

/** A country (ISO 3166-1 alpha-2) or a state or province of one (ISO 3166-2). */
const placeSchema = z.string().regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, "a country as in US, or a state as in US-FL");

/** How far the rule's text was followed to its source. */
const BASES = ["text", "secondary", "unverified"] as const;

const hoursSchema = z
	.strictObject({
		/** ISO weekdays, 1 is Monday. */
		days: z.array(z.int().min(1).max(7)).min(1),
		from: clockTimeSchema,
		/** Not included. `00:00` is the end of the day. */
		to: clockTimeSchema,
	})
	.refine(({ from, to }) => to === "00:00" || from < to, { message: "must be after `from`", path: ["to"] });
export type Hours = z.infer<typeof hoursSchema>;

const ruleSchema = z
	.strictObject({
		id: z.string().regex(/^[a-z0-9-]{3,40}$/),
		/** Where it holds. That of a country holds in all its states. */
		places: z.array(placeSchema).min(1),
		/** Purposes for which it does not hold. */
		exempt: z.array(purposeSchema),
		/** When calls are allowed, in the callee's own time; on other days and at other times they are not. */
		hours: z.array(hoursSchema).min(1).optional(),
		/** Calendars on whose days no calls are allowed. */
		closedOn: z.array(z.string()).min(1).optional(),
		/** At most so many calls to one number in any so many hours, whatever number they come from. */
		attempts: z.strictObject({ max: z.int().min(1), perHours: z.int().min(1).max(8_760) }).optional(),
		/** From one call's start to the next, seconds. */
		minGapSec: z.int().min(1).optional(),
		/** A call that is not answered must ring so long, seconds. */
		leastRingSec: z.int().min(1).max(120).optional(),
		source: z.strictObject({
			law: z.string().min(1),
			url: z.url(),
			/** `text`: the law's own text, or the regulator's, was read. `secondary`: what others say of it. `unverified`: hearsay. */
			basis: z.enum(BASES),
			note: z.string().min(1).optional(),
		}),
	})
	.refine(
		({ hours, closedOn, attempts, minGapSec, leastRingSec }) =>
			[hours, closedOn, attempts, minGapSec, leastRingSec].some((asked) => asked !== undefined),
		"says nothing: give hours, closedOn, attempts, minGapSec or leastRingSec",
	);
type RuleData = z.infer<typeof ruleSchema>;

/** A rule of law with its calendars looked up. */
export interface Rule extends RuleData {
	/** Holidays on which no calls are allowed. */
	holidays: readonly Holiday[];
}

/** A rule that cannot be evaluated: nobody is called in the places it names, for any purpose. */
export interface Malformed {
	rule: string;
	/** undefined: it names none, so it may be meant for any. */
	places: readonly string[] | undefined;
	problem: string;
}

export interface RuleBook {
	rules: readonly Rule[];
	malformed: readonly Malformed[];
}

const problemOf = (error: z.ZodError): string =>
	error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`).join("; ");

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The places that a rule names, however broken the rest of it is; undefined if one of them cannot be read. */
const placesNamed = (entry: unknown): string[] | undefined => {
	const parsed = z
		.array(placeSchema)
		.min(1)
		.safeParse(isRecord(entry) ? entry["places"] : undefined);
	return parsed.success ? parsed.data : undefined;
};

/** Holidays of a calendar and of those that it includes. @throws Error that says which calendar is missing or wrong */
const holidaysNamed = (calendars: Record<string, unknown>, name: string, under: readonly string[] = []): Holiday[] => {
	if (under.includes(name)) throw new Error(`calendar ${name} includes itself`);
	if (!Object.hasOwn(calendars, name)) throw new Error(`there is no calendar ${name}`);
	const parsed = calendarSchema.safeParse(calendars[name]);
	if (!parsed.success) throw new Error(`calendar ${name}: ${problemOf(parsed.error)}`);
	return [
		...parsed.data.include.flatMap((other) => holidaysNamed(calendars, other, [...under, name])),
		...parsed.data.days,
	];
};

/** @throws Error that says what is wrong with it */
const readRule = (entry: unknown, calendars: Record<string, unknown>): Rule => {
	const parsed = ruleSchema.safeParse(entry);
	if (!parsed.success) throw new Error(problemOf(parsed.error));
	const holidays = (parsed.data.closedOn ?? []).flatMap((name) => holidaysNamed(calendars, name));
	return { ...parsed.data, holidays };
};

/**
 * Reads rule data, rule by rule: one that is malformed closes the places it names (all of them, if it names none that can be read), and the others
 * hold as ever. Never throws.
 * @param data `{ "rules": […], "calendars": { … } }`, as in data/rules.json
 */
export const readRuleBook = (data: unknown): RuleBook => {
	const book = { rules: [] as Rule[], malformed: [] as Malformed[] };
	if (!isRecord(data) || !Array.isArray(data["rules"])) {
		return {
			rules: [],
			malformed: [{ rule: "(all)", places: undefined, problem: "the rule data has no list of rules" }],
		};
	}
	const calendars = isRecord(data["calendars"]) ? data["calendars"] : {};
	const seen = new Set<string>();
	for (const [i, entry] of (data["rules"] as unknown[]).entries()) {
		const named = isRecord(entry) && typeof entry["id"] === "string" ? entry["id"] : `number ${i + 1}`;
		try {
			const rule = readRule(entry, calendars);
			if (seen.has(rule.id)) throw new Error("there are two of this id");
			seen.add(rule.id);
			book.rules.push(rule);
		} catch (error) {
			book.malformed.push({ rule: named, places: placesNamed(entry), problem: (error as Error).message });
		}
	}
	return book;
};

/** Whether the rule is one of times of day or days. */
export const hasHours = (rule: Rule): boolean => rule.hours !== undefined || rule.closedOn !== undefined;

/** Where a number may be. */
export interface Where {
	country: string;
	/** Candidate states, ISO 3166-2; empty: any of the country's. */
	states: readonly string[];
}

const holdsAt = (place: string, { country, states }: Where): boolean =>
	place === country || (states.length > 0 ? states.includes(place) : place.startsWith(`${country}-`));

export interface Holding {
	/** Those that hold for the purpose. */
	rules: readonly Rule[];
	/** Those that would hold for another purpose. */
	exempt: readonly Rule[];
	malformed: Malformed | undefined;
}

/** The rules of a place and of every state of it that comes into question: which of them the callee is in nobody knows. */
export const rulesAt = (book: RuleBook, where: Where, purpose: Purpose): Holding => {
	const here = book.rules.filter((rule) => rule.places.some((place) => holdsAt(place, where)));
	return {
		rules: here.filter((rule) => !rule.exempt.includes(purpose)),
		exempt: here.filter((rule) => rule.exempt.includes(purpose)),
		malformed: book.malformed.find(({ places }) => !places || places.some((place) => holdsAt(place, where))),
	};
};

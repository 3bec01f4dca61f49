import { type Consent, type ContactNumber, type ContactRow, contactRowSchema } from "../contract/campaign.ts";
import { checkNumber, type NumberRule } from "../numbers/check.ts";
import { detailsOf } from "../validation/details.ts";
import { columnOfPath } from "./csv.ts";

/** A row of a list as it was read: a value to check, or why it cannot even be read. */
export type RawRow =
	| {
			line: number;
			value: unknown;
			broken?: undefined;
			/** In a CSV, where its columns have other names than the fields: the column that each of the numbers came from, from 0. */
			places?: readonly number[];
	  }
	| { line: number; broken: string; number?: string };

/** A row that may be stored. */
export interface GoodRow {
	/** Where it stood in its list; unique within an import. */
	line: number;
	contactId: string;
	/** The number, or the first of several. */
	number: string;
	/** What `number` is, where it is the only one and that was said. */
	kind?: string;
	/** All of them, the first included; only where there are several. */
	numbers?: ContactNumber[];
	/** IANA. */
	timeZone?: string;
	consent?: Consent;
	vars?: Record<string, string>;
}

export interface RejectedRow {
	line: number;
	/** As given, cut; of several the first. */
	number: string;
	reason: string;
}

/** Numbers are shown back as they were given: cut, as they may be anything. */
const MAX_SHOWN_NUMBER = 64;
const MAX_REASON = 300;

export const rejectedRow = (line: number, number: string, reason: string): RejectedRow => ({
	line,
	number: number.slice(0, MAX_SHOWN_NUMBER),
	reason: reason.slice(0, MAX_REASON),
});

const shownNumber = (value: unknown): string => {
	if (typeof value !== "object" || value === null) return "";
	const { number, numbers } = value as { number?: unknown; numbers?: unknown };
	if (typeof number === "string" || typeof number === "number") return String(number);
	return Array.isArray(numbers) ? shownNumber({ number: numbers[0]?.number }) : "";
};

/**
 * Why a trunk may not dial a contact: every bad number with its reason, as `numbers[1]: is …`; `` where all are good.
 * @param nameOf how a number is called, by its index
 */
export const badNumbers = (
	rule: NumberRule,
	numbers: readonly string[],
	nameOf: (index: number) => string = (index) => `numbers[${index}]`,
): string =>
	numbers
		.flatMap((number, i) => {
			const checked = checkNumber(rule, number);
			return checked.ok ? [] : [`${nameOf(i)}: ${checked.reason}`];
		})
		.join("; ");

/** The parts of a row that say whom to call. */
export const numbersPart = (numbers: readonly ContactNumber[]): Pick<GoodRow, "number" | "kind" | "numbers"> => {
	const [first] = numbers;
	if (!first) throw new Error("A contact has no number");
	if (numbers.length > 1) return { number: first.number, numbers: [...numbers] };
	return { number: first.number, ...(first.kind === undefined ? {} : { kind: first.kind }) };
};

/** Checks one row by itself: a bad one is rejected alone and whole, with its line and the reason. */
export const checkRow = (
	rule: NumberRule,
	raw: RawRow,
): { good: GoodRow; rejected?: undefined } | { rejected: RejectedRow } => {
	if (raw.broken !== undefined) return { rejected: rejectedRow(raw.line, raw.number ?? "", raw.broken) };
	const { places } = raw;
	const nameOf = (path: string): string => (places ? columnOfPath(path, places) : path);
	const reject = (reason: string) => ({ rejected: rejectedRow(raw.line, shownNumber(raw.value), reason) });
	const parsed = contactRowSchema.safeParse(raw.value);
	if (!parsed.success) {
		const reasons = detailsOf(parsed.error).map(({ path, message }) =>
			path ? `${nameOf(path)}: ${message}` : message,
		);
		return reject(reasons.join("; "));
	}
	const row: ContactRow = parsed.data;
	const numbers = row.numbers ?? [{ number: row.number ?? "" }];
	const bad = badNumbers(
		rule,
		numbers.map(({ number }) => number),
		(index) => nameOf(row.numbers ? `numbers[${index}]` : "number"),
	);
	if (bad) return reject(bad);
	const part = numbersPart(numbers);
	return {
		good: {
			line: raw.line,
			contactId: row.id ?? part.number,
			...part,
			...(row.timeZone === undefined ? {} : { timeZone: row.timeZone }),
			...(row.consent === undefined ? {} : { consent: row.consent }),
			...(row.vars && Object.keys(row.vars).length > 0 ? { vars: row.vars } : {}),
		},
	};
};

/** What became of the rows of a list, before the table was asked. */
export interface CheckedList {
	rows: GoodRow[];
	/** The first {@link CheckedList.rejectedCount} up to a limit. */
	rejected: RejectedRow[];
	rejectedCount: number;
	/** Rows whose contactId another row of the same list has; the first one counts. */
	duplicates: number;
}

/** Checks all rows. @param maxRejected so many bad rows are kept with their reasons, the rest is counted */
export const checkRows = (rule: NumberRule, raws: Iterable<RawRow>, maxRejected: number): CheckedList => {
	const list: CheckedList = { rows: [], rejected: [], rejectedCount: 0, duplicates: 0 };
	const seen = new Set<string>();
	for (const raw of raws) {
		const checked = checkRow(rule, raw);
		if (checked.rejected) {
			list.rejectedCount++;
			if (list.rejected.length < maxRejected) list.rejected.push(checked.rejected);
		} else if (seen.has(checked.good.contactId)) {
			list.duplicates++;
		} else {
			seen.add(checked.good.contactId);
			list.rows.push(checked.good);
		}
	}
	return list;
};

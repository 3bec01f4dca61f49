import { type ContactRow, contactRowSchema } from "../contract/campaign.ts";
import { checkNumber, type NumberRule } from "../numbers/check.ts";
import { detailsOf } from "../validation/details.ts";

/** A row of a list as it was read: a value to check, or why it cannot even be read. */
export type RawRow =
	| { line: number; value: unknown; broken?: undefined }
	| { line: number; broken: string; number?: string };

/** A row that may be stored. */
export interface GoodRow {
	/** Where it stood in its list; unique within an import. */
	line: number;
	contactId: string;
	number: string;
	vars?: Record<string, string>;
}

export interface RejectedRow {
	line: number;
	/** As given, cut. */
	number: string;
	reason: string;
}

/** Numbers are shown back as they were given: cut, as they may be anything. */
const MAX_SHOWN_NUMBER = 64;
const MAX_REASON = 300;

/** Fields of a contact that the design has and that are not built yet. */
const NOT_BUILT_IN_ROWS = ["timeZone", "numbers", "consent"] as const;

const shownNumber = (value: unknown): string => {
	const number = typeof value === "object" && value !== null ? (value as { number?: unknown }).number : undefined;
	return typeof number === "string" || typeof number === "number" ? String(number).slice(0, MAX_SHOWN_NUMBER) : "";
};

const notBuilt = (value: unknown): string | undefined =>
	typeof value === "object" && value !== null
		? NOT_BUILT_IN_ROWS.find((field) => Object.hasOwn(value as object, field))
		: undefined;

/** Checks one row by itself: a bad one is rejected alone, with its line and the reason. */
export const checkRow = (
	rule: NumberRule,
	raw: RawRow,
): { good: GoodRow; rejected?: undefined } | { rejected: RejectedRow } => {
	const reject = (reason: string, number = "") => ({
		rejected: { line: raw.line, number, reason: reason.slice(0, MAX_REASON) },
	});
	if (raw.broken !== undefined) return reject(raw.broken, raw.number?.slice(0, MAX_SHOWN_NUMBER));
	const number = shownNumber(raw.value);
	const missing = notBuilt(raw.value);
	if (missing) return reject(`${missing}: is not built yet`, number);
	const parsed = contactRowSchema.safeParse(raw.value);
	if (!parsed.success) {
		const reason = detailsOf(parsed.error)
			.map((detail) => (detail.path ? `${detail.path}: ${detail.message}` : detail.message))
			.join("; ");
		return reject(reason, number);
	}
	const row: ContactRow = parsed.data;
	if (row.number === undefined) return reject("number: is missing");
	const checked = checkNumber(rule, row.number);
	if (!checked.ok) return reject(`number: ${checked.reason}`, number);
	return {
		good: {
			line: raw.line,
			contactId: row.id ?? row.number,
			number: row.number,
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

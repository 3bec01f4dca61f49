import type { RawRow, RejectedRow } from "../contacts/rows.ts";
import { calleeNumberSchema, suppressedRowSchema } from "../contract/suppression.ts";

/** Bad rows told back; the rest is counted. */
const MAX_REJECTED = 200;
/** A number that is told back is cut: it may be anything. */
const MAX_SHOWN_NUMBER = 64;

/** Numbers of a list's rows, checked. */
export interface CheckedNumbers {
	/** Each once, with the line of its first row. */
	numbers: { line: number; number: string }[];
	/** Rows whose number another row has. */
	repeated: number;
	/** The first bad rows; the rest is counted. */
	rejected: RejectedRow[];
	rejectedCount: number;
}

const numberOf = (raw: RawRow): { number: string } | { reason: string; shown: string } => {
	if (raw.broken !== undefined) return { reason: raw.broken, shown: raw.number ?? "" };
	const row = suppressedRowSchema.safeParse(raw.value);
	if (!row.success) return { reason: "is neither a number as text nor an object with one in `number`", shown: "" };
	const number = (typeof row.data === "string" ? row.data : row.data.number).trim();
	const checked = calleeNumberSchema.safeParse(number);
	if (checked.success) return { number };
	return { reason: `number: ${checked.error.issues[0]?.message ?? "is not one"}`, shown: number };
};

/** Looks at the rows of a list, from a line on; pure. */
export const checkNumbers = (rows: readonly RawRow[], fromLine: number): CheckedNumbers => {
	const list: CheckedNumbers = { numbers: [], repeated: 0, rejected: [], rejectedCount: 0 };
	const seen = new Set<string>();
	for (const raw of rows) {
		if (raw.line < fromLine) continue;
		const found = numberOf(raw);
		if ("reason" in found) {
			list.rejectedCount++;
			if (list.rejected.length < MAX_REJECTED) {
				list.rejected.push({ line: raw.line, number: found.shown.slice(0, MAX_SHOWN_NUMBER), reason: found.reason });
			}
		} else if (seen.has(found.number)) list.repeated++;
		else {
			seen.add(found.number);
			list.numbers.push({ line: raw.line, number: found.number });
		}
	}
	return list;
};

import { type CsvRow, csvRows } from "./csv-rows.ts";
import type { RecordedCall } from "./history.ts";
import { ProfileError } from "./profile.ts";

/** Reads call records as they are exported: `campaign calls --csv`, `GET /v1/campaigns/{id}/calls` with `Accept: text/csv`. */

const COLUMNS = ["startedAt", "answeredAt", "endedAt"] as const;
/** More than so many mistakes help nobody. */
const MAX_MISTAKES = 1_000;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

export interface CallsFile {
	/** For messages. */
	name: string;
	text: string;
}

/** Calls of several files, and rows that are no call of any length. */
export interface ReadCalls {
	calls: RecordedCall[];
	/** Rows without `startedAt`: nothing was dialed. */
	notDialed: number;
	/** Rows without `endedAt`: it is not known how long the call lasted. */
	withoutEnd: number;
}

const rowsOf = ({ name, text }: CallsFile): CsvRow[] => {
	try {
		return csvRows(text, { trim: false });
	} catch (error) {
		throw new ProfileError(`${name} is no CSV: ${(error as Error).message}`);
	}
};

const timeOf = (text: string): number | undefined => (INSTANT.test(text) ? Date.parse(text) : Number.NaN);

/** The calls of all files. Throws {@link ProfileError} that names every bad row with its file and line. */
export const parseCalls = (files: readonly CallsFile[]): ReadCalls => {
	const result: ReadCalls = { calls: [], notDialed: 0, withoutEnd: 0 };
	const mistakes: { path: string; message: string }[] = [];
	/** Where each call was seen: two exports may overlap. */
	const seen = new Map<string, string>();
	for (const file of files) {
		const [head, ...rows] = rowsOf(file);
		const at = COLUMNS.map((column) => head?.record.map((name) => name.trim()).indexOf(column) ?? -1);
		const missing = COLUMNS.filter((_, i) => at[i] === -1);
		if (missing.length > 0) {
			throw new ProfileError(
				`The first line of ${file.name} must name the columns ${COLUMNS.join(", ")}; ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing.`,
			);
		}
		const idAt = head?.record.map((name) => name.trim()).indexOf("callId") ?? -1;
		for (const { record, line } of rows) {
			const path = `${file.name} line ${line}`;
			const wrong = (message: string): void =>
				void (mistakes.length < MAX_MISTAKES && mistakes.push({ path, message }));
			const cells = at.map((column) => (record[column] ?? "").trim());
			const [startedMs, answeredMs, endedMs] = cells.map((cell) => (cell === "" ? undefined : timeOf(cell)));
			const unread = COLUMNS.filter((_, i) => Number.isNaN([startedMs, answeredMs, endedMs][i]));
			const id = record[idAt]?.trim();
			const before = id ? seen.get(id) : undefined;
			if (id) seen.set(id, path);
			if (unread.length > 0) {
				wrong(
					unread
						.map((name) => `${name} is "${cells[COLUMNS.indexOf(name)]}", not a time as in 2026-12-01T14:00:00.000Z`)
						.join("; "),
				);
			} else if (before !== undefined) wrong(`callId ${id} is there twice: first in ${before}`);
			else if (startedMs === undefined) result.notDialed += 1;
			else if (endedMs === undefined) result.withoutEnd += 1;
			else if (endedMs < startedMs) wrong("endedAt is before startedAt");
			else if (answeredMs !== undefined && (answeredMs < startedMs || answeredMs > endedMs)) {
				wrong("answeredAt is not between startedAt and endedAt");
			} else result.calls.push({ startedMs, answeredMs, endedMs });
		}
	}
	if (mistakes.length > 0) throw new ProfileError("The recorded calls cannot be used.", mistakes);
	if (result.calls.length === 0) throw new ProfileError("There is no call in it that was dialed and has ended.");
	return result;
};

import { parse } from "csv-parse/sync";
import { DELIMITERS } from "../contacts/csv.ts";

/** A row of a CSV, and the line on which it ends. */
export interface CsvRow {
	record: string[];
	line: number;
}

/** Rows of a CSV with whatever delimiter its first line has; empty lines are skipped. Throws where it is none. @param trim blanks around the cells */
export const csvRows = (text: string, { trim }: { trim: boolean }): CsvRow[] => {
	const header = text.split("\n", 1)[0] ?? "";
	const found = parse(text, {
		delimiter: DELIMITERS.find((each) => header.includes(each)) ?? ",",
		bom: true,
		trim,
		info: true,
		skip_empty_lines: true,
		relax_column_count: true,
	}) as unknown as { record: string[]; info: { lines: number } }[];
	return found.map(({ record, info }) => ({ record, line: info.lines }));
};

import { type CsvRow, csvRows } from "./csv-rows.ts";

/** A year of hours and a leap day. */
export const MAX_STEPS = 8_784;
/** More than any peak; a figure beyond it is a slip. */
export const MAX_CHANNELS = 1_000_000;

/** A profile that cannot be used: one line for each mistake. */
export class ProfileError extends Error {
	override readonly name = "ProfileError";
	readonly mistakes: readonly { path: string; message: string }[];

	constructor(message: string, mistakes: readonly { path: string; message: string }[] = []) {
		super(message);
		this.mistakes = mistakes;
	}
}

const WHOLE = /^\d{1,9}$/;

const rowsOf = (text: string): CsvRow[] => {
	try {
		return csvRows(text, { trim: true });
	} catch (error) {
		throw new ProfileError(`It is no CSV: ${(error as Error).message}`);
	}
};

/** What is wrong with a row; `before` is the hour of the row before it. */
const mistakesOf = ({ record, line }: CsvRow, [hourAt, channelsAt]: [number, number], before: number | undefined) => {
	const [hour = "", channels = ""] = [record[hourAt], record[channelsAt]];
	const mistakes: string[] = [];
	if (!WHOLE.test(hour)) mistakes.push(`hour is "${hour}": it must be a whole number, counted on from row to row`);
	else if (before !== undefined && Number(hour) !== before + 1) {
		const gap = Number(hour) > before + 1;
		mistakes.push(
			`hour ${hour} follows hour ${before}: ${gap ? `hour ${before + 1} is missing; write 0 channels where there is no demand` : "hours must count on by one"}`,
		);
	}
	if (!WHOLE.test(channels) || Number(channels) > MAX_CHANNELS) {
		mistakes.push(`channels is "${channels}": it must be a whole number from 0 to ${MAX_CHANNELS}`);
	}
	return mistakes.map((message) => ({ path: `line ${line}`, message }));
};

/**
 * Reads a demand profile: a CSV with the columns `hour` and `channels`, one row for each hour, none left out. Throws {@link ProfileError} that names
 * every mistake with its line.
 * @returns channels hour by hour
 */
export const parseProfile = (text: string): number[] => {
	const [first, ...rest] = rowsOf(text);
	if (!first) throw new ProfileError("It is empty.");
	const names = first.record.map((name) => name.toLowerCase());
	const headless = first.record.length === 2 && first.record.every((cell) => /^[-+\d.]+$/.test(cell));
	const at: [number, number] = headless ? [0, 1] : [names.indexOf("hour"), names.indexOf("channels")];
	if (at.includes(-1)) {
		throw new ProfileError(
			`Its first line must name the columns \`hour\` and \`channels\`; it has ${names.map((name) => JSON.stringify(name.slice(0, 40))).join(", ")}.`,
		);
	}
	const rows = headless ? [first, ...rest] : rest;
	if (rows.length === 0) throw new ProfileError("It has no rows below its header.");
	if (rows.length > MAX_STEPS) {
		throw new ProfileError(
			`It has ${rows.length} rows; at most a year of hours, ${MAX_STEPS}, can be planned at once.`,
		);
	}
	const mistakes = rows.flatMap((row, i) => {
		const before = rows[i - 1]?.record[at[0]];
		return mistakesOf(row, at, before !== undefined && WHOLE.test(before) ? Number(before) : undefined);
	});
	if (mistakes.length > 0) throw new ProfileError("The demand profile cannot be used.", mistakes);
	const channels = rows.map((row) => Number(row.record[at[1]]));
	if (channels.every((each) => each === 0)) throw new ProfileError("It has no demand: channels is 0 in every row.");
	return channels;
};

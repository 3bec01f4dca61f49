/** Pure formatting for people. Nothing here writes. */

/** What stands for a value that is not known. */
export const NONE = "-";

/** Control characters of a name or a variable could redraw the terminal: they are shown as `?`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");

export const count = (value: number): string => value.toLocaleString("en-US");

/** A duration: `42 s`, `3:05 min`, `2:03 h`, `3 d 4 h`. @param sec at least 0 */
export const duration = (sec: number): string => {
	const s = Math.max(0, Math.round(sec));
	if (s < 60) return `${s} s`;
	const two = (n: number): string => String(n).padStart(2, "0");
	if (s < 3_600) return `${Math.floor(s / 60)}:${two(s % 60)} min`;
	// Minutes are rounded, not cut: 1 h 59.9 min is 2:00 h.
	const minutes = Math.round(s / 60);
	if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}:${two(minutes % 60)} h`;
	const hours = Math.round(s / 3_600);
	return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

/** An instant in ISO 8601, to the second, in UTC; NONE where it is absent. */
export const instant = (value: string | number | null | undefined): string => {
	if (value === undefined || value === null || value === "") return NONE;
	const date = new Date(value);
	return Number.isNaN(date.getTime()) ? plain(String(value)) : date.toISOString().replace(/\.\d+Z$/, "Z");
};

/** Whole percents; 100 only when all is done, 0 only when nothing is. */
export const percent = (part: number, whole: number): string => {
	if (whole <= 0) return NONE;
	const value = Math.round((part / whole) * 100);
	if (value === 100 && part < whole) return "99 %";
	if (value === 0 && part > 0) return "1 %";
	return `${value} %`;
};

export type Cell = string | number | null | undefined;

/** Aligned columns: numbers to the right, the rest to the left; two blanks between. No trailing blanks. */
export const table = (head: string[], rows: Cell[][]): string => {
	const text = (cell: Cell): string =>
		cell === null || cell === undefined || cell === "" ? NONE : typeof cell === "number" ? count(cell) : plain(cell);
	const lines = [head, ...rows.map((row) => row.map(text))];
	const widths = head.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? "")].length)));
	const right = head.map((_, column) => {
		const cells = rows.map((row) => row[column]).filter((cell) => cell !== null && cell !== undefined && cell !== "");
		return cells.length > 0 && cells.every((cell) => typeof cell === "number");
	});
	return lines
		.map((line) =>
			line
				.map((cell, column) => {
					const pad = " ".repeat((widths[column] ?? 0) - [...cell].length);
					return right[column] ? pad + cell : cell + pad;
				})
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
};

/** Lines of `name  value`, names aligned; undefined values are left out. */
export const facts = (pairs: [string, Cell][]): string => {
	const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
	const width = Math.max(0, ...shown.map(([name]) => name.length));
	return shown
		.map(([name, value]) => `${name.padEnd(width)}  ${typeof value === "number" ? count(value) : plain(String(value))}`)
		.join("\n");
};

/** US dollars: cents; below a dollar as many decimals as there are, to a millionth. */
export const usd = (value: number): string => {
	const cents = Math.abs(value) >= 1 || value === 0;
	return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: cents ? 2 : 6 })}`;
};

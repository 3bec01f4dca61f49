import { globSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/** One section of an Asterisk configuration file, with what its templates gave it in front. */
export interface ConfSection {
	name: string;
	/** In order; keys may repeat. */
	entries: [key: string, value: string][];
}

/** Includes nest no deeper: a file that includes itself must not hang. */
const MAX_DEPTH = 10;

/** The lines of a file with its `#include` and `#tryinclude` in place; none where the file is missing. */
const linesOf = (file: string, etcDir: string, depth = 0): string[] => {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
	return text
		.replace(/;--[\s\S]*?--;/g, "")
		.split("\n")
		.flatMap((line) => {
			const include = /^#(?:try)?include\s+["<]?([^">\s]+)[">]?/.exec(line);
			if (!include) return [line];
			const pattern = include[1] ?? "";
			const path = isAbsolute(pattern) ? pattern : join(etcDir, pattern);
			const files = /[*?[]/.test(path) ? globSync(path).sort() : [path];
			return depth < MAX_DEPTH ? files.flatMap((included) => linesOf(included, etcDir, depth + 1)) : [];
		});
};

/** Comments start at a `;` that is not escaped. */
const withoutComment = (line: string): string =>
	line
		.replace(/(?<!\\);.*$/, "")
		.replaceAll("\\;", ";")
		.trim();

/** Sections of a configuration file in order; templates themselves are left out. Sections of one name stay apart, as pjsip.conf has them. */
export const readConf = (file: string): ConfSection[] => {
	const sections: (ConfSection & { template: boolean })[] = [];
	let current: ConfSection | undefined;
	for (const raw of linesOf(file, dirname(file))) {
		const line = withoutComment(raw);
		const head = /^\[([^\]]+)\]\s*(?:\(([^)]*)\))?/.exec(line);
		if (head) {
			const name = head[1] ?? "";
			const options = (head[2] ?? "").split(",").map((option) => option.trim());
			if (options.includes("+")) {
				current = sections.find((section) => section.name === name);
				continue;
			}
			const entries = options
				.filter((option) => option !== "" && option !== "!")
				.flatMap((parent) => sections.find((section) => section.name === parent)?.entries ?? []);
			const section = { name, entries: [...entries], template: options.includes("!") };
			sections.push(section);
			current = section;
			continue;
		}
		const entry = /^([^=]+?)\s*=>?\s*(.*)$/.exec(line);
		if (entry && current) current.entries.push([entry[1] ?? "", entry[2] ?? ""]);
	}
	return sections.filter((section) => !section.template).map(({ name, entries }) => ({ name, entries }));
};

/** The last value of a key, as Asterisk takes it. */
export const optionOf = (section: ConfSection | undefined, key: string): string | undefined =>
	section?.entries.findLast(([name]) => name === key)?.[1];

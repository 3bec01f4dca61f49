/** Replaces `@NAME@` by its value; a name without a value is an error. */
export const fillIn = (template: string, values: Record<string, string>): string =>
	template.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
		const value = values[name];
		if (value === undefined)
			throw new Error(`The template of Asterisk's configuration asks for @${name}@, which has no value here.`);
		return value;
	});

/** Sets options of one section in the text of an Asterisk configuration file; options that are not there are added. */
export const setOptions = (text: string, section: string, options: Record<string, string>): string => {
	const left = new Map(Object.entries(options));
	const lines = text.split("\n");
	const start = lines.findIndex((line) => line.trim().startsWith(`[${section}]`));
	if (start === -1)
		return [...lines, `[${section}]`, ...[...left].map(([key, value]) => `${key}=${value}`), ""].join("\n");
	const following = lines.findIndex((line, index) => index > start && /^\s*\[/.test(line));
	const end = following === -1 ? lines.length : following;
	const changed = lines.slice(start + 1, end).map((line) => {
		const key = /^\s*([a-z_]+)\s*=/.exec(line)?.[1];
		const value = key === undefined ? undefined : left.get(key);
		if (key === undefined || value === undefined) return line;
		left.delete(key);
		return `${key}=${value}`;
	});
	const added = [...left].map(([key, value]) => `${key}=${value}`);
	return [...lines.slice(0, start + 1), ...added, ...changed, ...lines.slice(end)].join("\n");
};

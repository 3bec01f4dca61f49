import { MAX_VARIABLE_CHARS, MAX_VARIABLES, MAX_VARS_BYTES, VARIABLE_NAME_PATTERN } from "./call.ts";

/** Names told back of variables that were cut: they are the dialplan's text. */
const MAX_SHOWN_NAMES = 20;
const MAX_SHOWN_CHARS = 64;

/** At most so many characters, and never half of one that takes two. */
const shortened = (value: string): string => value.slice(0, MAX_VARIABLE_CHARS).replace(/[\uD800-\uDBFF]$/, "");

/**
 * What a dialplan left with a call, cut to the limits of variables: too long a value is shortened; a variable that has no
 * possible name, is no text or no longer fits is left out. The first ones are kept. Results are never worth an outcome.
 * @returns what is kept, and the names (some of them) of what was shortened or left out
 */
export const cutVars = (given: Readonly<Record<string, unknown>>): { vars: Record<string, string>; cut: string[] } => {
	const vars: Record<string, string> = {};
	const cut: string[] = [];
	let count = 0;
	let bytes = Buffer.byteLength("{}");
	for (const [name, value] of Object.entries(given)) {
		const kept = typeof value === "string" && VARIABLE_NAME_PATTERN.test(name) ? shortened(value) : undefined;
		// Its own two braces do not count; after the first there is a comma.
		const more = kept === undefined ? 0 : Buffer.byteLength(JSON.stringify({ [name]: kept })) - (count > 0 ? 1 : 2);
		const fits = kept !== undefined && count < MAX_VARIABLES && bytes + more <= MAX_VARS_BYTES;
		if (fits) {
			vars[name] = kept;
			count++;
			bytes += more;
		}
		if ((!fits || kept !== value) && cut.length < MAX_SHOWN_NAMES) cut.push(name.slice(0, MAX_SHOWN_CHARS));
	}
	return { vars, cut };
};

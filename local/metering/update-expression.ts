import type { Wire, WireItem } from "./item-size.ts";

/**
 * What an UpdateExpression does to an attribute of an index. Only what a counter of units must know is read: a value that
 * cannot be worked out counts as a change.
 */

export interface UpdateInput {
	UpdateExpression?: string;
	ExpressionAttributeNames?: Record<string, string>;
	ExpressionAttributeValues?: WireItem;
}

/** The value is another than before; which one is not known. */
export const CHANGED: Wire = { changed: true };
/** There may be a value; the statement leaves it as it is. */
export const UNKNOWN: Wire = { unknown: true };

/** Splits at the separator, but not inside parentheses. */
const splitOutside = (text: string, separator: RegExp): string[] => {
	const parts: string[] = [];
	let depth = 0;
	let start = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] === "(") depth++;
		else if (text[i] === ")") depth--;
		else if (depth === 0 && separator.test(text[i] as string)) {
			parts.push(text.slice(start, i));
			start = i + 1;
		}
	}
	parts.push(text.slice(start));
	return parts.map((part) => part.trim()).filter((part) => part !== "");
};

/** The clauses of an expression: keyword and its actions. Attribute names cannot be keywords here: these are reserved. */
const clauses = (expression: string): { keyword: string; actions: string[] }[] =>
	[...expression.matchAll(/(?<![#:.\w])(SET|REMOVE|ADD|DELETE)\s+(.*?)(?=\s+(?:SET|REMOVE|ADD|DELETE)\s|$)/gis)].map(
		([, keyword = "", body = ""]) => ({ keyword: keyword.toUpperCase(), actions: splitOutside(body, /,/) }),
	);

const resolveName = (path: string, input: UpdateInput): string => {
	const name = path.trim();
	return name.startsWith("#") ? (input.ExpressionAttributeNames?.[name] ?? name) : name;
};

const add = (a: Wire | undefined, b: Wire | undefined, sign: number): Wire =>
	typeof a?.["N"] === "string" && typeof b?.["N"] === "string"
		? { N: String(Number(a["N"]) + sign * Number(b["N"])) }
		: CHANGED;

/** Value of what stands right of `=`. */
const evaluate = (text: string, before: WireItem, input: UpdateInput): Wire => {
	const expression = text.trim();
	const [left = "", right] = splitOutside(expression, /[+-]/);
	if (right !== undefined) {
		const sign = expression.slice(left.length).trim().startsWith("-") ? -1 : 1;
		return add(evaluate(left, before, input), evaluate(right, before, input), sign);
	}
	if (expression.startsWith(":")) return input.ExpressionAttributeValues?.[expression] ?? CHANGED;
	const [, path, fallback] = /^if_not_exists\s*\(([^,]+),(.+)\)$/is.exec(expression) ?? [];
	if (path !== undefined && fallback !== undefined) {
		return before[resolveName(path, input)] ?? evaluate(fallback, before, input);
	}
	return before[resolveName(expression, input)] ?? CHANGED;
};

/** Names of the top-level attributes that an update touches. */
export const touchedAttributes = (input: UpdateInput): Set<string> => {
	const touched = new Set<string>();
	for (const { actions } of clauses(input.UpdateExpression ?? "")) {
		for (const action of actions) {
			const [path = ""] = action.split(/[\s=.[]/);
			touched.add(resolveName(path, input));
		}
	}
	return touched;
};

/** The attributes after an update, as far as known, out of those before it. */
export const applyUpdate = (before: WireItem, input: UpdateInput): WireItem => {
	const after: WireItem = { ...before };
	for (const { keyword, actions } of clauses(input.UpdateExpression ?? "")) {
		for (const action of actions) {
			if (keyword === "SET") {
				const at = action.indexOf("=");
				after[resolveName(action.slice(0, at), input)] = evaluate(action.slice(at + 1), before, input);
			} else if (keyword === "REMOVE") {
				delete after[resolveName(action, input)];
			} else {
				const [path = "", value = ""] = action.split(/\s+/);
				const name = resolveName(path, input);
				const operand = input.ExpressionAttributeValues?.[value];
				// ADD to nothing sets it.
				after[name] = keyword !== "ADD" ? CHANGED : before[name] ? add(before[name], operand, 1) : (operand ?? CHANGED);
			}
		}
	}
	return after;
};

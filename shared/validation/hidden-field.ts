import { pathText } from "./details.ts";

const HIDDEN = "__proto__";
/** No schema reaches so deep: what is below is refused for being there at all. */
const MAX_DEPTH = 16;

/**
 * Finds a field named `__proto__` in parsed JSON. Validation passes over such a field without a word (it is no ordinary
 * property), so it would be ignored silently.
 * @returns its path, undefined where there is none
 */
export const findHiddenField = (value: unknown): string | undefined => {
	// A stack of our own: the nesting of a body is the sender's choice.
	const left: { value: object; path: PropertyKey[] }[] = [];
	const look = (child: unknown, path: PropertyKey[]): void => {
		if (typeof child === "object" && child !== null && path.length < MAX_DEPTH) left.push({ value: child, path });
	};
	look(value, []);
	for (let next = left.pop(); next; next = left.pop()) {
		const { value: object, path } = next;
		if (Array.isArray(object)) {
			for (let i = 0; i < object.length; i++) look(object[i], [...path, i]);
			continue;
		}
		if (Object.hasOwn(object, HIDDEN)) return pathText([...path, HIDDEN]);
		for (const [key, child] of Object.entries(object)) look(child, [...path, key]);
	}
	return undefined;
};

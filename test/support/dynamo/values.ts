/** Attribute values as the document client has them: plain JavaScript. */
export type Value = null | string | number | boolean | Uint8Array | Set<unknown> | Value[] | { [name: string]: Value };
export type Attributes = { [name: string]: Value };

/** The service's ValidationException: the statement itself is wrong, whatever stands in the table. */
export class ValidationException extends Error {
	override readonly name = "ValidationException";
	readonly $fault = "client";
	readonly $metadata = { httpStatusCode: 400 };
}
export const invalid = (message: string): never => {
	throw new ValidationException(message);
};

export type AttributeType = "S" | "N" | "B" | "BOOL" | "NULL" | "L" | "M" | "SS" | "NS";
export const typeOf = (value: Value): AttributeType => {
	if (value === null) return "NULL";
	if (typeof value === "string") return "S";
	if (typeof value === "number") return "N";
	if (typeof value === "boolean") return "BOOL";
	if (Array.isArray(value)) return "L";
	if (value instanceof Uint8Array) return "B";
	if (value instanceof Set) return typeof [...value][0] === "number" ? "NS" : "SS";
	return "M";
};

export const isMap = (value: Value | undefined): value is { [name: string]: Value } =>
	value !== undefined && typeOf(value) === "M";

/**
 * A copy, checked as the document client checks what it marshals.
 * @param dropUndefined the client's `removeUndefinedValues`; without it an undefined member is an error
 */
export const copy = (value: unknown, dropUndefined = false): Value => {
	if (value === null || typeof value === "string" || typeof value === "boolean") return value;
	if (typeof value === "number") {
		if (!Number.isFinite(value)) throw new Error(`Special numeric value ${value} is not allowed`);
		return value;
	}
	if (Array.isArray(value))
		return value.filter((each) => !(dropUndefined && each === undefined)).map((each) => copy(each, dropUndefined));
	if (value instanceof Set) {
		if (value.size === 0) invalid("One or more parameter values were invalid: An number set may not be empty");
		return new Set(value);
	}
	if (value instanceof Uint8Array) return value.slice();
	if (typeof value === "object") {
		const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null;
		if (prototype !== null && prototype.constructor?.name !== "Object")
			throw new Error(
				`Unsupported type passed: ${prototype.constructor?.name}. Pass options.convertClassInstanceToMap=true`,
			);
		const map: Attributes = {};
		for (const [name, member] of Object.entries(value)) {
			if (member === undefined) {
				if (dropUndefined) continue;
				throw new Error(
					`Pass options.removeUndefinedValues=true to remove undefined values from map/array/set (${name}).`,
				);
			}
			map[name] = copy(member, dropUndefined);
		}
		return map;
	}
	throw new Error(`Unsupported type passed: ${typeof value}`);
};

export const equal = (a: Value, b: Value): boolean => {
	if (a === b) return true;
	const type = typeOf(a);
	if (type !== typeOf(b)) return false;
	if (type === "L") {
		const [x, y] = [a as Value[], b as Value[]];
		return x.length === y.length && x.every((each, i) => equal(each, y[i] as Value));
	}
	if (type === "M") {
		const [x, y] = [a as Attributes, b as Attributes];
		const names = Object.keys(x);
		return (
			names.length === Object.keys(y).length &&
			names.every((name) => name in y && equal(x[name] as Value, y[name] as Value))
		);
	}
	if (type === "SS" || type === "NS") {
		const [x, y] = [a as Set<unknown>, b as Set<unknown>];
		return x.size === y.size && [...x].every((each) => y.has(each));
	}
	if (type === "B") return Buffer.compare(a as Uint8Array, b as Uint8Array) === 0;
	return false;
};

const SURROGATES = /[\ud800-\uffff]/;

/** Order of two values of one type that has an order (S, N, B); undefined otherwise. Strings in order of their UTF-8 bytes. */
export const compare = (a: Value, b: Value): number | undefined => {
	if (typeof a === "number" && typeof b === "number") return a - b;
	if (typeof a === "string" && typeof b === "string") {
		if (a === b) return 0;
		// Below the surrogates UTF-16 and UTF-8 have the same order.
		if (!SURROGATES.test(a) && !SURROGATES.test(b)) return a < b ? -1 : 1;
		return Buffer.compare(Buffer.from(a), Buffer.from(b));
	}
	if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
	return undefined;
};

const decimals = (value: number): number => {
	const [digits = "", exponent] = String(value).split("e");
	return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent ?? 0));
};
/** The service adds in decimal: 0.1 + 0.2 is 0.3. */
export const addDecimal = (a: number, b: number): number =>
	Number.isInteger(a) && Number.isInteger(b)
		? a + b
		: Number((a + b).toFixed(Math.min(100, Math.max(decimals(a), decimals(b)))));

/** Size of a value as the service counts it, bytes: names and strings in UTF-8, numbers about a byte for two digits. */
export const sizeOf = (value: Value): number => {
	switch (typeOf(value)) {
		case "S":
			return Buffer.byteLength(value as string);
		case "N":
			return 1 + Math.ceil(String(value).replace(/[-.]/g, "").length / 2);
		case "B":
			return (value as Uint8Array).length;
		case "BOOL":
		case "NULL":
			return 1;
		case "L":
			return 3 + (value as Value[]).reduce<number>((sum, each) => sum + 1 + sizeOf(each), 0);
		case "M":
			return (
				3 +
				Object.entries(value as Attributes).reduce(
					(sum, [name, each]) => sum + 1 + Buffer.byteLength(name) + sizeOf(each),
					0,
				)
			);
		default:
			return [...(value as Set<string | number>)].reduce<number>((sum, each) => sum + sizeOf(each), 0);
	}
};
export const itemSize = (item: Attributes): number =>
	Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);

import type { Condition, Operand, Path, UpdateAction, UpdateValue } from "./expressions.ts";
import { type Attributes, addDecimal, compare, copy, equal, invalid, isMap, typeOf, type Value } from "./values.ts";

/** What stands at a path; undefined where nothing does. */
export const valueAt = (item: Attributes | undefined, path: Path): Value | undefined => {
	let value: Value | undefined = item;
	for (const step of path) {
		if (typeof step === "number") value = Array.isArray(value) ? value[step] : undefined;
		else value = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
		if (value === undefined) return undefined;
	}
	return value;
};

const sizeOfValue = (value: Value | undefined): Value | undefined => {
	if (typeof value === "string") return Buffer.byteLength(value);
	if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
	if (value instanceof Set) return value.size;
	return isMap(value) ? Object.keys(value).length : undefined;
};
const operandValue = (operand: Operand, item: Attributes | undefined): Value | undefined => {
	if (operand.kind === "value") return operand.value;
	const value = valueAt(item, operand.path);
	return operand.kind === "size" ? sizeOfValue(value) : value;
};

const compares = (operator: string, left: Value | undefined, right: Value | undefined): boolean => {
	// The service takes a missing attribute for unequal to everything.
	if (operator === "<>") return left === undefined || right === undefined || !equal(left, right);
	if (left === undefined || right === undefined) return false;
	if (operator === "=") return equal(left, right);
	const order = compare(left, right);
	if (order === undefined) return false;
	if (operator === "<") return order < 0;
	if (operator === "<=") return order <= 0;
	return operator === ">" ? order > 0 : order >= 0;
};

/** Whether the condition holds for the item (undefined: there is none). */
export const holds = (condition: Condition, item: Attributes | undefined): boolean => {
	switch (condition.kind) {
		case "and":
			return holds(condition.left, item) && holds(condition.right, item);
		case "or":
			return holds(condition.left, item) || holds(condition.right, item);
		case "not":
			return !holds(condition.inner, item);
		case "compare":
			return compares(condition.operator, operandValue(condition.left, item), operandValue(condition.right, item));
		case "between": {
			const what = operandValue(condition.what, item);
			const low = operandValue(condition.low, item);
			const high = operandValue(condition.high, item);
			if (compares(">", low, high)) {
				invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound");
			}
			return compares(">=", what, low) && compares("<=", what, high);
		}
		case "in": {
			const what = operandValue(condition.what, item);
			return condition.list.some((each) => compares("=", what, operandValue(each, item)));
		}
		case "function": {
			const value = valueAt(item, condition.path);
			const argument = condition.argument && operandValue(condition.argument, item);
			switch (condition.name) {
				case "attribute_exists":
					return value !== undefined;
				case "attribute_not_exists":
					return value === undefined;
				case "attribute_type":
					return value !== undefined && typeOf(value) === argument;
				case "begins_with":
					return typeof value === "string" && typeof argument === "string" && value.startsWith(argument);
				default:
					if (argument === undefined) return false;
					if (typeof value === "string") return typeof argument === "string" && value.includes(argument);
					if (value instanceof Set) return value.has(argument);
					return Array.isArray(value) && value.some((each) => equal(each, argument));
			}
		}
	}
};

const INVALID_PATH = "The document path provided in the update expression is invalid for update";

const computed = (value: UpdateValue, old: Attributes): Value => {
	switch (value.kind) {
		case "value":
			return value.value;
		case "path":
			return (
				valueAt(old, value.path) ??
				invalid("The provided expression refers to an attribute that does not exist in the item")
			);
		case "ifNotExists":
			return valueAt(old, value.path) ?? computed(value.otherwise, old);
		case "listAppend": {
			const [left, right] = [computed(value.left, old), computed(value.right, old)];
			if (!Array.isArray(left) || !Array.isArray(right))
				return invalid("An operand in the update expression has an incorrect data type");
			return [...left, ...right];
		}
		default: {
			const [left, right] = [computed(value.left, old), computed(value.right, old)];
			if (typeof left !== "number" || typeof right !== "number")
				return invalid("An operand in the update expression has an incorrect data type");
			return addDecimal(left, value.kind === "plus" ? right : -right);
		}
	}
};

/** The map or list that holds the path's last step; the service makes no missing parents. */
const parentOf = (item: Attributes, path: Path): { [name: string]: Value } | Value[] => {
	const parent = path.length === 1 ? item : valueAt(item, path.slice(0, -1));
	const last = path.at(-1);
	if (typeof last === "number" ? !Array.isArray(parent) : !isMap(parent)) return invalid(INVALID_PATH);
	return parent as Attributes | Value[];
};
const setAt = (item: Attributes, path: Path, value: Value): void => {
	const parent = parentOf(item, path);
	const last = path.at(-1) as string & number;
	if (Array.isArray(parent)) parent[Math.min(last, parent.length)] = value;
	else parent[last] = value;
};

const added = (before: Value | undefined, value: Value): Value => {
	if (typeof value === "number") {
		if (before === undefined) return value;
		if (typeof before !== "number") return invalid("An operand in the update expression has an incorrect data type");
		return addDecimal(before, value);
	}
	if (!(value instanceof Set))
		return invalid("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD");
	if (before === undefined) return value;
	if (!(before instanceof Set) || typeOf(before) !== typeOf(value))
		return invalid("An operand in the update expression has an incorrect data type");
	return new Set([...before, ...value]);
};

/** The item after the update. Every right-hand side sees the item as it was. */
export const updated = (old: Attributes, actions: UpdateAction[]): Attributes => {
	const item = copy(old) as Attributes;
	const values = actions.map((action) => (action.clause === "SET" ? copy(computed(action.value, old)) : null));
	const removals: Path[] = [];
	actions.forEach((action, i) => {
		if (action.clause === "SET") setAt(item, action.path, values[i] as Value);
		else if (action.clause === "REMOVE") removals.push(action.path);
		else if (action.clause === "ADD") setAt(item, action.path, copy(added(valueAt(old, action.path), action.value)));
		else {
			const before = valueAt(old, action.path);
			if (!(action.value instanceof Set))
				invalid("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE");
			if (before === undefined) return;
			if (!(before instanceof Set)) invalid("An operand in the update expression has an incorrect data type");
			const left = new Set([...(before as Set<unknown>)].filter((each) => !(action.value as Set<unknown>).has(each)));
			if (left.size === 0) removals.push(action.path);
			else setAt(item, action.path, left);
		}
	});
	// Elements of lists from the end, so that indexes mean what they meant before the update.
	removals.sort((a, b) => Number(b.at(-1)) - Number(a.at(-1)) || 0);
	for (const path of removals) {
		const parent = parentOf(item, path);
		const last = path.at(-1) as string & number;
		if (Array.isArray(parent)) {
			if (last < parent.length) parent.splice(last, 1);
		} else delete parent[last];
	}
	return item;
};

/** Only what the paths name, in the item's own shape. */
export const projected = (item: Attributes, paths: Path[]): Attributes => {
	const build = (value: Value, within: Path[]): Value | undefined => {
		if (within.some((path) => path.length === 0)) return copy(value);
		if (Array.isArray(value)) {
			const indexes = [...new Set(within.map((path) => path[0]).filter((step) => typeof step === "number"))].sort(
				(a, b) => a - b,
			);
			const list = indexes.flatMap((index) => {
				const member = value[index];
				if (member === undefined) return [];
				const built = build(
					member,
					within.filter((path) => path[0] === index).map((path) => path.slice(1)),
				);
				return built === undefined ? [] : [built];
			});
			return list.length > 0 ? list : undefined;
		}
		if (!isMap(value)) return undefined;
		const map: Attributes = {};
		for (const name of new Set(within.map((path) => path[0]))) {
			if (typeof name !== "string" || !Object.hasOwn(value, name)) continue;
			const built = build(
				value[name] as Value,
				within.filter((path) => path[0] === name).map((path) => path.slice(1)),
			);
			if (built !== undefined) map[name] = built;
		}
		return Object.keys(map).length > 0 ? map : undefined;
	};
	return (build(item, paths) as Attributes | undefined) ?? {};
};

/** UPDATED_OLD, UPDATED_NEW: the values at the updated paths, in the item's own shape. */
export const updatedPaths = (item: Attributes | undefined, actions: UpdateAction[]): Attributes | undefined => {
	if (!item) return undefined;
	const shown = projected(
		item,
		actions.map((action) => action.path),
	);
	return Object.keys(shown).length > 0 ? shown : undefined;
};

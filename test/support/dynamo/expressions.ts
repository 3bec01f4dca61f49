import { isReserved } from "./reserved-words.ts";
import { invalid, type Value } from "./values.ts";

/** Parses DynamoDB's expressions to trees in which names and values are filled in. */

export type Path = (string | number)[];
export type Operand =
	| { kind: "path"; path: Path }
	| { kind: "value"; value: Value; name: string }
	| { kind: "size"; path: Path };
export type Condition =
	| { kind: "and" | "or"; left: Condition; right: Condition }
	| { kind: "not"; inner: Condition }
	| { kind: "compare"; operator: "=" | "<>" | "<" | "<=" | ">" | ">="; left: Operand; right: Operand }
	| { kind: "between"; what: Operand; low: Operand; high: Operand }
	| { kind: "in"; what: Operand; list: Operand[] }
	| { kind: "function"; name: string; path: Path; argument?: Operand };
export type UpdateValue =
	| { kind: "path"; path: Path }
	| { kind: "value"; value: Value }
	| { kind: "plus" | "minus" | "listAppend"; left: UpdateValue; right: UpdateValue }
	| { kind: "ifNotExists"; path: Path; otherwise: UpdateValue };
export type UpdateAction =
	| { clause: "SET"; path: Path; value: UpdateValue }
	| { clause: "REMOVE"; path: Path }
	| { clause: "ADD" | "DELETE"; path: Path; value: Value };

/** Names and values of one statement; remembers which were used, for the service refuses unused ones. */
export class Placeholders {
	readonly #names: Record<string, string>;
	readonly #values: Record<string, Value>;
	readonly #usedNames = new Set<string>();
	readonly #usedValues = new Set<string>();

	constructor(names: Record<string, string> | undefined, values: Record<string, Value> | undefined) {
		for (const [what, given] of [
			["ExpressionAttributeNames", names],
			["ExpressionAttributeValues", values],
		] as const)
			if (given && Object.keys(given).length === 0) invalid(`${what} must not be empty`);
		this.#names = names ?? {};
		this.#values = values ?? {};
	}

	name(placeholder: string): string {
		const name = this.#names[placeholder];
		if (name === undefined)
			return invalid(
				`Invalid expression: An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
			);
		this.#usedNames.add(placeholder);
		return name;
	}

	value(placeholder: string): Value {
		if (!(placeholder in this.#values))
			return invalid(
				`Invalid expression: An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
			);
		this.#usedValues.add(placeholder);
		return this.#values[placeholder] as Value;
	}

	checkAllUsed(): void {
		const names = Object.keys(this.#names).filter((name) => !this.#usedNames.has(name));
		const values = Object.keys(this.#values).filter((name) => !this.#usedValues.has(name));
		if (values.length > 0)
			invalid(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${values.join(", ")}}`);
		if (names.length > 0)
			invalid(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${names.join(", ")}}`);
	}
}

const TOKEN = /\s*(?:([#:][A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|(<>|<=|>=|[=<>()[\],.+-]))/y;

const tokenCache = new Map<string, string[]>();
const tokensOf = (text: string): string[] => {
	const known = tokenCache.get(text);
	if (known) return known;
	const tokens: string[] = [];
	TOKEN.lastIndex = 0;
	const trimmed = text.trimEnd();
	if (trimmed === "") invalid("Invalid expression: The expression can not be empty;");
	while (TOKEN.lastIndex < trimmed.length) {
		const at = TOKEN.lastIndex;
		const match = TOKEN.exec(trimmed);
		if (!match) invalid(`Invalid expression: Syntax error; token: "${trimmed.slice(at, at + 10)}"`);
		tokens.push((match?.[1] ?? match?.[2] ?? match?.[3] ?? match?.[4]) as string);
	}
	tokenCache.set(text, tokens);
	return tokens;
};

const CONDITION_FUNCTIONS: Record<string, number> = {
	attribute_exists: 1,
	attribute_not_exists: 1,
	attribute_type: 2,
	begins_with: 2,
	contains: 2,
};
const COMPARISONS = ["=", "<>", "<", "<=", ">", ">="];

class Parser {
	readonly #tokens: string[];
	readonly #text: string;
	readonly #place: Placeholders;
	#at = 0;

	constructor(text: string, place: Placeholders) {
		this.#text = text;
		this.#tokens = tokensOf(text);
		this.#place = place;
	}

	get #next(): string | undefined {
		return this.#tokens[this.#at];
	}
	get atEnd(): boolean {
		return this.#at === this.#tokens.length;
	}
	#isWord(word: string): boolean {
		return this.#next?.toUpperCase() === word;
	}
	fail(): never {
		return invalid(`Invalid expression: Syntax error; token: "${this.#next ?? "<EOF>"}", in: ${this.#text}`);
	}
	#take(token: string): void {
		if (this.#next?.toUpperCase() !== token) this.fail();
		this.#at++;
	}

	path(): Path {
		const path: Path = [this.#element()];
		for (;;) {
			if (this.#next === ".") {
				this.#at++;
				path.push(this.#element());
			} else if (this.#next === "[") {
				this.#at++;
				const index = this.#next ?? "";
				if (!/^\d+$/.test(index)) this.fail();
				this.#at++;
				this.#take("]");
				path.push(Number(index));
			} else return path;
		}
	}

	#element(): string {
		const token = this.#next;
		if (token === undefined) return this.fail();
		if (token.startsWith("#")) {
			this.#at++;
			return this.#place.name(token);
		}
		if (!/^[A-Za-z_]/.test(token)) this.fail();
		if (isReserved(token))
			invalid(`Invalid expression: Attribute name is a reserved keyword; reserved keyword: ${token}`);
		this.#at++;
		return token;
	}

	#operand(): Operand {
		const token = this.#next;
		if (token?.startsWith(":")) {
			this.#at++;
			return { kind: "value", value: this.#place.value(token), name: token };
		}
		if (token === "size" && this.#tokens[this.#at + 1] === "(") {
			this.#at += 2;
			const path = this.path();
			this.#take(")");
			return { kind: "size", path };
		}
		return { kind: "path", path: this.path() };
	}

	condition(): Condition {
		let left = this.#and();
		while (this.#isWord("OR")) {
			this.#at++;
			left = { kind: "or", left, right: this.#and() };
		}
		return left;
	}
	#and(): Condition {
		let left = this.#not();
		while (this.#isWord("AND")) {
			this.#at++;
			left = { kind: "and", left, right: this.#not() };
		}
		return left;
	}
	#not(): Condition {
		if (!this.#isWord("NOT")) return this.#primary();
		this.#at++;
		return { kind: "not", inner: this.#not() };
	}
	#primary(): Condition {
		const token = this.#next;
		if (token === "(") {
			this.#at++;
			const inner = this.condition();
			this.#take(")");
			return inner;
		}
		const count = token === undefined ? undefined : CONDITION_FUNCTIONS[token];
		if (token !== undefined && count !== undefined && this.#tokens[this.#at + 1] === "(") {
			this.#at += 2;
			const path = this.path();
			let argument: Operand | undefined;
			if (count === 2) {
				this.#take(",");
				argument = this.#operand();
			}
			this.#take(")");
			return { kind: "function", name: token, path, ...(argument ? { argument } : {}) };
		}
		const left = this.#operand();
		if (this.#isWord("BETWEEN")) {
			this.#at++;
			const low = this.#operand();
			this.#take("AND");
			return { kind: "between", what: left, low, high: this.#operand() };
		}
		if (this.#isWord("IN")) {
			this.#at++;
			this.#take("(");
			const list = [this.#operand()];
			while (this.#next === ",") {
				this.#at++;
				list.push(this.#operand());
			}
			this.#take(")");
			if (list.length > 100) invalid("Invalid expression: IN takes at most 100 operands");
			return { kind: "in", what: left, list };
		}
		const operator = this.#next;
		if (operator === undefined || !COMPARISONS.includes(operator)) return this.fail();
		this.#at++;
		const right = this.#operand();
		for (const each of [left, right])
			if (
				operator !== "=" &&
				operator !== "<>" &&
				each.kind === "value" &&
				!["string", "number"].includes(typeof each.value)
			)
				invalid(`Invalid expression: Incorrect operand type for operator or function; operator: ${operator}`);
		if (left.kind === "path" && right.kind === "path" && JSON.stringify(left.path) === JSON.stringify(right.path))
			invalid(
				"Invalid expression: The first operand must be distinct from the remaining operands for this operator or function",
			);
		return { kind: "compare", operator: operator as "=", left, right };
	}

	update(): UpdateAction[] {
		const actions: UpdateAction[] = [];
		const seen = new Set<string>();
		while (!this.atEnd) {
			const clause = this.#next?.toUpperCase() as UpdateAction["clause"];
			if (!["SET", "REMOVE", "ADD", "DELETE"].includes(clause)) this.fail();
			if (seen.has(clause))
				invalid(`Invalid UpdateExpression: The "${clause}" section can only be used once in an update expression;`);
			seen.add(clause);
			this.#at++;
			for (;;) {
				actions.push(this.#action(clause));
				if (this.#next !== ",") break;
				this.#at++;
			}
		}
		return actions;
	}
	#action(clause: UpdateAction["clause"]): UpdateAction {
		const path = this.path();
		if (clause === "REMOVE") return { clause, path };
		if (clause === "SET") {
			this.#take("=");
			return { clause, path, value: this.#updateValue() };
		}
		const token = this.#next ?? "";
		if (!token.startsWith(":")) this.fail();
		this.#at++;
		return { clause, path, value: this.#place.value(token) };
	}
	#updateValue(): UpdateValue {
		const left = this.#updateOperand();
		const sign = this.#next;
		if (sign !== "+" && sign !== "-") return left;
		this.#at++;
		return { kind: sign === "+" ? "plus" : "minus", left, right: this.#updateOperand() };
	}
	#updateOperand(): UpdateValue {
		const token = this.#next;
		if (token?.startsWith(":")) {
			this.#at++;
			return { kind: "value", value: this.#place.value(token) };
		}
		if (token === "(") {
			this.#at++;
			const inner = this.#updateValue();
			this.#take(")");
			return inner;
		}
		if (this.#tokens[this.#at + 1] === "(") {
			this.#at += 2;
			if (token === "if_not_exists") {
				const path = this.path();
				this.#take(",");
				const otherwise = this.#updateOperand();
				this.#take(")");
				return { kind: "ifNotExists", path, otherwise };
			}
			if (token === "list_append") {
				const left = this.#updateOperand();
				this.#take(",");
				const right = this.#updateOperand();
				this.#take(")");
				return { kind: "listAppend", left, right };
			}
			invalid(`Invalid UpdateExpression: Invalid function name; function: ${token}`);
		}
		return { kind: "path", path: this.path() };
	}

	projection(): Path[] {
		const paths = [this.path()];
		while (this.#next === ",") {
			this.#at++;
			paths.push(this.path());
		}
		return paths;
	}
}

const whole = <T>(parser: Parser, result: T): T => {
	if (!parser.atEnd) parser.fail();
	return result;
};
/** Longest expression, bytes. */
const MAX_EXPRESSION_BYTES = 4096;
const checkLength = (text: string): void => {
	const bytes = Buffer.byteLength(text);
	if (bytes > MAX_EXPRESSION_BYTES) {
		invalid(`Invalid expression: Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
	}
};
export const parseCondition = (text: string, place: Placeholders): Condition => {
	checkLength(text);
	const parser = new Parser(text, place);
	return whole(parser, parser.condition());
};

/** Two paths of one expression where one lies within the other, or where one is a list and the other a map: refused. */
const checkOverlaps = (paths: Path[]): void => {
	for (let i = 0; i < paths.length; i++)
		for (let j = i + 1; j < paths.length; j++) {
			const [a, b] = [paths[i] as Path, paths[j] as Path];
			const shared = Math.min(a.length, b.length);
			let k = 0;
			while (k < shared && a[k] === b[k]) k++;
			if (k === shared)
				invalid(
					`Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${a.join(", ")}], path two: [${b.join(", ")}]`,
				);
			if (typeof a[k] !== typeof b[k])
				invalid(
					`Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [${a.join(", ")}], path two: [${b.join(", ")}]`,
				);
		}
};

export const parseUpdate = (text: string, place: Placeholders): UpdateAction[] => {
	checkLength(text);
	const parser = new Parser(text, place);
	const actions = whole(parser, parser.update());
	checkOverlaps(actions.map((action) => action.path));
	return actions;
};
export const parseProjection = (text: string, place: Placeholders): Path[] => {
	const parser = new Parser(text, place);
	const paths = whole(parser, parser.projection());
	checkOverlaps(paths);
	return paths;
};

/** Every top-level attribute that a condition names. */
export const attributesOf = (condition: Condition): string[] => {
	const ofOperand = (operand: Operand | undefined): string[] =>
		operand === undefined || operand.kind === "value" ? [] : [String(operand.path[0])];
	switch (condition.kind) {
		case "and":
		case "or":
			return [...attributesOf(condition.left), ...attributesOf(condition.right)];
		case "not":
			return attributesOf(condition.inner);
		case "compare":
			return [...ofOperand(condition.left), ...ofOperand(condition.right)];
		case "between":
			return [condition.what, condition.low, condition.high].flatMap(ofOperand);
		case "in":
			return [condition.what, ...condition.list].flatMap(ofOperand);
		case "function":
			return [String(condition.path[0]), ...ofOperand(condition.argument)];
	}
};

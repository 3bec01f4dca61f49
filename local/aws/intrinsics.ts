import { TemplateError } from "./template-error.ts";

/** What a resource is to others: the value of `Ref` and of each attribute. */
export interface ResourceValue {
	ref: string;
	attributes: Record<string, string>;
}

export interface ResolveContext {
	/** `AWS::Region` and the like, and the template's parameters. */
	pseudo: Record<string, string>;
	/** @returns undefined for a resource that has no value locally. */
	resource: (logicalId: string) => ResourceValue | undefined;
	/** The template's conditions, not resolved. */
	conditions?: Record<string, unknown>;
}

/** What `AWS::NoValue` is until its place is left out. */
const NO_VALUE = Symbol("AWS::NoValue");

/** Resolves the intrinsic functions of a CloudFormation value; throws where one has no value locally. */
export const resolveIntrinsics = (value: unknown, context: ResolveContext, where: string): unknown => {
	const resource = (id: string): ResourceValue => {
		const found = context.resource(id);
		if (!found) throw new TemplateError(`${where}: the local stack has no resource ${id}`);
		return found;
	};
	const ref = (id: string): string => context.pseudo[id] ?? resource(id).ref;
	const attribute = (id: string, name: string): string => {
		const found = resource(id).attributes[name];
		if (found === undefined) throw new TemplateError(`${where}: the local stack has no attribute ${id}.${name}`);
		return found;
	};
	const substitute = (text: string, own: Record<string, unknown>): string =>
		text
			.replace(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
				if (name in own) return String(own[name]);
				const dot = name.indexOf(".");
				return dot < 0 ? ref(name) : attribute(name.slice(0, dot), name.slice(dot + 1));
			})
			.replaceAll("${!", "${");
	const go = (node: unknown): unknown => {
		if (Array.isArray(node)) return node.map(go).filter((item) => item !== NO_VALUE);
		if (node === null || typeof node !== "object") return node;
		const entries = Object.entries(node);
		const [name, argument] = entries[0] ?? ["", undefined];
		if (entries.length === 1 && (name === "Ref" || name.startsWith("Fn::"))) return call(name, argument);
		return Object.fromEntries(
			entries.map(([key, item]) => [key, go(item)] as const).filter(([, item]) => item !== NO_VALUE),
		);
	};
	const holds = (condition: string): boolean => {
		if (!Object.hasOwn(context.conditions ?? {}, condition))
			throw new TemplateError(`${where}: the template has no condition ${condition}`);
		return truth(context.conditions?.[condition]);
	};
	const truth = (node: unknown): boolean => {
		const entries = node !== null && typeof node === "object" ? Object.entries(node) : [];
		const [name = "", argument] = entries.length === 1 ? (entries[0] ?? []) : [];
		switch (name) {
			case "Condition":
				return holds(String(argument));
			case "Fn::Equals": {
				const [left, right] = (argument as unknown[]).map((side) => String(go(side)));
				return left === right;
			}
			case "Fn::Not":
				return !truth((argument as unknown[])[0]);
			case "Fn::And":
				return (argument as unknown[]).every(truth);
			case "Fn::Or":
				return (argument as unknown[]).some(truth);
			default:
				throw new TemplateError(
					`${where}: the local stack does not know ${name || JSON.stringify(node)} in a condition`,
				);
		}
	};
	const call = (name: string, argument: unknown): unknown => {
		switch (name) {
			case "Ref":
				return argument === "AWS::NoValue" ? NO_VALUE : ref(String(argument));
			case "Fn::GetAtt": {
				const [id, key] = argument as [string, string];
				return attribute(id, key);
			}
			case "Fn::Sub": {
				const [text, own] = Array.isArray(argument) ? argument : [argument, {}];
				return substitute(String(text), go(own) as Record<string, unknown>);
			}
			case "Fn::Join": {
				const [separator, parts] = argument as [string, unknown];
				return (go(parts) as unknown[]).join(separator);
			}
			case "Fn::Select": {
				const [index, list] = argument as [unknown, unknown];
				return (go(list) as unknown[])[Number(go(index))];
			}
			case "Fn::Split": {
				const [separator, text] = argument as [string, unknown];
				return String(go(text)).split(separator);
			}
			case "Fn::If": {
				const [condition, yes, no] = argument as [string, unknown, unknown];
				return go(holds(condition) ? yes : no);
			}
			case "Fn::Equals":
			case "Fn::Not":
			case "Fn::And":
			case "Fn::Or":
				return truth({ [name]: argument });
			default:
				throw new TemplateError(`${where}: the local stack does not know ${name}`);
		}
	};
	const found = go(value);
	return found === NO_VALUE ? undefined : found;
};

/** Whether a condition of the template holds. */
export const conditionHolds = (name: string, context: ResolveContext, where: string): boolean =>
	resolveIntrinsics({ "Fn::If": [name, true, false] }, context, where) === true;

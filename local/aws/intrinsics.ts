import { TemplateError } from "./template-error.ts";

/** What a resource is to others: the value of `Ref` and of each attribute. */
export interface ResourceValue {
	ref: string;
	attributes: Record<string, string>;
}

export interface ResolveContext {
	/** `AWS::Region` and the like. */
	pseudo: Record<string, string>;
	/** @returns undefined for a resource that has no value locally. */
	resource: (logicalId: string) => ResourceValue | undefined;
}

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
		if (Array.isArray(node)) return node.map(go);
		if (node === null || typeof node !== "object") return node;
		const entries = Object.entries(node);
		const [name, argument] = entries[0] ?? ["", undefined];
		if (entries.length === 1 && (name === "Ref" || name.startsWith("Fn::"))) return call(name, argument);
		return Object.fromEntries(entries.map(([key, item]) => [key, go(item)]));
	};
	const call = (name: string, argument: unknown): unknown => {
		switch (name) {
			case "Ref":
				return ref(String(argument));
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
			default:
				throw new TemplateError(`${where}: the local stack does not know ${name}`);
		}
	};
	return go(value);
};

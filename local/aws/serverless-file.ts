import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { TemplateError } from "./template-error.ts";
import { readYaml } from "./yaml-file.ts";

type Tree = Record<string, unknown>;

export interface Resource {
	Type: string;
	Properties?: Tree;
	[key: string]: unknown;
}

/** serverless.yml with everything it includes; CloudFormation functions are not resolved yet. */
export interface ServerlessFile {
	/** Folder of serverless.yml; handlers are named from there. */
	root: string;
	service: string;
	stage: string;
	provider: Tree;
	functions: Record<string, Tree>;
	resources: Record<string, Resource>;
	/** The template's conditions, not resolved. */
	conditions: Tree;
	/** The template's parameters with their defaults; one without has no value. */
	parameters: Record<string, string>;
}

/** The innermost variable of a text: one of Serverless' sources, never CloudFormation's own `${Name}` of a `Sub`. */
const VARIABLE = /\$\{\s*((?:file\([^(){}]*\)|(?:self|opt|env|sls|aws|param)(?=:))[^${}]*)\}/;

export interface VariableSources {
	stage: string;
	region: string;
	accountId: string;
	env: Record<string, string | undefined>;
	/** Parameters, as `--param` gives them at a deployment. */
	params?: Record<string, string>;
}

const at = (tree: unknown, path: string): unknown =>
	path === "" ? tree : path.split(".").reduce<unknown>((node, key) => (node as Tree | undefined)?.[key], tree);

/** Resolves `${file()}`, `${self:}` and the like in a tree, in place of a running Serverless. */
const expand = (root: string, self: unknown, sources: VariableSources) => {
	const single = (expression: string, where: string): unknown => {
		for (const part of expression.split(",").map((text) => text.trim())) {
			const value = source(part);
			if (value !== undefined && value !== null) return value;
		}
		throw new TemplateError(`${where}: \${${expression}} has no value`);
	};
	const source = (part: string): unknown => {
		const quoted = /^(['"])(.*)\1$/.exec(part);
		if (quoted) return quoted[2];
		if (/^(true|false|\d+)$/.test(part)) return JSON.parse(part);
		const file = /^file\(([^)]*)\)(?::(.*))?$/.exec(part);
		if (file) return tree(at(readYaml(resolve(root, file[1] ?? "")), file[2] ?? ""), file[1] ?? "");
		const [kind, key = ""] = [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)];
		switch (kind) {
			case "self":
				return tree(at(self, key), `self:${key}`);
			case "env":
				return sources.env[key];
			case "sls":
				return key === "stage" ? sources.stage : key === "instanceId" ? "local" : undefined;
			case "opt":
				return key === "stage" ? sources.stage : key === "region" ? sources.region : undefined;
			case "aws":
				return key === "region" ? sources.region : key === "accountId" ? sources.accountId : undefined;
			case "param":
				return sources.params?.[key] ?? at(self, `params.${sources.stage}.${key}`) ?? at(self, `params.default.${key}`);
			default:
				throw new TemplateError(`\${${part}}: the local stack does not know this variable`);
		}
	};
	const text = (value: string, where: string): unknown => {
		let current = value;
		for (let match = VARIABLE.exec(current); match; match = VARIABLE.exec(current)) {
			const found = single(match[1] ?? "", where);
			if (match[0] === current.trim()) return found;
			if (typeof found === "object") throw new TemplateError(`${where}: ${match[0]} is not a text`);
			current = current.replace(match[0], () => String(found));
		}
		return current;
	};
	const tree = (value: unknown, where: string): unknown => {
		if (typeof value === "string") return text(value, where);
		if (Array.isArray(value)) return value.map((item, i) => tree(item, `${where}[${i}]`));
		if (value === null || typeof value !== "object") return value;
		return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tree(item, `${where}.${key}`)]));
	};
	return tree;
};

/** A part that is computed: a CommonJS module that exports what Serverless would call. */
const COMPUTED_PART = /^\$\{file\(([^)]*\.c?js)\)\}$/;

const computedPart = async (root: string, path: string, self: Tree, value: (expression: string) => unknown) => {
	const exported: unknown = createRequire(join(root, "serverless.yml"))(resolve(root, path));
	if (typeof exported !== "function") return exported;
	return exported({
		options: {},
		resolveConfigurationProperty: async (keys: string[]) => at(self, keys.join(".")),
		resolveVariable: async (name: string) => value(name),
	});
};

/** Names of the parameters that serverless.yml has. */
export const readParamNames = (path: string): string[] => {
	const { params = {} } = readYaml(path) as { params?: Record<string, Tree> };
	return [...new Set(Object.values(params).flatMap((stage) => Object.keys(stage)))];
};

/** Reads serverless.yml and all it includes. */
export const readServerlessFile = async (path: string, sources: VariableSources): Promise<ServerlessFile> => {
	const root = dirname(resolve(path));
	const raw = readYaml(path) as Tree;
	const tree = expand(root, raw, sources);
	const { resources: included = [], ...rest } = raw;
	const full = tree(rest, path) as Tree;
	const parts: Tree[] = [];
	for (const part of [included].flat()) {
		const computed = typeof part === "string" ? COMPUTED_PART.exec(part)?.[1] : undefined;
		const value = (name: string) => tree(`\${${name}}`, path);
		parts.push((computed ? await computedPart(root, computed, full, value) : tree(part, path)) as Tree);
	}
	const resources: Record<string, Resource> = {};
	const conditions: Tree = {};
	const parameters: Record<string, string> = {};
	for (const part of parts) {
		Object.assign(conditions, part["Conditions"]);
		for (const [id, parameter] of Object.entries((part["Parameters"] ?? {}) as Record<string, Tree>)) {
			if (parameter["Default"] !== undefined) parameters[id] = String(parameter["Default"]);
		}
		for (const [id, resource] of Object.entries((part["Resources"] ?? {}) as Record<string, Resource>)) {
			if (resources[id]) throw new TemplateError(`${path}: the resource ${id} is defined twice`);
			resources[id] = resource;
		}
	}
	const functions = [full["functions"] ?? {}].flat() as Record<string, Tree>[];
	return {
		root,
		service: String(full["service"]),
		stage: sources.stage,
		provider: (full["provider"] ?? {}) as Tree,
		functions: Object.assign({}, ...functions),
		resources,
		conditions,
		parameters,
	};
};

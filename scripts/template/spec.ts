import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import type { Property, PropertyType, SpecDatabase } from "@aws-cdk/service-spec-types";
import type { Finding, Template } from "./types.ts";

/**
 * Checks a CloudFormation template against the published definitions of resource types, offline: unknown types, properties
 * and values, wrong nesting, missing required properties, references to nothing.
 */

/** Attributes of a resource beside Type and Properties. */
const RESOURCE_ATTRIBUTES = new Set([
	...["Type", "Properties", "DependsOn", "Condition", "Metadata"],
	...["DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy"],
]);
const DELETION_POLICIES = new Set(["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]);
const SECTIONS = new Set([
	...["AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules"],
	...["Transform", "Resources", "Outputs"],
]);
const PSEUDO_PARAMETERS = new Set(
	["AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix"].map(
		(name) => `AWS::${name}`,
	),
);

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** `{ "Ref": … }`, `{ "Fn::…": … }`: its value is known at deployment only. */
const isIntrinsic = (value: unknown): value is Tree => {
	if (!isTree(value)) return false;
	const keys = Object.keys(value);
	return keys.length === 1 && (keys[0] === "Ref" || keys[0] === "Condition" || keys[0]?.startsWith("Fn::") === true);
};

/** Texts that CloudFormation takes for the scalar of a type. */
const isScalar = (value: unknown, type: string): boolean => {
	switch (type) {
		case "string":
		case "date-time":
			return ["string", "number", "boolean"].includes(typeof value);
		case "number":
			return value !== "" && Number.isFinite(Number(value)) && typeof value !== "boolean";
		case "integer":
			return value !== "" && Number.isInteger(Number(value)) && typeof value !== "boolean";
		default:
			return typeof value === "boolean" || value === "true" || value === "false";
	}
};

class SpecCheck {
	readonly findings: Finding[] = [];
	readonly #db: SpecDatabase;
	readonly #template: Template;

	constructor(db: SpecDatabase, template: Template) {
		this.#db = db;
		this.#template = template;
	}

	run(): Finding[] {
		for (const section of Object.keys(this.#template)) {
			if (!SECTIONS.has(section)) this.#report(section, "is no section of a template");
		}
		for (const [id, resource] of Object.entries(this.#template.Resources)) this.#resource(id, resource);
		this.#references(this.#template.Resources, "");
		this.#references(this.#template.Outputs ?? {}, "Outputs");
		return this.findings;
	}

	#report(where: string, problem: string): void {
		this.findings.push({ where, problem });
	}

	#definition(type: string) {
		return this.#db.lookup("resource", "cloudFormationType", "equals", type)[0];
	}

	#resource(id: string, resource: Template["Resources"][string]): void {
		for (const key of Object.keys(resource)) {
			if (!RESOURCE_ATTRIBUTES.has(key)) this.#report(`${id}.${key}`, "is no attribute of a resource");
		}
		for (const key of ["DeletionPolicy", "UpdateReplacePolicy"]) {
			const policy = resource[key];
			if (policy !== undefined && !DELETION_POLICIES.has(String(policy))) this.#report(`${id}.${key}`, "is unknown");
		}
		const condition = resource["Condition"];
		if (condition !== undefined) this.#condition(String(condition), `${id}.Condition`);
		for (const other of [resource.DependsOn ?? []].flat()) {
			if (!this.#template.Resources[other]) this.#report(`${id}.DependsOn`, `there is no resource ${other}`);
		}
		const definition = this.#definition(resource.Type);
		if (!definition) {
			this.#report(id, `${resource.Type} is no type of resource`);
			return;
		}
		this.#properties(resource.Properties ?? {}, definition.properties, id);
	}

	#properties(given: Tree, known: Record<string, Property>, where: string): void {
		for (const [key, value] of Object.entries(given)) {
			const property = known[key];
			if (!property) this.#report(`${where}.${key}`, "is no property here");
			else this.#value(value, [property.type, ...(property.previousTypes ?? [])], `${where}.${key}`);
		}
		for (const [key, property] of Object.entries(known)) {
			if (property.required && given[key] === undefined) this.#report(where, `${key} is required`);
		}
	}

	/** One of the types must fit; where none does, the mistakes against the first are told. */
	#value(value: unknown, types: PropertyType[], where: string): void {
		if (isIntrinsic(value)) return;
		let first: Finding[] | undefined;
		// Some properties are "anything, or a list of …": the second says what is meant.
		const all = types.flatMap((type) => (type.type === "union" ? type.types : [type]));
		const exact = all.filter((type) => type.type === "array" || type.type === "ref" || type.type === "map");
		for (const type of exact.length > 0 ? all.filter((type) => type.type !== "json") : all) {
			const attempt = new SpecCheck(this.#db, this.#template);
			attempt.#one(value, type, where);
			if (attempt.findings.length === 0) return;
			first ??= attempt.findings;
		}
		this.findings.push(...(first ?? []));
	}

	#one(value: unknown, type: PropertyType, where: string): void {
		switch (type.type) {
			case "json":
			case "null":
				return;
			case "tag":
				if (!isTree(value) || !("Key" in value && "Value" in value)) this.#report(where, "must be { Key, Value }");
				return;
			case "array":
				if (!Array.isArray(value)) this.#report(where, "must be a list");
				else for (const [i, item] of value.entries()) this.#value(item, [type.element], `${where}[${i}]`);
				return;
			case "map":
				if (!isTree(value)) this.#report(where, "must be a map");
				else for (const [key, item] of Object.entries(value)) this.#value(item, [type.element], `${where}.${key}`);
				return;
			case "union":
				this.#value(value, type.types, where);
				return;
			case "ref":
				if (!isTree(value)) this.#report(where, "must be an object");
				else this.#properties(value, this.#db.get("typeDefinition", type.reference.$ref).properties, where);
				return;
			default:
				if (!isScalar(value, type.type)) this.#report(where, `must be a ${type.type}`);
				else if ("allowedValues" in type && type.allowedValues && !type.allowedValues.some((v) => v === value)) {
					this.#report(where, `must be one of ${type.allowedValues.join(", ")}`);
				}
		}
	}

	/** Every Ref, GetAtt and Sub must name something that is there. */
	#references(node: unknown, where: string): void {
		if (Array.isArray(node)) {
			for (const [i, item] of node.entries()) this.#references(item, `${where}[${i}]`);
			return;
		}
		if (!isTree(node)) return;
		if (isIntrinsic(node)) this.#intrinsic(node, where);
		for (const [key, item] of Object.entries(node)) this.#references(item, where ? `${where}.${key}` : key);
	}

	#intrinsic(node: Tree, where: string): void {
		const { Ref: ref, "Fn::GetAtt": getAtt, "Fn::Sub": sub, "Fn::If": choice } = node;
		if (Array.isArray(choice)) this.#condition(String(choice[0]), where);
		if (typeof ref === "string") this.#ref(ref, where);
		if (getAtt !== undefined) {
			const [id = "", ...path] = typeof getAtt === "string" ? getAtt.split(".") : (getAtt as string[]);
			this.#attribute(id, path.join("."), where);
		}
		if (sub !== undefined) {
			const [text, own] = (Array.isArray(sub) ? sub : [sub, {}]) as [string, Tree];
			for (const [, name = ""] of text.matchAll(/\$\{([^!}][^}]*)\}/g)) {
				if (name in own) continue;
				const dot = name.indexOf(".");
				if (dot < 0) this.#ref(name, where);
				else this.#attribute(name.slice(0, dot), name.slice(dot + 1), where);
			}
		}
	}

	#condition(name: string, where: string): void {
		const conditions = (this.#template["Conditions"] ?? {}) as Tree;
		if (!(name in conditions)) this.#report(where, `there is no condition ${name}`);
	}

	#ref(name: string, where: string): void {
		const parameters = (this.#template["Parameters"] ?? {}) as Tree;
		if (!this.#template.Resources[name] && !PSEUDO_PARAMETERS.has(name) && !(name in parameters)) {
			this.#report(where, `there is no resource ${name}`);
		}
	}

	#attribute(id: string, attribute: string, where: string): void {
		const resource = this.#template.Resources[id];
		if (!resource) {
			this.#report(where, `there is no resource ${id}`);
			return;
		}
		const known = this.#definition(resource.Type)?.attributes ?? {};
		if (!(attribute in known)) this.#report(where, `${resource.Type} has no attribute ${attribute}`);
	}
}

let loading: Promise<SpecDatabase> | undefined;

/** All mistakes of a template that need no AWS account to be found. */
export const checkAgainstSpec = async (template: Template): Promise<Finding[]> => {
	loading ??= loadAwsServiceSpec();
	return new SpecCheck(await loading, template).run();
};

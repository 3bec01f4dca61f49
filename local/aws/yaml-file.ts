import { readFileSync } from "node:fs";
import { type CollectionTag, parseDocument, Scalar, type ScalarTag, type YAMLMap, type YAMLSeq } from "yaml";
import { TemplateError } from "./template-error.ts";

/** CloudFormation's short forms and the long forms they stand for. */
const SHORT_FORMS: Record<string, string> = {
	Ref: "Ref",
	Condition: "Condition",
	...Object.fromEntries(
		["GetAtt", "Sub", "Join", "Select", "Split", "If", "Not", "And", "Or", "Equals", "FindInMap", "ImportValue"]
			.concat(["Base64", "GetAZs", "Cidr"])
			.map((name) => [name, `Fn::${name}`]),
	),
};

const longForm = (name: string, value: unknown): Record<string, unknown> => ({
	// `!GetAtt Table.Arn` is `Fn::GetAtt: [Table, Arn]`.
	[name]:
		name === "Fn::GetAtt" && typeof value === "string"
			? [value.slice(0, value.indexOf(".")), value.slice(value.indexOf(".") + 1)]
			: value,
});

const customTags = Object.entries(SHORT_FORMS).flatMap(([short, long]): (ScalarTag | CollectionTag)[] => [
	{ tag: `!${short}`, resolve: (text: string) => longForm(long, text) },
	{
		tag: `!${short}`,
		collection: "seq",
		resolve: (node) => new Scalar(longForm(long, (node as YAMLSeq).toJSON())),
	},
	{
		tag: `!${short}`,
		collection: "map",
		resolve: (node) => new Scalar(longForm(long, (node as YAMLMap).toJSON())),
	},
]);

/** A YAML file with CloudFormation's tags in their long forms. Throws a {@link TemplateError} that names file and line. */
export const readYaml = (path: string): unknown => {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (cause) {
		throw new TemplateError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
	}
	const document = parseDocument(text, { customTags: customTags as never });
	const [problem] = [...document.errors, ...document.warnings];
	if (problem) throw new TemplateError(`${path}: ${problem.message}`, { cause: problem });
	return document.toJS();
};

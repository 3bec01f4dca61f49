/** As much of a CloudFormation template as the checks look at. */
export interface TemplateResource {
	Type: string;
	Properties?: Record<string, unknown>;
	DependsOn?: string | string[];
	[attribute: string]: unknown;
}
export interface Template {
	Resources: Record<string, TemplateResource>;
	Outputs?: Record<string, unknown>;
	[section: string]: unknown;
}

/** Something wrong with a template: where it is, and what. */
export interface Finding {
	/** Logical id and path, for example `ContactsTable.GlobalSecondaryIndexes[0].Projection`. */
	where: string;
	problem: string;
}

export const showFindings = (findings: Finding[]): string =>
	findings.map(({ where, problem }) => `${where}: ${problem}`).join("\n");

/** Resources of one type with their logical ids. */
export const resourcesOf = (template: Template, type: string): [string, TemplateResource][] =>
	Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

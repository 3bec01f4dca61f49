import type { Definitions } from "./definitions.ts";
import type { ServerlessFile } from "./serverless-file.ts";
import { TemplateError } from "./template-error.ts";

type Tree = Record<string, unknown>;

/** A rule of EventBridge that the deployment defines: which events it takes and where it sends them. */
export interface EventRule {
	logicalId: string;
	pattern: Tree;
	/** Names of queues. */
	queues: string[];
}

const RULE_PROPERTIES = new Set(["Name", "Description", "EventPattern", "State", "Targets", "EventBusName"]);
/** What changes nothing here: a queue takes a message or the stack says so. */
const TARGET_PROPERTIES = new Set(["Id", "Arn", "RetryPolicy", "DeadLetterConfig"]);

const unknownIn = (tree: Tree, known: ReadonlySet<string>): string[] =>
	Object.keys(tree).filter((key) => !known.has(key));

/** Only literals: a filter (`prefix`, `anything-but` …) that is not known would silently match nothing. */
const checkPattern = (pattern: unknown, where: string): Tree => {
	if (pattern === null || typeof pattern !== "object" || Array.isArray(pattern) || Object.keys(pattern).length === 0)
		throw new TemplateError(`${where}: an event pattern is an object that is not empty`);
	for (const [key, value] of Object.entries(pattern)) {
		const literals = Array.isArray(value) && value.every((one) => one === null || typeof one !== "object");
		if (literals && value.length > 0) continue;
		if (Array.isArray(value)) throw new TemplateError(`${where}.${key}: the local stack knows lists of values only`);
		checkPattern(value, `${where}.${key}`);
	}
	return pattern as Tree;
};

/** Reads the rules that send events to queues. */
export const readEventRules = (file: ServerlessFile, definitions: Definitions): EventRule[] => {
	const nameOf = new Map(definitions.queues.map(({ logicalId, name }) => [logicalId, name]));
	const queueOfArn = (arn: unknown, where: string): string => {
		const name = String(arn).slice(String(arn).lastIndexOf(":") + 1);
		if (!String(arn).startsWith("arn:aws:sqs:") || ![...nameOf.values()].includes(name))
			throw new TemplateError(`${where}: the local stack sends events to the template's queues only, not to ${arn}`);
		return name;
	};
	return Object.entries(file.resources).flatMap(([logicalId, resource]) => {
		if (resource.Type !== "AWS::Events::Rule" || !definitions.exists(logicalId)) return [];
		const properties = definitions.resolve(resource.Properties ?? {}, logicalId) as Tree;
		const strange = unknownIn(properties, RULE_PROPERTIES);
		if (strange.length > 0)
			throw new TemplateError(`${logicalId}: the local stack does not know ${strange.join(", ")}`);
		if (properties["State"] === "DISABLED") return [];
		const bus = properties["EventBusName"];
		if (bus !== undefined && bus !== "default")
			throw new TemplateError(`${logicalId}: there is no event bus ${bus} here`);
		const targets = (properties["Targets"] ?? []) as Tree[];
		const queues = targets.map((target, i) => {
			const where = `${logicalId}.Targets[${i}]`;
			const more = unknownIn(target, TARGET_PROPERTIES);
			if (more.length > 0) throw new TemplateError(`${where}: the local stack does not know ${more.join(", ")}`);
			return queueOfArn(target["Arn"], where);
		});
		return [{ logicalId, pattern: checkPattern(properties["EventPattern"], `${logicalId}.EventPattern`), queues }];
	});
};

/** Whether an event is one that the pattern describes, by EventBridge's rules: all fields, any of their values. */
export const matchesEvent = (pattern: Tree, event: Tree): boolean =>
	Object.entries(pattern).every(([key, wanted]) => {
		const value = event[key];
		if (!Array.isArray(wanted)) {
			return value !== null && typeof value === "object" && matchesEvent(wanted as Tree, value as Tree);
		}
		const values = Array.isArray(value) ? value : [value ?? null];
		return values.some((one) => wanted.includes(one));
	});

import type { z } from "zod";
import { badRequest, type ErrorDetail } from "../contract/errors.ts";

type Issue = z.core.$ZodIssue;

/** `["contacts", 3, "number"]` → `contacts[3].number`. */
export const pathText = (path: readonly PropertyKey[]): string =>
	path.reduce<string>((text, part) => {
		if (typeof part === "number") return `${text}[${part}]`;
		return text === "" ? String(part) : `${text}.${String(part)}`;
	}, "");

/** More mistakes than this help nobody. */
const MAX_DETAILS = 50;
/** Names of fields come from the request: cut before they are shown. */
const MAX_PATH_CHARS = 120;

/** Whether an alternative of a union was meant: its fields are all there and none is foreign. */
const wasMeant = (branch: Issue[]): boolean =>
	branch.every(
		(issue) =>
			issue.code !== "unrecognized_keys" &&
			issue.path.length > 0 &&
			!(issue.code === "invalid_type" && issue.input === undefined),
	);

const expand = (issue: Issue, prefix: readonly PropertyKey[]): ErrorDetail[] => {
	const path = [...prefix, ...issue.path];
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => ({ path: pathText([...path, key]), message: "is not a known field" }));
	}
	if (issue.code === "invalid_union") {
		const meant = issue.errors.filter(wasMeant);
		if (meant.length === 1 && meant[0]) return meant[0].flatMap((inner) => expand(inner, path));
	}
	if (issue.code === "invalid_key") {
		return [{ path: pathText(path), message: issue.issues.map((inner) => inner.message).join("; ") }];
	}
	return [{ path: pathText(path), message: issue.message }];
};

/** The mistakes of a value, each with its place. */
export const detailsOf = (error: z.ZodError, prefix: readonly PropertyKey[] = []): ErrorDetail[] =>
	error.issues
		.flatMap((issue) => expand(issue, prefix))
		.slice(0, MAX_DETAILS)
		.map(({ path, message }) => ({ path: path.slice(0, MAX_PATH_CHARS), message }));

/** The value as the schema has it; throws 400 with every mistake and its place. */
export const parseOrRefuse = <S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> => {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const details = detailsOf(parsed.error);
	const first = details[0];
	const where = first?.path ? `${first.path}: ` : "";
	throw badRequest(`The ${what} has ${details.length} mistake(s): ${where}${first?.message ?? ""}`, details);
};

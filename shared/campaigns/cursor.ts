import type { z } from "zod";
import { badRequest } from "../contract/errors.ts";

/** Where a list goes on, as text for the caller to send back. It holds no secret and is checked when it comes. */
export const writeCursor = (value: Record<string, unknown>): string =>
	Buffer.from(JSON.stringify(value)).toString("base64url");

/** Throws 400 for anything that {@link writeCursor} did not write. */
export const readCursor = <S extends z.ZodType>(schema: S, text: string | undefined): z.output<S> | undefined => {
	if (text === undefined) return undefined;
	let value: unknown;
	try {
		value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
	} catch {
		value = undefined;
	}
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	throw badRequest("The cursor is not one of this list. Begin again without it.", [
		{ path: "cursor", message: "is not one of this list" },
	]);
};

import type { z } from "zod";
import { contactRowSchema } from "../../shared/contract/campaign.ts";

/** A row of a list: its component, and how it stands in NDJSON and in CSV. */
export interface ListRow {
	name: string;
	schema: z.ZodType;
	ndjson: string;
	csv: string;
}
/** In the campaign each row is checked by itself. */
export const CONTACT_ROW: ListRow = {
	name: "Contact",
	schema: contactRowSchema,
	ndjson: "One contact as JSON on each line.",
	csv: "A header with the column number; if wanted id, number_2 to number_5 with kind, kind_2 to kind_5 beside them, time_zone, consent_at and consent_kind. Every other column is a variable, and every column whose name begins with `vars.`.",
};

/** One route of the API as the document describes it. */
export interface DocumentedRoute {
	method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
	/** As in serverless.yml. */
	path: string;
	summary: string;
	/** Whose token is needed. */
	token: "operator" | "host" | "none";
	/** Name of the component and its schema. */
	body?: { name: string; schema: z.ZodType; note?: string };
	/** The body is a list in one of three formats; of what. */
	listBody?: ListRow;
	answers: { status: number; name?: string; schema?: z.ZodType; description: string; csv?: boolean }[];
	/** Takes `Idempotency-Key`. */
	creates?: boolean;
	/** Takes `limit` and `cursor`. */
	paged?: boolean;
	/** Takes `fromLine` and `more`. */
	resumed?: boolean;
}

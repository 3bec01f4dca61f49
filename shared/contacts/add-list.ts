import { numberRuleFor } from "../campaigns/check-campaign.ts";
import { MAX_REJECTED_IN_ANSWER, refuseEmptyList } from "../campaigns/create.ts";
import { badRequest, unprocessable } from "../contract/errors.ts";
import { campaignForContacts } from "./begin-import.ts";
import type { ImportState } from "./import-items.ts";
import { importList, type ListReport } from "./import-list.ts";
import { parseList } from "./parse.ts";
import type { ApiDeps } from "./ports.ts";
import { type CheckedList, checkRows } from "./rows.ts";
import { ListError, type ListFormat } from "./split.ts";

const FORMATS: Record<string, ListFormat> = {
	"application/json": "json",
	"application/x-ndjson": "ndjson",
	"application/ndjson": "ndjson",
	"text/csv": "csv",
};

/** The format that a Content-Type names; throws 400 for others and for other charsets than UTF-8. */
export const formatOfType = (contentType: string | undefined): ListFormat => {
	const [type = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim().toLowerCase());
	const format = FORMATS[type];
	if (!format) {
		throw badRequest(
			`The Content-Type ${type ? `"${type.slice(0, 80)}"` : "(none)"} is no list. Send application/json (an array), application/x-ndjson or text/csv.`,
		);
	}
	const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
	if (charset && !["utf-8", "utf8", "us-ascii", '"utf-8"'].includes(charset)) {
		throw badRequest(`The charset "${charset.slice(0, 40)}" is not taken. Send UTF-8.`);
	}
	return format;
};

/** Reads and checks the list of `POST /v1/campaigns/{id}/contacts` without storing anything; throws 400, 404, 409 or 422. */
export const checkList = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	contentType: string | undefined,
	body: Uint8Array,
): Promise<CheckedList> => {
	const format = formatOfType(contentType);
	const campaign = await campaignForContacts(deps, tenant, campaignId);
	const rule = await numberRuleFor(deps, tenant, campaign);
	let list: CheckedList;
	try {
		list = checkRows(rule, parseList(body, format), MAX_REJECTED_IN_ANSWER);
	} catch (error) {
		if (!(error instanceof ListError)) throw error;
		if (format === "json") throw badRequest(error.message, [{ path: "", message: error.message }]);
		throw unprocessable("listNotReadable", error.message, [{ path: "", message: error.message }]);
	}
	if (list.rows.length + list.rejectedCount === 0) {
		throw unprocessable("listNotReadable", "The list has no rows.");
	}
	refuseEmptyList(list);
	return list;
};

export type AddedList = ListReport & Pick<ImportState, "importId" | "state">;

/** Adds a checked list. `state` is `done`, or `open` while the import function stores it; then the figures are in GET campaign. */
export const addList = async (
	deps: ApiDeps,
	tenant: string,
	campaignId: string,
	importId: string,
	list: CheckedList,
): Promise<AddedList> => {
	const { item, report } = await importList(deps, tenant, campaignId, importId, list, false);
	return { importId, state: item.state, ...report };
};

import {
	callingPolicySchema,
	optOutSchema,
	suppressedRowSchema,
	suppressionListSchema,
} from "../../shared/contract/suppression.ts";
import type { DocumentedRoute, ListRow } from "./documented-route.ts";

/** Who must not be called, and how often anybody may be. */

const SUPPRESSED_ROW: ListRow = {
	name: "SuppressedNumber",
	schema: suppressedRowSchema,
	ndjson: "One number as JSON on each line: a text, or an object with one in `number`.",
	csv: "A header with the column number; nothing else is read.",
};

export const SUPPRESSION_ROUTES: readonly DocumentedRoute[] = [
	{
		method: "GET",
		path: "/v1/suppression",
		summary: "Lists the suppression lists (do-not-call lists), with their age.",
		token: "operator",
		answers: [
			{
				status: 200,
				description: "`{ items: [{ name, scope, kind, maxAgeDays, count, updatedAt, ageDays, stale }], cursor }`.",
			},
		],
	},
	{
		method: "PUT",
		path: "/v1/suppression/{list}",
		summary: "Creates a suppression list, or changes for whom it is in force; its numbers stay.",
		token: "operator",
		body: { name: "SuppressionList", schema: suppressionListSchema },
		answers: [
			{ status: 200, description: "The list, changed." },
			{ status: 201, description: "The list, new and empty." },
		],
	},
	{
		method: "DELETE",
		path: "/v1/suppression/{list}",
		summary: "Deletes a suppression list: it binds nobody any more. Not `opt-outs`.",
		token: "operator",
		answers: [{ status: 200, description: "What it was." }],
	},
	{
		method: "POST",
		path: "/v1/suppression/{list}/numbers",
		summary: "Adds numbers; those the list has already are left as they are. May be repeated at will.",
		token: "operator",
		listBody: SUPPRESSED_ROW,
		answers: [
			{
				status: 200,
				description:
					"`{ added, already, privateNumbers, rejected: [{ line, number, reason }], rejectedCount, complete }`. A long list may need more time than a request has: where `complete` is false, send the same body again with `fromLine` = `nextLine`.",
			},
		],
		resumed: true,
	},
	{
		method: "DELETE",
		path: "/v1/suppression/{list}/numbers/{number}",
		summary: "Takes a number off a list.",
		token: "operator",
		answers: [{ status: 200, description: "`{ list, number, since }`: what it was." }],
	},
	{
		method: "GET",
		path: "/v1/suppression/numbers/{number}",
		summary: "Why a number is not called: the lists it is on, and the recent calls to it.",
		token: "operator",
		answers: [
			{
				status: 200,
				description:
					"`{ number, lists: [{ list, scope, since, addedBy }], staleLists, calls: [time], waitUntil }`; the newest call first.",
			},
		],
	},
	{
		method: "POST",
		path: "/v1/opt-outs",
		summary: "Nobody calls the number again, from the next grant on. May be repeated at will.",
		token: "operator",
		body: { name: "OptOut", schema: optOutSchema },
		answers: [
			{ status: 200, description: "It had opted out already: `{ number, list, since, already }`." },
			{ status: 201, description: "`{ number, list, since, already }`." },
		],
	},
	{
		method: "GET",
		path: "/v1/calling-policy",
		summary: "What holds for the calls of every campaign.",
		token: "operator",
		answers: [{ status: 200, description: "The policy.", name: "CallingPolicy", schema: callingPolicySchema }],
	},
	{
		method: "PUT",
		path: "/v1/calling-policy",
		summary: "Replaces what holds for the calls of every campaign; in force within 10 s.",
		token: "operator",
		body: { name: "CallingPolicy", schema: callingPolicySchema },
		answers: [{ status: 200, description: "The policy." }],
	},
];

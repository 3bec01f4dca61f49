import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { readCampaign } from "../contacts/import-items.ts";
import type { AmdResult } from "../contract/call.ts";
import { notFound } from "../contract/errors.ts";
import { formatCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { type CampaignItem, type ContactItem, type HistoryEntry, shardKey } from "../store/items.ts";
import { trunkIdAt } from "../sync/lanes.ts";
import { readCursor, writeCursor } from "./cursor.ts";

/** A call as the API shows it: one attempt that ended. Times are ISO 8601 with milliseconds. */
export interface CallRecord {
	callId: string;
	contactId: string;
	/** The one that was dialed, of several. */
	number: string;
	/** What that number is, as given with the contact. */
	kind: string | null;
	attempt: number;
	hostId: string;
	trunk: string;
	outcome: string;
	/** Q.850 hangup cause. */
	cause: number | null;
	sipCode: number | null;
	startedAt: string | null;
	ringingAt: string | null;
	answeredAt: string | null;
	endedAt: string | null;
	vars: Record<string, string>;
	/** Answering machines: what was found; only where the call was listened to, or should have been. */
	amd?: {
		verdict: AmdResult["verdict"];
		/** AMD()'s AMDCAUSE. */
		cause: string | null;
		/** From the answer to the verdict, ms. */
		decidedMs: number | null;
		/** From the answer until the greeting was over, ms, and how that was noticed; null where it was not waited for. */
		greetingMs: number | null;
		greetingEnd: "silence" | "beep" | "limit" | null;
	};
	/** What the host reported after the call had been given up as lost. */
	lateOutcome?: string;
}

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

const amdOf = (amd: NonNullable<HistoryEntry["amd"]>): NonNullable<CallRecord["amd"]> => ({
	verdict: amd.v,
	cause: amd.c ?? null,
	decidedMs: amd.d ?? null,
	greetingMs: amd.g ?? null,
	greetingEnd: amd.e ?? null,
});

const recordOf = (
	campaign: Pick<CampaignItem, "campaignId" | "trunk" | "trunks">,
	contact: ContactItem,
	attempt: number,
	entry: HistoryEntry,
): CallRecord => {
	// An end that needed no look at the contact does not say which number it was; it stays the last one.
	const index = entry.n ?? (entry.fin ? contact.ni : undefined) ?? 0;
	const dialed = contact.nums?.[index] ?? { number: contact.number, kind: contact.kind };
	const [hostId = "", epoch, seq] = entry.lease.split("#");
	return {
		callId: formatCallId({
			...(entry.tr ? { trunkIndex: entry.tr } : {}),
			campaignId: campaign.campaignId,
			contactKey: contact.contactKey,
			attempt,
			ver: entry.ver,
			epoch: Number(epoch),
			seq: Number(seq),
		}),
		contactId: contact.contactId,
		number: dialed.number,
		kind: dialed.kind ?? null,
		attempt,
		hostId,
		trunk: trunkIdAt(campaign, entry.tr) ?? campaign.trunk,
		outcome: entry.o,
		cause: entry.cause ?? null,
		sipCode: entry.sip ?? null,
		startedAt: iso(entry.t0),
		ringingAt: iso(entry.t1),
		answeredAt: iso(entry.t2),
		endedAt: iso(entry.t3),
		vars: entry.vars ?? {},
		...(entry.amd === undefined ? {} : { amd: amdOf(entry.amd) }),
		...(entry.late === undefined ? {} : { lateOutcome: entry.late }),
	};
};

/** The calls of one contact, first attempt first. */
export const recordsOf = (campaign: Pick<CampaignItem, "campaignId" | "trunk">, contact: ContactItem): CallRecord[] =>
	Object.entries(contact.hist ?? {})
		.map(([attempt, entry]) => recordOf(campaign, contact, Number(attempt), entry))
		.sort((a, b) => a.attempt - b.attempt);

export const callsQuerySchema = z.strictObject({
	limit: z.coerce.number().int().min(1).max(5_000).default(500),
	cursor: z.string().max(500).optional(),
});

/** The contact after which the list goes on. */
const cursorSchema = z.strictObject({
	shard: z.int().min(0).max(1_000),
	after: z
		.string()
		.regex(/^[0-9a-z]{16}$/)
		.optional(),
});

/** An answer stays below 4 MB; a contact's records are never torn apart. */
const MAX_ANSWER_BYTES = 3_000_000;
/** Contacts read at once, and how often for one answer: contacts not called yet are read and left out. */
const READ_CONTACTS = 1_000;
const MAX_READS = 20;

/** Call records of a campaign, in no order of time; throws 404. The cursor is null when there are no more. */
export const listCalls = async (
	deps: Deps,
	tenant: string,
	campaignId: string,
	query: z.output<typeof callsQuerySchema>,
): Promise<{ items: CallRecord[]; cursor: string | null }> => {
	const campaign = await readCampaign(deps, tenant, campaignId);
	if (!campaign) throw notFound("campaign", campaignId);
	let { shard, after } = readCursor(cursorSchema, query.cursor) ?? { shard: 0, after: undefined };
	const items: CallRecord[] = [];
	let bytes = 0;
	for (let reads = 0; shard < campaign.shards && reads < MAX_READS; reads++) {
		const key = shardKey(tenant, campaignId, shard);
		const answer = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.contacts,
				ConsistentRead: true,
				KeyConditionExpression: `shardKey = :shard${after ? " AND contactKey > :after" : ""}`,
				FilterExpression: "attribute_exists(hist)",
				ExpressionAttributeValues: { ":shard": key, ...(after ? { ":after": after } : {}) },
				Limit: READ_CONTACTS,
			}),
		);
		for (const contact of (answer.Items ?? []) as ContactItem[]) {
			const records = recordsOf(campaign, contact);
			items.push(...records);
			bytes += Buffer.byteLength(JSON.stringify(records));
			after = contact.contactKey;
			if (items.length >= query.limit || bytes >= MAX_ANSWER_BYTES) {
				return { items, cursor: writeCursor({ shard, after }) };
			}
		}
		after = answer.LastEvaluatedKey ? String(answer.LastEvaluatedKey["contactKey"]) : undefined;
		if (after === undefined) shard++;
	}
	return { items, cursor: shard < campaign.shards ? writeCursor({ shard, ...(after ? { after } : {}) }) : null };
};

const COLUMNS = [
	"callId",
	"contactId",
	"number",
	"attempt",
	"hostId",
	"trunk",
	"outcome",
	"cause",
	"sipCode",
	"startedAt",
	"ringingAt",
	"answeredAt",
	"endedAt",
	"vars",
	"lateOutcome",
	"kind",
] as const;
/** Members of `amd`, each a column of its own. */
const AMD_COLUMNS = ["verdict", "cause", "decidedMs", "greetingMs", "greetingEnd"] as const;
const HEADER = [...COLUMNS, ...AMD_COLUMNS.map((name) => `amd${name.charAt(0).toUpperCase()}${name.slice(1)}`)];
const cellsOf = (item: CallRecord): unknown[] => [
	...COLUMNS.map((column) => item[column]),
	...AMD_COLUMNS.map((column) => item.amd?.[column]),
];

const cell = (value: unknown): string => {
	const text =
		value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** The records as CSV (RFC 4180) with a header; variables are one column of JSON. */
export const callsCsv = (items: CallRecord[]): string =>
	[HEADER.join(","), ...items.map((item) => cellsOf(item).map(cell).join(","))].map((line) => `${line}\r\n`).join("");

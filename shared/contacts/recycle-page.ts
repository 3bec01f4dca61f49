import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { From } from "../contract/campaign.ts";
import type { Deps } from "../deps.ts";
import type { NumberRule } from "../numbers/check.ts";
import { batchGet, getItem } from "../store/db.ts";
import { type CampaignItem, type ContactItem, campaignKey, shardKey, shardOf } from "../store/items.ts";
import { type Chunk, importKind, MAX_REJECTED_PER_CHUNK, putOnce } from "./import-items.ts";
import { badNumbers, type GoodRow, numbersPart, type RejectedRow, rejectedRow } from "./rows.ts";

/** After which contact of another campaign a page begins. */
export interface PageStart {
	shard: number;
	/** Absent: at the shard's first. */
	after?: string | undefined;
}

/**
 * Which contacts of another campaign a chunk of an import consists of. Written once, before the first of them is stored, so that a repeat of the
 * chunk stores the same ones although others have ended meanwhile. Kept beside the campaign's own items, which are read whole all the time.
 */
export interface RecyclePage extends Record<string, unknown> {
	campaign: string;
	kind: string;
	keys: string[];
	/** Of the other campaign. */
	shards: number;
	/** Contacts that ended so and that the trunk may not dial. */
	rejected: RejectedRow[];
	rejectedCount: number;
	/** Where the next page begins; null where this is the last one. */
	next: PageStart | null;
}

/** Keys of a page: 16 bytes each, and an item takes 400 KB. */
const MAX_PAGE_KEYS = 10_000;

const pageKey = (tenant: string, campaignId: string, importId: string, n: number) => ({
	...campaignKey(tenant, `${campaignId}#pages`),
	kind: `${importKind(importId)}#PAGE#${String(n).padStart(7, "0")}`,
});

export const readPage = (
	deps: Deps,
	tenant: string,
	campaignId: string,
	importId: string,
	n: number,
): Promise<RecyclePage | undefined> =>
	getItem<RecyclePage>(deps.db, deps.tables.campaigns, pageKey(tenant, campaignId, importId, n));

/** Whether a page holds anything; the last one of all may not. */
export const isChunk = (page: RecyclePage): boolean => page.keys.length + page.rejectedCount > 0;

/** Where a contact stood in its list: it keeps its place, and a rejected one is found by it. */
const lineOf = (contact: Pick<ContactItem, "imp">): number =>
	Number(contact.imp.slice(contact.imp.lastIndexOf("#") + 1));

type Ended = Pick<ContactItem, "contactKey" | "number" | "nums" | "kind" | "imp">;
const numbersOf = ({ nums, number, kind }: Pick<Ended, "number" | "nums" | "kind">) =>
	nums ?? [{ number, ...(kind === undefined ? {} : { kind }) }];

/** What one look at another campaign's contacts found. */
type Found = Pick<RecyclePage, "keys" | "rejected" | "rejectedCount" | "next">;

/** Reads contacts that ended so, strongly and from the table itself, until a page is full, the end is reached, or the time is up. */
const look = async (
	deps: Deps,
	source: CampaignItem,
	{ outcomes }: From,
	rule: NumberRule,
	start: PageStart,
	deadline: number,
): Promise<Found> => {
	const wanted = Object.fromEntries([...new Set(outcomes)].map((outcome, i) => [`:o${i}`, outcome]));
	const max = Math.min(deps.settings.importChunkRows, MAX_PAGE_KEYS);
	// Half a page at a time: what is read is taken whole, so nothing is read twice, whatever the share of contacts that ended so.
	const atOnce = Math.ceil(max / 2);
	const found: Found = { keys: [], rejected: [], rejectedCount: 0, next: start };
	do {
		const { shard, after } = found.next as PageStart;
		const answer = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.contacts,
				ConsistentRead: true,
				KeyConditionExpression: `shardKey = :shard${after === undefined ? "" : " AND contactKey > :after"}`,
				FilterExpression: `#state = :done AND #outcome IN (${Object.keys(wanted).join(", ")})`,
				ProjectionExpression: "contactKey, #number, nums, #kind, imp",
				ExpressionAttributeNames: { "#state": "state", "#outcome": "outcome", "#number": "number", "#kind": "kind" },
				ExpressionAttributeValues: {
					":shard": shardKey(source.tenant, source.campaignId, shard),
					":done": "done",
					...wanted,
					...(after === undefined ? {} : { ":after": after }),
				},
				Limit: atOnce,
			}),
		);
		for (const contact of (answer.Items ?? []) as Ended[]) {
			const numbers = numbersOf(contact).map(({ number }) => number);
			const reason = badNumbers(rule, numbers, contact.nums ? undefined : () => "number");
			if (reason === "") found.keys.push(contact.contactKey);
			else if (found.rejectedCount++ < MAX_REJECTED_PER_CHUNK) {
				found.rejected.push(rejectedRow(lineOf(contact), numbers[0] ?? "", reason));
			}
		}
		const last = answer.LastEvaluatedKey?.["contactKey"] as string | undefined;
		if (last !== undefined) found.next = { shard, after: last };
		else found.next = shard + 1 < source.shards ? { shard: shard + 1 } : null;
	} while (found.next && found.keys.length + atOnce <= max && deps.now() < deadline);
	return found;
};

/**
 * Decides a page, unless that was done.
 * @returns the page that stands: ours, or a twin's; or, where the time was up before anything was found, where to look on
 */
export const decidePage = async (
	deps: Deps,
	campaign: CampaignItem & { from: From },
	source: CampaignItem,
	rule: NumberRule,
	importId: string,
	n: number,
	start: PageStart,
	deadline: number,
): Promise<{ page: RecyclePage; lookOn?: undefined } | { lookOn: PageStart }> => {
	const { tenant, campaignId, from } = campaign;
	const standing = await readPage(deps, tenant, campaignId, importId, n);
	if (standing) return { page: standing };
	const found = await look(deps, source, from, rule, start, deadline);
	if (found.next && found.keys.length + found.rejectedCount === 0) return { lookOn: found.next };
	const page = await putOnce<RecyclePage>(deps, {
		...pageKey(tenant, campaignId, importId, n),
		...found,
		shards: source.shards,
	});
	deps.log.info("recycle.page", {
		campaignId,
		from,
		page: n,
		start,
		contacts: page.keys.length,
		rejected: page.rejectedCount,
		next: page.next,
	});
	return { page };
};

const rowOf = (contact: ContactItem): GoodRow => ({
	line: lineOf(contact),
	contactId: contact.contactId,
	...numbersPart(numbersOf(contact)),
	...(contact.tz === undefined ? {} : { timeZone: contact.tz }),
	...(contact.consent ? { consent: contact.consent } : {}),
	...(contact.vars ? { vars: contact.vars } : {}),
});

/** The contacts of a page, as they are to be stored: new, to be called at their first number again. */
export const loadPage = async (
	deps: Deps,
	tenant: string,
	{ campaignId, from }: CampaignItem,
	importId: string,
	n: number,
): Promise<Chunk> => {
	const page = await readPage(deps, tenant, campaignId, importId, n);
	if (!page || !from) throw new Error(`Chunk ${n} of import ${importId} of campaign ${campaignId} was never decided`);
	const contacts = await batchGet<ContactItem>(
		deps.db,
		deps.tables.contacts,
		page.keys.map((contactKey) => ({
			shardKey: shardKey(tenant, from.campaignId, shardOf(contactKey, page.shards)),
			contactKey,
		})),
	);
	// Somebody deleted items of the other campaign by hand.
	const gone = page.keys.length - contacts.length;
	const reason = `${gone} contact(s) of campaign ${from.campaignId} were deleted while they were being taken over`;
	return {
		rows: contacts.map(rowOf),
		rejected: gone > 0 ? [rejectedRow(0, "", reason), ...page.rejected] : page.rejected,
		rejectedCount: page.rejectedCount + gone,
		duplicates: 0,
	};
};

import { QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { campaignOfLane, formatCallId, parseCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { isDraining } from "../fleet/life.ts";
import { batchGet } from "../store/db.ts";
import {
	type CampaignItem,
	type ContactItem,
	type GrantItem,
	grantKey,
	type HostItem,
	hostKey,
	leaseOf,
} from "../store/items.ts";
import { readSuppression } from "../suppression/read-suppression.ts";
import { suppressedBy } from "../suppression/suppressed-by.ts";
import { contactKeyOfCandidate } from "./grant.ts";
import type { World } from "./world.ts";

/** Campaigns of which calls are held. */
const campaignsHeld = (held: Record<string, number>): string[] => [
	...new Set(Object.entries(held).flatMap(([lane, count]) => (count > 0 ? [campaignOfLane(lane)] : []))),
];

const holdsBack = (campaign: CampaignItem | undefined): boolean =>
	campaign === undefined || campaign.state !== "running";

/**
 * A call that was granted longer ago is live or on its way back: agents give back what they have held undialed for 20 s. Without this
 * bound one long call would keep every grant since its own in the search.
 */
const RECALL_WINDOW_SEC = 60;
const PAGE_ITEMS = 100;

/** Pages of the host's grants with unsettled calls, newest first. */
const pagesOfGrants = async function* (deps: Deps, host: HostItem): AsyncGenerator<GrantItem[]> {
	if (host.low > host.seq) return;
	let start: QueryCommandInput["ExclusiveStartKey"];
	do {
		const page = await deps.db.send(
			new QueryCommand({
				TableName: deps.tables.grants,
				ConsistentRead: true,
				ScanIndexForward: false,
				Limit: PAGE_ITEMS,
				KeyConditionExpression: "#host = :host AND #grant BETWEEN :low AND :high",
				ExpressionAttributeNames: { "#host": "host", "#grant": "grant" },
				ExpressionAttributeValues: {
					":host": hostKey(host.tenant, host.hostId),
					":low": grantKey(host.epoch, host.low),
					":high": grantKey(host.epoch, host.seq),
				},
				...(start ? { ExclusiveStartKey: start } : {}),
			}),
		);
		yield (page.Items ?? []) as GrantItem[];
		start = page.LastEvaluatedKey;
	} while (start);
};

/** The host's grants of the last minute, newest first. */
const recentGrants = async (deps: Deps, host: HostItem): Promise<GrantItem[]> => {
	const oldest = deps.now() / 1_000 + deps.settings.grantTtlSec - RECALL_WINDOW_SEC;
	const grants: GrantItem[] = [];
	for await (const items of pagesOfGrants(deps, host)) {
		const recent = items.filter((grant) => grant.ttl >= oldest);
		grants.push(...recent);
		if (recent.length < items.length) break;
	}
	return grants;
};

/** Calls of these grants that the host holds, of the campaigns that are wanted: contacts are read strongly, and the lease tells which grant holds. */
const heldCalls = async (
	deps: Deps,
	host: HostItem,
	world: World,
	grants: GrantItem[],
	wanted: ReadonlySet<string>,
): Promise<{ callId: string; contact: ContactItem }[]> => {
	const ids = new Map<string, string>();
	const keys: { shardKey: string; contactKey: string }[] = [];
	for (const grant of grants) {
		const seq = Number(grant.grant.split("#")[1]);
		for (const candidate of grant.cands) {
			const campaign = world.campaigns.get(candidate.c);
			if (candidate.x !== undefined) continue;
			if (!wanted.has(candidate.c) || !campaign) continue;
			const key = contactKeyOfCandidate(host.tenant, candidate, campaign);
			const callId = formatCallId({
				campaignId: candidate.c,
				contactKey: candidate.k,
				...(candidate.t === undefined ? {} : { trunkIndex: candidate.t }),
				attempt: candidate.a,
				ver: candidate.v + 1,
				epoch: host.epoch,
				seq,
			});
			// One contact may stand in several grants.
			ids.set(`${key.shardKey} ${key.contactKey} ${leaseOf(host.hostId, host.epoch, seq)}`, callId);
			keys.push(key);
		}
	}
	const unique = [...new Map(keys.map((key) => [`${key.shardKey} ${key.contactKey}`, key])).values()];
	const contacts = await batchGet<ContactItem>(deps.db, deps.tables.contacts, unique);
	return contacts.flatMap((contact) => {
		const callId =
			contact.state === "claimed" ? ids.get(`${contact.shardKey} ${contact.contactKey} ${contact.lease}`) : undefined;
		return callId ? [{ callId, contact }] : [];
	});
};

/** After an opt-out what is granted is looked at again for so long: each host with calls has synced by then, and has the recall. */
const OPT_OUT_RECENT_MS = 15_000;

/** Calls that the host holds to numbers that were put on a list after they were granted. */
const suppressedSince = async (
	deps: Deps,
	host: HostItem,
	world: World,
	held: readonly { callId: string; contact: ContactItem }[],
): Promise<string[]> => {
	if (held.length === 0) return [];
	const { lists, numbers } = await readSuppression(
		deps,
		host.tenant,
		held.map(({ contact }) => contact.number),
	);
	return held.flatMap(({ callId, contact }) => {
		const campaign = world.campaigns.get(parseCallId(callId)?.campaignId ?? "");
		return campaign && suppressedBy(numbers.get(contact.number), lists, campaign) ? [callId] : [];
	});
};

/**
 * Calls that the host holds of campaigns that are paused or cancelled (all, if it is to drain): it gives back those it
 * has not originated. Reads only, and only while there are such.
 */
export const recallsFor = async (
	deps: Deps,
	host: HostItem,
	world: World,
	held: Record<string, number>,
	drain: boolean,
): Promise<string[]> => {
	const wanted = new Set(campaignsHeld(held).filter((c) => drain || holdsBack(world.campaigns.get(c))));
	const optedOut = world.optOutAt !== undefined && deps.now() - world.optOutAt < OPT_OUT_RECENT_MS;
	const all = new Set(optedOut ? campaignsHeld(held) : wanted);
	if (all.size === 0) return [];
	const calls = await heldCalls(deps, host, world, await recentGrants(deps, host), all);
	const back = calls.filter(({ callId }) => wanted.has(parseCallId(callId)?.campaignId ?? ""));
	const others = optedOut ? await suppressedSince(deps, host, world, calls) : [];
	return [...new Set([...back.map(({ callId }) => callId), ...others])];
};

/**
 * Every call that the host holds, once the deadline of its drain has passed: it ends them with a normal clearing, and they are recorded as any other. Also
 * those granted long ago: all grants since the oldest unsettled call are looked at, the newest first, until as many are found as the host holds. Reads only;
 * a second or two later nothing is held any more.
 */
export const hangupsFor = async (
	deps: Deps,
	host: HostItem,
	world: World,
	held: Record<string, number>,
): Promise<string[]> => {
	if (!isDraining(host.state) || host.drainUntil === undefined || deps.now() < host.drainUntil) return [];
	const wanted = new Set(campaignsHeld(held));
	const count = Object.values(held).reduce((a, b) => a + b, 0);
	const calls: string[] = [];
	if (count === 0) return calls;
	for await (const grants of pagesOfGrants(deps, host)) {
		const found = await heldCalls(deps, host, world, grants, wanted);
		calls.push(...found.map(({ callId }) => callId));
		if (calls.length >= count) break;
	}
	return calls;
};

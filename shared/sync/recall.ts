import { QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { formatCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
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
import { contactKeyOfCandidate } from "./grant.ts";
import type { World } from "./world.ts";

const holdsBack = (campaign: CampaignItem | undefined): boolean =>
	campaign === undefined || campaign.state !== "running";

/**
 * A call that was granted longer ago is live or on its way back: agents give back what they have held undialed for 20 s. Without this
 * bound one long call would keep every grant since its own in the search.
 */
const RECALL_WINDOW_SEC = 60;
const PAGE_ITEMS = 100;

/** The host's grants of the last minute, newest first. */
const recentGrants = async (deps: Deps, host: HostItem): Promise<GrantItem[]> => {
	if (host.low > host.seq) return [];
	const oldest = deps.now() / 1_000 + deps.settings.grantTtlSec - RECALL_WINDOW_SEC;
	const grants: GrantItem[] = [];
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
		const items = (page.Items ?? []) as GrantItem[];
		const recent = items.filter((grant) => grant.ttl >= oldest);
		grants.push(...recent);
		start = recent.length === items.length ? page.LastEvaluatedKey : undefined;
	} while (start);
	return grants;
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
	const wanted = new Set(
		Object.keys(held).filter((c) => (held[c] ?? 0) > 0 && (drain || holdsBack(world.campaigns.get(c)))),
	);
	if (wanted.size === 0) return [];
	const grants = await recentGrants(deps, host);
	const ids = new Map<string, string>();
	const keys: { shardKey: string; contactKey: string }[] = [];
	for (const grant of grants) {
		const seq = Number(grant.grant.split("#")[1]);
		for (const candidate of grant.cands) {
			const campaign = world.campaigns.get(candidate.c);
			if (!wanted.has(candidate.c) || !campaign) continue;
			const key = contactKeyOfCandidate(host.tenant, candidate, campaign);
			const callId = formatCallId({
				campaignId: candidate.c,
				contactKey: candidate.k,
				attempt: candidate.a,
				ver: candidate.v + 1,
				epoch: host.epoch,
				seq,
			});
			// One contact may stand in several grants: the lease tells which one holds.
			ids.set(`${key.shardKey} ${key.contactKey} ${leaseOf(host.hostId, host.epoch, seq)}`, callId);
			keys.push(key);
		}
	}
	const unique = [...new Map(keys.map((key) => [`${key.shardKey} ${key.contactKey}`, key])).values()];
	const contacts = await batchGet<ContactItem>(deps.db, deps.tables.contacts, unique);
	return contacts.flatMap((contact) => {
		const callId =
			contact.state === "claimed" ? ids.get(`${contact.shardKey} ${contact.contactKey} ${contact.lease}`) : undefined;
		return callId ? [callId] : [];
	});
};

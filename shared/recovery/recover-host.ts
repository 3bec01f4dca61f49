import { formatCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { batchGet, getItem, queryAll, update } from "../store/db.ts";
import {
	type CampaignItem,
	type Candidate,
	type ContactItem,
	type GrantItem,
	grantKey,
	type HostItem,
	hostKey,
	leaseOf,
	type TrunkItem,
} from "../store/items.ts";
import { addCounted, type Counted, channelMsOf } from "../sync/counters.ts";
import { contactKeyOfCandidate, putGrant } from "../sync/grant.ts";
import { longestHoldSec } from "../sync/retry.ts";
import { settleContact, talkOf } from "../sync/settle.ts";
import { sum } from "../sync/shares.ts";
import { type CampaignOf, undoClaims } from "../sync/undo.ts";
import { readCampaigns, readTrunks } from "../sync/world.ts";

/** Added to the longest call when channels of a loss are held: clocks, and the time from the grant to the dial. */
const HOLD_MARGIN_MS = 5_000;

/** Ends the epoch of a silent host: one conditional write; nothing that the old epoch does counts after it. */
export const fenceHost = async (deps: Deps, host: HostItem): Promise<HostItem | undefined> => {
	const result = await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: "#epoch = :epoch AND #seq = :seq AND #seen = :seen AND #state = :state",
		UpdateExpression: "SET #epoch = :next, #state = :lost, #lostE = :epoch, #lostS = :seq",
		ExpressionAttributeNames: {
			"#epoch": "epoch",
			"#seq": "seq",
			"#seen": "lastSeenAt",
			"#state": "state",
			"#lostE": "lostE",
			"#lostS": "lostS",
		},
		ExpressionAttributeValues: {
			":epoch": host.epoch,
			":seq": host.seq,
			":seen": host.lastSeenAt,
			":state": host.state,
			":next": host.epoch + 1,
			":lost": "lost",
		},
		ReturnValues: "ALL_NEW",
	});
	if (!result.ok) {
		// Written by this very request, whose first answer was lost: the host is fenced all the same.
		const { item } = result;
		return item?.state === "lost" && item.lostE === host.epoch && item.lostS === host.seq ? item : undefined;
	}
	deps.log.warn("host.lost", {
		hostId: host.hostId,
		epoch: host.epoch,
		seq: host.seq,
		silentSec: (deps.now() - host.lastSeenAt) / 1_000,
		held: host.held,
	});
	return result.item;
};

/** The sync that was under way when the host was lost: it must not go on, and what it had claimed was never answered. */
const undoOpenSync = async (
	deps: Deps,
	host: HostItem,
	lostE: number,
	lostS: number,
	campaignOf: CampaignOf,
): Promise<Counted[]> => {
	const open = await putGrant(deps, host.tenant, host.hostId, lostE, lostS + 1, { cands: [], tomb: true });
	const lease = leaseOf(host.hostId, lostE, lostS + 1);
	await undoClaims(deps, host.tenant, lease, open.cands, campaignOf);
	return endedBy(deps, host.tenant, lease, open.cands, campaignOf);
};

/** Contacts that the sync had ended without a call: it did not come to count them. */
const endedBy = async (
	deps: Deps,
	tenant: string,
	lease: string,
	cands: Candidate[],
	campaignOf: CampaignOf,
): Promise<Counted[]> => {
	const ended: Counted[] = [];
	for (const candidate of cands) {
		const campaign = candidate.x === undefined ? undefined : await campaignOf(candidate.c);
		if (!campaign) continue;
		const key = contactKeyOfCandidate(tenant, candidate, campaign);
		const contact = await getItem<ContactItem>(deps.db, deps.tables.contacts, key);
		if (contact?.sup?.by !== lease || candidate.x === undefined) continue;
		ended.push({ campaignId: candidate.c, outcome: candidate.x.o, final: true, placed: false });
	}
	return ended;
};

/** Contacts settled at once: a lost host may have held hundreds. */
const SETTLE_CONCURRENCY = 20;

/** A candidate of an answered grant, with what is needed to settle it. */
interface Granted {
	candidate: Candidate;
	campaign: CampaignItem;
	key: { shardKey: string; contactKey: string };
	seq: number;
	lease: string;
}

/** Ends what answered grants still hold as hostLost; returns all that must be counted with this recovery. */
const settleLost = async (
	deps: Deps,
	host: HostItem,
	lostE: number,
	lostS: number,
	campaignOf: CampaignOf,
	trunks: ReadonlyMap<string, TrunkItem>,
): Promise<Counted[]> => {
	const mark = `reap#${host.hostId}#${lostE}`;
	const open = leaseOf(host.hostId, lostE, lostS + 1);
	// Nothing was ever granted in the epoch: the query's bounds would be the wrong way round.
	if (host.low > lostS) return [];
	const grants = await queryAll<GrantItem>(deps.db, {
		TableName: deps.tables.grants,
		ConsistentRead: true,
		KeyConditionExpression: "#host = :host AND #grant BETWEEN :low AND :high",
		ExpressionAttributeNames: { "#host": "host", "#grant": "grant" },
		ExpressionAttributeValues: {
			":host": hostKey(host.tenant, host.hostId),
			":low": grantKey(lostE, host.low),
			":high": grantKey(lostE, lostS),
		},
	});
	const granted: Granted[] = [];
	for (const grant of grants) {
		const seq = Number(grant.grant.split("#")[1]);
		for (const candidate of grant.cands) {
			const campaign = candidate.x === undefined ? await campaignOf(candidate.c) : undefined;
			if (!campaign) continue;
			const key = contactKeyOfCandidate(host.tenant, candidate, campaign);
			granted.push({ candidate, campaign, key, seq, lease: leaseOf(host.hostId, lostE, seq) });
		}
	}
	// One long call keeps thousands of grants in the range: nearly all of their contacts have moved on, and are only read.
	const textOf = (key: Granted["key"]): string => `${key.shardKey} ${key.contactKey}`;
	const keys = new Map(granted.map(({ key }) => [textOf(key), key]));
	const contacts = new Map(
		(await batchGet<ContactItem>(deps.db, deps.tables.contacts, [...keys.values()])).map((item) => [
			textOf(item),
			item,
		]),
	);
	const counted: Counted[] = [];
	const settleOne = async ({ candidate, campaign, key, seq, lease }: Granted): Promise<void> => {
		let contact = contacts.get(textOf(key));
		if (contact?.state === "claimed" && contact.lease === lease) {
			const ver = candidate.v + 1;
			const entry = { o: "hostLost" as const, by: mark, lease, ver, t3: deps.now() };
			const trunk = candidate.t === undefined ? {} : { trunkIndex: candidate.t };
			const result = await settleContact(deps, key, { attempt: candidate.a, ...trunk }, campaign, entry);
			contact = result.ok ? await getItem<ContactItem>(deps.db, deps.tables.contacts, key) : result.item;
			const { c: campaignId, k: contactKey, a: attempt } = candidate;
			const callId = formatCallId({ campaignId, contactKey, ...trunk, attempt, ver, epoch: lostE, seq });
			if (result.ok) deps.log.warn("call.hostLost", { callId, hostId: host.hostId, final: result.fin });
		}
		const past = contact?.hist?.[String(candidate.a)];
		if (past?.lease === lease && (past.by === mark || past.by === open)) {
			const channelMs = channelMsOf(past, campaign);
			const talk = talkOf(past, campaign, candidate.t, trunks);
			counted.push({ campaignId: candidate.c, outcome: past.o, final: past.fin, channelMs, talk });
		}
	};
	for (let i = 0; i < granted.length; i += SETTLE_CONCURRENCY) {
		await Promise.all(granted.slice(i, i + SETTLE_CONCURRENCY).map(settleOne));
	}
	return counted;
};

/** Tries against slow syncs of the lost epoch; each of those writes at most once. */
const MAX_SHARE_TRIES = 10;

/**
 * Sets the share of the lost host aside: its calls may still be up, for as long as a call may last. A trunk on which it
 * had no share is stamped too, so that a slow sync of the lost epoch cannot take one any more.
 */
const setShareAside = async (
	deps: Deps,
	host: HostItem,
	lostE: number,
	trunkId: string,
	longestSecOf: (c: string) => Promise<number>,
): Promise<void> => {
	const key = { tenant: host.tenant, trunkId };
	for (let attempt = 0; attempt < MAX_SHARE_TRIES; attempt++) {
		const trunk = await getItem<TrunkItem>(deps.db, deps.tables.trunks, key);
		const entry = trunk?.a[host.hostId];
		if (!trunk || (entry && entry.e > lostE)) return;
		const share = entry?.n ?? {};
		const aside = sum(share) > 0;
		let longestSec = 0;
		for (const c of Object.keys(share)) longestSec = Math.max(longestSec, await longestSecOf(c));
		const until = deps.now() + longestSec * 1_000 + HOLD_MARGIN_MS;
		const result = await update<TrunkItem>(deps.db, {
			TableName: deps.tables.trunks,
			Key: key,
			ConditionExpression: entry ? "#a.#h.#e = :eRead AND #a.#h.#s = :sRead" : "attribute_not_exists(#a.#h)",
			UpdateExpression: `SET #a.#h = :none${aside ? ", #z.#k = :loss" : ""}`,
			ExpressionAttributeNames: {
				"#a": "a",
				"#h": host.hostId,
				...(entry ? { "#e": "e", "#s": "s" } : {}),
				...(aside ? { "#z": "z", "#k": `${host.hostId}#${lostE}` } : {}),
			},
			ExpressionAttributeValues: {
				...(entry ? { ":eRead": entry.e, ":sRead": entry.s } : {}),
				":none": { e: lostE + 1, s: 0, n: {}, at: 0, k: 0, gap: 0, valid: 0 },
				...(aside ? { ":loss": { n: share, until } } : {}),
			},
		});
		if (result.ok) return;
	}
	throw new Error(`the share of the lost host ${host.hostId} on trunk ${trunkId} did not stand still`);
};

/**
 * Recovers what a lost host held. May run any number of times at once and be restarted anywhere.
 * @returns campaigns that may be complete now
 */
export const recoverHost = async (deps: Deps, host: HostItem): Promise<string[]> => {
	const { lostE, lostS } = host;
	if (host.state !== "lost" || lostE === undefined || lostS === undefined) return [];
	const cache = new Map<string, CampaignItem | undefined>();
	const campaignOf: CampaignOf = async (c) => {
		if (!cache.has(c)) cache.set(c, (await readCampaigns(deps, host.tenant, [c])).get(c));
		return cache.get(c);
	};
	const { trunks } = await readTrunks(deps, host.tenant);
	const ended = await undoOpenSync(deps, host, lostE, lostS, campaignOf);
	const counted = [...ended, ...(await settleLost(deps, host, lostE, lostS, campaignOf, trunks))];
	for (const trunkId of trunks.keys()) {
		await setShareAside(deps, host, lostE, trunkId, async (c) => {
			const campaign = await campaignOf(c);
			return campaign ? longestHoldSec(campaign) : 0;
		});
	}
	const changed = addCounted(host.acc, counted);
	const result = await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: "#state = :lost AND #lostE = :lostE",
		UpdateExpression: "SET #state = :recovered, #held = :none, #acc = :acc",
		ExpressionAttributeNames: { "#state": "state", "#lostE": "lostE", "#held": "held", "#acc": "acc" },
		ExpressionAttributeValues: {
			":lost": "lost",
			":lostE": lostE,
			":recovered": "recovered",
			":none": {},
			// Absolute: nobody else writes the counters of a host that is lost.
			":acc": { ...host.acc, ...changed },
		},
	});
	if (result.ok) deps.log.warn("host.recovered", { hostId: host.hostId, epoch: lostE, calls: counted.length });
	return Object.keys(changed);
};

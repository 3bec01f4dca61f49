import { createHash } from "node:crypto";
import { MAX_CALLEE_CALLS, MAX_CALLEE_HOURS } from "../contract/campaign.ts";
import { tryAgain } from "../contract/errors.ts";
import type { Deps } from "../deps.ts";
import { getItem, put, type WriteResult } from "../store/db.ts";
import { type CalleeItem, calleeKey } from "../store/items.ts";
import { type CallDecision, type CalleeLimits, DIAL_DELAY_MS, decideCall, type NotedCall } from "./decide-call.ts";

/** Calls are remembered as long as any limit can ask for them. */
const KEPT_MS = MAX_CALLEE_HOURS * 3_600_000 + DIAL_DELAY_MS;
/** A lost race costs a write unit; one number is seldom wanted by more than two syncs at once. */
const MAX_TRIES = 5;
/** Whoever lost them all comes back after this, ms. */
const CONTENDED_MS = 1_000;
const CONTENDED_RULE = "contended";
/** 8 characters of base64 are 48 bits: among 50 calls another one has the same hash once in some 10¹² times, and then one call too many is placed. */
const TAG_CHARS = 8;

const hashOf = (tag: string): string => createHash("sha256").update(tag).digest("base64url").slice(0, TAG_CHARS);

export const readCallee = (deps: Deps, tenant: string, number: string): Promise<CalleeItem | undefined> =>
	getItem<CalleeItem>(deps.db, deps.tables.callees, calleeKey(tenant, number));

/** The calls of an item, oldest first, by the hashes of their tags. */
export const callsOf = (item: CalleeItem | undefined): NotedCall[] =>
	Object.entries(item?.calls ?? {})
		.map(([tag, at]) => ({ tag, at }))
		.sort((a, b) => a.at - b.at);

/** Replaces the item in the version that was read. */
const write = (
	deps: Deps,
	tenant: string,
	number: string,
	read: CalleeItem | undefined,
	calls: NotedCall[],
): Promise<WriteResult<CalleeItem>> => {
	const key = calleeKey(tenant, number);
	const oldest = deps.now() - KEPT_MS;
	const young = calls.filter(({ at }) => at > oldest).sort((a, b) => a.at - b.at);
	const dropped = young.slice(0, Math.max(0, young.length - MAX_CALLEE_CALLS));
	const kept = young.slice(dropped.length);
	const cut = dropped.at(-1)?.at ?? read?.cut;
	const item: CalleeItem = {
		...key,
		calls: Object.fromEntries(kept.map(({ tag, at }) => [tag, at])),
		...(cut === undefined || cut <= oldest ? {} : { cut }),
		ver: (read?.ver ?? 0) + 1,
		ttl: Math.ceil(((kept.at(-1)?.at ?? deps.now()) + KEPT_MS) / 1_000),
	};
	return put<CalleeItem>(
		deps.db,
		{
			TableName: deps.tables.callees,
			Item: item,
			...(read
				? {
						ConditionExpression: "#ver = :read",
						ExpressionAttributeNames: { "#ver": "ver" },
						ExpressionAttributeValues: { ":read": read.ver },
					}
				: { ConditionExpression: "attribute_not_exists(callee)" }),
		},
		key,
	);
};

/**
 * Notes the call `tag` to the number if the limits allow it, by one conditional write. True for a tag that is noted already (a repeat or a twin of the same
 * sync). A call that is never dialed after all is to be released.
 */
export const reserveCall = async (
	deps: Deps,
	tenant: string,
	number: string,
	limits: CalleeLimits,
	tag: string,
): Promise<CallDecision> => {
	const hash = hashOf(tag);
	let read = await readCallee(deps, tenant, number);
	for (let i = 0; i < MAX_TRIES; i++) {
		const now = deps.now();
		const calls = callsOf(read);
		if (calls.some((call) => call.tag === hash)) return { ok: true };
		const decision = decideCall(calls, limits, hash, now, read?.cut);
		if (!decision.ok) return decision;
		const written = await write(deps, tenant, number, read, [...calls, { at: now, tag: hash }]);
		if (written.ok) return decision;
		// What stood in the way, or nothing: it expired in between.
		read = written.item;
	}
	return { ok: false, waitUntil: deps.now() + CONTENDED_MS, rule: CONTENDED_RULE };
};

/** Takes a tag out that was never dialed (returned call, claim lost). Harmless if it is not there. */
export const releaseCall = async (deps: Deps, tenant: string, number: string, tag: string): Promise<void> => {
	const hash = hashOf(tag);
	let read = await readCallee(deps, tenant, number);
	for (let i = 0; i < MAX_TRIES; i++) {
		const calls = callsOf(read);
		const others = calls.filter((call) => call.tag !== hash);
		if (others.length === calls.length) return;
		const written = await write(deps, tenant, number, read, others);
		if (written.ok) return;
		read = written.item;
	}
	throw tryAgain("The calls to one number are being changed by others; repeat the request.");
};

import { isDeepStrictEqual } from "node:util";
import { followCampaignCap } from "../campaigns/registration.ts";
import { conflict, tryAgain } from "../contract/errors.ts";
import type { Trunk, TrunkInput } from "../contract/trunk.ts";
import type { Deps } from "../deps.ts";
import { getItem, put, queryAll, update } from "../store/db.ts";
import { CONFIG_ID, type TrunkItem } from "../store/items.ts";
import { cpsAt } from "../sync/trunk-pace.ts";
import { checkTrunk } from "./check-trunk.ts";

/** A trunk as the API shows it. */
export type ShownTrunk = Trunk & {
	/** Channels: the cap, and how many of it hosts hold. */
	channels: { cap: number; granted: number };
	/** Calls per second: its rate, and what it is used with now: less where it refused calls lately. */
	cps: { max: number; now: number };
};

/** Rates are shown to a hundredth. */
const shownCps = (cps: number): number => Math.round(cps * 100) / 100;

const show = (item: TrunkItem, now: number): ShownTrunk => ({
	...item.trunk,
	channels: { cap: item.cap, granted: item.cap - item.free },
	cps: { max: item.trunk.maxCps, now: shownCps(cpsAt(item, now)) },
});

export const readTrunk = (deps: Deps, tenant: string, trunkId: string): Promise<TrunkItem | undefined> =>
	// `#config` is no trunk; no trunk's id has such a character.
	getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant, trunkId });

/** All trunks of the tenant, by id. */
export const listTrunks = async (deps: Deps, tenant: string): Promise<ShownTrunk[]> => {
	const items = await queryAll<TrunkItem>(deps.db, {
		TableName: deps.tables.trunks,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	return items.filter((item) => item.trunkId !== CONFIG_ID).map((item) => show(item, deps.now()));
};

/** Hosts fetch their configuration again when they see a new version. */
const bumpConfigVersion = async (deps: Deps, tenant: string): Promise<void> => {
	await update(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant, trunkId: CONFIG_ID },
		UpdateExpression: "ADD #version :one",
		ExpressionAttributeNames: { "#version": "version" },
		ExpressionAttributeValues: { ":one": 1 },
	});
};

/** Syncs write the same item all the time, but not its `cap`: only another PUT gets in the way. */
const MAX_TRIES = 5;

const replace = async (deps: Deps, item: TrunkItem, trunk: Trunk): Promise<boolean> => {
	const open = Object.keys(item.c);
	if (open.length > 0 && item.trunk.numbering !== trunk.numbering) {
		throw conflict(
			"trunkInUse",
			`The numbering of trunk "${trunk.id}" cannot change while ${open.length} campaign(s) use it: their numbers would mean something else.`,
		);
	}
	if (open.length > 0 && !isDeepStrictEqual(item.trunk.format.number, trunk.format.number)) {
		throw conflict(
			"trunkInUse",
			`The number format of trunk "${trunk.id}" cannot change while ${open.length} campaign(s) use it: their numbers were checked with the old one. Wait for their end, or make another trunk.`,
		);
	}
	// `free` moves by the difference in the same write, so that free + shares = cap at every instant.
	const written = await update<TrunkItem>(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: item.tenant, trunkId: item.trunkId },
		ConditionExpression: "#cap = :read",
		UpdateExpression: "SET #trunk = :trunk, #cap = :cap, #free = #free + :more",
		ExpressionAttributeNames: { "#trunk": "trunk", "#cap": "cap", "#free": "free" },
		ExpressionAttributeValues: {
			":trunk": trunk,
			":read": item.cap,
			":cap": trunk.maxChannels,
			":more": trunk.maxChannels - item.cap,
		},
	});
	return written.ok;
};

/** Campaigns without a cap of their own have the trunk's. */
const followCap = async (deps: Deps, item: TrunkItem, cap: number): Promise<void> => {
	for (const [campaignId, entry] of Object.entries(item.c)) {
		if (entry.cap !== cap) await followCampaignCap(deps, item.tenant, campaignId);
	}
};

/** Creates or replaces a trunk; a repeat changes nothing. */
export const putTrunk = async (
	deps: Deps,
	tenant: string,
	trunkId: string,
	input: TrunkInput,
): Promise<{ created: boolean; trunk: ShownTrunk }> => {
	const trunk = checkTrunk(trunkId, input);
	const key = { tenant, trunkId };
	const fresh: TrunkItem = {
		tenant,
		trunkId,
		trunk,
		cap: trunk.maxChannels,
		free: trunk.maxChannels,
		c: {},
		nextDialAt: 0,
		a: {},
		z: {},
	};
	for (let i = 0; i < MAX_TRIES; i++) {
		const item = await readTrunk(deps, tenant, trunkId);
		const written = item
			? await replace(deps, item, trunk)
			: (
					await put<TrunkItem>(
						deps.db,
						{ TableName: deps.tables.trunks, Item: fresh, ConditionExpression: "attribute_not_exists(trunkId)" },
						key,
					)
				).ok;
		if (!written) continue;
		const standing = (item && (await readTrunk(deps, tenant, trunkId))) ?? fresh;
		await followCap(deps, standing, trunk.maxChannels);
		// Last: a host that sees the new version finds the new trunk.
		await bumpConfigVersion(deps, tenant);
		return { created: item === undefined, trunk: show(standing, deps.now()) };
	}
	throw tryAgain(`Trunk "${trunkId}" is being changed by others; repeat the request.`);
};

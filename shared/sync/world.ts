import { campaignOfLane, parseCallId } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { batchGet, queryAll } from "../store/db.ts";
import {
	type CampaignItem,
	CONFIG_ID,
	type ConfigItem,
	campaignKey,
	type HostItem,
	type TrunkItem,
} from "../store/items.ts";

/** Names a host: every key begins with the tenant, which comes from the token. */
export interface HostRef {
	tenant: string;
	hostId: string;
}

/** What a sync decides upon, read strongly. */
export interface World {
	trunks: Map<string, TrunkItem>;
	campaigns: Map<string, CampaignItem>;
	configVersion: number;
	/** The last time that somebody opted out, ms. */
	optOutAt?: number | undefined;
}

/** All trunks of the tenant and the version of its configuration. */
export const readTrunks = async (
	deps: Deps,
	tenant: string,
): Promise<{ trunks: Map<string, TrunkItem>; configVersion: number; optOutAt: number | undefined }> => {
	const items = await queryAll<TrunkItem | ConfigItem>(deps.db, {
		TableName: deps.tables.trunks,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	const config = items.find((item): item is ConfigItem => item.trunkId === CONFIG_ID);
	const trunks = items.filter((item): item is TrunkItem => item.trunkId !== CONFIG_ID);
	return {
		trunks: new Map(trunks.map((item) => [item.trunkId, item])),
		configVersion: config?.version ?? 0,
		optOutAt: config?.optOutAt,
	};
};

export const readCampaigns = async (
	deps: Deps,
	tenant: string,
	campaignIds: Iterable<string>,
): Promise<Map<string, CampaignItem>> => {
	const ids = [...new Set(campaignIds)];
	const items = await batchGet<CampaignItem>(
		deps.db,
		deps.tables.campaigns,
		ids.map((id) => campaignKey(tenant, id)),
	);
	return new Map(items.map((item) => [item.campaignId, item]));
};

/** Whether the trunk is for the host at all: then it is in the host's configuration. */
export const mayUse = (trunk: TrunkItem, host: Pick<HostItem, "hostId" | "tier">): boolean => {
	const { hosts } = trunk.trunk;
	if (hosts === "all") return true;
	return hosts === "steady" ? host.tier === "steady" : hosts.includes(host.hostId);
};

/** Whether the host can dial through the trunk now: its carrier answers, and knows the host's address where it must. */
export const mayDial = (trunk: TrunkItem, host: Pick<HostItem, "hostId" | "tier" | "deadTrunks" | "inst">): boolean => {
	if (!mayUse(trunk, host) || host.deadTrunks?.includes(trunk.trunkId)) return false;
	return trunk.trunk.addresses !== "known" || host.tier === "steady" || host.inst?.publicAddress !== undefined;
};

/** Whether the host may carry the campaign's calls: a spot instance can be taken away in the middle of them. */
export const mayCarry = (campaign: CampaignItem, host: Pick<HostItem, "inst">): boolean =>
	host.inst?.market !== "spot" || campaign.allowDroppedCalls === true;

/** Reads what a sync of this host may touch: its trunks, the campaigns on them and those of the calls it names. */
export const readWorld = async (deps: Deps, host: HostItem, callIds: string[]): Promise<World> => {
	const { trunks, configVersion, optOutAt } = await readTrunks(deps, host.tenant);
	const ids = new Set<string>(Object.keys(host.held).map(campaignOfLane));
	for (const trunk of trunks.values()) {
		if (!mayUse(trunk, host)) continue;
		for (const campaignId of Object.keys(trunk.c)) ids.add(campaignId);
	}
	for (const callId of callIds) {
		const ref = parseCallId(callId);
		if (ref) ids.add(ref.campaignId);
	}
	return { trunks, configVersion, optOutAt, campaigns: await readCampaigns(deps, host.tenant, ids) };
};

import { completeIfDone } from "../campaigns/complete.ts";
import { readHosts } from "../campaigns/counts.ts";
import { tidyTrunks } from "../campaigns/registration.ts";
import type { Deps } from "../deps.ts";
import { getItem, put } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { shrinkLoss } from "../sync/release-earlier.ts";
import { readTrunks } from "../sync/world.ts";
import { releaseGoneHosts } from "../trunks/gone-hosts.ts";
import { fenceHost, recoverHost } from "./recover-host.ts";
import { decideLost, type RecoveryMemory } from "./silence.ts";

/** Key of the recovery's own memory in the table of hosts; no host can be named so. */
const MEMORY_ID = "#recovery";

type MemoryItem = RecoveryMemory & Record<string, unknown>;

/** Gives channels of losses back whose calls cannot last any longer, and those of hosts that are gone. */
const releaseExpired = async (deps: Deps, tenant: string, hosts: HostItem[]): Promise<void> => {
	const { trunks } = await readTrunks(deps, tenant);
	await releaseGoneHosts(deps, hosts, trunks.values());
	for (const trunk of trunks.values()) {
		for (const [lossKey, loss] of Object.entries(trunk.z)) {
			if (loss.until < deps.now()) await shrinkLoss(deps, trunk, lossKey, loss.n, {});
		}
	}
};

/**
 * Declares silent hosts lost and recovers what lost hosts held, gives expired channels back, tidies trunks. Harmless
 * to run at any time and any number of times at once.
 */
export const recoverHosts = async (deps: Deps, tenant: string): Promise<void> => {
	const memoryKey = { tenant, hostId: MEMORY_ID };
	const [memory, hosts] = await Promise.all([
		getItem<MemoryItem>(deps.db, deps.tables.hosts, memoryKey),
		readHosts(deps, tenant),
	]);
	const decision = decideLost(hosts, memory, deps.now(), deps.settings);
	if (decision.heldBack) deps.log.warn("recovery.heldBack", { reason: decision.heldBack, ...decision.memory });
	await put(
		deps.db,
		{
			TableName: deps.tables.hosts,
			Item: { ...memoryKey, ...decision.memory },
			ConditionExpression: "attribute_not_exists(lastRunAt) OR lastRunAt <= :now",
			ExpressionAttributeValues: { ":now": decision.memory.lastRunAt },
		},
		memoryKey,
	);
	const fenced = await Promise.all(decision.lost.map((host) => fenceHost(deps, host)));
	const lost = [...hosts.filter((host) => host.state === "lost"), ...fenced.flatMap((host) => host ?? [])];
	const ended = new Set<string>();
	const failures: unknown[] = [];
	for (const host of lost) {
		try {
			for (const campaignId of await recoverHost(deps, host)) ended.add(campaignId);
		} catch (error) {
			// The next run finds the host still lost; the others are not kept waiting.
			failures.push(error);
			deps.log.error("recovery.failed", { hostId: host.hostId, error });
		}
	}
	await releaseExpired(deps, tenant, hosts);
	for (const campaignId of ended) await completeIfDone(deps, tenant, campaignId);
	await tidyTrunks(deps, tenant);
	if (failures.length > 0) throw new AggregateError(failures, `${failures.length} host(s) could not be recovered yet`);
};

import { conflict, notFound, tryAgain } from "../contract/errors.ts";
import { NAME_PATTERN } from "../contract/trunk.ts";
import type { Deps } from "../deps.ts";
import { isDraining, isUp } from "../fleet/life.ts";
import { markHost, moveHost, NO_DRAIN } from "../fleet/moves.ts";
import { getItem, queryAll } from "../store/db.ts";
import type { HostItem, TrunkItem } from "../store/items.ts";
import { CONFIG_ID } from "../store/items.ts";

/** A host as the API shows it. */
export interface ShownHost {
	hostId: string;
	tier: HostItem["tier"];
	region: string;
	state: HostItem["state"];
	/** Channels it may use; the control plane's figure. */
	capacity: number;
	/** Channels up, as it last said. */
	live: number;
	/** Calls granted to it that are not settled. */
	held: number;
	/** ISO 8601; null before its first request. */
	lastSeenAt: string | null;
	createdAt: string;
	/** To be drained as soon as it is back. */
	drainWanted: boolean;
}

const sum = (values: Record<string, number>): number => Object.values(values).reduce((a, b) => a + b, 0);
export const isoOf = (ms: number): string => new Date(ms).toISOString();

export const showHost = (item: HostItem): ShownHost => ({
	hostId: item.hostId,
	tier: item.tier,
	region: item.region,
	state: item.state,
	capacity: item.cap,
	live: item.live,
	held: sum(item.held),
	lastSeenAt: item.lastSeenAt > 0 ? isoOf(item.lastSeenAt) : null,
	createdAt: isoOf(item.createdAt),
	drainWanted: item.drainWanted ?? false,
});

/** All hosts of the tenant; inventories (`hostId#inventory`) are no hosts. */
export const readHosts = async (deps: Deps, tenant: string): Promise<HostItem[]> => {
	const items = await queryAll<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	return items.filter((item) => !item.hostId.includes("#"));
};

/** A host changes its state by its own syncs: so often is a change looked at again before the caller is sent back. */
const MAX_TRIES = 5;

/** One conditional write; undefined where the host was changed meanwhile. */
const beginDrain = (deps: Deps, host: HostItem): Promise<HostItem | undefined> => {
	const drain = { drainWanted: true, drainAt: deps.now(), drainBy: "operator", drainUntil: undefined } as const;
	if (host.state === "active") return moveHost(deps, host, "draining", { ...drain, quiet: undefined }, "an operator");
	// The fleet's drain becomes the operator's, which the fleet does not take back; a fault or an interruption stays the reason.
	const takesOver = isDraining(host.state) && host.drainBy === "fleet";
	return markHost(deps, host, takesOver ? { ...drain, drainAt: host.drainAt } : { drainWanted: true });
};

const takeDrainBack = (deps: Deps, host: HostItem): Promise<HostItem | undefined> => {
	if (isDraining(host.state) && host.drainBy === "spot") {
		throw conflict(
			"spotInterruption",
			`Host "${host.hostId}" drains because EC2 takes its spot instance back; that cannot be undone.`,
		);
	}
	const change = { ...NO_DRAIN, drainWanted: undefined };
	return isDraining(host.state) ? moveHost(deps, host, "active", change, "an operator") : markHost(deps, host, change);
};

/**
 * Drains a host (it is granted nothing more and finishes what it has) or takes that back, whoever began it. A host that is not at work now
 * is marked, so that it comes back draining.
 */
export const setDrain = async (deps: Deps, tenant: string, hostId: string, drain: boolean): Promise<ShownHost> => {
	// `h1#inventory` is an item of the same table, and no host.
	if (!NAME_PATTERN.test(hostId)) throw notFound("host", hostId);
	for (let i = 0; i < MAX_TRIES; i++) {
		const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant, hostId });
		if (!host) throw notFound("host", hostId);
		const written = await (drain ? beginDrain(deps, host) : takeDrainBack(deps, host));
		if (written) return showHost(written);
	}
	throw tryAgain(`The state of host "${hostId}" is changing; repeat the request.`);
};

interface TierFigures {
	/** Channels of active hosts. Draining hosts are no capacity. */
	capacity: number;
	/** Channels up on all hosts. */
	live: number;
	/** Channels that hosts hold as shares of trunks. */
	granted: number;
}
export interface Fleet extends TierFigures {
	tiers: Record<HostItem["tier"], TierFigures>;
	/** Channels kept aside because calls of lost hosts may still be up. */
	lost: number;
	hosts: (ShownHost & { granted: number })[];
}

/** States beside those of {@link isUp} in which calls may still be up. */
const MAY_BE_LIVE: readonly HostItem["state"][] = ["lost", "recovered"];

/** Capacity and use of all hosts. */
export const readFleet = async (deps: Deps, tenant: string): Promise<Fleet> => {
	const [hosts, items] = await Promise.all([
		readHosts(deps, tenant),
		queryAll<TrunkItem>(deps.db, {
			TableName: deps.tables.trunks,
			ConsistentRead: true,
			KeyConditionExpression: "tenant = :tenant",
			ExpressionAttributeValues: { ":tenant": tenant },
		}),
	]);
	const trunks = items.filter((item) => item.trunkId !== CONFIG_ID);
	const none = (): TierFigures => ({ capacity: 0, live: 0, granted: 0 });
	const tiers = { steady: none(), burst: none() };
	const shown = hosts.map((host) => {
		const granted = trunks.reduce((n, trunk) => n + sum(trunk.a[host.hostId]?.n ?? {}), 0);
		const tier = tiers[host.tier];
		tier.capacity += host.state === "active" ? host.cap : 0;
		// What a host that is gone said last is no call any more.
		tier.live += isUp(host.state) || MAY_BE_LIVE.includes(host.state) ? host.live : 0;
		tier.granted += granted;
		return { ...showHost(host), granted };
	});
	const total = (figure: keyof TierFigures): number => tiers.steady[figure] + tiers.burst[figure];
	return {
		capacity: total("capacity"),
		live: total("live"),
		granted: total("granted"),
		lost: trunks.reduce((n, trunk) => n + Object.values(trunk.z).reduce((m, entry) => m + sum(entry.n), 0), 0),
		tiers,
		hosts: shown,
	};
};

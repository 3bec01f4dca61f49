import type { Deps } from "../deps.ts";
import { type Db, queryAll } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";

/** So old may the list be: a host that has just died is left its part for so much longer, and one that has just come has its part so much later. */
const FRESH_MS = 1_000;

interface Listed {
	at: number;
	hosts: Promise<HostItem[]>;
}
/** By the process's client and the tenant. */
const lists = new WeakMap<Db, Map<string, Listed>>();

const readList = async (deps: Deps, tenant: string): Promise<HostItem[]> => {
	const items = await queryAll<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	return items.filter((item) => !item.hostId.includes("#"));
};

/**
 * All hosts, eventually consistent and up to a second old: enough to leave work to others, never to decide what is granted. Only burst hosts' syncs and
 * peeks need it. Half a read unit for every 4 KB: with 30 hosts of 1 KB some 4 units a second for each process of the function, however many syncs
 * it serves.
 */
export const hostsOfLate = (deps: Deps, tenant: string): Promise<HostItem[]> => {
	const byTenant = lists.get(deps.db) ?? new Map<string, Listed>();
	lists.set(deps.db, byTenant);
	const listed = byTenant.get(tenant);
	const now = deps.now();
	if (listed && now - listed.at >= 0 && now - listed.at < FRESH_MS) return listed.hosts;
	const hosts = readList(deps, tenant);
	byTenant.set(tenant, { at: now, hosts });
	// What could not be read is read again by the next sync.
	hosts.catch(() => {
		if (byTenant.get(tenant)?.hosts === hosts) byTenant.delete(tenant);
	});
	return hosts;
};

import type { Deps } from "../deps.ts";
import { pruneShare } from "../recovery/prune-shares.ts";
import type { HostItem, TrunkItem } from "../store/items.ts";

/** No sync that began while the host was at work can still be under way: its function is given seconds. */
const LAST_SYNC_OVER_MS = 60_000;

/** Whether the host's instance does not run and none of its syncs can be under way: no channel is up, and none can be taken any more. */
const isGone = (host: HostItem, now: number): boolean =>
	(host.state === "stopped" || host.state === "terminated") &&
	now - Math.max(host.lastSeenAt, host.inst?.stopAt ?? 0) > LAST_SYNC_OVER_MS;

/**
 * Takes hosts whose instances are off, off the trunks: trunks' items are written with every sync and must not grow by every instance that is kept. A share that
 * a slow sync took after its host was drained is given back, which nobody else would do. Harmless at any time.
 */
export const releaseGoneHosts = async (
	deps: Deps,
	hosts: Iterable<HostItem>,
	trunks: Iterable<TrunkItem>,
): Promise<void> => {
	const gone = [...hosts].filter((host) => isGone(host, deps.now()));
	for (const trunk of trunks) {
		for (const { hostId, epoch } of gone) {
			const entry = trunk.a[hostId];
			// One of a later epoch: it was started again since its item was read.
			if (entry && entry.e <= epoch) await pruneShare(deps, trunk, hostId);
		}
	}
};

import { getItem } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { burstHosts } from "./counting.ts";
import type { FleetDeps } from "./deps.ts";
import { hostIdOf } from "./ec2.ts";
import { stopHosts } from "./end-hosts.ts";
import { markHost, moveHost } from "./moves.ts";

/** Calls are ended so long before EC2 takes the instance: until its agent has heard of it, has ended them and has reported them. */
export const LAST_REPORTS_MS = 10_000;
/** A host changes by its own syncs: so often a move is tried again. */
const MAX_TRIES = 5;

/**
 * EC2 takes a spot instance away at a moment: its host is granted nothing more from now on, and its calls are ended shortly before. One that is not at work
 * yet is ended at once. Harmless when repeated, and for an instance that is not ours.
 */
export const drainForInterruption = async (
	deps: FleetDeps,
	tenant: string,
	instanceId: string,
	untilMs: number,
): Promise<void> => {
	const hostId = hostIdOf(instanceId);
	const endAt = untilMs - LAST_REPORTS_MS;
	for (let i = 0; i < MAX_TRIES; i++) {
		const item = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant, hostId });
		const [host] = burstHosts(item ? [item] : []);
		if (!host) return;
		const { state } = host;
		const drain = { drainBy: "spot", drainUntil: Math.min(endAt, host.drainUntil ?? endAt) } as const;
		deps.log.warn("fleet.interruption", { hostId, state, until: untilMs });
		if (deps.burst.dryRun) return;
		if (state === "launching" || state === "booting") {
			await stopHosts(deps, tenant, [{ host, end: "terminate", why: "spot interruption during its start" }]);
			return;
		}
		if (state !== "active" && state !== "draining" && state !== "drained") return;
		const written =
			state === "active"
				? await moveHost(
						deps,
						host,
						"draining",
						{ drainAt: deps.now(), quiet: undefined, ...drain },
						"spot interruption",
					)
				: await markHost(deps, host, drain);
		if (written) return;
	}
	throw new Error(`The state of host ${hostId} did not stand still for its spot interruption.`);
};

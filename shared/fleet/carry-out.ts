import type { FleetItem, Intent } from "../store/items.ts";
import type { Plan } from "./converge.ts";
import type { FleetDeps } from "./deps.ts";
import type { Ec2Instance } from "./ec2.ts";
import { forceHosts, stopHosts } from "./end-hosts.ts";
import { carryIntent } from "./intents.ts";
import { moveHost, NO_DRAIN } from "./moves.ts";

/**
 * Does what was planned, after the plan was entered in the fleet's state: what costs nothing first, what may be refused last.
 * @returns whether another look at once can start what EC2 had no capacity for
 */
export const carryOut = async (
	deps: FleetDeps,
	tenant: string,
	plan: Plan,
	instances: Ec2Instance[] | undefined,
): Promise<boolean> => {
	for (const host of plan.undrain) await moveHost(deps, host, "active", NO_DRAIN, "it is needed again");
	for (const { host, why } of plan.drain) {
		const now = deps.now();
		const drainUntil = now + deps.burst.drainDeadlineSec * 1_000;
		const drain = { drainAt: now, drainBy: "fleet", drainUntil, quiet: undefined } as const;
		await moveHost(deps, host, "draining", drain, why);
	}
	await stopHosts(deps, tenant, plan.stop);
	await forceHosts(deps, tenant, plan.force);
	return carryIntents(deps, tenant, Object.entries(plan.intents), instances);
};

/** One after the other; once EC2 asks us to slow down, the others wait too. */
export const carryIntents = async (
	deps: FleetDeps,
	tenant: string,
	intents: [string, Intent][],
	instances: Ec2Instance[] | undefined,
): Promise<boolean> => {
	let again = false;
	for (const [id, intent] of intents) {
		if ((await carryIntent(deps, tenant, id, intent, instances)) === "again") again = true;
	}
	return again;
};

/** The moments of starts that still count for the limit of a minute. */
export const startsOf = (fleet: FleetItem, plan: Plan, now: number): number[] => [
	...fleet.starts.filter((at) => at > now - 60_000),
	...Array.from({ length: plan.starting }, () => now),
];

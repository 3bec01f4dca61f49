import type { Deps } from "../deps.ts";

/** Body of a message of the fleet's queue: look at the fleet now. What is decided comes from the state, not from here. */
export type FleetMessage = {
	tenant: string;
	/** For the log. */
	why: string;
};

/**
 * Asks for a look at the fleet at once. A nudge that cannot be sent is said and left: the minute's tick asks as well, and what the caller did
 * stands without it.
 */
export const nudgeFleet = async (deps: Pick<Deps, "queues" | "log">, tenant: string, why: string): Promise<void> => {
	try {
		await deps.queues.send("fleet", [{ body: { tenant, why } satisfies FleetMessage }]);
	} catch (error) {
		deps.log.warn("fleet.nudgeFailed", { why, error });
	}
};

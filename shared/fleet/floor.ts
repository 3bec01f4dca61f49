import type { BurstSettings } from "../config/burst-settings.ts";
import { unprocessable } from "../contract/errors.ts";
import { MAX_SCALE_SEC, type ScaleInput } from "../contract/fleet.ts";
import type { Deps } from "../deps.ts";
import { put } from "../store/db.ts";
import { FLEET_FLOOR_ID, type FloorItem } from "../store/items.ts";
import { nudgeFleet } from "./nudge.ts";

/** Clocks of callers are not ours: a moment that is so little beyond a week is taken. */
const CLOCK_TOLERANCE_MS = 60_000;

/** The answer to `POST /v1/fleet/scale`. */
export interface ShownFloor {
	min: number;
	until: string;
	/** Why it is not all that was asked for; absent: it is. */
	note?: string;
}

const noteOf = (min: number, burst: BurstSettings): string | undefined => {
	if (min === 0) return undefined;
	if (!burst.launchTemplate)
		return "This deployment has no burst hosts: it was deployed without an image for them (burstImage).";
	if (burst.dryRun) return "The fleet only reports what it would do (BURST_DRY_RUN): nothing is started.";
	if (min > burst.maxHosts) {
		return `The fleet's limit is ${burst.maxHosts} burst hosts (BURST_MAX_HOSTS): no more are started.`;
	}
	return undefined;
};

const refuse = (message: string): never => {
	throw unprocessable("badUntil", message, [{ path: "until", message }]);
};

/** Sets the floor of burst hosts until a moment; 0 takes it back. A later call replaces it. */
export const setFloor = async (
	deps: Deps & { burst: BurstSettings },
	tenant: string,
	tokenId: string,
	input: ScaleInput,
): Promise<ShownFloor> => {
	const now = deps.now();
	const until = Date.parse(input.until);
	if (input.min > 0 && until <= now) refuse(`is past: it is ${new Date(now).toISOString()} now`);
	if (until > now + MAX_SCALE_SEC * 1_000 + CLOCK_TOLERANCE_MS) {
		refuse(`is more than ${MAX_SCALE_SEC / 86_400} days ahead: for longer, set a schedule or add a steady host`);
	}
	const key = { tenant, id: FLEET_FLOOR_ID } as const;
	const item: FloorItem = { ...key, min: input.min, until, setAt: now, tokenId };
	await put(deps.db, { TableName: deps.tables.fleet, Item: item }, key);
	deps.log.info("fleet.floorSet", { tenant, min: input.min, until, tokenId });
	await nudgeFleet(deps, tenant, `a floor of ${input.min} was set`);
	const note = noteOf(input.min, deps.burst);
	return { min: input.min, until: new Date(until).toISOString(), ...(note ? { note } : {}) };
};

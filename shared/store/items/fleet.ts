import type { DayBudget } from "../../contract/budget.ts";
import type { ScheduleInput } from "../../contract/fleet.ts";
import type { Decision } from "../../fleet/decision.ts";
import type { OwnPrices } from "../../prices/price-data.ts";
import type { BudgetState } from "./campaign.ts";

// Table fleet: key (tenant, id): `#state`, `#floor`, `#budget`, `#prices`, `schedule#<name>`

export const FLEET_STATE_ID = "#state";
export const FLEET_FLOOR_ID = "#floor";
export const BUDGET_ID = "#budget";
export const FLEET_PRICES_ID = "#prices";
export const scheduleId = (name: string): string => `schedule#${name}`;

/**
 * Something that EC2 is asked for, written before it is asked: counted as capacity from then on, and asked again by the next run if this one dies.
 * The same intent never starts more: a launch has its id as ClientToken, a start names its hosts.
 */
export type Intent = LaunchIntent | StartIntent;
export interface LaunchIntent {
	kind: "launch";
	/** Key of the {@link Offering}. */
	offering: string;
	count: number;
	at: number;
	lease?: number;
}
export interface StartIntent {
	kind: "start";
	hosts: string[];
	/** The new startId of each host. */
	startId: string;
	at: number;
	/** A look is carrying it out until then; afterwards, or without it, another may go on with it. */
	lease?: number;
}

/** Key `#state`: what the fleet's runs remember. Every change is on condition of `version`, so of two runs at once one wins and the other looks again. */
export interface FleetItem extends Record<string, unknown> {
	tenant: string;
	id: typeof FLEET_STATE_ID;
	version: number;
	/** By intent id. */
	intents: Record<string, Intent>;
	/** Moments of the hosts started in the last minute, one for each. */
	starts: number[];
	/** Offerings that were out of capacity, until when they are not asked for. */
	noCapacity: Record<string, number>;
	/** EC2 asked us to slow down: nothing is asked before. `throttles`: how often one after the other. */
	throttledUntil: number;
	throttles?: number;
	/** EC2 refused for a reason that only a person can mend; tried again after `until`. */
	halted?: { reason: string; at: number; until: number };
	/**
	 * Starts that failed one after the other; none before `notBefore`. `at`: the last failure; `counted`: the starts (hostId/startId) that are in it;
	 * `trunks`: those that failed last did so because these carriers answered nobody, steady hosts neither.
	 */
	failed: { count: number; notBefore: number; reason: string; at?: number; counted?: string[]; trunks?: string[] };
	/** Instances with our tag that are nobody's, and hosts that EC2 does not know: first sighting. */
	strangers: Record<string, number>;
	ghosts: Record<string, number>;
	/** Active hosts that can carry no call, because no trunk answers or Asterisk is down: since when. */
	noTrunk?: Record<string, number>;
	/** What was wanted lately, newest last; each holds until the next. Reaches back over the idle time. */
	recent: { at: number; onDemand: number; spot: number }[];
	/** Seconds from the start to the first hello, of the last starts, newest last. */
	boots: number[];
	/** The starts (hostId/startId) that are in `boots`, or were, as long as their hosts are there. */
	booted?: string[];
	/** Elastic IPs: of the pool, free, and running hosts that wait for one. */
	addresses?: { pool: number; free: number; missing: number };
	/** Whether something is under way: then the tick asks for a look every few seconds. */
	awake: boolean;
	decision?: Decision;
}

/** Key `#floor`: `POST /v1/fleet/scale`. */
export interface FloorItem extends Record<string, unknown> {
	tenant: string;
	id: typeof FLEET_FLOOR_ID;
	min: number;
	until: number;
	setAt: number;
	tokenId: string;
}

/** Key `#budget`: `PUT /v1/budget`, and how it stood at the last look. */
export interface DayBudgetItem extends Record<string, unknown>, DayBudget {
	tenant: string;
	id: typeof BUDGET_ID;
	setAt: number;
	tokenId: string;
	state?: BudgetState;
}

/** Key `#prices`: `PUT /v1/prices`. Up to 300 KB, so that a reading costs up to 75 read units: not for the dial path. */
export interface PricesItem extends Record<string, unknown> {
	tenant: string;
	id: typeof FLEET_PRICES_ID;
	own: OwnPrices;
	updatedAt: number;
	tokenId: string;
}

/** Key `schedule#<name>`: `PUT /v1/fleet/schedules/{name}`. */
export interface ScheduleItem extends Record<string, unknown>, ScheduleInput {
	tenant: string;
	id: string;
	name: string;
	updatedAt: number;
}

import type { Deps } from "../deps.ts";
import { getItem, put, queryAll } from "../store/db.ts";
import {
	BUDGET_ID,
	type DayBudgetItem,
	FLEET_FLOOR_ID,
	FLEET_STATE_ID,
	type FleetItem,
	type FloorItem,
	type ScheduleItem,
} from "../store/items.ts";

/** What remembers the fleet's runs: one item, changed by compare-and-set. */
type StateDeps = Pick<Deps, "db" | "tables">;

/** The fleet before its first look. */
export const emptyFleet = (tenant: string): FleetItem => ({
	tenant,
	id: FLEET_STATE_ID,
	version: 0,
	intents: {},
	starts: [],
	noCapacity: {},
	throttledUntil: 0,
	failed: { count: 0, notBefore: 0, reason: "" },
	strangers: {},
	ghosts: {},
	recent: [],
	boots: [],
	awake: false,
});

/** The fleet's state; where none is stored, that before the first look. */
export const readFleet = async (deps: StateDeps, tenant: string): Promise<FleetItem> =>
	(await getItem<FleetItem>(deps.db, deps.tables.fleet, { tenant, id: FLEET_STATE_ID })) ?? emptyFleet(tenant);

/** All that the table holds of a tenant, read strongly in one query. */
export interface FleetRoom {
	fleet: FleetItem;
	floor: FloorItem | undefined;
	schedules: ScheduleItem[];
	/** Of a day, for all campaigns. */
	budget: DayBudgetItem | undefined;
}
export const readFleetRoom = async (deps: StateDeps, tenant: string): Promise<FleetRoom> => {
	const items = await queryAll<Record<string, unknown> & { id: string }>(deps.db, {
		TableName: deps.tables.fleet,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant",
		ExpressionAttributeValues: { ":tenant": tenant },
	});
	return {
		fleet: (items.find(({ id }) => id === FLEET_STATE_ID) as FleetItem | undefined) ?? emptyFleet(tenant),
		floor: items.find(({ id }) => id === FLEET_FLOOR_ID) as FloorItem | undefined,
		budget: items.find(({ id }) => id === BUDGET_ID) as DayBudgetItem | undefined,
		schedules: items.filter(({ id }) => id.startsWith("schedule#")) as ScheduleItem[],
	};
};

/** New values; a field given as undefined is removed. */
export type FleetChange = Omit<
	{ [K in keyof FleetItem as string extends K ? never : K]?: FleetItem[K] | undefined },
	"tenant" | "id" | "version"
>;

/**
 * Changes the state if nobody else has changed it since it was read.
 * @returns the state as it is now, or undefined where somebody else was first: then look again
 */
export const changeFleet = async (
	deps: StateDeps,
	fleet: FleetItem,
	change: FleetChange,
): Promise<FleetItem | undefined> => {
	const whole = { ...fleet, ...change, version: fleet.version + 1 };
	const next = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)) as FleetItem;
	const key = { tenant: fleet.tenant, id: FLEET_STATE_ID };
	const first = fleet.version === 0;
	const result = await put<FleetItem>(
		deps.db,
		{
			TableName: deps.tables.fleet,
			Item: next,
			ConditionExpression: first ? "attribute_not_exists(version)" : "version = :read",
			...(first ? {} : { ExpressionAttributeValues: { ":read": fleet.version } }),
		},
		key,
	);
	return result.ok ? next : undefined;
};

/** More looks at once than this nobody starts; each try that is lost was won by another. */
const MAX_TRIES = 20;

/** Makes a change that is right whatever others changed meanwhile (an intent is done, a refusal is remembered). */
export const noteInFleet = async (
	deps: StateDeps,
	tenant: string,
	change: (fleet: FleetItem) => FleetChange | undefined,
): Promise<FleetItem> => {
	for (let i = 0; i < MAX_TRIES; i++) {
		const fleet = await readFleet(deps, tenant);
		const wanted = change(fleet);
		if (!wanted) return fleet;
		const written = await changeFleet(deps, fleet, wanted);
		if (written) return written;
	}
	throw new Error(`The fleet's state did not stand still for ${MAX_TRIES} tries; the next look goes on.`);
};

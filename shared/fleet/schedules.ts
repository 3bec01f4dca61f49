import { createHash } from "node:crypto";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { BurstSettings } from "../config/burst-settings.ts";
import { notFound, unprocessable } from "../contract/errors.ts";
import type { ScheduleInput } from "../contract/fleet.ts";
import type { Deps } from "../deps.ts";
import { getItem, put, queryAll } from "../store/db.ts";
import { type ScheduleItem, scheduleId } from "../store/items.ts";
import type { ScheduleDeps, SchedulerEntry } from "./deps.ts";
import { nextFloorChange, spansAround } from "./floors.ts";
import { nudgeFleet } from "./nudge.ts";

/** Every look at the fleet reads them all. */
export const MAX_SCHEDULES = 100;
/** EventBridge Scheduler's limit for a name. */
const MAX_ENTRY_NAME_CHARS = 64;
const HASH_CHARS = 16;

const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

/** A schedule as the API shows it. */
export interface ShownSchedule extends ScheduleInput {
	name: string;
	/** Whether it holds now. */
	inForce: boolean;
	/** When it begins or ends next, ISO 8601; null: not within a day. */
	nextEdgeAt: string | null;
	updatedAt: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export const showSchedule = (item: ScheduleItem, now: number): ShownSchedule => {
	const edge = nextFloorChange([item], undefined, now);
	return {
		name: item.name,
		floor: item.floor,
		days: item.days,
		from: item.from,
		to: item.to,
		timeZone: item.timeZone,
		inForce: spansAround(item, now).some(({ start, end }) => start <= now && now < end),
		nextEdgeAt: edge === undefined ? null : iso(edge),
		updatedAt: iso(item.updatedAt),
	};
};

/** The day after, on the ISO week. */
const dayAfter = (day: number): number => (day % 7) + 1;

const cronOf = (time: string, days: number[]): string => {
	const [hour, minute] = time.split(":").map(Number);
	const names = [...days].sort((a, b) => a - b).map((day) => DAYS[day - 1]);
	return `cron(${minute} ${hour} ? * ${names.join(",")} *)`;
};

/** Names have no `.`, so that no two schedules share an entry; too long a name is cut and told apart by its hash. */
const entryName = (stack: string, tenant: string, name: string, edge: string): string => {
	const full = [stack, tenant, name, edge].join(".");
	if (full.length <= MAX_ENTRY_NAME_CHARS) return full;
	const hash = createHash("sha256").update(full).digest("hex").slice(0, HASH_CHARS);
	return `${full.slice(0, MAX_ENTRY_NAME_CHARS - HASH_CHARS - 1)}.${hash}`;
};

/** The two entries of a schedule: one fires when it begins, one when it ends. Where `to` is earlier than `from` it ends on the day after. */
export const entriesOf = (
	stack: string,
	tenant: string,
	name: string,
	{ days, from, to, timeZone }: ScheduleInput,
): [SchedulerEntry, SchedulerEntry] => [
	{
		name: entryName(stack, tenant, name, "from"),
		cron: cronOf(from, days),
		timeZone,
		message: { tenant, why: `schedule ${name} begins` },
	},
	{
		name: entryName(stack, tenant, name, "to"),
		cron: cronOf(to, to < from ? days.map(dayAfter) : days),
		timeZone,
		message: { tenant, why: `schedule ${name} ends` },
	},
];

export const readSchedules = (deps: Deps, tenant: string): Promise<ScheduleItem[]> =>
	queryAll<ScheduleItem>(deps.db, {
		TableName: deps.tables.fleet,
		ConsistentRead: true,
		KeyConditionExpression: "tenant = :tenant AND begins_with(id, :schedules)",
		ExpressionAttributeValues: { ":tenant": tenant, ":schedules": scheduleId("") },
	});

/** What schedules need. */
export type SchedulesDeps = Deps & Pick<ScheduleDeps, "scheduler"> & { burst: BurstSettings };

/**
 * Creates or replaces a schedule. It is stored first: from then on every look obeys it, whether its entries in EventBridge Scheduler are made or not;
 * they only make the looks come at the very minute. A repeat makes what is missing.
 */
export const putSchedule = async (
	deps: SchedulesDeps,
	tenant: string,
	name: string,
	input: ScheduleInput,
): Promise<{ created: boolean; schedule: ShownSchedule }> => {
	const standing = await readSchedules(deps, tenant);
	const created = !standing.some((item) => item.name === name);
	if (created && standing.length >= MAX_SCHEDULES) {
		throw unprocessable("tooManySchedules", `There are ${standing.length} schedules already: remove one first.`);
	}
	const key = { tenant, id: scheduleId(name) };
	const item: ScheduleItem = { ...key, name, ...input, updatedAt: deps.now() };
	await put(deps.db, { TableName: deps.tables.fleet, Item: item }, key);
	deps.log.info("fleet.scheduleSet", { tenant, name, ...input });
	// Also where the entries fail: the schedule may hold at this very moment.
	await nudgeFleet(deps, tenant, `schedule ${name} was set`);
	for (const entry of entriesOf(deps.burst.stack, tenant, name, input)) await deps.scheduler.put(entry);
	return { created, schedule: showSchedule(item, deps.now()) };
};

export const getSchedule = async (deps: Deps, tenant: string, name: string): Promise<ScheduleItem> => {
	const key = { tenant, id: scheduleId(name) };
	const item = await getItem<ScheduleItem>(deps.db, deps.tables.fleet, key);
	if (!item) throw notFound("schedule", name);
	return item;
};

/** Removes a schedule: its entries first, so that a crash in between leaves something to repeat the removal of. @returns what it was */
export const removeSchedule = async (deps: SchedulesDeps, tenant: string, name: string): Promise<ScheduleItem> => {
	const item = await getSchedule(deps, tenant, name);
	for (const entry of entriesOf(deps.burst.stack, tenant, name, item)) await deps.scheduler.remove(entry.name);
	await deps.db.send(new DeleteCommand({ TableName: deps.tables.fleet, Key: { tenant, id: scheduleId(name) } }));
	deps.log.info("fleet.scheduleRemoved", { tenant, name });
	await nudgeFleet(deps, tenant, `schedule ${name} was removed`);
	return item;
};

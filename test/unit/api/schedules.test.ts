import {
	ConflictException,
	CreateScheduleCommand,
	DeleteScheduleCommand,
	ResourceNotFoundException,
	UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { schedulerAdapter } from "../../../shared/aws/scheduler.ts";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { QueueMessage } from "../../../shared/contacts/ports.ts";
import { scheduleSchema } from "../../../shared/contract/fleet.ts";
import type { SchedulerEntry } from "../../../shared/fleet/deps.ts";
import { setFloor } from "../../../shared/fleet/floor.ts";
import {
	entriesOf,
	MAX_SCHEDULES,
	putSchedule,
	readSchedules,
	removeSchedule,
	type SchedulesDeps,
	showSchedule,
} from "../../../shared/fleet/schedules.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/** A Monday. */
const NOW = Date.parse("2026-11-23T10:00:00Z");
const STACK = "burst-dialer-test";
const office = scheduleSchema.parse({
	floor: 3,
	days: [1, 2, 3, 4, 5],
	from: "08:30",
	to: "18:00",
	timeZone: "Europe/Berlin",
});
const night = { ...office, from: "22:00", to: "06:15" };

describe("the entries of a schedule", () => {
	test("fire when it begins and when it ends, in its own time zone", () => {
		expect(entriesOf(STACK, TENANT, "office", office)).toEqual([
			{
				name: "burst-dialer-test.default.office.from",
				cron: "cron(30 8 ? * MON,TUE,WED,THU,FRI *)",
				timeZone: "Europe/Berlin",
				message: { tenant: TENANT, why: "schedule office begins" },
			},
			{
				name: "burst-dialer-test.default.office.to",
				cron: "cron(0 18 ? * MON,TUE,WED,THU,FRI *)",
				timeZone: "Europe/Berlin",
				message: { tenant: TENANT, why: "schedule office ends" },
			},
		]);
	});

	test("past midnight it ends on the day after, Sunday's on Monday", () => {
		const crons = (days: number[]) => entriesOf(STACK, TENANT, "n", { ...night, days }).map(({ cron }) => cron);
		expect(crons([5, 7])).toEqual(["cron(0 22 ? * FRI,SUN *)", "cron(15 6 ? * MON,SAT *)"]);
		expect(crons([1, 2, 3, 4, 5, 6, 7])[1]).toBe("cron(15 6 ? * MON,TUE,WED,THU,FRI,SAT,SUN *)");
	});

	test("have names that the Scheduler takes, and no two schedules share one", () => {
		const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
		const stack = fc.stringMatching(/^[a-z][a-z0-9-]{0,60}$/);
		fc.assert(
			fc.property(stack, name, name, (of, one, other) => {
				const names = [one, other].flatMap((n) => entriesOf(of, TENANT, n, office).map((entry) => entry.name));
				for (const each of names) expect(each).toMatch(/^[0-9a-zA-Z-_.]{1,64}$/);
				expect(new Set(names).size).toBe(one === other ? 2 : 4);
			}),
		);
	});
});

describe("schedules", () => {
	let now: number;
	let sent: QueueMessage[];
	let entries: Map<string, SchedulerEntry>;
	/** Calls of the Scheduler that work before one fails. */
	let callsLeft: number;
	let deps: SchedulesDeps;

	beforeEach(() => {
		now = NOW;
		sent = [];
		entries = new Map();
		callsLeft = Number.POSITIVE_INFINITY;
		const call = () => {
			if (callsLeft-- <= 0) throw new Error("the Scheduler is away");
		};
		const dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
		deps = {
			...testDeps(dynamo.client(), () => now),
			burst: parseBurstSettings({ BURST_STACK: STACK }),
			queues: { send: async (_queue, messages) => void sent.push(...messages) },
			scheduler: {
				put: async (entry) => {
					call();
					entries.set(entry.name, entry);
				},
				remove: async (name) => {
					call();
					entries.delete(name);
				},
			},
		};
	});
	const wantedEntries = (...names: string[]) => names.flatMap((n) => entriesOf(STACK, TENANT, n, office));

	test("are stored with their entries, and the fleet is looked at", async () => {
		expect(await putSchedule(deps, TENANT, "office", office)).toEqual({
			created: true,
			schedule: {
				...office,
				name: "office",
				inForce: true,
				nextEdgeAt: "2026-11-23T17:00:00.000Z",
				updatedAt: "2026-11-23T10:00:00.000Z",
			},
		});
		expect([...entries.values()]).toEqual(wantedEntries("office"));
		expect(sent.map(({ body }) => body)).toEqual([{ tenant: TENANT, why: "schedule office was set" }]);
	});

	test("are replaced as a whole, their entries too", async () => {
		await putSchedule(deps, TENANT, "office", office);
		const changed = { ...office, floor: 9, to: "19:00" };
		expect(await putSchedule(deps, TENANT, "office", changed)).toMatchObject({ created: false, schedule: changed });
		expect(await readSchedules(deps, TENANT)).toHaveLength(1);
		expect([...entries.values()]).toEqual(entriesOf(STACK, TENANT, "office", changed));
	});

	test.each([0, 1])(
		"hold although the Scheduler failed after %i call(s); a repeat makes what is missing",
		async (n) => {
			callsLeft = n;
			await expect(putSchedule(deps, TENANT, "office", office)).rejects.toThrow("the Scheduler is away");
			expect(await readSchedules(deps, TENANT)).toMatchObject([office]);
			expect(sent).toHaveLength(1);
			callsLeft = Number.POSITIVE_INFINITY;
			expect(await putSchedule(deps, TENANT, "office", office)).toMatchObject({ created: false });
			expect([...entries.values()]).toEqual(wantedEntries("office"));
		},
	);

	test.each([0, 1])(
		"are still there where removing an entry failed after %i call(s); a repeat removes the rest",
		async (n) => {
			await putSchedule(deps, TENANT, "office", office);
			await putSchedule(deps, TENANT, "other", office);
			callsLeft = n;
			await expect(removeSchedule(deps, TENANT, "office")).rejects.toThrow("the Scheduler is away");
			expect(await readSchedules(deps, TENANT)).toHaveLength(2);
			callsLeft = Number.POSITIVE_INFINITY;
			await removeSchedule(deps, TENANT, "office");
			expect((await readSchedules(deps, TENANT)).map(({ name }) => name)).toEqual(["other"]);
			expect([...entries.values()]).toEqual(wantedEntries("other"));
			await expect(removeSchedule(deps, TENANT, "office")).rejects.toMatchObject({ status: 404 });
		},
	);

	test("the floor and the fleet's state are no schedules", async () => {
		await setFloor(deps, TENANT, "t", { min: 1, until: "2026-11-23T11:00:00Z" });
		await putSchedule(deps, TENANT, "office", office);
		expect((await readSchedules(deps, TENANT)).map(({ name }) => name)).toEqual(["office"]);
	});

	test("are limited in number, replacing excepted", async () => {
		for (let i = 0; i < MAX_SCHEDULES; i++) await putSchedule(deps, TENANT, `s${i}`, office);
		await expect(putSchedule(deps, TENANT, "more", office)).rejects.toMatchObject({ status: 422 });
		expect(await putSchedule(deps, TENANT, "s0", { ...office, floor: 7 })).toMatchObject({ created: false });
	});

	test("say when they hold", async () => {
		await putSchedule(deps, TENANT, "night", night);
		const [item] = await readSchedules(deps, TENANT);
		if (!item) throw new Error("it is gone");
		const at = (time: string) => showSchedule(item, Date.parse(time));
		// Friday's holds until Saturday morning, Saturday evening's is none.
		expect(at("2026-11-28T05:14:59Z")).toMatchObject({ inForce: true, nextEdgeAt: "2026-11-28T05:15:00.000Z" });
		expect(at("2026-11-28T05:15:00Z")).toMatchObject({ inForce: false, nextEdgeAt: null });
		expect(at("2026-11-28T22:00:00Z")).toMatchObject({ inForce: false });
	});
});

describe("the adapter of EventBridge Scheduler", () => {
	const ENV = { BURST_SCHEDULE_GROUP: "g", BURST_SCHEDULE_ROLE: "arn:role", BURST_SCHEDULE_TARGET: "arn:queue" };
	const entry: SchedulerEntry = {
		name: "a.from",
		cron: "cron(0 8 ? * MON *)",
		timeZone: "UTC",
		message: { tenant: "t" },
	};
	const wanted = {
		Name: "a.from",
		GroupName: "g",
		ScheduleExpression: "cron(0 8 ? * MON *)",
		ScheduleExpressionTimezone: "UTC",
		FlexibleTimeWindow: { Mode: "OFF" },
		Target: { Arn: "arn:queue", RoleArn: "arn:role", Input: '{"tenant":"t"}' },
	};
	/** Answers each command in turn: an error is thrown. */
	const clientOf = (...answers: (Error | object)[]) => {
		const commands: { input: object }[] = [];
		const send = async (command: { input: object }) => {
			commands.push(command);
			const answer = answers[commands.length - 1] ?? {};
			if (answer instanceof Error) throw answer;
			return answer;
		};
		return { commands, client: { send } as unknown as Parameters<typeof schedulerAdapter>[1] };
	};
	const conflict = new ConflictException({ Message: "exists", message: "exists", $metadata: {} });
	const absent = new ResourceNotFoundException({ Message: "none", message: "none", $metadata: {} });

	test("creates an entry", async () => {
		const { commands, client } = clientOf();
		await schedulerAdapter(ENV, client).put(entry);
		expect(commands).toHaveLength(1);
		expect(commands[0]).toBeInstanceOf(CreateScheduleCommand);
		expect(commands[0]?.input).toMatchObject(wanted);
	});
	test("replaces one that is there", async () => {
		const { commands, client } = clientOf(conflict);
		await schedulerAdapter(ENV, client).put(entry);
		expect(commands[1]).toBeInstanceOf(UpdateScheduleCommand);
		expect(commands[1]?.input).toEqual(commands[0]?.input);
	});
	test("removes one, and takes it for removed where there is none", async () => {
		const { commands, client } = clientOf({}, absent);
		await schedulerAdapter(ENV, client).remove("a.from");
		await schedulerAdapter(ENV, client).remove("a.from");
		expect(commands[0]).toBeInstanceOf(DeleteScheduleCommand);
		expect(commands[0]?.input).toEqual({ Name: "a.from", GroupName: "g" });
	});
	test("every other failure is the caller's", async () => {
		await expect(schedulerAdapter(ENV, clientOf(absent).client).put(entry)).rejects.toBe(absent);
		await expect(schedulerAdapter(ENV, clientOf(conflict, absent).client).put(entry)).rejects.toBe(absent);
		await expect(schedulerAdapter(ENV, clientOf(conflict).client).remove("x")).rejects.toBe(conflict);
	});
	test("names every variable that is missing", async () => {
		await expect(schedulerAdapter({}, clientOf().client).put(entry)).rejects.toThrow(
			/BURST_SCHEDULE_GROUP.*BURST_SCHEDULE_ROLE.*BURST_SCHEDULE_TARGET/s,
		);
	});
});

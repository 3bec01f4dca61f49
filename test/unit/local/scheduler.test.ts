import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	CreateScheduleCommand,
	type CreateScheduleCommandInput,
	DeleteScheduleCommand,
	GetScheduleCommand,
	ListSchedulesCommand,
	SchedulerClient,
	UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { SchedulerClock } from "../../../local/scheduler/scheduler.ts";
import { type EmulatedScheduler, startScheduler } from "../../../local/scheduler/server.ts";

const ACCOUNT = "000000000000";
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:fleet`;
const HOUR_MS = 3_600_000;

/** Time that passes when it is told to. */
class VirtualClock implements SchedulerClock {
	#now: number;
	readonly #timers = new Set<{ at: number; run: () => void }>();
	constructor(start: string) {
		this.#now = Date.parse(start);
	}
	now(): number {
		return this.#now;
	}
	after(ms: number, run: () => void): () => void {
		const timer = { at: this.#now + ms, run };
		this.#timers.add(timer);
		return () => this.#timers.delete(timer);
	}
	advanceTo(moment: string): void {
		const end = Date.parse(moment);
		for (;;) {
			const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
			if (!next) break;
			this.#timers.delete(next);
			this.#now = Math.max(this.#now, next.at);
			next.run();
		}
		this.#now = end;
	}
}

let clock: VirtualClock;
let scheduler: EmulatedScheduler;
let client: SchedulerClient;
let dir: string;
let sent: { at: string; queue: string; input: string }[];
let logged: string[];
let refuseSending: boolean;

const start = async (): Promise<void> => {
	scheduler = await startScheduler({
		clock,
		account: ACCOUNT,
		region: "us-east-1",
		groups: ["ours"],
		queues: ["fleet"],
		send: async (queue, input) => {
			if (refuseSending) throw new Error("the queue is away");
			sent.push({ at: new Date(clock.now()).toISOString(), queue, input });
		},
		file: join(dir, "schedules.json"),
		log: {
			info: () => {},
			warn: (event) => void logged.push(event),
			error: (event) => void logged.push(event),
		},
	});
	client = new SchedulerClient({
		region: "us-east-1",
		endpoint: scheduler.endpoint,
		credentials: { accessKeyId: "local", secretAccessKey: "local" },
		maxAttempts: 1,
	});
};
const stop = async (): Promise<void> => {
	client.destroy();
	await scheduler.stop();
};

beforeEach(async () => {
	dir = mkdtempSync(join(tmpdir(), "scheduler-"));
	clock = new VirtualClock("2026-01-01T00:00:00Z");
	[sent, logged, refuseSending] = [[], [], false];
	await start();
});
afterEach(async () => {
	await stop();
	rmSync(dir, { recursive: true, force: true });
});

const input = (changes: Partial<CreateScheduleCommandInput> = {}): CreateScheduleCommandInput => ({
	Name: "morning",
	GroupName: "ours",
	ScheduleExpression: "cron(30 8 ? * * *)",
	ScheduleExpressionTimezone: "Europe/Berlin",
	FlexibleTimeWindow: { Mode: "OFF" },
	Target: {
		Arn: QUEUE,
		RoleArn: `arn:aws:iam::${ACCOUNT}:role/sender`,
		Input: '{"tenant":"default"}',
		RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 5 },
	},
	...changes,
});
const NAMED = { Name: "morning", GroupName: "ours" };

describe("the emulated EventBridge Scheduler", () => {
	test("keeps an entry, and sends its input at every edge", async () => {
		const made = await client.send(new CreateScheduleCommand(input()));
		expect(made.ScheduleArn).toBe(`arn:aws:scheduler:us-east-1:${ACCOUNT}:schedule/ours/morning`);
		expect(await client.send(new GetScheduleCommand(NAMED))).toMatchObject({
			...NAMED,
			ScheduleExpression: "cron(30 8 ? * * *)",
			ScheduleExpressionTimezone: "Europe/Berlin",
			State: "ENABLED",
			Target: { Arn: QUEUE, Input: '{"tenant":"default"}' },
			CreationDate: new Date("2026-01-01T00:00:00Z"),
		});
		clock.advanceTo("2026-01-03T00:00:00Z");
		await stop();
		expect(sent).toEqual(
			["2026-01-01", "2026-01-02"].map((day) => ({
				at: `${day}T07:30:00.000Z`,
				queue: "fleet",
				input: '{"tenant":"default"}',
			})),
		);
		await start();
	});

	test("one that is made twice is a conflict; an update replaces all of it", async () => {
		await client.send(new CreateScheduleCommand(input()));
		await expect(client.send(new CreateScheduleCommand(input()))).rejects.toThrow(
			expect.objectContaining({ name: "ConflictException" }),
		);
		await client.send(
			new UpdateScheduleCommand(
				input({ ScheduleExpression: "cron(0 10 ? * * *)", ScheduleExpressionTimezone: "UTC", Description: "later" }),
			),
		);
		clock.advanceTo("2026-01-02T00:00:00Z");
		expect(sent.map(({ at }) => at)).toEqual(["2026-01-01T10:00:00.000Z"]);
	});

	test("an entry that is removed, or off, fires no more", async () => {
		await client.send(new CreateScheduleCommand(input()));
		await client.send(new DeleteScheduleCommand(NAMED));
		await client.send(new CreateScheduleCommand(input({ Name: "off", State: "DISABLED" })));
		clock.advanceTo("2026-01-03T00:00:00Z");
		expect(sent).toEqual([]);
		for (const command of [new DeleteScheduleCommand(NAMED), new GetScheduleCommand(NAMED)])
			await expect(client.send(command as GetScheduleCommand)).rejects.toThrow(
				expect.objectContaining({ name: "ResourceNotFoundException" }),
			);
		await expect(client.send(new UpdateScheduleCommand(input()))).rejects.toThrow(
			expect.objectContaining({ name: "ResourceNotFoundException" }),
		);
	});

	test("entries are there after a new start; what was missed in between is not made up for", async () => {
		await client.send(new CreateScheduleCommand(input()));
		await stop();
		clock.advanceTo("2026-01-02T12:00:00Z");
		await start();
		clock.advanceTo("2026-01-03T12:00:00Z");
		expect(sent.map(({ at }) => at)).toEqual(["2026-01-03T07:30:00.000Z"]);
	});

	test("a file of entries that is damaged is said", async () => {
		await stop();
		writeFileSync(join(dir, "schedules.json"), "{");
		await expect(start()).rejects.toThrow(/schedules\.json is damaged/);
		rmSync(join(dir, "schedules.json"));
		await start();
	});

	test("one that the machine slept over fires once", async () => {
		await client.send(new CreateScheduleCommand(input({ ScheduleExpression: "cron(0 * ? * * *)" })));
		const asleep = clock.now() + 5 * HOUR_MS + 1;
		clock.now = () => asleep;
		clock.advanceTo("2026-01-01T01:00:00Z");
		await stop();
		expect(sent).toHaveLength(1);
		await start();
	});

	test("a queue that does not take the message is said, and the next edge comes all the same", async () => {
		await client.send(new CreateScheduleCommand(input()));
		refuseSending = true;
		clock.advanceTo("2026-01-02T00:00:00Z");
		refuseSending = false;
		clock.advanceTo("2026-01-03T00:00:00Z");
		await stop();
		expect(logged).toEqual(["scheduler.notSent"]);
		expect(sent).toHaveLength(1);
		await start();
	});

	test.each<[string, Partial<CreateScheduleCommandInput>, string]>([
		["an expression that it does not know", { ScheduleExpression: "rate(1 hour)" }, "ValidationException"],
		["a zone that is none", { ScheduleExpressionTimezone: "Mars/Base" }, "ValidationException"],
		[
			"a flexible window",
			{ FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 5 } },
			"ValidationException",
		],
		["a member that it does not know", { KmsKeyArn: "arn:aws:kms:us-east-1:0:key/1" }, "ValidationException"],
		[
			"a queue that is not there",
			{ Target: { Arn: `${QUEUE}-other`, RoleArn: `arn:aws:iam::${ACCOUNT}:role/sender` } },
			"ValidationException",
		],
		["a target without a role", { Target: { Arn: QUEUE, RoleArn: "" } }, "ValidationException"],
		["a name with a blank", { Name: "a b" }, "ValidationException"],
		["a group that is not there", { GroupName: "theirs" }, "ResourceNotFoundException"],
	])("%s is refused, and said", async (_, changes, name) => {
		await expect(client.send(new CreateScheduleCommand(input(changes)))).rejects.toThrow(
			expect.objectContaining({ name }),
		);
		if (name !== "ResourceNotFoundException") expect(logged).toEqual(["scheduler.refused"]);
		expect(scheduler.entries()).toEqual([]);
	});

	test("an operation that it does not know is refused", async () => {
		await expect(client.send(new ListSchedulesCommand({}))).rejects.toThrow(/does not know GET \/schedules/);
		const broken = await fetch(`${scheduler.endpoint}/schedules/x`, { method: "POST", body: "{" });
		expect(broken.status).toBe(400);
	});
});

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { followCampaignCap } from "../../shared/campaigns/registration.ts";
import type { CampaignItem, TrunkItem } from "../../shared/store/items.ts";
import type { Attributes, MemoryDynamo } from "../support/memory-dynamo.ts";
import {
	type Execution,
	type Mutation,
	type StatementDetail,
	VirtualControlPlane,
} from "../support/virtual/control-plane.ts";
import { Random } from "../support/virtual/random.ts";
import { Scheduler } from "../support/virtual/scheduler.ts";
import { campaignIdOf, setUp, TENANT } from "../support/virtual/world.ts";

/**
 * A campaign's cap over several trunks, whose parts move as trunks refuse calls: whatever divisions cross, stand still or die on the way, no more is up at once than
 * the cap; and when all is quiet every trunk has its part.
 */

const CAP = 10;
const CAMPAIGN = campaignIdOf("a");
const TRUNKS = ["t1", "t2", "t3"];

const trunk = (dynamo: MemoryDynamo, trunkId: string): TrunkItem =>
	dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId }) as TrunkItem;
/** Channels of the campaign that hosts have on a trunk. */
const up = (dynamo: MemoryDynamo, trunkId: string): number => {
	const entry = trunk(dynamo, trunkId).c[CAMPAIGN];
	return entry ? entry.cap - entry.free : 0;
};
const change = (dynamo: MemoryDynamo, trunkId: string, with_: (item: TrunkItem) => void): void => {
	const item = structuredClone(trunk(dynamo, trunkId));
	with_(item);
	const result = dynamo.perform({ name: "Put", input: { TableName: "trunks", Item: item as unknown as Attributes } });
	if (!result.ok) throw result.error;
};

interface Schedule {
	seed: number;
	steps: ("follow" | "go" | "take" | "give" | "slow" | "recover" | "die")[];
}
const schedules: fc.Arbitrary<Schedule> = fc.record({
	seed: fc.integer(),
	steps: fc.array(
		fc.constantFrom("follow", "go", "go", "go", "go", "go", "take", "take", "give", "slow", "recover", "die"),
		{ minLength: 30, maxLength: 200 },
	),
});

/** @returns how often more was up than the cap; the parts at the end, and how often a part moved */
const runSchedule = async ({ seed, steps }: Schedule, mutation?: Mutation) => {
	const scheduler = new Scheduler(false);
	const random = new Random(seed);
	const plane = new VirtualControlPlane(scheduler, random, mutation ? { mutation } : {});
	const { dynamo } = plane;
	setUp(
		dynamo,
		{
			hosts: [],
			trunks: TRUNKS.map((id) => ({ id, maxChannels: 100, maxCps: 100 })),
			campaigns: [{ letter: "a", trunk: "t1", contacts: 0, cap: CAP, onAll: true }],
		},
		scheduler.now,
	);
	let most = 0;
	const executions = [];
	const follow = () => plane.start("follow", (deps) => followCampaignCap(deps, TENANT, CAMPAIGN));
	for (const step of steps) {
		const trunkId = random.pick(TRUNKS);
		if (step === "follow") executions.push(follow());
		await scheduler.settle();
		const waiting = [...scheduler.waiting];
		if (step === "go" && waiting.length > 0) await scheduler.run(random.pick(waiting));
		if (step === "die" && executions.length > 0 && random.chance(0.3)) plane.kill(random.pick(executions));
		if (step === "take" && (trunk(dynamo, trunkId).c[CAMPAIGN]?.free ?? 0) > 0)
			change(dynamo, trunkId, ({ c }) => {
				(c[CAMPAIGN] as { free: number }).free -= random.int(1, c[CAMPAIGN]?.free ?? 1);
			});
		if (step === "give" && up(dynamo, trunkId) > 0)
			change(dynamo, trunkId, ({ c }) => {
				(c[CAMPAIGN] as { free: number }).free++;
			});
		if (step === "slow")
			change(dynamo, trunkId, (item) => {
				item.pace = { f: random.pick([0.05, 0.2, 0.5]), at: scheduler.now };
			});
		if (step === "recover")
			change(dynamo, trunkId, (item) => {
				delete item.pace;
			});
		most = Math.max(
			most,
			TRUNKS.reduce((n, id) => n + up(dynamo, id), 0),
		);
	}
	// Calls end, trunks answer again, what stood still goes on.
	for (const id of TRUNKS)
		change(dynamo, id, (item) => {
			const entry = item.c[CAMPAIGN];
			if (entry) entry.free = entry.cap;
			delete item.pace;
		});
	for (let i = 0; i < 6; i++) {
		follow();
		await scheduler.settle();
		for (let next = [...scheduler.waiting][0]; next; next = [...scheduler.waiting][0]) await scheduler.run(next);
	}
	const { division } = dynamo.peek<CampaignItem>("campaigns", {
		campaign: `${TENANT}#${CAMPAIGN}`,
		kind: "META",
	}) as CampaignItem;
	const caps = Object.fromEntries(TRUNKS.map((id) => [id, trunk(dynamo, id).c[CAMPAIGN]?.cap ?? 0]));
	return { most, caps, moved: division?.v ?? 0, faults: plane.faults };
};

test("no more is up than the campaign's cap, and in the end every trunk has its part", async () => {
	let moved = 0;
	await fc.assert(
		fc.asyncProperty(schedules, async (schedule) => {
			const result = await runSchedule(schedule);
			expect(result.faults).toEqual([]);
			expect(result.most).toBeLessThanOrEqual(CAP);
			// One for each, and seven in proportion to 1, 1 and 3: the first of equal remainders has the last.
			expect(result.caps).toEqual({ t1: 3, t2: 2, t3: 5 });
			moved += result.moved;
		}),
		{ numRuns: 120, seed: 20_261_128 },
	);
	expect(moved).toBeGreaterThan(240);
});

/** An update of an entry with one clause of its condition taken out. */
const without = (clause: RegExp): Mutation => ({
	hits: 0,
	rewrite(statement) {
		const condition = statement.input["ConditionExpression"];
		if (statement.name !== "Update" || typeof condition !== "string" || !clause.test(condition)) return undefined;
		this.hits++;
		const names = { ...(statement.input["ExpressionAttributeNames"] as Record<string, string>) };
		const values = { ...(statement.input["ExpressionAttributeValues"] as Record<string, unknown>) };
		delete values[":vRead"];
		return {
			...statement,
			input: {
				...statement.input,
				ConditionExpression: condition.replace(clause, ""),
				ExpressionAttributeNames: names,
				ExpressionAttributeValues: values,
			},
		} as typeof statement;
	},
});

/** The division that was overtaken just before it raises a part, and whether its raise then followed. */
const overtaken = async (mutation?: Mutation): Promise<number> => {
	const scheduler = new Scheduler(false);
	const plane = new VirtualControlPlane(scheduler, new Random(1), mutation ? { mutation } : {});
	const { dynamo } = plane;
	const trunks = ["t1", "t2"].map((id) => ({ id, maxChannels: 100, maxCps: 100 }));
	setUp(
		dynamo,
		{ hosts: [], trunks, campaigns: [{ letter: "a", trunk: "t1", contacts: 0, cap: CAP, onAll: true }] },
		scheduler.now,
	);
	const pace = (trunkId: string, f: number | undefined) =>
		change(dynamo, trunkId, (item) => {
			if (f === undefined) delete item.pace;
			else item.pace = { f, at: scheduler.now };
		});
	/** Carries out an execution's statements up to one that raises a part, or all. */
	const goOn = async (execution: Execution, whole: boolean): Promise<void> => {
		for (;;) {
			await scheduler.settle();
			const next = scheduler.find(({ owner }) => owner === execution.id);
			if (!next) return;
			const { input } = (next.detail as StatementDetail).statement;
			const values = (input["ExpressionAttributeValues"] ?? {}) as Record<string, number>;
			if (
				!whole &&
				input["TableName"] === "trunks" &&
				(values[":cap"] ?? 0) > (values[":read"] ?? Number.POSITIVE_INFINITY)
			)
				return;
			await scheduler.run(next);
		}
	};
	const follow = () => plane.start("follow", (deps) => followCampaignCap(deps, TENANT, CAMPAIGN));
	pace("t2", 0.05);
	await goOn(follow(), true);
	// t1 refuses, t2 is well: the older division is about to raise t2.
	pace("t1", 0.05);
	pace("t2", undefined);
	const older = follow();
	await goOn(older, false);
	// Both are well: the newer one raises t1, and stands before it raises t2.
	pace("t1", undefined);
	const newer = follow();
	await goOn(newer, false);
	const raise = scheduler.find(({ owner }) => owner === newer.id);
	if (raise) await scheduler.run(raise);
	await goOn(older, true);
	return ["t1", "t2"].reduce((n, id) => n + (trunk(dynamo, id).c[CAMPAIGN]?.cap ?? 0), 0);
};

test("an older division does not raise a part when a newer one has begun; without the version in its condition it does", async () => {
	expect(await overtaken()).toBeLessThanOrEqual(CAP);
	const mutation = without(/ AND #c\.#id\.#v = :vRead/);
	expect(await overtaken(mutation)).toBeGreaterThan(CAP);
	expect(mutation.hits).toBeGreaterThan(0);
});

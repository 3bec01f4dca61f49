import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { FleetViolation } from "../support/fleet/fleet-checks.ts";
import type { FleetWalkConfig } from "../support/fleet/fleet-config.ts";
import { FleetWalk, type FleetWalkResult } from "../support/fleet/fleet-walk.ts";
import { Violation } from "../support/virtual/checks.ts";

/**
 * Random schedules of a whole fleet: the real looks, syncs, recoveries, enrolments and agents on virtual time, with faults of every kind between any two
 * of their steps, in EC2, on hosts and by people. Then the faults stop, all contacts must be done, all burst instances stopped, and the books right.
 *
 * FLEET_SECONDS: how long to look (default 25). PROPERTY_SEED: another sequence of schedules. FLEET_SCHEDULE: one schedule, as a failure prints it.
 */
const SECONDS = Number(process.env["FLEET_SECONDS"] ?? 25);
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_261_125);
/** Schedules drawn together; time is looked at in between. */
const RUNS_PER_ROUND = 5;
const MOST_ROUNDS = process.env["FLEET_SECONDS"] === undefined ? 20 : Number.POSITIVE_INFINITY;
/** Lines of the story that a failure shows. */
const STORY_LINES = Number(process.env["PROPERTY_STORY"] ?? 150);
/** A failing schedule is made smaller for at most so long. */
const SHRINK_SECONDS = 25;

const weight = fc.constantFrom(0, 0.3, 1, 3);
const schedules: fc.Arbitrary<FleetWalkConfig> = fc.record({
	seed: fc.integer(),
	steady: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
	trunks: fc.array(fc.record({ maxChannels: fc.integer({ min: 4, max: 16 }), maxCps: fc.constantFrom(500, 20, 10) }), {
		minLength: 1,
		maxLength: 2,
	}),
	campaigns: fc.array(
		fc.record({
			cap: fc.integer({ min: 2, max: 12 }),
			contacts: fc.constantFrom(0, 5, 20, 40),
			allowDroppedCalls: fc.boolean(),
		}),
		{ minLength: 1, maxLength: 3 },
	),
	burst: fc.record({
		maxHosts: fc.integer({ min: 1, max: 4 }),
		channelsPerHost: fc.integer({ min: 1, max: 4 }),
		warmHosts: fc.integer({ min: 0, max: 2 }),
		spot: fc.boolean(),
		offerings: fc.integer({ min: 1, max: 3 }),
		drainDeadlineSec: fc.constantFrom(2, 30),
	}),
	faults: fc.record({
		network: weight,
		handlers: fc.constantFrom(0, 0.3, 1, 3),
		hosts: weight,
		ec2: weight,
		instances: fc.constantFrom(0, 0.3, 1),
		people: fc.constantFrom(0, 0.3, 1),
		staleIndex: fc.constantFrom(0, 1),
	}),
	faultyMs: fc.constantFrom(5_000, 15_000, 40_000),
	maxCallSec: fc.constantFrom(4, 15),
});

const broken = async (
	schedule: FleetWalkConfig,
	tells = false,
): Promise<{ violation?: Error; story: string[]; result?: FleetWalkResult }> => {
	const walk = new FleetWalk(schedule, tells);
	try {
		const result = await walk.run();
		return { result, story: [] };
	} catch (error) {
		if (error instanceof Violation || error instanceof FleetViolation)
			return { violation: error, story: walk.scheduler.story };
		throw error;
	}
};
const told = async (schedule: FleetWalkConfig): Promise<string> => {
	const { violation, story } = await broken(schedule, true);
	return [
		violation?.message ?? "holds when it is told",
		`FLEET_SCHEDULE='${JSON.stringify(schedule)}'`,
		...story.slice(-STORY_LINES).map((line) => line.slice(0, 400)),
	].join("\n");
};

test(
	"any interleaving of looks, drains, faults of EC2 and of hosts keeps the invariants, and nothing is left running",
	async () => {
		const one = process.env["FLEET_SCHEDULE"];
		if (one !== undefined) {
			const schedule = JSON.parse(one) as FleetWalkConfig;
			const { violation } = await broken(schedule);
			if (violation) throw new Error(await told(schedule), { cause: violation });
			return;
		}
		const sum: Record<string, number> = { schedules: 0 };
		const until = performance.now() + SECONDS * 1_000;
		for (let round = 0; round < MOST_ROUNDS && performance.now() < until; round++) {
			const outcome = await fc.check(
				fc.asyncProperty(schedules, async (schedule) => {
					const { violation, result } = await broken(schedule);
					if (violation) throw violation;
					sum["schedules"] = (sum["schedules"] ?? 0) + 1;
					for (const [name, value] of Object.entries(result ?? {})) sum[name] = (sum[name] ?? 0) + value;
				}),
				{ seed: SEED + round, numRuns: RUNS_PER_ROUND, interruptAfterTimeLimit: SHRINK_SECONDS * 1_000 },
			);
			if (outcome.failed && outcome.counterexample)
				throw new Error(await told(outcome.counterexample[0]), { cause: outcome.errorInstance });
		}
		process.stderr.write(`fleet schedules: ${JSON.stringify(sum)}\n`);
		// The schedules were about something.
		for (const what of ["dials", "started", "stopped", "drained"]) expect(sum[what] ?? 0).toBeGreaterThan(0);
	},
	(SECONDS + SHRINK_SECONDS + 60) * 1_000,
);

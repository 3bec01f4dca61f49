import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Violation } from "../support/virtual/checks.ts";
import { Walk, type WalkConfig, type WalkResult } from "../support/virtual/walk.ts";

/**
 * Random schedules of the whole system: the real control plane and real agents on virtual time, with faults of every kind between any two of their
 * steps. Then the faults stop, everything must end, and the books are compared with what the carrier saw.
 *
 * PROPERTY_SECONDS: how long to look (default 50). PROPERTY_SEED: another sequence of schedules. PROPERTY_SCHEDULE: one schedule, as a failure
 * prints it.
 */
const SECONDS = Number(process.env["PROPERTY_SECONDS"] ?? 50);
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_261_123);
/** Schedules drawn together; time is looked at in between. */
const RUNS_PER_ROUND = 10;
const MOST_ROUNDS = process.env["PROPERTY_SECONDS"] === undefined ? 20 : Number.POSITIVE_INFINITY;
/** Lines of the story that a failure shows. */
const STORY_LINES = Number(process.env["PROPERTY_STORY"] ?? 150);
/** A failing schedule is made smaller for at most so long. */
const SHRINK_SECONDS = 25;

const weight = fc.constantFrom(0, 0.3, 1, 3);
const schedules: fc.Arbitrary<WalkConfig> = fc
	.record({
		seed: fc.integer(),
		hosts: fc.array(
			fc.record({ cap: fc.integer({ min: 1, max: 4 }), tier: fc.constantFrom("steady" as const, "burst" as const) }),
			{ minLength: 1, maxLength: 3 },
		),
		trunks: fc.array(
			fc.record({ maxChannels: fc.integer({ min: 1, max: 6 }), maxCps: fc.constantFrom(500, 20, 10, 5, 2) }),
			{
				minLength: 1,
				maxLength: 2,
			},
		),
		campaigns: fc.array(
			fc.record({
				contacts: fc.constantFrom(2, 6, 15, 30),
				cap: fc.integer({ min: 1, max: 5 }),
				shards: fc.constantFrom(1, 2),
				onAll: fc.boolean(),
				priority: fc.constantFrom(1, 5, 20),
				maxCps: fc.constantFrom(undefined, undefined, 1, 3, 10),
				twoNumbers: fc.boolean(),
				limited: fc.boolean(),
			}),
			{ minLength: 1, maxLength: 3 },
		),
		faults: fc.record({
			network: weight,
			handlers: fc.constantFrom(0, 0.3, 1, 3, 6),
			hosts: weight,
			asterisk: fc.constantFrom(0, 0.3, 1),
			partitions: weight,
			people: fc.constantFrom(0, 0.3, 1, 8),
			staleIndex: fc.constantFrom(0, 1),
		}),
		faultyMs: fc.constantFrom(3_000, 10_000, 30_000),
		retries: fc.integer({ min: 0, max: 2 }),
		maxCallSec: fc.constantFrom(5, 20),
		keepsEvents: fc.boolean(),
	})
	.map(({ hosts, trunks, campaigns, ...rest }) => ({
		...rest,
		world: {
			hosts: hosts.map((host, i) => ({ id: `h${i + 1}`, ...host })),
			trunks: trunks.map((trunk, i) => ({ id: `carrier-${i + 1}`, ...trunk })),
			campaigns: campaigns.map(({ onAll, maxCps, ...campaign }, i) => ({
				letter: "abc"[i] as string,
				trunk: `carrier-${(i % trunks.length) + 1}`,
				...(onAll && trunks.length > 1 ? { onAll } : {}),
				...(maxCps === undefined ? {} : { maxCps }),
				...campaign,
			})),
		},
	}));

const broken = async (
	schedule: WalkConfig,
	tells = false,
): Promise<{ violation?: Violation; story: string[]; result?: WalkResult }> => {
	const walk = new Walk(schedule, tells);
	try {
		const result = await walk.run();
		return { result, story: [] };
	} catch (error) {
		if (error instanceof Violation) return { violation: error, story: walk.scheduler.story };
		throw error;
	}
};
const told = async (schedule: WalkConfig): Promise<string> => {
	const { violation, story } = await broken(schedule, true);
	return [
		violation?.message ?? "holds when it is told",
		`PROPERTY_SCHEDULE='${JSON.stringify(schedule)}'`,
		...story.slice(-STORY_LINES).map((line) => line.slice(0, 400)),
	].join("\n");
};

test(
	"any interleaving of syncs, repeats, crashes and recoveries keeps the invariants",
	async () => {
		const one = process.env["PROPERTY_SCHEDULE"];
		if (one !== undefined) {
			const schedule = JSON.parse(one) as WalkConfig;
			const { violation } = await broken(schedule);
			if (violation) throw new Error(await told(schedule), { cause: violation });
			return;
		}
		const sum = { schedules: 0, dials: 0, hostsLost: 0, late: 0, drained: 0 };
		const until = performance.now() + SECONDS * 1_000;
		for (let round = 0; round < MOST_ROUNDS && performance.now() < until; round++) {
			const outcome = await fc.check(
				fc.asyncProperty(schedules, async (schedule) => {
					const { violation, result } = await broken(schedule);
					if (violation) throw violation;
					sum.schedules++;
					sum.dials += result?.dials ?? 0;
					sum.hostsLost += result?.lost ?? 0;
					sum.late += result?.late ?? 0;
					sum.drained += result?.drained ?? 0;
				}),
				{ seed: SEED + round, numRuns: RUNS_PER_ROUND, interruptAfterTimeLimit: SHRINK_SECONDS * 1_000 },
			);
			if (outcome.failed && outcome.counterexample)
				throw new Error(await told(outcome.counterexample[0]), { cause: outcome.errorInstance });
		}
		process.stderr.write(`schedules: ${JSON.stringify(sum)}\n`);
		// The schedules were about something.
		expect(sum.dials).toBeGreaterThan(sum.schedules);
	},
	(SECONDS + SHRINK_SECONDS + 60) * 1_000,
);

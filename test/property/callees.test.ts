import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type CalleeLimits, DIAL_DELAY_MS, decideCall } from "../../shared/callees/decide-call.ts";
import { callsOf, releaseCall, reserveCall } from "../../shared/callees/reserve-call.ts";
import { type CalleeItem, calleeKey } from "../../shared/store/items.ts";
import { TENANT, testDeps } from "../support/control-plane.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";

const SEED = 20_261_123;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 23, 12);
const NUMBER = "+12025550123";

const limitsOf: fc.Arbitrary<CalleeLimits> = fc
	.record({
		limits: fc.array(
			fc.record({
				max: fc.integer({ min: 1, max: 5 }),
				perHours: fc.constantFrom(1, 3, 24, 168),
				rule: fc.constantFrom("a", "b", "c"),
			}),
			{ maxLength: 3 },
		),
		minGapSec: fc.option(fc.constantFrom(60, 1_800, 7_200), { nil: undefined }),
	})
	.filter(({ limits, minGapSec }) => limits.length > 0 || minGapSec !== undefined)
	.map(({ limits, minGapSec }) => ({ limits, ...(minGapSec === undefined ? {} : { minGapSec }) }));

/** How many calls may lie in a window of so many ms. */
const windows = ({ limits, minGapSec }: CalleeLimits): { max: number; ms: number }[] => [
	...limits.map(({ max, perHours }) => ({ max, ms: perHours * HOUR })),
	...(minGapSec === undefined ? [] : [{ max: 1, ms: minGapSec * 1_000 }]),
];

/** Whether some window, longer by so many ms, holds too many of these moments, and by which limit. */
const tooMany = (moments: number[], limits: CalleeLimits, longer = 0): string | undefined => {
	const sorted = [...moments].sort((a, b) => a - b);
	for (const { max, ms } of windows(limits)) {
		for (let i = max; i < sorted.length; i++) {
			if ((sorted[i] as number) - (sorted[i - max] as number) < ms + longer) return `more than ${max} in ${ms} ms`;
		}
	}
	return undefined;
};

describe("the decision", () => {
	const cases = fc.record({
		limits: limitsOf,
		ago: fc.array(fc.integer({ min: -20_000, max: 200 * HOUR }), { maxLength: 12 }),
	});

	test("is what counting says, and the wait is exact to the millisecond", () => {
		fc.assert(
			fc.property(cases, ({ limits, ago }) => {
				const calls = ago.map((ms, i) => ({ at: START - ms, tag: String(i) }));
				const allowed = (now: number): boolean =>
					windows(limits).every(({ max, ms }) => calls.filter(({ at }) => at > now - ms - DIAL_DELAY_MS).length < max);
				const decision = decideCall(calls, limits, "x", START);
				expect(decision.ok).toBe(allowed(START));
				if (decision.ok) return;
				expect(allowed(decision.waitUntil)).toBe(true);
				expect(allowed(decision.waitUntil - 1)).toBe(false);
			}),
			{ numRuns: 400, seed: SEED },
		);
	});

	test("keeps every window at the carrier, however soon or late a call is dialed after it was granted", () => {
		fc.assert(
			fc.property(
				limitsOf,
				fc.array(
					fc.record({
						after: fc.oneof(fc.constantFrom(0, 1, 60_000, HOUR), fc.integer({ min: 0, max: 30 * HOUR })),
						delay: fc.oneof(fc.constantFrom(0, DIAL_DELAY_MS), fc.integer({ min: 0, max: DIAL_DELAY_MS })),
						/** Comes back at the very moment that it is told. */
						patient: fc.boolean(),
					}),
					{ minLength: 1, maxLength: 40 },
				),
				(limits, tries) => {
					let now = START;
					const calls: { at: number; tag: string }[] = [];
					const dialed: number[] = [];
					for (const [i, { after, delay, patient }] of tries.entries()) {
						now += after;
						const decision = decideCall(calls, limits, String(i), now);
						if (!decision.ok && patient) now = decision.waitUntil;
						else if (!decision.ok) continue;
						calls.push({ at: now, tag: String(i) });
						dialed.push(now + delay);
					}
					expect(tooMany(dialed, limits)).toBeUndefined();
				},
			),
			{ numRuns: 300, seed: SEED },
		);
	});
});

/** What one of several syncs does with the number; `tag` says for which call: two may do it for the same. */
const acts = fc.oneof(
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant("reserve" as const), tag: fc.integer({ min: 0, max: 30 }) }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), tag: fc.integer({ min: 0, max: 30 }) }) },
	{
		weight: 2,
		arbitrary: fc.record({
			kind: fc.constant("wait" as const),
			ms: fc.oneof(fc.constantFrom(1, 1_000, 20 * 60_000, HOUR), fc.integer({ min: 0, max: 40 * HOUR })),
		}),
	},
);

describe("syncs at the same time", () => {
	test("never have more calls in a window than its limit, count no repeat twice, and use the window to the full", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.scheduler(),
				limitsOf,
				fc.array(fc.array(acts, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
				async (scheduler, limits, syncs) => {
					const dynamo = new MemoryDynamo();
					let now = START;
					const key = calleeKey(TENANT, NUMBER);
					const stored = (): CalleeItem | undefined => dynamo.peek<CalleeItem>("callees", key);
					/** By hash: calls that are noted and not taken back, as every write left them. */
					const noted = new Map<string, number>();
					let releasing = 0;
					const judge = (before: CalleeItem | undefined): void => {
						const calls = callsOf(stored());
						const gone = callsOf(before).filter(({ tag }) => !calls.some((call) => call.tag === tag));
						if (gone.length > 0) expect(releasing).toBeGreaterThan(0);
						for (const { tag } of gone) noted.delete(tag);
						for (const { tag, at } of calls) {
							if (noted.has(tag)) expect(noted.get(tag)).toBe(at);
							noted.set(tag, at);
						}
						expect(tooMany([...noted.values()], limits, DIAL_DELAY_MS)).toBeUndefined();
						expect(stored()?.ver).toBe((before?.ver ?? 0) + 1);
					};
					const client = () => {
						let before: CalleeItem | undefined;
						return dynamo.client({
							before: async ({ name }) => {
								await scheduler.schedule(Promise.resolve(), name);
								before = structuredClone(stored());
							},
							after: ({ name }, { ok }) => {
								if (name === "Put" && ok) judge(before);
							},
						});
					};
					const ended = syncs.map(async (sync) => {
						const deps = testDeps(client(), () => now);
						for (const act of sync) {
							if (act.kind === "wait") {
								await scheduler.schedule(Promise.resolve(), "wait");
								now += act.ms;
							} else if (act.kind === "release") {
								releasing++;
								await releaseCall(deps, TENANT, NUMBER, `call ${act.tag}`).finally(() => releasing--);
							} else {
								await reserveCall(deps, TENANT, NUMBER, limits, `call ${act.tag}`);
							}
						}
					});
					let over = false;
					const all = Promise.all(ended).finally(() => {
						over = true;
					});
					while (!over) {
						if (scheduler.count() > 0) await scheduler.waitOne();
						else await Promise.resolve();
					}
					await all;

					// Demand without end, one after the other: the window fills, and the wait is exact.
					const deps = testDeps(dynamo.client(), () => now);
					for (let i = 0; ; i++) {
						const decision = await reserveCall(deps, TENANT, NUMBER, limits, `more ${i}`);
						if (decision.ok) continue;
						const full = windows(limits).some(
							({ max, ms }) => callsOf(stored()).filter(({ at }) => at > now - ms - DIAL_DELAY_MS).length === max,
						);
						expect(full).toBe(true);
						const { waitUntil } = decision;
						now = waitUntil - 1;
						expect(await reserveCall(deps, TENANT, NUMBER, limits, "last")).toMatchObject({ ok: false });
						now = waitUntil;
						expect(await reserveCall(deps, TENANT, NUMBER, limits, "last")).toEqual({ ok: true });
						break;
					}
				},
			),
			{ numRuns: 150, seed: SEED },
		);
	});
});

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { shareOut } from "../../shared/ledger/amounts.ts";
import { bookUse, isCampaignBooked } from "../../shared/ledger/book-use.ts";
import { type LedgerDeps, readBook } from "../../shared/ledger/books.ts";
import { COST_ITEMS, dayCost } from "../../shared/ledger/day-cost.ts";
import { dayOf, daysBetween } from "../../shared/ledger/days.ts";
import { usesOf } from "../../shared/ledger/use.ts";
import { ZERO } from "../../shared/plan/exact.ts";
import type { HostItem } from "../../shared/store/items.ts";
import { DAY_MS } from "../../shared/time/clock.ts";
import { newHost } from "../support/items.ts";
import { MemoryDynamo, PROJECT_TABLE_NAMES } from "../support/memory-dynamo.ts";
import { DAY, PRICES, run, START_MS, TENANT, use } from "../unit/ledger/ledger-fixtures.ts";

const RUNS = { numRuns: 300, seed: 20_261_128 };

describe("sharing out", () => {
	test("the parts add up to the amount, and none is further than one from its share", () => {
		fc.assert(
			fc.property(
				fc.bigInt({ min: 0n, max: 10n ** 15n }),
				fc.dictionary(fc.string(), fc.integer({ min: 0, max: 10 ** 12 })),
				(total, given) => {
					const weights = new Map(Object.entries(given));
					const sum = [...weights.values()].reduce((a, b) => a + BigInt(b), 0n);
					const parts = shareOut(total, weights);
					if (sum === 0n) expect(parts.size).toBe(0);
					else {
						expect([...parts.values()].reduce((a, b) => a + b, 0n)).toBe(total);
						for (const [key, part] of parts) {
							const low = (total * BigInt(weights.get(key) ?? 0)) / sum;
							expect(part === low || part === low + 1n).toBe(true);
						}
					}
				},
			),
			RUNS,
		);
	});
});

describe("a day's bill", () => {
	const counts = fc.record({
		a: fc.nat(1_000),
		f: fc.nat(1_000),
		n: fc.nat(1_000),
		h: fc.nat(10 ** 8),
		t_ulaw: fc.nat(10 ** 8),
		s60: fc.nat(10 ** 6),
	});
	test("each line is what its campaigns have, and what is nobody's", () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.record({
						tier: fc.constantFrom("steady" as const, "burst" as const),
						now: fc.dictionary(fc.constantFrom("a", "b", "c"), counts, { noNullPrototype: true }),
						syncsNow: fc.nat(10_000),
						ranMs: fc.nat(DAY_MS),
					}),
					{ maxLength: 6 },
				),
				(hosts) => {
					const book = {
						day: DAY,
						runs: hosts.flatMap(({ tier, ranMs }, i) =>
							tier === "burst" ? [run(`h${i}`, { endedAt: START_MS + ranMs })] : [],
						),
						disks: [],
						uses: hosts.map(({ tier, now, syncsNow }, i) => use(`h${i}`, tier, now, { syncsNow })),
					};
					const { lines } = dayCost(book, PRICES, ZERO, START_MS + 2 * DAY_MS);
					expect(lines.map(({ item }) => item).sort()).toEqual([...COST_ITEMS].sort());
					for (const { nanoUsd, unattributed, byCampaign } of lines) {
						const parts = [...byCampaign.values()].reduce((a, b) => a + b, 0n);
						expect(parts + unattributed).toBe(nanoUsd);
					}
				},
			),
			RUNS,
		);
	});
});

type Step =
	| { kind: "calls"; campaign: string; n: number }
	| { kind: "time"; ms: number }
	| { kind: "book"; diesBefore: number | undefined; late: boolean; heldUpFor?: number }
	| { kind: "forget"; campaign: string };

const steps: fc.Arbitrary<Step[]> = fc.array(
	fc.oneof(
		fc.record({
			kind: fc.constant("calls" as const),
			campaign: fc.constantFrom("a", "b"),
			n: fc.integer({ min: 1, max: 9 }),
		}),
		fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(60_000, DAY_MS / 3, DAY_MS, 3 * DAY_MS) }),
		fc.record({
			kind: fc.constant("book" as const),
			diesBefore: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
			late: fc.boolean(),
			// Booked only now, what was read so many bookings ago.
			heldUpFor: fc.integer({ min: 1, max: 4 }),
		}),
		fc.record({ kind: fc.constant("forget" as const), campaign: fc.constantFrom("a", "b") }),
	),
	{ maxLength: 60 },
);

const WRITES = new Set(["Put", "Update", "Delete"]);

describe("books", () => {
	test("all that a host ever counted is in its books once: over days, deaths between writes, late looks, and campaigns that it forgot", async () => {
		await fc.assert(
			fc.asyncProperty(steps, async (all) => {
				const dynamo = new MemoryDynamo();
				let now = START_MS;
				let left: number | undefined;
				const deps: LedgerDeps = {
					db: dynamo.client({
						before: ({ name }) => {
							if (left !== undefined && WRITES.has(name) && --left <= 0) throw new Error("the look died");
						},
					}),
					tables: PROJECT_TABLE_NAMES,
					now: () => now,
					log: { info() {}, warn() {}, error() {} },
				};
				let host: HostItem = { ...newHost("h1", 10, START_MS), syncs: 0 };
				const truth: Record<string, number> = { a: 0, b: 0 };
				/** What looks read before, and on which day they thought it was; the last first. */
				const seen: { host: HostItem; day: string }[] = [];
				const over = new Set<string>();
				const book = async (what: { host: HostItem; day: string }): Promise<void> => {
					try {
						await bookUse(deps, what.host, what.day);
					} catch (error) {
						if ((error as Error).message !== "the look died") throw error;
					}
				};
				for (const step of all) {
					if (step.kind === "calls" && !over.has(step.campaign)) {
						const a = (host.acc[step.campaign]?.["a"] ?? 0) + step.n;
						host = { ...host, acc: { ...host.acc, [step.campaign]: { a } }, syncs: (host.syncs ?? 0) + 1 };
						truth[step.campaign] = (truth[step.campaign] ?? 0) + step.n;
					} else if (step.kind === "time") now += step.ms;
					else if (step.kind === "book") {
						left = step.diesBefore;
						const then = step.late ? seen[Math.min(seen.length, step.heldUpFor ?? 1) - 1] : undefined;
						// A look asks for the day before it books, or long before.
						await book(
							then ? { host: then.host, day: step.diesBefore ? then.day : dayOf(now) } : { host, day: dayOf(now) },
						);
						left = undefined;
						seen.unshift({ host, day: dayOf(now) });
					} else if (step.kind === "forget" && host.acc[step.campaign]) {
						// Over for good: nothing comes to it any more.
						const counts = host.acc[step.campaign] ?? {};
						if (!(await isCampaignBooked(deps, host, step.campaign, counts, dayOf(now)))) continue;
						over.add(step.campaign);
						const { [step.campaign]: _, ...acc } = host.acc;
						host = { ...host, acc };
					}
				}
				await bookUse(deps, host, dayOf(now));
				const booked: Record<string, number> = { a: 0, b: 0 };
				let syncs = 0;
				for (const day of daysBetween(START_MS, now)) {
					for (const item of (await readBook(deps, TENANT, day)).uses) {
						syncs += item.syncsNow - item.syncsBase;
						for (const [campaign, { attempts }] of usesOf(item)) booked[campaign] = (booked[campaign] ?? 0) + attempts;
					}
				}
				expect(booked).toEqual(truth);
				expect(syncs).toBe(host.syncs);
			}),
			{ numRuns: 400, seed: 20_261_128 },
		);
	});
});

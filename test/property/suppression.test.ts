import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { SuppressionScope } from "../../shared/contract/suppression.ts";
import type { Deps } from "../../shared/deps.ts";
import { CONFIG_ID, type ConfigItem } from "../../shared/store/items.ts";
import { addNumbers } from "../../shared/suppression/add-numbers.ts";
import { checkNumbers } from "../../shared/suppression/check-numbers.ts";
import { putList, readList, removeList } from "../../shared/suppression/lists.ts";
import { optOut, removeNumber } from "../../shared/suppression/numbers.ts";
import { readSuppression } from "../../shared/suppression/read-suppression.ts";
import { suppressedBy } from "../../shared/suppression/suppressed-by.ts";
import { TENANT, testDeps } from "../support/control-plane.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";

/** Whatever else is done to lists and numbers at the same time: an opt-out that was answered is seen by every read that begins later. */

const NUMBERS = ["+12025550101", "+12025550102", "4711"];
const number = fc.constantFrom(...NUMBERS);
const list = fc.constantFrom("a", "b");
const scope: fc.Arbitrary<SuppressionScope> = fc.constantFrom<SuppressionScope[]>("all", "named", ["marketing"]);

const acts = fc.oneof(
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("optOut" as const), number }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("set" as const), list, scope }) },
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("add" as const), list, numbers: fc.uniqueArray(number) }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("take" as const), list, number }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), list }) },
);

/** What an operator's request may be refused for: nothing there, or deleted meanwhile. */
const refusable = async (run: Promise<unknown>): Promise<void> => {
	await run.catch((error: { status?: number }) => {
		if (error.status !== 404 && error.status !== 409) throw error;
	});
};

test("an opt-out that was answered is seen by every later read, and by the syncs", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.scheduler(),
			fc.array(fc.array(acts, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
			async (scheduler, people) => {
				const dynamo = new MemoryDynamo();
				let now = 1_795_435_200_000;
				const answered = new Map<string, number>();
				const act = async (deps: Deps, what: (typeof people)[number][number]): Promise<void> => {
					switch (what.kind) {
						case "optOut": {
							await optOut(deps, TENANT, "t", { number: what.number });
							if (!answered.has(what.number)) answered.set(what.number, now);
							return;
						}
						case "read": {
							const before = [...answered.keys()];
							const { lists, numbers } = await readSuppression(deps, TENANT, NUMBERS);
							for (const one of before) {
								expect(suppressedBy(numbers.get(one), lists, { purpose: "emergency" })?.list).toBe("opt-outs");
							}
							return;
						}
						case "set":
							return refusable(putList(deps, TENANT, what.list, { scope: what.scope, kind: "own" }));
						case "add":
							return refusable(
								readList(deps, TENANT, what.list).then((found) => {
									const rows = what.numbers.map((value, i) => ({ line: i + 1, value }));
									return addNumbers(deps, TENANT, "t", found, checkNumbers(rows, 1), false);
								}),
							);
						case "take":
							return refusable(removeNumber(deps, TENANT, "t", what.list, what.number));
						case "delete":
							return refusable(removeList(deps, TENANT, what.list));
					}
				};
				const all = Promise.all(
					people.map(async (person) => {
						const before = async ({ name }: { name: string }) => {
							await scheduler.schedule(Promise.resolve(), name);
							now++;
						};
						const deps = testDeps(dynamo.client({ before }), () => now, { random: () => (now % 1_000) / 1_000 });
						for (const what of person) await act(deps, what);
					}),
				);
				let over = false;
				const ended = all.finally(() => {
					over = true;
				});
				// A failure is told by `await ended`, not on its way there.
				ended.catch(() => {});
				while (!over) {
					if (scheduler.count() > 0) await scheduler.waitOne();
					else await Promise.resolve();
				}
				await ended;

				const deps = testDeps(dynamo.client(), () => now);
				await act(deps, { kind: "read" });
				const config = dynamo.peek<ConfigItem>("trunks", { tenant: TENANT, trunkId: CONFIG_ID });
				expect(config?.version ?? 0).toBe(0);
				expect(config !== undefined).toBe(answered.size > 0);
				// Counted once for each number, whoever else asked for it at the same time.
				expect((await readList(deps, TENANT, "opt-outs")).count).toBe(answered.size);
			},
		),
		{ numRuns: 150, seed: 20_261_123 },
	);
});

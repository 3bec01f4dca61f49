import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Ec2Instance } from "../../../shared/fleet/ec2.ts";
import { hostIdOf } from "../../../shared/fleet/ec2.ts";
import { bookRuns, noteInstanceState } from "../../../shared/ledger/book-runs.ts";
import { type LedgerDeps, readBook } from "../../../shared/ledger/books.ts";
import { dayCost } from "../../../shared/ledger/day-cost.ts";
import { daysBetween } from "../../../shared/ledger/days.ts";
import { ZERO } from "../../../shared/plan/exact.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { newHost } from "../../support/items.ts";
import { MemoryDynamo, PROJECT_TABLE_NAMES } from "../../support/memory-dynamo.ts";
import { HOUR_MS, PRICES, START_MS, TENANT } from "./ledger-fixtures.ts";

const INSTANCE = "i-0123456789abcdef0";
const HOST = hostIdOf(INSTANCE);

const hostAt = (startedAt: number, state: HostItem["state"], startId = "s1", stopAt?: number): HostItem => ({
	...newHost(HOST, 120, startedAt),
	tier: "burst",
	state,
	inst: {
		instanceId: INSTANCE,
		launchId: "s1",
		type: "c7g.large",
		subnet: "subnet-a",
		market: "on-demand",
		usdPerHour: 0.0775,
		imageId: "ami-1",
		account: "1",
		startId,
		startedAt,
		...(stopAt === undefined ? {} : { stopAt }),
	},
});
const shown = (state: Ec2Instance["state"]): Ec2Instance => ({
	instanceId: INSTANCE,
	state,
	type: "c7g.large",
	subnet: "subnet-a",
	imageId: "ami-1",
	account: "1",
	launchedAt: 0,
	market: "on-demand",
});

const makeBooks = () => {
	const dynamo = new MemoryDynamo();
	const clock = { now: START_MS };
	const warned: string[] = [];
	const deps: LedgerDeps = {
		db: dynamo.client(),
		tables: PROJECT_TABLE_NAMES,
		now: () => clock.now,
		log: { info() {}, warn: (event) => void warned.push(event), error() {} },
	};
	return {
		clock,
		deps,
		warned,
		put: (host: HostItem) => dynamo.client().send(new PutCommand({ TableName: "hosts", Item: host })),
		event: (state: string, atMs: number) => noteInstanceState(deps, TENANT, INSTANCE, state, atMs),
		look: async (host: HostItem, instances: Ec2Instance[] | undefined) => {
			const [day = ""] = daysBetween(clock.now, clock.now);
			await bookRuns(deps, TENANT, [host], instances, await readBook(deps, TENANT, day));
		},
		/** Seconds of instances that are billed until now. */
		billedSec: async (): Promise<number> => {
			let sec = 0;
			for (const day of daysBetween(START_MS, clock.now)) {
				const { lines } = dayCost(await readBook(deps, TENANT, day), PRICES, ZERO, clock.now);
				sec += lines.find(({ item }) => item === "instance")?.quantity ?? 0;
			}
			return sec;
		},
	};
};

describe("runs of an instance", () => {
	test("from EC2's `running` to its `stopping`, not from our requests", async () => {
		const books = makeBooks();
		await books.put(hostAt(START_MS, "launching"));
		await books.event("running", START_MS + 7_000);
		books.clock.now = START_MS + HOUR_MS;
		await books.event("stopping", START_MS + 607_000);
		await books.event("stopped", START_MS + 630_000);
		expect(await books.billedSec()).toBe(600);
	});

	test("events in any order, any of them twice, with looks between them, come to the same", async () => {
		const events = [
			["running", START_MS + 7_000],
			["stopping", START_MS + 607_000],
			["stopped", START_MS + 630_000],
			["running", START_MS + 7_000],
			["stopping", START_MS + 607_000],
		] as const;
		await fc.assert(
			fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), fc.nat(4), async (order, lookAfter) => {
				const books = makeBooks();
				const host = hostAt(START_MS, "active");
				await books.put(host);
				await books.look(host, [shown("running")]);
				books.clock.now = START_MS + HOUR_MS;
				for (const [i, which] of order.entries()) {
					const [state, at] = events[which] ?? ["", 0];
					await books.event(state, at);
					if (i === lookAfter)
						await books.look(hostAt(START_MS, "stopping", "s1", START_MS + 606_000), [shown("stopped")]);
				}
				expect(await books.billedSec()).toBe(600);
			}),
			{ numRuns: 60, seed: 20_261_128 },
		);
	});

	test("where no event comes, a look ends it when EC2 was asked to, and says so", async () => {
		const books = makeBooks();
		const host = hostAt(START_MS, "active");
		await books.put(host);
		await books.look(host, [shown("running")]);
		books.clock.now = START_MS + HOUR_MS;
		await books.look(hostAt(START_MS, "stopping", "s1", START_MS + 600_000), [shown("stopped")]);
		expect(await books.billedSec()).toBe(600);
		expect(books.warned).toEqual(["ledger.runEndedUnheard"]);
	});

	test("what is told of its termination hours later does not lengthen a run that a look ended", async () => {
		const books = makeBooks();
		const host = hostAt(START_MS, "active");
		await books.put(host);
		await books.look(host, [shown("running")]);
		books.clock.now = START_MS + HOUR_MS;
		await books.look(hostAt(START_MS, "stopped", "s1", START_MS + 600_000), [shown("stopped")]);
		books.clock.now = START_MS + 9 * HOUR_MS;
		await books.event("shutting-down", START_MS + 8 * HOUR_MS);
		await books.event("terminated", START_MS + 8 * HOUR_MS + 30_000);
		expect(await books.billedSec()).toBe(600);
	});

	test("EC2's list lags: a host at work is not ended by it; a list that could not be read ends nothing", async () => {
		const books = makeBooks();
		const host = hostAt(START_MS, "active");
		await books.put(host);
		await books.look(host, [shown("running")]);
		books.clock.now = START_MS + 1_000_000;
		await books.look(host, []);
		await books.look(hostAt(START_MS, "stopping", "s1", START_MS + 1), undefined);
		expect(await books.billedSec()).toBe(1_000);
	});

	test("over midnight it is in both books, and its end in the right one", async () => {
		const books = makeBooks();
		const begin = START_MS + 23 * HOUR_MS;
		const host = hostAt(begin, "active");
		await books.put(host);
		books.clock.now = begin + 10_000;
		await books.event("running", begin + 5_000);
		books.clock.now = begin + 2 * HOUR_MS;
		await books.look(host, [shown("running")]);
		await books.event("stopping", begin + 5_000 + 3 * HOUR_MS);
		books.clock.now = begin + 4 * HOUR_MS;
		expect(await books.billedSec()).toBe(3 * 3_600);
	});

	test("an end right after midnight, before any look of the new day", async () => {
		const books = makeBooks();
		const begin = START_MS + 23 * HOUR_MS;
		await books.put(hostAt(begin, "active"));
		books.clock.now = begin + 10_000;
		await books.event("running", begin);
		books.clock.now = begin + HOUR_MS + 30_000;
		await books.event("stopping", begin + HOUR_MS + 20_000);
		expect(await books.billedSec()).toBe(3_620);
	});

	test("the same instance started again is another run", async () => {
		const books = makeBooks();
		await books.put(hostAt(START_MS, "active"));
		await books.event("running", START_MS + 5_000);
		books.clock.now = START_MS + HOUR_MS;
		await books.event("stopping", START_MS + 105_000);
		await books.put(hostAt(START_MS + 1_000_000, "launching", "s2"));
		await books.event("running", START_MS + 1_005_000);
		// Late, and of the first start.
		await books.event("stopped", START_MS + 130_000);
		await books.event("stopping", START_MS + 1_025_000);
		expect(await books.billedSec()).toBe(100 + 60);
	});

	test("events of other people's instances enter nothing", async () => {
		const books = makeBooks();
		await books.event("running", START_MS);
		await books.event("terminated", START_MS + 1);
		expect(await readBook(books.deps, TENANT, "2026-11-27")).toMatchObject({ runs: [], disks: [], uses: [] });
	});

	test("its volume is paid for from its launch to its termination, stopped or not", async () => {
		const books = makeBooks();
		const host = hostAt(START_MS, "stopped");
		await books.put(host);
		await books.look(host, [shown("stopped")]);
		books.clock.now = START_MS + 10 * HOUR_MS;
		await books.event("terminated", START_MS + 5 * HOUR_MS);
		const { lines } = dayCost(await readBook(books.deps, TENANT, "2026-11-27"), PRICES, ZERO, books.clock.now);
		// 8 GB for five hours, at a tenth of a thousandth of a dollar a GB and hour.
		expect(lines.find(({ item }) => item === "volume")).toMatchObject({ quantity: 40, nanoUsd: 4_000_000n });
	});
});

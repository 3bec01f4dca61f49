import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "@jest/globals";
import { lookAtFleet } from "../../../shared/fleet/look.ts";
import { bookUse, isCampaignBooked } from "../../../shared/ledger/book-use.ts";
import { type LedgerDeps, readBook } from "../../../shared/ledger/books.ts";
import { dayOf, daysBetween } from "../../../shared/ledger/days.ts";
import { keepBooks } from "../../../shared/ledger/keep-books.ts";
import { usesOf } from "../../../shared/ledger/use.ts";
import { bookKey, type HostItem, useEntry } from "../../../shared/store/items.ts";
import { DAY_MS } from "../../../shared/time/clock.ts";
import { testDeps } from "../../support/control-plane.ts";
import { newHost } from "../../support/items.ts";
import { type Hooks, MemoryDynamo } from "../../support/memory-dynamo.ts";
import { makeBench } from "../fleet/fleet-bench.ts";
import { DAY, START_MS, TENANT } from "./ledger-fixtures.ts";

const hostWith = (syncs: number, attempts: Record<string, number>, hostId = "h1"): HostItem => ({
	...newHost(hostId, 10, START_MS),
	state: "active",
	syncs,
	acc: Object.fromEntries(Object.entries(attempts).map(([campaignId, a]) => [campaignId, { a }])),
});

const makeBooks = (hooks: Hooks = {}) => {
	const dynamo = new MemoryDynamo();
	const clock = { now: START_MS };
	const deps = testDeps(dynamo.client(hooks), () => clock.now);
	return {
		dynamo,
		clock,
		deps,
		/** All that the books have of a campaign, whatever the day. */
		attemptsOf: async (campaignId: string): Promise<number> => {
			let n = 0;
			for (const day of daysBetween(START_MS, clock.now)) {
				const { uses } = await readBook(deps as LedgerDeps, TENANT, day);
				for (const item of uses) n += usesOf(item).get(campaignId)?.attempts ?? 0;
			}
			return n;
		},
	};
};

test("a look that was held up does not take back what another booked, and the host forgot since", async () => {
	const { deps, attemptsOf } = makeBooks();
	await bookUse(deps, hostWith(5, { a: 500 }), DAY);
	await bookUse(deps, hostWith(9, { a: 510 }), DAY);
	expect(await isCampaignBooked(deps, hostWith(9, {}), "a", { a: 510 }, DAY)).toBe(true);
	await bookUse(deps, hostWith(5, { a: 500 }), DAY);
	await bookUse(deps, hostWith(12, {}), DAY);
	expect(await attemptsOf("a")).toBe(510);
});

test("a look that was held up over midnight begins no book without what was booked yesterday meanwhile", async () => {
	const { deps, clock, attemptsOf } = makeBooks();
	await bookUse(deps, hostWith(5, { a: 1 }), DAY);
	await bookUse(deps, hostWith(9, { a: 1, b: 5 }), DAY);
	clock.now += DAY_MS;
	await bookUse(deps, hostWith(5, { a: 1 }), dayOf(clock.now));
	await bookUse(deps, hostWith(12, { a: 1, b: 7 }), dayOf(clock.now));
	expect(await attemptsOf("b")).toBe(7);
});

test("what was forgotten leaves the books after a day", async () => {
	const { deps, dynamo, clock } = makeBooks();
	await bookUse(deps, hostWith(1, { a: 1 }), DAY);
	for (let day = 1; day <= 2; day++) {
		clock.now += DAY_MS;
		await bookUse(deps, hostWith(day + 1, {}), dayOf(clock.now));
	}
	const key = { book: bookKey(TENANT, dayOf(clock.now)), entry: useEntry("h1") };
	expect(dynamo.peek("ledger", key)).toMatchObject({ base: {}, now: {} });
});

test("a book that was ended before it was begun has nothing of a campaign", async () => {
	const { deps, dynamo } = makeBooks();
	await dynamo.client().send(
		new PutCommand({
			TableName: "ledger",
			Item: { book: bookKey(TENANT, DAY), entry: useEntry("h1"), sealed: true },
		}),
	);
	expect(await isCampaignBooked(deps, hostWith(1, {}), "a", { a: 1 }, DAY)).toBe(false);
});

test("a host whose use cannot be booked keeps no other from being booked", async () => {
	const { deps, attemptsOf } = makeBooks({
		before: ({ name, input }) => {
			if (name === "Put" && input["Item"]?.["entry"] === useEntry("h1")) throw new Error("too large");
		},
	});
	const hosts = [hostWith(1, { a: 1 }), hostWith(1, { a: 2 }, "h2")];
	await expect(keepBooks(deps, TENANT, 120, hosts, undefined)).rejects.toMatchObject({
		errors: [{ message: expect.stringContaining("h1"), cause: { message: "too large" } }],
	});
	expect(await attemptsOf("a")).toBe(2);
});

test("what a host does is written once a minute, however often it is looked at", async () => {
	let writes = 0;
	const { deps, clock, attemptsOf } = makeBooks({
		before: ({ name }) => {
			if (name === "Put" || name === "Update") writes++;
		},
	});
	await keepBooks(deps, TENANT, 120, [hostWith(0, { a: 0 })], undefined);
	writes = 0;
	for (let look = 1; look <= 24; look++) {
		clock.now += 5_000;
		await keepBooks(deps, TENANT, 120, [hostWith(look, { a: look })], undefined);
	}
	expect(writes).toBe(2);
	expect(await attemptsOf("a")).toBe(24);
});

test("a look that fails at the fleet keeps the books all the same", async () => {
	const bench = await makeBench();
	await bench.put("hosts", { ...hostWith(1, { a: 3 }), createdAt: bench.now() });
	const deps = bench.depsWith({
		before: ({ name, input }) => {
			if ((name === "Update" || name === "Put") && input["TableName"] === "fleet") throw new Error("throttled");
		},
	});
	await expect(lookAtFleet(deps, TENANT, "a test")).rejects.toThrow("throttled");
	const { uses } = await readBook(deps, TENANT, dayOf(bench.now()));
	expect(uses).toMatchObject([{ hostId: "h1", now: { a: { a: 3 } } }]);
});

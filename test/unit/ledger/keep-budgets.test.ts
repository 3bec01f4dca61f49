import { describe, expect, test } from "@jest/globals";
import { changeState } from "../../../shared/campaigns/change.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import { bookUse } from "../../../shared/ledger/book-use.ts";
import { dayOf } from "../../../shared/ledger/days.ts";
import { keepBudgets } from "../../../shared/ledger/keep-budgets.ts";
import { closeDay } from "../../../shared/ledger/read-ledger.ts";
import { readLedgerPrices } from "../../../shared/ledger/read-prices.ts";
import { putOwnPrices } from "../../../shared/prices/read-prices.ts";
import {
	BUDGET_ID,
	type CampaignItem,
	type Counts,
	campaignKey,
	type DayBudgetItem,
} from "../../../shared/store/items.ts";
import { newCampaign, newHost, newTrunk, TENANT } from "../../support/items.ts";
import type { Hooks, Statement } from "../../support/memory-dynamo.ts";
import { makeBench } from "../fleet/fleet-bench.ts";

const A = "000000000000000a";
const B = "000000000000000b";
const NOON = "2026-11-27T12:00:00Z";
/** Whether a statement is about the campaign itself. */
const isOf = (id: string, input: Statement["input"]): boolean =>
	input["Key"]?.["campaign"] === campaignKey(TENANT, id).campaign && input["Key"]?.["kind"] === "META";
/** So many calls of a minute each. */
const minutes = (n: number): Counts => ({ a: n, f: n, n, h: n * 60_000, m: n, t_ulaw: n * 60_000, s: n * 60 });

interface Given {
	campaigns: Record<string, Partial<CampaignItem>>;
	acc?: Record<string, Counts>;
	held?: Record<string, number>;
	at?: string;
	own?: Record<string, unknown>;
}

const makeSight = async ({ campaigns, acc = {}, held = {}, at = NOON, own = {} }: Given) => {
	const bench = await makeBench();
	const { deps } = bench;
	bench.pass((Date.parse(at) - bench.now()) / 1_000);
	const ids = Object.keys(campaigns);
	const trunk = newTrunk(
		"carrier-a",
		{ maxChannels: 500, maxCps: 50, numbering: "private" },
		Object.fromEntries(ids.map((id) => [id, { cap: 500, free: 500 }])),
	);
	for (const [id, over] of Object.entries(campaigns)) {
		await bench.put("campaigns", newCampaign(id, deps.now(), { trunk: "carrier-a", ...over }));
	}
	await putOwnPrices(deps, TENANT, "t", { currency: "USD", date: "2026-11-01", carrier: { usdPerMin: 0.01 }, ...own });
	let host = { ...newHost("pbx-1", 500, deps.now()), state: "active" as const, acc, held, syncs: 1 };
	const read = (id: string): CampaignItem => {
		const item = bench.dynamo.peek<CampaignItem>("campaigns", campaignKey(TENANT, id));
		if (!item) throw new Error(`there is no campaign ${id}`);
		return item;
	};
	return {
		bench,
		deps,
		read,
		set: (change: Partial<typeof host>) => {
			host = { ...host, syncs: host.syncs + 1, ...change };
		},
		book: () => bookUse(deps, host, dayOf(deps.now())),
		keep: (dayBudget?: DayBudgetItem, through: FleetDeps = deps) =>
			keepBudgets(through, TENANT, [host], [trunk], dayBudget),
		dayBudget: (usdPerDay: number): DayBudgetItem => ({
			tenant: TENANT,
			id: BUDGET_ID,
			usdPerDay,
			atLimit: "pause",
			setAt: 1,
			tokenId: "t",
		}),
		/** The campaign changes at the moment at which it is read to be changed. */
		depsWhere: (hooks: Hooks): FleetDeps => bench.depsWith(hooks),
	};
};

describe("a campaign whose budget cannot be kept", () => {
	const both = {
		campaigns: {
			[A]: { budget: { usd: 1, atLimit: "pause" as const } },
			[B]: { budget: { usd: 1, atLimit: "pause" as const } },
		},
		acc: { [A]: minutes(200), [B]: minutes(200) },
	};

	test("keeps none of the others from being paused, and the look from deciding", async () => {
		const sight = await makeSight(both);
		await sight.book();
		const through = sight.depsWhere({
			before: ({ name, input }) => {
				if (name === "Update" && isOf(A, input)) throw new Error("throttled");
			},
		});
		await expect(sight.keep(undefined, through)).rejects.toMatchObject({
			errors: [{ message: expect.stringContaining(A), cause: { message: "throttled" } }],
		});
		expect(sight.read(B).state).toBe("paused");
	});

	test("nor does one that is completed between the look and its pause; that is no error", async () => {
		const sight = await makeSight(both);
		await sight.book();
		const through = sight.depsWhere({
			before: async ({ name, input }) => {
				if (name !== "Get" || !isOf(A, input)) return;
				await sight.bench.put("campaigns", { ...sight.read(A), state: "completed" });
			},
		});
		await sight.keep(undefined, through);
		expect(sight.read(A).state).toBe("completed");
		expect(sight.read(B).state).toBe("paused");
	});
});

test("who pauses what a day's budget has paused means it: it does not go on by itself the next day", async () => {
	const sight = await makeSight({
		campaigns: { [A]: { budget: { usdPerDay: 1, atLimit: "pause" } } },
		acc: { [A]: minutes(200) },
	});
	await sight.book();
	await sight.keep();
	expect(sight.read(A)).toMatchObject({ state: "paused", pausedBy: { day: "2026-11-27" } });
	await changeState(sight.deps, TENANT, A, "pause");
	expect(sight.read(A)).toMatchObject({ state: "paused", pausedFrom: "running" });
	expect(sight.read(A).pausedBy).toBeUndefined();
	sight.bench.pass(86_400);
	await sight.book();
	await sight.keep();
	expect(sight.read(A).state).toBe("paused");
});

test("the day's budget reserves as many calls as ended since the look before", async () => {
	const sight = await makeSight({ campaigns: { [A]: {} }, acc: { [A]: minutes(100) } });
	await sight.book();
	const day = sight.dayBudget(1_000);
	const reservedUsd = async (): Promise<number> => {
		const standing = (): DayBudgetItem | undefined =>
			sight.bench.dynamo.peek("fleet", { tenant: TENANT, id: BUDGET_ID });
		await sight.keep(standing());
		return standing()?.state?.reservedUsd ?? Number.NaN;
	};
	await sight.bench.put("fleet", day);
	const before = await reservedUsd();
	sight.set({ acc: { [A]: minutes(200) } });
	// A hundred calls of a cent, and three times ten for their spread.
	expect((await reservedUsd()) - before).toBeGreaterThan(1.29);
});

describe("what stands until the day's end", () => {
	// Two dollars a day.
	const own = { colocation: { usdPerMonth: 60.83 } };
	const small = { budget: { usdPerDay: 1.5, atLimit: "pause" as const } };

	test("before anything is dialed on a day, it is shared by those that go: no budget is used up by midnight alone", async () => {
		const sight = await makeSight({
			campaigns: { [A]: small, [B]: small },
			at: "2026-11-27T00:00:01Z",
			own,
		});
		await sight.keep();
		expect([sight.read(A).state, sight.read(B).state]).toEqual(["running", "running"]);
	});

	test("nothing of it is reserved for a campaign that has not begun", async () => {
		const startAt = Date.parse("2026-12-24T08:00:00Z");
		const sight = await makeSight({
			campaigns: { [A]: { ...small, state: "scheduled", startAt } },
			at: "2026-11-27T00:00:01Z",
			own,
		});
		await sight.keep();
		expect(sight.read(A).state).toBe("scheduled");
	});

	test("one that is alone has all of it", async () => {
		const sight = await makeSight({ campaigns: { [A]: small }, at: "2026-11-27T00:00:01Z", own });
		await sight.keep();
		expect(sight.read(A).state).toBe("paused");
	});
});

test("a look that is held up does not set back how a budget stood", async () => {
	const sight = await makeSight({
		campaigns: { [A]: { budget: { usd: 2, atLimit: "noNewHosts" } } },
		acc: { [A]: minutes(10) },
	});
	await sight.book();
	let overtaken = false;
	const late = sight.depsWhere({
		before: async ({ name, input }) => {
			if (overtaken || name !== "Update" || !isOf(A, input)) return;
			overtaken = true;
			sight.bench.pass(5);
			sight.set({ acc: { [A]: minutes(250) } });
			await sight.keep();
		},
	});
	await sight.keep(undefined, late);
	expect(overtaken).toBe(true);
	expect(sight.read(A).budgetState?.level).toBe("reached");
});

test("days are read once a look, and those that are counted up not at every look", async () => {
	const ids = Array.from({ length: 10 }, (_, i) => `00000000000000${i.toString(16).padStart(2, "0")}`);
	const budget = { usd: 10_000, atLimit: "pause" as const };
	const sight = await makeSight({ campaigns: Object.fromEntries(ids.map((id) => [id, { budget }])) });
	const prices = await readLedgerPrices(sight.deps, TENANT, 120);
	for (let day = 0; day < 20; day++) {
		sight.set({ acc: Object.fromEntries(ids.map((id) => [id, minutes(day + 1)])) });
		await sight.book();
		sight.bench.pass(86_400);
		await closeDay(sight.deps, TENANT, dayOf(sight.deps.now() - 86_400_000), async () => prices);
	}
	await sight.book();
	let reads = 0;
	const counting = sight.depsWhere({
		before: ({ name, input }) => {
			if (input["TableName"] === "ledger" && (name === "Get" || name === "Query")) reads++;
		},
	});
	await sight.keep(undefined, counting);
	// Each of 20 days once, today's book, and what the month has sent.
	expect(reads).toBeLessThanOrEqual(23);
	reads = 0;
	await sight.keep(undefined, counting);
	expect(reads).toBeLessThanOrEqual(3);
	expect(sight.read(ids[0] ?? "").budgetState?.attempts).toBe(20);
});

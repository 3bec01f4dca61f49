import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Budget, DayBudget } from "../../shared/contract/budget.ts";
import type { FleetDeps } from "../../shared/fleet/deps.ts";
import { readFleetRoom } from "../../shared/fleet/state.ts";
import { usdOf } from "../../shared/ledger/amounts.ts";
import { bookUse } from "../../shared/ledger/book-use.ts";
import { readCampaignUsed, totalOf } from "../../shared/ledger/campaign-cost.ts";
import { dayOf } from "../../shared/ledger/days.ts";
import { type BudgetStops, keepBudgets } from "../../shared/ledger/keep-budgets.ts";
import { readLedgerPrices } from "../../shared/ledger/read-prices.ts";
import { setDayBudget } from "../../shared/ledger/set-budget.ts";
import { putOwnPrices } from "../../shared/prices/read-prices.ts";
import { getItem } from "../../shared/store/db.ts";
import { type CampaignItem, campaignKey, type HostItem, type TrunkItem } from "../../shared/store/items.ts";
import { addCounted } from "../../shared/sync/counters.ts";
import { newCampaign, newHost, newTrunk, TENANT } from "../support/items.ts";
import { makeBench } from "../unit/fleet/fleet-bench.ts";

/** A campaign that is dialed second by second, its budget looked at every few seconds by the real code. */

const CAMPAIGN = "0123456789abcdef";
const LOOK_SEC = 5;
/** Five of a second at a mean of 30 s: 150 calls at once. */
const CPS = 5;
/** Ringing and talk, as Asterisk bounds them. */
const MOST_MS = 90_000;

const lcg = (seed: number) => {
	let state = seed;
	return () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
};

interface Run {
	deps: FleetDeps;
	host: HostItem;
	trunk: TrunkItem;
	read(): Promise<CampaignItem>;
	spentUsd(): Promise<number>;
	pass(sec: number): void;
	dial(sec: number): Promise<BudgetStops>;
	ended: number;
}

const makeRun = async (seed: number, budget: Budget | undefined, day?: DayBudget): Promise<Run> => {
	const bench = await makeBench();
	const random = lcg(seed);
	const { deps } = bench;
	// Noon: half a day's standing costs are reserved.
	bench.pass((Date.parse("2026-11-27T12:00:00Z") - deps.now()) / 1_000);
	const trunk = newTrunk(
		"carrier-a",
		{ maxChannels: 500, maxCps: 50, numbering: "private" },
		{ [CAMPAIGN]: { cap: 500, free: 500 } },
	);
	const campaign = newCampaign(CAMPAIGN, deps.now(), {
		trunk: "carrier-a",
		then: { wait: 60 },
		...(budget ? { budget } : {}),
	});
	await deps.db.send(new PutCommand({ TableName: deps.tables.campaigns, Item: campaign }));
	await putOwnPrices(deps, TENANT, "t", { currency: "USD", date: "2026-11-01", carrier: { usdPerMin: 0.01 } });
	if (day) await setDayBudget(deps, TENANT, "t", day);
	const read = async (): Promise<CampaignItem> => {
		const item = await getItem<CampaignItem>(deps.db, deps.tables.campaigns, campaignKey(TENANT, CAMPAIGN));
		if (!item) throw new Error("the campaign is gone");
		return item;
	};
	const run: Run = {
		deps,
		trunk,
		host: { ...newHost("pbx-1", 500, deps.now()), state: "active" },
		read,
		ended: 0,
		pass: (sec) => bench.pass(sec),
		spentUsd: async () => {
			const prices = await readLedgerPrices(deps, TENANT, 120);
			return usdOf(totalOf((await readCampaignUsed(deps, await read(), prices, [run.host])).nanoUsd));
		},
		dial: async (sec) => {
			let stops: BudgetStops = new Map();
			for (let at = 0; at < sec; at++) {
				bench.pass(1);
				const { state } = await read();
				const over = up.filter(({ endsAt }) => endsAt <= deps.now());
				up = up.filter(({ endsAt }) => endsAt > deps.now());
				const counted = over.map(({ ms }) => ({
					...{ campaignId: CAMPAIGN, outcome: "answered", final: true, channelMs: ms },
					talk: { ms, codec: "ulaw" },
				}));
				run.ended += over.length;
				if (state === "running") {
					for (let i = 0; i < CPS; i++) {
						const ms = Math.round(Math.min(MOST_MS, -30_000 * Math.log(1 - random())));
						up.push({ endsAt: deps.now() + ms, ms });
					}
				}
				run.host = {
					...run.host,
					acc: { ...run.host.acc, ...addCounted(run.host.acc, counted) },
					held: up.length > 0 ? { [CAMPAIGN]: up.length } : {},
					// It syncs while it holds calls.
					syncs: (run.host.syncs ?? 0) + (over.length + up.length > 0 ? 1 : 0),
				};
				if (at % LOOK_SEC === 0) {
					await bookUse(deps, run.host, dayOf(deps.now()));
					const { budget: item } = await readFleetRoom(deps, TENANT);
					stops = await keepBudgets(deps, TENANT, [run.host], [trunk], item);
				}
			}
			return stops;
		},
	};
	let up: { endsAt: number; ms: number }[] = [];
	return run;
};

/** About what a minute of dialing costs here, nearly all of it the carrier's; budgets are made of it. */
const MINUTE_USD = 1.5;

describe("a budget that is used up", () => {
	test("pauses the campaign, and what was committed by then does not exceed it", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 1_000_000 }),
				fc.integer({ min: 4, max: 12 }),
				async (seed, minutes) => {
					const budget = { usd: minutes * MINUTE_USD, atLimit: "pause" } as const;
					const run = await makeRun(seed, budget);
					await run.dial(60 * 20);
					const { state, pausedBy, budgetState } = await run.read();
					expect(state).toBe("paused");
					expect(pausedBy?.why).toContain("are spent");
					expect(budgetState?.level).toBe("reached");
					const spent = await run.spentUsd();
					expect(run.host.held).toEqual({});
					expect(spent).toBeLessThanOrEqual(budget.usd);
					// Nor is it stopped for nothing: what is reserved comes, but for the spread of the calls' lengths.
					expect(spent).toBeGreaterThan(budget.usd * 0.5);
				},
			),
			{ numRuns: 10, seed: 20_261_128 },
		);
	}, 120_000);

	test("warns once at four fifths, then tells once that it is reached", async () => {
		const run = await makeRun(7, { usd: 8 * MINUTE_USD, atLimit: "pause" });
		const told: string[] = [];
		run.deps.log.warn = (event) => void told.push(event);
		await run.dial(60 * 20);
		expect(told.filter((event) => event.startsWith("budget."))).toEqual(["budget.warned", "budget.reached"]);
	});

	test("starts no host for it, where that was chosen, and lets own hosts dial on", async () => {
		const run = await makeRun(7, { usd: 2 * MINUTE_USD, atLimit: "noNewHosts" });
		const stops = await run.dial(60 * 10);
		expect([...stops.keys()]).toEqual([CAMPAIGN]);
		expect(stops.get(CAMPAIGN)).toContain("its budget is used up: $");
		expect((await run.read()).state).toBe("running");
	});

	test("of a day: goes on by itself on the next", async () => {
		const run = await makeRun(7, { usdPerDay: 8 * MINUTE_USD, atLimit: "pause" });
		await run.dial(60 * 20);
		expect(await run.read()).toMatchObject({ state: "paused", pausedBy: { day: "2026-11-27" } });
		const before = run.ended;
		run.pass(12 * 3_600);
		await run.dial(120);
		expect(run.ended).toBeGreaterThan(before);
	});

	test("of a person's pause nothing is taken back", async () => {
		const run = await makeRun(7, { usdPerDay: 100, atLimit: "pause" });
		const paused = { ...(await run.read()), state: "paused", pausedFrom: "running" };
		await run.deps.db.send(new PutCommand({ TableName: run.deps.tables.campaigns, Item: paused }));
		await run.dial(60);
		expect((await run.read()).state).toBe("paused");
	});

	test("of the day for all campaigns: pauses those without a budget of their own too; taken away, they go on", async () => {
		const run = await makeRun(7, undefined, { usdPerDay: 8 * MINUTE_USD, atLimit: "pause" });
		await run.dial(60 * 20);
		const item = await run.read();
		expect(item.state).toBe("paused");
		expect(item.pausedBy?.why).toContain("the day's budget for all campaigns");
		await keepBudgets(run.deps, TENANT, [run.host], [run.trunk], undefined);
		expect((await run.read()).state).toBe("running");
	});

	test("a cost that cannot be counted is not taken for none", async () => {
		const run = await makeRun(7, { usd: 100, atLimit: "pause" });
		run.deps.settings.awsRegion = "ap-south-2";
		const stops = await run.dial(1);
		expect(stops.get(CAMPAIGN)).toContain("cannot be checked: There is no price of");
	});
});

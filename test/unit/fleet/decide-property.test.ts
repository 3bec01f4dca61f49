import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { totalOf } from "../../../shared/fleet/capacity.ts";
import { type DecideInput, decide } from "../../../shared/fleet/decide.ts";
import { FlowNetwork } from "../../../shared/fleet/decide-flow.ts";
import type { CampaignDemand, TrunkDemand } from "../../../shared/fleet/demand.ts";
import { COSTS } from "../../../shared/fleet/life.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { burst, campaign, HOST_USD, input, NOW, SETTINGS, steady } from "./decide-fixtures.ts";

const RUNS = { numRuns: 600, seed: 20_261_123 };
const TRUNKS = ["a", "b", "c"];

const trunks: fc.Arbitrary<TrunkDemand[]> = fc.tuple(
	...TRUNKS.map((trunkId) =>
		fc.record({
			trunkId: fc.constant(trunkId),
			cap: fc.integer({ min: 0, max: 1_200 }),
			maxCps: fc.integer({ min: 1, max: 40 }),
			hosts: fc.constantFrom<TrunkDemand["hosts"]>("all", "all", "steady", ["steady-1"], ["steady-2", "burst-1"]),
			addresses: fc.constantFrom<TrunkDemand["addresses"]>("any", "any", "known"),
		}),
	),
);
const campaigns = (most = 4): fc.Arbitrary<CampaignDemand[]> =>
	fc
		.array(
			fc.record({
				trunkId: fc.constantFrom(...TRUNKS),
				cap: fc.integer({ min: 0, max: 1_500 }),
				due: fc.integer({ min: 0, max: 20_000 }),
				inProgress: fc.integer({ min: 0, max: 500 }),
				holdSec: fc.integer({ min: 1, max: 400 }),
				allowDroppedCalls: fc.constantFrom(true, true, false),
				notOnBurst: fc.constantFrom(undefined, undefined, undefined, "no sound"),
				deadlineMin: fc.option(fc.integer({ min: -10, max: 600 }), { nil: undefined, freq: 4 }),
			}),
			{ maxLength: most },
		)
		.map((list) =>
			list.map(({ notOnBurst, deadlineMin, ...each }, n) =>
				campaign({
					...each,
					campaignId: `c${n}`,
					name: `c${n}`,
					...(notOnBurst === undefined ? {} : { notOnBurst }),
					...(deadlineMin === undefined ? {} : { deadline: NOW + deadlineMin * 60_000, pending: each.due * 2 }),
				}),
			),
		);
const hosts: fc.Arbitrary<HostItem[]> = fc
	.tuple(
		fc.array(fc.record({ cap: fc.integer({ min: 1, max: 300 }), silent: fc.boolean() }), { maxLength: 2 }),
		fc.array(
			fc.record({
				state: fc.constantFrom<HostItem["state"]>(
					"launching",
					"booting",
					"active",
					"active",
					"active",
					"draining",
					"drained",
					"stopping",
					"stopped",
					"lost",
				),
				market: fc.constantFrom<"on-demand" | "spot">("on-demand", "on-demand", "spot"),
				live: fc.integer({ min: 0, max: 120 }),
				drainBy: fc.constantFrom<"fleet" | "spot">("fleet", "spot"),
				agoSec: fc.integer({ min: 0, max: 200 }),
			}),
			{ maxLength: 8 },
		),
	)
	.map(([own, more]) => [
		...own.map(({ cap, silent }, n) =>
			steady({ hostId: `steady-${n + 1}`, cap, lastSeenAt: silent && n > 0 ? NOW - 400_000 : NOW }),
		),
		...more.map(({ state, market, live, drainBy, agoSec }, n) =>
			burst(n + 1, { state, live, drainBy }, { market, startedAt: NOW - agoSec * 1_000, readyAt: NOW - 100_000 }),
		),
	]);
const settings = fc
	.record({
		maxHosts: fc.integer({ min: 0, max: 30 }),
		usd: fc.integer({ min: 0, max: 30 }),
		spot: fc.boolean(),
		minUseSec: fc.integer({ min: 1, max: 300 }),
		launchTemplate: fc.constantFrom("lt-1", "lt-1", "lt-1", ""),
	})
	.map(({ usd, ...over }) => ({ ...SETTINGS, ...over, maxUsdPerHour: usd * HOST_USD }));
const inputs: fc.Arbitrary<DecideInput> = fc
	.record({
		trunks,
		campaigns: campaigns(),
		hosts,
		settings,
		recent: fc.array(fc.record({ agoSec: fc.integer({ min: 0, max: 300 }), n: fc.integer({ min: 0, max: 20 }) }), {
			maxLength: 4,
		}),
		min: fc.integer({ min: 0, max: 10 }),
		halted: fc.constantFrom(true, false, false, false),
		pool: fc.constantFrom(undefined, 0, 2, 20),
		toCome: fc.integer({ min: 0, max: 3 }),
	})
	.map(({ recent, min, halted, pool, toCome, ...over }) =>
		input({
			...over,
			floor: { min, until: NOW + 600_000 },
			...(pool === undefined ? {} : { addresses: { total: pool } }),
			fleet: {
				recent: recent.map(({ agoSec, n }) => ({ at: NOW - agoSec * 1_000, onDemand: n, spot: 0 })),
				intents:
					toCome === 0
						? {}
						: { i: { kind: "launch", offering: "on-demand/c7g.large/subnet-a", count: toCome, at: NOW - 10_000 } },
				...(halted ? { halted: { reason: "x", at: NOW, until: NOW + 60_000 } } : {}),
			},
		}),
	);
/** Nothing but demand decides. */
const unlimited = ({ fleet: { halted: _, ...fleet }, ...given }: DecideInput): DecideInput => ({
	...given,
	floor: undefined,
	addresses: { total: 1_000 },
	settings: { ...given.settings, launchTemplate: "lt-1", maxHosts: 500, maxUsdPerHour: 1_000 },
	fleet: { ...fleet, recent: [] },
});
const total = (given: DecideInput): number => totalOf(decide(given).decision.wanted);
const toCome = (given: DecideInput): number =>
	Object.values(given.fleet.intents).reduce((n, intent) => n + (intent.kind === "launch" ? intent.count : 0), 0);

describe("whatever the state", () => {
	test("what is wanted is whole, never negative, never above the most hosts", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const { decision } = decide(given);
				for (const n of [decision.wanted.onDemand, decision.wanted.spot]) {
					expect(Number.isInteger(n)).toBe(true);
					expect(n).toBeGreaterThanOrEqual(0);
				}
				expect(totalOf(decision.wanted)).toBeLessThanOrEqual(given.settings.maxHosts);
				if (!given.settings.spot) expect(decision.wanted.spot).toBe(0);
				expect(decision.reason).not.toMatch(/NaN|undefined|Infinity/);
			}),
			RUNS,
		);
	});
	test("starts stay within hosts and money, those that end counted", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const { wanted, up } = decide(given).decision;
				const own = given.hosts.filter(({ tier }) => tier === "burst");
				const costing = own.filter(({ state }) => COSTS.includes(state)).length + toCome(given);
				// Hosts that the fleet drains can be taken back for nothing.
				const back = (market: string): number =>
					own.filter(
						({ state, drainBy, inst }) =>
							(state === "draining" || state === "drained") && drainBy === "fleet" && inst?.market === market,
					).length;
				const starts =
					Math.max(0, wanted.onDemand - up.onDemand - back("on-demand")) +
					Math.max(0, wanted.spot - up.spot - back("spot"));
				if (starts === 0) return;
				expect(costing + starts).toBeLessThanOrEqual(given.settings.maxHosts);
				expect((costing + starts) * HOST_USD).toBeLessThanOrEqual(given.settings.maxUsdPerHour + 1e-6);
				expect(given.settings.launchTemplate).not.toBe("");
				expect(given.fleet.halted).toBeUndefined();
			}),
			RUNS,
		);
	});
	test("a cut is explained, and only a cut is", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const free = decide(unlimited(given));
				const bound = decide({ ...unlimited(given), settings: given.settings });
				if (totalOf(bound.decision.wanted) < totalOf(free.decision.wanted)) {
					expect(bound.decision.limits.length).toBeGreaterThan(0);
				} else {
					expect(bound.decision.wanted).toEqual(free.decision.wanted);
					expect(bound.decision.limits).toEqual([]);
				}
			}),
			RUNS,
		);
	});
	test("limits take away no host that is up and within them", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const open = unlimited(given);
				const free = decide(open).decision;
				const settings = { ...given.settings, maxUsdPerHour: 1_000 };
				const bound = decide({ ...open, settings }).decision;
				const inUse = Math.min(free.wanted.onDemand, free.up.onDemand) + Math.min(free.wanted.spot, free.up.spot);
				const useful = Math.min(inUse, given.settings.maxHosts);
				expect(totalOf(bound.wanted)).toBeGreaterThanOrEqual(useful);
			}),
			RUNS,
		);
	});
	test("the floor is there, as far as the limits let it", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const open = { ...unlimited(given), floor: given.floor };
				expect(total(open)).toBeGreaterThanOrEqual(given.floor?.min ?? 0);
			}),
			RUNS,
		);
	});
	test("missing data holds what was decided", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const last = decide(given);
				const { decision, recent } = decide({
					...given,
					demand: undefined,
					fleet: { ...given.fleet, decision: last.decision, recent: last.recent },
				});
				expect(decision.wanted).toEqual(last.decision.wanted);
				expect(decision.held).toBeTruthy();
				expect(recent).toEqual(last.recent);
			}),
			RUNS,
		);
	});
});

describe("demand", () => {
	test("more contacts due never want fewer hosts", () => {
		fc.assert(
			fc.property(inputs, fc.nat(), fc.integer({ min: 1, max: 20_000 }), (given, which, more) => {
				const open = unlimited(given);
				const list = open.demand?.campaigns ?? [];
				if (!open.demand || list.length === 0) return;
				const n = which % list.length;
				const campaigns = list.map((each, i) =>
					i === n ? { ...each, due: each.due + more, pending: (each.pending ?? 0) + more } : each,
				);
				expect(total({ ...open, demand: { ...open.demand, campaigns } })).toBeGreaterThanOrEqual(total(open));
			}),
			{ ...RUNS, numRuns: 3_000 },
		);
	});
	test("a campaign more never wants fewer hosts", () => {
		fc.assert(
			fc.property(inputs, campaigns(1), (given, extra) => {
				const open = unlimited(given);
				if (!open.demand) return;
				const more = extra.map((each) => ({ ...each, campaignId: "z" }));
				const campaigns = [...open.demand.campaigns, ...more];
				expect(total({ ...open, demand: { ...open.demand, campaigns } })).toBeGreaterThanOrEqual(total(open));
			}),
			RUNS,
		);
	});
	test("a steady host more never wants more hosts", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const open = unlimited(given);
				const hosts = [...open.hosts, steady({ hostId: "steady-9", cap: 200 })];
				expect(total({ ...open, hosts })).toBeLessThanOrEqual(total(open));
			}),
			RUNS,
		);
	});
	test("looking twice at the same moment decides the same", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const first = decide(given);
				const fleet = { ...given.fleet, decision: first.decision, recent: first.recent };
				expect(decide({ ...given, fleet })).toEqual(first);
			}),
			RUNS,
		);
	});
	test("within the idle time nothing that is up and was wanted is given up, whatever becomes of demand", () => {
		fc.assert(
			fc.property(inputs, campaigns(), fc.integer({ min: 1, max: 60 }), (given, later, sec) => {
				const open = unlimited(given);
				const first = decide(open);
				const second = decide({
					...open,
					now: NOW + sec * 1_000,
					hosts: open.hosts.map((host) => ({ ...host, lastSeenAt: host.lastSeenAt + sec * 1_000 })),
					demand: { trunks: open.demand?.trunks ?? [], campaigns: later },
					fleet: { ...open.fleet, decision: first.decision, recent: first.recent },
				}).decision;
				for (const market of ["onDemand", "spot"] as const) {
					const { wanted, up } = first.decision;
					expect(second.wanted[market]).toBeGreaterThanOrEqual(Math.min(wanted[market], up[market]));
				}
			}),
			RUNS,
		);
	});
	test("hosts that were asked for satisfy what asked for them", () => {
		fc.assert(
			fc.property(inputs, (given) => {
				const open = { ...unlimited(given), settings: { ...unlimited(given).settings, spot: false } };
				const { wanted, up } = decide(open).decision;
				const more = totalOf(wanted) - totalOf(up);
				if (more <= 0) return;
				const asked = {
					kind: "launch" as const,
					offering: "on-demand/c7g.large/subnet-a",
					count: totalOf(wanted) - up.onDemand,
					at: NOW,
				};
				const next = decide({ ...open, fleet: { ...open.fleet, intents: { ...open.fleet.intents, asked } } });
				expect(totalOf(next.decision.wanted)).toBe(totalOf(wanted));
			}),
			RUNS,
		);
	});
});

describe("a flow", () => {
	test("is as large as the smallest cut", () => {
		const capacities = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 12 });
		fc.assert(
			fc.property(capacities, (caps) => {
				// Source, two by two nodes in between, sink: every cut can be tried.
				const edges: [number, number, number][] = [];
				const pairs = [
					[0, 1],
					[0, 2],
					[1, 2],
					[2, 1],
					[1, 3],
					[1, 4],
					[2, 3],
					[2, 4],
					[3, 4],
					[4, 3],
					[3, 5],
					[4, 5],
				];
				for (const [i, [from = 0, to = 0]] of pairs.entries()) edges.push([from, to, caps[i] ?? 0]);
				const net = new FlowNetwork();
				for (let i = 0; i < 6; i++) net.node();
				for (const [from, to, cap] of edges) net.edge(from, to, cap);
				let smallest = Number.POSITIVE_INFINITY;
				for (let side = 0; side < 16; side++) {
					const inside = (node: number): boolean => node === 0 || (node < 5 && (side & (1 << (node - 1))) !== 0);
					const cut = edges.reduce((n, [from, to, cap]) => n + (inside(from) && !inside(to) ? cap : 0), 0);
					smallest = Math.min(smallest, cut);
				}
				expect(net.augment(0, 5)).toBe(smallest);
				expect(net.augment(0, 5)).toBe(0);
			}),
			RUNS,
		);
	});
});

test("the generators reach what the properties are about", () => {
	const seen = { grows: 0, shrinks: 0, cut: 0, floor: 0, spot: 0 };
	fc.assert(
		fc.property(inputs, (given) => {
			const { decision } = decide(given);
			if (totalOf(decision.wanted) > totalOf(decision.up)) seen.grows++;
			if (totalOf(decision.wanted) < totalOf(decision.up)) seen.shrinks++;
			if (decision.limits.length > 0) seen.cut++;
			if (decision.floor.hosts > 0) seen.floor++;
			if (decision.wanted.spot > 0) seen.spot++;
		}),
		RUNS,
	);
	for (const [what, times] of Object.entries(seen)) {
		expect({ what, often: times > 20 }).toEqual({ what, often: true });
	}
});

import { describe, expect, test } from "@jest/globals";
import { type ConvergeInput, converge } from "../../../shared/fleet/converge.ts";
import type { Decision, Wanted } from "../../../shared/fleet/decision.ts";
import { type Ec2Instance, hostIdOf } from "../../../shared/fleet/ec2.ts";
import type { HostState } from "../../../shared/fleet/life.ts";
import { emptyFleet } from "../../../shared/fleet/state.ts";
import type { FleetItem, HostItem, Instance } from "../../../shared/store/items.ts";
import { newHost } from "../../support/items.ts";
import { burstSettings, START, TENANT } from "./fleet-bench.ts";

/** What converge plans; pure. */

const NOW = START + 3_600_000;

const burstHost = (
	n: number,
	state: HostState,
	over: Partial<HostItem> = {},
	inst: Partial<Instance> = {},
): HostItem => {
	const instanceId = `i-${String(n).padStart(17, "0")}`;
	return {
		...newHost(hostIdOf(instanceId), 120, START),
		tier: "burst",
		state,
		epoch: 1,
		lastSeenAt: NOW,
		...over,
		inst: {
			instanceId,
			launchId: "l-0",
			type: "c7g.large",
			subnet: "subnet-a",
			market: "on-demand",
			usdPerHour: 0.075,
			imageId: "ami-1",
			account: "1",
			startId: `s-${n}`,
			startedAt: START + n * 1_000,
			readyAt: START + n * 1_000 + 30_000,
			...inst,
		},
	};
};
const instanceOf = ({ inst }: HostItem, state: Ec2Instance["state"]): Ec2Instance => {
	const { instanceId, type, subnet, market, imageId, account, launchId, startedAt } = inst as Instance;
	return { instanceId, type, subnet, market, imageId, account, launchId, launchedAt: startedAt, state };
};
const fleetBy = (n: number): Partial<HostItem> => ({ drainBy: "fleet", drainAt: NOW - n, drainUntil: NOW + 600_000 });

const decisionOf = (wanted: Wanted, up: Wanted, over: Partial<Decision> = {}): Decision => ({
	at: NOW,
	wanted,
	up,
	reason: "as the test wants it",
	demand: { campaigns: [], channels: 0, burstChannels: 0 },
	steady: { hosts: 0, capacity: 0 },
	floor: { hosts: 0, from: "none" },
	limits: [],
	usdPerHour: { now: 0, limit: 100 },
	...over,
});

interface Given {
	wanted: number;
	up?: number;
	spotWanted?: number;
	spotUp?: number;
	hosts?: HostItem[];
	fleet?: Partial<FleetItem>;
	settings?: Partial<ConvergeInput["settings"]>;
	input?: Partial<ConvergeInput>;
	decision?: Partial<Decision>;
}
const plan = (given: Given) => {
	const { wanted, up = 0, spotWanted = 0, spotUp = 0, hosts = [], fleet = {}, settings = {} } = given;
	return converge({
		decision: decisionOf({ onDemand: wanted, spot: spotWanted }, { onDemand: up, spot: spotUp }, given.decision),
		hosts,
		fleet: { ...emptyFleet(TENANT), version: 7, ...fleet },
		instances: hosts
			.filter(({ inst }) => inst)
			.map((host) => instanceOf(host, host.state === "stopped" ? "stopped" : "running")),
		now: NOW,
		settings: burstSettings({ warmHosts: 2, ...settings }),
		random: () => 0.5,
		...given.input,
	});
};
const ids = (hosts: HostItem[]): string[] => hosts.map(({ inst }) => inst?.instanceId.replace(/^i-0*/, "") ?? "");
const intentsOf = (given: Given) => Object.values(plan(given).intents);

describe("more is wanted", () => {
	test("nothing is there: one launch in the preferred offering", () => {
		expect(intentsOf({ wanted: 3 })).toEqual([
			{ kind: "launch", offering: "on-demand/c7g.large/subnet-a", count: 3, at: NOW },
		]);
		expect(plan({ wanted: 3 }).starting).toBe(3);
	});

	test("first drains are taken back, then stopped hosts started, then launched", () => {
		const hosts = [
			burstHost(1, "draining", fleetBy(1)),
			burstHost(2, "stopped"),
			burstHost(3, "stopped", {}, { type: "c8g.large" }),
			burstHost(4, "drained", fleetBy(1)),
			burstHost(5, "stopped"),
		];
		const made = plan({ wanted: 6, hosts });
		expect(ids(made.undrain).sort()).toEqual(["1", "4"]);
		expect(Object.values(made.intents)).toMatchObject([
			{ kind: "start", hosts: [hosts[1]?.hostId, hosts[4]?.hostId] },
			{ kind: "start", hosts: [hosts[2]?.hostId] },
			{ kind: "launch", count: 1 },
		]);
		expect(made.stop).toEqual([]);
		expect(ids(plan({ wanted: 1, hosts }).undrain)).toHaveLength(1);
		expect(intentsOf({ wanted: 2, hosts })).toEqual([]);
	});

	test("of draining hosts the fullest is taken back first", () => {
		const hosts = [
			burstHost(1, "draining", { ...fleetBy(1), live: 3 }),
			burstHost(2, "draining", { ...fleetBy(1), live: 9 }),
			burstHost(3, "drained", fleetBy(1)),
		];
		expect(ids(plan({ wanted: 2, hosts }).undrain)).toEqual(["2", "1"]);
	});

	test.each<[string, Partial<HostItem>, Partial<Instance>]>([
		["an operator's drain", { drainBy: "operator", drainUntil: NOW + 1 }, {}],
		["a spot interruption", { drainBy: "spot", drainUntil: NOW + 1 }, {}],
		["a fault", { drainBy: "fault", drainUntil: NOW + 1 }, {}],
		["an operator who wants it drained", { ...fleetBy(1), drainWanted: true }, {}],
		["a past deadline", { ...fleetBy(1), drainUntil: NOW - 1 }, {}],
		["a failure", fleetBy(1), { failure: "x" }],
		["EC2, which is ending it", fleetBy(1), { stopAt: NOW - 1 }],
		["an agent that stops", { ...fleetBy(1), health: "stopping" }, {}],
	])("no drain is taken back against %s", (_, over, inst) => {
		expect(plan({ wanted: 1, hosts: [burstHost(1, "draining", over, inst)] }).undrain).toEqual([]);
	});

	test.each<[string, Partial<HostItem>, Partial<Instance>]>([
		["that failed", {}, { failure: "x" }],
		["that is to be terminated", {}, { end: "terminate" }],
		["that an operator drained", { drainWanted: true }, {}],
		["of an offering that is out of capacity", {}, { subnet: "subnet-b" }],
	])("no stopped host is started %s", (_, over, inst) => {
		const fleet = { noCapacity: { "on-demand/c7g.large/subnet-b": NOW + 1 } };
		expect(intentsOf({ wanted: 1, hosts: [burstHost(1, "stopped", over, inst)], fleet })).toMatchObject([
			{ kind: "launch" },
		]);
	});

	test("nor one that EC2 does not say is stopped", () => {
		const host = burstHost(1, "stopped");
		const input = { instances: [instanceOf(host, "stopping")] };
		expect(intentsOf({ wanted: 1, hosts: [host], input })).toMatchObject([{ kind: "launch" }]);
	});

	test("offerings out of capacity are passed over until their time has come", () => {
		const noCapacity = { "on-demand/c7g.large/subnet-a": NOW + 1, "on-demand/c7g.large/subnet-b": NOW };
		expect(intentsOf({ wanted: 1, fleet: { noCapacity } })).toMatchObject([
			{ offering: "on-demand/c7g.large/subnet-b" },
		]);
	});

	test.each<[string, Partial<FleetItem>, RegExp]>([
		["EC2 wants us to slow down", { throttledUntil: NOW + 1_000 }, /slow down/],
		["a person must mend something", { halted: { reason: "quota", at: NOW, until: NOW + 1_000 } }, /halted.*quota/],
		[
			"starts failed",
			{ failed: { count: 2, notBefore: NOW + 1_000, reason: "no boot" } },
			/after 2 that failed: no boot/,
		],
	])("nothing is started while %s; drains are taken back", (_, fleet, why) => {
		const hosts = [burstHost(1, "draining", fleetBy(1)), burstHost(2, "stopped")];
		const made = plan({ wanted: 5, hosts, fleet });
		expect(made.intents).toEqual({});
		expect(ids(made.undrain)).toEqual(["1"]);
		expect(made.short.join()).toMatch(why);
	});

	test("the limits hold whatever was decided: hosts, spend, starts in a minute", () => {
		const count = (given: Given) => plan(given).starting;
		expect(
			count({ wanted: 9, settings: { maxHosts: 4 }, hosts: [burstHost(1, "draining"), burstHost(2, "lost")] }),
		).toBe(2);
		expect(count({ wanted: 9, settings: { maxUsdPerHour: 0.23 } })).toBe(3);
		expect(count({ wanted: 9, settings: { maxUsdPerHour: 0.07 } })).toBe(0);
		const starts = [NOW - 61_000, NOW - 60_000, NOW - 59_000, NOW - 1];
		expect(count({ wanted: 9, settings: { maxStartsPerMin: 5 }, fleet: { starts } })).toBe(3);
		expect(plan({ wanted: 9, settings: { maxStartsPerMin: 5 }, fleet: { starts } }).short).toEqual([
			"at most 5 starts a minute",
		]);
		// As is what runs though by our books it does not.
		const running = (n: number): Ec2Instance => ({
			instanceId: burstHost(n, "terminated").inst?.instanceId ?? "",
			...{ state: "running", type: "c7g.large", subnet: "subnet-a", imageId: "ami-1", account: "1", launchedAt: NOW },
			market: "on-demand",
		});
		const off = [burstHost(1, "terminated"), burstHost(2, "stopped"), burstHost(3, "terminated")];
		const unawares = { wanted: 9, hosts: off, instances: [running(1), running(2)] };
		expect(count({ ...unawares, settings: { maxHosts: 4 } })).toBe(2);
		expect(count({ ...unawares, settings: { maxUsdPerHour: 0.31 } })).toBe(2);
		// What is asked of EC2 already is part of it.
		const intents = { x: { kind: "launch", offering: "on-demand/c7g.large/subnet-a", count: 3, at: NOW } } as const;
		expect(count({ wanted: 9, up: 3, settings: { maxHosts: 4 }, fleet: { intents } })).toBe(1);
	});

	test("spot is planned apart, and never started from stopped", () => {
		const settings = { spot: true };
		expect(
			intentsOf({ wanted: 1, spotWanted: 2, settings, hosts: [burstHost(1, "stopped", {}, { market: "spot" })] }),
		).toMatchObject([
			{ kind: "launch", offering: "on-demand/c7g.large/subnet-a", count: 1 },
			{ kind: "launch", offering: "spot/c7g.large/subnet-a", count: 2 },
		]);
		const hosts = [burstHost(1, "active"), burstHost(2, "active", {}, { market: "spot" })];
		const made = plan({ wanted: 1, up: 1, spotWanted: 0, spotUp: 1, settings, hosts });
		expect(ids(made.drain.map(({ host }) => host))).toEqual(["2"]);
	});

	test("ids of intents differ, by version and by place", () => {
		const hosts = [burstHost(1, "stopped"), burstHost(2, "stopped", {}, { type: "c8g.large" })];
		const of = (version: number) => Object.keys(plan({ wanted: 3, hosts, fleet: { version } }).intents);
		const all = [...of(7), ...of(8)];
		expect(all).toHaveLength(6);
		expect(new Set(all).size).toBe(6);
		for (const id of all) expect(id).toMatch(/^[a-z0-9-]{1,64}$/);
	});

	test("no template: nothing is started", () => {
		expect(plan({ wanted: 1, settings: { launchTemplate: "" } })).toMatchObject({
			intents: {},
			short: [expect.stringContaining("launch template")],
		});
	});
});

describe("less is wanted", () => {
	test("the emptiest are drained, the youngest of equals, never more than the surplus", () => {
		const hosts = [
			burstHost(1, "active", { live: 5 }),
			burstHost(2, "active", { held: { c: 1 } }),
			burstHost(3, "active"),
			burstHost(4, "active"),
			burstHost(5, "active", { live: 90 }),
		];
		const drained = (wanted: number) => ids(plan({ wanted, up: 5, hosts }).drain.map(({ host }) => host));
		expect(drained(5)).toEqual([]);
		expect(drained(4)).toEqual(["4"]);
		expect(drained(2)).toEqual(["4", "3", "2"]);
		expect(drained(0)).toEqual(["4", "3", "2", "1", "5"]);
	});

	test("those that boot are the surplus first, and are ended once their minute is paid", () => {
		const hosts = [
			burstHost(1, "active"),
			burstHost(2, "booting", {}, { startedAt: NOW - 59_000 }),
			burstHost(3, "launching", {}, { startedAt: NOW - 61_000 }),
		];
		const made = plan({ wanted: 1, up: 3, hosts });
		expect(made.drain).toEqual([]);
		expect(made.stop.map(({ host, end }) => [...ids([host]), end])).toEqual([["3", "terminate"]]);
		expect(plan({ wanted: 2, up: 3, hosts }).stop).toEqual([]);
	});

	test("what is still to come is surplus that cannot be called back: no host at work is drained for it", () => {
		const intents = { x: { kind: "launch", offering: "on-demand/c7g.large/subnet-a", count: 2, at: NOW } } as const;
		const hosts = [burstHost(1, "active"), burstHost(2, "active")];
		expect(plan({ wanted: 2, up: 4, hosts, fleet: { intents } }).drain).toEqual([]);
		expect(plan({ wanted: 1, up: 4, hosts, fleet: { intents } }).drain).toHaveLength(1);
	});
});

describe("ends", () => {
	const ends = (hosts: HostItem[], settings = {}, wanted = 0, fleet: Partial<FleetItem> = {}) =>
		plan({ wanted, up: wanted, hosts, settings, fleet }).stop.map(({ host, end }) => `${ids([host]).join()} ${end}`);

	test("drained hosts are stopped up to the number that is kept, the others terminated", () => {
		const hosts = [1, 2, 3, 4].map((n) => burstHost(n, "drained", fleetBy(n)));
		expect(ends(hosts)).toEqual(["1 stop", "2 stop", "3 terminate", "4 terminate"]);
		expect(ends([burstHost(9, "stopped"), ...hosts])).toEqual(["1 stop", "2 terminate", "3 terminate", "4 terminate"]);
		expect(ends(hosts, { warmHosts: 0 })).toEqual(["1 terminate", "2 terminate", "3 terminate", "4 terminate"]);
	});

	test("spot, failed, faulty and operators' hosts are terminated", () => {
		expect(
			ends([
				burstHost(1, "drained", fleetBy(1), { market: "spot" }),
				burstHost(2, "drained", { drainBy: "fault" }, { failure: "x" }),
				burstHost(3, "drained", { drainBy: "operator", drainWanted: true }),
				burstHost(4, "recovered"),
				burstHost(5, "stopped", {}, { failure: "x" }),
			]),
		).toEqual(["1 terminate", "2 terminate", "3 terminate", "4 terminate", "5 terminate"]);
	});

	test("of more stopped hosts than are kept the longest stopped go", () => {
		const hosts = [1, 2, 3].map((n) => burstHost(n, "stopped", {}, { stopAt: NOW - n * 1_000 }));
		expect(ends(hosts)).toEqual(["3 terminate"]);
		// One that is being started is none of them.
		const intents: FleetItem["intents"] = {
			x: { kind: "start", hosts: [hosts[2]?.hostId ?? ""], startId: "s", at: NOW },
		};
		expect(ends(hosts, {}, 0, { intents })).toEqual([]);
	});

	test("past deadline and grace only EC2 is asked, again after a while", () => {
		const late = { drainBy: "fleet", drainUntil: NOW - 30_001, live: 1 } as const;
		const forced = (over: Partial<HostItem>, inst: Partial<Instance> = {}) =>
			plan({ wanted: 0, hosts: [burstHost(1, "draining", over, inst)] }).force.length;
		expect(forced(late)).toBe(1);
		expect(forced({ ...late, drainUntil: NOW - 30_000 })).toBe(0);
		expect(forced({ ...late, drainUntil: NOW + 1 })).toBe(0);
		expect(forced({ drainBy: "operator" })).toBe(0);
		expect(forced(late, { stopAt: NOW - 29_000 })).toBe(0);
		expect(forced(late, { stopAt: NOW - 30_000 })).toBe(1);
		expect(plan({ wanted: 0, hosts: [burstHost(1, "draining", late)] }).stop).toEqual([]);
	});

	test("while EC2 wants us to slow down nothing is stopped, but drains begin", () => {
		const hosts = [burstHost(1, "drained", fleetBy(1)), burstHost(2, "active")];
		const made = plan({ wanted: 0, up: 1, hosts, fleet: { throttledUntil: NOW + 1 } });
		expect(made.stop).toEqual([]);
		expect(ids(made.drain.map(({ host }) => host))).toEqual(["2"]);
	});

	test("halted starts keep nothing from being stopped", () => {
		const fleet = { halted: { reason: "quota", at: NOW, until: NOW + 1_000 } };
		expect(ends([burstHost(1, "drained", fleetBy(1))], {}, 0, fleet)).toEqual(["1 stop"]);
	});
});

test.each([
	["the decision holds", { decision: { held: "The demand could not be read." } }],
	["EC2's list is missing", { input: { instances: undefined } }],
])("nothing at all while %s", (_, over) => {
	const hosts = [burstHost(1, "drained", fleetBy(1)), burstHost(2, "active"), burstHost(3, "recovered")];
	const more = plan({ wanted: 9, up: 1, hosts, ...over });
	const less = plan({ wanted: 0, up: 1, hosts, ...over });
	for (const made of [more, less])
		expect(made).toMatchObject({ undrain: [], drain: [], stop: [], force: [], intents: {}, starting: 0 });
	expect(more.short).toHaveLength(1);
});

import { describe, expect, test } from "@jest/globals";
import { decide } from "../../../shared/fleet/decide.ts";
import type { Decision } from "../../../shared/fleet/decision.ts";
import type { HostItem, Intent } from "../../../shared/store/items.ts";
import {
	burst,
	bursts,
	campaign,
	decided,
	HOST_USD,
	type InputOver,
	input,
	NOW,
	SETTINGS,
	steady,
	TENANT,
	trunk,
	wanted,
} from "./decide-fixtures.ts";

const few = (due: number, inProgress = 0) => campaign({ due, inProgress, dueIsBound: false });
const drained = (n: number, over: Partial<HostItem> = {}) => burst(n, { state: "drained", drainBy: "fleet", ...over });
/** So many channels for so many seconds once a host started now is up; 120 of them are used meanwhile. */
const lasting = (channels: number, sec: number, name = "storm") =>
	campaign({
		name,
		campaignId: name,
		cap: channels,
		dueIsBound: false,
		due: (channels * sec + Math.min(120, channels) * 60) / 10,
		holdSec: 10,
	});
const spotOn = { ...SETTINGS, spot: true };
const launch = (count: number, offering = "on-demand/c7g.large/subnet-a"): Record<string, Intent> => ({
	"intent-1": { kind: "launch", offering, count, at: NOW },
});
const schedule = (floor: number, from: string, to: string) => ({
	tenant: TENANT,
	id: "schedule#peak",
	name: "peak",
	updatedAt: 0,
	floor,
	days: [1, 2, 3, 4, 5, 6, 7],
	from,
	to,
	timeZone: "UTC",
});

/** What is wanted, a sentence each. */
const table = (rows: [sentence: string, over: InputOver, hosts: number][]): void => {
	test.each(rows)("%s", (_sentence, over, hosts) => {
		expect(wanted(over)).toBe(hosts);
	});
};

describe("demand", () => {
	table([
		["nobody calls: nothing is wanted", { campaigns: [] }, 0],
		["1000 channels, of which the steady host carries 120, need 8 hosts of 120", {}, 8],
		["one channel more than the steady host has needs a host", { campaigns: [campaign({ cap: 121 })] }, 1],
		[
			"calls in progress start nothing where no contact is due",
			{ campaigns: [campaign({ due: 0, dueIsBound: false, inProgress: 240, holdSec: 600 })], hosts: [steady()] },
			0,
		],
		[
			"calls that a draining host finishes need no host, nor itself back",
			{
				campaigns: [campaign({ due: 1, dueIsBound: false, inProgress: 240, holdSec: 600 })],
				hosts: [
					steady({ held: { storm: 120 } }),
					burst(1, { state: "draining", drainBy: "fleet", held: { storm: 120 } }),
				],
			},
			0,
		],
		["what the steady host carries needs none", { campaigns: [campaign({ cap: 120 })] }, 0],
		["without a steady host all of it is for burst hosts", { hosts: [] }, 9],
		["a draining steady host carries nothing new", { hosts: [steady({ state: "draining" })] }, 9],
		["a silent steady host carries nothing", { hosts: [steady({ lastSeenAt: NOW - 31_000 })] }, 9],
		["a steady host without Asterisk carries nothing", { hosts: [steady({ health: "asteriskDown" })] }, 9],
		["a steady host whose carrier is silent carries nothing", { hosts: [steady({ deadTrunks: ["carrier-a"] })] }, 9],
		[
			"other people's calls on the steady host are not ours to use",
			{ hosts: [steady({ live: 60, held: { x: 20 } })] },
			8,
		],
		[
			"… and can make the difference",
			{ hosts: [steady({ live: 60, held: { x: 20 } })], campaigns: [campaign({ cap: 81 })] },
			1,
		],
		["two campaigns add up", { campaigns: [campaign({ name: "a", cap: 200 }), campaign({ name: "b", cap: 200 })] }, 3],
		[
			"a trunk's cap bounds all its campaigns",
			{ trunks: [trunk({ cap: 240 })], campaigns: [campaign(), campaign({ name: "b" })] },
			1,
		],
		["10 calls per second of 31 s are 310 channels at most", { trunks: [trunk({ maxCps: 10 })] }, 2],
		["… of 62 s 620", { trunks: [trunk({ maxCps: 10 })], campaigns: [campaign({ holdSec: 62 })] }, 5],
		[
			"calls that are up count, whatever the estimate says",
			{ trunks: [trunk({ maxCps: 10 })], campaigns: [campaign({ inProgress: 400 })], hosts: [steady(), ...bursts(4)] },
			3,
		],
		["a trunk for steady hosts needs no burst host", { trunks: [trunk({ hosts: "steady" })] }, 0],
		["a trunk whose list names steady hosts needs none either", { trunks: [trunk({ hosts: ["steady-1"] })] }, 0],
		[
			"a list that names burst hosts keeps those",
			{ trunks: [trunk({ hosts: ["steady-1", "burst-1"] })], hosts: [steady(), burst(1), burst(2)] },
			1,
		],
		["a campaign that burst hosts cannot carry needs none", { campaigns: [campaign({ notOnBurst: "no sound" })] }, 0],
		[
			"what only steady hosts may carry has them first; the rest is for burst hosts",
			{
				trunks: [trunk({ trunkId: "own", hosts: "steady" }), trunk()],
				campaigns: [campaign({ name: "a", trunkId: "own", cap: 100 }), campaign({ name: "b", cap: 140 })],
			},
			1,
		],
		[
			"a trunk that all burst hosts found dead is no demand for more of them",
			{ hosts: [steady(), burst(1, { deadTrunks: ["carrier-a"] })], trunks: [trunk(), trunk({ trunkId: "b" })] },
			0,
		],
		[
			"… one that some found dead is",
			{
				hosts: [steady(), burst(1, { deadTrunks: ["carrier-a"] }), burst(2)],
				trunks: [trunk(), trunk({ trunkId: "b" })],
			},
			8,
		],
	]);
});

describe("work", () => {
	table([
		["200 calls of 31 s are done by the steady host before another is up", { campaigns: [few(200)] }, 0],
		[
			"1000 calls leave work for 396 channels for a minute: of three hosts the third would not pay",
			{ campaigns: [few(1_000)] },
			2,
		],
		["without a steady host for 516", { campaigns: [few(1_000)], hosts: [] }, 4],
		["a host that takes longer to boot is worth less", { campaigns: [few(1_000)], fleet: { boots: [120] } }, 1],
		["boots are measured: their median counts", { campaigns: [few(1_000)], fleet: { boots: [1, 120, 500] } }, 1],
		["fewer contacts than channels", { campaigns: [campaign({ due: 300, dueIsBound: false, holdSec: 300 })] }, 2],
		[
			"hosts that run are kept for what is due and in progress, be it for a second",
			{ hosts: [steady(), ...bursts(8)], campaigns: [few(1, 400)] },
			3,
		],
		[
			"… and are let go when the others can carry those",
			{ hosts: [steady(), ...bursts(8)], campaigns: [few(1, 110)] },
			0,
		],
		[
			"… and when nothing is due: for calls that are up a host may as well be drained",
			{ hosts: [steady(), ...bursts(8)], campaigns: [few(0, 400)] },
			0,
		],
		[
			"hosts that boot are not asked for again",
			{ hosts: [steady(), ...bursts(8, { state: "booting" }, { startedAt: NOW })] },
			8,
		],
		[
			"a scheduled campaign counts when hosts must be started for it",
			{ campaigns: [campaign({ startAt: NOW + 60_000 })] },
			8,
		],
		["… and not before", { campaigns: [campaign({ startAt: NOW + 61_000 })] }, 0],
		// 144 channels for 300 s: 24 more than the steady host has, which is a minute of a whole host.
		["a host for a few channels pays if they last", { campaigns: [lasting(144, 300)] }, 1],
		["… and not if they do not", { campaigns: [lasting(143, 300)] }, 0],
		["nor the last one of several", { campaigns: [lasting(143 + 240, 300)] }, 2],
		[
			"two campaigns: the host is worth what is left when the shorter one is done",
			{ campaigns: [lasting(60, 300, "a"), lasting(72, 600, "b")] },
			0,
		],
		["… and that may be enough", { campaigns: [lasting(60, 700, "a"), lasting(72, 600, "b")] }, 1],
		[
			"more is due than was counted: the counters say how much",
			{ campaigns: [{ ...lasting(143, 100), dueIsBound: true, pending: 20_000 }] },
			1,
		],
		["what waits for its time is not done meanwhile", { campaigns: [{ ...few(600), startAt: NOW + 60_000 }] }, 1],
	]);
});

describe("a deadline", () => {
	const until = (min: number, due: number, over = {}) =>
		campaign({ due, dueIsBound: true, deadline: NOW + min * 60_000, pending: due, ...over });
	table([
		["two hours for 100,000 calls: 543 channels with the margin", { campaigns: [until(121, 100_000)] }, 4],
		["one that the steady host meets needs no burst host", { campaigns: [until(600, 10_000)] }, 0],
		["one that nothing can meet takes what the caps allow", { campaigns: [until(5, 100_000)] }, 8],
		["too near for a host started now: what the caps allow", { campaigns: [until(0.9, 100_000)] }, 8],
		["one that has passed sets no limit", { campaigns: [until(-5, 100_000)] }, 8],
		[
			"retries that are due later are to be done by it too",
			{ campaigns: [until(121, 3_000, { pending: 100_000, dueIsBound: false })] },
			4,
		],
		[
			"hosts that run are given up when it does not need them",
			{ campaigns: [until(121, 30_000, { inProgress: 1_000 })], hosts: [steady(), ...bursts(8)] },
			1,
		],
		[
			"… but not as soon as it needs a little less",
			{ campaigns: [until(121, 100_000)], hosts: [steady(), ...bursts(4)] },
			4,
		],
	]);
});

describe("what is up", () => {
	table([
		["hosts count by their own capacity", { hosts: [steady(), burst(1, { cap: 500 }), burst(2, { cap: 380 })] }, 2],
		["a draining host is no capacity", { hosts: [steady(), ...bursts(7), burst(9, { state: "draining" })] }, 8],
		["a silent host is none", { hosts: [steady(), ...bursts(7), burst(8, { lastSeenAt: NOW - 40_000 })] }, 8],
		["a failed start is none", { hosts: [steady(), ...bursts(8, { state: "booting" }, { failure: "no trunk" })] }, 8],
		["a launch that was asked for is", { fleet: { intents: launch(8) } }, 8],
		[
			"a stopped host that is being started is",
			{
				hosts: [steady(), burst(1, { state: "stopped" })],
				fleet: { intents: { i: { kind: "start", hosts: ["burst-1"], startId: "s", at: NOW } } },
				campaigns: [campaign({ cap: 240 })],
			},
			1,
		],
		["a stopped host is not", { hosts: [steady(), burst(1, { state: "stopped" })] }, 8],
	]);
	const up = (over: InputOver): Decision["up"] => decided(over).decision.up;
	test("is counted once, though its intent still stands", () => {
		expect(
			up({
				hosts: [steady(), ...bursts(3, { state: "launching" }, { launchId: "intent-1" })],
				fleet: { intents: launch(5) },
			}),
		).toEqual({ onDemand: 5, spot: 0 });
	});
	test.each([
		["silent", burst(1, { lastSeenAt: NOW - 31_000 }), 0],
		["heard of just in time", burst(1, { lastSeenAt: NOW - 30_000 }), 1],
		["with all its trunks dead", burst(1, { deadTrunks: ["carrier-a"] }), 0],
		["with one of its trunks dead", burst(1, { deadTrunks: ["other"] }), 1],
		["new, with trunks that did not answer yet", burst(1, { deadTrunks: ["carrier-a"] }, { readyAt: NOW - 5_000 }), 1],
		["new, with Asterisk still starting", burst(1, { health: "asteriskDown" }, { readyAt: NOW - 5_000 }), 1],
		["with Asterisk down", burst(1, { health: "asteriskDown" }), 0],
		["to be drained by a person", burst(1, { state: "booting", drainWanted: true }), 0],
		["lost", burst(1, { state: "lost" }), 0],
		["stopping", burst(1, { state: "stopping" }), 0],
	])("a host %s", (_what, host, count) => {
		expect(up({ hosts: [steady(), host] })).toEqual({ onDemand: count, spot: 0 });
	});
	test("a host whose trunks are all dead is replaced only if another might do better", () => {
		const hosts = [steady(), burst(1, { deadTrunks: ["carrier-a"] }), burst(2, { state: "booting" })];
		expect(decided({ hosts }).decision.up).toEqual({ onDemand: 1, spot: 0 });
	});
});

describe("scaling down", () => {
	const hosts = [steady(), ...bursts(8)];
	const idle = { hosts, campaigns: [] };
	test("hosts are kept for the idle time after they were last wanted", () => {
		const recent = [
			{ at: NOW - 59_000, onDemand: 8, spot: 0 },
			{ at: NOW - 58_000, onDemand: 0, spot: 0 },
		];
		const { decision } = decided({ ...idle, fleet: { recent } });
		expect(decision.wanted).toEqual({ onDemand: 8, spot: 0 });
		expect(decision.reason).toContain("8 more are kept: wanted within the last 60 s");
	});
	test("a sample holds until the next: the last one before the idle time counts", () => {
		expect(wanted({ ...idle, fleet: { recent: [{ at: NOW - 3_600_000, onDemand: 5, spot: 0 }] } })).toBe(5);
	});
	test("after it they go", () => {
		const recent = [
			{ at: NOW - 90_000, onDemand: 8, spot: 0 },
			{ at: NOW - 60_000, onDemand: 0, spot: 0 },
		];
		expect(wanted({ ...idle, fleet: { recent } })).toBe(0);
	});
	test("a window that says more than is up starts nothing", () => {
		const recent = [{ at: NOW - 10_000, onDemand: 30, spot: 0 }];
		expect(wanted({ ...idle, fleet: { recent } })).toBe(8);
		expect(wanted({ hosts: [steady()], campaigns: [], fleet: { recent } })).toBe(0);
	});
	test("going up, what is wanted now counts at once", () => {
		expect(wanted({ fleet: { recent: [{ at: NOW - 10_000, onDemand: 0, spot: 0 }] } })).toBe(8);
	});
	test("demand that goes to and fro about a host's edge neither stops nor starts one", () => {
		const two = { hosts: [steady(), ...bursts(2)] };
		expect(wanted({ ...two, campaigns: [few(41, 200)] })).toBe(2);
		expect(wanted({ ...two, campaigns: [few(39, 200)] })).toBe(2);
		expect(wanted({ ...two, campaigns: [few(34, 200)] })).toBe(1);
		expect(wanted({ ...two, campaigns: [few(19, 100)] })).toBe(1);
		expect(wanted({ ...two, campaigns: [few(14, 100)] })).toBe(0);
	});
	test("a cap does not go to and fro: what it does not need is let go", () => {
		expect(wanted({ hosts: [steady(), ...bursts(2)], campaigns: [campaign({ cap: 240 })] })).toBe(1);
	});
	test("what is remembered is pruned, and equal samples are one", () => {
		const recent = [
			{ at: NOW - 300_000, onDemand: 1, spot: 0 },
			{ at: NOW - 200_000, onDemand: 2, spot: 0 },
			{ at: NOW - 30_000, onDemand: 8, spot: 0 },
			{ at: NOW - 20_000, onDemand: 8, spot: 0 },
		];
		expect(decided({ hosts, fleet: { recent } }).recent).toEqual([
			{ at: NOW - 200_000, onDemand: 2, spot: 0 },
			{ at: NOW - 30_000, onDemand: 8, spot: 0 },
		]);
	});
	test("a clock that went back loses nothing", () => {
		const recent = [{ at: NOW + 5_000, onDemand: 3, spot: 0 }];
		const { recent: next } = decided({ hosts, fleet: { recent } });
		expect(next).toEqual([{ at: NOW + 5_000, onDemand: 8, spot: 0 }]);
	});
});

describe("floors", () => {
	table([
		[
			"a schedule in force is wanted without any demand",
			{ campaigns: [], schedules: [schedule(4, "09:00", "11:00")] },
			4,
		],
		["demand works on top: the larger of both", { schedules: [schedule(4, "09:00", "11:00")] }, 8],
		[
			"its hosts are to be ready at its begin: they are wanted a boot earlier",
			{ campaigns: [], schedules: [schedule(4, "10:01", "11:00")] },
			4,
		],
		["… not two", { campaigns: [], schedules: [schedule(4, "10:02", "11:00")] }, 0],
		["a floor by hand", { campaigns: [], floor: { min: 3, until: NOW + 1 } }, 3],
		["… until its end", { campaigns: [], floor: { min: 3, until: NOW } }, 0],
		[
			"the larger of floors",
			{ campaigns: [], floor: { min: 5, until: NOW + 1 }, schedules: [schedule(4, "09:00", "11:00")] },
			5,
		],
		["a floor is within the limits", { campaigns: [], floor: { min: 60, until: NOW + 1 } }, 50],
	]);
	test("the decision says which", () => {
		const { decision } = decided({ campaigns: [], schedules: [schedule(4, "09:00", "11:00")] });
		expect(decision.floor).toEqual({ hosts: 4, from: "schedule peak" });
		expect(decision.reason).toBe("No campaign has calls to make. Floor of schedule peak: 4 burst hosts.");
	});
	test("and when time alone may change it", () => {
		expect(decided({ campaigns: [], schedules: [schedule(4, "10:02", "11:00")] }).nextAt).toBe(NOW + 60_000);
		expect(decided({ campaigns: [campaign({ startAt: NOW + 90_000 })] }).nextAt).toBe(NOW + 30_000);
		expect(decided({ campaigns: [] }).nextAt).toBeUndefined();
	});
});

describe("spot", () => {
	const drop = campaign({ name: "drop", allowDroppedCalls: true });
	const firm = campaign({ name: "firm", cap: 240 });
	const both = (over: InputOver) => decided(over).decision.wanted;
	test.each<[string, InputOver, Decision["wanted"]]>([
		[
			"a campaign that allows dropped calls has spot hosts",
			{ settings: spotOn, campaigns: [drop] },
			{ onDemand: 0, spot: 8 },
		],
		["… where spot is not set on-demand ones", { campaigns: [drop] }, { onDemand: 8, spot: 0 }],
		[
			"… and one that does not allow them always",
			{ settings: spotOn, campaigns: [firm], hosts: [] },
			{ onDemand: 2, spot: 0 },
		],
		[
			"both: each has what it needs",
			{ settings: spotOn, campaigns: [drop, firm], hosts: [] },
			{ onDemand: 2, spot: 9 },
		],
		[
			"room on on-demand hosts is used first",
			{
				settings: spotOn,
				campaigns: [
					{ ...drop, cap: 60 },
					{ ...firm, cap: 60 },
				],
				hosts: [],
			},
			{ onDemand: 1, spot: 0 },
		],
		[
			"on-demand hosts that are up are used before a spot host is started",
			{ settings: spotOn, campaigns: [{ ...drop, cap: 240 }], hosts: bursts(2) },
			{ onDemand: 2, spot: 0 },
		],
		[
			"going down, on-demand hosts go first where spot hosts do",
			{ settings: spotOn, campaigns: [{ ...drop, cap: 110 }], hosts: [...bursts(1), burst(2, {}, { market: "spot" })] },
			{ onDemand: 0, spot: 1 },
		],
		[
			"spot switched off: spot hosts go",
			{ campaigns: [drop], hosts: bursts(3, {}, { market: "spot" }) },
			{ onDemand: 9, spot: 0 },
		],
		[
			"a floor is of on-demand hosts",
			{ settings: spotOn, campaigns: [{ ...drop, cap: 240 }], floor: { min: 3, until: NOW + 1 } },
			{ onDemand: 2, spot: 1 },
		],
	])("%s", (_sentence, over, hosts) => expect(both(over)).toEqual(hosts));
});

describe("limits", () => {
	const set = (over: Partial<typeof SETTINGS>) => ({ settings: { ...SETTINGS, ...over } });
	const say = (over: InputOver): string => decided(over).decision.limits.join("\n");
	test.each<[string, InputOver, number, RegExp]>([
		["no launch template: the burst is off", set({ launchTemplate: "" }), 0, /burst is off.*BURST_LAUNCH_TEMPLATE/],
		["hosts at most", set({ maxHosts: 3 }), 3, /At most 3 burst hosts at once \(BURST_MAX_HOSTS\): 8 would be wanted/],
		["none at all", set({ maxHosts: 0 }), 0, /At most 0 burst hosts/],
		[
			"draining and stopping hosts count: they cost",
			{
				...set({ maxHosts: 5 }),
				hosts: [steady(), burst(1), burst(2, { state: "draining", drainBy: "spot" }), burst(3, { state: "stopping" })],
			},
			3,
			/2 that are ending/,
		],
		[
			"a drain that is taken back needs no room",
			{ ...set({ maxHosts: 3 }), hosts: [steady(), burst(1), drained(2), drained(3)] },
			3,
			/At most 3/,
		],
		["spend at most", set({ maxUsdPerHour: 0.4 }), 5, /At most \$0\.40 an hour.*one more costs \$0\.0775/],
		["nothing may be spent", set({ maxUsdPerHour: 0 }), 0, /At most \$0\.00 an hour/],
		["no type has a price", set({ types: [] }), 0, /BURST_TYPES/],
		[
			"EC2 refused",
			{ fleet: { halted: { reason: "The image is gone.", at: NOW - 1_000, until: NOW + 60_000 } } },
			0,
			/The image is gone\. Nothing is started before 2026-11-02T10:01:00Z/,
		],
		[
			"starts failed",
			{ fleet: { failed: { count: 3, notBefore: NOW + 60_000, reason: "boot deadline" } } },
			0,
			/3 starts failed one after the other \(boot deadline\)/,
		],
		[
			"a pool with fewer addresses than hosts",
			{ trunks: [trunk({ addresses: "known" })], addresses: { total: 3 } },
			3,
			/pool has 3 Elastic IPs.*520 more/,
		],
		["a trunk that needs addresses, and no pool", { trunks: [trunk({ addresses: "known" })] }, 0, /^$/],
	])("%s", (_sentence, over, hosts, words) => {
		expect(wanted(over)).toBe(hosts);
		expect(say(over)).toMatch(words);
	});
	test.each<[string, InputOver, RegExp]>([
		["throttled", { fleet: { throttledUntil: NOW + 5_000 } }, /nothing before 2026-11-02T10:00:05Z/],
		[
			"starts a minute",
			{ ...set({ maxStartsPerMin: 3 }), fleet: { starts: [NOW - 70_000, NOW - 5_000] } },
			/At most 3 starts a minute.*8 to start, 1 in the last minute/,
		],
		["a dry run", set({ dryRun: true }), /Dry run/],
	])("%s is only mentioned", (_sentence, over, words) => {
		expect(wanted(over)).toBe(8);
		expect(say(over)).toMatch(words);
	});
	test.each<[string, InputOver]>([
		["a halt that is over", { fleet: { halted: { reason: "x", at: NOW - 9_000, until: NOW } } }],
		["failed starts whose time has come", { fleet: { failed: { count: 3, notBefore: NOW, reason: "x" } } }],
		["limits that do not bind", set({ maxHosts: 8, maxUsdPerHour: 8 * HOST_USD })],
	])("%s: nothing is said", (_sentence, over) => {
		expect(wanted(over)).toBe(8);
		expect(say(over)).toBe("");
	});
	test.each<[string, InputOver]>([
		["no launch template any more", set({ launchTemplate: "" })],
		["no offering", set({ types: [] })],
		["a halt", { fleet: { halted: { reason: "x", at: NOW, until: NOW + 1_000 } } }],
		["failed starts", { fleet: { failed: { count: 1, notBefore: NOW + 1_000, reason: "x" } } }],
	])("%s: what runs usefully stays", (_sentence, over) => {
		expect(wanted({ hosts: [steady(), ...bursts(4)], ...over })).toBe(4);
	});
	test("a limit that was lowered lets hosts go, and says so", () => {
		const hosts = [steady(), ...bursts(8)];
		expect(wanted({ hosts, ...set({ maxHosts: 5 }) })).toBe(5);
		expect(say({ hosts, ...set({ maxHosts: 5 }) })).toMatch(/8 are up, the surplus finishes its calls and is stopped/);
		expect(wanted({ hosts, ...set({ maxUsdPerHour: 0.4 }) })).toBe(5);
		expect(say({ hosts, ...set({ maxUsdPerHour: 0.4 }) })).toMatch(/the surplus finishes its calls/);
	});
	test("hosts that end do not push out those that work", () => {
		const ending = Array.from({ length: 6 }, (_, i) => burst(20 + i, { state: "stopping" }));
		expect(wanted({ hosts: [steady(), ...bursts(4), ...ending], ...set({ maxHosts: 6 }) })).toBe(4);
		expect(wanted({ hosts: [steady(), ...bursts(4), ...ending], ...set({ maxUsdPerHour: 0.5 }) })).toBe(4);
	});
	test("of what cannot be had spot hosts are given up first", () => {
		const campaigns = [campaign({ name: "drop", allowDroppedCalls: true }), campaign({ name: "firm", cap: 240 })];
		const settings = { ...spotOn, maxHosts: 4 };
		expect(decided({ hosts: [], campaigns, settings }).decision.wanted).toEqual({ onDemand: 2, spot: 2 });
	});
	test("the price of what runs and of what was asked for is told", () => {
		const hosts = [steady(), burst(1), burst(2, { state: "stopping" }), burst(3, { state: "stopped" })];
		const { usdPerHour } = decided({ hosts, fleet: { intents: launch(2) } }).decision;
		expect(usdPerHour).toEqual({ now: expect.closeTo(4 * HOST_USD, 6), limit: 10 });
	});
});

describe("missing data", () => {
	const last: Decision = {
		...decided({ hosts: [steady(), ...bursts(4)] }).decision,
		wanted: { onDemand: 4, spot: 1 },
	};
	test("a demand that could not be read leaves what was decided last, and says so", () => {
		const recent = [{ at: NOW - 5_000, onDemand: 4, spot: 1 }];
		const { decision, recent: next } = decided({ demand: undefined, fleet: { decision: last, recent } });
		expect(decision.wanted).toEqual({ onDemand: 4, spot: 1 });
		expect(decision.held).toBe("The demand could not be read.");
		expect(decision.reason).toContain("What was decided before stands: 5 burst hosts.");
		expect(next).toEqual(recent);
	});
	test("without an earlier decision what is up stands", () => {
		expect(decided({ demand: undefined, hosts: bursts(2) }).decision.wanted).toEqual({ onDemand: 2, spot: 0 });
	});
	const silent = { lastSeenAt: NOW - 100_000 };
	test("hosts that fall silent together are not replaced", () => {
		const hosts = [steady(silent), ...bursts(8, silent)];
		const { decision } = decided({ hosts, fleet: { decision: last } });
		expect(decision.held).toMatch(/9 of 9 hosts .* control plane was probably away/);
		expect(decision.wanted).toEqual(last.wanted);
	});
	test("nor while the first ones are heard again", () => {
		const away = decided({ hosts: [steady(silent), ...bursts(8, silent)], fleet: { decision: last } }).decision;
		const hosts = [steady(), ...bursts(6), burst(7, silent), burst(8, silent)];
		expect(decided({ hosts, fleet: { decision: away } }).decision.held).toMatch(/2 of 9 hosts/);
		expect(decided({ hosts: [steady(), ...bursts(8)], fleet: { decision: away } }).decision.held).toBeUndefined();
	});
	test("a single silent host is replaced, and so are hosts that stay silent", () => {
		const one = [steady(), ...bursts(7), burst(8, silent)];
		expect(decided({ hosts: one }).decision).toMatchObject({ wanted: { onDemand: 8 }, up: { onDemand: 7 } });
		const long = { lastSeenAt: NOW - 301_000 };
		expect(decided({ hosts: [steady(), ...bursts(8, long)] }).decision).toMatchObject({ up: { onDemand: 0 } });
	});
});

describe("the reason", () => {
	const reason = (over: InputOver): string => decided(over).decision.reason;
	test("is one that an operator understands", () => {
		expect(reason({})).toBe(
			"Campaigns can use 1000 channels: storm (1000, its cap). The steady host carries 120; 880 more at 120 a host need 8 burst hosts.",
		);
		expect(reason({ campaigns: [] })).toBe("No campaign has calls to make.");
		expect(reason({ campaigns: [few(100)] })).toBe(
			"Campaigns can use 100 channels: storm (100, 100 contacts due). The steady host carries all of it (120 channels).",
		);
		expect(reason({ campaigns: [few(200)] })).toMatch(/80 more are not worth starting a host for/);
		expect(reason({ hosts: [steady(), ...bursts(8)], campaigns: [few(1, 400)] })).toMatch(
			/401, 1 contact due, 400 calls in progress.*281 more keep 3 burst hosts of the 8 that are up/,
		);
		expect(reason({ trunks: [trunk({ maxCps: 10 })] })).toMatch(/trunk carrier-a takes 10 calls per second/);
		expect(reason({ campaigns: [campaign({ notOnBurst: "no burst host has the sound storm" })] })).toMatch(
			/880 must wait: burst hosts cannot carry them \(no burst host has the sound storm\)/,
		);
		expect(reason({ settings: { ...SETTINGS, maxHosts: 3 } })).toMatch(
			/need 8 burst hosts\. The limits allow 3 burst hosts\.$/,
		);
		expect(reason({ hosts: [] })).toMatch(/No steady host is up; 1000 more at 120 a host need 9 burst hosts/);
		const many = ["a", "b", "c", "d", "e"].map((name) => campaign({ name, campaignId: name, cap: 10 }));
		expect(reason({ campaigns: many })).toMatch(/a \(10, its cap\), b \(10, its cap\), c \(10, its cap\) and 2 more\./);
	});
	test("says why one more would not pay", () => {
		expect(reason({ campaigns: [few(1_000)] })).toMatch(
			/276 more at 120 a host are worth 2 burst hosts: one more would have too little to do/,
		);
	});
	test("says why hosts with calls are let go", () => {
		expect(reason({ hosts: [steady(), ...bursts(8)], campaigns: [few(0, 400)] })).toMatch(
			/280 more keep no burst host: nothing more is due, or too little/,
		);
	});
	test("names the deadline that is met with fewer", () => {
		const campaigns = [campaign({ due: 100_000, pending: 100_000, deadline: NOW + 121 * 60_000 })];
		expect(reason({ campaigns })).toMatch(/enough to be done by 2026-11-02T12:01:00Z/);
	});
	test("goes with figures", () => {
		const { demand, steady: own } = decided({}).decision;
		expect(demand).toEqual({
			campaigns: [{ campaignId: "storm", name: "storm", channels: 1_000, why: "its cap" }],
			channels: 1_000,
			burstChannels: 880,
		});
		expect(own).toEqual({ hosts: 1, capacity: 120 });
	});
});

test("a decision changes nothing of what it is given", () => {
	const given = input({ hosts: [steady(), ...bursts(3)], fleet: { recent: [{ at: NOW - 1, onDemand: 1, spot: 0 }] } });
	const before = JSON.stringify(given);
	decide(given);
	expect(JSON.stringify(given)).toBe(before);
});

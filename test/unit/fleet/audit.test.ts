import { describe, expect, test } from "@jest/globals";
import { type AuditAction, audit, KEEP_TERMINATED_MS, REPEAT_STOP_MS } from "../../../shared/fleet/audit.ts";
import { type Ec2Instance, type Ec2State, hostIdOf } from "../../../shared/fleet/ec2.ts";
import type { HostState } from "../../../shared/fleet/life.ts";
import { emptyFleet } from "../../../shared/fleet/state.ts";
import type { FleetItem, HostItem, Instance, TrunkItem } from "../../../shared/store/items.ts";
import { newHost, newTrunk } from "../../support/items.ts";
import { burstSettings, START, TENANT } from "./fleet-bench.ts";

/** EC2's list against ours; pure. */

const NOW = START + 7_200_000;
const ID = "i-0123456789abcdef0";
const HOST = hostIdOf(ID);
/** Long enough ago that no list lags. */
const LONG_AGO = NOW - 120_000;

const burstHost = (state: HostState, inst: Partial<Instance> = {}, over: Partial<HostItem> = {}): HostItem => ({
	...newHost(HOST, 120, START),
	tier: "burst",
	state,
	lastSeenAt: NOW,
	...over,
	inst: {
		instanceId: ID,
		launchId: "l-0",
		type: "c7g.large",
		subnet: "subnet-a",
		market: "on-demand",
		usdPerHour: 0.075,
		imageId: "ami-1",
		account: "1",
		startId: "s-1",
		startedAt: LONG_AGO,
		...inst,
	},
});
const instance = (state: Ec2State, over: Partial<Ec2Instance> = {}): Ec2Instance => ({
	...{ instanceId: ID, state, type: "c7g.large", subnet: "subnet-a", imageId: "ami-1", account: "1" },
	...{ launchId: "l-0", launchedAt: LONG_AGO, market: "on-demand" as const },
	...over,
});
const TRUNK = newTrunk("t1", { maxChannels: 10, maxCps: 1, numbering: "private" });

interface Given {
	hosts?: HostItem[];
	instances?: Ec2Instance[];
	fleet?: Partial<FleetItem>;
	trunks?: TrunkItem[];
	now?: number;
}
const look = ({ hosts = [], instances = [], fleet = {}, trunks = [TRUNK], now = NOW }: Given) =>
	audit({ hosts, instances, trunks, now, fleet: { ...emptyFleet(TENANT), ...fleet }, settings: burstSettings() });
/** The actions in short: `move stopped`, `lost`… */
const short = (actions: AuditAction[]): string[] =>
	actions.map((action) =>
		action.kind === "move"
			? `move ${action.to}`
			: action.kind === "stopAgain"
				? `stopAgain ${action.end}`
				: action.kind,
	);
const found = (host: HostItem, ec2: Ec2State | undefined, given: Given = {}) =>
	short(look({ hosts: [host], instances: ec2 ? [instance(ec2)] : [], ...given }).actions);

describe("what a list says right after a start is not believed, but that an instance is terminated", () => {
	const fresh = { startedAt: NOW - 29_000 };
	test.each<[HostState, Ec2State | undefined]>([
		["launching", "stopped"],
		["launching", undefined],
		["booting", "stopped"],
		["active", "stopped"],
		["active", undefined],
		["drained", "stopped"],
		["stopping", "stopped"],
	])("%s, EC2 says %s", (state, ec2) => {
		expect(found(burstHost(state, { ...fresh, stopAt: NOW, end: "stop" }), ec2)).toEqual([]);
	});
	test.each<[HostState, Ec2State, string]>([
		["launching", "terminated", "move terminated"],
		["booting", "terminated", "move terminated"],
		["active", "terminated", "lost"],
		["draining", "shutting-down", "lost"],
	])("%s, EC2 says %s: %s", (state, ec2, action) => {
		expect(found(burstHost(state, fresh), ec2)).toEqual([action]);
	});
});

describe("what a list says later", () => {
	test.each<[HostState, Ec2State, string[]]>([
		["launching", "pending", []],
		["launching", "running", ["move booting"]],
		["launching", "stopped", ["move stopped"]],
		["booting", "running", []],
		["booting", "stopping", []],
		["active", "running", []],
		["active", "stopping", []],
		["active", "stopped", ["lost"]],
		["draining", "stopped", ["lost"]],
		["drained", "stopped", ["move stopped"]],
		["drained", "terminated", ["move terminated"]],
		["drained", "shutting-down", []],
		["stopped", "stopped", []],
		["stopped", "terminated", ["move terminated"]],
		["lost", "terminated", []],
		["recovered", "running", []],
		["recovered", "terminated", ["move terminated"]],
		["terminated", "terminated", []],
	])("%s, EC2 says %s: %j", (state, ec2, actions) => {
		expect(found(burstHost(state, { stopAt: NOW - 60_000 }), ec2)).toEqual(actions);
	});
});

test("EC2 is asked again to stop what runs on, after a while", () => {
	const asked = (ms: number, end: "stop" | "terminate", ec2: Ec2State) =>
		found(burstHost("stopping", { stopAt: NOW - ms, end }), ec2);
	expect(asked(REPEAT_STOP_MS - 1, "stop", "running")).toEqual([]);
	expect(asked(REPEAT_STOP_MS, "stop", "running")).toEqual(["stopAgain stop"]);
	expect(asked(REPEAT_STOP_MS, "stop", "stopping")).toEqual([]);
	expect(asked(REPEAT_STOP_MS, "terminate", "stopped")).toEqual(["stopAgain terminate"]);
	expect(asked(REPEAT_STOP_MS, "terminate", "shutting-down")).toEqual([]);
	expect(asked(0, "stop", "stopped")).toEqual(["move stopped"]);
});

test("a ghost needs two sightings, far enough apart; seen again it is none", () => {
	const host = burstHost("active");
	const first = look({ hosts: [host] });
	expect(first.actions).toEqual([]);
	expect(first.memory.ghosts).toEqual({ [HOST]: NOW });
	const ghosts = first.memory.ghosts;
	expect(look({ hosts: [host], fleet: { ghosts }, now: NOW + 29_999 }).actions).toEqual([]);
	expect(look({ hosts: [host], fleet: { ghosts }, now: NOW + 29_999 }).memory.ghosts).toEqual(ghosts);
	expect(short(look({ hosts: [host], fleet: { ghosts }, now: NOW + 30_000 }).actions)).toEqual(["lost"]);
	expect(look({ hosts: [host], instances: [instance("running")], fleet: { ghosts } }).memory.ghosts).toEqual({});
	for (const state of ["stopped", "stopping", "recovered", "drained"] as const)
		expect(short(look({ hosts: [burstHost(state)], fleet: { ghosts }, now: NOW + 30_000 }).actions)).toEqual([
			"move terminated",
		]);
});

test("instances without a host: ours are adopted, strangers stopped at the second sighting", () => {
	const intents: FleetItem["intents"] = { "l-7": { kind: "launch", offering: "o", count: 1, at: NOW } };
	const of = (over: Partial<Ec2Instance>, fleet: Partial<FleetItem> = {}, now = NOW) =>
		look({
			instances: [instance(over.state ?? "running", { instanceId: "i-9", ...over })],
			fleet: { intents, ...fleet },
			now,
		});
	expect(short(of({ launchId: "l-7" }).actions)).toEqual(["adopt"]);
	expect(short(of({ launchId: "l-7", state: "stopped" }).actions)).toEqual(["adopt"]);
	expect(of({ launchId: "l-7", state: "terminated" }).actions).toEqual([]);
	expect(of({ launchId: "l-8" }).memory.strangers).toEqual({ "i-9": NOW });
	expect(of({ launchId: "l-8" }).actions).toEqual([]);
	const strangers = { "i-9": NOW - 30_000 };
	expect(short(of({ launchId: "l-8" }, { strangers }).actions)).toEqual(["stopStranger"]);
	expect(of({ launchId: "l-8", state: "stopped" }, { strangers }).actions).toEqual([]);
	expect(of({ launchId: "l-8" }, { strangers: { "i-9": NOW - 29_999 } }).actions).toEqual([]);
	// An id of a start intent is no launch.
	const starts: FleetItem["intents"] = { "l-8": { kind: "start", hosts: ["x"], startId: "s", at: NOW } };
	expect(of({ launchId: "l-8" }, { intents: starts }).memory.strangers).toEqual({ "i-9": NOW });
	// A sister of a known host.
	const sister = look({
		hosts: [burstHost("active")],
		instances: [instance("running"), instance("pending", { instanceId: "i-9" })],
	});
	expect(short(sister.actions)).toEqual(["adopt"]);
});

test("a start: its deadline, and hosts that an open intent is about to start have none", () => {
	const late = { startedAt: NOW - 300_001 };
	for (const state of ["launching", "booting"] as const) {
		const { actions, memory } = look({ hosts: [burstHost(state, late)], instances: [instance("running")] });
		expect(actions).toMatchObject([
			{ kind: "move", to: "stopping", end: "terminate", failure: expect.stringContaining("300 s") },
		]);
		expect(memory.failed).toMatchObject({ count: 1, notBefore: NOW + 15_000, counted: [`${HOST}/s-1`] });
	}
	expect(found(burstHost("booting", { startedAt: NOW - 300_000 }), "running")).toEqual([]);
	const intents: FleetItem["intents"] = { x: { kind: "start", hosts: [HOST], startId: "s-1", at: NOW } };
	expect(found(burstHost("launching", late), "stopped", { fleet: { intents } })).toEqual([]);
	expect(found(burstHost("stopped"), "running", { fleet: { intents, strangers: { [ID]: 1 } } })).toEqual([]);
	// Another start of it is not meant.
	const other: FleetItem["intents"] = { x: { kind: "start", hosts: [HOST], startId: "s-0", at: NOW } };
	expect(found(burstHost("launching", late), "stopped", { fleet: { intents: other } })).toEqual(["move stopped"]);
});

test("channels of a host whose instance is off are released, while it may run they are not", () => {
	const loss = { n: { c1: 3 }, until: NOW + 3_600_000 };
	const trunks = [{ ...TRUNK, z: { [`${HOST}#4`]: loss, [`${HOST}0#4`]: loss } }];
	const of = (state: HostState, ec2: Ec2State | undefined) => found(burstHost(state, { stopAt: NOW }), ec2, { trunks });
	expect(of("terminated", undefined)).toEqual(["release"]);
	expect(of("stopped", "stopped")).toEqual(["release"]);
	expect(of("recovered", "stopped")).toEqual(["release"]);
	expect(of("stopping", "terminated")).toEqual(["move terminated", "release"]);
	for (const [state, ec2] of [
		["recovered", "running"],
		["recovered", "shutting-down"],
		["lost", "terminated"],
		["stopping", "running"],
		["active", "running"],
	] as const)
		expect([state, ...of(state, ec2)]).toEqual([state]);
	expect(
		found(burstHost("terminated", { stopAt: NOW }), undefined, { trunks: [{ ...TRUNK, z: { [`${HOST}0#4`]: loss } }] }),
	).toEqual([]);
});

test("a terminated host is kept for an hour; one that lives after all is ended", () => {
	const of = (ms: number, ec2: Ec2State | undefined) => found(burstHost("terminated", { stopAt: NOW - ms }), ec2);
	expect(of(KEEP_TERMINATED_MS - 1, "terminated")).toEqual([]);
	expect(of(KEEP_TERMINATED_MS, "terminated")).toEqual(["remove"]);
	expect(of(KEEP_TERMINATED_MS, undefined)).toEqual(["remove"]);
	expect(of(KEEP_TERMINATED_MS, "running")).toEqual(["stopAgain terminate"]);
	expect(of(1_000, "running")).toEqual([]);
});

test("what failed is forgotten when a host that came after it is of use", () => {
	const failed = { count: 3, notBefore: NOW + 1, reason: "x", at: NOW - 90_000 };
	const of = (readyAt: number, over: Partial<HostItem> = {}, state: HostState = "active") =>
		look({
			hosts: [burstHost(state, { readyAt }, { deadTrunks: [], ...over })],
			instances: [instance("running")],
			fleet: { failed },
		}).memory.failed.count;
	expect(of(NOW - 89_000)).toBe(0);
	expect(of(NOW - 91_000)).toBe(3);
	// It may not have said yet that it is of none.
	expect(of(NOW - 60_000)).toBe(0);
	expect(of(NOW - 59_000)).toBe(3);
	expect(of(NOW - 89_000, { deadTrunks: ["t1"] })).toBe(3);
	expect(of(NOW - 89_000, { health: "asteriskDown" })).toBe(3);
	expect(of(NOW - 89_000, {}, "draining")).toBe(3);
});

test("what the carrier was to blame for is forgotten when any steady host reaches it again; a fault of the starts is not", () => {
	const steady = (hostId: string, deadTrunks: string[]): HostItem => ({
		...newHost(hostId, 10, START),
		state: "active",
		deadTrunks,
	});
	const burst = burstHost("active", { readyAt: LONG_AGO }, { deadTrunks: ["t1"] });
	const failedOf = (hosts: HostItem[], fleet: Partial<FleetItem> = {}) =>
		look({ hosts, instances: [instance("running")], fleet: { noTrunk: { [HOST]: LONG_AGO }, ...fleet } }).memory.failed;
	expect(failedOf([burst]).trunks).toBeUndefined();
	expect(failedOf([burst, steady("h1", ["t1"]), steady("h2", [])]).trunks).toBeUndefined();
	const carriers = failedOf([burst, steady("h1", ["t1"]), steady("h2", ["t1"])]);
	expect(carriers).toMatchObject({ count: 1, trunks: ["t1"] });
	expect(failedOf([steady("h1", ["t1"])], { failed: carriers }).count).toBe(1);
	expect(failedOf([steady("h1", [])], { failed: carriers })).toMatchObject({ count: 0, notBefore: 0 });
	// The next failure was of another kind: that one does not pass with the carrier.
	const both = failedOf([burstHost("active", { failure: "enrolled twice", startId: "s-2" })], { failed: carriers });
	expect(both.count).toBe(2);
	expect(failedOf([steady("h1", [])], { failed: both }).count).toBe(2);
});

test("steady hosts and hosts without an instance are none of its business", () => {
	expect(look({ hosts: [{ ...newHost("h1", 10, START), state: "active" }] }).actions).toEqual([]);
});

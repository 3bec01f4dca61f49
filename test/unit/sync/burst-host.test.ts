import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Deps } from "../../../shared/deps.ts";
import { HOST_STATES } from "../../../shared/fleet/life.ts";
import { parseSyncRequest } from "../../../shared/hosts/parse-sync.ts";
import { jsonLog, type Log } from "../../../shared/log.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { HostItem, Instance, TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { newHost } from "../../support/items.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/** What a burst host's hello and syncs have that a steady host's have not. */

const B1 = { tenant: TENANT, hostId: "burst-1" };
let now: number;
let deps: Deps;
let lines: Record<string, unknown>[];

beforeEach(async () => {
	now = 1_700_000_000_000;
	lines = [];
	const log: Log = jsonLog((line) => lines.push(JSON.parse(line) as Record<string, unknown>));
	const dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	deps = testDeps(dynamo.client(), () => now, { log });
	await putTrunk(deps, "t1", 20);
});

const instance = (over: Partial<Instance> = {}): Instance => ({
	instanceId: "i-1",
	launchId: "launch-1",
	type: "c7g.large",
	subnet: "subnet-a",
	market: "on-demand",
	usdPerHour: 0.1,
	imageId: "ami-1",
	account: "123456789012",
	startId: "start-1",
	startedAt: now - 40_000,
	enrolledStart: "start-1",
	...over,
});
const putBurst = async (over: Partial<HostItem> = {}, inst: Partial<Instance> = {}): Promise<void> => {
	const item: HostItem = {
		...newHost(B1.hostId, 10, now),
		tier: "burst",
		state: "booting",
		inst: instance(inst),
		...over,
	};
	await deps.db.send(new PutCommand({ TableName: deps.tables.hosts, Item: item }));
};
const hostItem = () => getItem<HostItem>(deps.db, deps.tables.hosts, B1);
const trunkItem = () => getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: TENANT, trunkId: "t1" });
const changeTrunk = async (over: Partial<TrunkItem["trunk"]>): Promise<void> => {
	const item = await trunkItem();
	if (!item) throw new Error("no trunk");
	await deps.db.send(
		new PutCommand({ TableName: deps.tables.trunks, Item: { ...item, trunk: { ...item.trunk, ...over } } }),
	);
};
const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => "ok",
		(error: { code?: string; status?: number }) => `${error.status} ${error.code}`,
	);

describe("hello", () => {
	test("of an enrolled start makes the host active, notes the moment and says how long it took", async () => {
		await putBurst();
		expect(await hello(deps, B1, { nonce: "nonce-0001" })).toMatchObject({ epoch: 1 });
		expect(await hostItem()).toMatchObject({ state: "active", epoch: 1, inst: { readyAt: now } });
		expect(lines.find(({ event }) => event === "host.ready")).toMatchObject({ hostId: B1.hostId, seconds: 40 });
		now += 5_000;
		// A repeat is the same hello: the moment stays.
		expect(await hello(deps, B1, { nonce: "nonce-0001" })).toMatchObject({ epoch: 1 });
		expect((await hostItem())?.inst?.readyAt).toBe(now - 5_000);
	});

	test("of a start with an epoch of an earlier start begins the next one, without what was left of a drain", async () => {
		await putBurst({ epoch: 4, seq: 17, drainAt: 1, drainBy: "fleet", drainUntil: 2, quiet: 2, live: 3 });
		await hello(deps, B1, { nonce: "nonce-0001" });
		const item = await hostItem();
		expect(item).toMatchObject({ state: "active", epoch: 5, seq: 0 });
		for (const field of ["drainAt", "drainBy", "drainUntil", "quiet"]) expect(item?.[field]).toBeUndefined();
	});

	test.each([
		["whose start is not enrolled", {}, { enrolledStart: "start-0" }],
		["that was never enrolled", {}, { enrolledStart: undefined as unknown as string }],
		["whose start has failed", {}, { failure: "enrolled twice" }],
	])("of a booting host %s is to wait", async (_what, over, inst) => {
		await putBurst(over, inst);
		expect(await codeOf(hello(deps, B1, { nonce: "nonce-0001" }))).toBe("409 wait");
		expect(await hostItem()).toMatchObject({ state: "booting", epoch: 0 });
	});

	const begins = ["new", "booting", "recovered", "drained"];
	test.each(HOST_STATES)("in the state %s", async (state) => {
		await putBurst({ state, epoch: 3, seq: 5, boot: "nonce-0000" });
		const code = await codeOf(hello(deps, B1, { nonce: "nonce-0001" }));
		expect(code).toBe(begins.includes(state) ? "ok" : "409 wait");
		expect((await hostItem())?.epoch).toBe(begins.includes(state) ? 4 : 3);
		const isReady = lines.some(({ event }) => event === "host.ready");
		expect(isReady).toBe(state === "booting");
	});

	test("a host that is wanted drained comes up draining", async () => {
		await putBurst({ drainWanted: true });
		await hello(deps, B1, { nonce: "nonce-0001" });
		expect(await hostItem()).toMatchObject({ state: "draining", drainBy: "operator", drainAt: now });
	});
});

describe("trunks that do not answer the host", () => {
	test("are kept from hello and from syncs that say so, and only those that there are", async () => {
		await putBurst();
		await hello(deps, B1, { nonce: "nonce-0001", trunks: { t1: "down", other: "down" } });
		expect((await hostItem())?.deadTrunks).toEqual(["t1"]);
		await sync(deps, B1, syncRequest(1, 1));
		expect((await hostItem())?.deadTrunks).toEqual(["t1"]);
		await sync(deps, B1, syncRequest(1, 2, { trunks: { t1: "up" }, state: "asteriskDown" }));
		expect(await hostItem()).toMatchObject({ deadTrunks: [], health: "asteriskDown" });
		await sync(deps, B1, syncRequest(1, 3, { trunks: { t1: "down" } }));
		expect(await hostItem()).toMatchObject({ deadTrunks: ["t1"], health: "up" });
	});

	test("bring no call, no slot and no work, from the very sync on that says it; calls held there are not hindered", async () => {
		await putCampaign(deps, 9, { trunk: "t1", maxChannels: 8 });
		await putBurst();
		await hello(deps, B1, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, B1, syncRequest(1, 1, { want: 2, slots: { t1: 2 } }));
		expect(calls).toHaveLength(2);
		const down = await sync(
			deps,
			B1,
			syncRequest(1, 2, { want: 8, slots: { t1: 4 }, live: 2, low: 1, trunks: { t1: "down" } }),
		);
		expect(down).toMatchObject({ calls: [], slots: {}, share: { t1: 2 } });
		const completed = calls.map(({ callId }) => ({ callId, outcome: "answered" as const }));
		await sync(deps, B1, syncRequest(1, 3, { completed }));
		expect((await trunkItem())?.free).toBe(20);
		expect((await peek(deps, B1)).work).toBe(false);
		const up = await sync(deps, B1, syncRequest(1, 4, { want: 3, trunks: { t1: "up" } }));
		expect(up.calls).toHaveLength(3);
	});

	test("what is said of them unreadably never blocks the report", () => {
		const body = { ...syncRequest(1, 1), trunks: { t1: "down", "not a name!": "up", t2: "sideways" } };
		const parsed = parseSyncRequest(body);
		expect(parsed.request.trunks).toEqual({ t1: "down" });
		expect(parsed.mended).toHaveLength(2);
		expect(parseSyncRequest({ ...syncRequest(1, 1), trunks: "all down" }).request.trunks).toBeUndefined();
	});
});

describe("a burst host is granted nothing", () => {
	test("on a trunk whose carrier must know its address, before it has a known one", async () => {
		await putCampaign(deps, 9, { trunk: "t1", maxChannels: 8 });
		await changeTrunk({ addresses: "known" });
		await putBurst();
		await hello(deps, B1, { nonce: "nonce-0001" });
		expect((await peek(deps, B1)).work).toBe(false);
		expect(await sync(deps, B1, syncRequest(1, 1, { want: 2, slots: { t1: 2 } }))).toMatchObject({
			calls: [],
			slots: {},
		});
		const item = await hostItem();
		const known = { ...item, inst: { ...item?.inst, publicAddress: "198.51.100.7" } };
		await deps.db.send(new PutCommand({ TableName: deps.tables.hosts, Item: known }));
		expect((await peek(deps, B1)).work).toBe(true);
		expect((await sync(deps, B1, syncRequest(1, 2, { want: 2 }))).calls).toHaveLength(2);
	});

	test("of campaigns that do not allow dropped calls, on a spot instance", async () => {
		await putCampaign(deps, 4, { trunk: "t1", maxChannels: 8, name: "dear" });
		await putBurst({}, { market: "spot" });
		await hello(deps, B1, { nonce: "nonce-0001" });
		expect((await peek(deps, B1)).work).toBe(false);
		expect((await sync(deps, B1, syncRequest(1, 1, { want: 4 }))).calls).toEqual([]);
		now++;
		const cheap = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8, name: "chea", allowDroppedCalls: true });
		now++;
		expect((await peek(deps, B1)).work).toBe(true);
		const { calls } = await sync(deps, B1, syncRequest(1, 2, { want: 9 }));
		expect(calls.map(({ campaignId }) => campaignId)).toEqual(Array(3).fill(cheap.campaignId));
	});
});

describe("a host whose instance is off", () => {
	const gone = (over: Partial<HostItem> = {}) => putBurst({ state: "stopped", epoch: 1, lastSeenAt: now, ...over });
	const putShare = async (e: number): Promise<string> => {
		const { campaignId } = await putCampaign(deps, 4, { trunk: "t1", maxChannels: 8 });
		const item = await trunkItem();
		const entry = { e, s: 3, n: { [campaignId]: 2 }, at: 0, k: 0, gap: 0, valid: 0 };
		const c = { [campaignId]: { cap: 8, free: 6 } };
		await deps.db.send(
			new PutCommand({ TableName: deps.tables.trunks, Item: { ...item, free: 18, c, a: { [B1.hostId]: entry } } }),
		);
		return campaignId;
	};

	test("leaves them only a minute after it was told to stop", async () => {
		await putShare(1);
		await gone({ lastSeenAt: now - 600_000, inst: instance({ stopAt: now - 60_000 }) });
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(18);
		now += 1;
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(20);
	});

	test("leaves the trunks when no sync of it can be under way; a share that was left is given back", async () => {
		const campaignId = await putShare(1);
		await gone();
		now += 60_000;
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.a[B1.hostId]).toBeDefined();
		now += 1;
		await recoverHosts(deps, TENANT);
		expect(await trunkItem()).toMatchObject({ free: 20, a: {}, c: { [campaignId]: { cap: 8, free: 8 } } });
	});

	test("keeps its share where it has been started again meanwhile", async () => {
		await putShare(2);
		await gone({ lastSeenAt: now - 100_000 });
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(18);
	});

	test("keeps its share while it is at work", async () => {
		await putShare(1);
		await gone({ state: "active", lastSeenAt: now });
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(18);
	});
});

import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { QueueMessage } from "../../../shared/contacts/ports.ts";
import type { Deps } from "../../../shared/deps.ts";
import { markHost, moveHost, NO_DRAIN } from "../../../shared/fleet/moves.ts";
import { readFleet, setDrain } from "../../../shared/hosts/hosts.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { HostItem, TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

const H1 = { tenant: TENANT, hostId: "h1" };
const H2 = { tenant: TENANT, hostId: "h2" };
let now: number;
let dynamo: MemoryDynamo;
let deps: Deps;
let sent: { queue: string; body: QueueMessage["body"] }[];

const withClient = (client: Deps["db"]): Deps =>
	testDeps(client, () => now, {
		queues: {
			send: async (queue, messages) => {
				for (const { body } of messages) sent.push({ queue, body });
			},
		},
	});
beforeEach(async () => {
	now = 1_700_000_000_000;
	sent = [];
	dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	deps = withClient(dynamo.client());
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await putHost(deps, "h2", 10);
});

const hostItem = async (hostId = "h1"): Promise<HostItem> => {
	const item = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: TENANT, hostId });
	if (!item) throw new Error(`no host ${hostId}`);
	return item;
};
const trunkItem = () => getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: TENANT, trunkId: "t1" });
const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => "ok",
		(error: { code?: string }) => error.code,
	);
/** A client that stops before the first statement that matches, until it is let go on. */
const stopping = (test: (statement: { name: string; input: Record<string, unknown> }) => boolean) => {
	let open: () => void = () => {};
	let reached: () => void = () => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	const atGate = new Promise<void>((resolve) => {
		reached = resolve;
	});
	const client = dynamo.client({
		before: (statement) => {
			if (!test(statement)) return undefined;
			reached();
			return opened;
		},
	});
	return { deps: withClient(client), atGate, open };
};
const isCommit = ({ name, input }: { name: string; input: Record<string, unknown> }): boolean =>
	name === "Update" && input["TableName"] === "hosts" && String(input["ConditionExpression"]).includes(":before");

const draining = async (): Promise<number> => {
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	await setDrain(deps, TENANT, "h1", true);
	return epoch;
};
/** Syncs until the host is drained; the seq of the last sync. */
const drained = async (): Promise<{ epoch: number; seq: number }> => {
	const epoch = await draining();
	await sync(deps, H1, syncRequest(epoch, 1));
	await sync(deps, H1, syncRequest(epoch, 2));
	expect((await hostItem()).state).toBe("drained");
	return { epoch, seq: 2 };
};

describe("a drain", () => {
	test("ends with two quiet syncs; the host is told so and granted nothing", async () => {
		await putCampaign(deps, 5, { trunk: "t1", maxChannels: 8 });
		const epoch = await draining();
		expect(await hostItem()).toMatchObject({ state: "draining", drainBy: "operator", drainAt: now, drainWanted: true });
		expect(await peek(deps, H1)).toMatchObject({ work: true, drain: true });
		const first = await sync(deps, H1, syncRequest(epoch, 1, { want: 10, slots: { t1: 5 } }));
		expect(first).toMatchObject({ drain: true, calls: [], slots: {} });
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 1 });
		expect(await peek(deps, H1)).toMatchObject({ work: true, drain: true });
		expect(await sync(deps, H1, syncRequest(epoch, 2, { want: 10 }))).toMatchObject({ drain: true, calls: [] });
		expect((await hostItem()).state).toBe("drained");
		expect(await peek(deps, H1)).toMatchObject({ work: false, drain: true });
		expect(await sync(deps, H1, syncRequest(epoch, 3, { want: 10 }))).toMatchObject({ drain: true, calls: [] });
		expect((await hostItem()).state).toBe("drained");
		expect(sent).toEqual([]);
	});

	test("of a burst host asks for a look at the fleet once it is over", async () => {
		await markHost(deps, await hostItem(), { tier: "burst" });
		await drained();
		expect(sent).toEqual([{ queue: "fleet", body: { tenant: TENANT, why: "h1 is drained" } }]);
	});

	test.each([
		["a live channel", { live: 1 }],
		["a report", { completed: [{ callId: "nonsense", outcome: "busy" as const }] }],
		["a return", { returned: ["nonsense"] }],
		["a call of an earlier epoch", { earlier: ["any"] }],
	])("goes on with %s, and counts anew", async (_what, over) => {
		const epoch = await draining();
		await sync(deps, H1, syncRequest(epoch, 1, { earlier: [] }));
		await sync(deps, H1, syncRequest(epoch, 2, { earlier: [], ...over }));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 0 });
		await sync(deps, H1, syncRequest(epoch, 3, { earlier: [] }));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 1 });
	});

	test("goes on while a call is held that the host does not name, and ends when it has settled it", async () => {
		await putCampaign(deps, 1, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, H1, syncRequest(epoch, 1, { want: 1 }));
		await setDrain(deps, TENANT, "h1", true);
		for (let seq = 2; seq <= 4; seq++) await sync(deps, H1, syncRequest(epoch, seq, { low: 1 }));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 0 });
		const completed = calls.map(({ callId }) => ({ callId, outcome: "answered" as const }));
		await sync(deps, H1, syncRequest(epoch, 5, { completed }));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 0 });
		await sync(deps, H1, syncRequest(epoch, 6));
		await sync(deps, H1, syncRequest(epoch, 7));
		expect((await hostItem()).state).toBe("drained");
		expect((await trunkItem())?.free).toBe(20);
	});

	test("goes on while channels of the host's last loss may be up, unless the host says that they are not", async () => {
		await putCampaign(deps, 1, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		await sync(deps, H1, syncRequest(epoch, 1, { want: 1 }));
		await setDrain(deps, TENANT, "h1", true);
		for (let i = 0; i < 3; i++) {
			await recoverHosts(deps, TENANT);
			now += 20_000;
		}
		expect(await hostItem()).toMatchObject({ state: "recovered", drainWanted: true });
		const again = await hello(deps, H1, { nonce: "nonce-0002" });
		expect(await hostItem()).toMatchObject({ state: "draining", drainBy: "operator" });
		for (const seq of [1, 2, 3]) await sync(deps, H1, syncRequest(again.epoch, seq));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 0 });
		for (const seq of [4, 5]) await sync(deps, H1, syncRequest(again.epoch, seq, { earlier: [] }));
		expect((await hostItem()).state).toBe("drained");
	});

	test("a repeat counts once, and of twins one", async () => {
		const epoch = await draining();
		for (let i = 0; i < 3; i++) await sync(deps, H1, syncRequest(epoch, 1));
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 1, seq: 1 });
		const twin = stopping(isCommit);
		const slow = sync(twin.deps, H1, syncRequest(epoch, 2));
		await twin.atGate;
		const answer = await sync(deps, H1, syncRequest(epoch, 2));
		expect(await hostItem()).toMatchObject({ state: "drained", quiet: 2, seq: 2 });
		twin.open();
		expect({ ...(await slow), now: 0 }).toEqual({ ...answer, now: 0 });
		expect(await hostItem()).toMatchObject({ state: "drained", quiet: 2, seq: 2 });
	});

	test("the answer of the last sync is lost: its repeat is answered by the drained host", async () => {
		const { epoch, seq } = await drained();
		expect(await sync(deps, H1, syncRequest(epoch, seq))).toMatchObject({ seq, drain: true, calls: [] });
		expect((await hostItem()).state).toBe("drained");
	});

	test("a drained host that falls silent is not lost: it holds nothing", async () => {
		await drained();
		for (let i = 0; i < 5; i++) {
			await recoverHosts(deps, TENANT);
			now += 20_000;
		}
		expect((await hostItem()).state).toBe("drained");
	});

	test("that begins while a sync claims takes the claims back and counts the sync once", async () => {
		const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const gate = stopping(isCommit);
		const slow = sync(gate.deps, H1, syncRequest(epoch, 1, { want: 3 }));
		await gate.atGate;
		await setDrain(deps, TENANT, "h1", true);
		gate.open();
		expect((await slow).calls).toEqual([]);
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 1 });
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ pending: 3, inProgress: 0 });
		// The share that the claims had taken goes back with the next sync.
		await sync(deps, H1, syncRequest(epoch, 2));
		expect((await hostItem()).state).toBe("drained");
		expect((await trunkItem())?.free).toBe(20);
	});
});

describe("a drain that is taken back", () => {
	test("makes a drained host active, which is granted calls again", async () => {
		await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await drained();
		expect(await setDrain(deps, TENANT, "h1", false)).toMatchObject({ state: "active", drainWanted: false });
		const item = await hostItem();
		for (const field of ["quiet", "drainAt", "drainBy", "drainUntil", "drainWanted"])
			expect(item[field]).toBeUndefined();
		expect((await sync(deps, H1, syncRequest(epoch, 3, { want: 2 }))).calls).toHaveLength(2);
	});

	test("just before the second quiet sync is committed: the host is active and nothing is counted", async () => {
		const epoch = await draining();
		await sync(deps, H1, syncRequest(epoch, 1));
		const gate = stopping(isCommit);
		const slow = sync(gate.deps, H1, syncRequest(epoch, 2));
		await gate.atGate;
		await setDrain(deps, TENANT, "h1", false);
		gate.open();
		expect((await slow).drain).toBe(false);
		const item = await hostItem();
		expect(item).toMatchObject({ state: "active", seq: 2 });
		expect(item.quiet).toBeUndefined();
	});

	test("just after: the drained host becomes active", async () => {
		const epoch = await draining();
		await sync(deps, H1, syncRequest(epoch, 1));
		const gate = stopping(
			({ name, input }) =>
				name === "Update" &&
				input["TableName"] === "hosts" &&
				!String(input["ConditionExpression"]).includes(":before"),
		);
		const undrain = setDrain(gate.deps, TENANT, "h1", false);
		await gate.atGate;
		await sync(deps, H1, syncRequest(epoch, 2));
		expect((await hostItem()).state).toBe("drained");
		gate.open();
		await undrain;
		expect((await hostItem()).state).toBe("active");
	});

	test("and begun again under a sync: it counts anew", async () => {
		const epoch = await draining();
		await sync(deps, H1, syncRequest(epoch, 1));
		const gate = stopping(isCommit);
		const slow = sync(gate.deps, H1, syncRequest(epoch, 2));
		await gate.atGate;
		await setDrain(deps, TENANT, "h1", false);
		await setDrain(deps, TENANT, "h1", true);
		gate.open();
		await slow;
		expect(await hostItem()).toMatchObject({ state: "draining", quiet: 1, seq: 2 });
	});

	test("by the fleet, when an operator has taken it over meanwhile, stays", async () => {
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const fleets = await moveHost(
			deps,
			await hostItem(),
			"draining",
			{ drainAt: now, drainBy: "fleet", drainUntil: now + 60_000, quiet: undefined },
			"not needed",
		);
		if (!fleets) throw new Error("not drained");
		await setDrain(deps, TENANT, "h1", true);
		expect(await moveHost(deps, fleets, "active", NO_DRAIN, "needed again")).toBeUndefined();
		const item = await hostItem();
		expect(item).toMatchObject({ state: "draining", drainBy: "operator", drainAt: now });
		expect(item.drainUntil).toBeUndefined();
		expect((await sync(deps, H1, syncRequest(epoch, 1))).drain).toBe(true);
	});

	test("by an operator is refused where EC2 takes the instance away", async () => {
		await hello(deps, H1, { nonce: "nonce-0001" });
		const until = { drainAt: now, drainBy: "spot", drainUntil: now + 120_000 } as const;
		await moveHost(deps, await hostItem(), "draining", until, "spot interruption");
		expect(await codeOf(setDrain(deps, TENANT, "h1", false))).toBe("spotInterruption");
		await setDrain(deps, TENANT, "h1", true);
		expect(await hostItem()).toMatchObject({ state: "draining", drainBy: "spot", drainUntil: now + 120_000 });
	});
});

describe("hello of a drained host", () => {
	test("begins an epoch in which it drains on", async () => {
		const { epoch } = await drained();
		now += 5_000;
		const again = await hello(deps, H1, { nonce: "nonce-0002" });
		expect(again.epoch).toBe(epoch + 1);
		const item = await hostItem();
		expect(item).toMatchObject({ state: "draining", drainBy: "operator", drainAt: now - 5_000, seq: 0 });
		expect(item.quiet).toBeUndefined();
		expect(await codeOf(sync(deps, H1, syncRequest(epoch, 3)))).toBe("staleEpoch");
		await sync(deps, H1, syncRequest(again.epoch, 1));
		expect((await hostItem()).state).toBe("draining");
		await sync(deps, H1, syncRequest(again.epoch, 2));
		expect((await hostItem()).state).toBe("drained");
	});

	test("that was sent before its epoch and comes late ends nothing", async () => {
		const { epoch } = await drained();
		expect(await codeOf(hello(deps, H1, { nonce: "nonce-0001" }))).toBe("wait");
		expect(await hostItem()).toMatchObject({ state: "drained", epoch });
	});

	test("whose drain is taken back between its read and its write waits, and is active then", async () => {
		await drained();
		await setDrain(deps, TENANT, "h1", false);
		await setDrain(deps, TENANT, "h1", true);
		// Lost and recovered: then a drain is a mark, and taking it back changes no state.
		for (let i = 0; i < 3; i++) {
			await recoverHosts(deps, TENANT);
			now += 20_000;
		}
		expect(await hostItem()).toMatchObject({ state: "recovered", drainWanted: true });
		const gate = stopping(({ name, input }) => name === "Update" && input["TableName"] === "hosts");
		const slow = codeOf(hello(gate.deps, H1, { nonce: "nonce-0002" }));
		await gate.atGate;
		await setDrain(deps, TENANT, "h1", false);
		gate.open();
		expect(await slow).toBe("wait");
		await hello(deps, H1, { nonce: "nonce-0002" });
		expect((await hostItem()).state).toBe("active");
	});
});

describe("after a drain's deadline", () => {
	const setUntil = async (until: number): Promise<void> => {
		const host = await hostItem();
		const drain = { drainAt: now, drainBy: "fleet", drainUntil: until, quiet: undefined } as const;
		expect(await moveHost(deps, host, "draining", drain, "not needed")).toBeDefined();
	};

	test("every call is to be ended, those granted long ago too, and each is recorded once", async () => {
		const { campaignId } = await putCampaign(deps, 6, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const old = (await sync(deps, H1, syncRequest(epoch, 1, { want: 2 }))).calls.map(({ callId }) => callId);
		now += 5 * 60_000;
		const recent = (await sync(deps, H1, syncRequest(epoch, 2, { want: 2, live: 2, low: 1 }))).calls;
		const held = [...old, ...recent.map(({ callId }) => callId)].sort();
		await setUntil(now + 10_000);
		now += 10_000 - 1;
		expect((await sync(deps, H1, syncRequest(epoch, 3, { live: 4, low: 1 }))).hangup).toEqual([]);
		now += 1;
		const answer = await sync(deps, H1, syncRequest(epoch, 4, { live: 4, low: 1 }));
		expect([...answer.hangup].sort()).toEqual(held);
		// The answer is lost: its repeat says the same.
		expect((await sync(deps, H1, syncRequest(epoch, 4, { live: 4, low: 1 }))).hangup.sort()).toEqual(held);
		const completed = held.map((callId) => ({ callId, outcome: "answered" as const, cause: 16 }));
		const report = syncRequest(epoch, 5, { completed });
		expect((await sync(deps, H1, report)).hangup).toEqual([]);
		await sync(deps, H1, report);
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({
			done: 4,
			pending: 2,
			inProgress: 0,
			attempts: 4,
			outcomes: { answered: 4 },
		});
		await sync(deps, H1, syncRequest(epoch, 6));
		await sync(deps, H1, syncRequest(epoch, 7));
		expect((await hostItem()).state).toBe("drained");
		expect((await trunkItem())?.free).toBe(20);
	});

	test("calls of other hosts and calls that were settled are left alone", async () => {
		await putCampaign(deps, 6, { trunk: "t1", maxChannels: 8 });
		const one = await hello(deps, H1, { nonce: "nonce-0001" });
		const two = await hello(deps, H2, { nonce: "nonce-0002" });
		const [ended, live] = (await sync(deps, H1, syncRequest(one.epoch, 1, { want: 2 }))).calls;
		await sync(deps, H2, syncRequest(two.epoch, 1, { want: 2 }));
		await setUntil(now);
		const completed = [{ callId: ended?.callId ?? "", outcome: "busy" as const }];
		const answer = await sync(deps, H1, syncRequest(one.epoch, 2, { live: 1, low: 1, completed }));
		expect(answer.hangup).toEqual([live?.callId]);
	});

	test("a host without a deadline is left its calls", async () => {
		await putCampaign(deps, 2, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		await sync(deps, H1, syncRequest(epoch, 1, { want: 2 }));
		await setDrain(deps, TENANT, "h1", true);
		now += 86_400_000;
		expect((await sync(deps, H1, syncRequest(epoch, 2, { live: 2, low: 1 }))).hangup).toEqual([]);
	});
});

test("what a stopped host said last counts no more", async () => {
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	await sync(deps, H1, syncRequest(epoch, 1, { live: 3 }));
	expect((await readFleet(deps, TENANT)).live).toBe(3);
	await deps.db.send(
		new PutCommand({ TableName: deps.tables.hosts, Item: { ...(await hostItem()), state: "terminated" } }),
	);
	expect((await readFleet(deps, TENANT)).live).toBe(0);
});

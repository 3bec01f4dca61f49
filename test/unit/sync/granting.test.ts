import { beforeEach, expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { Deps } from "../../../shared/deps.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { update } from "../../../shared/store/db.ts";
import type { CampaignItem, ContactItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/** What a sync grants under rules that cross: limits judged differently by twins, drains, campaigns with rates of their own. */

const H1 = { tenant: TENANT, hostId: "h1" };
let now: number;
let dynamo: MemoryDynamo;
let deps: Deps;
beforeEach(() => {
	now = 1_700_000_000_000;
	dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	deps = testDeps(dynamo.client(), () => now);
});
const contactsOf = () => dynamo.items<ContactItem>("contacts");
/** A sync that stops before a write on the hosts' table (its commit) until it is let go. */
const heldAtCommit = () => {
	let open: () => void = () => {};
	let reached: () => void = () => {};
	const opened = new Promise<void>((r) => {
		open = r;
	});
	const at = new Promise<void>((r) => {
		reached = r;
	});
	const slow = testDeps(
		dynamo.client({
			before: ({ name, input }) => {
				if (name !== "Update" || input["TableName"] !== "hosts") return undefined;
				reached();
				return opened;
			},
		}),
		() => now,
	);
	return { slow, open: () => open(), at };
};

test("a campaign with calls per second of its own goes on while its calls are up", async () => {
	await putTrunk(deps, "t1", 200, 100);
	await putHost(deps, "h1", 100);
	await putCampaign(deps, 60, { trunk: "t1", maxChannels: 100, maxCps: 2 });
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	let live = 0;
	for (let seq = 1; seq <= 20; seq++) {
		const answer = await sync(
			deps,
			H1,
			syncRequest(epoch, seq, { want: 100 - live, live, waiting: 0, slots: { t1: 10 } }),
		);
		live += answer.calls.length;
		now += 1_000;
	}
	// 20 s at 2 calls a second: calls that are up do not count against what waits for a slot.
	expect(live).toBeGreaterThan(30);
});

test("contacts that a sync ended as suppressed are counted, also where a drain begins before its repeat", async () => {
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	const window = { from: "08:00", to: "20:00", days: [1, 2, 3, 4, 5, 6, 7], holidays: [] };
	const over: Partial<CampaignItem> & { trunk: string; maxChannels: number } = { trunk: "t1", maxChannels: 10, window };
	const { campaignId } = await putCampaign(deps, 2, over);
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const dies = testDeps(
		dynamo.client({
			before: ({ name, input }) => {
				if (name === "Update" && input["TableName"] === "hosts") throw new Error("died");
			},
		}),
		() => now,
	);
	const request = syncRequest(epoch, 1, { want: 10 });
	await expect(sync(dies, H1, request)).rejects.toThrow("died");
	expect(contactsOf().map(({ outcome }) => outcome)).toEqual(["suppressed", "suppressed"]);
	await setDrain(deps, TENANT, "h1", true);
	await sync(deps, H1, request);
	expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ done: 2 });
});

test("twins of a sync that judge a limit differently leave no contact claimed that nobody was told", async () => {
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10, calleeLimit: { minGapSec: 60 } });
	for (const { shardKey, contactKey } of contactsOf()) {
		await update(deps.db, {
			TableName: deps.tables.contacts,
			Key: { shardKey, contactKey },
			UpdateExpression: "SET #n = :n",
			ExpressionAttributeNames: { "#n": "number" },
			ExpressionAttributeValues: { ":n": "5" },
		});
	}
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const request = syncRequest(epoch, 1, { want: 10, slots: { t1: 10 } });
	const [one, two] = [heldAtCommit(), heldAtCommit()];
	const a = sync(one.slow, H1, request);
	await one.at;
	// Stands for whatever makes the second judge differently: a note that is released, a policy that only one process knows, a lost race.
	now += 91_000;
	const b = sync(two.slow, H1, request);
	await two.at;
	one.open();
	const calls = (await a).calls.length;
	two.open();
	await b;
	expect(contactsOf().filter(({ state }) => state === "claimed")).toHaveLength(calls);
});

test("eighty campaigns with calls per second of their own on one trunk do not stop a host", async () => {
	await putTrunk(deps, "t1", 500, 300);
	await putHost(deps, "h1", 200);
	for (let i = 0; i < 80; i++) {
		now++;
		await putCampaign(deps, 3, { trunk: "t1", maxChannels: 100, maxCps: 1, name: `c${i}` });
	}
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const answer = await sync(deps, H1, syncRequest(epoch, 1, { want: 200, waiting: 0, slots: { t1: 10 } }));
	expect(answer.calls.length).toBeGreaterThan(0);
});

test("of two campaigns with the trunk's own rate the younger one has slots too, more with the higher priority", async () => {
	await putTrunk(deps, "t1", 500, 10);
	await putHost(deps, "h1", 200);
	const ids: string[] = [];
	for (const [name, priority] of [
		["one", 1],
		["two", 100],
	] as const) {
		now++;
		ids.push((await putCampaign(deps, 300, { trunk: "t1", maxChannels: 500, maxCps: 10, name, priority })).campaignId);
	}
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const held = new Map(ids.map((id) => [id, [] as string[]]));
	const slots = new Map(ids.map((id) => [id, 0]));
	let completed: { callId: string; outcome: "answered" }[] = [];
	for (let seq = 1; seq <= 40; seq++) {
		const waiting = [...held.values()].reduce((n, list) => n + list.length, 0);
		const asked = Object.fromEntries(
			[...held].filter(([, list]) => list.length > 0).map(([id, list]) => [`#${id}`, list.length]),
		);
		const answer = await sync(
			deps,
			H1,
			syncRequest(epoch, seq, { want: 200 - waiting, waiting, slots: asked, completed, slotLeadMs: 250 }),
		);
		completed = [];
		for (const call of answer.calls) held.get(call.campaignId)?.push(call.callId);
		for (const [key, at] of Object.entries(answer.slots)) {
			const list = held.get(key.slice(1)) ?? [];
			slots.set(key.slice(1), (slots.get(key.slice(1)) ?? 0) + at.length);
			for (const callId of list.splice(0, at.length)) completed.push({ callId, outcome: "answered" });
		}
		now += 500;
	}
	expect(slots.get(ids[1] ?? "")).toBeGreaterThan(slots.get(ids[0] ?? "") ?? 0);
});

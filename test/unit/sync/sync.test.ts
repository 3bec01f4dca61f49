import { beforeEach, describe, expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { Deps } from "../../../shared/deps.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem } from "../../../shared/store/db.ts";
import { type CampaignItem, campaignKey, type HostItem, type TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

const HOST = { tenant: TENANT, hostId: "h1" };
const OTHER = { tenant: TENANT, hostId: "h2" };
let now: number;
let deps: Deps;

beforeEach(async () => {
	now = 1_700_000_000_000;
	deps = testDeps(new MemoryDynamo(PROJECT_TABLES, { now: () => now }).client(), () => now);
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await putHost(deps, "h2", 10);
});

const trunkItem = () => getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: TENANT, trunkId: "t1" });
const hostItem = (hostId: string) => getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: TENANT, hostId });
const stateOf = async (campaignId: string) =>
	(await getItem<CampaignItem>(deps.db, deps.tables.campaigns, campaignKey(TENANT, campaignId)))?.state;
const completed = (callId: string, outcome: "answered" | "busy" = "answered") => ({ callId, outcome });
const codeOf = (promise: Promise<unknown>) =>
	promise.then(
		() => "ok",
		(error: { code?: string }) => error.code,
	);

describe("a host's syncs", () => {
	test("a campaign is granted, reported and completed; counters and channels add up", async () => {
		const { campaignId } = await putCampaign(deps, 12, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		expect((await peek(deps, HOST)).work).toBe(true);
		const first = await sync(deps, HOST, syncRequest(epoch, 1, { want: 10, slots: { t1: 8 } }));
		expect(first.calls).toHaveLength(8);
		expect(first.share).toEqual({ t1: 8 });
		expect(first.campaignShare).toEqual({ [campaignId]: 8 });
		expect(first.slots["t1"]).toHaveLength(8);
		const trunk = await trunkItem();
		expect(trunk?.free).toBe(12);
		expect(trunk?.c[campaignId]).toEqual({ cap: 8, free: 0 });

		const second = await sync(
			deps,
			HOST,
			syncRequest(epoch, 2, { want: 10, completed: first.calls.map(({ callId }) => completed(callId)) }),
		);
		expect(second.calls).toHaveLength(4);
		expect(second.share).toEqual({ t1: 4 });
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({
			total: 12,
			done: 8,
			inProgress: 4,
			pending: 0,
		});

		await sync(
			deps,
			HOST,
			syncRequest(epoch, 3, { completed: second.calls.map(({ callId }) => completed(callId, "busy")) }),
		);
		expect(await campaignCounts(deps, TENANT, campaignId)).toEqual({
			total: 12,
			pending: 0,
			inProgress: 0,
			done: 12,
			outcomes: { answered: 8, busy: 4 },
			attempts: 12,
			// The reports said no times.
			channelMs: 0,
			timed: 0,
		});
		expect(await stateOf(campaignId)).toBe("completed");
		expect((await trunkItem())?.free).toBe(20);
		expect((await trunkItem())?.c).toEqual({});
	});

	test("a repeated request gets the same calls, slots and shares", async () => {
		await putCampaign(deps, 5, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		const request = syncRequest(epoch, 1, { want: 4, slots: { t1: 3 } });
		const first = await sync(deps, HOST, request);
		now += 1_000;
		const again = await sync(deps, HOST, request);
		expect({ ...again, now: 0 }).toEqual({ ...first, now: 0 });
	});

	test("slots are given for calls that wait to be dialed or are granted, not for those that are up", async () => {
		await putCampaign(deps, 4, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		const asks = { want: 2, slots: { t1: 3 }, low: 1 };
		expect((await sync(deps, HOST, syncRequest(epoch, 1, { ...asks, waiting: 0 }))).slots["t1"]).toHaveLength(3);
		const up = { want: 0, slots: { t1: 3 }, low: 1, live: 2 };
		expect((await sync(deps, HOST, syncRequest(epoch, 2, { ...up, waiting: 0 }))).slots).toEqual({});
		expect((await sync(deps, HOST, syncRequest(epoch, 3, { ...up, waiting: 1 }))).slots["t1"]).toHaveLength(3);
		// A host that does not say.
		expect((await sync(deps, HOST, syncRequest(epoch, 4, up))).slots["t1"]).toHaveLength(3);
	});

	test("caps of trunk and campaign hold over two hosts", async () => {
		await putCampaign(deps, 40, { trunk: "t1", maxChannels: 15 });
		const one = await hello(deps, HOST, { nonce: "nonce-0001" });
		const two = await hello(deps, OTHER, { nonce: "nonce-0002" });
		const a = await sync(deps, HOST, syncRequest(one.epoch, 1, { want: 100_000 }));
		const b = await sync(deps, OTHER, syncRequest(two.epoch, 1, { want: 100_000 }));
		expect(a.calls).toHaveLength(10);
		expect(b.calls).toHaveLength(5);
		expect((await trunkItem())?.free).toBe(5);
	});

	test("stale epochs, skipped and old seqs are told apart", async () => {
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		expect(await codeOf(sync(deps, HOST, syncRequest(epoch, 3)))).toBe("seqAhead");
		await sync(deps, HOST, syncRequest(epoch, 1));
		await sync(deps, HOST, syncRequest(epoch, 2));
		expect(await codeOf(sync(deps, HOST, syncRequest(epoch, 1)))).toBe("seqOld");
		expect(await codeOf(sync(deps, HOST, syncRequest(epoch + 1, 3)))).toBe("staleEpoch");
		expect(await codeOf(sync(deps, { tenant: TENANT, hostId: "nobody" }, syncRequest(1, 1)))).toBe("notFound");
	});

	test("of two agents on copies of one disk only one is answered with calls", async () => {
		await putCampaign(deps, 4, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		const one = await sync(deps, HOST, syncRequest(epoch, 1, { want: 2, agent: "one" }));
		expect(one.calls).toHaveLength(2);
		expect(await codeOf(sync(deps, HOST, syncRequest(epoch, 1, { want: 2, agent: "two" })))).toBe("anotherAgent");
		expect(await codeOf(hello(deps, HOST, { nonce: "nonce-0002" }))).toBe("wait");
		expect((await sync(deps, HOST, syncRequest(epoch, 1, { want: 2, agent: "one" }))).calls).toEqual(one.calls);
		// A restarted agent goes on where the old one stopped.
		expect((await sync(deps, HOST, syncRequest(epoch, 2, { want: 1, agent: "three" }))).calls).toHaveLength(1);
	});

	test("a completion of a call that the host does not hold is refused, the others count", async () => {
		const { campaignId } = await putCampaign(deps, 2, { trunk: "t1", maxChannels: 8 });
		const one = await hello(deps, HOST, { nonce: "nonce-0001" });
		const two = await hello(deps, OTHER, { nonce: "nonce-0002" });
		const { calls } = await sync(deps, HOST, syncRequest(one.epoch, 1, { want: 2 }));
		const ids = calls.map(({ callId }) => callId);
		const stranger = await sync(deps, OTHER, syncRequest(two.epoch, 1, { completed: [completed(ids[0] ?? "")] }));
		expect(stranger.refused).toEqual([{ callId: ids[0], reason: "this host does not hold the call" }]);
		const mine = await sync(
			deps,
			HOST,
			syncRequest(one.epoch, 2, { completed: [completed("nonsense"), completed(ids[0] ?? "")] }),
		);
		expect(mine.refused).toEqual([{ callId: "nonsense", reason: "not a callId" }]);
		const twice = await sync(deps, HOST, syncRequest(one.epoch, 3, { completed: [completed(ids[0] ?? "")] }));
		expect(twice.refused).toHaveLength(1);
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ done: 1, inProgress: 1, attempts: 1 });
	});

	test("a paused campaign is granted no more and what was not dialed is recalled", async () => {
		const { campaignId } = await putCampaign(deps, 6, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, HOST, syncRequest(epoch, 1, { want: 4 }));
		const meta = await getItem<CampaignItem>(deps.db, deps.tables.campaigns, campaignKey(TENANT, campaignId));
		const { PutCommand } = await import("@aws-sdk/lib-dynamodb");
		await deps.db.send(new PutCommand({ TableName: deps.tables.campaigns, Item: { ...meta, state: "paused" } }));
		const paused = await sync(deps, HOST, syncRequest(epoch, 2, { want: 6 }));
		expect(paused.calls).toEqual([]);
		expect(new Set(paused.recall)).toEqual(new Set(calls.map(({ callId }) => callId)));
		await sync(deps, HOST, syncRequest(epoch, 3, { returned: paused.recall }));
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ pending: 6, inProgress: 0, attempts: 0 });
	});

	test("a lost host's calls end as hostLost, its channels are held until it reports", async () => {
		const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, HOST, syncRequest(epoch, 1, { want: 2 }));
		await recoverHosts(deps, TENANT);
		now += 20_000;
		await recoverHosts(deps, TENANT);
		now += 20_000;
		await recoverHosts(deps, TENANT);
		expect((await hostItem("h1"))?.state).toBe("recovered");
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ done: 2, outcomes: { hostLost: 2 } });
		expect((await trunkItem())?.free).toBe(18);
		expect(await codeOf(sync(deps, HOST, syncRequest(epoch, 2)))).toBe("staleEpoch");
		const again = await hello(deps, HOST, { nonce: "nonce-0002" });
		const [first, second] = calls.map(({ callId }) => callId);
		const late = await sync(
			deps,
			HOST,
			syncRequest(again.epoch, 1, { completed: [completed(first ?? "")], earlier: [second ?? ""] }),
		);
		expect(late.refused).toEqual([]);
		expect((await trunkItem())?.free).toBe(19);
		await sync(deps, HOST, syncRequest(again.epoch, 2, { completed: [completed(second ?? "")], earlier: [] }));
		expect((await trunkItem())?.free).toBe(20);
		expect((await trunkItem())?.z).toEqual({});
		expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ done: 2, outcomes: { hostLost: 2 } });
	});

	test("channels of a lost host that never returns are given back when no call can last any longer", async () => {
		await putCampaign(deps, 3, { trunk: "t1", maxChannels: 8 });
		const { epoch } = await hello(deps, HOST, { nonce: "nonce-0001" });
		await sync(deps, HOST, syncRequest(epoch, 1, { want: 2 }));
		for (let s = 0; s < 40; s += 20, now += 20_000) await recoverHosts(deps, TENANT);
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(18);
		// 30 s of ringing, 60 s of talk, and the margin.
		now += 96_000;
		await recoverHosts(deps, TENANT);
		expect((await trunkItem())?.free).toBe(20);
	});
});

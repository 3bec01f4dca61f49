import { beforeEach, describe, expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { Deps } from "../../../shared/deps.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem, update } from "../../../shared/store/db.ts";
import type { ContactItem, HostItem, TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { peek } from "../../../shared/sync/peek.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { startDynalite } from "../../support/dynalite.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/** Schedules after which a host, a campaign or a contact would once have been stuck for good. */

const H1 = { tenant: TENANT, hostId: "h1" };
const H2 = { tenant: TENANT, hostId: "h2" };
let now: number;
let dynamo: MemoryDynamo;
let deps: Deps;
beforeEach(() => {
	now = 1_700_000_000_000;
	dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	deps = testDeps(dynamo.client(), () => now);
});

const trunkItem = () => getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: TENANT, trunkId: "t1" });
const hostItem = (hostId: string) => getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: TENANT, hostId });
const gate = () => {
	let open: () => void = () => {};
	let reached: () => void = () => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	const atGate = new Promise<void>((resolve) => {
		reached = resolve;
	});
	return {
		open,
		atGate,
		wait: () => {
			reached();
			return opened;
		},
	};
};

test("a host that is lost before its first sync comes back", async () => {
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await hello(deps, H1, { nonce: "nonce-0001" });
	for (let i = 0; i < 3; i++) {
		await recoverHosts(deps, TENANT);
		now += 20_000;
	}
	expect((await hostItem("h1"))?.state).toBe("recovered");
	await expect(hello(deps, H1, { nonce: "nonce-0002" })).resolves.toMatchObject({ epoch: 3 });
});

describe("a share without calls", () => {
	test("left by claims that were all lost makes work for an idle host, and goes back", async () => {
		await putTrunk(deps, "t1", 100);
		await putHost(deps, "h1", 10);
		await putHost(deps, "h2", 10);
		const { campaignId } = await putCampaign(deps, 40, { trunk: "t1", maxChannels: 20 });
		const one = await hello(deps, H1, { nonce: "nonce-0001" });
		const two = await hello(deps, H2, { nonce: "nonce-0002" });
		const hold = gate();
		const slow = testDeps(
			dynamo.client({
				before: ({ name, input }) => (name === "Update" && input["TableName"] === "contacts" ? hold.wait() : undefined),
			}),
			() => now,
		);
		const losing = sync(slow, H2, syncRequest(two.epoch, 1, { want: 10 }));
		await hold.atGate;
		await sync(deps, H1, syncRequest(one.epoch, 1, { want: 10 }));
		hold.open();
		expect((await losing).calls).toEqual([]);
		expect((await trunkItem())?.c[campaignId]?.free).toBe(0);
		expect((await peek(deps, H2)).work).toBe(true);
		expect((await sync(deps, H2, syncRequest(two.epoch, 2, { want: 10 }))).calls).toHaveLength(10);
	});

	test("left by a sync that died does not stop a campaign that was paused meanwhile", async () => {
		await putTrunk(deps, "t1", 20);
		await putHost(deps, "h1", 10);
		const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 2 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const dies = testDeps(
			dynamo.client({
				before: ({ name, input }) => {
					if (name === "Put" && input["TableName"] === "grants") throw new Error("died");
				},
			}),
			() => now,
		);
		const request = syncRequest(epoch, 1, { want: 10 });
		await expect(sync(dies, H1, request)).rejects.toThrow("died");
		const setState = (state: string) =>
			update(deps.db, {
				TableName: deps.tables.campaigns,
				Key: { campaign: `${TENANT}#${campaignId}`, kind: "META" },
				UpdateExpression: "SET #state = :state",
				ExpressionAttributeNames: { "#state": "state" },
				ExpressionAttributeValues: { ":state": state },
			});
		await setState("paused");
		expect((await sync(deps, H1, request)).calls).toEqual([]);
		await setState("running");
		expect((await peek(deps, H1)).work).toBe(true);
		expect((await sync(deps, H1, syncRequest(epoch, 2, { want: 10 }))).calls).toHaveLength(2);
	});
});

test.each([9, 11, 18, 19, 23])(
	"a new host gets calls where the table's decimals of %i calls/s are not ours",
	async (maxCps) => {
		const real = await startDynalite(PROJECT_TABLES);
		try {
			const onReal = testDeps(real.db, () => now);
			await putTrunk(onReal, "t1", 500, maxCps);
			await putHost(onReal, "h1", 120);
			await putHost(onReal, "h2", 120);
			await putCampaign(onReal, 10, { trunk: "t1", maxChannels: 500 });
			const one = await hello(onReal, H1, { nonce: "nonce-0001" });
			const two = await hello(onReal, H2, { nonce: "nonce-0002" });
			await sync(onReal, H1, syncRequest(one.epoch, 1, { want: 2, slots: { t1: 2 } }));
			await sync(onReal, H1, syncRequest(one.epoch, 2, { want: 2, slots: { t1: 1 } }));
			const answer = await sync(onReal, H2, syncRequest(two.epoch, 1, { want: 3, slots: { t1: 3 } }));
			expect(answer.calls).toHaveLength(3);
			expect(answer.slots["t1"]).toHaveLength(3);
		} finally {
			await real.stop();
		}
	},
	30_000,
);

test("more campaigns than one statement can name are granted and reported in several syncs", async () => {
	const CAMPAIGNS = 150;
	await putTrunk(deps, "t1", 500);
	await putHost(deps, "h1", 300);
	for (let i = 0; i < CAMPAIGNS; i++) {
		now++;
		await putCampaign(deps, 1, { trunk: "t1", maxChannels: 1, name: `c${i}` });
	}
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const open: string[] = [];
	let done = 0;
	for (let seq = 1; seq <= 20 && done < CAMPAIGNS; seq++) {
		// First all are granted, then all are reported at once.
		const report = open.length >= CAMPAIGNS ? open.splice(0) : [];
		done += report.length;
		const answer = await sync(
			deps,
			H1,
			syncRequest(epoch, seq, {
				want: 200,
				low: 1,
				completed: report.map((callId) => ({ callId, outcome: "answered" as const })),
			}),
		);
		open.push(...answer.calls.map(({ callId }) => callId));
	}
	expect(done).toBe(CAMPAIGNS);
	for (let seq = 21; (await peek(deps, H1)).work && seq < 40; seq++) {
		const host = await hostItem("h1");
		await sync(deps, H1, syncRequest(epoch, (host?.seq ?? 0) + 1));
	}
	expect((await trunkItem())?.free).toBe(500);
}, 30_000);

test("recovery after thousands of grants under one long call reads in bulk", async () => {
	await putTrunk(deps, "t1", 50);
	await putHost(deps, "h1", 20);
	const { campaignId } = await putCampaign(deps, 601, { trunk: "t1", maxChannels: 20 });
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	let open = (await sync(deps, H1, syncRequest(epoch, 1, { want: 4 }))).calls.map(({ callId }) => callId);
	const long = open.pop();
	let seq = 1;
	while (open.length > 0) {
		now++;
		const completed = open.map((callId) => ({ callId, outcome: "answered" as const }));
		open = (await sync(deps, H1, syncRequest(epoch, ++seq, { want: 3, low: 1, completed }))).calls.map((c) => c.callId);
	}
	expect(long).toBeDefined();
	let statements = 0;
	const counting = testDeps(dynamo.client({ before: () => void statements++ }), () => now);
	for (let i = 0; i < 3; i++) {
		now += 20_000;
		await recoverHosts(counting, TENANT);
	}
	expect(await campaignCounts(deps, TENANT, campaignId)).toMatchObject({ done: 601, outcomes: { hostLost: 1 } });
	expect(statements).toBeLessThan(80);
});

test("a drain that comes and goes around twins of one sync does not answer a call that was given back", async () => {
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await putHost(deps, "h2", 10);
	const { contacts } = await putCampaign(deps, 1, { trunk: "t1", maxChannels: 5 });
	const one = await hello(deps, H1, { nonce: "nonce-0001" });
	const two = await hello(deps, H2, { nonce: "nonce-0002" });
	const held = () => {
		const stop = gate();
		const own = testDeps(
			dynamo.client({
				before: ({ name, input }) => (name === "Update" && input["TableName"] === "hosts" ? stop.wait() : undefined),
			}),
			() => now,
		);
		return { ...stop, deps: own };
	};
	const [a, b] = [held(), held()];
	const request = syncRequest(one.epoch, 1, { want: 1 });
	const first = sync(a.deps, H1, request);
	await a.atGate;
	await setDrain(deps, TENANT, "h1", true);
	const second = sync(b.deps, H1, request).catch((error: unknown) => error);
	await b.atGate;
	await setDrain(deps, TENANT, "h1", false);
	a.open();
	const granted = (await first).calls.length;
	now += 1_000;
	const other = await sync(deps, H2, syncRequest(two.epoch, 1, { want: 1 }));
	expect(granted + other.calls.length).toBe(1);
	b.open();
	await second;
	const contact = await getItem<ContactItem>(deps.db, deps.tables.contacts, contacts[0] ?? {});
	expect(contact?.state).toBe("claimed");
});

test("a slow trunk's calls are not hoarded", async () => {
	await putTrunk(deps, "t1", 20, 1);
	await putHost(deps, "h1", 100);
	await putCampaign(deps, 40, { trunk: "t1", maxChannels: 20 });
	now++;
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	let held = 0;
	for (let seq = 1; seq <= 4; seq++) {
		held += (await sync(deps, H1, syncRequest(epoch, seq, { want: 100, slots: { t1: 2 } }))).calls.length;
	}
	expect(held).toBe(5);
	expect((await sync(deps, H1, syncRequest(epoch, 5, { want: 100, live: 3 }))).calls).toHaveLength(3);
});

test("slots keep the distance they were reserved with when the trunk's rate is lowered", async () => {
	await putTrunk(deps, "t1", 20, 20);
	await putHost(deps, "h1", 10);
	await putCampaign(deps, 5, { trunk: "t1", maxChannels: 5 });
	const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
	const request = syncRequest(epoch, 1, { want: 5, slots: { t1: 5 } });
	const answer = await sync(deps, H1, request);
	await update(deps.db, {
		TableName: deps.tables.trunks,
		Key: { tenant: TENANT, trunkId: "t1" },
		UpdateExpression: "SET #trunk.#cps = :cps",
		ExpressionAttributeNames: { "#trunk": "trunk", "#cps": "maxCps" },
		ExpressionAttributeValues: { ":cps": 1 },
	});
	expect((await sync(deps, H1, request)).slots).toEqual(answer.slots);
});

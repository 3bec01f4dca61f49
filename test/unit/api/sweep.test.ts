import { expect, test } from "@jest/globals";
import { sweepCampaign } from "../../../shared/campaigns/sweep.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { CampaignItem, ContactItem, HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { type Hooks, MemoryDynamo, PROJECT_TABLES, type Statement } from "../../support/memory-dynamo.ts";

const SWEEP_MS = 55_000;
const MINUTE_MS = 60_000;
const isLook = ({ name, input }: Statement): boolean => name === "Query" && input["TableName"] === "contacts";

/** A cancelled campaign on a trunk, with pages of five contacts and a clock that the test moves. */
const cancelled = async (contacts: number, over: Record<string, unknown> = {}) => {
	const clock = { now: Date.parse("2026-11-02T10:00:00Z") };
	const dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => clock.now, maxPageItems: 5 });
	const plain = testDeps(dynamo.client(), () => clock.now);
	await putTrunk(plain, "t1", 20);
	const { campaignId } = await putCampaign(plain, contacts, {
		trunk: "t1",
		maxChannels: 10,
		state: "cancelled",
		open: {},
		...over,
	});
	const key = { campaign: `${TENANT}#${campaignId}`, kind: "META" };
	const meta = () => dynamo.peek<CampaignItem>("campaigns", key) as CampaignItem;
	const read = async () => (await getItem<CampaignItem>(plain.db, "campaigns", key)) as CampaignItem;
	let looks = 0;
	const sweep = async (hooks: Hooks = {}) => {
		const client = dynamo.client({
			...hooks,
			before: async (statement) => {
				if (isLook(statement)) looks++;
				await hooks.before?.(statement);
			},
		});
		const deps = testDeps(client, () => clock.now);
		return sweepCampaign(deps, await read(), clock.now + SWEEP_MS);
	};
	const ended = () => dynamo.items<ContactItem>("contacts").filter((contact) => contact.outcome === "cancelled").length;
	return { clock, dynamo, plain, campaignId, meta, sweep, ended, looks: () => looks };
};

test("a campaign too large for one sweep is swept by several, each going on where the last stopped", async () => {
	const { clock, sweep, ended, looks, meta } = await cancelled(400);
	/** A page takes so long that a sweep has time for some ten of more than eighty. */
	const slow: Hooks = {
		before: (statement) => {
			if (isLook(statement)) clock.now += 3_000;
		},
	};
	let sweeps = 1;
	while (!(await sweep(slow))) {
		clock.now += MINUTE_MS;
		if (++sweeps > 20) throw new Error(`not swept: ${JSON.stringify(meta())}`);
	}
	expect(ended()).toBe(400);
	expect(sweeps).toBeGreaterThan(3);
	// No page is looked at twice.
	expect(looks()).toBeLessThanOrEqual(400 / 5 + 4);
	expect(meta()).toMatchObject({ sweptAt: expect.any(Number) });
	expect(Object.keys(meta())).not.toEqual(expect.arrayContaining(["sweep"]));
});

test("a sweep without time does one page all the same", async () => {
	const { clock, sweep, ended, dynamo } = await cancelled(40);
	const late: Hooks = {
		before: () => {
			clock.now += SWEEP_MS;
		},
	};
	expect(await sweep(late)).toBe(false);
	expect(ended()).toBeGreaterThan(0);
	expect(ended()).toBeLessThan(dynamo.items("contacts").length);
});

test("a sweep that fails keeps what it has done", async () => {
	const { sweep, ended, looks } = await cancelled(100);
	let left = 10;
	const failing: Hooks = {
		before: (statement) => {
			if (isLook(statement) && left-- === 0) throw new Error("slow down");
		},
	};
	await expect(sweep(failing)).rejects.toThrow("slow down");
	expect(ended()).toBeGreaterThan(0);
	expect(await sweep()).toBe(true);
	expect(ended()).toBe(100);
	expect(looks()).toBeLessThanOrEqual(100 / 5 + 4 + 1);
});

test("a long call costs no look at all contacts each minute; at its end the campaign is swept", async () => {
	const { clock, dynamo, plain, sweep, ended, looks, campaignId, meta } = await cancelled(50, { state: "running" });
	await putHost(plain, "h1", 5);
	const host = { tenant: TENANT, hostId: "h1" };
	const { epoch } = await hello(plain, host, { nonce: "nonce-0001" });
	const { calls } = await sync(plain, host, syncRequest(epoch, 1, { want: 1, slots: { t1: 1 } }));
	expect(calls).toHaveLength(1);
	meta().state = "cancelled";
	expect(await sweep()).toBe(false);
	expect(ended()).toBe(49);
	const before = looks();
	for (let minute = 0; minute < 50; minute++) {
		clock.now += MINUTE_MS;
		expect(await sweep()).toBe(false);
	}
	expect(looks()).toBe(before);
	const completed = calls.map(({ callId }) => ({ callId, outcome: "answered" as const }));
	await sync(plain, host, syncRequest(epoch, 2, { completed }));
	expect(dynamo.peek<HostItem>("hosts", host)?.held[campaignId] ?? 0).toBe(0);
	expect(await sweep()).toBe(true);
	expect(ended()).toBe(49);
});

test("calls that a host only seems to hold do not keep a campaign from its end", async () => {
	const { clock, dynamo, plain, sweep, campaignId } = await cancelled(10);
	await putHost(plain, "h1", 5);
	Object.assign(dynamo.peek("hosts", { tenant: TENANT, hostId: "h1" }) as object, { held: { [campaignId]: 1 } });
	const [contact] = dynamo.items<ContactItem>("contacts");
	const key = { shardKey: contact?.shardKey ?? "", contactKey: contact?.contactKey ?? "" };
	const standing = dynamo.peek<ContactItem>("contacts", key) as ContactItem;
	Object.assign(standing, { state: "claimed" });
	expect(await sweep()).toBe(false);
	Object.assign(standing, { state: "done" });
	clock.now += 3_600_000;
	expect(await sweep()).toBe(true);
});

test("a pass that began while a list was on its way is not the last", async () => {
	const { clock, dynamo, sweep, meta, ended } = await cancelled(30, { openImports: 1 });
	const late: Hooks = {
		before: () => {
			clock.now += SWEEP_MS;
		},
	};
	expect(await sweep(late)).toBe(false);
	const passed = dynamo.items<ContactItem>("contacts").find((contact) => contact.state === "done");
	const { shardKey = "", contactKey = "" } = passed ?? {};
	// What the list brought after the sweep had passed.
	Object.assign(dynamo.peek("contacts", { shardKey, contactKey }) as object, { state: "pending", outcome: "" });
	meta().openImports = 0;
	clock.now += MINUTE_MS;
	expect(await sweep()).toBe(false);
	expect(ended()).toBe(29);
	clock.now += MINUTE_MS;
	expect(await sweep()).toBe(true);
	expect(ended()).toBe(30);
});

test("writes that are repeated because their answer was lost are known as its own", async () => {
	const { sweep, ended, dynamo } = await cancelled(30);
	const twice: Hooks = {
		rewriteResult: (statement, result) =>
			statement.name === "Update" && result.ok ? dynamo.perform(statement) : result,
	};
	expect(await sweep(twice)).toBe(true);
	expect(ended()).toBe(30);
});

test("of two sweeps at once one works", async () => {
	const { sweep, clock, meta } = await cancelled(30);
	meta()["sweepUntil"] = clock.now + 1;
	meta()["sweepBy"] = "another";
	expect(await sweep()).toBe(false);
	expect(meta()["sweepBy"]).toBe("another");
	clock.now += 1;
	expect(await sweep()).toBe(true);
});

import { beforeEach, describe, expect, test } from "@jest/globals";
import type { CompletedCall } from "../../../shared/contract/call.ts";
import type { Deps } from "../../../shared/deps.ts";
import { update } from "../../../shared/store/db.ts";
import type { ContactItem, TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { readClaimed } from "../../../shared/sync/settle-reads.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/** What a sync reads: what it needs, and no more. */

const H1 = { tenant: TENANT, hostId: "h1" };
let now: number;
let dynamo: MemoryDynamo;
let deps: Deps;
/** Reads of contacts since they were last cleared: one for each item asked for. */
let reads: { consistent: boolean }[];
beforeEach(() => {
	now = 1_700_000_000_000;
	reads = [];
	dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	const client = dynamo.client({
		before: ({ name, input }) => {
			if (name === "Get" && input["TableName"] === "contacts")
				reads.push({ consistent: input["ConsistentRead"] === true });
			if (name !== "BatchGet") return;
			const wanted = (input["RequestItems"] as Record<string, { Keys: unknown[] }>)["contacts"];
			for (const _ of wanted?.Keys ?? []) reads.push({ consistent: true });
		},
	});
	deps = testDeps(client, () => now);
});
const contactsOf = () => dynamo.items<ContactItem>("contacts");
const completed = (calls: { callId: string }[], outcome: CompletedCall["outcome"]) =>
	calls.map(({ callId }) => ({ callId, outcome }));

describe("candidates", () => {
	test("are no more than could be granted: a full host's prefetch, less what it holds already", async () => {
		await putTrunk(deps, "t1", 10);
		await putHost(deps, "h1", 10);
		await putCampaign(deps, 60, { trunk: "t1", maxChannels: 10 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const first = await sync(deps, H1, syncRequest(epoch, 1, { want: 14, prefetch: 4, slots: { t1: 10 } }));
		expect(first.calls).toHaveLength(14);
		reads = [];
		// It has ten channels up, and four calls for those that end next.
		const second = await sync(deps, H1, syncRequest(epoch, 2, { want: 14, prefetch: 4, live: 10, slots: { t1: 4 } }));
		expect({ calls: second.calls.length, reads: reads.length }).toEqual({ calls: 0, reads: 0 });
		// Three end: three come, and no more are looked at.
		const request = { want: 14, prefetch: 4, live: 7, completed: completed(first.calls.slice(0, 3), "answered") };
		const third = await sync(deps, H1, syncRequest(epoch, 3, { ...request, slots: { t1: 4 } }));
		expect({ calls: third.calls.length, reads: reads.length }).toEqual({ calls: 3, reads: 3 });
	});

	test("are as many as the whole trunk has room for, whatever the campaign could have", async () => {
		await putTrunk(deps, "t1", 6);
		await putHost(deps, "h1", 50);
		await putHost(deps, "h2", 50);
		await putCampaign(deps, 60, { trunk: "t1", maxChannels: 50 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		await sync(deps, H1, syncRequest(epoch, 1, { want: 4, slots: { t1: 4 } }));
		const H2 = { tenant: TENANT, hostId: "h2" };
		const other = await hello(deps, H2, { nonce: "nonce-0002" });
		reads = [];
		const answer = await sync(deps, H2, syncRequest(other.epoch, 1, { want: 50, slots: { t1: 10 } }));
		expect({ calls: answer.calls.length, reads: reads.length }).toEqual({ calls: 2, reads: 2 });
	});
});

describe("an outcome of the number, without a rule to try it again", () => {
	const putTwo = async (): Promise<void> => {
		await putTrunk(deps, "t1", 10);
		await putHost(deps, "h1", 10);
		await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10, retry: {} });
	};
	const giveNumbers = async (): Promise<void> => {
		for (const { shardKey, contactKey, number } of contactsOf()) {
			await update(deps.db, {
				TableName: "contacts",
				Key: { shardKey, contactKey },
				UpdateExpression: "SET nums = :nums, ni = :zero",
				ExpressionAttributeValues: { ":nums": [{ number }, { number: `${number}9` }], ":zero": 0 },
			});
		}
	};

	test("ends a contact with one number, which is not looked at for it", async () => {
		await putTwo();
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, H1, syncRequest(epoch, 1, { want: 2, slots: { t1: 2 } }));
		reads = [];
		const { refused } = await sync(deps, H1, syncRequest(epoch, 2, { completed: completed(calls, "noAnswer") }));
		expect({ refused, reads }).toEqual({ refused: [], reads: [] });
		expect(contactsOf().map(({ state, outcome }) => `${state} ${outcome}`)).toEqual(["done noAnswer", "done noAnswer"]);
	});

	test("goes on to the next number of a contact with several, and is counted once", async () => {
		await putTwo();
		await giveNumbers();
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const { calls } = await sync(deps, H1, syncRequest(epoch, 1, { want: 2, slots: { t1: 2 } }));
		const request = syncRequest(epoch, 2, { completed: completed(calls, "busy") });
		const { refused } = await sync(deps, H1, request);
		expect(refused).toEqual([]);
		for (const contact of contactsOf()) {
			expect(contact).toMatchObject({ state: "pending", attempt: 2, ni: 1 });
			expect(contact.number.endsWith("9")).toBe(true);
			expect(contact.hist?.["1"]).toMatchObject({ o: "busy", n: 0, fin: false });
		}
		// The campaign is known now: what it looks at first it need not try twice.
		const again = await sync(deps, H1, syncRequest(epoch, 3, { want: 2, slots: { t1: 2 } }));
		expect(again.calls).toHaveLength(2);
		await sync(deps, H1, syncRequest(epoch, 4, { completed: completed(again.calls, "busy") }));
		expect(contactsOf().map(({ state, outcome }) => `${state} ${outcome}`)).toEqual(["done busy", "done busy"]);
	});
});

describe("a claimed contact is read at half the price where an old copy shows the claim", () => {
	const claimed = { lease: "h1#1#1", ver: 2 };
	const key = { shardKey: "s", contactKey: "k" };
	const contact = { ...key, state: "claimed", ...claimed, number: "1", attempt: 1 };
	/** Answers eventually consistent reads with `copy`, others with the contact. */
	const readWith = async (copy: Record<string, unknown> | undefined) => {
		const asked: boolean[] = [];
		const db = {
			send: async ({ input }: { input: { ConsistentRead?: boolean } }) => {
				asked.push(input.ConsistentRead === true);
				return { Item: input.ConsistentRead ? contact : copy };
			},
		} as unknown as Deps["db"];
		const found = await readClaimed({ ...deps, db }, key, claimed);
		return { found, asked };
	};

	test("one that does is taken", async () => {
		expect(await readWith(contact)).toEqual({ found: contact, asked: [false] });
	});

	test.each([
		["from before the claim", { ...contact, state: "pending", ver: 1, lease: undefined }],
		["of an earlier claim by the same lease", { ...contact, ver: 1 }],
		["of another's claim", { ...contact, lease: "h2#1#1" }],
		["that is not there yet", undefined],
	])("one %s is read again strongly", async (_, copy) => {
		expect(await readWith(copy)).toEqual({ found: contact, asked: [false, true] });
	});
});

describe("a trunk's item stays small", () => {
	test("moments are whole microseconds, and the validity of a tight trunk's slots goes without saying", async () => {
		await putTrunk(deps, "t1", 100, 60);
		await putHost(deps, "h1", 50);
		await putCampaign(deps, 200, { trunk: "t1", maxChannels: 100 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		let last: CompletedCall[] = [];
		for (let seq = 1; seq <= 9; seq++) {
			const request = syncRequest(epoch, seq, { want: 3, slots: { t1: 3 }, slotLeadMs: 20.218_937, completed: last });
			const answer = await sync(deps, H1, request);
			last = completed(answer.calls, "answered");
			const [item] = dynamo.items<TrunkItem>("trunks").filter(({ trunkId }) => trunkId === "t1");
			expect(String(item?.nextDialAt)).toMatch(/^\d{13}(\.\d{1,3})?$/);
			expect(String(item?.a["h1"]?.at)).toMatch(/^\d{13}(\.\d{1,3})?$/);
			expect(item?.a["h1"]).not.toHaveProperty("valid");
			expect(answer.slotValidMs["t1"]).toBe(20);
			// A repeat has the same slots.
			expect((await sync(deps, H1, request)).slots).toEqual(answer.slots);
			now += 37;
		}
	});

	test("a wide trunk's validity is kept, and goes when its rate falls", async () => {
		await putTrunk(deps, "t1", 100, 500);
		await putHost(deps, "h1", 50);
		await putCampaign(deps, 20, { trunk: "t1", maxChannels: 100 });
		const { epoch } = await hello(deps, H1, { nonce: "nonce-0001" });
		const entry = () => dynamo.items<TrunkItem>("trunks").find(({ trunkId }) => trunkId === "t1")?.a["h1"];
		const wide = await sync(deps, H1, syncRequest(epoch, 1, { want: 3, slots: { t1: 3 } }));
		expect(entry()).toMatchObject({ valid: 500 });
		expect(wide.slotValidMs["t1"]).toBe(500);
		await update(deps.db, {
			TableName: "trunks",
			Key: { tenant: TENANT, trunkId: "t1" },
			UpdateExpression: "SET trunk.maxCps = :cps",
			ExpressionAttributeValues: { ":cps": 50 },
		});
		now += 1_000;
		const tight = await sync(deps, H1, syncRequest(epoch, 2, { want: 3, slots: { t1: 3 } }));
		expect(entry()).not.toHaveProperty("valid");
		expect(tight.slotValidMs["t1"]).toBe(20);
	});
});

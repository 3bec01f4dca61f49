import { expect, test } from "@jest/globals";
import { listCalls } from "../../../shared/campaigns/calls.ts";
import { update } from "../../../shared/store/db.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

test("a record says which of the contact's numbers was dialed, also that of the last call", async () => {
	let now = 1_700_000_000_000;
	const dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now });
	const deps = testDeps(dynamo.client(), () => now);
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	const { campaignId, contacts } = await putCampaign(deps, 1, { trunk: "t1", maxChannels: 10 });
	const nums = [
		{ number: "1000", kind: "home" },
		{ number: "2000", kind: "mobile" },
	];
	const [key] = contacts;
	if (!key) throw new Error("there is no contact");
	await update(deps.db, {
		TableName: deps.tables.contacts,
		Key: { ...key },
		UpdateExpression: "SET nums = :nums, ni = :first",
		ExpressionAttributeValues: { ":nums": nums, ":first": 0 },
	});
	const host = { tenant: TENANT, hostId: "h1" };
	const { epoch } = await hello(deps, host, { nonce: "nonce-0001" });
	const dialed: string[] = [];
	let completed: { callId: string; outcome: "busy" | "answered" }[] = [];
	for (const outcome of ["busy", "answered", "busy"] as const) {
		const seq = dialed.length + 1;
		const { calls } = await sync(deps, host, syncRequest(epoch, seq, { want: 5, slots: { t1: 5 }, completed }));
		dialed.push(calls[0]?.number ?? "");
		completed = calls.map(({ callId }) => ({ callId, outcome }));
		now += 1_000;
	}
	expect(dialed).toEqual(["1000", "2000", ""]);
	const { items } = await listCalls(deps, TENANT, campaignId, { limit: 10 });
	expect(items.map(({ number, kind, outcome }) => ({ number, kind, outcome }))).toEqual([
		{ ...nums[0], outcome: "busy" },
		{ ...nums[1], outcome: "answered" },
	]);
});

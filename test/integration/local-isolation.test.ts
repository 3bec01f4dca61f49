import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { eventually } from "../support/local-toy/eventually.ts";

/** Each function in a thread of its own, with no variables but those serverless.yml gives it. */
let stack: Stack;
let troubles = "";
beforeAll(async () => {
	stack = await startStack({
		asterisk: "simulated",
		capacity: 5,
		isolation: "apart",
		tickSec: 5,
		onOutput: (text) => {
			troubles += text
				.split("\n")
				.filter((line) => line.includes('"level":"error"'))
				.join("\n");
		},
	});
}, 120_000);
afterAll(async () => {
	await stack?.stop();
}, 60_000);

test("every function does its work with its own variables only", async () => {
	const made = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
		name: "apart",
		trunk: "carrier",
		then: { wait: 5 },
		contacts: [{ number: "10010000200001" }],
	});
	expect(made.status).toBe(201);
	const path = `/v1/campaigns/${made.body.campaignId}`;
	const added = await stack.client.request("POST", `${path}/contacts`, [{ number: "10010000200002" }]);
	expect(added.status).toBeLessThan(300);
	const list = "number\n10010000200005\n10010000200006\n";
	const upload = await stack.client.request<{ uploadId: string; uploadUrl: string; fields: Record<string, string> }>(
		"POST",
		`${path}/uploads`,
		{ bytes: list.length },
	);
	expect(upload.status).toBeLessThan(300);
	const form = new FormData();
	for (const [name, value] of Object.entries(upload.body.fields)) form.append(name, value);
	form.append("file", new Blob([list], { type: "text/csv" }), "list.csv");
	expect((await fetch(upload.body.uploadUrl, { method: "POST", body: form })).status).toBeLessThan(300);
	const completed = await stack.client.request("POST", `${path}/uploads/${upload.body.uploadId}/complete`);
	expect({ ...completed, ok: completed.status < 300 }).toMatchObject({ ok: true });
	const placed = await stack.client.request("POST", "/v1/calls", {
		trunk: "carrier",
		number: "10010000200003",
		then: { wait: 1 },
	});
	expect(placed.status).toBeLessThan(300);
	await eventually(async () => {
		const shown = await stack.client.request("GET", path);
		expect(shown.body).toMatchObject({ counts: { total: 4, done: 4 } });
	}, 60_000);

	const second = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
		name: "to be cancelled",
		trunk: "carrier",
		then: { wait: 5 },
		startAt: "2099-01-01T00:00:00Z",
		contacts: [{ number: "10010000200004" }],
	});
	const cancel = await stack.client.request("POST", `/v1/campaigns/${second.body.campaignId}/cancel`);
	expect(cancel.status).toBeLessThan(300);
	await eventually(async () => {
		const shown = await stack.client.request("GET", `/v1/campaigns/${second.body.campaignId}`);
		expect(shown.body).toMatchObject({ state: "cancelled", counts: { done: 1 } });
	}, 60_000);

	expect((await stack.client.request("GET", "/v1/health")).status).toBe(200);
	expect((await stack.client.request("GET", "/v1/fleet")).status).toBe(200);
	await stack.controlPlane.tick();
	const { invocations } = await stack.controlPlane.usage();
	await eventually(async () => {
		expect((await stack.controlPlane.usage()).invocations["recover-hosts"]).toBeGreaterThan(0);
	});
	expect(Object.keys(invocations)).toEqual(
		expect.arrayContaining(["sync-host", "tick-minute", "sweep-campaigns", "import-contacts"]),
	);
	expect(troubles).toBe("");
}, 200_000);

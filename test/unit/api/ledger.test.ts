import { expect, test } from "@jest/globals";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { startApi, US_TRUNK } from "./harness.ts";

const start = (settings: Parameters<typeof startApi>[1] = {}) => startApi(new MemoryDynamo().client(), settings);

test.each([
	["tomorrow", "is no day"],
	["2026-02-30", "is no day"],
	["2026-11-3", "is no day"],
	["2026-11-03", "has not begun"],
])("%s %s", async (day, message) => {
	const api = await start();
	const { status, body } = await api.call("GET", `/v1/ledger/${day}`);
	expect(status).toBe(400);
	expect((body["error"] as { message: string }).message).toContain(message);
});

test("a day without anything costs what stands all the time, and that is nobody's", async () => {
	const api = await start();
	const { status, body } = await api.call("GET", "/v1/ledger/today");
	expect(status).toBe(200);
	expect(body).toMatchObject({
		day: "2026-11-02",
		until: "2026-11-02T10:00:00.000Z",
		campaigns: [],
		notCounted: ["steady", "carrier"],
	});
	const lines = body["lines"] as { item: string; usd: number; unattributedUsd: number }[];
	for (const { usd, unattributedUsd } of lines) expect(unattributedUsd).toBe(usd);
	const listed = await api.call("GET", "/v1/ledger");
	const items = listed.body["items"] as { day: string; usd: number }[];
	expect(items).toHaveLength(31);
	expect(items[0]).toEqual({ day: "2026-11-02", usd: body["usd"] });
});

test("a price that is missing is named, and a campaign is shown all the same", async () => {
	const api = await start({ awsRegion: "ap-south-2" });
	for (const path of ["/v1/ledger", "/v1/ledger/today"]) {
		const { status, body } = await api.call("GET", path);
		expect(status).toBe(422);
		expect(body).toMatchObject({ error: { code: "price", message: expect.stringContaining("ec2.gp3 in ap-south-2") } });
	}
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
	const made = await api.call("POST", "/v1/campaigns", {
		body: { name: "n", trunk: "carrier-a", then: { wait: 1 }, contacts: [{ number: "+12025550123" }] },
	});
	expect(made.status).toBe(201);
	const { status, body } = await api.call("GET", `/v1/campaigns/${made.body["campaignId"]}`);
	expect(status).toBe(200);
	expect(body).toMatchObject({ cost: null, costProblem: expect.stringContaining("ec2.gp3") });
});

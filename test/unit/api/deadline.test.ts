import { beforeEach, describe, expect, test } from "@jest/globals";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { type Api, startApi, US_TRUNK, usNumber } from "./harness.ts";

let api: Api;
beforeEach(async () => {
	api = await startApi(new MemoryDynamo().client());
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
});

/** The clock of the harness stands at 2026-11-02T10:00:00Z. */
const create = (over: Record<string, unknown>) =>
	api.call("POST", "/v1/campaigns", {
		body: { name: "storm", trunk: "carrier-a", contacts: [{ number: usNumber(1) }], then: { wait: 1 }, ...over },
		headers: { "idempotency-key": JSON.stringify(over).replaceAll(/[^a-z0-9]/gi, "") || "none" },
	});
const view = async (campaignId: string) => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
const patch = (campaignId: string, body: Record<string, unknown>) =>
	api.call("PATCH", `/v1/campaigns/${campaignId}`, { body });

describe("a campaign's deadline, and whether its calls may be dropped", () => {
	test("are kept and shown", async () => {
		const { status, body } = await create({ deadline: "2026-11-02T14:00:00+02:00", allowDroppedCalls: true });
		expect(status).toBe(201);
		expect(await view(body.campaignId)).toMatchObject({
			deadline: "2026-11-02T12:00:00.000Z",
			allowDroppedCalls: true,
		});
	});
	test("are none and no where they are not given", async () => {
		const { body } = await create({});
		expect(await view(body.campaignId)).toMatchObject({ deadline: null, allowDroppedCalls: false });
	});
	test.each([
		["in the past", { deadline: "2026-11-02T09:59:59Z" }, 422, /in the past \(it is 2026-11-02T10:00:00.000Z now\)/],
		["now", { deadline: "2026-11-02T10:00:00Z" }, 422, /in the past/],
		["before startAt", { startAt: "2026-11-02T12:00:00Z", deadline: "2026-11-02T11:00:00Z" }, 422, /not after startAt/],
		["at startAt", { startAt: "2026-11-02T12:00:00Z", deadline: "2026-11-02T12:00:00Z" }, 422, /not after startAt/],
		["no time at all", { deadline: "tomorrow" }, 400, /deadline/],
		["taken away at once", { deadline: null }, 400, /deadline/],
		["with drops in words", { allowDroppedCalls: "yes" }, 400, /allowDroppedCalls/],
	])("a deadline %s is refused, and nothing is stored", async (_what, over, status, message) => {
		const answer = await create(over);
		expect(answer.status).toBe(status);
		expect(answer.body.error.message).toMatch(message);
		expect((await api.call("GET", "/v1/campaigns")).body.items).toEqual([]);
	});
	test("the deadline can be changed and taken away, also beside other fields", async () => {
		const { campaignId } = (await create({ deadline: "2026-11-02T12:00:00Z" })).body;
		expect((await patch(campaignId, { deadline: "2026-11-02T13:00:00Z" })).body.deadline).toBe(
			"2026-11-02T13:00:00.000Z",
		);
		expect((await patch(campaignId, { deadline: null, name: "calm" })).body).toMatchObject({
			deadline: null,
			name: "calm",
		});
		expect(await view(campaignId)).toMatchObject({ deadline: null, name: "calm" });
	});
	test("a change to one that nothing could meet is refused and changes nothing", async () => {
		const { campaignId } = (await create({ deadline: "2026-11-02T12:00:00Z" })).body;
		expect(await patch(campaignId, { deadline: "2026-11-01T12:00:00Z", name: "calm" })).toMatchObject({
			status: 422,
			body: { error: { code: "deadlineNotPossible", details: [{ path: "deadline", message: "is in the past" }] } },
		});
		expect(await view(campaignId)).toMatchObject({ deadline: "2026-11-02T12:00:00.000Z", name: "storm" });
		expect((await patch(campaignId, { allowDroppedCalls: true })).status).toBe(400);
	});
});

import { expect, test } from "@jest/globals";
import { reasonWords } from "../../../shared/campaigns/explain-words.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { startApi, US_TRUNK } from "./harness.ts";

const start = async () => {
	const api = await startApi(new MemoryDynamo().client());
	await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK });
	return api;
};
const campaign = (more: Record<string, unknown>) => ({
	...{ name: "n", trunk: "carrier-a", then: { wait: 1 }, contacts: [{ number: "+12025550123" }] },
	...more,
});
const messages = (body: Record<string, unknown>): string =>
	JSON.stringify((body["error"] as { details: unknown }).details);

test("a campaign is made with a budget, shows it, and has it changed and taken away", async () => {
	const api = await start();
	const made = await api.call("POST", "/v1/campaigns", { body: campaign({ budget: { usd: 50 } }) });
	expect(made.status).toBe(201);
	const path = `/v1/campaigns/${made.body["campaignId"]}`;
	const shown = async () => (await api.call("GET", path)).body["budget"];
	expect(await shown()).toEqual({ usd: 50, atLimit: "pause", level: "ok" });
	const patch = { budget: { usd: 60, usdPerDay: 20, atLimit: "noNewHosts" } };
	expect((await api.call("PATCH", path, { body: patch })).status).toBe(200);
	expect(await shown()).toEqual({ ...patch.budget, level: "ok" });
	expect((await api.call("PATCH", path, { body: { budget: null } })).status).toBe(200);
	expect(await shown()).toBeNull();
});

test.each([
	[{ usd: -1 }, "must be above 0"],
	[{ atLimit: "pause" }, "needs `usd`, `usdPerDay` or both"],
	[{ usd: 5, atLimit: "explode" }, "`noNewHosts`"],
	[{ usd: "5" }, "a number of US dollars"],
])("a budget %j is refused, at a campaign's making and at a change", async (budget, why) => {
	const api = await start();
	const made = await api.call("POST", "/v1/campaigns", { body: campaign({ budget }) });
	expect([made.status, messages(made.body)]).toEqual([400, expect.stringContaining(why)]);
	const good = await api.call("POST", "/v1/campaigns", { body: campaign({}) });
	const changed = await api.call("PATCH", `/v1/campaigns/${good.body["campaignId"]}`, { body: { budget } });
	expect([changed.status, messages(changed.body)]).toEqual([400, expect.stringContaining(why)]);
});

test("the budget of the day: none, set, replaced, refused, taken away", async () => {
	const api = await start();
	const none = await api.call("GET", "/v1/budget");
	expect(none.status).toBe(404);
	expect((none.body["error"] as { message: string }).message).toContain("burst-dialer budget set");
	expect((await api.call("DELETE", "/v1/budget")).status).toBe(404);
	const set = await api.call("PUT", "/v1/budget", { body: { usdPerDay: 100 } });
	expect([set.status, set.body]).toEqual([
		200,
		expect.objectContaining({ usdPerDay: 100, atLimit: "pause", level: "ok" }),
	]);
	await api.call("PUT", "/v1/budget", { body: { usdPerDay: 50, atLimit: "noNewHosts" } });
	const wrong = await api.call("PUT", "/v1/budget", { body: { usdPerDay: 0 } });
	expect([wrong.status, messages(wrong.body)]).toEqual([400, expect.stringContaining("above 0")]);
	expect((await api.call("GET", "/v1/budget")).body).toMatchObject({
		usdPerDay: 50,
		atLimit: "noNewHosts",
		checkedAt: null,
	});
	expect((await api.call("DELETE", "/v1/budget")).status).toBe(200);
	expect((await api.call("GET", "/v1/budget")).status).toBe(404);
});

test("a campaign that a budget paused says so where people look for why it does not dial", () => {
	const facts = { now: 0, campaignId: "c" };
	expect(reasonWords("paused", { ...facts, detail: "$50.00 of $50.00 are spent" })).toContain(
		"paused by a budget: $50.00 of $50.00 are spent",
	);
	expect(reasonWords("paused", facts)).toBe("wait because the campaign is paused");
});

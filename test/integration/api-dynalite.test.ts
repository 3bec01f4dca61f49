import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { CalleeLimits } from "../../shared/callees/decide-call.ts";
import { limitsFor } from "../../shared/callees/limits.ts";
import { releaseCall, reserveCall } from "../../shared/callees/reserve-call.ts";
import { callingRules } from "../../shared/suppression/calling-policy.ts";
import { readSuppression } from "../../shared/suppression/read-suppression.ts";
import { suppressedBy } from "../../shared/suppression/suppressed-by.ts";
import { listTokens, revokeToken } from "../../shared/tokens/tokens.ts";
import { startDynalite } from "../support/dynalite.ts";
import { PROJECT_TABLES } from "../support/memory-dynamo.ts";
import { type Api, startApi, TENANT, US_TRUNK, usNumber } from "../unit/api/harness.ts";

/** The same functions through the SDK's client against another emulation of DynamoDB: every statement is taken there too. */

let stop: () => Promise<void>;
let api: Api;

beforeAll(async () => {
	const dynalite = await startDynalite(PROJECT_TABLES);
	stop = dynalite.stop;
	api = await startApi(dynalite.db, { importChunkRows: 100 });
});
afterAll(() => stop());

const view = async (campaignId: string) => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;

test("a campaign from its trunk to its end", async () => {
	const headers = { "idempotency-key": "k" };
	expect((await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK })).status).toBe(201);
	expect((await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...US_TRUNK, maxChannels: 80 } })).status).toBe(200);

	const body = {
		name: "n",
		trunk: "carrier-a",
		then: { wait: 5 },
		contacts: Array.from({ length: 150 }, (_, n) => ({ number: usNumber(n), vars: { n: String(n) } })),
	};
	const made = await api.call("POST", "/v1/campaigns", { body, headers });
	expect(made).toMatchObject({ status: 201, body: { state: "running", contacts: { accepted: 150 } } });
	expect((await api.call("POST", "/v1/campaigns", { body, headers })).body).toEqual(made.body);
	const { campaignId } = made.body;

	const csv = ["number,name", ...Array.from({ length: 400 }, (_, n) => `${usNumber(n)},Ann`), "x,y"].join("\n");
	const form = await api.call("POST", `/v1/campaigns/${campaignId}/uploads`, { body: { bytes: csv.length } });
	api.objects.stored.set(form.body.fields.key, Buffer.from(csv));
	await api.call("POST", `/v1/campaigns/${campaignId}/uploads/${form.body.uploadId}/complete`);
	expect(await api.deliver("imports")).toBe(0);
	expect(await view(campaignId)).toMatchObject({
		state: "running",
		counts: { total: 400 },
		channels: { live: 0, cap: 80 },
	});
	const upload = (await view(campaignId)).imports.find((item: { importId: string }) => item.importId !== campaignId);
	expect(upload).toMatchObject({ accepted: 250, duplicates: 150, rejectedCount: 1 });

	expect((await api.call("PATCH", `/v1/campaigns/${campaignId}`, { body: { maxChannels: 7 } })).status).toBe(200);
	expect((await view(campaignId)).channels).toEqual({ live: 0, cap: 7 });
	for (const what of ["pause", "resume", "cancel"]) {
		expect((await api.call("POST", `/v1/campaigns/${campaignId}/${what}`)).status).toBe(200);
	}
	expect(await api.deliver("sweeps")).toBe(0);
	expect(await view(campaignId)).toMatchObject({
		state: "cancelled",
		swept: true,
		counts: { total: 400, pending: 0, inProgress: 0, done: 400 },
		outcomes: { cancelled: 400 },
	});
	expect((await api.call("GET", "/v1/campaigns")).body).toMatchObject({ items: [{ campaignId }], cursor: null });
	expect((await api.call("GET", `/v1/campaigns/${campaignId}/calls`)).body).toEqual({ items: [], cursor: null });

	const from = { campaignId, outcomes: ["cancelled", "busy"] };
	const again = await api.call("POST", "/v1/campaigns", { body: { ...body, contacts: undefined, from } });
	expect(again).toMatchObject({ status: 201, body: { state: "importing" } });
	expect(await api.deliver("imports")).toBe(0);
	expect(await view(again.body.campaignId)).toMatchObject({
		state: "running",
		from,
		counts: { total: 400, pending: 400 },
		imports: [{ state: "done", accepted: 400, duplicates: 0, rejectedCount: 0 }],
	});
	await api.tick();
	expect((await api.deliver("sweeps")) + (await api.deliver("recovery"))).toBe(0);
});

test("suppression lists, an opt-out and the calls to a number", async () => {
	const list = "/v1/suppression/dnc";
	const [one, two] = [usNumber(1), usNumber(2)];
	expect((await api.call("PUT", list, { body: { scope: "named" } })).status).toBe(201);
	const register = { scope: ["marketing"], kind: "register", maxAgeDays: 10 };
	expect((await api.call("PUT", list, { body: register })).body).toMatchObject({ maxAgeDays: 10, stale: true });
	const add = () => api.call("POST", `${list}/numbers`, { body: [one, two] });
	expect((await add()).body).toMatchObject({ added: 2, already: 0, complete: true });
	expect((await add()).body).toMatchObject({ added: 0, already: 2 });
	expect((await api.call("DELETE", `${list}/numbers/${two}`)).status).toBe(200);
	expect((await api.call("DELETE", `${list}/numbers/${two}`)).status).toBe(404);
	for (const status of [201, 200]) {
		expect((await api.call("POST", "/v1/opt-outs", { body: { number: one, note: "n" } })).status).toBe(status);
	}
	expect((await api.call("GET", "/v1/suppression")).body.items).toMatchObject([
		{ name: "dnc", count: 1, ageDays: 0, stale: false },
		{ name: "opt-outs", count: 1 },
	]);
	const policy = { calleeLimit: { max: 2, perHours: 24 } };
	expect((await api.call("PUT", "/v1/calling-policy", { body: policy })).body).toEqual(policy);
	const limits = limitsFor((await callingRules(api.deps, TENANT)).policy, undefined, []) as CalleeLimits;
	const reserve = (tag: string) => reserveCall(api.deps, TENANT, one, limits, tag);
	const answers = await Promise.all(["a", "b", "c"].map(reserve));
	expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
	for (const tag of ["a", "b", "c"]) await releaseCall(api.deps, TENANT, one, tag);
	expect(await reserve("d")).toEqual({ ok: true });
	expect((await api.call("GET", `/v1/suppression/numbers/${one}`)).body).toMatchObject({
		lists: [{ list: "dnc" }, { list: "opt-outs", note: "n" }],
		calls: [new Date(api.clock.now).toISOString()],
		waitUntil: null,
	});
	expect((await api.call("DELETE", list)).status).toBe(200);
	const { lists, numbers } = await readSuppression(api.deps, TENANT, [one, two]);
	expect(suppressedBy(numbers.get(one), lists, {})?.list).toBe("opt-outs");
	expect(suppressedBy(numbers.get(two), lists, {})).toBeUndefined();
});

test("hosts, fleet and tokens", async () => {
	const made = await api.call("POST", "/v1/hosts", { body: { hostId: "h1" } });
	const { token } = made.body;
	expect((await api.call("POST", "/v1/hosts/h1/hello", { token, body: { nonce: "12345678" } })).body.epoch).toBe(1);
	expect((await api.call("GET", "/v1/hosts/h1/peek", { token })).status).toBe(200);
	expect((await api.call("GET", "/v1/fleet")).body).toMatchObject({ capacity: 120, hosts: [{ state: "active" }] });
	const tokens = await listTokens(api.deps, TENANT);
	expect(tokens).toHaveLength(2);
	expect(JSON.stringify(tokens)).not.toMatch(/tokenHash|bd_/);
	const host = tokens.find((item) => item.hostId === "h1");
	expect(await revokeToken(api.deps, TENANT, host?.tokenId ?? "")).toBe(true);
	expect(await revokeToken(api.deps, "other", host?.tokenId ?? "")).toBe(false);
	api.clock.now += 11_000;
	expect((await api.call("GET", "/v1/hosts/h1/peek", { token })).status).toBe(401);
});

test("own prices, and a plan that counts with them", async () => {
	const own = { currency: "USD", date: "2026-11-01", carrier: { usdPerMin: 0.004, incrementSec: 60 } };
	expect((await api.call("GET", "/v1/prices")).status).toBe(404);
	const reply = await api.call("PUT", "/v1/prices", { body: own });
	expect(reply).toMatchObject({ status: 200, body: own });
	expect((await api.call("GET", "/v1/prices")).body).toEqual(reply.body);
	const plan = { kind: "campaign", contacts: 1_000, withinSec: 3_600, answerRate: 0.5, talkSec: 61 };
	expect((await api.call("POST", "/v1/plan", { body: plan })).body.carrierUsd).toBe(4);
});

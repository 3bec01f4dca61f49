import { afterAll, beforeAll, expect, test } from "@jest/globals";
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

import { beforeEach, describe, expect, test } from "@jest/globals";
import type { ContactItem } from "../../shared/store/items.ts";
import { MemoryDynamo } from "../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, startApi, US_TRUNK, usNumber } from "../unit/api/harness.ts";

let dynamo: MemoryDynamo;
let api: Api;

const campaign = (over: Record<string, unknown> = {}) => ({
	name: "storm warning",
	trunk: "carrier-a",
	then: { wait: 5 },
	contacts: [{ number: usNumber(123), id: "c-1", vars: { name: "x" } }, { number: usNumber(124) }],
	...over,
});
const create = async (over: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
	api.call("POST", "/v1/campaigns", { body: campaign(over), headers });
const contacts = () => dynamo.items<ContactItem>("contacts");

beforeEach(async () => {
	dynamo = new MemoryDynamo();
	api = await startApi(dynamo.client());
	expect((await api.call("PUT", "/v1/trunks/carrier-a", { body: US_TRUNK })).status).toBe(201);
	expect((await api.call("PUT", "/v1/trunks/private", { body: PRIVATE_TRUNK })).status).toBe(201);
});

describe("POST /v1/campaigns", () => {
	test("stores the list and runs at once", async () => {
		const made = await create();
		expect(made).toMatchObject({
			status: 201,
			body: { state: "running", contacts: { accepted: 2, rejected: [], duplicates: 0 } },
		});
		const { campaignId } = made.body;
		expect(
			contacts()
				.map((item) => [item.contactId, item.number, item.state, item.ver, item.attempt])
				.sort(),
		).toEqual([
			[usNumber(124), usNumber(124), "pending", 1, 1],
			["c-1", usNumber(123), "pending", 1, 1],
		]);
		expect(dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" })?.["c"]).toEqual({
			[campaignId]: { cap: 100, free: 100 },
		});
		const shown = await api.call("GET", `/v1/campaigns/${campaignId}`);
		expect(shown.body).toMatchObject({
			state: "running",
			counts: { total: 2, pending: 2, inProgress: 0, done: 0 },
			outcomes: {},
			attempts: 0,
			channels: { live: 0, cap: 100 },
			imports: [{ state: "done", accepted: 2, chunks: { known: 1, stored: 1, final: true } }],
			startedAt: new Date(api.clock.now).toISOString(),
		});
	});

	test("keeps the order of the list in dueAt, exactly", async () => {
		const many = Array.from({ length: 400 }, (_, n) => ({ number: usNumber(n) }));
		await create({ contacts: many });
		const inOrder = contacts().sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
		expect(inOrder.map((item) => item.number)).toEqual(many.map((row) => row.number));
		expect(new Set(inOrder.map((item) => item.dueAt)).size).toBe(400);
	});

	test("names bad rows and duplicates, and takes the others", async () => {
		const made = await create({
			contacts: [
				{ number: "12025550123" },
				{ number: usNumber(1) },
				{ number: usNumber(1) },
				{ number: "+19005550123" },
				"nonsense",
				{ number: usNumber(2), colour: "red" },
			],
		});
		expect(made.status).toBe(201);
		expect(made.body.contacts).toMatchObject({ accepted: 1, duplicates: 1, rejectedCount: 4 });
		expect(made.body.contacts.rejected.map((row: { line: number }) => row.line)).toEqual([1, 4, 5, 6]);
		expect(made.body.contacts.rejected[0]).toEqual({
			line: 1,
			number: "12025550123",
			reason: "number: is not E.164: + and 8 to 15 digits",
		});
		expect(made.body.contacts.rejected[1].reason).toContain("premium-rate");
		expect(made.body.contacts.rejected[3].reason).toContain("colour");
	});

	test("waits for its time, then is started by the tick", async () => {
		const startAt = new Date(api.clock.now + 3_600_000).toISOString();
		const made = await create({ startAt });
		expect(made.body.state).toBe("scheduled");
		expect(contacts().every((item) => (item.dueAt ?? 0) >= Date.parse(startAt))).toBe(true);
		await api.tick();
		await api.deliver("sweeps");
		expect((await api.call("GET", `/v1/campaigns/${made.body.campaignId}`)).body.state).toBe("scheduled");
		api.clock.now += 3_600_001;
		await api.tick();
		await api.deliver("sweeps");
		expect((await api.call("GET", `/v1/campaigns/${made.body.campaignId}`)).body.state).toBe("running");
	});

	test("without contacts waits for a list", async () => {
		const made = await create({ contacts: undefined });
		expect(made.body).toMatchObject({ state: "importing", contacts: { accepted: 0 } });
		const added = await api.call("POST", `/v1/campaigns/${made.body.campaignId}/contacts`, {
			body: [{ number: usNumber(5) }],
		});
		expect(added).toMatchObject({ status: 201, body: { state: "done", accepted: 1 } });
		expect((await api.call("GET", `/v1/campaigns/${made.body.campaignId}`)).body.state).toBe("running");
	});
});

describe("Idempotency-Key", () => {
	const key = { "idempotency-key": "k-1" };
	test("the same request gets the first answer and creates nothing more", async () => {
		const first = await create({}, key);
		const again = await create({}, key);
		expect(again.body).toEqual(first.body);
		expect(contacts()).toHaveLength(2);
	});
	test("another body is refused", async () => {
		await create({}, key);
		expect(await create({ name: "other" }, key)).toMatchObject({
			status: 409,
			body: { error: { code: "idempotencyConflict" } },
		});
	});
	test("after a day the key is free again", async () => {
		const first = await create({}, key);
		api.clock.now += 24 * 3_600_000 + 1_000;
		const later = await create({ name: "other" }, key);
		expect(later.status).toBe(201);
		expect(later.body.campaignId).not.toBe(first.body.campaignId);
	});
	test("two at once create one campaign", async () => {
		const [a, b] = await Promise.all([create({}, key), create({}, key)]);
		expect(a.body).toEqual(b.body);
		expect(contacts()).toHaveLength(2);
	});
	test("hosts: a lost answer is repeated with a new token, the old one is void", async () => {
		const enrol = () => api.call("POST", "/v1/hosts", { body: { hostId: "h1" }, headers: key });
		const first = await enrol();
		const again = await enrol();
		expect([first.status, again.status]).toEqual([201, 201]);
		expect(again.body.token).not.toBe(first.body.token);
		const config = (token: string) => api.call("GET", "/v1/hosts/h1/config", { token });
		expect((await config(again.body.token)).status).toBe(200);
		expect((await config(first.body.token)).status).toBe(401);
		expect(JSON.stringify(dynamo.items("idempotency"))).not.toContain(again.body.token);
		expect(JSON.stringify(dynamo.items("tokens"))).not.toContain(again.body.token);
		expect(await api.call("POST", "/v1/hosts", { body: { hostId: "h1" } })).toMatchObject({
			status: 409,
			body: { error: { code: "hostExists" } },
		});
	});
});

describe("states", () => {
	const change = (id: string, what: string) => api.call("POST", `/v1/campaigns/${id}/${what}`);
	test("pause, resume, cancel; repeats change nothing; what is impossible says what is possible", async () => {
		const { campaignId } = (await create()).body;
		for (const [what, state] of [
			["pause", "paused"],
			["pause", "paused"],
			["resume", "running"],
			["resume", "running"],
			["cancel", "cancelled"],
			["cancel", "cancelled"],
		] as const) {
			expect(await change(campaignId, what)).toMatchObject({ status: 200, body: { state } });
		}
		expect(await change(campaignId, "resume")).toMatchObject({
			status: 409,
			body: { error: { code: "notPossible", state: "cancelled" } },
		});
		expect(await change("0".repeat(16), "pause")).toMatchObject({ status: 404 });
	});

	test("a cancelled campaign's contacts are all ended, and it leaves its trunk", async () => {
		const { campaignId } = (await create()).body;
		await change(campaignId, "cancel");
		expect(api.waiting.sweeps).toHaveLength(1);
		await api.deliver("sweeps");
		expect(contacts().map((item) => [item.state, item.outcome, item.dueAt])).toEqual([
			["done", "cancelled", undefined],
			["done", "cancelled", undefined],
		]);
		const shown = (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
		expect(shown).toMatchObject({
			state: "cancelled",
			swept: true,
			outcomes: { cancelled: 2 },
			counts: { pending: 0 },
		});
		expect(dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" })?.["c"]).toEqual({});
		await api.tick();
		await api.deliver("sweeps");
		expect(dynamo.items("campaigns").some((item) => item["campaign"] === "default#open")).toBe(false);
	});

	test("the sweep waits for what hosts hold and is repeated by the tick", async () => {
		const { campaignId } = (await create()).body;
		const [held] = contacts();
		if (!held) throw new Error("no contact");
		const item = dynamo.peek<ContactItem>("contacts", { shardKey: held.shardKey, contactKey: held.contactKey });
		Object.assign(item as ContactItem, { state: "claimed", lease: "h1#1#1", ver: 2 });
		await change(campaignId, "cancel");
		await api.deliver("sweeps");
		expect((await api.call("GET", `/v1/campaigns/${campaignId}`)).body.swept).toBe(false);
		Object.assign(item as ContactItem, { state: "pending", ver: 3 });
		await api.tick();
		await api.deliver("sweeps");
		expect((await api.call("GET", `/v1/campaigns/${campaignId}`)).body.swept).toBe(true);
		expect(contacts().every((contact) => contact.state === "done")).toBe(true);
	});

	test("a pause while the list is on its way holds until resume", async () => {
		const { campaignId } = (await create({ contacts: undefined })).body;
		expect((await change(campaignId, "pause")).body).toMatchObject({ state: "paused", pausedFrom: "importing" });
		await api.call("POST", `/v1/campaigns/${campaignId}/contacts`, { body: [{ number: usNumber(5) }] });
		expect((await api.call("GET", `/v1/campaigns/${campaignId}`)).body).toMatchObject({
			state: "paused",
			pausedFrom: "running",
		});
		expect((await change(campaignId, "resume")).body.state).toBe("running");
	});

	test("PATCH moves the cap on the trunk by the difference", async () => {
		const { campaignId } = (await create({ maxChannels: 10 })).body;
		const entry = () => (dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" }) as never)["c"][campaignId];
		Object.assign(entry(), { free: 4 });
		const patched = await api.call("PATCH", `/v1/campaigns/${campaignId}`, { body: { maxChannels: 3, name: "new" } });
		expect(patched).toMatchObject({ status: 200, body: { maxChannels: 3, name: "new" } });
		expect(entry()).toEqual({ cap: 3, free: -3 });
		expect(await api.call("PATCH", `/v1/campaigns/${campaignId}`, { body: {} })).toMatchObject({ status: 400 });
		expect(await api.call("PATCH", `/v1/campaigns/${campaignId}`, { body: { webhook: {} } })).toMatchObject({
			status: 422,
			body: { error: { code: "notBuilt", details: [{ path: "webhook" }] } },
		});
		expect(
			await api.call("PATCH", `/v1/campaigns/${campaignId}`, { body: { callerId: "+13025550100" } }),
		).toMatchObject({ status: 422 });
	});

	test("PATCH takes either one caller id or several, and puts the one in the place of the other", async () => {
		const [callerId] = US_TRUNK.callerIds;
		const { campaignId } = (await create({ callerId })).body;
		const patch = (body: unknown) => api.call("PATCH", `/v1/campaigns/${campaignId}`, { body });
		expect(await patch({ callerId, callerIds: [callerId] })).toMatchObject({
			status: 400,
			body: { error: { details: [{ path: "callerId", message: "and `callerIds` exclude each other" }] } },
		});
		const several = await patch({ callerIds: [callerId], maxCps: 3, window: { from: "09:00", to: "18:00" } });
		expect(several).toMatchObject({ status: 200, body: { callerId: null, callerIds: [callerId], maxCps: 3 } });
		const one = await patch({ callerId, maxCps: null, window: null });
		expect(one).toMatchObject({ status: 200, body: { callerId, maxCps: null, window: null } });
		expect(one.body.callerIds).toBeUndefined();
	});

	test("rules that were not applied because of the purpose are shown, with whose campaign it is", async () => {
		const { campaignId } = (await create({ purpose: "emergency" })).body;
		const shown = async () => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body.exemptions;
		expect(await shown()).toEqual([]);
		const meta = dynamo.peek("campaigns", { campaign: `default#${campaignId}`, kind: "META" });
		Object.assign(meta?.["exemptions"] as object, {
			"us-fl-hours": { at: 1_000, tokenId: "tok-1" },
			"us-federal-hours": { at: 2_000 },
		});
		expect(await shown()).toEqual([
			{ rule: "us-federal-hours", at: "1970-01-01T00:00:02.000Z", tokenId: null },
			{ rule: "us-fl-hours", at: "1970-01-01T00:00:01.000Z", tokenId: "tok-1" },
		]);
	});
});

describe("trunks", () => {
	test("PUT creates, replaces, moves cap and free together and bumps the version", async () => {
		const item = () => dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" }) as Record<string, number>;
		const version = () => dynamo.peek("trunks", { tenant: "default", trunkId: "#config" })?.["version"];
		const before = Number(version());
		Object.assign(item(), { free: 40 });
		const put = await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...US_TRUNK, maxChannels: 30 } });
		expect(put).toMatchObject({
			status: 200,
			body: { id: "carrier-a", countries: ["US"], channels: { cap: 30, granted: 60 } },
		});
		expect([item()["cap"], item()["free"]]).toEqual([30, -30]);
		expect(version()).toBe(before + 1);
	});
	test("campaigns without a cap of their own follow the trunk's", async () => {
		const follows = (await create()).body.campaignId;
		const own = (await create({ maxChannels: 20 })).body.campaignId;
		await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...US_TRUNK, maxChannels: 200 } });
		const c = dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" })?.["c"];
		expect(c).toEqual({ [follows]: { cap: 200, free: 200 }, [own]: { cap: 20, free: 20 } });
	});
	test("numbering cannot change under a campaign", async () => {
		await create();
		expect(await api.call("PUT", "/v1/trunks/carrier-a", { body: PRIVATE_TRUNK })).toMatchObject({
			status: 409,
			body: { error: { code: "trunkInUse" } },
		});
	});
	test("GET says how fast each is used: less where it refused calls lately", async () => {
		const cps = async () =>
			(await api.call("GET", "/v1/trunks")).body.items.map((trunk: { cps: unknown }) => trunk.cps);
		const { maxCps } = US_TRUNK;
		const now = { max: maxCps, now: maxCps };
		expect(await cps()).toEqual([now, { max: PRIVATE_TRUNK.maxCps, now: PRIVATE_TRUNK.maxCps }]);
		const item = dynamo.peek("trunks", { tenant: "default", trunkId: "carrier-a" }) as object;
		Object.assign(item, { pace: { f: 1 / 3, at: api.clock.now } });
		expect((await cps())[0]).toEqual({ max: maxCps, now: Math.round((maxCps / 3) * 100) / 100 });
		api.clock.now += 60_000;
		expect((await cps())[0]).toEqual(now);
	});
	test("GET lists trunks, not the configuration's version", async () => {
		const { body } = await api.call("GET", "/v1/trunks");
		expect(body.items.map((trunk: { id: string }) => trunk.id)).toEqual(["carrier-a", "private"]);
	});
});

describe("hosts and fleet", () => {
	test("enrol, drain, undrain, fleet", async () => {
		await api.call("POST", "/v1/hosts", { body: { hostId: "h1", capacity: 30 } });
		expect((await api.call("GET", "/v1/hosts")).body.items).toMatchObject([
			{ hostId: "h1", state: "new", capacity: 30, live: 0, lastSeenAt: null, drainWanted: false },
		]);
		expect((await api.call("POST", "/v1/hosts/h1/drain")).body).toMatchObject({ state: "new", drainWanted: true });
		expect((await api.call("POST", "/v1/hosts/h1/undrain")).body).toMatchObject({ drainWanted: false });
		const host = dynamo.peek("hosts", { tenant: "default", hostId: "h1" });
		Object.assign(host as object, { state: "active", live: 7 });
		expect((await api.call("GET", "/v1/fleet")).body).toMatchObject({
			capacity: 30,
			live: 7,
			tiers: { steady: { capacity: 30, live: 7, granted: 0 }, burst: { capacity: 0 } },
			hosts: [{ hostId: "h1", state: "active" }],
		});
		expect((await api.call("POST", "/v1/hosts/h1/drain")).body).toMatchObject({ state: "draining" });
		expect((await api.call("GET", "/v1/fleet")).body.capacity).toBe(0);
		expect((await api.call("POST", "/v1/hosts/h1/undrain")).body).toMatchObject({ state: "active" });
		expect((await api.call("POST", "/v1/hosts/nobody/drain")).status).toBe(404);
	});
});

describe("calls and lists", () => {
	test("a test call is a campaign of one contact that is not listed", async () => {
		const placed = await api.call("POST", "/v1/calls", {
			body: { trunk: "private", number: "4711", callerId: "99", then: { wait: 3 } },
		});
		expect(placed).toMatchObject({ status: 201, body: { state: "running" } });
		expect(contacts()).toMatchObject([{ number: "4711", state: "pending" }]);
		expect((await api.call("GET", "/v1/campaigns")).body.items).toEqual([]);
		expect((await api.call("GET", `/v1/campaigns/${placed.body.campaignId}`)).status).toBe(200);
	});
	test("campaigns are listed newest first, in pages", async () => {
		const ids: string[] = [];
		for (let i = 0; i < 5; i++) {
			api.clock.now += 1_000;
			ids.unshift((await create({ name: `n${i}` })).body.campaignId);
		}
		const seen: string[] = [];
		let cursor: string | null = null;
		do {
			const page: { body: { items: { campaignId: string }[]; cursor: string | null } } = await api.call(
				"GET",
				`/v1/campaigns?limit=2${cursor ? `&cursor=${cursor}` : ""}`,
			);
			seen.push(...page.body.items.map((item) => item.campaignId));
			cursor = page.body.cursor;
		} while (cursor);
		expect(seen).toEqual(ids);
		expect((await api.call("GET", "/v1/campaigns?cursor=xyz")).status).toBe(400);
		expect((await api.call("GET", "/v1/campaigns?limit=0")).status).toBe(400);
		expect((await api.call("GET", "/v1/campaigns?colour=red")).status).toBe(400);
	});
	test("calls come flattened from the history, in pages, also as CSV", async () => {
		const many = Array.from({ length: 30 }, (_, n) => ({ number: usNumber(n), id: `c${n}` }));
		const { campaignId } = (await create({ contacts: many })).body;
		for (const item of contacts().slice(0, 20)) {
			const key = { shardKey: item.shardKey, contactKey: item.contactKey };
			Object.assign(dynamo.peek("contacts", key) as object, {
				hist: {
					"1": {
						o: "busy",
						by: "h1#1#3",
						lease: "h1#1#2",
						ver: 1,
						fin: false,
						cause: 17,
						sip: 486,
						t0: 1_000,
						t3: 2_000,
					},
					"2": { o: "answered", by: "h1#1#9", lease: "h1#1#8", ver: 4, fin: true, t0: 1_000, vars: { a: 'x,"y' } },
				},
			});
		}
		const path = `/v1/campaigns/${campaignId}/calls`;
		const all = (await api.call("GET", path)).body;
		expect(all.items).toHaveLength(40);
		expect(all.cursor).toBeNull();
		expect(all.items[0]).toMatchObject({ attempt: 1, hostId: "h1", trunk: "carrier-a", outcome: "busy", sipCode: 486 });
		const paged = [];
		let cursor: string | null = "";
		while (cursor !== null) {
			const page: { items: unknown[]; cursor: string | null } = (
				await api.call("GET", `${path}?limit=7${cursor ? `&cursor=${cursor}` : ""}`)
			).body;
			paged.push(...page.items);
			cursor = page.cursor;
		}
		expect(paged).toEqual(all.items);
		const csv = await api.call("GET", path, { headers: { accept: "text/csv" } });
		expect(csv.headers["content-type"]).toContain("text/csv");
		const lines = csv.text.trimEnd().split("\r\n");
		expect(lines).toHaveLength(41);
		expect(lines[0]).toMatch(/^callId,contactId,number,attempt/);
		expect(lines.some((line) => line.includes('"{""a"":""x,\\""y""}"'))).toBe(true);
	});
});

test("health needs no token", async () => {
	expect(await api.call("GET", "/v1/health", { token: null })).toMatchObject({ status: 200, body: { status: "ok" } });
});

test("the tick asks for recovery over the whole minute", async () => {
	await api.tick();
	expect(api.waiting.recovery.map((message) => message.delaySec)).toEqual([0, 20, 40]);
	expect(await api.deliver("recovery")).toBe(0);
});

test("no number, token or body is logged", async () => {
	await create();
	await api.call("POST", "/v1/hosts", { body: { hostId: "h1" } });
	const text = JSON.stringify(api.logs);
	expect(text).not.toContain(usNumber(123));
	expect(text).not.toContain("bd_op_");
	expect(text).not.toContain("bd_host_");
	expect(api.logs.find((line) => line["event"] === "request")).toMatchObject({ status: 201, tenant: "default" });
});

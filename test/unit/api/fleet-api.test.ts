import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { SQSEvent } from "aws-lambda";
import { make as scaleFleet } from "../../../functions/scale-fleet/handler.ts";
import { make as tickMinute } from "../../../functions/tick-minute/handler.ts";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { FleetDeps } from "../../../shared/fleet/deps.ts";
import { hostIdOf } from "../../../shared/fleet/ec2.ts";
import { LAST_REPORTS_MS } from "../../../shared/fleet/interruption.ts";
import { looksOf, parseFleetMessage } from "../../../shared/fleet/messages.ts";
import { campaignKey, FLEET_FLOOR_ID, FLEET_STATE_ID, type HostItem } from "../../../shared/store/items.ts";
import { createToken } from "../../../shared/tokens/tokens.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, startApi, TENANT } from "./harness.ts";

const BURST = parseBurstSettings({
	BURST_STACK: "test",
	BURST_LAUNCH_TEMPLATE: "lt-1",
	BURST_SUBNETS: "subnet-a",
	BURST_MAX_HOSTS: "5",
});
const office = { floor: 2, days: [1, 2, 3, 4, 5], from: "08:30", to: "18:00", timeZone: "Europe/Berlin" };

let dynamo: MemoryDynamo;
let api: Api;
/** Statements that fail, as a throttled table's do. */
let failing: (statement: { name: string; input: Record<string, unknown> }) => boolean;

beforeEach(async () => {
	failing = () => false;
	dynamo = new MemoryDynamo();
	const db = dynamo.client({
		before: (statement) => {
			if (failing(statement)) throw Object.assign(new Error("slow down"), { name: "ThrottlingException" });
		},
	});
	api = await startApi(db, {}, BURST);
});
const nudges = (): string[] => api.waiting.fleet.map(({ body }) => String(body["why"]));
const put = (table: string, item: Record<string, unknown>) =>
	api.deps.db.send(new PutCommand({ TableName: table, Item: item }));
const later = (sec: number): string => new Date(api.clock.now + sec * 1_000).toISOString();

describe("GET /v1/fleet", () => {
	test("has what it always had, and the burst", async () => {
		await api.call("POST", "/v1/hosts", { body: { hostId: "h1", capacity: 30 } });
		const { status, body } = await api.call("GET", "/v1/fleet");
		expect(status).toBe(200);
		expect(body).toMatchObject({
			capacity: 0,
			live: 0,
			granted: 0,
			lost: 0,
			tiers: { steady: { capacity: 0 }, burst: { capacity: 0 } },
			hosts: [{ hostId: "h1", state: "new" }],
			burst: { enabled: true, wanted: null, limits: { maxHosts: 5 } },
		});
	});
});

describe("schedules", () => {
	const put = (body: unknown, name = "office") => api.call("PUT", `/v1/fleet/schedules/${name}`, { body });

	test("are created, replaced, listed, shown and removed", async () => {
		expect(await put(office)).toMatchObject({ status: 201, body: { name: "office", ...office, inForce: true } });
		expect(await put({ ...office, floor: 3 })).toMatchObject({ status: 200, body: { floor: 3 } });
		expect([...api.entries.keys()]).toEqual(["test.default.office.from", "test.default.office.to"]);
		expect((await api.call("GET", "/v1/fleet/schedules")).body).toMatchObject({
			items: [{ name: "office", floor: 3, inForce: true, nextEdgeAt: "2026-11-02T17:00:00.000Z" }],
			cursor: null,
		});
		expect((await api.call("GET", "/v1/fleet/schedules/office")).body).toMatchObject({ floor: 3 });
		expect(await api.call("DELETE", "/v1/fleet/schedules/office")).toMatchObject({ status: 200, body: { floor: 3 } });
		expect(api.entries.size).toBe(0);
		expect((await api.call("GET", "/v1/fleet/schedules")).body.items).toEqual([]);
		for (const method of ["GET", "DELETE"])
			expect((await api.call(method, "/v1/fleet/schedules/office")).status).toBe(404);
		expect(nudges()).toEqual(["schedule office was set", "schedule office was set", "schedule office was removed"]);
	});

	test("every day is the default", async () => {
		const { days: _, ...daily } = office;
		expect((await put(daily)).body.days).toEqual([1, 2, 3, 4, 5, 6, 7]);
	});

	test.each<[string, Record<string, unknown>]>([
		["floor", { floor: 0 }],
		["floor", { floor: 1.5 }],
		["floor", { floor: 501 }],
		["floor", { floor: undefined }],
		["days", { days: [] }],
		["days", { days: [1, 1] }],
		["days[0]", { days: [0] }],
		["days[1]", { days: [1, 8] }],
		["from", { from: "8:30" }],
		["from", { from: "24:00" }],
		["to", { to: "12:60" }],
		["to", { to: "08:30" }],
		["timeZone", { timeZone: "Europe/Atlantis" }],
		["timeZone", { timeZone: "+02:00" }],
		["timeZone", { timeZone: undefined }],
		["until", { until: "2026-11-02" }],
	])("a mistake at %s is 400: %j", async (path, over) => {
		const { status, body } = await put({ ...office, ...over });
		expect(status).toBe(400);
		expect(body.error.details.map((detail: { path: string }) => detail.path)).toContain(path);
		expect(dynamo.items("fleet")).toEqual([]);
		expect(api.entries.size).toBe(0);
		expect(nudges()).toEqual([]);
	});

	test.each(["Office", "a.b", "a%20b", "-x", "x".repeat(33), "%23state"])("the name %s is 400", async (name) => {
		expect((await put(office, name)).status).toBe(400);
		expect(dynamo.items("fleet")).toEqual([]);
	});

	test("are an operator's only", async () => {
		const { token } = await createToken(api.deps, { tenant: TENANT, name: "h", kind: "host", hostId: "h1" });
		for (const [given, status] of [
			[null, 401],
			[token, 403],
		] as const) {
			for (const [method, path, body] of [
				["GET", "/v1/fleet", undefined],
				["GET", "/v1/fleet/schedules", undefined],
				["PUT", "/v1/fleet/schedules/office", office],
				["DELETE", "/v1/fleet/schedules/office", undefined],
				["POST", "/v1/fleet/scale", { min: 1, until: later(60) }],
			] as const) {
				expect({ method, path, status: (await api.call(method, path, { token: given, body })).status }).toEqual({
					method,
					path,
					status,
				});
			}
		}
		expect(dynamo.items("fleet")).toEqual([]);
	});
});

describe("POST /v1/fleet/scale", () => {
	const scale = (body: unknown) => api.call("POST", "/v1/fleet/scale", { body });
	const floor = () => dynamo.peek("fleet", { tenant: TENANT, id: FLEET_FLOOR_ID });

	test("sets the floor, replaces it, takes it back", async () => {
		const until = later(3_600);
		expect(await scale({ min: 3, until })).toMatchObject({ status: 200, body: { min: 3, until } });
		expect(floor()).toMatchObject({ min: 3, until: Date.parse(until), setAt: api.clock.now });
		expect(floor()?.["tokenId"]).toEqual(expect.stringMatching(/\S/));
		expect((await scale({ min: 5, until })).body).toEqual({ min: 5, until });
		expect((await scale({ min: 0, until })).body).toEqual({ min: 0, until });
		expect(floor()).toMatchObject({ min: 0 });
		expect(nudges()).toHaveLength(3);
	});

	test("says where the fleet's own limit is lower", async () => {
		const { status, body } = await scale({ min: 6, until: later(60) });
		expect(status).toBe(200);
		expect(body.note).toMatch(/limit is 5 burst hosts/);
		expect(floor()).toMatchObject({ min: 6 });
	});

	test("says where there are no burst hosts, or nothing is done", async () => {
		const off = await startApi(new MemoryDynamo().client());
		const dry = await startApi(new MemoryDynamo().client(), {}, { ...BURST, dryRun: true });
		const body = { min: 1, until: later(60) };
		expect((await off.call("POST", "/v1/fleet/scale", { body })).body.note).toMatch(/burstImage/);
		expect((await dry.call("POST", "/v1/fleet/scale", { body })).body.note).toMatch(/BURST_DRY_RUN/);
	});

	test.each<[string, (iso: (sec: number) => string) => unknown, number]>([
		["past", (iso) => ({ min: 1, until: iso(-1) }), 422],
		["now", (iso) => ({ min: 1, until: iso(0) }), 422],
		["more than a week ahead", (iso) => ({ min: 1, until: iso(7 * 86_400 + 61) }), 422],
		["without a zone", () => ({ min: 1, until: "2026-11-02T12:00:00" }), 400],
		["no time", () => ({ min: 1, until: "tomorrow" }), 400],
		["missing", () => ({ min: 1 }), 400],
	])("an end that is %s is refused", async (_, body, status) => {
		const reply = await scale(body(later));
		expect(reply.status).toBe(status);
		expect(reply.body.error.details).toEqual([expect.objectContaining({ path: "until" })]);
		expect(floor()).toBeUndefined();
		expect(nudges()).toEqual([]);
	});
	test("a week ahead is taken, by a clock that is a little ahead too", async () => {
		expect((await scale({ min: 1, until: later(7 * 86_400 + 30) })).status).toBe(200);
	});
	test.each([-1, 501, 1.5, "3", null, undefined])("min %j is 400", async (min) => {
		expect((await scale({ min, until: later(60) })).status).toBe(400);
		expect(floor()).toBeUndefined();
	});
});

describe("scale-fleet", () => {
	const sample = (name: string): string => {
		const event = JSON.parse(readFileSync(join(process.cwd(), `events/scale-fleet.${name}.json`), "utf8")) as SQSEvent;
		return event.Records[0]?.body ?? "";
	};
	const batch = (...bodies: string[]): SQSEvent =>
		({ Records: bodies.map((body, i) => ({ messageId: `m${i}`, body, attributes: {} })) }) as unknown as SQSEvent;
	const failedOf = (answer: { batchItemFailures: { itemIdentifier: string }[] }) =>
		answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
	const asked = (why: string, over: object = {}) => JSON.stringify({ tenant: TENANT, why, ...over });
	let deps: FleetDeps;
	let run: (event: SQSEvent) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>;
	beforeEach(() => {
		deps = { ...api.deps, burst: BURST, ec2: api.ec2 };
		run = scaleFleet(() => deps);
	});
	const looks = () => api.ec2.calls.filter(({ call }) => call === "describe").length;
	const logged = (event: string) => api.logs.filter((line) => line["event"] === event);

	test("a batch is one look, however many ask for it", async () => {
		expect(failedOf(await run(batch(...Array.from({ length: 10 }, (_, i) => asked(`reason ${i % 3}`)))))).toEqual([]);
		expect(looks()).toBe(1);
		expect(logged("fleet.decision")).toMatchObject([{ why: "reason 0; reason 1; reason 2" }]);
	});

	test("a floor by hand becomes instances", async () => {
		await api.call("POST", "/v1/fleet/scale", { body: { min: 2, until: later(3_600) } });
		expect(await api.deliver("fleet", 1)).toBe(0);
		expect(api.ec2.running()).toHaveLength(2);
		const [shown] = (await api.call("GET", "/v1/fleet")).body.hosts;
		expect(shown).toMatchObject({ tier: "burst", state: "launching" });
	});

	test.each([
		["no JSON", "no JSON"],
		["no object", "17"],
		["null", "null"],
		["no tenant", '{"why":"x"}'],
		["an empty tenant", '{"tenant":"","why":"x"}'],
		["an event of something else", '{"detail-type":"EC2 Instance State-change Notification","source":"aws.rds"}'],
		["an event of an unknown kind", sample("state-change").replace("State-change", "Weather")],
		["an event about no instance", sample("state-change").replaceAll("i-0123456789abcdef0", "h1#inventory")],
	])("a message that is %s is told and fails alone", async (_, body) => {
		expect(failedOf(await run(batch(asked("x"), body)))).toEqual(["m1"]);
		expect(looks()).toBe(1);
		expect(logged("scale-fleet.malformed")).toHaveLength(1);
	});

	test("no look for a tenant that the fleet is not: to it all that runs would be strangers'", async () => {
		expect(failedOf(await run(batch(JSON.stringify({ tenant: "other", why: "a floor" }))))).toEqual(["m0"]);
		expect(looks()).toBe(0);
	});

	test("events of other people's instances cost no look", async () => {
		const events = ["state-change", "spot-interruption", "rebalance"].map(sample);
		expect(failedOf(await run(batch(...events)))).toEqual([]);
		expect(looks()).toBe(0);
	});

	test("a host's own event is a look; notice of a spot interruption drains it until shortly before it is gone", async () => {
		await api.call("POST", "/v1/fleet/scale", { body: { min: 1, until: later(3_600) } });
		await api.deliver("fleet", 1);
		const [instance] = api.ec2.running();
		const hostId = hostIdOf(instance?.instanceId ?? "");
		const key = { tenant: TENANT, hostId };
		Object.assign(dynamo.peek("hosts", key) as object, { state: "active", lastSeenAt: api.clock.now });
		const before = looks();
		const body = JSON.parse(sample("spot-interruption").replaceAll("i-0123456789abcdef0", instance?.instanceId ?? ""));
		body.time = new Date(api.clock.now).toISOString();
		expect(failedOf(await run(batch(JSON.stringify(body))))).toEqual([]);
		expect(looks()).toBe(before + 1);
		expect(dynamo.peek<HostItem>("hosts", key)).toMatchObject({
			state: "draining",
			drainBy: "spot",
			drainUntil: api.clock.now + 120_000 - LAST_REPORTS_MS,
		});
	});

	test("a look that fails brings all that asked for it back", async () => {
		failing = ({ input }) => input["TableName"] === "fleet";
		expect(failedOf(await run(batch(asked("a"), "no JSON", asked("b"))))).toEqual(["m1", "m0", "m2"]);
		expect(logged("scale-fleet.failed")).toMatchObject([{ messageIds: ["m0", "m2"], error: { message: "slow down" } }]);
	});

	test("an event whose host cannot be read comes back", async () => {
		failing = ({ input }) => input["TableName"] === "hosts";
		expect(failedOf(await run(batch(sample("state-change"))))).toEqual(["m0"]);
		expect(looks()).toBe(0);
	});

	test("a chain's look asks for no more; one of others among them does", async () => {
		await api.call("POST", "/v1/fleet/scale", { body: { min: 1, until: later(3_600) } });
		api.waiting.fleet.length = 0;
		await run(batch(asked("awake", { chain: true })));
		expect(api.waiting.fleet).toEqual([]);
		expect(looksOf([parseFleetMessage(asked("a", { chain: true })), parseFleetMessage(asked("b"))])).toEqual([
			{ tenant: TENANT, why: "a; b", chain: false },
		]);
	});
});

describe("the minute's tick", () => {
	const delays = () => api.waiting.fleet.map(({ delaySec = 0 }) => delaySec);
	const state = (awake: boolean) => put("fleet", { tenant: TENANT, id: FLEET_STATE_ID, version: 1, awake });

	test("asks for one look while the fleet is asleep", async () => {
		await api.tick();
		await state(false);
		await api.tick();
		expect(api.waiting.fleet.map(({ body }) => body)).toEqual([
			{ tenant: TENANT, why: "tick" },
			{ tenant: TENANT, why: "tick" },
		]);
		expect(delays()).toEqual([0, 0]);
	});
	test("asks for one every few seconds while it is awake", async () => {
		await state(true);
		await api.tick();
		expect(delays()).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
	});
	test("a fleet that cannot be read is looked at all the same", async () => {
		await state(true);
		failing = ({ input }) => input["TableName"] === "fleet";
		await api.tick();
		expect(delays()).toEqual([0]);
		expect(api.waiting.recovery).toHaveLength(3);
	});
	test("campaigns that cannot be read keep neither recovery nor looks", async () => {
		failing = ({ input }) => input["TableName"] === "campaigns";
		await expect(api.tick()).rejects.toThrow("could not ask for everything");
		expect(api.waiting.recovery).toHaveLength(3);
		expect(delays()).toEqual([0]);
	});
	test("settings with a mistake keep no recovery", async () => {
		await state(true);
		const tick = tickMinute(
			() => api.deps,
			() => parseBurstSettings({ BURST_LOOK_SEC: "soon" }),
		);
		await expect(tick()).rejects.toThrow();
		expect(api.waiting.recovery).toHaveLength(3);
	});
});

describe("campaigns ask for a look at once", () => {
	const contacts = [{ number: "1001" }, { number: "1002" }];
	const create = async (over: object = {}): Promise<string> => {
		const body = { name: "c", trunk: "carrier", then: { wait: 1 }, contacts, ...over };
		return (await api.call("POST", "/v1/campaigns", { body })).body.campaignId;
	};
	beforeEach(async () => {
		expect((await api.call("PUT", "/v1/trunks/carrier", { body: PRIVATE_TRUNK })).status).toBe(201);
	});
	const forget = (): void => {
		api.waiting.fleet.length = 0;
	};

	test("when one begins to run, not when it waits for its time or for its list", async () => {
		await create({ startAt: later(600) });
		await create({ contacts: undefined });
		expect(nudges()).toEqual([]);
		await create();
		expect(nudges()).toEqual(["contacts were added"]);
	});
	test("when its time comes", async () => {
		await create({ startAt: later(600) });
		api.clock.now += 601_000;
		await api.tick();
		forget();
		expect(await api.deliver("sweeps")).toBe(0);
		expect(nudges()).toEqual(["a campaign's time came"]);
	});
	test("when it is completed, once", async () => {
		const id = await create();
		forget();
		const key = { ...campaignKey(TENANT, id), kind: "STATS#h1" };
		await put("campaigns", { ...key, hostId: "h1", asOf: 1, counts: { a: 2, f: 2, o_answered: 2 } });
		const message = { body: { tenant: TENANT, campaignId: id } };
		api.waiting.sweeps.push(message, message);
		expect(await api.deliver("sweeps")).toBe(0);
		expect((await api.call("GET", `/v1/campaigns/${id}`)).body.state).toBe("completed");
		expect(nudges()).toEqual(["a campaign completed"]);
	});
	test("when a list was added, inline or by an import", async () => {
		const id = await create();
		forget();
		const add = (n: number) => Array.from({ length: n }, (_, i) => ({ number: String(20_000 + n * 1_000 + i) }));
		await api.call("POST", `/v1/campaigns/${id}/contacts`, { body: add(3) });
		expect(nudges()).toEqual(["contacts were added"]);
		forget();
		expect((await api.call("POST", `/v1/campaigns/${id}/contacts`, { body: add(600) })).status).toBe(202);
		expect(nudges()).toEqual([]);
		expect(await api.deliver("imports")).toBe(0);
		expect(nudges()).toEqual(["contacts were added"]);
		forget();
		await api.call("POST", `/v1/campaigns/${id}/contacts`, { body: add(3) });
		expect(nudges()).toEqual([]);
	});
	test("when it is paused, resumed, changed or cancelled, not when that was refused", async () => {
		const id = await create();
		forget();
		for (const change of ["pause", "resume"]) await api.call("POST", `/v1/campaigns/${id}/${change}`);
		await api.call("PATCH", `/v1/campaigns/${id}`, { body: { maxChannels: 3 } });
		await api.call("PATCH", `/v1/campaigns/${id}`, { body: { maxChannels: 0 } });
		await api.call("POST", `/v1/campaigns/${id}/cancel`);
		expect((await api.call("POST", `/v1/campaigns/${id}/resume`)).status).toBe(409);
		expect(nudges()).toEqual([
			"a campaign: pause",
			"a campaign: resume",
			"a campaign was changed",
			"a campaign: cancel",
		]);
	});
	test("a look that cannot be asked for is nobody's failure", async () => {
		const { send } = api.deps.queues;
		api.deps.queues.send = async (queue, messages) => {
			if (queue === "fleet") throw new Error("the queue is away");
			return send(queue, messages);
		};
		const id = await create();
		expect((await api.call("POST", `/v1/campaigns/${id}/pause`)).status).toBe(200);
		expect(api.logs.filter((line) => line["event"] === "fleet.nudgeFailed")).toHaveLength(2);
	});
});

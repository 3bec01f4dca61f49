import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import { type ContactItem, campaignKey, type HostItem, type TrunkItem } from "../../../shared/store/items.ts";
import { newHost } from "../../support/items.ts";
import { MemoryDynamo, type Statement } from "../../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, startApi, TENANT } from "./harness.ts";

let api: Api;
let dynamo: MemoryDynamo;
let statements: Statement[];

const start = async (burst: Parameters<typeof startApi>[2] = {}): Promise<void> => {
	dynamo = new MemoryDynamo();
	statements = [];
	api = await startApi(
		dynamo.client({
			before: (statement) => {
				statements.push(statement);
			},
		}),
		{},
		burst,
	);
	await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...PRIVATE_TRUNK, maxChannels: 100, maxCps: 10 } });
};
beforeEach(() => start());

const put = (table: string, item: Record<string, unknown>) =>
	api.deps.db.send(new PutCommand({ TableName: table, Item: item }));
/** An enrolled host that is up. */
const putHost = (hostId: string, cap: number, over: Partial<HostItem> = {}) =>
	put("hosts", { ...newHost(hostId, cap, api.clock.now), state: "active", epoch: 1, ...over });

const numbers = (count: number) => Array.from({ length: count }, (_, i) => ({ number: String(1_000 + i) }));
const create = async (over: Record<string, unknown> = {}) => {
	const body = { name: "storm", trunk: "carrier-a", contacts: numbers(400), then: { wait: 60 }, ...over };
	const answer = await api.call("POST", "/v1/campaigns", { body });
	expect(answer.status).toBe(201);
	return answer.body;
};
const view = async (campaignId: string) => (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
/** The clock of the harness stands at 2026-11-02T10:00:00Z. */
const IN_5_MINUTES = "2026-11-02T10:05:00Z";
const IN_AN_HOUR = "2026-11-02T11:00:00Z";

describe("POST /v1/campaigns says when it will be done", () => {
	test("and nothing of a deadline that is met", async () => {
		await putHost("pbx-1", 120);
		const made = await create({ deadline: IN_AN_HOUR });
		expect(made.forecast).toMatchObject({
			basis: "assumed",
			answerRate: 0.35,
			attemptsLeft: 400,
			channels: 100,
			cps: 10,
			binding: "channels",
			why: null,
			deadline: { at: "2026-11-02T11:00:00.000Z", meets: true, needs: null },
		});
		expect(Date.parse(made.forecast.finishAt)).toBeGreaterThan(api.clock.now);
		expect(made).not.toHaveProperty("warnings");
	});
	test("and warns of one that the caps do not allow, with what would be needed; it is created all the same", async () => {
		await putHost("pbx-1", 120);
		const made = await create({ deadline: IN_5_MINUTES, maxChannels: 20 });
		expect(made.forecast.deadline).toMatchObject({ meets: false, needs: { channels: made.forecast.channelsNeeded } });
		expect(made.forecast.channelsNeeded).toBeGreaterThan(20);
		expect(made.warnings).toEqual([{ path: "deadline", message: made.forecast.words }]);
		expect(made.forecast.words).toMatch(/missed by \d min: needs \d\d channels \(has 20, its cap\), or a deadline of/);
		expect((await view(made.campaignId)).state).toBe("running");
		expect(api.logs).toContainEqual(expect.objectContaining({ event: "campaign.deadlineNotMet" }));
	});
	test("the same request again gets the same answer", async () => {
		const request = {
			body: { name: "storm", trunk: "carrier-a", contacts: numbers(9), then: { wait: 60 }, deadline: IN_5_MINUTES },
			headers: { "idempotency-key": "k-1" },
		};
		const first = await api.call("POST", "/v1/campaigns", request);
		api.clock.now += 60_000;
		expect((await api.call("POST", "/v1/campaigns", request)).body).toEqual(first.body);
	});
	test("of a campaign without a list nothing is said, and why", async () => {
		const made = await create({ contacts: undefined, deadline: IN_5_MINUTES });
		expect(made).not.toHaveProperty("warnings");
		expect(made.forecast).toMatchObject({ finishAt: null, why: "it has no list yet", deadline: null });
		expect((await view(made.campaignId)).forecast.why).toBe("it has no list yet");
	});
	test("of a long list that is still being stored too; its start counts", async () => {
		await putHost("pbx-1", 120);
		const made = await create({ contacts: numbers(1_200), startAt: "2026-11-03T08:00:00Z" });
		expect(made).toMatchObject({ state: "importing", forecast: { attemptsLeft: 1_200 } });
		expect(made.forecast.finishAt).toMatch(/^2026-11-03T08:0/);
		expect((await view(made.campaignId)).forecast).toMatchObject({ finishAt: null, why: "its list is being imported" });
		await api.deliver("imports");
		expect((await view(made.campaignId)).forecast.finishAt).toBe(made.forecast.finishAt);
	});
	test("costs one read of the hosts more", async () => {
		await putHost("pbx-1", 120);
		await create();
		statements.length = 0;
		await create();
		expect(statements.filter(({ input }) => input["TableName"] === "hosts").map(({ name }) => name)).toEqual(["Query"]);
		// Neither the other campaign nor the index of what is due.
		expect(statements.filter(({ name, input }) => name === "BatchGet" || input["IndexName"] === "due")).toEqual([]);
	});
});

describe("channels that it may use", () => {
	const forecastOf = async (over: Record<string, unknown> = {}) => (await create(over)).forecast;

	test("none without a host: it says so, and how many a deadline needs", async () => {
		const found = await forecastOf({ deadline: IN_5_MINUTES });
		expect(found).toMatchObject({ finishAt: null, channels: 0, binding: "channels" });
		expect(found.words).toMatch(/no channel now \(no host can dial for it\); .* is not met: needs \d+ channels/);
	});
	test("those of hosts that are up and may use the trunk", async () => {
		await putHost("pbx-1", 30);
		await putHost("pbx-2", 30, { state: "draining" });
		await putHost("pbx-3", 30, { state: "lost" });
		expect((await forecastOf()).channels).toBe(30);
		await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...PRIVATE_TRUNK, maxChannels: 100, hosts: ["pbx-9"] } });
		expect((await forecastOf()).channels).toBe(0);
	});
	test("with burst hosts that may be started, as many as may be up at once", async () => {
		const burst = parseBurstSettings({
			BURST_STACK: "test",
			BURST_LAUNCH_TEMPLATE: "lt-1",
			BURST_SUBNETS: "subnet-a",
			BURST_CHANNELS_PER_HOST: "20",
			BURST_MAX_HOSTS: "3",
		});
		await start(burst);
		await putHost("pbx-1", 10);
		expect((await forecastOf()).channels).toBe(70);
		await start({ ...burst, maxUsdPerHour: 0.1 });
		expect((await forecastOf()).channels).toBe(20);
		await start({ ...burst, dryRun: true });
		expect((await forecastOf()).channels).toBe(0);
		await start(burst);
		await api.call("PUT", "/v1/trunks/carrier-a", { body: { ...PRIVATE_TRUNK, maxChannels: 100, hosts: "steady" } });
		expect((await forecastOf()).channels).toBe(0);
	});
	test("its share of the trunk beside other campaigns that are dialed", async () => {
		await putHost("pbx-1", 500);
		const first = await create();
		const second = await create();
		// At submission only the other's entry on the trunk is known.
		expect(second.forecast.channels).toBe(50);
		// Of 10 calls per second the other's 100 channels take 3.2.
		expect(second.forecast.cps).toBeCloseTo(10 - 100 / second.forecast.meanHoldSec, 5);
		expect((await view(first.campaignId)).forecast.channels).toBe(50);
		await api.call("POST", `/v1/campaigns/${first.campaignId}/pause`);
		expect((await view(second.campaignId)).forecast.channels).toBe(100);
		await api.call("POST", `/v1/campaigns/${first.campaignId}/resume`);
		const meta = dynamo.peek("campaigns", campaignKey(TENANT, first.campaignId));
		await put("campaigns", { ...meta, priority: 15 });
		expect((await view(second.campaignId)).forecast.channels).toBe(25);
	});
	test("over several trunks; calls per second of its own", async () => {
		await putHost("pbx-1", 500);
		await api.call("PUT", "/v1/trunks/carrier-b", { body: { ...PRIVATE_TRUNK, maxChannels: 40, maxCps: 5 } });
		const { campaignId } = await create();
		const meta = dynamo.peek("campaigns", campaignKey(TENANT, campaignId));
		const trunks = [
			{ id: "carrier-a", weight: 1 },
			{ id: "carrier-b", weight: 1 },
			{ id: "gone", weight: 1 },
		];
		await put("campaigns", { ...meta, trunks });
		expect((await view(campaignId)).forecast).toMatchObject({ channels: 140, cps: 15 });
		await put("campaigns", { ...meta, trunks, maxCps: 12, maxChannels: 120 });
		expect((await view(campaignId)).forecast).toMatchObject({ channels: 120, cps: 12 });
	});
});

describe("GET and PATCH /v1/campaigns/{id}", () => {
	test("from what was measured", async () => {
		const { campaignId } = await create();
		const counts = { a: 100, f: 100, o_answered: 50, o_machine: 10, o_noAnswer: 40, m: 100, h: 4_000_000 };
		await putHost("pbx-1", 120, { acc: { [campaignId]: counts }, held: { [campaignId]: 20 } });
		expect((await view(campaignId)).forecast).toMatchObject({
			basis: "measured",
			answerRate: 0.6,
			meanHoldSec: 40,
			attemptsLeft: 300,
		});
	});
	test("when everybody had a first attempt, the last retry that is due is looked up", async () => {
		const { campaignId } = await create({
			contacts: numbers(60),
			retry: { noAnswer: { afterSec: 1_800, max: 1 } },
			deadline: IN_5_MINUTES,
		});
		const early = (await view(campaignId)).forecast;
		for (const item of dynamo.items("contacts") as ContactItem[]) {
			const index = Number(item.number) - 1_000;
			if (index < 50) {
				const { dueAt, ...rest } = item;
				await put("contacts", { ...rest, state: "done", outcome: "answered" });
			} else await put("contacts", { ...item, attempt: 2, dueAt: api.clock.now + index * 10_000 });
		}
		const counts = { a: 60, f: 50, o_answered: 50, m: 60, h: 1_800_000 };
		await putHost("pbx-1", 120, { acc: { [campaignId]: counts } });
		const late = (await view(campaignId)).forecast;
		expect(early.finishAt).toBeNull();
		expect(late).toMatchObject({ attemptsLeft: 10, binding: "retries", deadline: { meets: false } });
		const lastDueSec = 59 * 10;
		const leftSec = (Date.parse(late.finishAt) - api.clock.now) / 1_000;
		expect(leftSec).toBeGreaterThan(lastDueSec);
		expect(leftSec).toBeLessThan(lastDueSec + 120);
	});
	test("a change answers with what it does to the deadline", async () => {
		await putHost("pbx-1", 120);
		const { campaignId } = await create();
		const patch = (body: Record<string, unknown>) => api.call("PATCH", `/v1/campaigns/${campaignId}`, { body });
		const missed = (await patch({ deadline: IN_5_MINUTES, maxChannels: 10 })).body;
		expect(missed).toMatchObject({ maxChannels: 10, forecast: { channels: 10, deadline: { meets: false } } });
		expect(missed.warnings).toEqual([{ path: "deadline", message: missed.forecast.words }]);
		const met = (await patch({ deadline: IN_AN_HOUR })).body;
		expect(met.forecast.deadline.meets).toBe(true);
		expect(met).not.toHaveProperty("warnings");
	});
	test("of a paused one the time is told, of one that is over nothing", async () => {
		await putHost("pbx-1", 120);
		const { campaignId } = await create();
		await api.call("POST", `/v1/campaigns/${campaignId}/pause`);
		expect((await view(campaignId)).forecast).toMatchObject({ finishAt: null, why: "it is paused" });
		expect((await view(campaignId)).forecast.words).toMatch(/^paused; once resumed it takes about \d min/);
		await api.call("POST", `/v1/campaigns/${campaignId}/cancel`);
		expect((await view(campaignId)).forecast).toBeNull();
	});
	test("whose trunk has gone, it may use none", async () => {
		await putHost("pbx-1", 120);
		const { campaignId } = await create();
		const meta = dynamo.peek("campaigns", campaignKey(TENANT, campaignId));
		await put("campaigns", { ...meta, trunk: "gone" });
		expect((await view(campaignId)).forecast).toMatchObject({ finishAt: null, channels: 0 });
	});
	test("reads the other campaigns of its trunks at once, and none where it is alone", async () => {
		await putHost("pbx-1", 120);
		const { campaignId } = await create();
		statements.length = 0;
		await view(campaignId);
		expect(statements.filter(({ name }) => name === "BatchGet")).toHaveLength(0);
		await create();
		await create();
		statements.length = 0;
		await view(campaignId);
		expect(statements.filter(({ name }) => name === "BatchGet")).toHaveLength(1);
		const trunk = dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "carrier-a" });
		expect(Object.keys(trunk?.c ?? {})).toHaveLength(3);
	});
});

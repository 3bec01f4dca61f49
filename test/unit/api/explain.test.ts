import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { REASON_NAMES, type Reason } from "../../../shared/campaigns/explain-words.ts";
import type { ShownExplanation } from "../../../shared/campaigns/read-explain.ts";
import { FEW_PENDING, MAX_CONTACT_UNITS } from "../../../shared/campaigns/read-explain-contacts.ts";
import { parseBurstSettings } from "../../../shared/config/burst-settings.ts";
import type { CompletedCall, GrantedCall } from "../../../shared/contract/call.ts";
import type { SyncRequest } from "../../../shared/contract/host.ts";
import { emptyFleet } from "../../../shared/fleet/state.ts";
import {
	type CampaignItem,
	type ContactItem,
	campaignKey,
	type HostItem,
	type Instance,
	inventoryKey,
	type TrunkItem,
} from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { syncRequest } from "../../support/control-plane.ts";
import { byReason, checkExplanation } from "../../support/explain.ts";
import { newChunk, newContact, newHost } from "../../support/items.ts";
import { MemoryDynamo, type Statement } from "../../support/memory-dynamo.ts";
import { type Api, PRIVATE_TRUNK, startApi, TENANT, US_TRUNK, usNumber } from "./harness.ts";

let api: Api;
let dynamo: MemoryDynamo;
let statements: Statement[];
let before: (statement: Statement) => void;
/** What a page of contacts is said to cost. */
let pageUnits: number;
/** Reasons that any test has seen, so that none is left out. */
const seen = new Set<string>();

const BURST = parseBurstSettings({
	BURST_STACK: "test",
	BURST_LAUNCH_TEMPLATE: "lt-1",
	BURST_SUBNETS: "subnet-a",
	BURST_BOOT_SEC: "50",
});
const start = async (burst: Parameters<typeof startApi>[2] = {}): Promise<void> => {
	dynamo = new MemoryDynamo();
	statements = [];
	before = () => {};
	pageUnits = 0;
	const client = dynamo.client({
		before: (statement) => {
			statements.push(statement);
			before(statement);
		},
		rewriteResult: ({ name, input }, result) =>
			result.ok && pageUnits > 0 && name === "Query" && input["TableName"] === "contacts"
				? { ok: true, answer: { ...result.answer, ConsumedCapacity: { CapacityUnits: pageUnits } } }
				: result,
	});
	api = await startApi(client, {}, burst);
	await setTrunk("carrier-a");
};
beforeEach(() => start());

const setTrunk = async (trunkId: string, over: Record<string, unknown> = {}): Promise<void> => {
	const body = { ...PRIVATE_TRUNK, maxChannels: 100, ...over };
	expect([200, 201]).toContain((await api.call("PUT", `/v1/trunks/${trunkId}`, { body })).status);
};
const put = (table: string, item: Record<string, unknown>) =>
	api.deps.db.send(new PutCommand({ TableName: table, Item: item }));
const trunkItem = (trunkId = "carrier-a"): TrunkItem => dynamo.peek("trunks", { tenant: TENANT, trunkId }) as TrunkItem;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => ({ number: String(1_000 + i) }));
const create = async (over: Record<string, unknown> = {}): Promise<string> => {
	const body = { name: "storm", trunk: "carrier-a", contacts: numbers(20), then: { wait: 60 }, ...over };
	const answer = await api.call("POST", "/v1/campaigns", { body });
	expect(answer.status).toBe(201);
	// Rows are due one after the other, within some ms.
	pass(10);
	return answer.body.campaignId;
};

interface Hand {
	hostId: string;
	epoch: number;
	seq: number;
	held: GrantedCall[];
}
/** A host that has said hello. */
const join = async (hostId: string, cap: number, over: Partial<HostItem> = {}): Promise<Hand> => {
	await put("hosts", { ...newHost(hostId, cap, api.clock.now), ...over });
	const { epoch } = await hello(api.deps, { tenant: TENANT, hostId }, { nonce: `nonce-${hostId}` });
	return { hostId, epoch, seq: 0, held: [] };
};
const turn = async (host: Hand, over: Partial<SyncRequest> = {}): Promise<GrantedCall[]> => {
	const request = syncRequest(host.epoch, host.seq + 1, { want: 0, live: host.held.length, ...over });
	const answer = await sync(api.deps, { tenant: TENANT, hostId: host.hostId }, request);
	host.seq++;
	const gone = new Set([...request.completed.map(({ callId }) => callId), ...request.returned]);
	host.held = [...host.held.filter(({ callId }) => !gone.has(callId)), ...answer.calls];
	return answer.calls;
};
/** It takes as much as it may, and dials it: the next sync says so. */
const fill = async (host: Hand, want = 500): Promise<void> => {
	await turn(host, { want });
	await turn(host);
};
const end = (host: Hand, count: number, outcome: CompletedCall["outcome"]): CompletedCall[] =>
	host.held.slice(0, count).map(({ callId }) => ({ callId, outcome }));
const pass = (ms: number): void => {
	api.clock.now += ms;
};

const explained = async (campaignId: string): Promise<ShownExplanation> => {
	const answer = await api.call("GET", `/v1/campaigns/${campaignId}/explain`);
	expect(answer.status).toBe(200);
	const { counts } = (await api.call("GET", `/v1/campaigns/${campaignId}`)).body;
	expect(answer.body.notDone).toBe(counts.total - counts.done);
	checkExplanation(answer.body);
	for (const { reason } of answer.body.reasons) seen.add(reason);
	return answer.body;
};
const rowOf = (explanation: ShownExplanation, reason: Reason) =>
	explanation.reasons.find((row) => row.reason === reason);

const instance = (over: Partial<Instance> = {}): Instance => ({
	instanceId: "i-1",
	launchId: "launch-1",
	type: "c7g.large",
	subnet: "subnet-a",
	market: "on-demand",
	usdPerHour: 0.1,
	imageId: "ami-1",
	account: "123456789012",
	startId: "start-1",
	startedAt: api.clock.now - 40_000,
	enrolledStart: "start-1",
	...over,
});

describe("the campaign is not to be dialed", () => {
	test("paused; calls that are up go on, and calls that are granted are taken back", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		await api.call("POST", `/v1/campaigns/${id}/pause`);
		const found = await explained(id);
		expect(byReason(found)).toEqual({ paused: 16, inCall: 4 });
		expect(found.main).toBe("paused");
		expect(found.words).toBe(
			`4 calls are up. 16 of 20 contacts not done wait because the campaign is paused: \`burst-dialer campaign resume ${id}\`.`,
		);
	});
	test("paused, and nobody is due: it is said all the same", async () => {
		const id = await create({ window: { from: "12:00", to: "14:00", timeZone: "Europe/London" } });
		await api.call("POST", `/v1/campaigns/${id}/pause`);
		const found = await explained(id);
		expect(byReason(found)).toEqual({ outsideWindow: 20 });
		expect(found.words).toMatch(
			/^It is paused: `burst-dialer campaign resume .*`\. All 20 contacts not done may be called/,
		);
	});
	test("scheduled, and who is outside of the window then", async () => {
		const zones = (zone: string, from: number) =>
			Array.from({ length: 5 }, (_, i) => ({ number: String(from + i), timeZone: zone }));
		const id = await create({
			startAt: "2026-11-02T12:30:00Z",
			contacts: [...zones("Europe/London", 100), ...zones("America/New_York", 200)],
			window: { from: "12:00", to: "14:00" },
		});
		const found = await explained(id);
		expect(byReason(found)).toEqual({ scheduled: 5, outsideWindow: 5 });
		expect(rowOf(found, "scheduled")?.until).toBe("2026-11-02T12:30:00.000Z");
		expect(rowOf(found, "outsideWindow")?.from?.slice(0, 16)).toBe("2026-11-02T17:00");
		expect(found.words).toMatch(/^5 of 10 contacts not done wait for the campaign's start at 12:30 UTC\.$/);
	});
	test("importing: what is stored waits for the rest", async () => {
		const id = await create({ contacts: numbers(1_200) });
		expect((await explained(id)).words).toBe("Its list is being imported.");
		await api.deliver("imports", 1);
		const found = await explained(id);
		expect(found.state).toBe("importing");
		expect(byReason(found)).toEqual({ importing: found.notDone });
		expect(found.notDone).toBeGreaterThan(0);
	});
	test("no list at all", async () => {
		const found = await explained(await create({ contacts: undefined }));
		expect(found).toMatchObject({ notDone: 0, main: null, reasons: [], words: "It has no list yet: add contacts." });
	});
	test("cancelled: being ended, also what the sweep has ended and not counted", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		await api.call("POST", `/v1/campaigns/${id}/cancel`);
		expect(byReason(await explained(id))).toEqual({ inCall: 4, cancelled: 16 });
		await api.deliver("sweeps", 1);
		const found = await explained(id);
		expect(byReason(found)).toEqual({ inCall: 4, cancelled: 16 });
		expect(found.estimated).toBe(false);
		await turn(host, { completed: end(host, 4, "answered") });
		await api.deliver("sweeps");
		expect((await explained(id)).notDone).toBe(0);
	});
	test("failed", async () => {
		const id = await create();
		const meta = dynamo.peek("campaigns", campaignKey(TENANT, id));
		await put("campaigns", { ...meta, state: "failed", failure: "the list is gone" });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ failed: 20 });
		expect(found.words).toContain("because the campaign failed: the list is gone: submit the list again");
	});
	test("all are done", async () => {
		const host = await join("pbx-1", 30);
		const id = await create();
		await fill(host);
		await turn(host, { completed: end(host, 20, "busy") });
		expect(await explained(id)).toMatchObject({
			state: "completed",
			notDone: 0,
			main: null,
			usedUp: { busy: 20 },
			words: "Nothing is left: all 20 contacts are done.",
		});
	});
});

describe("there is no host", () => {
	test("none at all, or none that ever said hello", async () => {
		const id = await create();
		expect((await explained(id)).words).toMatch(
			/^All 20 contacts not done wait for a host: none is active \(there is none\): see/,
		);
		await put("hosts", newHost("pbx-1", 30, api.clock.now));
		const found = await explained(id);
		expect(byReason(found)).toEqual({ noHost: 20 });
		expect(found.words).toContain("(1 new)");
		expect(found.hosts).toMatchObject({ active: 0, mayDial: 0, freeChannels: 0 });
	});
	test("it is not heard of; what it holds is told apart", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		pass(31_000);
		const found = await explained(id);
		expect(byReason(found)).toEqual({ hostsSilent: 16, lostHost: 4 });
		expect(found.main).toBe("hostsSilent");
		expect(found.hosts).toMatchObject({ active: 1, silent: 1, mayDial: 0 });
	});
	test("all drain", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		await api.call("POST", "/v1/hosts/pbx-1/drain");
		const found = await explained(id);
		expect(byReason(found)).toEqual({ hostsDraining: 16, inCall: 4 });
		expect(found.words).toContain("`burst-dialer host undrain pbx-1`");
	});
	test("Asterisk is down there", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await turn(host, { state: "asteriskDown" });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ asteriskDown: 20 });
		expect(found.words).toContain("Asterisk does not run on pbx-1");
	});
	test("none of those that may use the trunk", async () => {
		await join("pbx-1", 4);
		await setTrunk("carrier-a", { hosts: ["pbx-7"] });
		const found = await explained(await create());
		expect(byReason(found)).toEqual({ noHostForTrunk: 20 });
		expect(rowOf(found, "noHostForTrunk")).toMatchObject({ trunk: "carrier-a", detail: "pbx-7" });
	});
	test("burst hosts on their way: asked for, launching, booting", async () => {
		await start(BURST);
		const id = await create();
		const intents = { "launch-9": { kind: "launch" as const, offering: "c7g.large", count: 2, at: api.clock.now } };
		await put("fleet", { ...emptyFleet(TENANT), version: 1, intents });
		const asked = await explained(id);
		expect(byReason(asked)).toEqual({ hostsBooting: 20 });
		expect(asked.words).toContain("wait for 2 burst hosts on their way: ready some 50 s after the start");
		const inst = instance({ launchId: "launch-9" });
		await put("hosts", { ...newHost("burst-1", 30, api.clock.now), tier: "burst", state: "booting", inst });
		expect((await explained(id)).hosts.coming).toBe(2);
		await setTrunk("carrier-a", { hosts: "steady" });
		expect(byReason(await explained(id))).toEqual({ noHost: 20 });
	});
	test("only spot instances", async () => {
		const inst = instance({ market: "spot" });
		await join("burst-1", 30, { tier: "burst", state: "booting", inst });
		expect(byReason(await explained(await create()))).toEqual({ spotOnly: 20 });
		expect(byReason(await explained(await create({ allowDroppedCalls: true })))).toEqual({ nextSync: 20 });
	});
	test("none whose address the carrier knows", async () => {
		await setTrunk("carrier-a", { addresses: "known" });
		await join("burst-1", 30, { tier: "burst", state: "booting", inst: instance() });
		expect(byReason(await explained(await create()))).toEqual({ noAddress: 20 });
	});
	test("none with the sound, or the context", async () => {
		await join("pbx-1", 30);
		const play = await create({ then: { play: "storm" } });
		const survey = await create({ then: { context: "burst-survey", extension: "s" } });
		expect(rowOf(await explained(play), "noSound")).toMatchObject({ contacts: 20, detail: "storm" });
		expect(rowOf(await explained(survey), "noContext")).toMatchObject({ contacts: 20, detail: "burst-survey" });
		await put("hosts", { ...inventoryKey(TENANT, "pbx-1"), sounds: ["storm"], contexts: ["burst-survey"] });
		expect(byReason(await explained(play))).toEqual({ nextSync: 20 });
		expect(byReason(await explained(survey))).toEqual({ nextSync: 20 });
	});
});

describe("nobody may be called", () => {
	test("a register is too old, or a list that is named is gone", async () => {
		await join("pbx-1", 30);
		await api.call("PUT", "/v1/suppression/register", { body: { scope: "named", kind: "register" } });
		const id = await create({ suppressionLists: ["register"] });
		const stale = await explained(id);
		expect(rowOf(stale, "listBlocked")).toMatchObject({ contacts: 20, detail: "register" });
		expect(stale.words).toContain("`burst-dialer suppression add register FILE`");
		await api.call("DELETE", "/v1/suppression/register");
		expect((await explained(id)).words).toContain("that it names is not there");
	});
	test("who is on a list ends, and is told beside the sum", async () => {
		await setTrunk("us", { ...US_TRUNK, numbering: "e164" });
		const host = await join("pbx-1", 30);
		for (const n of [1, 2]) await api.call("POST", "/v1/opt-outs", { body: { number: usNumber(n) } });
		const contacts = [1, 2, 3].map((n) => ({ number: usNumber(n), timeZone: "Europe/London" }));
		const id = await create({ trunk: "us", contacts });
		await turn(host, { want: 10 });
		const found = await explained(id);
		expect(found.suppressed).toEqual({ "on the list opt-outs": 2 });
		expect(byReason(found)).toEqual({ granted: 1 });
		expect(found).toMatchObject({ estimated: false, lookedAt: 3 });
	});
});

describe("trunks", () => {
	test("down on every host; on one of them the other dials", async () => {
		const [one, two] = [await join("pbx-1", 4), await join("pbx-2", 4)];
		const id = await create();
		await turn(one, { trunks: { "carrier-a": "down" } });
		expect(byReason(await explained(id))).toEqual({ nextSync: 4, hostsFull: 16 });
		await turn(two, { trunks: { "carrier-a": "down" } });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ trunkDown: 20 });
		expect(found.trunks).toMatchObject([{ id: "carrier-a", down: ["pbx-1", "pbx-2"] }]);
		expect(found.words).toContain("its carrier does not answer pbx-1, pbx-2");
	});
	test("full of others; what it is entitled to", async () => {
		await setTrunk("carrier-a", { maxChannels: 10 });
		const host = await join("pbx-1", 30);
		const other = await create({ priority: 15 });
		await fill(host);
		const id = await create();
		const found = await explained(id);
		expect(byReason(found)).toEqual({ trunkChannels: 20 });
		expect(found.words).toContain(
			"the 10 channels of trunk carrier-a are in use, 0 by this campaign and 10 by others; its share by priority is 2",
		);
		expect(found.trunks[0]?.channels).toEqual({ cap: 10, free: 0, own: 0, others: 10, aside: 0 });
		expect(byReason(await explained(other))).toEqual({ inCall: 10, trunkChannels: 10 });
	});
	test("channels kept aside for calls of lost hosts are said", async () => {
		await setTrunk("carrier-a", { maxChannels: 10 });
		await join("pbx-1", 30);
		const id = await create();
		const aside = { "pbx-9#1": { n: { [id]: 10 }, until: api.clock.now + 60_000 } };
		await put("trunks", { ...trunkItem(), free: 0, z: aside });
		expect((await explained(id)).words).toContain("0 by this campaign, 10 kept aside for calls of lost hosts");
	});
	test("calls per second", async () => {
		await setTrunk("carrier-a", { maxCps: 2 });
		const host = await join("pbx-1", 30);
		const id = await create();
		await turn(host, { want: 30, slots: { "carrier-a": 30 } });
		const found = await explained(id);
		// No more is granted than the trunk takes in five seconds, and its slots are given two seconds ahead.
		expect(byReason(found)).toEqual({ granted: 10, trunkRate: 10 });
		expect(found.words).toContain("wait for the rate of trunk carrier-a: 2 calls/s for all its campaigns");
		expect(found.trunks[0]?.cps).toEqual({ max: 2, now: 2 });
	});
	test("slowed after refusals, until about when", async () => {
		await setTrunk("carrier-a", { maxCps: 8 });
		const host = await join("pbx-1", 30);
		const id = await create();
		await turn(host, { want: 8 });
		await turn(host, { completed: end(host, 4, "congestion"), want: 8, slots: { "carrier-a": 30 } });
		expect(trunkItem().pace?.f).toBe(0.5);
		const found = await explained(id);
		const slowed = rowOf(found, "trunkSlowed");
		expect(slowed?.until).toBe(new Date(api.clock.now + 10_000).toISOString());
		expect(slowed?.words).toContain("it refused calls and is used with 4 of 8 calls/s; as before in 10 s");
		expect(byReason(found).retry).toBe(4);
		expect(found.trunks[0]?.cps).toEqual({ max: 8, now: 4 });
	});
	test("gone, or not entered", async () => {
		await join("pbx-1", 30);
		const id = await create();
		await put("trunks", { ...trunkItem(), c: {} });
		expect(byReason(await explained(id))).toEqual({ noTrunk: 20 });
	});
	test("several: who waits for which, by their weights; one that is down leaves the others its part", async () => {
		const [a, b] = ["carrier-a", "carrier-b"];
		await setTrunk(a, { maxChannels: 2 });
		await setTrunk(b, { maxChannels: 6 });
		const host = await join("pbx-1", 60);
		const id = await create({ trunk: undefined, trunks: [{ id: a }, { id: b, weight: 3 }], contacts: numbers(48) });
		await fill(host);
		const full = await explained(id);
		expect(byReason(full)).toEqual({ inCall: 8, trunkChannels: 40 });
		expect(full.reasons.flatMap(({ trunk, contacts }) => (trunk ? [[trunk, contacts]] : []))).toEqual([
			[b, 30],
			[a, 10],
		]);
		await turn(host, { trunks: { [a]: "up", [b]: "down" } });
		const down = await explained(id);
		expect(down.reasons.flatMap(({ trunk, contacts }) => (trunk ? [[trunk, contacts]] : []))).toEqual([[a, 40]]);
		expect(down.trunks.map(({ id, down: hosts }) => [id, hosts])).toEqual([
			[a, []],
			[b, ["pbx-1"]],
		]);
	});
});

describe("its own caps, and the hosts'", () => {
	test("channels", async () => {
		const host = await join("pbx-1", 30);
		const id = await create({ maxChannels: 5 });
		await fill(host);
		const found = await explained(id);
		expect(byReason(found)).toEqual({ inCall: 5, campaignChannels: 15 });
		expect(found.main).toBe("campaignChannels");
		expect(found.words).toBe(
			`5 calls are up. 15 of 20 contacts not done wait for channels: the campaign's own 5 channels are in use: raise its cap with \`burst-dialer campaign set ${id} --max-channels N\`.`,
		);
	});
	test("calls per second", async () => {
		const host = await join("pbx-1", 30);
		const id = await create({ maxCps: 1 });
		await turn(host, { want: 30, slots: { "carrier-a": 30 } });
		const found = await explained(id);
		expect(byReason(found).campaignRate).toBeGreaterThan(10);
		expect(found.words).toContain("wait for the campaign's own rate of 1 calls/s");
	});
	test("a trunk that has no part of its rate is not counted upon", async () => {
		await setTrunk("carrier-b");
		await join("pbx-1", 4);
		const trunks = [{ id: "carrier-a" }, { id: "carrier-b", weight: 50 }];
		const found = await explained(await create({ trunk: undefined, trunks, maxCps: 1 }));
		expect(byReason(found)).toEqual({ nextSync: 1, campaignRate: 19 });
		expect(rowOf(found, "campaignRate")?.trunk).toBe("carrier-b");
	});
	test("hosts that are full, with what the fleet says; then with help on its way", async () => {
		await start(BURST);
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		expect((await explained(id)).words).toMatch(
			/16 of 20 .* the one host that may dial for it is full \(4 channels\): add/,
		);
		const decision = { limits: ["Dry run."], reason: "r" };
		await put("fleet", { ...emptyFleet(TENANT), version: 1, decision });
		expect(rowOf(await explained(id), "hostsFull")?.words).toMatch(/; burst hosts: Dry run$/);
		await put("hosts", {
			...newHost("burst-1", 30, api.clock.now),
			tier: "burst",
			state: "launching",
			inst: instance(),
		});
		expect(byReason(await explained(id))).toEqual({ inCall: 4, hostsBooting: 16 });
	});
	test("several that are used up at once are all named", async () => {
		await setTrunk("carrier-a", { maxChannels: 4 });
		const host = await join("pbx-1", 4);
		const id = await create();
		await fill(host);
		const found = await explained(id);
		expect(found.main).toBe("hostsFull");
		expect(found.words).toContain("; besides, the trunk is full");
	});
	test("calls that are granted ahead wait with their host", async () => {
		const host = await join("pbx-1", 4);
		const id = await create();
		await turn(host, { want: 6, prefetch: 2 });
		await turn(host, { live: 4 });
		expect(byReason(await explained(id))).toEqual({ inCall: 4, granted: 2, hostsFull: 14 });
	});
	test("room for all; that nobody takes them is said after a while", async () => {
		await join("pbx-1", 30);
		const id = await create();
		expect((await explained(id)).words).toMatch(/a host takes them with its next sync\.$/);
		pass(70_000);
		await join("pbx-2", 30);
		expect((await explained(id)).words).toContain("if that stays so, look at the agent's log");
	});
});

describe("contacts that wait for a moment", () => {
	const US = ["America/New_York", "America/Los_Angeles"];
	test("the calling window, each in its zone, with the rule; hosts or not", async () => {
		await setTrunk("us", { ...US_TRUNK, numbering: "e164" });
		const contacts = US.map((timeZone, i) => ({ number: usNumber(i), timeZone }));
		const id = await create({ trunk: "us", contacts, purpose: "marketing" });
		// 5:00 and 2:00 there.
		for (const host of ["none", "pbx-1"]) {
			if (host !== "none") await join(host, 30);
			const found = await explained(id);
			expect(byReason(found)).toEqual({ outsideWindow: 2 });
			const froms = found.reasons.map(({ from }) => from?.slice(0, 16)).sort();
			expect(froms).toEqual(["2026-11-02T13:00", "2026-11-02T16:00"]);
			expect(found.reasons[0]?.detail).toContain("does not allow calls in America/");
			expect(found.reasons[0]?.detail).not.toMatch(/\d\d:\d\d/);
		}
	});
	test("the campaign's window; put off when their time has come", async () => {
		const host = await join("pbx-1", 30);
		const id = await create({ window: { from: "10:00", to: "10:30", timeZone: "Europe/London" } });
		pass(40 * 60_000);
		await turn(host, { state: "up" });
		// Due, and closed meanwhile.
		expect(byReason(await explained(id))).toEqual({ outsideWindow: 20 });
		await turn(host, { want: 30 });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ outsideWindow: 20 });
		expect(found.words).toContain("may be called on 2026-11-03 10:00 UTC: outside their calling window");
		expect(found.estimated).toBe(false);
	});
	test("a window that was changed since", async () => {
		await join("pbx-1", 30);
		const id = await create({ window: { from: "12:00", to: "14:00", timeZone: "Europe/London" } });
		await api.call("PATCH", `/v1/campaigns/${id}`, { body: { window: null } });
		expect(rowOf(await explained(id), "outsideWindow")).toMatchObject({ contacts: 20, detail: "the window of before" });
	});
	test("retries, by the outcome before; one that falls into a closed window waits for that", async () => {
		const host = await join("pbx-1", 30);
		const window = { from: "09:00", to: "10:30", timeZone: "Europe/London" };
		const retry = { busy: { afterSec: 600, max: 1 }, noAnswer: { afterSec: 3_600, max: 1 } };
		const id = await create({ retry, window });
		await fill(host);
		const busy = end(host, 3, "busy");
		const noAnswer = host.held.slice(3, 5).map(({ callId }) => ({ callId, outcome: "noAnswer" as const }));
		await turn(host, { completed: [...busy, ...noAnswer] });
		const found = await explained(id);
		expect(found.reasons.filter(({ reason }) => reason === "retry")).toMatchObject([
			{ contacts: 3, detail: "busy", from: "2026-11-02T10:10:00.010Z", until: "2026-11-02T10:10:00.010Z" },
			{ contacts: 2, detail: "noAnswer", from: "2026-11-03T09:00:00.000Z" },
		]);
		expect(byReason(found)).toEqual({ inCall: 15, retry: 5 });
		pass(35 * 60_000);
		await turn(host);
		// Closed now: those that were to be tried an hour later are due at the opening.
		expect(byReason(await explained(id))).toEqual({ inCall: 15, outsideWindow: 5 });
	});
	test("a limit of calls to the number, with its rule", async () => {
		const host = await join("pbx-1", 30);
		const contacts = ["a", "b", "c"].map((id) => ({ number: "7777", id }));
		const id = await create({ contacts, calleeLimit: { minGapSec: 900 } });
		await turn(host, { want: 10 });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ granted: 1, calleeLimit: 2 });
		expect(rowOf(found, "calleeLimit")).toMatchObject({ detail: "minGap", until: "2026-11-02T10:15:30.010Z" });
	});
	test("within a second: the order of the list, the next number", async () => {
		const host = await join("pbx-1", 30);
		const contacts = [{ numbers: [{ number: "5001" }, { number: "5002" }] }, ...numbers(9)];
		const id = await create({ contacts });
		await turn(host, { want: 30 });
		const [two, ...others] = host.held.toSorted((a, b) => Number(b.number === "5001") - Number(a.number === "5001"));
		const completed = [{ callId: two?.callId ?? "", outcome: "busy" as const }];
		await turn(host, { completed, returned: others.map(({ callId }) => callId) });
		// Another function's clock is behind.
		api.clock.now -= 11;
		expect(byReason(await explained(id))).toEqual({ nextNumber: 1, listOrder: 9 });
		pass(20);
		expect(byReason(await explained(id))).toEqual({ nextSync: 10 });
	});
});

describe("what is read", () => {
	/** A campaign of many contacts, put into the tables at once. */
	const putLong = async (count: number, done: (i: number) => boolean): Promise<string> => {
		const id = await create({ contacts: numbers(1) });
		const meta = dynamo.peek<CampaignItem>("campaigns", campaignKey(TENANT, id)) as CampaignItem;
		for (const { shardKey, contactKey } of dynamo.items<ContactItem>("contacts"))
			dynamo.expire("contacts", { shardKey, contactKey });
		await put("campaigns", newChunk(id, "long", 0, count - 1));
		let ended = 0;
		for (let i = 0; i < count; i++) {
			const contact = newContact(id, meta.shards, {
				contactId: String(i),
				number: String(10_000 + i),
				dueAt: api.clock.now - 1,
				imp: `long#${i}`,
			});
			const { dueAt: _, ...rest } = contact;
			const retry = i % 3 === 0 ? { attempt: 2, dueAt: api.clock.now + 60_000, hist: { "1": { o: "busy" } } } : {};
			if (done(i)) ended++;
			await put("contacts", done(i) ? { ...rest, state: "done", outcome: "answered" } : { ...contact, ...retry });
		}
		await put("hosts", {
			...newHost("pbx-1", 30, api.clock.now),
			state: "active",
			epoch: 1,
			acc: { [id]: { a: ended, f: ended, o_answered: ended } },
		});
		return id;
	};
	/** Pages of 500 contacts a shard, of which each has a fourth of the units. */
	const COUNT = 4_000;
	const LOOKED_AT = 4 * 500;

	test("a list that is too long is sampled, and the sum is that of the counters", async () => {
		const id = await putLong(COUNT, () => false);
		expect((await explained(id)).lookedAt).toBe(COUNT);
		pageUnits = MAX_CONTACT_UNITS / 4;
		statements.length = 0;
		const found = await explained(id);
		expect(found).toMatchObject({ notDone: COUNT, lookedAt: LOOKED_AT, estimated: true });
		const { retry = 0 } = byReason(found);
		expect(retry / COUNT).toBeGreaterThan(0.28);
		expect(retry / COUNT).toBeLessThan(0.38);
		expect(statements.filter(({ input }) => input["TableName"] === "contacts")).toHaveLength(4);
	});
	test("of a long one with few left those are found by the index", async () => {
		const few = 30;
		const id = await putLong(COUNT, (i) => i >= few);
		pageUnits = MAX_CONTACT_UNITS / 4;
		expect(few).toBeLessThan(FEW_PENDING);
		const found = await explained(id);
		expect(found).toMatchObject({ notDone: few, estimated: false });
		expect(found.lookedAt).toBeGreaterThan(LOOKED_AT);
		expect(byReason(found)).toEqual({ retry: 10, nextSync: 20 });
	});
	test("where neither the sample nor the index has them, that is the reason", async () => {
		const id = await putLong(COUNT, (i) => i >= 2);
		pageUnits = MAX_CONTACT_UNITS / 4;
		// Of the table only those that are done are seen, and the index is behind.
		const late = dynamo.items<ContactItem>("contacts").filter(({ state }) => state === "pending");
		for (const { shardKey, contactKey } of late) dynamo.expire("contacts", { shardKey, contactKey });
		const found = await explained(id);
		expect(byReason(found)).toEqual({ unknown: 2 });
		expect(found).toMatchObject({ main: "unknown", estimated: true });
		expect(found.words).toContain("none of them was among the contacts looked at: ask again");
	});
	test("in parallel, with one read of each thing", async () => {
		await join("pbx-1", 30);
		const id = await create();
		statements.length = 0;
		await api.call("GET", `/v1/campaigns/${id}/explain`);
		const reads = statements.map(({ name, input }) => `${name} ${input["TableName"] ?? "batch"}`).sort();
		expect(reads).toEqual(
			[
				...Array.from({ length: 4 }, () => "Query contacts"),
				"Query campaigns",
				"Query hosts",
				"Get fleet",
				"Get suppression",
				"Get trunks",
				...reads.filter((read) => read === "Get tokens"),
			].sort(),
		);
		const log = { event: "campaign.explained", campaignId: id, reasons: { nextSync: 20 } };
		expect(api.logs).toContainEqual(expect.objectContaining(log));
	});
	test("calls that end while it reads are told as such, and it looks again where that costs little", async () => {
		const host = await join("pbx-1", 6);
		const id = await create();
		await fill(host);
		let ends = 0;
		const settle = (): void => {
			const [call] = host.held.splice(0, 1);
			const contact = dynamo
				.items<Record<string, unknown>>("contacts")
				.find(({ contactKey }) => contactKey === call?.callId.split("-")[1]);
			const { lease: _, ...rest } = contact ?? {};
			const done = { ...rest, state: "done", outcome: "answered" };
			dynamo.perform({ name: "Put", input: { TableName: "contacts", Item: done } });
			ends++;
		};
		before = ({ name, input }) => {
			if (name === "Query" && input["TableName"] === "contacts" && ends < 1) settle();
		};
		expect(byReason(await explained(id))).toEqual({ inCall: 5, settling: 1, hostsFull: 14 });
		expect(statements.filter(({ input }) => input["TableName"] === "contacts").length).toBeGreaterThan(8);
	});
	test("contacts that an import is just storing are left out in proportion", async () => {
		await join("pbx-1", 6);
		const id = await create();
		const meta = dynamo.peek<CampaignItem>("campaigns", campaignKey(TENANT, id)) as CampaignItem;
		for (let i = 0; i < 5; i++) {
			const more = { contactId: `new${i}`, number: "1", dueAt: api.clock.now - 1, imp: `two#${i}` };
			await put("contacts", newContact(id, meta.shards, more));
		}
		pass(10);
		const found = await explained(id);
		expect(found).toMatchObject({ notDone: 20, estimated: true });
	});
	test("an unknown campaign is 404; a host's token is refused", async () => {
		expect((await api.call("GET", "/v1/campaigns/01k9x0d7w3a8c2mf/explain")).status).toBe(404);
		const id = await create();
		expect((await api.call("GET", `/v1/campaigns/${id}/explain`, { token: null })).status).toBe(401);
	});
});

test("every reason there is was seen", () => {
	expect(REASON_NAMES.filter((reason) => !seen.has(reason))).toEqual([]);
});

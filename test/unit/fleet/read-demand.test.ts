import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { patchCampaign } from "../../../shared/campaigns/change.ts";
import { assumedHoldSec, meanHoldSec } from "../../../shared/campaigns/hold.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import type { Deps } from "../../../shared/deps.ts";
import { type DemandInput, readDemand } from "../../../shared/fleet/read-demand.ts";
import {
	type CampaignItem,
	type Counts,
	campaignKey,
	type HostItem,
	inventoryKey,
	type TrunkItem,
} from "../../../shared/store/items.ts";
import { putCampaign, putTrunk, TENANT, testDeps } from "../../support/control-plane.ts";
import { newTrunk } from "../../support/items.ts";
import { MemoryDynamo, PROJECT_TABLES, type Statement } from "../../support/memory-dynamo.ts";
import { burst, NOW, steady } from "./decide-fixtures.ts";

let now: number;
let dynamo: MemoryDynamo;
let deps: Deps;
let statements: Statement[];

const startOn = (options: { indexLag?: "manual"; maxPageItems?: number } = {}): void => {
	dynamo = new MemoryDynamo(PROJECT_TABLES, { now: () => now, ...options });
	statements = [];
	deps = testDeps(
		dynamo.client({
			before: (statement) => {
				statements.push(statement);
			},
		}),
		() => now,
	);
};
beforeEach(async () => {
	now = NOW;
	startOn();
	await putTrunk(deps, "t1", 500);
});

const put = (table: string, item: Record<string, unknown>) =>
	deps.db.send(new PutCommand({ TableName: table, Item: item }));
const demand = (over: Partial<DemandInput> = {}) =>
	readDemand(deps, TENANT, {
		hosts: [steady()],
		bootSec: 60,
		burst: { channelsPerHost: 120, maxHosts: 10, minUseSec: 60 },
		hasAddressPool: false,
		...over,
	});
const only = async (over: Partial<DemandInput> = {}) => {
	const { campaigns } = await demand(over);
	expect(campaigns).toHaveLength(1);
	return campaigns[0] as NonNullable<(typeof campaigns)[0]>;
};
/** A campaign that began some time ago: its index is not behind any more. */
const older = { startedAt: NOW - 60_000 };
const counted = (campaignId: string, counts: Counts, held = 0): Partial<HostItem> => ({
	acc: { [campaignId]: counts },
	held: { [campaignId]: held },
});

describe("which campaigns", () => {
	test("running ones, with their figures and trunks", async () => {
		const { campaignId } = await putCampaign(deps, 30, { trunk: "t1", maxChannels: 100, name: "storm", ...older });
		expect(await demand({ hosts: [steady({ held: { [campaignId]: 4 } })] })).toEqual({
			campaigns: [
				{
					campaignId,
					name: "storm",
					trunkId: "t1",
					cap: 100,
					due: 30,
					dueIsBound: false,
					inProgress: 4,
					holdSec: assumedHoldSec({ ringTimeoutSec: 30, maxCallSec: 3_600, then: { wait: 1 } }),
					holdMeasured: false,
					allowDroppedCalls: false,
				},
			],
			trunks: [{ trunkId: "t1", cap: 500, maxCps: 1_000, hosts: "all", addresses: "any" }],
		});
	});
	test.each(["importing", "paused", "completed", "cancelled", "failed"] as const)(
		"a campaign that is %s is none",
		async (state) => {
			await putCampaign(deps, 3, { trunk: "t1", maxChannels: 10, state });
			expect((await demand()).campaigns).toEqual([]);
		},
	);
	test("a scheduled one is read before hosts must be started for it, with its contacts of that time", async () => {
		const startAt = NOW + 110_000;
		const { contacts } = await putCampaign(deps, 5, { trunk: "t1", maxChannels: 10, state: "scheduled", startAt });
		for (const [i, key] of contacts.entries()) {
			const item = dynamo.peek("contacts", key);
			await put("contacts", { ...item, dueAt: startAt + i / 4096 });
		}
		expect(await only()).toMatchObject({ startAt, due: 5 });
		now = NOW - 20_000;
		expect((await demand()).campaigns).toEqual([]);
	});
	test("one that is not entered on its trunk is not dialed", async () => {
		const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 10 });
		await putTrunk(deps, "t1", 500);
		expect(dynamo.peek("campaigns", campaignKey(TENANT, campaignId))).toBeDefined();
		expect((await demand()).campaigns).toEqual([]);
	});
	test("without any trunk there is none", async () => {
		startOn();
		expect(await demand()).toEqual({ campaigns: [], trunks: [] });
	});
});

describe("caps", () => {
	test("a campaign's is within its trunk's", async () => {
		await putCampaign(deps, 3, { trunk: "t1", maxChannels: 900 });
		expect((await only()).cap).toBe(500);
	});
	test("channels that calls of lost hosts may still hold are not there", async () => {
		const { campaignId } = await putCampaign(deps, 3, { trunk: "t1", maxChannels: 100 });
		const item = dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t1" }) as TrunkItem;
		const z = {
			"h#1": { n: { [campaignId]: 30, other: 5 }, until: NOW + 1 },
			"h#0": { n: { [campaignId]: 99 }, until: NOW - 1 },
		};
		await put("trunks", { ...item, z });
		const { campaigns, trunks } = await demand();
		expect(campaigns[0]?.cap).toBe(70);
		expect(trunks[0]?.cap).toBe(465);
	});
});

describe("contacts due", () => {
	test("those that are due before a host started now is up", async () => {
		const { contacts } = await putCampaign(deps, 4, { trunk: "t1", maxChannels: 10, ...older });
		const [first, second] = contacts;
		for (const [key, sec] of [
			[first, 60],
			[second, 61],
		] as const) {
			const item = dynamo.peek("contacts", key as Record<string, string>);
			await put("contacts", { ...item, dueAt: NOW + sec * 1_000 });
		}
		expect(await only()).toMatchObject({ due: 3, dueIsBound: false });
	});
	test("are counted as far as they make a difference, without being read", async () => {
		await putCampaign(deps, 300, { trunk: "t1", maxChannels: 10, then: { wait: 60 }, ...older });
		const { due, dueIsBound, pending } = await only();
		expect({ dueIsBound, pending }).toEqual({ dueIsBound: true, pending: 300 });
		// 10 channels for boot, use and the next look: 180 s of calls of 31 s.
		expect(due).toBeGreaterThanOrEqual(58);
		expect(due).toBeLessThan(70);
		const queries = statements.filter(({ input }) => input["IndexName"] === "due");
		expect(queries).toHaveLength(4);
		for (const { input } of queries) expect(input).toMatchObject({ Select: "COUNT", Limit: 15 });
	});
	test("no more than the whole fleet could dial", async () => {
		await putCampaign(deps, 300, { trunk: "t1", maxChannels: 500, ...older });
		expect(await only({ hosts: [], burst: { channelsPerHost: 1, maxHosts: 10, minUseSec: 60 } })).toMatchObject({
			dueIsBound: true,
		});
		expect(await only()).toMatchObject({ due: 300, dueIsBound: false });
	});
	test("over several pages", async () => {
		startOn({ maxPageItems: 3 });
		await putTrunk(deps, "t1", 500);
		await putCampaign(deps, 50, { trunk: "t1", maxChannels: 400, ...older });
		expect(await only()).toMatchObject({ due: 50, dueIsBound: false });
	});
	test("an index that is behind the import: the counters say how many", async () => {
		startOn({ indexLag: "manual" });
		await putTrunk(deps, "t1", 500);
		const { campaignId } = await putCampaign(deps, 40, { trunk: "t1", maxChannels: 400, startedAt: NOW - 5_000 });
		expect(await only()).toMatchObject({ due: 40, dueIsBound: false });
		// Once something was attempted the index is believed.
		expect(await only({ hosts: [steady(counted(campaignId, { a: 1, f: 1 }))] })).toMatchObject({ due: 0 });
		now += 60_000;
		expect(await only()).toMatchObject({ due: 0 });
	});
	test("what is done or in progress is not pending", async () => {
		startOn({ indexLag: "manual" });
		await putTrunk(deps, "t1", 500);
		const { campaignId } = await putCampaign(deps, 40, { trunk: "t1", maxChannels: 400, startedAt: NOW - 5_000 });
		expect(await only({ hosts: [steady(counted(campaignId, {}, 15))] })).toMatchObject({ due: 25, inProgress: 15 });
	});
});

describe("a deadline", () => {
	test("asks for all that is pending, also what is due later", async () => {
		const deadline = NOW + 3_600_000;
		const { campaignId } = await putCampaign(deps, 40, { trunk: "t1", maxChannels: 400, deadline, ...older });
		const hosts = [steady(counted(campaignId, { a: 12, f: 10 }, 5))];
		expect(await only({ hosts })).toMatchObject({ deadline, pending: 25 });
	});
	test("that has passed is none", async () => {
		await putCampaign(deps, 4, { trunk: "t1", maxChannels: 400, deadline: NOW, ...older });
		expect(await only()).not.toHaveProperty("deadline");
	});
	test("can be changed and taken away; one that nothing could meet is refused", async () => {
		const { campaignId } = await putCampaign(deps, 4, {
			trunk: "t1",
			maxChannels: 400,
			startAt: NOW + 50_000,
			...older,
		});
		const patch = (deadline: string | null) => patchCampaign(deps as ApiDeps, TENANT, campaignId, { deadline });
		expect((await patch("2026-11-02T12:00:00+01:00")).deadline).toBe(NOW + 3_600_000);
		expect((await patch(null)).deadline).toBeUndefined();
		await expect(patch("2026-11-02T09:59:59Z")).rejects.toMatchObject({ status: 422, code: "deadlineNotPossible" });
		await expect(patch("2026-11-02T10:00:30Z")).rejects.toMatchObject({ status: 422, details: [{ path: "deadline" }] });
		expect(dynamo.peek<CampaignItem>("campaigns", campaignKey(TENANT, campaignId))?.deadline).toBeUndefined();
	});
});

describe("the mean channel time", () => {
	const limits = { ringTimeoutSec: 30, maxCallSec: 3_600 };
	test.each<[string, Counts[], number, number, boolean]>([
		["nothing measured: as assumed", [], 0, 30.95, false],
		[
			"enough measured: the mean over all hosts",
			[
				{ h: 1_000_000, m: 40 },
				{ h: 1_000_000, m: 60 },
			],
			0,
			20,
			true,
		],
		["too few: blended with the assumption", [{ h: 250_000, m: 25 }], 0, 20.475, false],
		["many in progress: the first to end are the short ones", [{ h: 100_000, m: 100 }], 1_000, 27.955, false],
		["never next to nothing", [{ h: 10, m: 100 }], 0, 1, true],
	])("%s", (_sentence, counts, inProgress, sec, measured) => {
		const { holdSec, holdMeasured } = meanHoldSec(counts, inProgress, limits, 0);
		expect(holdSec).toBeCloseTo(sec, 5);
		expect(holdMeasured).toBe(measured);
	});
	test("calls that are all still up last at least as long as the campaign", () => {
		expect(meanHoldSec([{ h: 50_000, m: 100 }], 1_000, limits, 60).holdSec).toBeCloseTo((50 + 900 * 60) / 1_000, 5);
		// A trickle: what waits for hours is the exception.
		expect(meanHoldSec([{ h: 1_240_000, m: 40 }], 3, limits, 7_200).holdSec).toBeCloseTo(30.99, 5);
	});
	test("never longer than a call may be", () => {
		// 35 % ring for 5 s and talk for 10 s, the others ring for 5 s.
		expect(meanHoldSec([], 0, { ringTimeoutSec: 5, maxCallSec: 10 }, 0).holdSec).toBeCloseTo(8.5, 5);
		expect(meanHoldSec([], 0, { ...limits, then: { wait: 10 } }, 0).holdSec).toBeCloseTo(0.35 * 22 + 0.65 * 25, 5);
		expect(meanHoldSec([{ h: 1e9, m: 100 }], 0, { ringTimeoutSec: 5, maxCallSec: 10 }, 0).holdSec).toBe(15);
	});
	test("is of the newer of a host's own counters and their copy", async () => {
		const { campaignId } = await putCampaign(deps, 4, { trunk: "t1", maxChannels: 400, ...older });
		const stats = { hostId: "gone", asOf: 5, counts: { a: 100, m: 100, h: 6_000_000 } };
		await put("campaigns", { ...campaignKey(TENANT, campaignId, "STATS#gone"), ...stats });
		expect(await only()).toMatchObject({ holdSec: 60, holdMeasured: true });
		const host = steady({ hostId: "gone", epoch: 1, ...counted(campaignId, { a: 200, m: 200, h: 8_000_000 }) });
		expect(await only({ hosts: [host] })).toMatchObject({ holdSec: 40 });
	});
});

describe("why burst hosts cannot carry it", () => {
	const trunkOf = (over: Partial<TrunkItem["trunk"]>) => {
		const item = newTrunk("t1", { maxChannels: 500, maxCps: 10, numbering: "private" });
		return put("trunks", { ...item, trunk: { ...item.trunk, ...over } });
	};
	const why = async (over: Partial<DemandInput> = {}) => (await only(over)).notOnBurst;
	test.each([
		[{ hosts: "steady" as const }, {}, /for steady hosts only/],
		[{ hosts: ["steady-1"] }, {}, /names its hosts, and none of them is a burst host/],
		[{ hosts: ["burst-1"] }, { hosts: [burst(1)] }, undefined],
		[{ addresses: "known" as const }, {}, /no pool of Elastic IPs/],
		[{ addresses: "known" as const }, { hasAddressPool: true }, undefined],
		[{}, {}, undefined],
	])("trunk %j with %j", async (over, input, words) => {
		await trunkOf(over);
		await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10 });
		const said = await why(input);
		if (words) expect(said).toMatch(words);
		else expect(said).toBeUndefined();
	});
	test("no burst host has its sound or context, though one is known", async () => {
		await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10, then: { play: "storm" } });
		const hosts = [steady(), burst(1), burst(2, { state: "stopped" })];
		expect(await why({ hosts })).toBeUndefined();
		await put("hosts", { ...inventoryKey(TENANT, "burst-1"), sounds: ["hello"], contexts: [] });
		expect(await why({ hosts })).toBe("no burst host has the sound storm");
		await put("hosts", { ...inventoryKey(TENANT, "burst-2"), sounds: ["storm"], contexts: [] });
		expect(await why({ hosts })).toBeUndefined();
		// A terminated host had another image, perhaps.
		expect(await why({ hosts: [burst(1, { state: "terminated" })] })).toBeUndefined();
	});
	test("a context likewise", async () => {
		await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10, then: { context: "burst-survey", extension: "s" } });
		await put("hosts", { ...inventoryKey(TENANT, "burst-1"), sounds: [], contexts: ["burst-other"] });
		expect(await why({ hosts: [burst(1)] })).toBe("no burst host has the context burst-survey");
	});
});

test("what cannot be read is thrown: nothing is decided upon a part", async () => {
	await putCampaign(deps, 2, { trunk: "t1", maxChannels: 10 });
	const failing = testDeps(
		dynamo.client({
			before: ({ input }) => {
				if (input["IndexName"] === "due") throw new Error("throttled");
			},
		}),
		() => now,
	);
	await expect(
		readDemand(failing, TENANT, {
			hosts: [],
			bootSec: 60,
			burst: { channelsPerHost: 120, maxHosts: 10, minUseSec: 60 },
			hasAddressPool: false,
		}),
	).rejects.toThrow("throttled");
});

import { beforeEach, expect, test } from "@jest/globals";
import { patchCampaign } from "../../../shared/campaigns/change.ts";
import { createCampaign, type NewCampaign } from "../../../shared/campaigns/create.ts";
import { tendCampaign } from "../../../shared/campaigns/tend.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import { trunkSchema } from "../../../shared/contract/trunk.ts";
import type { CampaignItem, TrunkItem } from "../../../shared/store/items.ts";
import { putTrunk } from "../../../shared/trunks/trunks.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { type Hooks, MemoryDynamo, type Statement } from "../../support/memory-dynamo.ts";
import { memoryObjects, PRIVATE_TRUNK } from "../api/harness.ts";

/** Whatever crosses on the way, a campaign's cap on its trunk ends as META has it, or the trunk where META has none. */

const ID = "01hf7yat00aaaaaa";
const NOW = Date.parse("2026-11-02T10:00:00Z");
const KEY = { campaign: `${TENANT}#${ID}`, kind: "META" };
let dynamo: MemoryDynamo;
let deps: ApiDeps;

const depsWith = (hooks: Hooks = {}): ApiDeps => ({
	...testDeps(dynamo.client(hooks), () => NOW),
	queues: { send: async () => {} },
	objects: memoryObjects(),
});
/** Dependencies under which `run` happens just before the first statement of a kind on a table. */
const crossing = (name: Statement["name"], table: string, run: () => Promise<unknown>): ApiDeps => {
	let done = false;
	return depsWith({
		before: async (statement) => {
			if (done || statement.name !== name || statement.input["TableName"] !== table) return;
			done = true;
			await run();
		},
	});
};
const trunkOf = (maxChannels: number) => trunkSchema.parse({ ...PRIVATE_TRUNK, maxChannels });
const setTrunk = (by: ApiDeps, maxChannels: number) => putTrunk(by, TENANT, "t1", trunkOf(maxChannels));
const patch = (by: ApiDeps, maxChannels: number) => patchCampaign(by, TENANT, ID, { maxChannels });
const create = (by: ApiDeps, maxChannels?: number) =>
	createCampaign(by, TENANT, ID, {
		origin: "campaign",
		name: "n",
		trunk: { ...trunkOf(500), id: "t1", countries: [] },
		then: { wait: 1 },
		maxChannels,
		ringTimeoutSec: 30,
		maxCallSec: 60,
		retry: {},
		list: { rows: [{ line: 1, contactId: "1", number: "1000" }], rejected: [], rejectedCount: 0, duplicates: 0 },
	} as NewCampaign);

const expectCap = (own: number | undefined, cap: number): void => {
	expect(dynamo.peek<CampaignItem>("campaigns", KEY)?.maxChannels).toBe(own);
	expect(dynamo.peek<TrunkItem>("trunks", { tenant: TENANT, trunkId: "t1" })?.c).toEqual({ [ID]: { cap, free: cap } });
};

beforeEach(async () => {
	dynamo = new MemoryDynamo();
	deps = depsWith();
	await setTrunk(deps, 500);
});

test("PATCH between an import's look at the campaign and its entry on the trunk", async () => {
	await create(
		crossing("Update", "trunks", () => patch(deps, 5)),
		200,
	);
	expectCap(5, 5);
});

test("two PATCHes: the later one stands in both places", async () => {
	await create(deps, 200);
	await patch(
		crossing("Update", "trunks", () => patch(deps, 3)),
		150,
	);
	expectCap(3, 3);
	await patch(
		crossing("Get", "trunks", () => patch(deps, 7)),
		150,
	);
	expectCap(7, 7);
});

test("PATCH gives a campaign a cap of its own while it follows its trunk", async () => {
	await create(deps);
	expectCap(undefined, 500);
	let updates = 0;
	const crossed = depsWith({
		before: async ({ name, input }) => {
			// The first update is the trunk itself, the second the campaign's entry.
			if (name === "Update" && input["Key"]?.["trunkId"] === "t1" && ++updates === 2) await patch(deps, 8);
		},
	});
	await setTrunk(crossed, 400);
	expect(updates).toBeGreaterThanOrEqual(2);
	expectCap(8, 8);
});

test("a trunk's cap changes between an import's look at it and the campaign's entry", async () => {
	let updates = 0;
	await create(
		depsWith({
			before: async ({ name, input }) => {
				if (name === "Update" && input["TableName"] === "trunks" && ++updates === 1) await setTrunk(deps, 60);
			},
		}),
	);
	expectCap(undefined, 60);
});

test("a PATCH that dies between the campaign and its trunk is brought to its end by the tick", async () => {
	await create(deps, 200);
	const dying = crossing("Update", "trunks", async () => {
		throw new Error("the function is gone");
	});
	await expect(patch(dying, 9)).rejects.toThrow("gone");
	await tendCampaign(deps, { tenant: TENANT, campaignId: ID, round: 6 }, NOW + 60_000);
	expectCap(9, 9);
});

import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Deps } from "../../shared/deps.ts";
import type { Db } from "../../shared/store/db.ts";
import type { TrunkItem } from "../../shared/store/items.ts";
import { shrinkLoss } from "../../shared/sync/release-earlier.ts";
import { testDeps } from "../support/control-plane.ts";
import { startDynalite } from "../support/dynalite.ts";
import { newTrunk, TENANT } from "../support/items.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../support/memory-dynamo.ts";

/** Channels of a lost host's calls are given back on either emulation of DynamoDB: one of them compares no maps. */

const KEY = "burst-1#3";
const LOST = { storm: 10, flood: 5 };

let stop: () => Promise<void>;
const dbs: Record<string, Db> = {};
beforeAll(async () => {
	const dynalite = await startDynalite(PROJECT_TABLES);
	stop = dynalite.stop;
	dbs["dynalite"] = dynalite.db;
	dbs["memory"] = new MemoryDynamo(PROJECT_TABLES, { now: Date.now }).client();
});
afterAll(() => stop());

describe.each(["memory", "dynalite"])("%s", (kind) => {
	let deps: Deps;
	let trunk: TrunkItem;
	const read = async () => {
		const Key = { tenant: TENANT, trunkId: "carrier" };
		const { Item } = await deps.db.send(new GetCommand({ TableName: deps.tables.trunks, Key, ConsistentRead: true }));
		const { free, c, z } = Item as TrunkItem;
		return { free, c, z };
	};
	beforeEach(async () => {
		deps = testDeps(dbs[kind] as Db, Date.now);
		trunk = {
			// The campaign "flood" is over: it has no channels on the trunk any more.
			...newTrunk("carrier", { maxChannels: 60, maxCps: 10, numbering: "private" }, { storm: { cap: 40, free: 30 } }),
			free: 45,
			z: { [KEY]: { n: LOST, until: Date.now() + 60_000 } },
		};
		await deps.db.send(new PutCommand({ TableName: deps.tables.trunks, Item: trunk }));
	});

	test("all of it", async () => {
		await shrinkLoss(deps, trunk, KEY, LOST, {});
		expect(await read()).toEqual({ free: 60, c: { storm: { cap: 40, free: 40 } }, z: {} });
		// Another, who read the same, gives nothing back twice.
		await shrinkLoss(deps, trunk, KEY, LOST, {});
		expect(await read()).toMatchObject({ free: 60 });
	});

	test("what is not up any more; who read before gives nothing back", async () => {
		await shrinkLoss(deps, trunk, KEY, LOST, { storm: 4 });
		const now = await read();
		expect(now).toMatchObject({ free: 56, c: { storm: { free: 36 } }, z: { [KEY]: { n: { storm: 4 } } } });
		await shrinkLoss(deps, trunk, KEY, LOST, {});
		expect(await read()).toEqual(now);
		await shrinkLoss(deps, trunk, KEY, { storm: 4 }, {});
		expect(await read()).toEqual({ free: 60, c: { storm: { cap: 40, free: 40 } }, z: {} });
	});

	test("a loss of nothing is removed", async () => {
		const empty = { ...trunk, free: 60, z: { [KEY]: { n: {}, until: 0 } } };
		await deps.db.send(new PutCommand({ TableName: deps.tables.trunks, Item: empty }));
		await shrinkLoss(deps, empty, KEY, {}, {});
		expect(await read()).toMatchObject({ free: 60, z: {} });
	});
});

import { beforeEach, expect, test } from "@jest/globals";
import type { Deps } from "../../../shared/deps.ts";
import { markHost } from "../../../shared/fleet/moves.ts";
import { getItem } from "../../../shared/store/db.ts";
import type { HostItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { hostsOfLate } from "../../../shared/sync/hosts-cache.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES, type Statement } from "../../support/memory-dynamo.ts";

let now: number;
let statements: Statement[];
let fails: boolean;
let deps: Deps;
const listReads = (): Statement[] =>
	statements.filter(({ name, input }) => name === "Query" && input["TableName"] === "hosts");
const writes = (): string[] =>
	statements.flatMap(({ name, input }) =>
		name === "Update" || name === "Put" ? [`${name} ${String(input["TableName"])}`] : [],
	);

beforeEach(async () => {
	now = 1_700_000_000_000;
	statements = [];
	fails = false;
	const client = new MemoryDynamo(PROJECT_TABLES, { now: () => now }).client({
		before: (statement) => {
			statements.push(statement);
			if (fails) throw new Error("throttled");
		},
	});
	deps = testDeps(client, () => now);
	await putTrunk(deps, "t1", 20);
	await putHost(deps, "h1", 10);
	await putHost(deps, "h2", 10);
	statements = [];
});

test("hosts are read once a second, eventually consistent, however many ask", async () => {
	const [first, second] = await Promise.all([hostsOfLate(deps, TENANT), hostsOfLate(deps, TENANT)]);
	expect(first.map(({ hostId }) => hostId)).toEqual(["h1", "h2"]);
	expect(second).toBe(first);
	now += 999;
	await hostsOfLate(deps, TENANT);
	expect(listReads()).toHaveLength(1);
	expect(listReads()[0]?.input["ConsistentRead"]).toBeUndefined();
	now += 1;
	await hostsOfLate(deps, TENANT);
	expect(listReads()).toHaveLength(2);
});

test("a read that failed is not kept, nor another tenant's list used", async () => {
	fails = true;
	await expect(hostsOfLate(deps, TENANT)).rejects.toThrow("throttled");
	fails = false;
	expect(await hostsOfLate(deps, TENANT)).toHaveLength(2);
	expect(await hostsOfLate(deps, "another")).toEqual([]);
});

test("a burst host's sync writes no more than a steady one's; only it reads the hosts, and only where it could be granted calls", async () => {
	await putCampaign(deps, 40, { trunk: "t1", maxChannels: 20 });
	now++;
	const item = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: TENANT, hostId: "h2" });
	if (!item) throw new Error("no host");
	await markHost(deps, item, { tier: "burst" });
	const written: string[][] = [];
	for (const hostId of ["h1", "h2"]) {
		const ref = { tenant: TENANT, hostId };
		const { epoch } = await hello(deps, ref, { nonce: `nonce-000${hostId}` });
		statements = [];
		const { calls } = await sync(deps, ref, syncRequest(epoch, 1, { want: 10, slots: { t1: 10 } }));
		expect(calls).toHaveLength(10);
		expect(listReads()).toHaveLength(hostId === "h2" ? 1 : 0);
		written.push(writes());
		statements = [];
		now += 1_000;
		await sync(deps, ref, syncRequest(epoch, 2, { live: 10, low: 1 }));
		expect(listReads()).toEqual([]);
		expect(writes()).toEqual(["Update hosts"]);
	}
	expect(written[1]).toEqual(written[0]);
	expect(written[0]).toHaveLength(13);
});

import { expect, test } from "@jest/globals";
import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import type { SyncRequest, SyncResponse } from "../../../shared/contract/host.ts";
import { setDrain } from "../../../shared/hosts/hosts.ts";
import { recoverHosts } from "../../../shared/recovery/recover-hosts.ts";
import { getItem } from "../../../shared/store/db.ts";
import { type CampaignItem, campaignKey, type HostItem, type TrunkItem } from "../../../shared/store/items.ts";
import { hello } from "../../../shared/sync/hello.ts";
import { sync } from "../../../shared/sync/sync.ts";
import { putCampaign, putHost, putTrunk, syncRequest, TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo, PROJECT_TABLES } from "../../support/memory-dynamo.ts";

/**
 * The function dies before or after each of its statements in turn; then the request is repeated, or the host dies too and is recovered. Every
 * contact ends once, counters equal what was reported, every channel is given back.
 */

const HOST = { tenant: TENANT, hostId: "h1" };
const OTHER = { tenant: TENANT, hostId: "h2" };
/** More statements than one sync has. */
const DEEPEST = 60;
class Died extends Error {}

const world = async () => {
	let now = 1_700_000_000_000;
	const clock = () => now;
	const dynamo = new MemoryDynamo(PROJECT_TABLES, { now: clock });
	const deps = testDeps(dynamo.client(), clock);
	await putTrunk(deps, "t1", 10);
	await putHost(deps, "h1", 4);
	await putHost(deps, "h2", 4);
	const { campaignId } = await putCampaign(deps, 8, { trunk: "t1", maxChannels: 6 });
	/** A client that dies at its nth statement; nothing it does afterwards reaches the tables. */
	const dying = (at: number, when: "before" | "after") => {
		let count = 0;
		let died: (error: Error) => void = () => {};
		const death = new Promise<never>((_, reject) => {
			died = reject;
		});
		death.catch(() => {});
		const hold = () => new Promise<never>(() => {});
		const client = dynamo.client({
			before: () => {
				count++;
				if (count > at || (count === at && when === "before")) {
					died(new Died());
					return hold();
				}
				return undefined;
			},
			after: () => {
				if (count < at) return undefined;
				died(new Died());
				return hold();
			},
		});
		return { deps: testDeps(client, clock), death };
	};
	return {
		deps,
		campaignId,
		dying,
		pass: (ms: number) => {
			now += ms;
		},
		host: () => getItem<HostItem>(deps.db, deps.tables.hosts, HOST),
		trunk: () => getItem<TrunkItem>(deps.db, deps.tables.trunks, { tenant: TENANT, trunkId: "t1" }),
		state: async () =>
			(await getItem<CampaignItem>(deps.db, deps.tables.campaigns, campaignKey(TENANT, campaignId)))?.state,
	};
};

const answeredAll = (response: SyncResponse): SyncRequest["completed"] =>
	response.calls.map(({ callId }) => ({ callId, outcome: "answered" as const }));

/** Syncs a host until it gets nothing more; each call is answered. */
const finish = async (
	deps: Parameters<typeof sync>[0],
	host: typeof HOST,
	epoch: number,
	firstSeq: number,
	completed: SyncRequest["completed"],
	dialed: string[],
): Promise<void> => {
	let report = completed;
	for (let seq = firstSeq; seq < firstSeq + 20; seq++) {
		const response = await sync(
			deps,
			host,
			syncRequest(epoch, seq, { want: 4, low: seq, completed: report, earlier: [] }),
		);
		dialed.push(...response.calls.map(({ callId }) => callId));
		report = answeredAll(response);
		if (report.length === 0) return;
	}
	throw new Error("the host never came to an end");
};

test.each(["before", "after"] as const)("dies %s each statement; the host repeats its request", async (when) => {
	let reached = 0;
	for (let at = 1; at <= DEEPEST; at++) {
		const w = await world();
		const { epoch } = await hello(w.deps, HOST, { nonce: "nonce-0001" });
		const first = await sync(w.deps, HOST, syncRequest(epoch, 1, { want: 4, slots: { t1: 4 } }));
		const request = syncRequest(epoch, 2, { want: 4, slots: { t1: 4 }, completed: answeredAll(first).slice(0, 3) });
		const { deps, death } = w.dying(at, when);
		const dead = await Promise.race([sync(deps, HOST, request), death]).then(
			() => false,
			(error) => error instanceof Died,
		);
		if (!dead) break;
		reached = at;
		const again = await sync(w.deps, HOST, request);
		const dialed = [...first.calls, ...again.calls].map(({ callId }) => callId);
		const open = [...answeredAll(first).slice(3), ...answeredAll(again)];
		await finish(w.deps, HOST, epoch, 3, open, dialed);
		expect(new Set(dialed).size).toBe(dialed.length);
		expect(dialed).toHaveLength(8);
		expect(await campaignCounts(w.deps, TENANT, w.campaignId)).toMatchObject({
			done: 8,
			attempts: 8,
			inProgress: 0,
			outcomes: { answered: 8 },
		});
		await recoverHosts(w.deps, TENANT);
		expect((await w.trunk())?.free).toBe(10);
	}
	// The sync has at least: reads, settles, reserve, grant, claims, commit.
	expect(reached).toBeGreaterThan(15);
});

test.each(["before", "after"] as const)("dies %s each statement; the host dies too and is recovered", async (when) => {
	for (let at = 1; at <= DEEPEST; at++) {
		const w = await world();
		const { epoch } = await hello(w.deps, HOST, { nonce: "nonce-0001" });
		const first = await sync(w.deps, HOST, syncRequest(epoch, 1, { want: 4 }));
		const { deps, death } = w.dying(at, when);
		const request = syncRequest(epoch, 2, { want: 4, completed: answeredAll(first).slice(0, 3) });
		const dead = await Promise.race([sync(deps, HOST, request), death]).then(
			() => false,
			(error) => error instanceof Died,
		);
		if (!dead) break;
		const other = await hello(w.deps, OTHER, { nonce: "nonce-0002" });
		for (let s = 0; s <= 60; s += 20) {
			await recoverHosts(w.deps, TENANT);
			w.pass(20_000);
			await sync(w.deps, OTHER, syncRequest(other.epoch, 1 + s / 20));
		}
		const dialed: string[] = first.calls.map(({ callId }) => callId);
		await finish(w.deps, OTHER, other.epoch, 5, [], dialed);
		const counts = await campaignCounts(w.deps, TENANT, w.campaignId);
		expect(counts).toMatchObject({ total: 8, done: 8, inProgress: 0 });
		const { answered = 0, hostLost = 0 } = counts.outcomes;
		expect(answered + hostLost).toBe(8);
		expect(new Set(dialed).size).toBe(dialed.length);
		// Longer than any call of the lost host.
		w.pass(120_000);
		await recoverHosts(w.deps, TENANT);
		expect(await w.state()).toBe("completed");
		expect((await w.trunk())?.free).toBe(10);
		expect((await w.trunk())?.z).toEqual({});
	}
});

test.each(["before", "after"] as const)("the recovery dies %s each statement and is run again", async (when) => {
	for (let at = 1; at <= DEEPEST; at++) {
		const w = await world();
		const { epoch } = await hello(w.deps, HOST, { nonce: "nonce-0001" });
		await sync(w.deps, HOST, syncRequest(epoch, 1, { want: 4 }));
		await recoverHosts(w.deps, TENANT);
		w.pass(20_000);
		await recoverHosts(w.deps, TENANT);
		w.pass(20_000);
		const { deps, death } = w.dying(at, when);
		const dead = await Promise.race([recoverHosts(deps, TENANT), death]).then(
			() => false,
			(error) => error instanceof Died,
		);
		w.pass(20_000);
		await recoverHosts(w.deps, TENANT);
		expect(await campaignCounts(w.deps, TENANT, w.campaignId)).toMatchObject({
			done: 4,
			inProgress: 0,
			pending: 4,
			attempts: 4,
			outcomes: { hostLost: 4 },
		});
		w.pass(120_000);
		await recoverHosts(w.deps, TENANT);
		expect((await w.trunk())?.free).toBe(10);
		if (!dead) break;
	}
});

test.each(["before", "after"] as const)(
	"dies %s each statement of a drain's last syncs; they are repeated",
	async (when) => {
		let reached = 0;
		for (let at = 1; at <= DEEPEST; at++) {
			const w = await world();
			const { epoch } = await hello(w.deps, HOST, { nonce: "nonce-0001" });
			const { calls } = await sync(w.deps, HOST, syncRequest(epoch, 1, { want: 4 }));
			await setDrain(w.deps, TENANT, HOST.hostId, true);
			const completed = calls.map(({ callId }) => ({ callId, outcome: "answered" as const }));
			// The report, then the two quiet syncs: the death comes in one of them, at each of its statements in turn.
			let died = false;
			const { deps, death } = w.dying(at, when);
			for (const request of [
				syncRequest(epoch, 2, { completed }),
				syncRequest(epoch, 3, { want: 4 }),
				syncRequest(epoch, 4, { want: 4 }),
			]) {
				const dead =
					!died &&
					(await Promise.race([sync(deps, HOST, request), death]).then(
						() => false,
						(error) => error instanceof Died,
					));
				const quiet = request.seq - 2;
				if (dead || died) {
					expect((await sync(w.deps, HOST, request)).calls).toEqual([]);
					died = true;
				}
				expect(await w.host()).toMatchObject({ seq: request.seq, state: quiet === 2 ? "drained" : "draining", quiet });
			}
			expect((await w.trunk())?.free).toBe(10);
			expect(await campaignCounts(w.deps, TENANT, w.campaignId)).toMatchObject({ done: 4, inProgress: 0, pending: 4 });
			if (!died) break;
			reached = at;
		}
		expect(reached).toBeGreaterThan(15);
	},
);

test.each(["before", "after"] as const)(
	"hello of a drained host dies %s each statement and is repeated",
	async (when) => {
		let reached = 0;
		for (let at = 1; at <= DEEPEST; at++) {
			const w = await world();
			const { epoch } = await hello(w.deps, HOST, { nonce: "nonce-0001" });
			await setDrain(w.deps, TENANT, HOST.hostId, true);
			for (const seq of [1, 2]) await sync(w.deps, HOST, syncRequest(epoch, seq));
			const { deps, death } = w.dying(at, when);
			const dead = await Promise.race([hello(deps, HOST, { nonce: "nonce-0002" }), death]).then(
				() => false,
				(error) => error instanceof Died,
			);
			expect((await hello(w.deps, HOST, { nonce: "nonce-0002" })).epoch).toBe(epoch + 1);
			expect(await w.host()).toMatchObject({ state: "draining", epoch: epoch + 1, seq: 0 });
			if (!dead) break;
			reached = at;
		}
		expect(reached).toBe(3);
	},
);
